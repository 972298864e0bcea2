// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that look like code are what this file is about
// The hostile documents of reference/reliability.md section 5.3, H01 to H55: what is in them, and what must come of them. Where DESIGN decides otherwise
// than that table, DESIGN wins, and `instead` says so: names are mapped and reported, ambiguity is a union with a warning, patterns fall back from `u`,
// risky keywords are bounded and warned about (refused with --strict), and the exit code of a refusal is 1.
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { createRouter, serve } from "@wsgen/runtime";
import WebSocket from "ws";

/**
 * One document of a recipe.
 * @typedef {object} Variant
 * @property {string} name
 * @property {Record<string, string | Uint8Array>} files by path below the variant's folder; `asyncapi.json` or `asyncapi.yaml` is the document
 * @property {RegExp} [refused] what an error must say; without it the document must generate
 * @property {boolean} [anywhere] whether that error has no place in a file to point at
 * @property {RegExp} [warned] what a warning or hint must say
 * @property {RegExp} [strict] what an error must say with --strict
 * @property {(folder: string) => void} [prepare] what cannot be written as a file
 * @property {(output: Output) => string | undefined | Promise<string | undefined>} [holds] what else must be so; gives what is wrong
 *
 * @typedef {object} Output what was generated, imported
 * @property {Record<string, string>} text of the files, by path
 * @property {any} contract of the server
 * @property {Record<string, (value: unknown) => boolean>} guards
 * @property {object} model
 */

const canary = "globalThis.pwn=1";
const proto = (text) => text.replaceAll("PROTO", "__proto__");

/** A valid document of one channel and one message, which the recipes spoil. */
export function plain({ message = {}, payload = {}, schemas = {}, ...rest } = {}) {
  return {
    asyncapi: "3.0.0",
    info: { title: "Hostile", version: "1.0.0" },
    servers: { main: { host: "localhost", protocol: "ws" } },
    channels: { talk: { address: "/talk", messages: { hello: { payload: { type: "object", ...payload }, ...message } } } },
    operations: { receive: { action: "receive", channel: { $ref: "#/channels/talk" } } },
    components: { schemas },
    ...rest,
  };
}

const json = (value) => ({ "asyncapi.json": proto(JSON.stringify(value)) });
const yaml = (text) => ({ "asyncapi.yaml": text });
const head = "asyncapi: 3.0.0\ninfo: { title: Hostile, version: 1.0.0 }\nservers: { main: { host: localhost, protocol: ws } }\n";
const tail =
  "channels: { talk: { address: /talk, messages: { hello: { payload: { type: object } } } } }\n" +
  'operations: { receive: { action: receive, channel: { $ref: "#/channels/talk" } } }\n';

/** Prose in every place that takes some. */
const described = (text) =>
  json({
    ...plain({
      message: { title: text, summary: text, description: text, examples: [{ name: text, summary: text, payload: {} }] },
      payload: { title: text, description: text, $comment: text, properties: { a: { type: "string", description: text, title: text } } },
    }),
    info: { title: "Hostile", version: text, description: text, license: { name: text } },
    servers: { main: { host: "localhost", protocol: "ws", title: text, summary: text, description: text } },
    channels: {
      talk: {
        address: "/talk/{id}",
        title: text,
        summary: text,
        description: text,
        parameters: { id: { description: text } },
        messages: {
          hello: {
            summary: text,
            description: text,
            payload: { type: "object", description: text, properties: { a: { description: text } } },
          },
        },
      },
    },
    operations: { receive: { action: "receive", title: text, summary: text, description: text, channel: { $ref: "#/channels/talk" } } },
  });

/** A comment is one token whatever stands in it, so a text that left it would change the structure; that is looked at for all. */
const prose = (name, text, holds) => ({ name, files: described(text), holds });
const messages = (names, extra = {}) =>
  json({
    ...plain(),
    channels: {
      talk: {
        address: "/talk",
        messages: Object.fromEntries(
          names.map((name, index) => [
            name,
            { payload: { type: "object", required: ["type"], properties: { type: { const: `kind ${index}` } } }, ...extra },
          ]),
        ),
      },
    },
  });
const payload = (name, schema, rest = {}) => ({ name, files: json(plain({ payload: schema })), ...rest });
const ref = (name, $ref, refused = /./, rest = {}) => ({
  name,
  files: json({
    ...plain(),
    components: { schemas: { A: { $ref }, text: "x" } },
    channels: { talk: { address: "/talk", messages: { hello: { payload: { $ref: "#/components/schemas/A" } } } } },
  }),
  refused,
  ...rest,
});
const deep = (levels) => {
  let schema = { type: "string" };
  for (let level = 0; level < levels; level++) schema = { type: "object", properties: { a: schema } };
  return schema;
};

/** Values a guard takes and refuses. */
const judges =
  (accepted, refused) =>
  ({ guards }) => {
    const guard = guards.isHelloMessage;
    if (guard === undefined) return `there is no isHelloMessage, but ${Object.keys(guards)}`;
    for (const text of accepted) if (!guard(JSON.parse(proto(text)))) return `${text} is refused`;
    for (const text of refused) if (guard(JSON.parse(proto(text)))) return `${text} is accepted`;
    return undefined;
  };
