// `npm run conformance [-- SUITE]`: the suites that judge generator and runtime from outside, one line each, "SUITE: passed/total". Runs on what is built.
// A suite is test/conformance/SUITE.mjs; what it is known to fail stands in SUITE.known-failing.json, a list that may only shrink.
import { existsSync, readFileSync } from "node:fs";

const suites = ["protocol", "handshake", "hostile"];

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(", ")} (there are ${suites.join(", ")})`);
  process.exit(2);
}

let failed = false;
for (const suite of chosen.length === 0 ? suites : chosen) {
  const { run } = await import(`../test/conformance/${suite}.mjs`);
  const { passed, total, failures } = await run();
  console.log(`${suite}: ${passed}/${total}`);
  const list = new URL(`../test/conformance/${suite}.known-failing.json`, import.meta.url);
  const known = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
  const surprises = failures.filter((failure) => !known.some((name) => failure.startsWith(`${name}: `)));
  for (const failure of surprises) console.error(`  ${failure}`);
  const cured = known.filter((name) => !failures.some((failure) => failure.startsWith(`${name}: `)));
  for (const name of cured) console.error(`  ${name}: passes now, take it off the list of known failures`);
  failed ||= surprises.length + cured.length > 0;
}
process.exit(failed ? 1 : 0);
