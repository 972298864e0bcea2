// Blocks of time in this process, for what needs no server: in each round every subject has one.
import { median, quantile, rounded } from "./rounds.mjs";

/** The first rounds are the compiler's. */
const UNCOUNTED = 3;

/** Measures subjects by name, each a function that works for so many ms and gives its ns per operation, as figures beside those of the `peer` among them. */
export function measureBlocks(scenario, subjects, peer, { rounds, quick, digits }) {
  const times = new Map([...subjects.keys()].map((name) => [name, []]));
  for (let round = -UNCOUNTED; round < rounds * 3; round++) {
    for (const [name, work] of subjects) {
      const nanoseconds = work(quick ? 5 : 40);
      if (round >= 0) times.get(name).push(nanoseconds);
    }
  }
  return [...times].map(([name, values]) => ({
    name: `${scenario}: ${name}`,
    scenario,
    subject: name,
    unit: "ns",
    value: rounded(median(values)),
    spread: [rounded(quantile(values, 0.25)), rounded(quantile(values, 0.75))],
    ...(name === peer ? {} : { peer, ratio: rounded(median(values.map((value, round) => value / times.get(peer)[round])), digits) }),
  }));
}
