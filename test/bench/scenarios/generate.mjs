// What generating costs: time and memory for specs/chat.yaml, cold and with the document already checked, beside the official parser
// alone in the same rounds; and what an install carries.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "../../../tools/pack.mjs";

const root = new URL("../../..", import.meta.url).pathname;
const rounds = 9;

/** Reports wall time and peak memory of one node process. */
function run(args, cwd) {
  const report = "data:text/javascript,process.on('exit',()=>{process.stderr.write('\\nMAXRSS '%2Bprocess.resourceUsage().maxRSS)})";
  const started = performance.now();
  const { status, stderr, stdout } = spawnSync(process.execPath, ["--import", report, ...args], { cwd, encoding: "utf8" });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${args.join(" ")} exited with ${status}\n${stdout}${stderr}`);
  return { ms, mb: Number(/MAXRSS (\d+)/.exec(stderr)?.[1]) / 1024 };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (value, digits = 2) => Number(value.toFixed(digits));

export async function measure() {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-bench-"));
  try {
    return [...generation(folder), ...installs(folder)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function generation(folder) {
  // A project of its own, so that the cache that is emptied is not the repository's.
  const project = join(folder, "project");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(join(root, "node_modules/typebox"), join(project, "node_modules/typebox"));
  cpSync(join(root, "specs/chat.yaml"), join(project, "chat.yaml"));
  const cache = join(project, "node_modules/.cache");
  const generate = [join(root, "codegen/bin/wsgen.js"), "generate", "chat.yaml", "--out", "out"];
  const parser = join(folder, "parser.mjs");
  writeFileSync(
    parser,
    `import { readFileSync } from "node:fs";
     import { Parser } from ${JSON.stringify(join(root, "codegen/dist/vendor/asyncapi-parser.mjs"))};
     const { document } = await new Parser().parse(readFileSync("chat.yaml", "utf8"), { source: "chat.yaml" });
     if (document === undefined) process.exit(1);`,
  );

  const samples = { cold: [], warm: [], bare: [], parser: [] };
  for (let index = 0; index < rounds; index++) {
    rmSync(cache, { recursive: true, force: true });
    rmSync(join(project, "out"), { recursive: true, force: true });
    samples.cold.push(run(generate, project));
    rmSync(join(project, "out"), { recursive: true, force: true });
    samples.warm.push(run(generate, project));
    samples.parser.push(run([parser], project));
    samples.bare.push(run(["-e", "0"], project));
  }
  const ms = (name) => median(samples[name].map((sample) => sample.ms));
  const mb = (name) => median(samples[name].map((sample) => sample.mb));
  const ratio = (name) => round(median(samples[name].map((sample, index) => sample.ms / samples.parser[index].ms)));
  return [
    {
      name: "generate chat.yaml, cold",
      value: round(ms("cold") / 1000),
      unit: "s",
      target: 1.2,
      bound: "value",
      peer: "official parser alone",
      ratio: ratio("cold"),
    },
    {
      name: "generate chat.yaml, already checked",
      value: round(ms("warm") / 1000),
      unit: "s",
      target: 0.35,
      bound: "value",
      peer: "official parser alone",
      ratio: ratio("warm"),
    },
    { name: "official parser alone on chat.yaml", value: round(ms("parser") / 1000), unit: "s" },
    { name: "bare node", value: round(ms("bare") / 1000), unit: "s" },
    {
      name: "peak memory, cold",
      value: round(mb("cold"), 0),
      unit: "MB",
      peer: "official parser alone",
      ratio: round(mb("cold") / mb("parser")),
    },
    {
      name: "peak memory, already checked",
      value: round(mb("warm"), 0),
      unit: "MB",
      peer: "official parser alone",
      ratio: round(mb("warm") / mb("parser")),
    },
  ];
}

function installs(folder) {
  const tarballs = pack(folder);
  return Object.entries(tarballs).flatMap(([name, tarball]) => {
    const place = join(folder, `install-${name}`);
    mkdirSync(place);
    writeFileSync(join(place, "package.json"), '{ "private": true }');
    const { status, stderr } = spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], {
      cwd: place,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    const { packages, bytes } = weigh(join(place, "node_modules"));
    const label = name === "runtime" ? "@wsgen/runtime" : name;
    return [
      {
        name: `${label}: packages installed`,
        value: packages,
        unit: "packages",
        ...(name === "runtime" ? { target: 2, bound: "value" } : {}),
      },
      { name: `${label}: size installed`, value: round(bytes / 1e6, 1), unit: "MB" },
      { name: `${label}: tarball`, value: round(statSync(tarball).size / 1e6, 2), unit: "MB" },
    ];
  });
}

/** Counts the packages below a node_modules folder, and the bytes of their files. */
function weigh(folder) {
  let packages = 0;
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) bytes += statSync(path).size;
    if (entry.isFile() && entry.name === "package.json" && /node_modules\/(@[^/]+\/)?[^/]+$/.test(entry.parentPath)) packages++;
  }
  return { packages, bytes };
}
