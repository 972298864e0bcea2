import { expect, test } from "vitest";
import { document3, endpointOf, modelled, modelOf, typeOf } from "./modelled.ts";

/** The normalised payload, and what was said about it. */
async function normalised(payload: unknown, schemas: object = {}) {
  const { model, lines, diagnostics } = await modelled(document3({ receives: { a: payload }, extra: { components: { schemas } } }));
  if (model === undefined) throw new Error(lines.join("\n"));
  return { model, schema: typeOf(model, endpointOf(model).clientToServer.messages[0]!.type).schema, lines, diagnostics };
}

test.each([
  ["nullable", { type: "string", nullable: true }, { type: ["string", "null"] }],
  ["nullable enum", { type: "string", enum: ["a"], nullable: true }, { type: ["string", "null"], enum: ["a", null] }],
  [
    "nullable without a type",
    { description: "d", nullable: true, oneOf: [{ type: "string" }] },
    { description: "d", anyOf: [{ oneOf: [{ type: "string" }] }, { type: "null" }] },
  ],
  ["example", { type: "string", example: "x" }, { type: "string", examples: ["x"] }],
  ["stray identifiers", { $id: "a", id: "b", $schema: "c", $anchor: "d", $comment: "e", type: "string" }, { type: "string" }],
  ["extensions", { type: "string", "x-order": 1 }, { type: "string" }],
  [
    "prefixItems",
    { type: "array", prefixItems: [{ type: "string" }], items: false },
    { type: "array", items: [{ type: "string" }], additionalItems: false },
  ],
  ["dependentRequired", { dependentRequired: { a: ["b"] } }, { dependencies: { a: ["b"] } }],
  ["dependentSchemas", { dependentSchemas: { a: { type: "object" } } }, { dependencies: { a: { type: "object" } } }],
  ["draft-04 bounds", { minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false }, { exclusiveMinimum: 1, maximum: 9 }],
  ["one-value enums", { enum: ["a"] }, { enum: ["a"] }],
  ["repeated names", { required: ["a", "a"], enum: [{}, {}] }, { required: ["a"], enum: [{}] }],
  [
    "data that looks like schemas",
    { const: { $ref: "#/x", nullable: true }, default: { id: 1 } },
    { const: { $ref: "#/x", nullable: true }, default: { id: 1 } },
  ],
  [
    "properties named like keywords",
    { properties: { id: true, nullable: { type: "null" }, $ref: { type: "string" } } },
    { properties: { id: true, nullable: { type: "null" }, $ref: { type: "string" } } },
  ],
  ["booleans", true, true],
])("%s", async (_name, payload, expected) => {
  const { schema, lines } = await normalised(payload);
  expect(schema).toEqual(expected);
  expect(lines.filter((line) => line.includes("schema"))).toEqual([]);
});

