import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, inject, it } from "vitest";
import { modelOf } from "../model/modelled.ts";
import { dialects, documentOf, values } from "./dialects.ts";
import { temporaryFolder } from "./emitted.ts";
import { near } from "./schema-arbitrary.ts";
import { type Case, compareTypes, drawnCases } from "./types-agreement.ts";

describe("types", () => {
  const folder = temporaryFolder();
  const seed = inject("seed");
  const runs = Number(process.env["RUNS"] ?? 120);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("of many drawn schemas hold what guards accept, and refuse what a type can refuse", async () => {
    const { differences, accepted, refused } = await compareTypes(join(folder, "schemas"), drawnCases(runs));
    console.log(`types of drawn schemas: ${accepted} values accepted, ${refused} refused`);
    expect(differences.slice(0, 3), `${differences.length} with SEED=${seed}`).toEqual([]);
    expect(Math.min(accepted, refused)).toBeGreaterThan(1000);
  });

  it.each(Object.entries(dialects))("of payloads in %s do so too", async (name, dialect) => {
    const cases: Case[] = [];
    for (const [document, drawn] of fc.sample(fc.tuple(dialect.documents, fc.array(values, { maxLength: 6 })), runs)) {
      const { types } = await modelOf(documentOf(document, dialect));
      const schemas = Object.fromEntries(types.map((type) => [type.name, type.schema]));
      const tried = ({ schema }: (typeof types)[number]): unknown[] => [
        ...drawn,
        ...Array.from({ length: 8 }, (_, seed) => near(schema, schemas, seed)),
      ];
      cases.push({ types: schemas, values: Object.fromEntries(types.map((type) => [type.name, tried(type)])) });
    }
    const { differences, accepted, refused } = await compareTypes(join(folder, name.replace(/\W/g, "")), cases);
    console.log(`types of ${name}: ${accepted} values accepted, ${refused} refused`);
    expect(differences.slice(0, 3), `${differences.length} with SEED=${seed}`).toEqual([]);
    expect(Math.min(accepted, refused)).toBeGreaterThan(1000);
  });
});
