// A lock must name every optional (per-platform) package, or `npm ci` fails on other machines; and it must not name a registry's host.
import { readFileSync } from "node:fs";

/** The repository's, and that of the benchmark's peers, which nobody installs who does not measure. */
const locks = ["package-lock.json", "test/bench/package-lock.json"];
const problems = locks.flatMap((lock) => check(readFileSync(lock, "utf8")).map((problem) => `${lock}: ${problem}`));
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

function check(text) {
  const { packages } = JSON.parse(text);
  const problems = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      // npm looks in the package's own node_modules first, then in those of the folders above.
      const parents = path.split("/node_modules/").map((_, depth, parts) => parts.slice(0, parts.length - depth).join("/node_modules/"));
      const found = [...parents.map((parent) => `${parent}/node_modules/${name}`), `node_modules/${name}`].some(
        (place) => packages[place] !== undefined,
      );
      if (!found)
        problems.push(`${path} wants the optional package ${name}, which the lock lacks: pin a version whose packages are all there`);
    }
  }
  if (/"resolved": "http/.test(text))
    problems.push("the lock records download addresses: set omit-lockfile-registry-resolved=true in .npmrc and write it anew");
  return problems;
}
