// `npm run conformance [-- SUITE…]`: the suites that judge generator and runtime from outside, one line each, "SUITE: passed/total". Runs on what is built,
// and writes test/conformance/results.json. A suite is test/conformance/SUITE.mjs; what it is known to fail stands in SUITE.known-failing.json, a list that
// may only shrink. What changes from run to run is printed and not written.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const suites = ["protocol", "handshake", "documents", "json-schema", "tck", "hostile"];
const file = (name) => new URL(`../test/conformance/${name}`, import.meta.url);
const read = (url, otherwise) => (existsSync(url) ? JSON.parse(readFileSync(url, "utf8")) : otherwise);

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(", ")} (there are ${suites.join(", ")})`);
  process.exit(2);
}

let failed = false;
for (const suite of chosen.length === 0 ? suites : chosen) {
  const { run } = await import(`../test/conformance/${suite}.mjs`);
  const { passed, total, failures, also, timing, skipped } = await run();
  if (skipped !== undefined) {
    console.log(`${suite}: skipped, ${skipped}`);
    continue;
  }
  const remarks = [also, timing].filter((remark) => remark !== undefined).join("; ");
  console.log(`${suite}: ${passed}/${total}${remarks === "" ? "" : ` (${remarks})`}`);
  // The list of json-schema is read by its own test, part by part.
  const known = suite === "json-schema" ? [] : read(file(`${suite}.known-failing.json`), []);
  const surprises = failures.filter((failure) => !known.some((name) => failure.startsWith(`${name}: `)));
  for (const failure of surprises) console.error(`  ${failure}`);
  const cured = known.filter((name) => !failures.some((failure) => failure.startsWith(`${name}: `)));
  for (const name of cured) console.error(`  ${name}: passes now, take it off the list of known failures`);
  failed ||= surprises.length + cured.length > 0;

  const results = { ...read(file("results.json"), {}), [suite]: { passed, total, ...(also !== undefined && { also }), failures } };
  writeFileSync(file("results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
}
process.exit(failed ? 1 : 0);
