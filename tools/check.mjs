// `npm run check`: everything that has to hold before a change lands, cheapest first. Stops at the first step that fails.
import { spawnSync } from "node:child_process";

const tsc = "node_modules/typescript/bin/tsc";
const steps = [
  ["format and lint", "npx", "biome", "check", "--error-on-warnings", "."],
  ["lint (oxlint)", "npx", "oxlint", "--deny-warnings", "codegen/src", "runtime/src", "specs", "test", "tools"],
  ["the lock is complete and names no host", process.execPath, "tools/check-lock.mjs"],
  ["generated/ is what specs/ gives", process.execPath, "tools/regenerate.mjs", "--check"],
  ["types of tests, specs and generated code", process.execPath, tsc, "-p", "test"],
  ["types of the chat", process.execPath, tsc, "-p", "specs"],
  ["unused files, exports and dependencies (knip)", "npx", "knip"],
  ["sizes of the client in a browser", process.execPath, "tools/sizes.mjs"],
  ["packed packages (publint, are-the-types-wrong)", process.execPath, "tools/check-packages.mjs"],
  ["tests", "npx", "vitest", "run"],
  ["slow tests: packed tarballs, tutorial, browser", "npx", "vitest", "run", "--config", "vitest.slow.config.ts"],
];

const started = Date.now();
for (const [name, command, ...args] of steps) {
  const from = Date.now();
  console.log(`\n── ${name}`);
  const { status } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) {
    console.error(`\n✗ ${name} (${[command, ...args].join(" ")})`);
    process.exit(status ?? 1);
  }
  console.log(`✓ ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`);
}
console.log(`\nAll ${steps.length} checks passed in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
