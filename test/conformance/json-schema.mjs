// The JSON Schema Test Suite of draft-07, through the guards we emit. The tests are test/codegen/emit/validators.suite.slow.ts, known failures
// json-schema.known-failing.json; this runs them and reads what they print. `npm run conformance -- json-schema` prints `json-schema: passed/total`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Runs the suite. `failures` are lines for people. */
export async function run() {
  const vitest = [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--config",
    "vitest.slow.config.ts",
    "test/codegen/emit/validators.suite.slow.ts",
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, vitest, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  const count = (part) => new RegExp(`json-schema ${part}: (\\d+)/(\\d+)`).exec(stdout)?.slice(1).map(Number);
  const required = count("required");
  if (required === undefined) return { passed: 0, total: 0, failures: [], skipped: "the suite is not there" };
  const [passed, total] = required;
  const failures =
    status === 0
      ? []
      : `${stdout}${stderr}`
          .split("\n")
          .filter((line) => /FAIL|AssertionError|^\s*[-+] /.test(line))
          .slice(0, 20);
  return { passed, total, failures, also: `optional ${count("optional")?.join("/")}, formats ${count("optional/format")?.join("/")}` };
}
