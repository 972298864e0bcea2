// Payloads in the dialects that documents use, through the model: the guard and the TypeBox value say what AJV says of the schema as it is written.
import { rmSync } from "node:fs";
import fc from "fast-check";
import { Value } from "typebox/value";
import { afterAll, describe, expect, it } from "vitest";
import { modelOf } from "../model/modelled.ts";
import { dialects, documentOf, values } from "./dialects.ts";
import { importGuards, importText, schemasText, temporaryFolder } from "./emitted.ts";
import { near } from "./schema-arbitrary.ts";

describe("payloads in the dialects of documents", () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(dialects))("%s: guard and TypeBox value say what AJV says", async (_, dialect) => {
    const seen = { valid: 0, invalid: 0 };
    await fc.assert(
      fc.asyncProperty(dialect.documents, fc.array(values, { minLength: 10, maxLength: 10 }), async (document, drawn) => {
        const { types, endpoints } = await modelOf(documentOf(document, dialect));
        const schemas = Object.fromEntries(types.map((type) => [type.name, type.schema]));
        const guards = await importGuards(folder, schemas);
        const builders = await importText(folder, schemasText(schemas).text);
        const written = dialect.translate(document);
        for (const { name, type } of endpoints.flatMap(({ clientToServer }) => clientToServer.messages)) {
          const verdict = dialect.compile(written, name);
          const builder = builders[type] as object;
          for (const value of [...drawn, ...Array.from({ length: 12 }, (_, seed) => near(written[name], written, seed))]) {
            const valid = verdict(value) === true;
            seen[valid ? "valid" : "invalid"] += 1;
            const found = { name, value, guard: guards(type)(value), typebox: Value.Check(builder, value) };
            expect(found).toEqual({ name, value, guard: valid, typebox: valid });
          }
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? 15) },
    );
    // Verdicts of one kind only would prove little.
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(5);
  });
});
