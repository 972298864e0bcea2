// Payloads in the dialects that documents use: draws them, writes documents of them, and says with AJV which values they allow as they are written.
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";

export type Schema = boolean | { readonly [keyword: string]: unknown };

/** What a document consists of here: schemas under `components`, and the payloads of its messages, which refer to them. */
export interface Drawn {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly payloads: Readonly<Record<string, Schema>>;
}

export interface Dialect {
  readonly format: string;
  readonly documents: fc.Arbitrary<Drawn>;
  /** The schemas of a document in words that AJV (and whoever draws values) knows, by name; refs lead to `#/definitions/…`. */
  translate(drawn: Drawn): Readonly<Record<string, Schema>>;
  compile(definitions: Readonly<Record<string, Schema>>, name: string): (value: unknown) => boolean;
}

const texts = ["", "a", "ab", "b", "Cat", "Dog", "feline"];
const numbers = [0, 1, 2, 3, 1.5, -2];
const scalar = fc.oneof(fc.constantFrom(...texts), fc.constantFrom(...numbers), fc.boolean(), fc.constant(null));
const key = fc.constantFrom("a", "b", "kind");

/** JSON values of the words that drawn documents use. */
export const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
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
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** Documents of one dialect: what all have, and what is its own. */
function documents(dialect: {
  readonly own: (inner: fc.Arbitrary<Schema>) => fc.Arbitrary<Schema>;
  /** Keywords that may stand in any schema with a type. */
  readonly also: Record<string, fc.Arbitrary<unknown>>;
  readonly discriminators: fc.Arbitrary<unknown>;
}): fc.Arbitrary<Drawn> {
  const { also } = dialect;
  const { schema, object } = fc.letrec<{ schema: Schema; object: Schema }>((tie) => ({
    object: withAll(
      { type: "object" },
      some<unknown>({
        properties: fc.dictionary(key, tie("schema"), { maxKeys: 3, noNullPrototype: true }),
        required: fc.uniqueArray(key, { maxLength: 2 }),
        additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
        patternProperties: fc.dictionary(fc.constantFrom("^a", "d$"), tie("schema"), { maxKeys: 1, noNullPrototype: true }),
        ...also,
      }),
    ),
    schema: fc.oneof(
      { maxDepth: 3 },
      withAll({ type: "string" }, some<unknown>({ minLength: small, enum: fc.constant(["a", "ab"]), ...also })),
      withAll({ type: "integer" }, some<unknown>({ minimum: small, maximum: small, ...also })),
      scalar.map((value) => ({ enum: [value, "ab"] })),
      tie("object"),
      withAll({ type: "array" }, some<unknown>({ items: tie("schema"), maxItems: small, ...also })),
      fc
        .array(tie("schema"), { minLength: 1, maxLength: 2 })
        .chain((list) => fc.constantFrom("anyOf", "oneOf", "allOf").map((word) => ({ [word]: list }))),
      dialect.own(tie("schema")),
      tie("object").map((own) => ({ allOf: [ref("Cat"), own] })),
      // Guarded: what leads back stands in a property or an item.
      fc.constantFrom("Node", "List").map((name) => ({ type: "object", properties: { a: ref(name) }, additionalProperties: ref("Dog") })),
      fc.constantFrom("Node", "List").map((name) => ({ type: "array", items: ref(name) })),
      fc
        .tuple(fc.constantFrom("oneOf", "anyOf"), dialect.discriminators)
        .map(([word, discriminator]) => ({ [word]: [ref("Cat"), ref("Dog")], discriminator })),
    ),
  }));
  const animal = (name: string): fc.Arbitrary<Schema> =>
    fc.tuple(fc.constantFrom({ type: "boolean" }, { type: "string" }, {}), fc.boolean()).map(([held, required]) => ({
      type: "object",
      required: ["kind", ...(required ? [name === "Cat" ? "a" : "b"] : [])],
      properties: { kind: { type: "string" }, a: held },
    }));
  return fc.record(
    {
      schemas: fc.record({
        Cat: animal("Cat"),
        Dog: animal("Dog"),
        Node: object,
        List: withAll({ type: "array" }, some<unknown>({ items: schema })),
      }),
      payloads: fc.record({ m: fc.oneof(schema, fc.constant(ref("Node"))), n: schema }),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<Drawn>;
}

export const dialects: Readonly<Record<string, Dialect>> = {
  "AsyncAPI's own": {
    format: "application/vnd.aai.asyncapi+json;version=3.0.0",
    documents: documents({
      own: (inner) => fc.tuple(inner, inner).map(([first, second]) => ({ type: "array", items: [first, second], additionalItems: false })),
      also: { const: scalar },
      discriminators: fc.constant("kind"),
    }),
    ...judgedBy((options) => new Ajv(options), draft7),
  },
  "OpenAPI 3.0": {
    format: "application/vnd.oai.openapi+json;version=3.0.0",
    documents: documents({
      own: () =>
        fc.record({
          type: fc.constant("number"),
          minimum: small,
          exclusiveMinimum: fc.boolean(),
          maximum: small,
          exclusiveMaximum: fc.boolean(),
        }),
      also: { nullable: fc.boolean() },
      discriminators: withMapping(),
    }),
    ...judgedBy((options) => new Ajv(options), openApi30),
  },
  "OpenAPI 3.1": {
    format: "application/vnd.oai.openapi+json;version=3.1.0",
    documents: documents({
      own: (inner) =>
        fc.oneof(
          fc.uniqueArray(fc.constantFrom("string", "integer", "null", "boolean"), { minLength: 1, maxLength: 3 }).map((type) => ({ type })),
          inner.map((held) => ({ type: ["object", "null"], properties: { a: held }, required: ["a"] })),
          inner.map((held) => ({ type: ["array", "string"], items: held, minLength: 1 })),
        ),
      also: { const: scalar },
      discriminators: withMapping(),
    }),
    ...judgedBy((options) => new Ajv2020(options), draft7),
  },
  "JSON Schema 2020-12": {
    format: "application/schema+json;version=2020-12",
    documents: documents({
      own: (inner) =>
        fc.oneof(
          fc.tuple(inner, inner, inner).map(([first, second, rest]) => ({ type: "array", prefixItems: [first, second], items: rest })),
          fc.constant<Schema>({ type: "object", dependentRequired: { a: ["b"] } }),
          inner.map((then) => ({ type: "object", dependentSchemas: { kind: { properties: { a: then } } } })),
          inner.map((held) => ({ $defs: { Held: held }, type: "object", properties: { a: held } })),
        ),
      also: { const: scalar },
      discriminators: fc.constant("kind"),
    }),
    ...judgedBy((options) => new Ajv2020(options), draft7),
  },
};

/** OpenAPI's discriminator, whose mapping names schemas by a ref or by their name, some of them twice. */
function withMapping(): fc.Arbitrary<unknown> {
  const target = (name: string): fc.Arbitrary<string> => fc.constantFrom(name, `#/components/schemas/${name}`);
  const mapping = fc.oneof(
    fc.record({ feline: target("Cat") }),
    fc.record({ feline: target("Cat"), Dog: target("Dog") }),
    fc.record({ a: target("Dog"), ab: target("Dog"), feline: target("Cat") }),
  );
  return fc.record({ propertyName: fc.constant("kind"), mapping }, { requiredKeys: ["propertyName"], noNullPrototype: true });
}

function judgedBy(
  create: (options: object) => Ajv,
  translation: (schema: Record<string, unknown>) => Schema,
): Pick<Dialect, "translate" | "compile"> {
  return {
    translate: ({ schemas, payloads }) =>
      Object.fromEntries(Object.entries({ ...schemas, ...payloads }).map(([name, schema]) => [name, everywhere(schema, translation)])),
    compile: (definitions, name) => {
      const judge = create({ strict: false, logger: false, validateSchema: false, discriminator: false });
      return judge.compile({ definitions, $ref: `#/definitions/${name}` });
    },
  };
}

/** A schema with every schema in it translated, inner ones first. */
function everywhere(schema: Schema, translation: (schema: Record<string, unknown>) => Schema): Schema {
  if (typeof schema === "boolean") return schema;
  const inner = (held: unknown): unknown => everywhere(held as Schema, translation);
  const translated = Object.entries(schema).map(([word, held]) => {
    if (["properties", "patternProperties", "dependentSchemas", "$defs"].includes(word))
      return [word, Object.fromEntries(Object.entries(held as object).map(([name, one]) => [name, inner(one)]))];
    if (["allOf", "anyOf", "oneOf", "prefixItems"].includes(word)) return [word, (held as unknown[]).map(inner)];
    if (word === "items") return [word, Array.isArray(held) ? held.map(inner) : inner(held)];
    return [word, word === "additionalProperties" ? inner(held) : held];
  });
  return translation(Object.fromEntries(translated) as Record<string, unknown>);
}

/** Refs where AJV finds them, and discriminators as the constants that they stand for. */
function draft7({ $ref, discriminator, ...schema }: Record<string, unknown>): Schema {
  if (typeof $ref === "string") return { $ref: $ref.replace("#/components/schemas/", "#/definitions/") };
  if (discriminator === undefined) return schema;
  const { mapping = {} } = Object(discriminator) as { mapping?: Record<string, string> };
  const word = "oneOf" in schema ? "oneOf" : "anyOf";
  const tagged = ["Cat", "Dog"].map((name) => {
    const mapped = Object.keys(mapping).filter((tag) => mapping[tag]?.endsWith(name));
    const tags = mapped.length === 0 ? [name] : mapped;
    return { allOf: [{ $ref: `#/definitions/${name}` }, { required: ["kind"], properties: { kind: { enum: tags } } }] };
  });
  return { ...schema, [word]: tagged };
}

/** OpenAPI 3.0 in the words of draft-07. */
function openApi30({ nullable, exclusiveMinimum, exclusiveMaximum, ...rest }: Record<string, unknown>): Schema {
  return draft7({
    ...rest,
    ...(exclusiveMinimum === true && { exclusiveMinimum: rest["minimum"] }),
    ...(exclusiveMaximum === true && { exclusiveMaximum: rest["maximum"] }),
    ...(nullable === true && { type: [rest["type"], "null"], ...(Array.isArray(rest["enum"]) && { enum: [...rest["enum"], null] }) }),
  });
}

/** A document whose messages have these payloads, in the words of the dialect; each has a channel of its own, so that no constant is required to tell them apart. */
export function documentOf({ schemas, payloads }: Drawn, { format }: Dialect): string {
  const channels = Object.entries(payloads).map(([name, schema]) => [
    name,
    { address: `/${name}`, messages: { [name]: { contentType: "application/json", payload: { schemaFormat: format, schema } } } },
  ]);
  const operations = Object.keys(payloads).map((name) => [name, { action: "receive", channel: { $ref: `#/channels/${name}` } }]);
  return JSON.stringify({
    asyncapi: "3.0.0",
    info: { title: "T", version: "1.0.0" },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: { schemas },
    "x-wsgen": { perspective: "server" },
  });
}
