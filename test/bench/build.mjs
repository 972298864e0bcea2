// From a document to JavaScript that runs: the real command line, then the real compiler, against the runtime of a checkout.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = new URL("../..", import.meta.url).pathname;
const output = new URL(".output/", import.meta.url).pathname;

/** Empties the place for generated code and links a checkout's runtime into it. Gives the folder. */
export function prepareBuild(name, checkout = root) {
  const folder = join(output, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules/@wsgen"), { recursive: true });
  symlinkSync(resolve(checkout, "runtime"), join(folder, "node_modules/@wsgen/runtime"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  return folder;
}

/** Generates a document's code into a build with the checkout's own generator, and compiles it. */
export function buildDocument(folder, document, name, checkout = root) {
  const out = join(folder, name);
  run(process.execPath, [join(resolve(checkout), "codegen/bin/wsgen.js"), "generate", document, "--out", out], folder);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const files = ["server.ts", "client.ts"].map((file) => join(out, file));
  run(
    process.execPath,
    [compiler, "--ignoreConfig", "--module", "nodenext", "--target", "es2022", "--skipLibCheck", "--strict", ...files],
    folder,
  );
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} exited with ${status}\n${stdout}${stderr}`);
}
