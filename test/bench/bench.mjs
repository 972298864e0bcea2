// `npm run bench -- SUITE`: figures, printed as a table and written to test/bench/results.json.
import { writeFileSync } from "node:fs";

const suites = { generate: () => import("./generate.mjs") };
const wanted = process.argv[2];
if (!Object.hasOwn(suites, wanted ?? "")) {
  console.error(`usage: npm run bench -- ${Object.keys(suites).join(" | ")}`);
  process.exit(2);
}

const { measure } = await suites[wanted]();
const figures = await measure();
const met = ({ value, target }) => target === undefined || value <= target;
console.table(
  Object.fromEntries(
    figures.map((figure) => [
      figure.name,
      {
        value: figure.value,
        unit: figure.unit,
        target: figure.target === undefined ? "" : `<= ${figure.target}`,
        met: met(figure) ? "yes" : "NO",
        peer: figure.peer ?? "",
        ratio: figure.ratio ?? "",
      },
    ]),
  ),
);
writeFileSync(
  new URL("results.json", import.meta.url),
  `${JSON.stringify(
    figures.map((figure) => ({ ...figure, met: met(figure) })),
    null,
    2,
  )}\n`,
);
