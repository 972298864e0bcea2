import { describe, expect, it } from "vitest";
import { type Figure, ids, measure } from "./faults.mjs";

/** Smaller than in `npm run faults` where counts and codes do not need more. */
const sizes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  R5: { clients: 100, bareClients: 2, perSecond: 100 },
  R6: { clients: 20, perSecond: 150 },
  R12: {},
  R13: { messages: 50_000, bareMessages: 500 },
  R15: { upgrades: 2000 },
  R16: {},
  R17: {},
  R18: { connections: 500 },
  R19: {},
  R20: {},
  R22: {},
  R23: { timings: 250 },
  R25: {},
  R29: { seconds: 2 },
  comings: { connections: 2000 },
  fuzz: { seconds: 5 },
  killed: {},
  asleep: {},
  memory: { connections: 500, looks: 1 },
};

describe("under the faults of docs/reliability.md, counts and codes are as they should be", () => {
  it("measures every fault", () => {
    expect(Object.keys(sizes)).toEqual(ids);
  });

  for (const [id, options] of Object.entries(sizes)) {
    it(id, async () => {
      const figures: Figure[] = [];
      for await (const figure of measure(id, options)) figures.push(figure);
      expect(figures.length).toBeGreaterThan(1);
      const wrong = figures.filter(({ kind, met }) => kind === undefined && met === false);
      const lines = wrong.map(({ what, measured, target }) => `${what}: ${String(measured)}, not ${target}`);
      expect(lines, figures.map(({ what, measured }) => `${what}: ${String(measured)}`).join("\n")).toEqual([]);
    });
  }
});
