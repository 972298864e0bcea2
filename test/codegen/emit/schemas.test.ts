import { rmSync } from "node:fs";
import Type from "typebox";
import { Value } from "typebox/value";
import { afterAll, describe, expect, it } from "vitest";
import { importText, ref, schemasText, temporaryFolder } from "./emitted.ts";

/** The builder of one schema. */
const builderOf = (schema: unknown): string => /export const X = ([\s\S]*);$/.exec(schemasText({ X: schema }).text)?.[1] ?? "";

describe("schemas.ts", () => {
  it("has the bounds of a number's format, which TypeBox does not look at, and no format that guards do not check", () => {
    expect(builderOf({ type: "integer", format: "int32", minimum: 0 })).toBe(
      'Type.Integer({ format: "int32", minimum: 0, maximum: 2147483647 })',
    );
    expect(builderOf({ type: "number", format: "int64" })).toBe('Type.Number({ format: "int64", multipleOf: 1 })');
    expect(builderOf({ type: "string", format: "idn-email" })).toBe("Type.String()");
  });

  it("builds each type under its name, what it consists of first", () => {
    const { text, unsafe } = schemasText({
      Page: {
        type: "object",
        description: "What was said.",
        additionalProperties: false,
        required: ["type", "posts"],
        properties: {
          type: { const: "page" },
          posts: { type: "array", maxItems: 100, items: ref("Post") },
          next: { type: ["string", "null"], minLength: 1 },
        },
      },
      Post: {
        type: "object",
        required: ["id"],
        properties: { id: { type: "string", format: "uuid" }, at: { type: "integer", minimum: 0, default: 0 } },
      },
    });
    expect(text).toBe(`import { Type } from "typebox";

export const Post = Type.Object({
  id: Type.String({ format: "uuid" }),
  at: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
});

export const Page = Type.Object(
  {
    type: Type.Literal("page"),
    posts: Type.Array(Post, { maxItems: 100 }),
    next: Type.Optional(Type.Union([Type.String({ minLength: 1 }), Type.Null()])),
  },
  { description: "What was said.", additionalProperties: false },
);`);
    expect(unsafe).toBe(0);
  });

  it.each([
    ["nothing", {}, "Type.Unknown()"],
    ["false", false, "Type.Never()"],
    ["an enum", { type: "string", enum: ["a", "b"] }, 'Type.Enum(["a", "b"])'],
    ["an enum with null", { enum: ["a", null, true] }, 'Type.Union([Type.Literal("a"), Type.Null(), Type.Literal(true)])'],
    [
      "a tuple",
      { type: "array", items: [{ type: "string" }, {}], minItems: 2, maxItems: 2 },
      "Type.Tuple([Type.String(), Type.Unknown()])",
    ],
    ["any object", { type: "object" }, "Type.Record(Type.String(), Type.Unknown())"],
    ["a union", { anyOf: [{ type: "string" }, { type: "null" }] }, "Type.Union([Type.String(), Type.Null()])"],
    ["alternatives that exclude each other", { oneOf: [{ type: "string" }, { type: "null" }] }, "Type.Union([Type.String(), Type.Null()])"],
    [
      "a pattern that only works without Unicode",
      { type: "string", pattern: "^[\\w-\\.]$" },
      'Type.String({ pattern: new RegExp("^[\\\\w-\\\\.]$") })',
    ],
  ])("says %s in TypeBox's words", (_, schema, expected) => {
    expect(builderOf(schema)).toBe(expected);
    expect(schemasText({ X: schema }).unsafe).toBe(0);
  });

  it.each([
    [
      "a map",
      { type: "object", additionalProperties: { type: "number" } },
      'Type.Unsafe<XType>({ type: "object", additionalProperties: { type: "number" } })',
    ],
    [
      "alternatives that overlap",
      { oneOf: [{ type: "string" }, { const: "a" }] },
      'Type.Unsafe<XType>({ oneOf: [{ type: "string" }, { const: "a" }] })',
    ],
    ["not", { not: { type: "string" } }, 'Type.Unsafe<XType>({ not: { type: "string" } })'],
    ["keywords without a type", { minLength: 1 }, "Type.Unsafe<XType>({ minLength: 1 })"],
    ["properties of any kind of value", { properties: { a: {} } }, "Type.Unsafe<XType>({ properties: { a: {} } })"],
  ])("takes the type of types.ts for %s, and counts it", (_, schema, expected) => {
    expect(builderOf(schema)).toBe(expected);
    expect(schemasText({ X: schema }).unsafe).toBe(1);
  });

  it("keeps what it can say around what it cannot", () => {
    const { text } = schemasText({
      X: { type: "object", properties: { names: { type: "object", additionalProperties: ref("Y") } } },
      Y: { type: "string" },
    });
    expect(text).toBe(`import { Type } from "typebox";
import type { Y as YType } from "./types.js";

export const Y = Type.String();

export const X = Type.Object({
  names: Type.Optional(Type.Unsafe<{ [key: string]: YType }>({ type: "object", additionalProperties: Y })),
});`);
  });

  it("intersects what allOf lists, also where only one part says that it is an object", () => {
    const own = { properties: { b: { type: "string" } } };
    const { text, unsafe } = schemasText({
      X: { type: "object", allOf: [ref("A"), own, { description: "x" }] },
      A: { type: "object", properties: { a: {} } },
    });
    expect(unsafe).toBe(0);
    expect(text).toContain("export const X = Type.Intersect([A, Type.Object({ b: Type.Optional(Type.String()) })]);");
    expect(schemasText({ X: { allOf: [own, own] } }).unsafe).toBe(1);
  });

  describe("at run time", () => {
    const folder = temporaryFolder();
    afterAll(() => rmSync(folder, { recursive: true }));

    it("checks types that contain themselves and each other, also inside others, and composes", async () => {
      const { text, unsafe } = schemasText({
        Forest: { type: "object", required: ["trees"], properties: { trees: { type: "array", items: ref("Tree") }, left: ref("Left") } },
        Tree: {
          type: "object",
          required: ["leaf"],
          properties: { leaf: { type: "string" }, trees: { type: "array", items: ref("Tree") } },
        },
        Left: { type: "object", properties: { right: ref("Right") } },
        Right: { type: "object", properties: { left: ref("Left"), name: { type: "string" } } },
      });
      expect(text).toContain('Type.Cyclic(cycleOfLeft, "Right")');
      expect(unsafe).toBe(3);
      const { Forest, Right } = await importText(folder, text);
      const tree = { leaf: "a", trees: [{ leaf: "b" }] };
      expect(Value.Check(Forest as object, { trees: [tree], left: { right: { name: "x", left: {} } } })).toBe(true);
      expect(Value.Check(Forest as object, { trees: [{ ...tree, trees: [{ leaf: 1 }] }] })).toBe(false);
      expect(Value.Check(Right as object, { left: { right: { name: 1 } } })).toBe(false);
      expect(Value.Check(Type.Partial(Forest as ReturnType<typeof Type.Object>), {})).toBe(true);
    });
  });
});
