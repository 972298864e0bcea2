import { describe, expect, it } from "vitest";
import { processorTime } from "../../processor-time.mjs";
import { ref, typesText } from "./emitted.ts";

/** The type of one schema, without `export`. */
const typeOf = (schema: unknown, others: Readonly<Record<string, unknown>> = {}): string =>
  typesText({ X: schema, ...others })
    .split("\n\nexport ")[0]
    ?.replace(/^export /m, "") ?? "";

describe("types.ts", () => {
  it("opens up the object of an intersection that is longer than a line", () => {
    const properties = Object.fromEntries(["first", "second", "third"].map((name) => [`${name}Property`, { type: "string" }]));
    const open = { type: "object", additionalProperties: { type: "string" } };
    const text = typeOf({ allOf: [ref("Base"), { type: "object", properties }] }, { Base: open });
    const names = "firstProperty?: string; secondProperty?: string; thirdProperty?: string";
    expect(text).toBe(`type X = Base & { ${names} };`);
    const longer = { ...properties, fourthProperty: { type: "string" } };
    expect(typeOf({ allOf: [ref("Base"), { type: "object", properties: longer }] }, { Base: open })).toBe(
      `type X = Base & {\n  ${names.replaceAll("; ", ";\n  ")};\n  fourthProperty?: string;\n};`,
    );
  });

  it("says nothing twice: a title or a description that is the name, the default of a constant", () => {
    const schema = {
      type: "object",
      title: "ChatPayload",
      properties: {
        action: { const: "chat", default: "chat", description: "The action field." },
        at: { type: "string", description: "at property" },
        size: { type: "number", description: "Size (px)", default: 1 },
      },
    };
    expect(typesText({ ChatPayload: schema })).toBe(`export interface ChatPayload {
  action?: "chat";
  at?: string;
  /** Size (px). Default: 1. */
  size?: number;
}`);
  });

  it("extends an interface whose property it narrows, where that has a named type", () => {
    const base = { type: "object", required: ["command"], properties: { command: ref("Command") } };
    const own = { type: "object", properties: { command: { const: "reboot" } } };
    expect(typesText({ Base: base, Command: { type: "string", minLength: 1 }, Reboot: { allOf: [ref("Base"), own] } })).toContain(
      'export interface Reboot extends Base {\n  command: "reboot";\n}',
    );
  });

  it("spells objects out as interfaces, with the document's comments and what a type cannot show", () => {
    const schema = {
      type: "object",
      description: "Ask for what was said before.",
      required: ["type", "requestId"],
      properties: {
        type: { const: "history" },
        requestId: { type: "string", description: "Comes back in the answer." },
        before: { type: "string", format: "date-time", title: "Before" },
        limit: { type: "integer", minimum: 1, maximum: 100, default: 20 },
        cursor: { type: ["string", "null"], deprecated: true, title: "Where to go on" },
        "@id": { type: "string", description: "Two\nlines", default: "x" },
        tags: { type: "array", items: { enum: ["a", "b", 1, null] } },
      },
    };
    expect(typesText({ History: schema })).toBe(`/** Ask for what was said before. */
export interface History {
  type: "history";
  /** Comes back in the answer. */
  requestId: string;
  /** Format: date-time. */
  before?: string;
  /** From 1 to 100. Default: 20. */
  limit?: number;
  /**
   * Where to go on
   *
   * @deprecated
   */
  cursor?: string | null;
  /**
   * Two
   * lines
   *
   * Default: \`"x"\`.
   */
  "@id"?: string;
  tags?: ("a" | "b" | 1 | null)[];
}`);
  });

  it("prints in the model's order and lets types refer to each other and to themselves", () => {
    const tree = { type: "object", required: ["leaf"], properties: { leaf: ref("Leaf"), children: { type: "array", items: ref("Tree") } } };
    expect(typesText({ Tree: tree, Leaf: { type: "string" } })).toBe(`export interface Tree {
  leaf: Leaf;
  children?: Tree[];
}

export type Leaf = string;`);
  });

  it.each([
    ["a constant of another type", { type: "string", const: 1 }, "type X = never;"],
    ["a constant that its enum lacks", { const: "a", enum: ["b"] }, "type X = never;"],
    ["a list that would be longer than it may be", { type: "array", items: [{}], minItems: 3, maxItems: 1 }, "type X = never;"],
    ["a text beside nothing", { type: "string", allOf: [{ allOf: [false] }] }, "type X = never;"],
    ["an object that is not anything", { allOf: [{ type: "object", not: {} }] }, "type X = never;"],
    ["an object that is one of some texts", { type: "object", allOf: [{ enum: ["a", 1, null] }] }, "type X = never;"],
    ["a closed object that is a text", { type: "object", additionalProperties: false, allOf: [{ const: "a" }] }, "type X = never;"],
    [
      "an object that is a text or a number",
      { type: "object", allOf: [{ anyOf: [{ type: "string" }, { type: "number" }] }] },
      "type X = never;",
    ],
    ["two kinds at once", { type: "object", properties: { a: {} }, oneOf: [{ type: "array" }, ref("Y")] }, "type X = { a?: unknown } & Y;"],
  ])("says that nothing is of %s", (_, schema, expected) => {
    expect(typeOf(schema, { Y: { type: "object", properties: {} } })).toBe(expected);
  });

  it("lets a constant through that is an object, where objects are asked for", () => {
    expect(typeOf({ type: "object", allOf: [{ enum: ["a", { b: 1 }] }] })).toBe("type X = { b: 1 };");
    expect(typeOf({ type: "object", allOf: [{ const: { b: 1 } }] })).toBe("type X = { b: 1 };");
  });

  it("says a kind once, where constants have it anyway", () => {
    expect(typeOf({ type: "string", allOf: [{ enum: ["a", 1, "b"] }] })).toBe('type X = "a" | "b";');
  });

  it("knows of which kinds the named types are", () => {
    const object = { type: "object", properties: { a: { type: "string" } } };
    expect(typeOf({ type: "object", allOf: [ref("Y")] }, { Y: { type: "string" } })).toBe("type X = never;");
    expect(typeOf({ allOf: [ref("Y"), object] }, { Y: { enum: ["a", 1] } })).toBe("type X = never;");
    expect(typeOf({ type: ["string", "number"], anyOf: [object, { type: "null" }] })).toBe("type X = never;");
    expect(typeOf({ type: "object", allOf: [ref("Y")] }, { Y: {} })).toBe("type X = Y & { [key: string]: unknown };");
    expect(typeOf({ type: "object", allOf: [ref("Y")] }, { Y: ref("Z"), Z: { anyOf: [object, { const: { a: 1 } }] } })).toBe("type X = Y;");
  });

  it("says of properties without a name what holds for those that others name", () => {
    const object = { type: "object", properties: { a: { type: "string" } } };
    expect(typeOf({ type: "object", additionalProperties: { type: "number" }, allOf: [object] })).toBe(
      "type X = { [key: string]: number } & { a?: string };",
    );
    expect(typeOf({ additionalProperties: false, allOf: [ref("Y")] }, { Y: object })).toBe("type X = Y & { [key: string]: never };");
    expect(typeOf({ type: "object", additionalProperties: { type: "number" }, allOf: [{ type: "object" }] })).toBe(
      "interface X {\n  [key: string]: number;\n}",
    );
  });

  it("has an index signature of anything where TypeScript would not find a property's own type in it again", () => {
    const extended = { allOf: [ref("Y"), { type: "object", additionalProperties: { type: "number" } }] };
    const schema = { type: "object", properties: { a: extended }, additionalProperties: { type: "string" } };
    expect(typeOf(schema, { Y: { type: "object", properties: { b: { type: "string" } } } })).toBe(
      "interface X {\n  a?: Y & { [key: string]: number };\n  [key: string]: unknown;\n}",
    );
  });

  it.each([
    ["nothing", {}, "type X = unknown;"],
    ["true", true, "type X = unknown;"],
    ["false", false, "type X = never;"],
    ["not anything", { not: {} }, "type X = never;"],
    ["several types", { type: ["string", "null"] }, "type X = string | null;"],
    ["keywords without a type", { maxItems: 3 }, "/** At most 3 items. */\ntype X = unknown[];"],
    ["a constant", { const: { a: [1, "b"], c: null } }, 'type X = { a: [1, "b"]; c: null };'],
    ["an enum narrowed by its type", { type: "string", enum: ["a", 1, null] }, 'type X = "a";'],
    ["both booleans", { enum: [true, false] }, "type X = boolean;"],
    ["a list", { type: "array" }, "type X = unknown[];"],
    ["a list of a union", { type: "array", items: { type: ["string", "number"] } }, "type X = (string | number)[];"],
    [
      "a closed tuple",
      { type: "array", items: [{ type: "string" }, {}], minItems: 2, additionalItems: false },
      "type X = [string, unknown];",
    ],
    [
      "an open tuple",
      { type: "array", items: [{ type: "string" }], additionalItems: { type: ["number", "null"] } },
      "type X = [string?, ...(number | null)[]];",
    ],
    [
      "a tuple whose places are described",
      { type: "array", items: [{ type: "string", description: "The pair." }, { type: "number" }], additionalItems: false },
      "type X = [\n  /** The pair. */\n  string?,\n  number?,\n];",
    ],
    ["a tuple that maxItems closes", { type: "array", items: [{ type: "string" }, {}], maxItems: 1 }, "type X = [string?];"],
    ["an object that says nothing", { type: "object" }, "interface X {\n  [key: string]: unknown;\n}"],
    ["an empty object", { type: "object", additionalProperties: false }, "type X = { [key: string]: never };"],
    ["a map", { type: "object", additionalProperties: { type: "number" } }, "interface X {\n  [key: string]: number;\n}"],
    [
      "a map by pattern",
      { type: "object", patternProperties: { "^x-": { type: "number" } }, additionalProperties: false },
      "interface X {\n  [key: string]: number;\n}",
    ],
    [
      "a pattern beside anything else",
      { type: "object", patternProperties: { "^x-": { type: "number" } } },
      "interface X {\n  [key: string]: unknown;\n}",
    ],
    [
      "a pattern for everything",
      { type: "object", patternProperties: { ".*": { type: "number" } } },
      "interface X {\n  [key: string]: number;\n}",
    ],
    [
      "a map with named properties",
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "number" } },
      "interface X {\n  a?: string;\n  [key: string]: number | string;\n}",
    ],
    [
      "open properties",
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: true },
      "interface X {\n  a?: string;\n  [key: string]: unknown;\n}",
    ],
    ["a required property nobody describes", { type: "object", required: ["a"] }, "interface X {\n  a: unknown;\n}"],
    ["a union", { anyOf: [{ type: "string" }, { const: "a" }, { type: "number" }, { type: "string" }] }, "type X = string | number;"],
    [
      "alternatives that only require",
      { type: "object", properties: { a: {}, b: {} }, anyOf: [{ required: ["a"] }, { required: ["b"] }] },
      "interface X {\n  a?: unknown;\n  b?: unknown;\n}",
    ],
    [
      "a union of what an object may have besides",
      {
        type: "object",
        properties: { a: {} },
        oneOf: [
          { properties: { b: { const: 1 } }, required: ["b"] },
          { type: "object", properties: { c: {} } },
        ],
      },
      "type X = { a?: unknown } & ({ b: 1 } | { c?: unknown });",
    ],
    [
      "a property that is required here and described by every alternative",
      {
        type: "object",
        required: ["kind"],
        oneOf: [
          { properties: { kind: { const: "a" } } },
          { type: "object", required: ["kind"], properties: { kind: { const: "b" }, c: {} } },
          { allOf: [{ properties: { kind: { const: "d" } } }, { required: ["kind"] }] },
        ],
      },
      'type X = { kind: "a" } | { kind: "b"; c?: unknown } | { kind: "d" };',
    ],
    [
      "a property that is required here and described by one alternative alone",
      { type: "object", required: ["kind"], oneOf: [{ properties: { kind: { const: "a" } } }, { properties: { c: {} } }] },
      'type X = { kind: unknown } & ({ kind?: "a" } | { c?: unknown });',
    ],
    [
      "members of allOf in one interface",
      {
        allOf: [
          { type: "object", properties: { a: {} } },
          { properties: { b: {} }, required: ["a", "b"] },
        ],
      },
      "interface X {\n  a: unknown;\n  b: unknown;\n}",
    ],
    ["a const that is -0", { const: -0 }, "type X = 0;"],
  ])("says %s", (_, schema, expected) => {
    expect(typeOf(schema)).toBe(expected);
  });

  describe("with allOf", () => {
    const Animal = {
      type: "object",
      required: ["kind"],
      properties: { kind: { type: "string" }, name: { type: "string", description: "What it is called." } },
    };

    it("extends an interface where the members fit, also where it requires more", () => {
      const own = { type: "object", required: ["name"], properties: { kind: { enum: ["cat", "lion"] } } };
      expect(typeOf({ allOf: [ref("Animal"), { ...own, required: ["kind", "name"] }] }, { Animal })).toBe(`interface X extends Animal {
  kind: "cat" | "lion";
  /** What it is called. */
  name: string;
}`);
    });

    it("narrows what another requires without making it optional", () => {
      const narrower = { type: "object", properties: { kind: { const: "cat" } } };
      expect(typeOf({ allOf: [ref("Animal"), narrower] }, { Animal })).toBe('interface X extends Animal {\n  kind: "cat";\n}');
    });

    it("intersects where an interface could not extend", () => {
      expect(typeOf({ allOf: [ref("Animal"), { type: "object", properties: { kind: { type: ["string", "number"] } } }] }, { Animal })).toBe(
        "type X = Animal & { kind: string | number };",
      );
      expect(typeOf({ allOf: [ref("Animal"), ref("Tag")] }, { Animal, Tag: { type: "object", properties: { tag: {} } } })).toBe(
        "type X = Animal & Tag;",
      );
    });

    it("has nothing for a property of a kind that it cannot have, as the guard does", () => {
      const narrowed = (kind: object) => typeOf({ allOf: [ref("Animal"), { type: "object", properties: { kind } }] }, { Animal });
      expect(narrowed({ type: "number" })).toBe("interface X extends Animal {\n  kind: never;\n}");
      expect(narrowed({ type: "object", properties: { name: { type: "string" } } })).toBe(
        "interface X extends Animal {\n  kind: never;\n}",
      );
    });

    it("does not follow an inheritance that comes back", () => {
      const text = typesText({
        Parent: { type: "object", properties: { child: { allOf: [ref("Child"), { type: "object", properties: { x: {} } }] } } },
        Child: { allOf: [ref("Parent"), { type: "object", properties: { y: {} } }] },
      });
      expect(text).toContain("export interface Child extends Parent {");
      expect(text).toContain("child?: Child & { x?: unknown };");
    });
  });

  it("breaks what is too long for a line, from the outside in", () => {
    const words = ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccccccc", "dddddddddddddddddddd"];
    const member = { type: "object", properties: { word: { enum: words }, note: { type: "string", description: "A note." } } };
    expect(
      typesText({
        Word: { enum: words },
        Noted: { oneOf: [member, { type: "null" }] },
        List: { type: "array", items: { oneOf: [member, { type: "null" }] } },
      }),
    ).toBe(`export type Word =
  | "aaaaaaaaaaaaaaaaaaaaaaaaaa"
  | "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
  | "cccccccccccccccccccccccccccc"
  | "dddddddddddddddddddd";

export type Noted =
  | {
      word?:
        | "aaaaaaaaaaaaaaaaaaaaaaaaaa"
        | "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        | "cccccccccccccccccccccccccccc"
        | "dddddddddddddddddddd";
      /** A note. */
      note?: string;
    }
  | null;

export type List = (
  | {
      word?:
        | "aaaaaaaaaaaaaaaaaaaaaaaaaa"
        | "bbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        | "cccccccccccccccccccccccccccc"
        | "dddddddddddddddddddd";
      /** A note. */
      note?: string;
    }
  | null
)[];`);
  });

  it("cuts a comment that is a book", () => {
    const text = typesText({ X: { type: "object", properties: { a: { description: `${"word ".repeat(1_000_000)}`, type: "string" } } } });
    expect(text.length).toBeLessThan(5_000);
    expect(text).toContain("(Cut here: the document says more.)");
  });

  it("is quick on an enum of 100,000 values and on 5,000 types", () => {
    const before = processorTime();
    typesText({ X: { enum: Array.from({ length: 100_000 }, (_, index) => `value ${index}`) } });
    typesText(
      Object.fromEntries(
        Array.from({ length: 5_000 }, (_, index) => [
          `T${index}`,
          { type: "object", properties: { next: ref(`T${(index + 1) % 5_000}`) } },
        ]),
      ),
    );
    expect(processorTime() - before).toBeLessThan(3_000);
  });
});
