import { rmSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { Value } from "typebox/value";
import { afterAll, describe, expect, it } from "vitest";
import { importGuards, importText, schemasText, temporaryFolder } from "./emitted.ts";
import { definitions, near, values } from "./schema-arbitrary.ts";

describe("guards and builders of drawn schemas", () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  it("say what AJV says about every value", async () => {
    const seen = { valid: 0, invalid: 0 };
    await fc.assert(
      fc.asyncProperty(definitions, fc.array(values, { minLength: 5, maxLength: 10 }), async (types, drawn) => {
        const guards = await importGuards(folder, types);
        const builders = await importText(folder, schemasText(types).text);
        const judge = new Ajv({ strict: false, strictNumbers: true, unicodeRegExp: false, logger: false });
        addFormats.default(judge);
        for (const name of Object.keys(types)) {
          const verdict = judge.compile({ definitions: types, $ref: `#/definitions/${name}` });
          const tries = [...drawn, ...Array.from({ length: 12 }, (_, seed) => near(types[name], types, seed))];
          for (const value of tries) {
            const expected = verdict(value);
            seen[expected ? "valid" : "invalid"] += 1;
            expect({ by: "guard", name, value, valid: guards(name)(value) }).toEqual({ by: "guard", name, value, valid: expected });
            const checked = Value.Check(builders[name] as object, value);
            expect({ by: "typebox", name, value, valid: checked }).toEqual({ by: "typebox", name, value, valid: expected });
          }
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? 20) },
    );
    // Verdicts of one kind only would prove little.
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(100);
  });
});
