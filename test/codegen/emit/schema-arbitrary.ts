// Draws schemas, and values that are near them: some valid, some just not.
import fc from "fast-check";
import { ref } from "./emitted.ts";

type Drawn = boolean | { readonly [keyword: string]: unknown };

const names = ["A", "B", "C"];
const keys = ["a", "b", "c d", "é", "0"];
const texts = ["", "a", "b", "ab", "abc", "2020-01-01", "😀", "x y", "10", "12:00:00Z", "a@b.example", "::1", "/a"];
const numbers = [0, 1, 2, 3, 10, -1, 1.5, -2.5, 3e12, -7e15, 0.125];
/** Such as JavaScript and AJV agree on. */
const formats = ["date", "time", "email", "ipv6", "json-pointer", "int32", "double", "password"];

const key = fc.constantFrom(...keys);
const scalar = fc.oneof(fc.constantFrom(...texts), fc.constantFrom(...numbers), fc.boolean(), fc.constant(null));
const small = fc.nat({ max: 3 });

/** JSON values of the words that drawn schemas use. */
export const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const record = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(model, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Record<string, unknown>>;
const typed = (type: string, rest: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Drawn> =>
  rest.map((keywords) => ({ type, ...keywords }));
const maybe = <T>(arbitrary: fc.Arbitrary<T>, weight = 3): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: weight });

const { schema, leaf } = fc.letrec<{ schema: Drawn; leaf: Drawn; map: Record<string, Drawn>; list: readonly Drawn[] }>((tie) => ({
  leaf: fc.oneof(
    typed("string", record({ minLength: small, maxLength: small, pattern: fc.constantFrom("^a", "b$", "^[\\w-\\.]*$", "\\d+") })),
    typed("string", record({ format: fc.constantFrom(...formats), maxLength: small })),
    typed("number", record({ minimum: small, maximum: small, exclusiveMinimum: small, multipleOf: fc.constantFrom(1, 2, 3, 0.5, 1e6) })),
    typed(
      "number",
      record({
        minimum: fc.constantFrom(-3, -1e9, 1e9),
        exclusiveMaximum: fc.constantFrom(-1, 0.5, 1e18),
        format: fc.constantFrom(...formats),
      }),
    ),
    typed("integer", record({ minimum: small, exclusiveMaximum: small, description: fc.constant("A */ number") })),
    fc.constantFrom<Drawn>(
      { type: "boolean" },
      { type: "null" },
      { type: ["string", "null"] },
      { type: ["integer", "string"] },
      true,
      false,
      {},
    ),
    scalar.map((value) => ({ const: value })),
    values.map((value) => ({ const: value })),
    fc.uniqueArray(scalar, { minLength: 1, maxLength: 11 }).map((items) => ({ enum: items })),
    fc.uniqueArray(values, { minLength: 1, maxLength: 4, selector: (value) => JSON.stringify(value) }).map((items) => ({ enum: items })),
    fc
      .tuple(fc.constantFrom("string", "number", "object"), fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }))
      .map(([type, items]) => ({ type, enum: items })),
  ),
  map: fc.dictionary(key, tie("schema"), { maxKeys: 3, noNullPrototype: true }),
  list: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }),
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie("leaf"),
    { weight: 3, arbitrary: objects(tie) },
    arrays(tie),
    fc
      .tuple(fc.constantFrom("anyOf", "oneOf", "allOf"), tie("list"), maybe(objects(tie), 2))
      .map(([combine, list, own]) => ({ ...Object(own), [combine]: list })),
    fc.tuple(tie("schema"), tie("schema"), maybe(tie("schema"))).map(([not, condition, otherwise]) =>
      Object.fromEntries([
        ["not", not],
        ["if", condition],
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        ["then", not],
        ["else", otherwise ?? true],
      ]),
    ),
    record({ minLength: small, minimum: small, minItems: small, minProperties: small }),
    // What stands in place must not lead back.
    fc.tuple(fc.constantFrom("Base", "Other"), objects(tie)).map(([base, own]) => ({ allOf: [ref(base), own] })),
    fc.tuple(fc.constantFrom("Base", "Other"), objects(tie)).map(([base, own]) => ({ ...Object(own), allOf: [ref(base)] })),
    fc.constantFrom("anyOf", "oneOf", "allOf").map((combine) => ({ [combine]: [ref("Base"), ref("Other")] })),
    fc.constantFrom("Base", "Other").map((base) => ({ oneOf: [ref(base), { type: "null" }] })),
    // Through a property or an item, so that recursion makes progress.
    fc.constantFrom(...names).map((name) => ({ type: "object", properties: { a: ref(name) }, additionalProperties: ref(name) })),
    fc.constantFrom(...names).map((name) => ({ type: "array", items: ref(name) })),
  ),
}));

