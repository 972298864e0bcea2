import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./emitted.ts";
import { compareTypes, drawnCases } from "./types-agreement.ts";

// types.agreement.slow.ts does the same with more of them.
describe("types of drawn schemas", () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  it("hold what guards accept, and refuse what a type can refuse", async () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 1e9);
    const { differences, accepted, refused } = await compareTypes(folder, drawnCases(10, seed));
    expect(differences, `SEED=${seed}`).toEqual([]);
    // Verdicts of one kind only would prove little.
    expect(Math.min(accepted, refused)).toBeGreaterThan(50);
  });
});
