// `npm run test:matrix`: the quick tests on every line of Node that is supported, each from its registry package, and the client's subjects on each, on Bun
// and on Deno.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const lines = [20, 22, 24, 26];
const here = { cwd: tmpdir(), stdio: "inherit" };

const vitest = ["node_modules/vitest/vitest.mjs", "run"];
const subjects = [...vitest, "--config", "vitest.slow.config.ts", "test/client-subjects"];
const failures = [];

for (const line of lines) {
  console.log(`\n── Node ${line}`);
  // npx is not called from the repository, where it would take the Node that runs this.
  const on = (...args) => spawnSync("npx", ["-y", "-p", `node@${line}`, "-c", `cd ${root} && node ${args.join(" ")}`], here).status;
  on("-p", "process.version");
  if (on(...vitest, ...process.argv.slice(2)) !== 0) failures.push(`Node ${line}: the quick tests`);
  if (on(...subjects, "-t", '"on Node"') !== 0) failures.push(`Node ${line}: the client`);
}

// The platforms' own packages hold the programs; the packages in front of them would fetch those when they are installed.
console.log("\n── Chromium, Bun, Deno");
const folder = join(root, "node_modules/.cache/wsgen-subjects");
mkdirSync(folder, { recursive: true });
const programs = { "@oven/bun-linux-x64": "1.4.5", "@deno/linux-x64-glibc": "2.9.6" };
// Where one cannot be had, its subject is skipped, and the tests say so.
writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, optionalDependencies: programs }));
spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
if (spawnSync(process.execPath, subjects, { cwd: root, stdio: "inherit" }).status !== 0) failures.push("Chromium, Bun, Deno: the client");

console.log(failures.length === 0 ? "\nAll passed." : `\nFailed:\n${failures.join("\n")}`);
process.exit(failures.length === 0 ? 0 : 1);
