// How figures are shown.

/** Whether a figure reaches its target; `null` where it has none. A figure with a peer is judged by its ratio, unless it says `bound: "value"`. */
export function judge(figure) {
  return figure.target === undefined ? null : judged(figure) <= figure.target;
}

function judged({ value, ratio, bound }) {
  return ratio === undefined || bound === "value" ? value : ratio;
}

/** One table for each scenario, in the order they were measured. A subject that is compared with several peers has a line for each. */
export function printFigures(figures) {
  for (const [scenario, rows] of groupByScenario(figures)) {
    const head = [scenario ?? "", "value", "unit", "spread", "load busy", "", "ratio", "target"];
    printTable(head, rows.map(describeFigure));
    console.log();
  }
}

function describeFigure(figure) {
  const label = figure.subject ?? figure.name;
  if (figure.failed !== undefined) return [label, "–", figure.failed.split("\n")[0].slice(0, 80), "", "", "", "", ""];
  return [
    label,
    String(figure.value),
    figure.unit,
    figure.spread === undefined ? "" : `${figure.spread[0]}–${figure.spread[1]}`,
    // Above 80 % it is the load that is measured as well.
    figure.load === undefined ? "" : `${figure.load} %${figure.load > 80 ? " !" : ""}`,
    figure.peer === undefined ? "" : `× ${figure.peer}`,
    figure.ratio === undefined ? "" : String(figure.ratio),
    describeTarget(figure),
  ];
}

/** What has no scenario of its own shares a table. */
function groupByScenario(figures) {
  const groups = new Map();
  for (const figure of figures) groups.set(figure.scenario, [...(groups.get(figure.scenario) ?? []), figure]);
  return groups;
}

export function printTargets(figures) {
  const aimed = figures.filter(({ target }) => target !== undefined);
  if (aimed.length === 0) return;
  const missed = aimed.filter((figure) => !judge(figure));
  console.log(`\n${aimed.length - missed.length} of ${aimed.length} targets met.`);
  for (const figure of missed)
    console.log(
      `  NOT met: ${figure.name}${figure.peer === undefined ? "" : ` × ${figure.peer}`}: ${judged(figure)}, ${describeTarget(figure)}`,
    );
}

function describeTarget(figure) {
  const verdict = judge(figure);
  return verdict === null ? "" : `<= ${figure.target} ${verdict ? "met" : "NOT met"}`;
}

function printTable(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => (column === 1 || column === 6 ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join("  ")
        .trimEnd(),
    );
}
