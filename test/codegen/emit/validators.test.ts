import { rmSync } from "node:fs";
import formats from "ajv-formats/dist/formats.js";
import { afterAll, describe, expect, it } from "vitest";
import { guardName, guardSchemas } from "../../../codegen/src/emit/guard-schema.ts";
import { patternRisk } from "../../../codegen/src/emit/pattern-risk.ts";
import { FORMATS } from "../../../codegen/src/emit/prelude.ts";
import { processorTime } from "../../processor-time.mjs";
import { importGuards, importText, modelOf, ref, temporaryFolder, validatorsText } from "./emitted.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** The verdicts of one schema's guard. */
async function verdicts(schema: unknown, values: readonly unknown[]): Promise<readonly boolean[]> {
  const guard = (await importGuards(folder, { X: schema }))("X");
  return values.map((value) => guard(value));
}

describe("validators.ts", () => {
  it("exports a typed guard for each type that wants one, and needs nothing at run time", () => {
    const { text } = validatorsText({
      Post: { type: "object", required: ["text"], properties: { text: { type: "string", maxLength: 5 } } },
    });
    expect(text.slice(0, text.indexOf("function validate"))).toBe(`// test
// @ts-nocheck

import type { Guard } from "@wsgen/runtime/generated/client";
import type { Post } from "./types.js";

export const isPost: Guard<Post> = validate0;

/** Characters as JSON Schema counts them: a pair of surrogates is one. */
function characters(text) {
  let count = text.length;
  for (let index = 1; index < text.length; index += 1) {
    if ((text.charCodeAt(index) & 0xfc00) === 0xdc00 && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) count -= 1;
  }
  return count;
}

`);
    expect(text).toContain("if(data0.length > 5 && characters(data0) > 5){");
    expect(text).not.toMatch(/\brequire\(|\beval\(|new Function|^import (?!type)/m);
    expect(guardName("Post")).toBe("isPost");
  });

  it("leaves types without guards out, unless a guard needs them", () => {
    const model = modelOf({
      A: { type: "object", properties: { b: ref("B") } },
      B: { type: "string" },
      C: { type: "string", format: "odd" },
    });
    const types = model.types.map((type) => ({ ...type, guard: type.name === "A" }));
    expect(guardSchemas({ ...model, types }).findings).toEqual([]);
  });

  it("has guards for types that accept everything or nothing", async () => {
    const guards = await importGuards(folder, { A: true, B: true, C: false, D: {} });
    expect(["A", "B", "C", "D"].map((name) => guards(name)(1))).toEqual([true, true, false, true]);
  });

  it("prints the same bytes for the same model, in ASCII", () => {
    const schemas = {
      X: { enum: ["ä", "\u2028", "\ud800", "</script>"], description: "ö" },
      Y: { type: "object", properties: { "é\u202e": { pattern: "ü" } } },
    };
    expect(validatorsText(schemas).text).toBe(validatorsText(schemas).text);
    expect(validatorsText(schemas).text).toMatch(/^[\n -~]*$/);
    expect(validatorsText(schemas).text).not.toContain("</");
  });

  it("says where and why it refused", async () => {
    const guards = await importGuards(folder, {
      Page: { type: "object", properties: { posts: { type: "array", items: ref("Post") } } },
      Post: { type: "object", properties: { text: { type: "string", minLength: 2 } } },
    });
    const guard = guards("Page");
    expect(guard({ posts: [{ text: "ab" }, { text: "😀" }] })).toBe(false);
    expect(guard.errors).toEqual([
      {
        instancePath: "/posts/1/text",
        schemaPath: "#/properties/text/minLength",
        keyword: "minLength",
        params: { limit: 2 },
        message: "must NOT have fewer than 2 characters",
      },
    ]);
  });

  it.each([
    ["counts characters, not UTF-16 units", { minLength: 2, maxLength: 2 }, ["😀", "😀😀", "ab", "a😀b"], [false, true, true, false]],
    [
      "takes decimal fractions for what they look like",
      { multipleOf: 0.01 },
      [19.99, 4.35, 0.075, 1e300, 0],
      [true, true, false, true, true],
    ],
    ["refuses numbers that JSON does not have", { type: "number" }, [1, Number.POSITIVE_INFINITY], [true, false]],
    [
      "finds duplicates of any kind",
      { uniqueItems: true },
      [
        [1, "1"],
        [0, -0],
        ["__proto__", "__proto__"],
        [
          { a: 1, b: [2] },
          { b: [2], a: 1 },
        ],
        [[1], [1, 2]],
        ["[1]", [1]],
      ],
      [true, false, false, false, true, true],
    ],
    [
      "does not find in an empty list what the list before it has",
      { items: { contains: { const: 1 } } },
      [
        [[1], []],
        [[1], [2, 1]],
      ],
      [false, true],
    ],
    [
      "looks for what a list must contain also beside a tuple",
      { items: [true, { type: "string" }], contains: { const: 1 }, uniqueItems: true },
      [[], [2], [1]],
      [false, false, true],
    ],
    [
      "compares composite constants, whatever the order of their keys",
      { const: { a: [1], b: null } },
      [{ b: null, a: [1] }, { a: [1] }, { a: { 0: 1 }, b: null }],
      [true, false, false],
    ],
    [
      "looks values up when there are many",
      { enum: ["a", "b", "c", "d", "e", "f", "g", "h", 1, null] },
      ["a", 1, null, "1", {}],
      [true, true, true, false, false],
    ],
    ["compares composite values in an enum", { enum: [{ a: 1 }, 2] }, [{ a: 1 }, { a: 2 }, 2], [true, false, true]],
    ["misses a property without a name", { required: ["", "a"] }, [{}, { "": 1 }, { a: 1 }, { "": 1, a: 1 }], [false, false, false, true]],
  ])("%s", async (_, schema, values, expected) => {
    expect(await verdicts(schema, values)).toEqual(expected);
  });

  it("takes properties for the object's own, whatever they are called", async () => {
    const names = ["toString", "constructor", "hasOwnProperty", "__proto__"];
    const json = (properties: object) => JSON.parse(JSON.stringify(properties).replaceAll("PROTO", "__proto__")) as unknown;
    for (const name of names) {
      const schema = json({
        type: "object",
        required: [name.replace("__proto__", "PROTO")],
        properties: { [name.replace("__proto__", "PROTO")]: { type: "string" } },
      });
      const values = [{}, json({ [name.replace("__proto__", "PROTO")]: "x" }), json({ [name.replace("__proto__", "PROTO")]: 1 })];
      expect([name, ...(await verdicts(schema, values))]).toEqual([name, false, true, false]);
      const optional = { ...(schema as object), required: [] };
      expect([name, ...(await verdicts(optional, values))]).toEqual([name, true, true, false]);
    }
    const constant = json({ const: { PROTO: { polluted: 1 } } });
    expect(await verdicts(constant, [{}, json({ PROTO: { polluted: 1 } })])).toEqual([false, true]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("answers data 100,000 levels deep by throwing, not by ending the process", async () => {
    const guard = (await importGuards(folder, { Tree: { type: "object", properties: { next: ref("Tree") } } }))("Tree");
    let deep = {};
    for (let level = 0; level < 100_000; level += 1) deep = { next: deep };
    expect(() => guard(deep)).toThrow(RangeError);
    expect(guard({ next: {} })).toBe(true);
  });

  it("prints texts of the document as texts, and runs none of them", async () => {
    const evil = [
      '"; globalThis.pwned = 1; "',
      "*/ globalThis.pwned = 1 /*",
      "\n\u2028\r",
      "`$" + "{globalThis.pwned = 1}`",
      "\\",
      "export const isX = 1;",
      'const schema1 = {"__proto__":1};',
    ];
    const schema = {
      type: "object",
      properties: Object.fromEntries(evil.map((text) => [text, { enum: [text, ...evil] }])),
      required: evil,
      patternProperties: { "^[\\]`'\"/*]$": { const: evil } },
      dependencies: Object.fromEntries(evil.map((text) => [text, evil])),
    };
    const valid = Object.fromEntries(evil.map((text) => [text, text]));
    expect(await verdicts(schema, [valid, { ...valid, [evil[0] ?? ""]: "x" }, {}])).toEqual([true, false, false]);
    expect("pwned" in globalThis).toBe(false);
  });

  it("is linear in the number of types, also when all of them form one chain", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 600 }, (_, index) => [`T${index}`, { type: "object", properties: { next: ref(`T${(index + 1) % 600}`) } }]),
    );
    const before = processorTime();
    expect(validatorsText(chain).findings).toEqual([]);
    expect(processorTime() - before).toBeLessThan(5_000);
  });
});

describe("what is found in schemas", () => {
  const found = (schema: unknown) => guardSchemas(modelOf({ X: schema })).findings;

  it("names formats that are not checked, once each", () => {
    const schema = {
      properties: { a: { format: "decimal" }, b: { format: "decimal" }, c: { type: "integer", format: "int64" }, d: { format: "float" } },
    };
    expect(found(schema)).toEqual([
      {
        severity: "warning",
        code: "unknown-format",
        message: 'The format "decimal" is not known and not checked (and in 1 other place).',
        fix: "Say it with `pattern`, or leave it as a comment for people.",
        pointer: "/components/schemas/X/properties/a/format",
      },
    ]);
  });

  it("warns about a pattern that only works without Unicode, which is still checked", async () => {
    const schema = { type: "string", pattern: "^[\\w-\\.]+$" };
    expect(found(schema)).toMatchObject([{ severity: "warning", code: "pattern-unicode", pointer: "/components/schemas/X/pattern" }]);
    expect(await verdicts(schema, ["a-b.", "a b"])).toEqual([true, false]);
  });

  it("refuses a pattern that is none, where it stands", () => {
    expect(found({ pattern: "(?<" })).toMatchObject([
      { severity: "error", code: "pattern", at: "value", pointer: "/components/schemas/X/pattern" },
    ]);
    expect(found({ patternProperties: { "a/(": {} } })).toMatchObject([
      { severity: "error", at: "key", pointer: "/components/schemas/X/patternProperties/a~1(" },
    ]);
  });

  it.each(["^(a+)+$", "(x+x+)+y", "(.*a){20}", "^(a|a)*$", "(\\w|\\d)+$", "([a-z]*)*", "((ab)*)+", "^(?:a?b*)*$"])(
    "warns about %s",
    (pattern) => {
      expect(patternRisk(pattern)).toBeDefined();
      expect(found({ pattern })).toMatchObject([{ severity: "warning", code: "pattern-redos" }]);
    },
  );

  it.each([
    "^[a-z]+(?:-[a-z]+)*$",
    "^(?:[a-z0-9]+\\.)+[a-z]{2,}$",
    "^(\\d{4}-\\d{2})?$",
    "^(foo|bar)+$",
    "^(\\s*,\\s*\\d)*$",
    "^#?([a-f0-9]{6}|[a-f0-9]{3})$",
    "(?=.*\\d).{8,}",
    "[(+)]+",
    "^(0|[1-9]\\d*)(\\.\\d+){2}$",
  ])("says nothing about %s", (pattern) => {
    expect(patternRisk(pattern)).toBeUndefined();
  });
});

describe("formats", () => {
  const samples = [
    ...[
      "2020-02-29",
      "2021-02-29",
      "1900-02-29",
      "2000-02-29",
      "0000-02-29",
      "2020-13-01",
      "2020-00-10",
      "2020-01-32",
      "20-01-01",
      "2020-1-1",
    ],
    ...[
      "12:00:00Z",
      "12:00:00",
      "24:00:00Z",
      "23:59:60Z",
      "12:59:60Z",
      "22:59:60-01:00",
      "00:29:60+00:30",
      "12:00:00.123+01:00",
      "12:00:00+25:00",
      "12:00:00z",
    ],
    ...[
      "2020-01-01T00:00:00Z",
      "2020-01-01 00:00:00Z",
      "2020-01-01t00:00:00.5+05:30",
      "2020-01-01T00:00:00",
      "2020-01-01T",
      "2020-01-01_00:00:00Z",
      "2020-02-30T00:00:00Z",
    ],
    ...["P1D", "P1Y2M3DT4H5M6S", "PT1S", "P2W", "P", "PT", "P1W1D", "P1S", "p1d", "P1YT", "PT1H2S"],
    ...["a@b.co", "a.b+c@x-y.example.org", "a@b", "@b.co", "a..b@c.de", "a@-b.de", "a@b_c.de", "A@B.DE", "é@b.co"],
    ...[
      "example",
      "a.b.c",
      "-a.b",
      "a-.b",
      "a_b",
      `${"a".repeat(63)}.b`,
      `${"a".repeat(64)}.b`,
      "a..b",
      "",
      `${"a.".repeat(126)}a`,
      `${"a.".repeat(127)}a`,
    ],
    ...["1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4.", "1.2.3.4.5", "0.0.0.0"],
    ...[
      "::",
      "::1",
      "1::",
      "1:2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7::",
      "::1.2.3.4",
      "1:2:3:4:5:6:1.2.3.4",
      "1.2.3.4::",
      "1::2::3",
      ":1",
      "12345::",
      "fe80::1%en0",
      "::ffff:256.1.1.1",
    ],
    ...[
      "http://a.b/c?d#e",
      "https://[::1]:80/",
      "http://[::g]/",
      "urn:a:b",
      "mailto:a@b.co",
      "a:",
      "//a/b",
      "/a/b",
      "a b",
      "http://a b",
      "http://a/%zz",
      "http://a/%20",
      "1:2",
      "http://é.de/",
      "#a",
      "?a",
      "a/b:c",
      "http://u:p@h:1/",
      "http://[v1.x]/",
    ],
    ...["/a/{b}", "{+a,b*}", "{a:3}", "{", "}", "{a", "a b", "%20", "{?x,y}"],
    ...[
      "123e4567-e89b-12d3-a456-426614174000",
      "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
      "123e4567e89b12d3a456426614174000",
      "123E4567-E89B-12D3-A456-42661417400G",
    ],
    ...["/a~0~1/b", "/a~2", "a", "", "/", "#/a", "#/%25", "#a", "0", "1/a", "0#", "01", "1#/a", "-1"],
    ...["^a$", "(", "[a-z]+", "a\\Z", "\\p{L}"],
    ...["aGVsbG8=", "aGVsbG8", "aGVs bG8=", "=", "====", "aGVsbG==", "aGVsbA=="],
  ];
  // Where the two differ on purpose: RFC 3986 lets a URI end behind its scheme, and no relative reference begin with what looks like one;
  // a URL is one on a private network, and with an address or one letter for a host, too.
  const different: Readonly<Record<string, (sample: string) => boolean>> = {
    uri: (sample) => sample === "a:",
    "uri-reference": (sample) => /^[^/?#a-z][^/?#]*:/i.test(sample) || /^:/.test(sample),
    url: (sample) => /^http:/.test(sample) || sample === "https://[::1]:80/",
  };

  const shipped = formats.fullFormats as Readonly<Record<string, unknown>>;
  const check = (definition: unknown, value: string): boolean => {
    if (definition instanceof RegExp) return definition.test(value);
    if (typeof definition === "function") return (definition as (text: string) => boolean)(value);
    const { validate } = definition as { validate: (text: string) => boolean };
    return validate(value);
  };

  for (const [format, { on }] of FORMATS) {
    if (on === "string" && shipped[format] !== undefined) {
      it(`${format} says what ajv-formats says`, async () => {
        const values = samples.filter((sample) => different[format]?.(sample) !== true);
        const ours = await verdicts({ type: "string", format }, values);
        expect(Object.fromEntries(values.map((value, index) => [value, ours[index]]))).toEqual(
          Object.fromEntries(values.map((value) => [value, check(shipped[format], value)])),
        );
      });
    }
  }

  it("url is an absolute address on the web", async () => {
    const values = [
      "http://a.b/c?d#e",
      "https://[::1]:80/",
      "ftp://u:p@h:1/",
      "http://10.0.0.1",
      "http:///a",
      "http://a b",
      "mailto:a@b.co",
      "//a/b",
    ];
    expect(await verdicts({ type: "string", format: "url" }, values)).toEqual([true, true, true, true, false, false, false, false]);
  });

  it("of numbers speak of numbers only", async () => {
    expect(await verdicts({ format: "int32" }, [1, 2 ** 31, 1.5, "x"])).toEqual([true, false, false, true]);
    expect(await verdicts({ format: "int64" }, [2 ** 53, 1.5, "x"])).toEqual([true, false, true]);
  });

  it("are printed only where they are used", async () => {
    const { text } = validatorsText({ X: { type: "string", format: "date" } });
    expect(text).toContain("function matchesDate(");
    expect(text).not.toContain("matchesUri");
    expect(typeof (await importText(folder, text))["isX"]).toBe("function");
  });
});
