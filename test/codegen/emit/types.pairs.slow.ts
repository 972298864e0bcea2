// Pairs of two dozen small schemas, put together in every way that a schema has: chance draws most of them once in a very long time.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, inject, it } from "vitest";
import { ref, type Schemas, temporaryFolder } from "./emitted.ts";
import { type Case, compareTypes } from "./types-agreement.ts";

type Drawn = boolean | { readonly [keyword: string]: unknown };

/** All of them take minutes: so many seeds, one after the other, try each once. Prime, so that each has a share of everything. */
const parts = 11;

const text = { type: "string" };
const withText = { type: "object", properties: { a: text } };

const named: Readonly<Record<string, Drawn>> = {
  Text: text,
  Tagged: { ...withText, required: ["a"] },
  Numbers: { type: "object", additionalProperties: { type: "number" } },
  Alias: ref("Tagged"),
  Nullable: { oneOf: [ref("Tagged"), { type: "null" }] },
  Empty: { type: "object", properties: {}, additionalProperties: false },
  Listed: { enum: ["a", "b", 1] },
};

const small: readonly Drawn[] = [
  true,
  false,
  {},
  { not: {} },
  text,
  { type: ["integer", "string"] },
  { minLength: 1, minimum: 0 },
  { const: "a" },
  { enum: ["a", { a: "x" }] },
  { type: "object" },
  { type: ["object", "null"] },
  withText,
  { properties: { a: true }, required: ["a"] },
  { required: ["a"] },
  { type: "object", properties: { a: { type: "number" } }, additionalProperties: false },
  { type: "object", additionalProperties: { type: "number" } },
  { patternProperties: { ".*": text } },
  { type: "array", items: text },
  { type: "array", items: { enum: ["a", 1] } },
  { type: "array", items: [text], additionalItems: false },
  { minItems: 2 },
  { anyOf: [text, { type: "number" }] },
  ...Object.keys(named).map(ref),
];

const scalars = ["", "a", "b", 0, 1, -1.5, true, null];
const lists = [[], ["a"], ["a", "b"], [1], ["a", 1]];
const objects = [{}, ...["x", 1, null, { a: "x" }, ["a"]].map((a) => ({ a })), { b: 1 }, { b: "x" }, { a: "x", b: 1 }, { a: "x", b: "y" }];
const values = [...scalars, ...lists, ...objects];

/** One schema with another in one of its keywords; nothing where it can have none. */
const beside = (one: Drawn, keywords: object): Drawn[] => (typeof one === "boolean" || "$ref" in one ? [] : [{ ...one, ...keywords }]);

const ways: Readonly<Record<string, (one: Drawn, other: Drawn) => Drawn[]>> = {
  "in allOf": (one, other) => [{ allOf: [one, other] }, ...beside(one, { allOf: [other] }), { allOf: [one, { allOf: [other] }] }],
  "as alternatives": (one, other) => [
    { anyOf: [one, other] },
    ...beside(one, { anyOf: [other, { type: "null" }] }),
    ...beside(one, { oneOf: [other] }),
  ],
  "as alternatives in allOf": (one, other) => [
    { allOf: [one, { anyOf: [other, { type: "boolean" }] }] },
    ...beside(one, { allOf: [{ oneOf: [other] }] }),
  ],
  "as properties": (one, other) => [
    { type: "object", properties: { a: one }, additionalProperties: other },
    { type: "object", properties: { a: { allOf: [one, other] } }, required: ["a"] },
  ],
  "as a property of both": (one, other) => [
    {
      allOf: [
        { type: "object", properties: { a: one } },
        { type: "object", properties: { a: other }, required: ["a"] },
      ],
    },
    { allOf: [ref("Tagged"), { type: "object", properties: { a: one, b: other } }] },
    { allOf: [ref("Numbers"), { type: "object", properties: { a: one }, additionalProperties: other }] },
    { type: "object", required: ["a"], allOf: [one, other] },
  ],
  "as items": (one, other) => [
    { type: "array", items: [one, other], minItems: 1 },
    { type: "array", items: [one], additionalItems: other },
  ],
};

describe("types of pairs of schemas", () => {
  const folder = temporaryFolder();
  const seed = inject("seed");
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(ways))("%s hold what guards accept, and refuse what a type can refuse", async (way, combine) => {
    const all = small.flatMap((one) => small.flatMap((other) => combine(one, other)));
    const schemas = all.filter((_, index) => index % parts === seed % parts);
    const cases: Case[] = [];
    for (let at = 0; at < schemas.length; at += 12) {
      const some: Schemas = Object.fromEntries(schemas.slice(at, at + 12).map((schema, index) => [`X${index}`, schema]));
      cases.push({ types: { ...some, ...named }, values: Object.fromEntries(Object.keys(some).map((name) => [name, values])) });
    }
    const { differences, accepted } = await compareTypes(join(folder, way.replaceAll(" ", "")), cases);
    expect(differences.slice(0, 3), `${differences.length} with SEED=${seed}`).toEqual([]);
    expect(accepted).toBeGreaterThan(50);
  });
});
