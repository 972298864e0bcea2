// The AsyncAPI Technology Compatibility Kit: a valid document must not be refused. Invalid ones may be read where generation is possible (DESIGN section 3,
// "check"): how many are, and which, stands in tck.accepted.json, a list that may only shrink. `npm run conformance -- tck` prints `tck: passed/total`.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const here = import.meta.dirname;
const root = join(here, "../..");
const kit = join(resolve(root, process.env.WSGEN_SHARED ?? "../shared"), "asyncapi-tck");
const listPath = join(here, "tck.accepted.json");

/** Runs the kit; `write` lists anew which invalid documents are accepted. `failures` are lines for people. */
export async function run({ write = false } = {}) {
  if (!existsSync(kit)) return { passed: 0, total: 0, failures: [], skipped: `${kit} is not there` };
  const { load } = await import(join(root, "codegen/dist/document/load.js"));
  const { check } = await import(join(root, "codegen/dist/document/check.js"));
  const failures = [];
  const accepted = [];
  let passed = 0;
  const cases = JSON.parse(readFileSync(join(kit, "INDEX.json"), "utf8"));
  for (const { path, expected } of cases) {
    const file = join(kit, path);
    const document = await load(file, { root: dirname(file) });
    const found = document.diagnostics.some(isError) ? document.diagnostics : (await check(document)).diagnostics;
    const [error] = found.filter(isError);
    if (expected === "valid" && error !== undefined) failures.push(`${path}: ${error.message}`);
    else passed += 1;
    if (expected !== "valid" && error === undefined) accepted.push(path);
  }
  const known = existsSync(listPath) ? JSON.parse(readFileSync(listPath, "utf8")) : [];
  if (write) writeFileSync(listPath, `${JSON.stringify(accepted, undefined, 2)}\n`);
  else {
    for (const path of accepted.filter((path) => !known.includes(path))) failures.push(`${path}: it is invalid, and is accepted now`);
    for (const path of known.filter((path) => !accepted.includes(path)))
      failures.push(`${path}: it is refused now, take it off tck.accepted.json`);
  }
  return { passed, total: cases.length, failures, also: `${accepted.length} invalid ones are accepted` };
}

const isError = ({ severity }) => severity === "error";