test("a property called __proto__ stays one", async () => {
  const { schema } = await normalised(JSON.parse('{ "type": "object", "properties": { "__proto__": { "type": "string" } } }'));
  expect(JSON.stringify(schema)).toBe('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
});

test("referenced schemas become types, inline ones stay where they are, chains of refs keep their names", async () => {
  const { model, schema } = await normalised(
    { type: "object", properties: { user: { $ref: "#/components/schemas/user" }, inline: { type: "object" } } },
    {
      user: { $ref: "#/components/schemas/Person" },
      Person: { type: "object", properties: { friend: { $ref: "#/components/schemas/Person" } } },
      Unused: {},
    },
  );
  expect(schema).toEqual({ type: "object", properties: { user: { $ref: "#/definitions/User" }, inline: { type: "object" } } });
  expect(model.types.map(({ name, guard, pointer }) => [name, guard, pointer])).toEqual([
    ["AMessage", true, "/channels/main/messages/a/payload"],
    ["User", false, "/components/schemas/user"],
    ["Person", false, "/components/schemas/Person"],
  ]);
  expect(typeOf(model, "User").schema).toEqual({ $ref: "#/definitions/Person" });
  expect(typeOf(model, "Person").schema).toEqual({ type: "object", properties: { friend: { $ref: "#/definitions/Person" } } });
});

test("a payload that is only a ref has that schema's type, and its message's prose where it has none", async () => {
  const model = await modelOf(
    document3({
      extra: {
        components: {
          messages: { m: { summary: "Says it.", payload: { $ref: "#/components/schemas/Thing" } } },
          schemas: { Thing: { type: "object" } },
        },
      },
      channel: { messages: { m: { $ref: "#/components/messages/m" } } },
      receives: { m: {} },
    }),
  );
  expect(endpointOf(model).clientToServer.messages).toMatchObject([{ name: "m", type: "Thing" }]);
  expect(typeOf(model, "Thing").docs).toEqual({ summary: "Says it." });
});

test("keywords beside $ref are dropped with a warning, prose quietly kept", async () => {
  const { schema, lines } = await normalised(
    {
      properties: {
        a: { $ref: "#/components/schemas/B", description: "the a", nullable: true },
        b: { $ref: "#/components/schemas/B", title: "b", examples: [1] },
      },
    },
    { B: {} },
  );
  expect(schema).toEqual({
    properties: { a: { $ref: "#/definitions/B", description: "the a" }, b: { $ref: "#/definitions/B", title: "b" } },
  });
  expect(lines.filter((line) => line.includes("ref-siblings"))).toEqual([
    "warning ref-siblings 24:17 `nullable` beside `$ref` is ignored, as draft-07 says.",
  ]);
});

test.each([
  [
    "a misspelt keyword",
    { propertes: {} },
    {},
    "warning unknown-keyword",
    "`propertes` is no keyword of JSON Schema; it is ignored.",
    "Did you mean `properties`?",
  ],
  [
    "a type of another language",
    { type: "int" },
    {},
    "warning schema-type",
    '"int" is no type of JSON Schema; any type is let through here.',
    "Did you mean `integer`?",
  ],
  [
    "required on a property",
    { required: true },
    {},
    "warning schema-keyword",
    "`required` must be a list of property names, this is a boolean; it is ignored.",
    "List the names",
  ],
  [
    "an empty enum",
    { enum: [] },
    {},
    "warning schema-keyword",
    "`enum` must be a list with at least one value, this is an empty list; it is ignored.",
    "Write a list",
  ],
  [
    "no schema",
    { items: 1 },
    {},
    "warning schema-keyword",
    "`items` must be a schema or a list of them, this is a number; it is ignored.",
    "Write",
  ],
  [
    "a keyword of 2019-09",
    { unevaluatedProperties: false },
    {},
    "warning schema-keyword",
    "`unevaluatedProperties` is no keyword of draft-07, which AsyncAPI's schemas are; it is not checked.",
    "additionalProperties",
  ],
])("%s is a located warning", async (_name, payload, expected, start, message, fix) => {
  const { schema, lines, diagnostics } = await normalised(payload);
  expect(schema).toEqual(expected);
  const [line] = lines.filter((candidate) => candidate.startsWith(start));
  expect(line).toMatch(/ \d+:\d+ /);
  expect(line).toContain(message);
  expect(diagnostics.find((found) => found.message === message)?.fix).toContain(fix);
});

test("a discriminator adds constants where alternatives leave the property open, and nothing where they have them", async () => {
  const member = (type: object) => ({ type: "object", required: ["kind"], properties: { kind: type } });
  const oneOf = [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }];
  const open = await normalised({ discriminator: "kind", oneOf }, { Cat: member({ type: "string" }), Dog: member({ type: "string" }) });
  expect(open.schema).toMatchObject({
    oneOf: [
      { allOf: [{ $ref: "#/definitions/Cat" }, { required: ["kind"], properties: { kind: { const: "Cat" } } }] },
      { allOf: [{}, { properties: { kind: { const: "Dog" } } }] },
    ],
  });
  const fixed = await normalised({ discriminator: "kind", oneOf }, { Cat: member({ const: "cat" }), Dog: member({ const: "dog" }) });
  expect(fixed.schema).toEqual({ oneOf: [{ $ref: "#/definitions/Cat" }, { $ref: "#/definitions/Dog" }] });
  const missing = await normalised({ discriminator: "kind", oneOf }, { Cat: member({ type: "string" }), Dog: {} });
  expect(missing.schema).toEqual(fixed.schema);
  expect(missing.lines).toContainEqual(expect.stringContaining("hint discriminator"));
});

test.each([
  ["itself", { A: { allOf: [{ $ref: "#/components/schemas/A" }] } }, "The schema `A` is defined by itself"],
  [
    "its children",
    { A: { oneOf: [{ $ref: "#/components/schemas/B" }] }, B: { allOf: [{ $ref: "#/components/schemas/A" }] } },
    "The schemas `A` → `B` → `A` are defined by each other",
  ],
])("a schema that is defined by %s without getting smaller is an error", async (_name, schemas, message) => {
  const { model, diagnostics } = await modelled(
    document3({ receives: { a: { $ref: "#/components/schemas/A" } }, extra: { components: { schemas } } }),
  );
  expect(model).toBeUndefined();
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors).toMatchObject([{ code: "endless-schema", position: { column: 7 } }]);
  expect(errors[0]?.message).toContain(message);
});

test("recursion through properties, items and maps is fine", async () => {
  const self = { $ref: "#/components/schemas/A" };
  const { lines } = await normalised(self, {
    A: { properties: { a: self }, items: self, additionalProperties: { anyOf: [self, { type: "null" }] } },
  });
  expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
});

