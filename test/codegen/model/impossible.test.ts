import { expect, test } from "vitest";
import { document3, modelled } from "./modelled.ts";

const base = { $ref: "#/components/schemas/Base" };

/** What is said about a message nobody can send. */
async function reasons(payload: object, schemas: object = {}): Promise<(string | undefined)[]> {
  const { diagnostics } = await modelled(document3({ receives: { a: payload }, extra: { components: { schemas } } }));
  return diagnostics
    .filter(({ code }) => code === "impossible-message")
    .map(({ message, position, severity }) =>
      position === undefined || severity !== "warning" ? "unlocated" : /because (.*):/.exec(message)?.[1],
    );
}

test("a constant that is an object is not said to contradict itself", async () => {
  expect(await reasons({ type: "object", const: { op: "ping", args: [{ id: 1 }] } })).toEqual([]);
  expect(await reasons({ type: "object", enum: [{ op: "ping" }, { op: "pong" }] })).toEqual([]);
});

test.each([
  ["two types at once", { allOf: [{ type: "object" }, { type: "array" }] }, "it must be an object and an array at once"],
  ["a constant of another type", { type: "number", const: "a" }, 'it must be `"a"`, which `type: "number"` forbids'],
  ["a constant outside its enum", { const: "a", enum: ["b", "c"] }, 'it must be `"a"`, which `enum: ["b","c"]` forbids'],
  ["two different constants", { allOf: [{ const: "a" }, { const: "b" }] }, 'it must be several constants at once (`"a"`, `"b"`)'],
  [
    "constants of which none has the length",
    { type: "object", required: ["cmd"], properties: { cmd: { enum: ["subscribe", "unsubscribe"], maxLength: 5 } } },
    '`cmd` must be `"subscribe"`, `"unsubscribe"`, which `maxLength: 5` forbids',
  ],
  [
    "a required property that is forbidden, deep down",
    { type: "object", required: ["a"], properties: { a: { type: "object", required: ["b"], properties: { b: false } } } },
    "`a.b` is required and may not be there",
  ],
  [
    "a required property that another part forbids",
    { allOf: [base, { type: "object", required: ["b"], properties: { b: { type: "string" } } }] },
    "`b` is required and may not be there",
  ],
  [
    "two open alternatives",
    { oneOf: [{ description: "one" }, { title: "two" }] },
    "it always matches two alternatives of its `oneOf` and may match only one",
  ],
  ["alternatives that are all impossible", { anyOf: [{ type: "string", const: 1 }, { type: [], enum: [] }, false] }, undefined],
])("a message with %s is a warning that says why nobody can send it", async (_, payload, reason) => {
  const Base = { type: "object", properties: { a: { type: "string" } }, additionalProperties: false };
  expect(await reasons(payload, { Base })).toEqual(reason === undefined ? [] : [reason]);
});

test.each([
  ["an optional property that is impossible", { type: "object", properties: { a: false } }],
  ["one alternative of two that is possible", { oneOf: [{ type: "string", const: 1 }, { type: "object" }] }],
  ["a required property of an object that need not be one", { required: ["a"], properties: { a: false } }],
  ["a constant that its type allows", { type: ["integer", "string"], const: 1 }],
  ["numbers that are integers", { allOf: [{ type: "number" }, { type: "integer" }] }],
  ["properties that patterns name", { type: "object", required: ["ab"], additionalProperties: false, patternProperties: { "^a": {} } }],
  ["a recursive schema", { $ref: "#/components/schemas/Tree" }],
])("a message with %s is none", async (_, payload) => {
  const Tree = { type: "object", required: ["child"], properties: { child: { $ref: "#/components/schemas/Tree" } } };
  expect(await reasons(payload, { Tree })).toEqual([]);
});
