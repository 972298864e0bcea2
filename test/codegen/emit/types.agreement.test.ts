import { rmSync } from "node:fs";
import { afterAll, describe, expect, inject, it } from "vitest";
import { temporaryFolder } from "./emitted.ts";
import { compareTypes, drawnCases } from "./types-agreement.ts";

// types.agreement.slow.ts does the same with more of them.
describe("types of drawn schemas", () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  it("hold what guards accept, and refuse what a type can refuse", async () => {
    const { differences, accepted, refused } = await compareTypes(folder, drawnCases(10));
    expect(differences, `SEED=${inject("seed")}`).toEqual([]);
    // Verdicts of one kind only would prove little.
    expect(Math.min(accepted, refused)).toBeGreaterThan(50);
  });
});
