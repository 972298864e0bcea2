// `npm run faults [-- R5 R12 … | memory | fuzz …] [--messages N] [--seed N]`: the faults of test/faults/, one line per figure: id · what · measured · target · bare ws · met.
// Writes test/faults/results.json; what was not chosen keeps its figures there.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { ids, measure, show } from "../test/faults/faults.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { messages: { type: "string" }, connections: { type: "string" }, seed: { type: "string" }, seconds: { type: "string" } },
});
const unknown = positionals.filter((id) => !ids.includes(id));
if (unknown.length > 0) {
  console.error(`no such fault: ${unknown.join(", ")} (there are ${ids.join(", ")})`);
  process.exit(2);
}
const options = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));

const file = new URL("../test/faults/results.json", import.meta.url);
const { figures: before = [] } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
const chosen = positionals.length === 0 ? ids : positionals;
const figures = [];
for (const id of chosen) {
  for await (const figure of measure(id, options)) {
    const { what, measured, unit = "", target, bare, met } = figure;
    const verdict = met === undefined ? "" : met ? "met" : "NOT MET";
    console.log(
      [id, what, `${show(measured)} ${unit}`.trimEnd(), target, bare === undefined ? "" : `bare ws ${show(bare)}`, verdict].join(" · "),
    );
    figures.push({ ...figure, date: new Date().toISOString().slice(0, 10) });
  }
}
const machine = `${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}`;
const kept = before.filter(({ id }) => !chosen.includes(id));
writeFileSync(file, `${JSON.stringify({ machine, figures: [...kept, ...figures] }, null, 2)}\n`);

const unmet = figures.filter(({ met }) => met === false);
console.log(
  `${figures.length - unmet.length} of ${figures.length} figures met or without a target${unmet.length === 0 ? "" : `; not met: ${unmet.length}`}`,
);
process.exit(unmet.length > 0 ? 1 : 0);
