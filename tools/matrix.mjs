// `npm run test:matrix`: the quick tests on every line of Node that is supported, each from its registry package, and the client's subjects on each, on Bun
// and on Deno.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const lines = [20, 22, 24, 26];

let failed = false;
for (const line of lines) {
  console.log(`\n── Node ${line}`);
  // npx is not called from the repository, where it would take the Node that runs this.
  const vitest = "node node_modules/vitest/vitest.mjs run";
  const subjects = `${vitest} --config vitest.slow.config.ts test/client-subjects -t "on Node"`;
  const test = `cd ${root} && node -p process.version && ${vitest} ${process.argv.slice(2).join(" ")} && ${subjects}`;
  const { status } = spawnSync("npx", ["-y", "-p", `node@${line}`, "-c", test], { cwd: tmpdir(), stdio: "inherit" });
  failed ||= status !== 0;
}

// The platforms' own packages hold the programs; the packages in front of them would fetch those when they are installed.
console.log("\n── Chromium, Bun, Deno");
const folder = join(root, "node_modules/.cache/wsgen-subjects");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "package.json"), '{ "private": true }');
const programs = ["@oven/bun-linux-x64@1.4.5", "@deno/linux-x64-glibc@2.9.6"];
// One by one: where one cannot be had, its subject is skipped, and the tests say so.
for (const program of programs)
  spawnSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", program], { cwd: folder, stdio: "inherit" });
const subjects = ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.slow.config.ts", "test/client-subjects"];
failed ||= spawnSync(process.execPath, subjects, { cwd: root, stdio: "inherit" }).status !== 0;
process.exit(failed ? 1 : 0);