test.each(["application/vnd.apache.avro;version=1.9.0", "application/vnd.google.protobuf;version=3", "application/raml+yaml;version=1.0"])(
  "payloads in %s are not supported yet: a warning, and any value",
  async (schemaFormat) => {
    const { schema, lines } = await normalised({ schemaFormat, schema: { type: "record" } });
    expect(schema).toBe(true);
    expect(lines).toContainEqual(expect.stringMatching(/^warning schema-format \d+:\d+ Payloads in (Avro|Protobuf|RAML) /));
  },
);

test("a payload in another dialect of JSON Schema is read", async () => {
  const { schema } = await normalised({
    schemaFormat: "application/vnd.oai.openapi+json;version=3.0.0",
    schema: { type: "string", nullable: true },
  });
  expect(schema).toEqual({ type: ["string", "null"] });
});

test("what is required and, undeclared in a closed object, forbidden is warned about with what was meant", async () => {
  const closed = (rest: object) => ({ type: "object", required: ["type", "nam"], properties: { type: {}, name: {} }, ...rest });
  const impossible = async (payload: object) => {
    const { diagnostics } = await modelled(document3({ receives: { a: payload } }));
    return diagnostics.filter(({ code }) => code === "required-undeclared");
  };
  expect(await impossible(closed({ additionalProperties: false }))).toMatchObject([
    { severity: "warning", fix: "Did you mean `name`?", position: { line: 23, column: 15 } },
  ]);
  expect(await impossible(closed({}))).toEqual([]);
  expect(await impossible(closed({ additionalProperties: false, patternProperties: { "^n": {} } }))).toEqual([]);
});

test("a payload that means objects without saying so is a hint, wherever the rest of it stands", async () => {
  const hints = async (payload: unknown, schemas: object = {}) =>
    (await normalised(payload, schemas)).diagnostics
      .filter(({ code }) => code === "type-meant")
      .map(({ message, fix }) => `${message} ${fix}`);
  expect(await hints({ properties: { a: { type: "string" } } })).toEqual([
    "The payload of `a` means an object and does not say so: `5` and `null` are valid too, though its type has no room for them. Write `type: object`.",
  ]);
  const base = { $ref: "#/components/schemas/Base" };
  expect(await hints({ allOf: [base, { required: ["b"] }] }, { Base: { properties: { a: { type: "string" } } } })).toHaveLength(1);
  expect(await hints({ allOf: [base, { properties: { b: {} } }] }, { Base: { type: "object" } })).toEqual([]);
  expect(await hints({})).toEqual([]);
});

test.each([
  ["by their names", "Cat"],
  ["by refs", "#/components/schemas/Cat"],
  ["by refs of another file", "./animals.yaml#/components/schemas/Cat"],
])("a discriminator's mapping names schemas %s, and one of them more than once", async (_, target) => {
  const animal = { type: "object", required: ["kind"], properties: { kind: { type: "string" } } };
  const { schema } = await normalised(
    {
      oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }],
      discriminator: { propertyName: "kind", mapping: { feline: target, kitten: target } },
    },
    { Cat: animal, Dog: animal },
  );
  const tagged = (tag: object) => [expect.anything(), { type: "object", required: ["kind"], properties: { kind: tag } }];
  expect(schema).toMatchObject({ oneOf: [{ allOf: tagged({ enum: ["feline", "kitten"] }) }, { allOf: tagged({ const: "Dog" }) }] });
});

test("a mapping says what stands for schemas that extend the one with the discriminator, and not who lists them again", async () => {
  const discriminator = { propertyName: "kind", mapping: { feline: "Cat", kitten: "#/components/schemas/Cat" } };
  const Pet = { type: "object", discriminator, required: ["kind"], properties: { kind: { type: "string" } } };
  const heir = { allOf: [{ $ref: "#/components/schemas/Pet" }, { type: "object", properties: { age: { type: "integer" } } }] };
  const payload = { discriminator: "kind", oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }] };
  const { model } = await modelled(
    document3({ receives: { m: payload }, extra: { components: { schemas: { Pet, Cat: heir, Dog: heir } } } }),
  );
  const tagged = (tag: object) => ({ allOf: [{ $ref: "#/definitions/Pet" }, { required: ["kind"], properties: { kind: tag } }] });
  expect(typeOf(model!, "Cat").schema).toMatchObject(tagged({ enum: ["feline", "kitten"] }));
  expect(typeOf(model!, "Dog").schema).toMatchObject(tagged({ const: "Dog" }));
  expect(typeOf(model!, "MMessage").schema).toEqual({ oneOf: [{ $ref: "#/definitions/Cat" }, { $ref: "#/definitions/Dog" }] });
});

test("a message where a schema should be is said, for it accepts everything", async () => {
  const { lines } = await modelled(document3({ receives: { m: { summary: "M", payload: { type: "object" } } } }));
  expect(lines.filter((line) => line.includes("unknown-keyword"))).toEqual([
    expect.stringMatching(/^warning unknown-keyword \d+:\d+ `payload` is a keyword of messages and not of schemas/),
  ]);
});
