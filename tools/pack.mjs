// Packs both packages into a folder and gives the tarballs' paths: what users will install.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

/** @param {string} folder where the tarballs go */
export function pack(folder) {
  const { status, stdout, stderr } = spawnSync(
    "npm",
    ["pack", "--json", "--pack-destination", resolve(folder), "--workspace", "codegen", "--workspace", "runtime"],
    { cwd: new URL("..", import.meta.url).pathname, encoding: "utf8", shell: process.platform === "win32" },
  );
  if (status !== 0) throw new Error(`npm pack failed:\n${stderr}`);
  const packed = Object.values(JSON.parse(stdout));
  const tarball = (name) => join(resolve(folder), packed.find((one) => one.name === name).filename);
  return { wsgen: tarball("wsgen"), runtime: tarball("@wsgen/runtime") };
}
