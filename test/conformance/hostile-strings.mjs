// A valid document in whose strings anything may stand: every name, text, value and pattern that its author chooses is a place, and hostile strings are drawn
// into some of them. What comes of it is judged like the recipes (hostile.mjs): generated or refused at a place, nothing run, nothing that does not compile.
import fc from "fast-check";

/** Ends of whatever generated text a string may be put into, and what is special to JavaScript, JSON, disks and addresses. */
const endings = [
  "*/",
  "`",
  '"',
  "'",
  "${",
  "}",
  "\n",
  "\r\n",
  "\u2028",
  "\u2029",
  "\\",
  "\\u0022",
  "//",
  "<!--",
  "</script>",
  ");",
  "]",
  "\0",
  "\ud800",
  "\u202e",
];
const code = "globalThis.pwn=1";
const whole = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "default",
  "class",
  "await",
  "eval",
  "arguments",
  "Promise",
  "Array",
  "Event",
  "isOwn",
  "contract",
  "register",
  "",
  " ",
  ".",
  "..",
  "../../evil",
  "/etc/passwd",
  "CON",
  "a/b~c",
  "~1",
  "%2e%2e",
  "{x}",
  "é",
  "e\u0301",
  "😀",
  "0",
  "1e3",
  "-0",
  "@type",
  "// @ts-ignore",
  "@ts-nocheck",
  "*/import('node:fs')/*",
  "^(a+)+$",
  "[",
  "(?<n>a)\\k<n>",
  "a".repeat(5_000),
];

const hostile = fc.oneof(
  fc.constantFrom(...whole),
  fc.tuple(fc.constantFrom(...endings), fc.constantFrom(...endings)).map(([end, begin]) => `${end};${code};${begin}`),
  fc.array(fc.constantFrom(...endings, code, "a", " "), { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** The document; `at` gives the string of each place. Refs follow their names. */
function documentOf(at) {
  const ref = (...path) => ({ $ref: `#/${path.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}` });
  const docs = (place) => ({
    title: at(`${place}.title`, place),
    summary: at(`${place}.summary`, "Short."),
    description: at(`${place}.description`, "Long."),
  });
  /** An object whose keys are places too; own properties, `__proto__` among them. */
  const keyed = (...entries) => Object.fromEntries(entries);
  const [channel, message, reply, schema, property, tag, parameter, server, variable, receive, send] = [
    ["channel", "room"],
    ["message", "post"],
    ["reply", "posted"],
    ["schema", "Post"],
    ["property", "text"],
    ["tag", "type"],
    ["parameter", "roomId"],
    ["server", "production"],
    ["variable", "region"],
    ["receive", "receivePost"],
    ["send", "sendPosted"],
  ].map(([place, usual]) => at(place, usual));
  return {
    asyncapi: "3.0.0",
    info: { title: at("title", "Rooms"), version: at("version", "1.0.0"), description: at("description", "About rooms.") },
    defaultContentType: "application/json",
    servers: keyed([
      server,
      {
        host: "{region}.example.com".replace("region", variable),
        protocol: "wss",
        pathname: at("pathname", "/v1"),
        ...docs("server"),
        variables: keyed([
          variable,
          {
            default: at("variable.default", "eu"),
            enum: [at("variable.default", "eu"), at("variable.enum", "us")],
            description: at("variable.description", "Where."),
          },
        ]),
      },
    ]),
    channels: keyed([
      channel,
      {
        address: `${at("address", "/rooms")}/{${parameter}}`,
        ...docs("channel"),
        parameters: keyed([
          parameter,
          {
            description: at("parameter.description", "Which."),
            enum: [at("parameter.enum", "a"), "b"],
            examples: [at("parameter.example", "a")],
          },
        ]),
        messages: keyed([message, ref("components", "messages", message)], [reply, ref("components", "messages", reply)]),
        bindings: {
          ws: {
            query: {
              type: "object",
              properties: keyed([
                at("query", "token"),
                { type: "string", description: at("query.description", "Whose."), default: at("query.default", "x") },
              ]),
            },
          },
        },
      },
    ]),
    operations: keyed(
      [
        receive,
        {
          action: "receive",
          channel: ref("channels", channel),
          messages: [ref("channels", channel, "messages", message)],
          ...docs("receive"),
        },
      ],
      [
        send,
        { action: "send", channel: ref("channels", channel), messages: [ref("channels", channel, "messages", reply)], ...docs("send") },
      ],
    ),
    components: {
      messages: keyed(
        [
          message,
          {
            name: at("message.name", "post"),
            ...docs("message"),
            payload: ref("components", "schemas", schema),
            examples: [{ name: at("example.name", "one"), payload: keyed([tag, "post"]) }],
          },
        ],
        [
          reply,
          {
            contentType: at("reply.contentType", "application/json"),
            ...docs("reply"),
            payload: { type: "object", required: [tag], properties: keyed([tag, { const: at("reply.constant", "posted") }]) },
          },
        ],
      ),
      schemas: keyed([
        schema,
        {
          type: "object",
          ...docs("schema"),
          required: [tag, property],
          properties: keyed(
            [tag, { const: at("constant", "post"), description: at("tag.description", "Which.") }],
            [
              property,
              {
                type: "string",
                description: at("property.description", "What."),
                default: at("default", ""),
                examples: [at("example", "hi")],
              },
            ],
            ["size", { enum: [at("enum", "small"), "large", 3, null] }],
            ["code", { type: "string", pattern: at("pattern", "^[a-z]+$"), format: at("format", "uuid") }],
            [
              "map",
              {
                type: "object",
                patternProperties: keyed([at("patternProperty", "^x-"), { type: "string" }]),
                additionalProperties: ref("components", "schemas", schema),
              },
            ],
          ),
          dependencies: keyed([property, [at("dependency", "size")]]),
        },
      ]),
    },
  };
}

/** Every place, by writing the document once. */
const places = (() => {
  const seen = new Set();
  documentOf((place, usual) => {
    seen.add(place);
    return usual;
  });
  return [...seen];
})();

const drawn = fc.oneof(
  fc.dictionary(fc.constantFrom(...places), hostile, { minKeys: 1, maxKeys: 4 }),
  // One string everywhere it fits: names that meet each other.
  fc
    .tuple(fc.subarray(places, { minLength: 2, maxLength: 8 }), hostile)
    .map(([chosen, text]) => Object.fromEntries(chosen.map((place) => [place, text]))),
);

/** So many documents with hostile strings, as variants of one recipe. */
export function drawnRecipe(count, seed) {
  const variants = fc.sample(drawn, { numRuns: count, seed }).map((strings) => ({
    name: `seed ${seed}: ${JSON.stringify(strings).slice(0, 300)}`,
    files: { "drawn.json": JSON.stringify(documentOf((place, usual) => (Object.hasOwn(strings, place) ? strings[place] : usual))) },
    mayRefuse: true,
  }));
  return { id: "drawn", variants };
}
