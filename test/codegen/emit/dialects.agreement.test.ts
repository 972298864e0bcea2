// Payloads in the dialects that documents use, through the model: the guard and the TypeBox value say what AJV says of the schema as it is written.
import { rmSync } from "node:fs";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { Value } from "typebox/value";
import { afterAll, describe, expect, it } from "vitest";
import { modelOf } from "../model/modelled.ts";
import { importGuards, importText, schemasText, temporaryFolder } from "./emitted.ts";
import { near } from "./schema-arbitrary.ts";

type Schema = boolean | { readonly [keyword: string]: unknown };

const texts = ["", "a", "ab", "b"];
const numbers = [0, 1, 2, 3, 1.5];
const scalar = fc.oneof(fc.constantFrom(...texts), fc.constantFrom(...numbers), fc.boolean(), fc.constant(null));
const key = fc.constantFrom("a", "b", "kind");
const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

const some = <T>(keywords: Record<string, fc.Arbitrary<T>>): fc.Arbitrary<Record<string, T>> =>
  fc.record(keywords, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Record<string, T>>;
const small = fc.nat({ max: 3 });
const withAll = (fixed: object, rest: fc.Arbitrary<object>): fc.Arbitrary<Schema> => rest.map((keywords) => ({ ...fixed, ...keywords }));

/** Schemas of one dialect: what all have, and what is its own. */
function schemas(
  own: (inner: fc.Arbitrary<Schema>) => fc.Arbitrary<Schema>,
  also: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Schema> {
  return fc.letrec<{ schema: Schema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      withAll({ type: "string" }, some<unknown>({ minLength: small, enum: fc.constant(["a", "ab"]), ...also })),
      withAll({ type: "integer" }, some<unknown>({ minimum: small, maximum: small, ...also })),
      withAll(
        { type: "object" },
        some<unknown>({
          properties: fc.dictionary(key, tie("schema"), { maxKeys: 3, noNullPrototype: true }),
          required: fc.uniqueArray(key, { maxLength: 2 }),
          additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
          ...also,
        }),
      ),
      withAll({ type: "array" }, some<unknown>({ items: tie("schema"), maxItems: small, ...also })),
      fc
        .array(tie("schema"), { minLength: 1, maxLength: 2 })
        .chain((list) => fc.constantFrom("anyOf", "oneOf", "allOf").map((word) => ({ [word]: list }))),
      own(tie("schema")),
    ),
  })).schema;
}

interface Dialect {
  readonly format: string;
  readonly schemas: fc.Arbitrary<Schema>;
  /** AJV's verdict on the schema as it is written. */
  judge(schema: Schema): (value: unknown) => boolean;
}

const dialects: Readonly<Record<string, Dialect>> = {
  "AsyncAPI's own": {
    format: "application/vnd.aai.asyncapi+json;version=3.0.0",
    schemas: schemas(
      (inner) => fc.tuple(inner, inner).map(([first, second]) => ({ type: "array", items: [first, second], additionalItems: false })),
      { const: scalar },
    ),
    judge: (schema) => new Ajv({ strict: false, logger: false }).compile(schema),
  },
  "OpenAPI 3.0": {
    format: "application/vnd.oai.openapi+json;version=3.0.0",
    schemas: schemas(
      () =>
        fc.record({
          type: fc.constant("number"),
          minimum: small,
          exclusiveMinimum: fc.boolean(),
          maximum: small,
          exclusiveMaximum: fc.boolean(),
        }),
      { nullable: fc.boolean() },
    ),
    judge: (schema) => new Ajv({ strict: false, logger: false }).compile(ofOpenApi(schema)),
  },
  "JSON Schema 2020-12": {
    format: "application/schema+json;version=2020-12",
    schemas: schemas(
      (inner) =>
        fc.oneof(
          fc.tuple(inner, inner, inner).map(([first, second, rest]) => ({ type: "array", prefixItems: [first, second], items: rest })),
          fc.constant<Schema>({ type: "object", dependentRequired: { a: ["b"] } }),
          inner.map((then) => ({ type: "object", dependentSchemas: { kind: { properties: { a: then } } } })),
        ),
      { const: scalar },
    ),
    judge: (schema) => new Ajv2020({ strict: false, logger: false }).compile(schema),
  },
};

/** OpenAPI 3.0 in the words of draft-07. */
function ofOpenApi(schema: unknown): Schema {
  if (typeof schema !== "object" || schema === null) return schema as boolean;
  const { nullable, exclusiveMinimum, exclusiveMaximum, ...rest } = schema as Record<string, unknown>;
  const inner = Object.fromEntries(
    Object.entries(rest).map(([word, held]) => {
      if (word === "properties")
        return [word, Object.fromEntries(Object.entries(held as object).map(([name, one]) => [name, ofOpenApi(one)]))];
      if (Array.isArray(held) && /Of$/.test(word)) return [word, held.map(ofOpenApi)];
      return [word, word === "items" || word === "additionalProperties" ? ofOpenApi(held) : held];
    }),
  );
  return {
    ...inner,
    ...(exclusiveMinimum === true && { exclusiveMinimum: inner["minimum"] }),
    ...(exclusiveMaximum === true && { exclusiveMaximum: inner["maximum"] }),
    ...(nullable === true && { type: [inner["type"], "null"], ...(Array.isArray(inner["enum"]) && { enum: [...inner["enum"], null] }) }),
  };
}

describe("payloads in the dialects of documents", () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(Object.entries(dialects))("%s: guard and TypeBox value say what AJV says", async (_, { format, schemas, judge }) => {
    const seen = { valid: 0, invalid: 0 };
    await fc.assert(
      fc.asyncProperty(schemas, fc.array(values, { minLength: 10, maxLength: 10 }), async (schema, drawn) => {
        const document = {
          asyncapi: "3.0.0",
          info: { title: "T", version: "1.0.0" },
          channels: {
            c: { address: "/c", messages: { m: { contentType: "application/json", payload: { schemaFormat: format, schema } } } },
          },
          operations: { o: { action: "receive", channel: { $ref: "#/channels/c" } } },
          "x-wsgen": { perspective: "server" },
        };
        const { types, endpoints } = await modelOf(JSON.stringify(document));
        const name = endpoints[0]?.clientToServer.messages[0]?.type ?? "";
        const definitions = Object.fromEntries(types.map((type) => [type.name, type.schema]));
        const guard = (await importGuards(folder, definitions))(name);
        const builder = (await importText(folder, schemasText(definitions).text))[name] as object;
        const verdict = judge(schema);
        for (const value of [...drawn, ...Array.from({ length: 12 }, (_, seed) => near(schema, {}, seed))]) {
          const valid = verdict(value) === true;
          seen[valid ? "valid" : "invalid"] += 1;
          expect({ value, guard: guard(value), typebox: Value.Check(builder, value) }).toEqual({ value, guard: valid, typebox: valid });
        }
      }),
      { numRuns: Number(process.env["RUNS"] ?? 30), ...(process.env["SEED"] && { seed: Number(process.env["SEED"]) }) },
    );
    // Verdicts of one kind only would prove little.
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(5);
  });
});