function objects(tie: fc.LetrecTypedTie<{ schema: Drawn; map: Record<string, Drawn> }>): fc.Arbitrary<Drawn> {
  const rest = record({
    properties: tie("map"),
    required: fc.uniqueArray(key, { maxLength: 2 }),
    additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
    patternProperties: fc.dictionary(fc.constantFrom("^a", "b$", ".*"), tie("schema"), { maxKeys: 2, noNullPrototype: true }),
    minProperties: small,
    propertyNames: fc.constantFrom({ maxLength: 1 }, { pattern: "^[a-c]" }),
    dependencies: fc.dictionary(key, fc.uniqueArray(key, { minLength: 1, maxLength: 2 }), { maxKeys: 1, noNullPrototype: true }),
  });
  const plain = fc.record(
    { properties: tie("map"), required: fc.constant([]), additionalProperties: fc.constant(false) },
    { requiredKeys: ["properties"] },
  );
  return fc.oneof(
    typed("object", rest),
    typed(
      "object",
      plain.map((keywords) => ({ ...keywords, required: Object.keys(keywords.properties).slice(0, 1) })),
    ),
    rest,
  );
}

function arrays(tie: fc.LetrecTypedTie<{ schema: Drawn; list: readonly Drawn[] }>): fc.Arbitrary<Drawn> {
  // AJV is wrong about `contains` and about `uniqueItems` beside tuples: those have tests of their own.
  const rest = record({ minItems: small, maxItems: small, uniqueItems: fc.boolean() });
  const items = fc.oneof(tie("schema"), tie("list"));
  return fc.tuple(items, fc.oneof(fc.boolean(), tie("schema")), rest).map(([held, additional, keywords]) => ({
    type: "array",
    items: held,
    ...keywords,
    ...(Array.isArray(held) && { additionalItems: additional, uniqueItems: false }),
  }));
}

/** An object whose properties have no refs. */
const base = fc.record(
  {
    type: fc.constant("object"),
    properties: fc.dictionary(key, leaf, { maxKeys: 3, noNullPrototype: true }),
    required: fc.uniqueArray(key, { maxLength: 2 }),
    additionalProperties: fc.oneof(fc.boolean(), leaf),
  },
  { requiredKeys: ["type", "properties"], noNullPrototype: true },
);

/** Three types that refer to each other, and two that they are made of. */
export const definitions: fc.Arbitrary<Readonly<Record<string, Drawn>>> = fc.record(
  { A: schema, B: schema, C: schema, Base: base, Other: base },
  { noNullPrototype: true },
);

/** A value that tries to be what a schema wants; `seed` decides where it has a choice. */
export function near(wanted: unknown, types: Readonly<Record<string, unknown>>, seed: number, depth = 0): unknown {
  if (typeof wanted !== "object" || wanted === null || depth > 4) return texts[seed % texts.length];
  const {
    $ref,
    type,
    properties,
    required,
    items,
    enum: allowed,
    anyOf,
    oneOf,
    allOf,
    additionalProperties,
  } = wanted as Record<string, unknown>;
  const inner = (schema: unknown, salt: number): unknown => near(schema, types, seed * 31 + salt, depth + 1);
  if (typeof $ref === "string") return inner(types[$ref.slice("#/definitions/".length)], 1);
  if ("const" in wanted) return (wanted as { const: unknown }).const;
  if (Array.isArray(allowed)) return allowed[seed % allowed.length];
  const first = Array.isArray(type) ? type[seed % type.length] : type;
  if (first === "object" || properties !== undefined) {
    const all = Object.entries(Object(properties) as Record<string, unknown>).filter(
      ([name], index) => (Array.isArray(required) && required.includes(name)) || (seed + index) % 2 === 0,
    );
    const extra = additionalProperties !== false && seed % 3 === 0 ? [["c d", inner(additionalProperties, 7)] as const] : [];
    return Object.fromEntries([...all.map(([name, held], index) => [name, inner(held, index)] as const), ...extra]);
  }
  if (first === "array")
    return Array.isArray(items) ? items.map(inner) : Array.from({ length: seed % 4 }, (_, index) => inner(items, index));
  if (first === "string") return texts[seed % texts.length];
  if (first === "number" || first === "integer") return numbers[seed % numbers.length];
  if (first === "boolean") return seed % 2 === 0;
  if (first === "null") return null;
  const list = anyOf ?? oneOf ?? allOf;
  return Array.isArray(list) ? inner(list[seed % list.length], 3) : numbers[seed % numbers.length];
}