/** 200,000 items: compared each with each, that would take minutes. */
const manyItems =
  (item) =>
  ({ guards }) => {
    const a = Array.from({ length: 200_000 }, (_, index) => item(index));
    if (!guards.isHelloMessage({ a })) return "different items are refused";
    return guards.isHelloMessage({ a: [...a, item(7)] }) ? "a duplicate is accepted" : undefined;
  };
const hasNames =
  (...patterns) =>
  ({ contract }) => {
    const names = Object.values(contract.endpoints).flatMap(({ receives, sends }) => [
      ...Object.keys(receives.messages),
      ...Object.keys(sends),
    ]);
    const missing = patterns.find((pattern) => !names.some((name) => pattern.test(name)));
    return missing === undefined ? undefined : `no message named like ${missing} among ${names.join(", ")}`;
  };

/** Data 60,000 levels deep (more than that is too long for the default limit) is answered with a close code, and the server goes on. */
const deepDataIsAnswered = async ({ server: { registerHostile } }) => {
  const router = createRouter();
  registerHostile(router, { talk: { messages: { hello: (_payload, conn) => conn.close(4000) } } });
  const running = await serve(router, { port: 0, host: "127.0.0.1", signals: [] });
  const ask = (text) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${running.port}/talk`);
      socket
        .on("open", () => socket.send(text))
        .on("close", resolve)
        .on("error", reject);
    });
  const codes = [await ask(`${'{"children":['.repeat(60_000)}${"]}".repeat(60_000)}`), await ask('{"children":[{"children":[]}]}')];
  await running.close();
  return codes.join() === "1008,4000" ? undefined : `the close codes are ${codes}`;
};

/** @type {readonly { id: string, recipe: string, instead?: string, variants: readonly Variant[] }[]} */
export const recipes = [
  {
    id: "H01",
    recipe: "the end of a comment in every text",
    variants: [
      prose("code behind the end of a comment", `*/ ${canary} /*`, ({ text }) =>
        text["types.ts"].includes(canary) ? undefined : "the text is not in the comment",
      ),
    ],
  },
  {
    id: "H02",
    recipe: "line breaks of every kind",
    variants: [prose("U+2028, U+2029, CR, VT, NEL", `a\u2028${canary}\u2029${canary}\r${canary}\v${canary}\u0085${canary} // ${canary}`)],
  },
  { id: "H03", recipe: "template literals", variants: [prose("back-ticks and ${}", "`${process.exit(7)}` ${process.exit(7)} `")] },
  {
    id: "H04",
    recipe: "Trojan Source",
    variants: [
      prose("bidi overrides and zero-width characters", "a\u202e\u2066b\u2069\u200b\u200d\ufeff", ({ text }) =>
        /[\u202a-\u202e\u2066-\u2069\u200b\ufeff]/.test(Object.values(text).join(""))
          ? "an invisible character is in the output"
          : undefined,
      ),
    ],
  },
  {
    id: "H05",
    recipe: "very long texts",
    variants: [
      ["5 MB in one line", "long ".repeat(1_000_000)],
      ["100,000 lines", "line\n".repeat(100_000)],
    ].map(([name, description]) => ({
      name,
      files: json(plain({ message: { description } })),
      holds: ({ text }) => (text["types.ts"].length > 20_000 ? `types.ts has ${text["types.ts"].length} characters` : undefined),
    })),
  },
  {
    id: "H06",
    recipe: "directives for tools",
    variants: [
      "@ts-ignore",
      "@ts-nocheck",
      "@ts-expect-error",
      "eslint-disable",
      "/// <reference path='/etc/passwd' />",
      "//# sourceMappingURL=http://evil.invalid/x.map",
      "biome-ignore lint: x",
    ].map((text) =>
      prose(text, text, ({ text: files }) => {
        const { "validators.ts": _, ...read } = files;
        const line = Object.values(read)
          .join("\n")
          .split("\n")
          .find((one) => /^\s*(\/\/|\/\*|\*)?\s*(@ts-|eslint-|biome-ignore|\/\/\/ <reference|\/\/#)/.test(one) && !one.includes("wsgen"));
        return line === undefined ? undefined : `a tool would obey ${JSON.stringify(line)}`;
      }),
    ),
  },
  {
    id: "H07",
    recipe: "a channel key that is code",
    variants: [
      {
        name: "'];process.exit(7);//",
        files: json({
          ...plain(),
          channels: { "'];process.exit(7);//": { address: "/talk", messages: { hello: { payload: { type: "object" } } } } },
          operations: {},
        }),
      },
    ],
  },
  {
    id: "H08",
    recipe: "reserved words as messages",
    variants: [
      {
        name: "class, await, eval …",
        files: messages(["class", "await", "eval", "arguments", "default", "enum", "let"]),
        holds: hasNames(/^class/, /^await/, /^eval/),
      },
    ],
  },
  {
    id: "H09",
    recipe: "members of objects, promises and clients as messages",
    variants: [
      {
        name: "then, catch, toJSON …",
        files: messages(["then", "catch", "toJSON", "constructor", "valueOf", "on", "close", "send"]),
        holds: ({ contract }) =>
          Object.keys(contract.endpoints.talk.receives.messages).some((name) =>
            ["then", "catch", "toJSON", "constructor", "valueOf", "close", "send"].includes(name),
          )
            ? "a message has a member's name"
            : undefined,
      },
    ],
  },
  {
    id: "H10",
    recipe: "messages named like members of Object.prototype",
    variants: [
      { name: "__proto__", files: messages(["PROTO", "hello"]), refused: /__proto__/ },
      { name: "hasOwnProperty, prototype", files: messages(["hasOwnProperty", "prototype", "hello"]) },
    ],
  },
  {
    id: "H11",
    recipe: "two names of one identifier",
    instead: "both get names of their own, and a warning shows both",
    variants: [
      {
        name: "user-created and user_created",
        files: messages(["user-created", "user_created"]),
        warned: /user-created|user_created|same name/,
      },
    ],
  },
  {
    id: "H12",
    recipe: "names that differ in case only, and device names",
    instead: "both get names of their own, and a warning shows both",
    variants: [
      { name: "User and user", files: messages(["User", "user"]), warned: /User|user/ },
      {
        name: "con, aux, nul",
        files: json({
          ...plain(),
          channels: Object.fromEntries(
            ["con", "aux", "nul"].map((name) => [name, { address: `/${name}`, messages: { hello: { payload: { type: "object" } } } }]),
          ),
          operations: {},
        }),
        holds: ({ handlerFiles }) => handlerFiles.find((path) => /(^|\/)(con|aux|nul|prn|com\d|lpt\d)\./i.test(path)),
      },
    ],
  },
  {
    id: "H13",
    recipe: "names in other scripts",
    instead: "names that are equal after NFC are one clash: each gets a name of its own, with a warning",
    variants: [
      { name: "emoji", files: messages(["🎉", "🎉🎉", "party 🎉"]) },
      { name: "composed and combining é", files: messages(["caf\u00e9", "cafe\u0301"]), warned: /./ },
      { name: "zero-width joiner", files: messages(["a\u200db", "ab"]) },
      { name: "Cyrillic look-alike", files: messages(["user", "us\u0435r"]) },
    ],
  },
  {
    id: "H14",
    recipe: "names without a word",
    instead: "names are mapped: from the payload's schema or constant, or digits",
    variants: [
      { name: "empty", files: messages(["", "hello"]) },
      {
        name: "10,000 characters",
        files: messages(["n".repeat(10_000), "hello"]),
        holds: ({ text }) =>
          Object.values(text)
            .join("")
            .split("\n")
            .some((line) => line.length > 60_000)
            ? "lines of the name's length many times over"
            : undefined,
      },
      { name: "symbols", files: messages(["!!!", "???"]) },
    ],
  },
  {
    id: "H15",
    recipe: "names that are paths",
    variants: ["../../evil", "..\\..\\evil", "/etc/cron.d/x", "a\0b", "file:///x"].map((name) => ({
      name: JSON.stringify(name),
      files: json({
        ...plain(),
        servers: { [name]: { host: "localhost", protocol: "ws", tags: [{ name }] } },
        channels: {
          [name]: {
            address: "/talk",
            messages: {
              [name]: {
                payload: {
                  $ref: `#/components/schemas/${name.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll("\\", "%5C").replaceAll("\0", "%00")}`,
                },
              },
            },
          },
        },
        operations: {},
        components: { schemas: { [name]: { type: "object" } } },
      }),
      mayRefuse: true,
    })),
  },
  {
    id: "H16",
    recipe: "an output folder with what is not ours",
    variants: [
      {
        name: "a link out of it",
        files: json(plain()),
        prepare: (folder) => {
          execFileSync("mkdir", ["-p", join(folder, "out"), join(folder, "elsewhere")]);
          symlinkSync(join(folder, "elsewhere/types.ts"), join(folder, "out/types.ts"));
        },
        refused: /types\.ts/,
        anywhere: true,
        keeps: ["out/types.ts"],
      },
      {
        name: "a file of the user",
        files: { ...json(plain()), "out/types.ts": "// mine\n" },
        refused: /types\.ts/,
        anywhere: true,
        keeps: ["out/types.ts"],
      },
    ],
  },
  {
    id: "H17",
    recipe: "strings that end literals",
    variants: [
      payload(
        "an enum of them",
        { required: ["a"], properties: { a: { enum: ["\"'`", "a\nb", "a\\", "\u2028\u2029", "\ud800", "</script>", "*/", "${x}"] } } },
        {
          holds: judges(
            [
              '{"a":"\\"\'`"}',
              '{"a":"a\\nb"}',
              '{"a":"a\\\\"}',
              '{"a":"\\u2028\\u2029"}',
              '{"a":"\\ud800"}',
              '{"a":"</script>"}',
              '{"a":"*/"}',
              '{"a":"${x}"}',
            ],
            ['{"a":"a"}', '{"a":"\\ud801"}'],
          ),
        },
      ),
    ],
  },
  {
    id: "H18",
    recipe: "enums of anything",
    variants: [
      payload(
        "mixed types and duplicates",
        { required: ["a"], properties: { a: { enum: [1, "1", true, null, { b: [1] }, [1], 1, "1"] } } },
        { holds: judges(['{"a":1}', '{"a":"1"}', '{"a":{"b":[1]}}', '{"a":null}'], ['{"a":2}', '{"a":{"b":[2]}}', '{"a":false}']) },
      ),
      payload(
        "100,000 entries",
        { required: ["a"], properties: { a: { enum: Array.from({ length: 100_000 }, (_, index) => `entry ${index}`) } } },
        { holds: judges(['{"a":"entry 99999"}'], ['{"a":"entry 100000"}']) },
      ),
      {
        name: "-0",
        files: yaml(`${head}${tail.replace("type: object", "type: object, required: [a], properties: { a: { const: -0 } }")}`),
        mayRefuse: true,
        holds: judges(['{"a":0}', '{"a":-0}'], ['{"a":1}']),
      },
      ...["1e400", ".nan", ".inf", "-.Inf"].map((number) => ({
        name: number,
        files: yaml(`${head}${tail.replace("type: object", `type: object, properties: { a: { enum: [1, ${number}] } }`)}`),
        refused: /number/i,
      })),
      {
        name: "2^53+1",
        files: yaml(`${head}${tail.replace("type: object", "type: object, properties: { a: { const: 9007199254740993 } }")}`),
        warned: /9007199254740993/,
      },
    ],
  },
  {
    id: "H19",
    recipe: "values with own __proto__ keys and texts that look like functions",
    variants: [
      payload(
        "const",
        { required: ["a"], properties: { a: { const: { PROTO: { polluted: 1 }, f: "function () { process.exit(7) }" } } } },
        {
          holds: judges(
            ['{"a":{"PROTO":{"polluted":1},"f":"function () { process.exit(7) }"}}'],
            ['{"a":{"f":"function () { process.exit(7) }"}}'],
          ),
        },
      ),
      payload("default and examples", {
        default: { PROTO: { polluted: 1 } },
        examples: [{ PROTO: { polluted: 1 } }, "() => process.exit(7)"],
        properties: { a: { default: { PROTO: { polluted: 1 } } } },
      }),
    ],
  },
  {
    id: "H20",
    recipe: "defaults that are template literals",
    variants: [
      payload("text and list", {
        properties: {
          a: { type: "string", default: "v${globalThis.pwn=1}w" },
          b: { type: "array", items: { type: "string" }, default: ["${globalThis.pwn=1}", "`+(globalThis.pwn=1)+`"] },
        },
      }),
    ],
  },
  {
    id: "H21",
    recipe: "patterns that are none, or none with `u`",
    instead: "a pattern that compiles without `u` alone is used without it",
    variants: [
      payload("(?<", { properties: { a: { type: "string", pattern: "(?<" } } }, { refused: /pattern/ }),
      payload(
        "\\-",
        { required: ["a"], properties: { a: { type: "string", pattern: "^\\-$" } } },
        { holds: judges(['{"a":"-"}'], ['{"a":"x"}']) },
      ),
      payload(
        "look-behind",
        { required: ["a"], properties: { a: { type: "string", pattern: "(?<=a)b" } } },
        { holds: judges(['{"a":"ab"}'], ['{"a":"b"}']) },
      ),
    ],
  },
  {
    id: "H22",
    recipe: "patterns that take exponential time",
    instead: "a warning; --strict refuses",
    variants: ["^(a|a)*$", "^(.*a){20}$", "^(x+x+)+y$"].map((pattern) =>
      payload(pattern, { properties: { a: { type: "string", pattern } } }, { warned: /pattern/, strict: /pattern/ }),
    ),
  },
  {
    id: "H23",
    recipe: "patterns that end literals",
    variants: [
      ["a/b", "a/b", "ab"],
      ["`", "`", "a"],
      ["^\\*/$", "*/", "/"],
      ["a\nb", "a\nb", "ab"],
      ["[/]", "/", "a"],
      ["^\u2028$", "\u2028", "a"],
    ].map(([pattern, good, bad]) =>
      payload(
        JSON.stringify(pattern),
        { required: ["a"], properties: { a: { type: "string", pattern } } },
        { holds: judges([JSON.stringify({ a: good })], [JSON.stringify({ a: bad })]) },
      ),
    ),
  },
  {
    id: "H24",
    recipe: "a property __proto__",
    instead: "it is a property like any other, and validated",
    variants: [
      payload(
        "required",
        { required: ["PROTO"], properties: { PROTO: { type: "string" } } },
        { holds: judges(['{"PROTO":"x"}'], ["{}", '{"PROTO":1}']) },
      ),
      payload(
        "patternProperties",
        { patternProperties: { "^__proto__$": { type: "string" } } },
        { holds: judges(['{"PROTO":"x"}', "{}"], ['{"PROTO":1}']) },
      ),
    ],
  },
  {
    id: "H25",
    recipe: "properties named like members of Object.prototype",
    variants: ["constructor", "toString", "hasOwnProperty", "valueOf"].flatMap((name) => [
      payload(
        `${name}, required`,
        { required: [name], properties: { [name]: { type: "string" } } },
        { holds: judges([`{"${name}":"x"}`], ["{}", `{"${name}":1}`]) },
      ),
      payload(
        `${name}, optional`,
        { properties: { [name]: { type: "string" } } },
        { holds: judges(["{}", `{"${name}":"x"}`], [`{"${name}":1}`]) },
      ),
    ]),
  },
  {
    id: "H26",
    recipe: "property names that are no identifiers",
    variants: ["a b", "'", '"', "\\", "\n", "*/", "[]", "", "\u2028", "${x}"].map((name) =>
      payload(
        JSON.stringify(name),
        { required: [name], properties: { [name]: { type: "string" } } },
        { holds: judges([JSON.stringify({ [name]: "x" })], ["{}", JSON.stringify({ [name]: 1 })]) },
      ),
    ),
  },
  {
    id: "H27",
    recipe: "uniqueItems without a bound",
    instead: "items are compared in linear time, so it is safe without a bound",
    variants: [
      payload(
        "one",
        { required: ["a"], properties: { a: { type: "array", uniqueItems: true, items: { type: "object" } } } },
        { holds: manyItems((index) => ({ index })) },
      ),
      payload(
        "three deep",
        {
          required: ["a"],
          properties: {
            a: {
              type: "array",
              uniqueItems: true,
              items: { type: "array", uniqueItems: true, items: { type: "array", uniqueItems: true } },
            },
          },
        },
        { holds: manyItems((index) => [[index]]) },
      ),
    ],
  },
  {
    id: "H28",
    recipe: "strings and arrays without a maximum",
    instead: "the size of a message bounds them: no warning, or every document would have hundreds",
    variants: [payload("both", { properties: { a: { type: "string" }, b: { type: "array", items: { type: "string" } } } })],
  },
  { id: "H29", recipe: "a schema 2,000 deep", variants: [payload("inline", deep(2_000), { refused: /deep|nest|level/i })] },
  {
    id: "H30",
    recipe: "oneOf with 1,000 branches",
    instead: "it is a payload of one message, so nothing is ambiguous; the guard is finite",
    variants: [
      payload(
        "no discriminator",
        { oneOf: Array.from({ length: 1_000 }, (_, index) => ({ required: ["a"], properties: { a: { const: index } } })) },
        { holds: judges(['{"a":999}'], ['{"a":1000}', "{}"]) },
      ),
    ],
  },
  {
    id: "H31",
    recipe: "a broken discriminator",
    instead: "OpenAPI's `discriminator` only helps where it can; what decides are the constants",
    variants: [
      {
        name: "a mapping to nowhere",
        files: json(
          plain({
            payload: {
              discriminator: { propertyName: "t", mapping: { x: "#/components/schemas/None" } },
              oneOf: [{ $ref: "#/components/schemas/A" }],
            },
            schemas: { A: { type: "object", required: ["t"], properties: { t: { const: "x" } } } },
          }),
        ),
        mayRefuse: true,
      },
      {
        name: "the tag __proto__",
        files: json({
          ...plain(),
          channels: {
            talk: {
              address: "/talk",
              messages: {
                a: { payload: { type: "object", required: ["type"], properties: { type: { const: "PROTO" } } } },
                b: { payload: { type: "object", required: ["type"], properties: { type: { const: "constructor" } } } },
              },
            },
          },
        }),
      },
      {
        name: "one constant twice",
        files: json({
          ...plain(),
          channels: {
            talk: {
              address: "/talk",
              messages: {
                a: { payload: { type: "object", required: ["type"], properties: { type: { const: "x" }, n: { type: "number" } } } },
                b: { payload: { type: "object", required: ["type"], properties: { type: { const: "x" }, s: { type: "string" } } } },
              },
            },
          },
        }),
        warned: /told apart/,
      },
    ],
  },
  {
    id: "H32",
    recipe: "$refs that lead nowhere but to themselves",
    variants: [
      {
        name: "A → B → A",
        files: json({
          ...plain(),
          components: { schemas: { A: { $ref: "#/components/schemas/B" }, B: { $ref: "#/components/schemas/A" } } },
          channels: { talk: { address: "/talk", messages: { hello: { payload: { $ref: "#/components/schemas/A" } } } } },
        }),
        refused: /\$ref|itself|circle|cycle/,
      },
      {
        name: "allOf of itself",
        files: json({
          ...plain(),
          components: { schemas: { A: { allOf: [{ $ref: "#/components/schemas/A" }] } } },
          channels: { talk: { address: "/talk", messages: { hello: { payload: { $ref: "#/components/schemas/A" } } } } },
        }),
        refused: /itself|circle|cycle|recurs/,
      },
      ref("#", "#", /./),
    ],
  },
  {
    id: "H33",
    recipe: "legal recursion",
    variants: [
      {
        name: "a tree",
        files: json({
          ...plain(),
          components: {
            schemas: {
              Tree: { type: "object", properties: { children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } } },
            },
          },
          channels: { talk: { address: "/talk", messages: { hello: { payload: { $ref: "#/components/schemas/Tree" } } } } },
        }),
        holds: deepDataIsAnswered,
      },
      {
        name: "two through properties",
        files: json({
          ...plain(),
          components: {
            schemas: {
              A: { type: "object", properties: { b: { $ref: "#/components/schemas/B" } } },
              B: { type: "object", properties: { a: { $ref: "#/components/schemas/A" } } },
            },
          },
          channels: { talk: { address: "/talk", messages: { hello: { payload: { $ref: "#/components/schemas/A" } } } } },
        }),
      },
    ],
  },
  {
    id: "H34",
    recipe: "$refs to other machines",
    variants: [
      process.env.WSGEN_LISTENER ?? "http://127.0.0.1:9/x",
      "http://169.254.169.254/latest/meta-data",
      "https://evil.invalid/x.json",
      "//host.invalid/x",
      "ftp://host.invalid/x",
      "data:application/json,{}",
      "\\\\host.invalid\\x",
    ].map((target) => ref(target, target)),
  },
  {
    id: "H35",
    recipe: "$refs out of the folder",
    variants: [
      ...["file:///etc/passwd", "../../../../../../../etc/passwd", "%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", ".", "/dev/zero"].map(
        (target) => ref(target, target),
      ),
      ref("a link out", "link.json", /./, { prepare: (folder) => symlinkSync("/etc/passwd", join(folder, "link.json")) }),
      ref("a pipe", "pipe.json", /./, { prepare: (folder) => execFileSync("mkfifo", [join(folder, "pipe.json")]) }),
    ],
  },
  {
    id: "H36",
    recipe: "pointers to what is no part of the document",
    variants: ["#/constructor/prototype", "#/__proto__/x", "#/components/%zz", "#/components/schemas/text/0"].map((target) =>
      ref(target, target),
    ),
  },
  {
    id: "H37",
    recipe: "other ways of referring",
    variants: [
      payload(
        "$ref with siblings",
        { properties: { a: { $ref: "#/components/schemas/S", minLength: 5 } } },
        {
          files: json(
            plain({ payload: { properties: { a: { $ref: "#/components/schemas/S", minLength: 5 } } }, schemas: { S: { type: "string" } } }),
          ),
          warned: /\$ref/,
        },
      ),
      payload("$id that rebases", { $id: "https://evil.invalid/", properties: { a: { $ref: "other.json" } } }, { refused: /other\.json/ }),
      payload("$dynamicRef", { properties: { a: { $dynamicRef: "#x" } } }, { mayRefuse: true }),
      payload("$anchor twice", { properties: { a: { $anchor: "x" }, b: { $anchor: "x" } } }, { mayRefuse: true }),
    ],
  },
  {
    id: "H38",
    recipe: "billion laughs",
    variants: [
      {
        name: "9 levels",
        files: yaml(
          `${head}x-a: &a0 [x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, level) => `x-${level}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(", ")}]\n`).join("")}${tail}`,
        ),
        refused: /alias/i,
      },
    ],
  },
  {
    id: "H39",
    recipe: "an alias inside its own anchor",
    variants: [{ name: "&a {b: *a}", files: yaml(`${head}x-a: &a { b: *a }\n${tail}`), refused: /alias|anchor/i }],
  },
  {
    id: "H40",
    recipe: "nesting that overflows readers",
    variants: [
      { name: "100,000 brackets", files: yaml(`${head}x-a: ${"[".repeat(100_000)}`), refused: /./ },
      {
        name: "100,000 brackets in JSON",
        files: { "asyncapi.json": `{"asyncapi":"3.0.0","x-a":${"[".repeat(100_000)}${"]".repeat(100_000)}}` },
        refused: /./,
      },
      {
        name: "5,000 maps",
        files: yaml(`${head}x-a: ${"{ a: ".repeat(5_000)}1${" }".repeat(5_000)}\n${tail}`),
        refused: /deep|nest|level/i,
      },
      {
        name: "4,000 maps, indented",
        files: yaml(`${head}x-a:\n${Array.from({ length: 4_000 }, (_, level) => `${" ".repeat(level + 1)}a:\n`).join("")}${tail}`),
        refused: /./,
      },
    ],
  },
  {
    id: "H41",
    recipe: "YAML's dark corners",
    variants: [
      { name: "duplicate keys", files: yaml(`${head}${tail}x-a: 1\nx-a: 2\n`), refused: /x-a|duplicate|twice/i },
      {
        name: "a merge key with __proto__",
        files: yaml(`${head}${tail}x-base: &base { __proto__: { polluted: true } }\nx-a: { <<: *base }\n`),
        mayRefuse: true,
      },
      ...["!!js/function 'function () { process.exit(7) }'", "!!binary aGVsbG8=", "!custom x"].map((value) => ({
        name: value,
        files: yaml(`${head}${tail}x-a: ${value}\n`),
        refused: /tag/i,
      })),
      { name: "a key that is a list", files: yaml(`${head}${tail}x-a: { ? [a, b] : c }\n`), refused: /./ },
      {
        name: "no, 012, 1:30",
        files: yaml(`${head}${tail.replace("type: object", "type: object, required: [a], properties: { a: { enum: [no, 012, 1:30] } }")}`),
        mayRefuse: true,
      },
    ],
  },
  {
    id: "H42",
    recipe: "bytes that are not the text one expects",
    variants: [
      { name: "BOM", files: { "asyncapi.yaml": Buffer.from(`\ufeff${head}${tail}`) } },
      { name: "CRLF", files: yaml(`${head}${tail}`.replaceAll("\n", "\r\n")) },
      { name: "tabs", files: yaml(`${head}channels:\n\ttalk: {}\n`), refused: /tab|./i },
      { name: "NUL", files: yaml(`${head}${tail}x-a: "\0"\n`), refused: /./ },
      { name: "UTF-16", files: { "asyncapi.yaml": Buffer.from(`\ufeff${head}${tail}`, "utf16le") }, refused: /UTF/ },
      { name: "Latin-1", files: { "asyncapi.yaml": Buffer.from(`${head}x-a: é\n${tail}`, "latin1") }, refused: /UTF/ },
      { name: "two documents", files: yaml(`${head}${tail}---\n${head}${tail}`), refused: /document/ },
      { name: "empty", files: yaml(""), refused: /empty/ },
      {
        name: "100 MB",
        files: { "asyncapi.yaml": `# ${"x".repeat(100 * 1024 * 1024)}\n` },
        refused: /large|MiB|size|big/i,
        anywhere: true,
      },
    ],
  },
  {
    id: "H43",
    recipe: "traits that merge into prototypes",
    variants: [
      {
        name: "operation and message traits",
        files: json({
          ...plain({ message: { traits: [{ PROTO: { polluted: true }, "x-a": null, headers: null }] } }),
          operations: {
            receive: {
              action: "receive",
              channel: { $ref: "#/channels/talk" },
              traits: [{ PROTO: { polluted: true }, constructor: { prototype: { polluted: true } }, "x-b": { PROTO: { polluted: true } } }],
            },
          },
        }),
        mayRefuse: true,
      },
    ],
  },
  {
    id: "H44",
    recipe: "runtime expressions that lead elsewhere",
    instead: "the reply is an ordinary message, and a warning says why",
    variants: ["$message.payload#/__proto__/x", "$message.header#//", `$message.payload#/${"a".repeat(10_000)}`, "$foo"].map(
      (location) => ({
        name: location.slice(0, 40),
        files: json({
          ...plain(),
          channels: {
            talk: {
              address: "/talk",
              messages: {
                ask: {
                  correlationId: { location },
                  payload: { type: "object", required: ["type"], properties: { type: { const: "ask" } } },
                },
                answer: { correlationId: { location }, payload: { type: "object" } },
              },
            },
          },
          operations: {
            receive: {
              action: "receive",
              channel: { $ref: "#/channels/talk" },
              messages: [{ $ref: "#/channels/talk/messages/ask" }],
              reply: { messages: [{ $ref: "#/channels/talk/messages/answer" }] },
            },
          },
        }),
        warned: /correlation/,
      }),
    ),
  },
  {
    id: "H45",
    recipe: "hosts that are more than hosts",
    variants: [
      ...["user:pass@localhost", "localhost\r\nX: y", "local host", "`localhost`", '"};process.exit(7);//'].map((host) => ({
        name: JSON.stringify(host),
        files: json({ ...plain(), servers: { main: { host, protocol: "ws" } } }),
        mayRefuse: true,
      })),
      {
        name: "protocol: javascript",
        files: json({ ...plain(), servers: { main: { host: "localhost", protocol: "javascript" } } }),
        refused: /javascript/,
      },
      {
        name: "a variable's default",
        files: json({
          ...plain(),
          servers: {
            main: {
              host: "{region}.example.com",
              protocol: "wss",
              variables: { region: { default: '"};process.exit(7);//', enum: ['"};process.exit(7);//', "${globalThis.pwn=1}"] } },
            },
          },
        }),
      },
    ],
  },
  {
    id: "H46",
    recipe: "addresses that are more than paths",
    variants: ["/a\r\nX: y", "/a?b=c", "/a#b", "/../a", "/{a}{a}", "/{a", "/a}", "/(a+)+$", `/${"a".repeat(5_000)}`, "/a b", "/%00", "//a"]
      .map((address) => ({
        name: JSON.stringify(address).slice(0, 40),
        files: json({
          ...plain(),
          channels: {
            talk: { address, parameters: address.includes("{a}") ? { a: {} } : {}, messages: { hello: { payload: { type: "object" } } } },
          },
        }),
        mayRefuse: true,
      }))
      .concat([
        {
          name: "null",
          files: json({ ...plain(), channels: { talk: { address: null, messages: { hello: { payload: { type: "object" } } } } } }),
          mayRefuse: true,
        },
      ]),
  },
  {
    id: "H47",
    recipe: "bindings for headers of the handshake itself",
    instead: "left out with a warning: real documents describe the handshake's own headers, and the runtime checks those",
    variants: [
      ...["Sec-WebSocket-Key", "Host", "Content-Length", "PROTO"].map((name) => ({
        name: proto(name),
        files: json({
          ...plain(),
          channels: {
            talk: {
              address: "/talk",
              bindings: { ws: { headers: { type: "object", required: [name], properties: { [name]: { type: "string" } } } } },
              messages: { hello: { payload: { type: "object" } } },
            },
          },
        }),
        warned: /header/i,
      })),
      {
        name: "__proto__ in the query",
        files: json({
          ...plain(),
          channels: {
            talk: {
              address: "/talk",
              bindings: { ws: { query: { type: "object", properties: { PROTO: { type: "string" } } } } },
              messages: { hello: { payload: { type: "object" } } },
            },
          },
        }),
        mayRefuse: true,
      },
    ],
  },
  {
    id: "H48",
    recipe: "security schemes",
    variants: [
      {
        name: "the name __proto__",
        files: json({
          ...plain(),
          servers: { main: { host: "localhost", protocol: "ws", security: [{ $ref: "#/components/securitySchemes/PROTO" }] } },
          components: { securitySchemes: { PROTO: { type: "userPassword" } } },
        }),
        mayRefuse: true,
        noticed: true,
      },
      {
        name: "an unknown type",
        files: json({ ...plain(), servers: { main: { host: "localhost", protocol: "ws", security: [{ type: "carrierPigeon" }] } } }),
        mayRefuse: true,
        noticed: true,
      },
      {
        name: "a key in the query",
        files: json({
          ...plain(),
          servers: { main: { host: "localhost", protocol: "ws", security: [{ type: "httpApiKey", in: "query", name: "key" }] } },
        }),
        warned: /travels in the query/,
      },
    ],
  },
  {
    id: "H49",
    recipe: "extension fields",
    variants: [
      {
        name: "deep and huge",
        files: json({
          ...plain(),
          "x-deep": deep(50),
          "x-huge": "x".repeat(1_000_000),
          "x-code": { type: "function", body: "process.exit(7)" },
          "x-wsgen-import": "../evil",
        }),
      },
      { name: "an unknown key of ours", files: json({ ...plain(), "x-wsgen": { import: "../evil" } }), refused: /import/ },
    ],
  },
  {
    id: "H50",
    recipe: "content types and schema formats",
    instead: "payloads in other schema languages are `unknown`, and a warning names the language",
    variants: [
      {
        name: "a content type with a header in it",
        files: json(plain({ message: { contentType: "text/html\r\nX: y" } })),
        mayRefuse: true,
        noticed: true,
      },
      {
        name: "Avro",
        files: json(
          plain({
            message: {
              payload: { schemaFormat: "application/vnd.apache.avro;version=1.9.0", schema: { type: "record", name: "A", fields: [] } },
            },
          }),
        ),
        warned: /avro/i,
      },
      {
        name: "RAML",
        files: json(plain({ message: { payload: { schemaFormat: "application/raml+yaml;version=1.0", schema: "type: object" } } })),
        warned: /raml/i,
      },
    ],
  },
  {
    id: "H51",
    recipe: "very many definitions",
    variants: [
      {
        name: "20,000 channels",
        slow: true,
        files: json({
          ...plain(),
          channels: Object.fromEntries(
            Array.from({ length: 20_000 }, (_, index) => [
              `c${index}`,
              { address: `/c${index}`, messages: { hello: { $ref: "#/components/messages/hello" } } },
            ]),
          ),
          operations: {},
          components: { messages: { hello: { payload: { type: "object" } } } },
        }),
      },
      {
        name: "50,000 schemas",
        slow: true,
        files: json({
          ...plain(),
          components: {
            schemas: Object.fromEntries(
              Array.from({ length: 50_000 }, (_, index) => [`S${index}`, { type: "object", properties: { a: { type: "string" } } }]),
            ),
          },
        }),
      },
    ],
  },
  {
    id: "H52",
    recipe: "versions",
    instead: "3.1 is supported",
    variants: [
      { name: "3.1.0", files: json({ ...plain(), asyncapi: "3.1.0" }) },
      ...["3", "1.2.0", "4.0.0", ["3.0.0"], 3].map((asyncapi) => ({
        name: JSON.stringify(asyncapi),
        files: json({ ...plain(), asyncapi }),
        refused: /version|asyncapi|1\.2/i,
      })),
      { name: "missing", files: json({ ...plain(), asyncapi: undefined }), refused: /asyncapi/, anywhere: true },
    ],
  },
  {
    id: "H53",
    recipe: "two messages with one tag",
    instead: "one handler with a union type, and a warning",
    variants: [
      {
        name: "in one channel",
        files: json({
          ...plain(),
          channels: {
            talk: {
              address: "/talk",
              messages: {
                a: { payload: { type: "object", required: ["type"], properties: { type: { const: "x" } } } },
                b: { payload: { type: "object", required: ["type"], properties: { type: { const: "x" }, more: { type: "string" } } } },
              },
            },
          },
        }),
        warned: /told apart/,
      },
    ],
  },
  {
    id: "H54",
    recipe: "a disk that fails",
    variants: [
      {
        name: "output that cannot be written",
        files: { ...json(plain()), out: "a file where the folder should be\n" },
        refused: /out/,
        anywhere: true,
        keeps: ["out"],
      },
      { name: "killed in the middle, 20 times", files: json(plain()), killed: 20 },
    ],
  },
  {
    id: "H55",
    recipe: "arguments that are none",
    variants: [
      { name: "`-`", argument: "-", files: json(plain()), refused: /./, anywhere: true },
      { name: "a glob", argument: "*.json", files: json(plain()), refused: /./, anywhere: true },
      { name: "a folder", argument: ".", files: json(plain()), refused: /./, anywhere: true },
      {
        name: "a pipe that gives nothing",
        argument: "pipe",
        files: {},
        prepare: (folder) => execFileSync("mkfifo", [join(folder, "pipe")]),
        refused: /./,
        anywhere: true,
      },
      { name: "a name that looks like an option", argument: "--help.json", files: { "--help.json": JSON.stringify(plain()) } },
    ],
  },
];
