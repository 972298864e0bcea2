// `npm run test:matrix`: the quick tests on every line of Node that is supported, each from its registry package.
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";

const root = new URL("..", import.meta.url).pathname;
const lines = [20, 22, 24, 26];

let failed = false;
for (const line of lines) {
  console.log(`\n── Node ${line}`);
  // npx is not called from the repository, where it would take the Node that runs this.
  const test = `cd ${root} && node -p process.version && node node_modules/vitest/vitest.mjs run ${process.argv.slice(2).join(" ")}`;
  const { status } = spawnSync("npx", ["-y", "-p", `node@${line}`, "-c", test], { cwd: tmpdir(), stdio: "inherit" });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
