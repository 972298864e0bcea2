import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CheckOptions, check } from "../../../codegen/src/document/check.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { selfContained } from "../../../codegen/src/document/official.ts";
import { processorTime } from "../../processor-time.mjs";
import { asyncapi, folderOf, lines, loadFiles } from "./files.ts";

/** Loads and checks `api.yaml`, with a cache of its own. */
/** On a busy machine the parser has no verdict within ten seconds. */
const patient = 60_000;

async function checkFiles(files: Parameters<typeof loadFiles>[0], options: CheckOptions = {}) {
  const document = await loadFiles(files);
  return check(document, { cacheFolder: folderOf({}), deadline: patient, ...options });
}

describe("a valid document", () => {
  it("has no findings, and style is no matter", async () => {
    const document = await load("specs/chat.yaml");
    const outcome = await check(document, { cacheFolder: folderOf({}), deadline: patient });
    expect(outcome).toMatchObject({ diagnostics: [], verdict: "valid", cached: false });
  });

  it("may have operations on channels that are refs, and refs through refs", async () => {
    const outcome = await checkFiles(
      asyncapi(
        'channels: { a: { $ref: "#/components/channels/a" } }\noperations: { o: { action: send, channel: { $ref: "#/channels/a" }, messages: [{ $ref: "#/channels/a/messages/m" }] } }\ncomponents: { channels: { a: { address: /a, messages: { m: { payload: { type: string } } } } } }\n',
      ),
      { strict: true },
    );
    expect(outcome).toMatchObject({ diagnostics: [], verdict: "valid" });
  });
});

describe("a message that is none of its operation's channel", () => {
  it("is told by its names where it should be", async () => {
    const message = "{ payload: { type: string } }";
    const { diagnostics } = await checkFiles(
      asyncapi(
        `channels: { a/b: { address: /a, messages: { m: ${message} } } }\noperations: { o: { action: send, channel: { $ref: "#/channels/a~1b" }, messages: [{ $ref: "#/components/messages/n" }] } }\ncomponents: { messages: { n: ${message} } }\n`,
      ),
    );
    expect(diagnostics).toMatchObject([{ fix: expect.stringContaining('"#/channels/a~1b/messages/n"') }]);
  });
});

describe("a name `__proto__`", () => {
  const operations = 'operations: { o: { action: receive, channel: { $ref: "#/channels/__proto__" } } }';

  it.each([
    [
      "of a property",
      "channels: { a: { address: /a, messages: { m: { payload: { type: object, required: [__proto__], properties: { __proto__: { type: string } } } } } } }",
    ],
    ["of a channel", `channels: { __proto__: { address: /a, messages: { m: { payload: { type: string } } } } }\n${operations}`],
    ["of a message", "channels: { a: { address: /a, messages: { __proto__: { payload: { type: string } } } } }"],
  ])("%s leads the official parser into no findings", async (_what, text) => {
    const { diagnostics } = await checkFiles(asyncapi(`${text}\n`));
    expect(lines(diagnostics)).toEqual([]);
  });
});

describe("a key of YAML without a value", () => {
  const empty = [
    "servers: { s: { host: localhost, protocol: ws, variables: } }",
    "channels:",
    "  a:",
    "    address: /a",
    "    parameters:",
    "    messages:",
    "      m: { payload: , headers: }",
    "      n: { payload: { type: object, properties: { free: } } }",
    "components:",
    "",
  ].join("\n");

  it("counts as left out, with a warning, wherever something else belongs there", async () => {
    const { diagnostics, verdict } = await checkFiles(asyncapi(empty));
    expect(verdict).toBe("valid");
    expect(lines(diagnostics)).toEqual(
      ["3:57", "7:15", "9:19", "9:30", "10:55", "11:11"].map((place) => {
        const fix = "which counts as left out. | Write what belongs there, or remove it.";
        return expect.stringMatching(new RegExp(`^${place} warning \\S+: "\\w+" is empty, ${fix.replaceAll(/[.|]/g, "\\$&")}$`));
      }),
    );
    expect((await checkFiles(asyncapi(empty), { strict: true })).verdict).toBe("invalid");
  });

  it("is missing where nothing can be guessed", async () => {
    const text =
      "servers: { s: { host: , protocol: ws } }\nchannels: { a: {} }\noperations: { o: { action: , channel: { $ref: '#/channels/a' } } }\n";
    const { diagnostics } = await checkFiles(asyncapi(text));
    expect(lines(diagnostics)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('error missing-field: A server needs the field "host".'),
        expect.stringContaining('error missing-field: An operation needs the field "action".'),
      ]),
    );
  });
});

describe("what the official parser does not read and we do", () => {
  const withPayload = (message: string) => asyncapi(`channels: { a: { address: /a, messages: { m: ${message} } } }\n`);

  it("is OpenAPI's schemas, of which nothing is said, and `true` for a schema", async () => {
    const openapi = withPayload(
      '{ payload: { schemaFormat: "application/vnd.oai.openapi+json;version=3.0.0", schema: { nullable: true } } }',
    );
    expect(lines((await checkFiles(openapi)).diagnostics)).toEqual([]);
    expect((await checkFiles(withPayload("{ payload: true }"))).verdict).toBe("valid");
  });
});

describe("a message that does not fit", () => {
  it("is told of by what does not fit, not by every field that it has", async () => {
    const message = "{ summary: S, payload: { $ref: '#/components/schemas/s' }, examples: [{ name: n, payload: {} }] }";
    const outcome = await checkFiles(
      `asyncapi: 2.0.0\ninfo: { title: T, version: 1.0.0 }\nchannels: { /a: { publish: { message: { $ref: '#/components/messages/m' } } } }\ncomponents:\n  messages:\n    m: ${message}\n  schemas:\n    s: { type: object }\n`,
    );
    expect(lines(outcome.diagnostics)).toEqual([expect.stringMatching(/^6:\d+ warning \S+: This object has no field "name"\./)]);
  });
});

describe("a misspelt keyword", () => {
  it("is reported at its own key with the word that was meant, and nothing else is said about it", async () => {
    const outcome = await checkFiles(
      [
        "asyncapi: 3.1.0",
        "info:",
        "  title: T",
        "  verion: 1.0.0",
        "channels:",
        "  a:",
        "    adress: /a",
        "    messages:",
        "      m: { payload: { type: strin, requried: [a], remark: x } }",
        "operations:",
        "  o:",
        "    action: recieve",
        '    chanel: { $ref: "#/channels/a" }',
        "colour: red",
        "",
      ].join("\n"),
    );
    expect(lines(outcome.diagnostics)).toEqual([
      '4:3 warning unknown-field: Info has no field "verion". | Did you mean "version"?',
      '7:5 warning unknown-field: A channel has no field "adress". | Did you mean "address"?',
      expect.stringMatching(
        /^9:29 error asyncapi-document-resolved: "type" is "strin", but must be one of: .* \| Did you mean "string"\?$/,
      ),
      '9:36 warning unknown-keyword: JSON Schema has no keyword "requried"; it is ignored. | Did you mean "required"?',
      '12:13 error unknown-action: An action is "send" or "receive". | Did you mean "receive"?',
      '13:5 error unknown-field: An operation has no field "chanel". | Did you mean "channel"?',
      '14:1 warning unknown-field: The document has no field "colour". | Remove it, or call it "x-colour" if it is an extension.',
    ]);
    expect(outcome.verdict).toBe("invalid");
  });

  it("is found in other files too", async () => {
    const outcome = await checkFiles({
      "api.yaml": asyncapi('channels:\n  a: { address: /a, messages: { m: { $ref: "m.yaml" } } }\n'),
      "m.yaml": "name: m\npayloads: { type: string }\n",
    });
    expect(lines(outcome.diagnostics)).toEqual([
      'm.yaml:2:1 warning unknown-field: A message has no field "payloads". | Did you mean "payload"?',
    ]);
  });
});

describe("names used twice", () => {
  it("are reported for messages of one channel and direction with different contents, 3.x", async () => {
    const messages =
      "m: { name: x, payload: { type: string } }\n      n: { name: x, payload: { type: number } }\n      o: { name: x, payload: { type: number } }";
    const channel = `channels:\n  a:\n    address: /a\n    messages:\n      ${messages}\n`;
    const both = await checkFiles(asyncapi(`${channel}operations: { o: { action: send, channel: { $ref: "#/channels/a" } } }\n`));
    expect(lines(both.diagnostics)).toEqual([
      '8:18 warning duplicate-message-name: The message name "x" is already used in line 7, in the same direction of the same channel. | Give one of them another name, or refer to one definition twice.',
      expect.stringContaining("9:18 warning duplicate-message-name"),
    ]);
  });

  it("are reported for operationId, messageId and name, 2.x", async () => {
    const outcome = await checkFiles(
      [
        "asyncapi: 2.6.0",
        "info: { title: T, version: 1.0.0 }",
        "channels:",
        "  /a/{b}:",
        "    parameters: { c: { schema: { type: string } } }",
        "    publish:",
        "      operationId: o",
        "      message:",
        "        oneOf:",
        "          - { messageId: q, name: n, payload: { type: string } }",
        "          - { messageId: q, name: n, payload: { type: int } }",
        "    subscribe: { operationId: o, message: { payload: { type: string } } }",
        "",
      ].join("\n"),
    );
    expect(lines(outcome.diagnostics)).toEqual([
      "5:5 warning asyncapi2-channel-parameters: The address has a parameter that is not described: b. | Describe it under `parameters`.",
      '5:19 warning asyncapi2-channel-parameters: The parameter "c" does not occur in the address. | Put {c} into the address, or remove the parameter.',
      expect.stringContaining('warning asyncapi2-operation-operationId-uniqueness: The operationId "o" is used more than once.'),
      '11:26 warning asyncapi2-message-messageId-uniqueness: The messageId "q" is used more than once. | Rename one of the messages.',
      expect.stringContaining('11:35 warning duplicate-message-name: The message name "n" is already used in line 10'),
      expect.stringMatching(/^11:55 error asyncapi-document-resolved: "type" is "int", .* \| Did you mean "integer"\?$/),
    ]);
  });
});

describe("the verdict", () => {
  const example = [
    "asyncapi: 2.6.0",
    "info: { title: T, version: 1.0.0 }",
    "channels:",
    "  /a:",
    "    publish:",
    "      message:",
    "        payload: { type: object, properties: { n: { type: number } } }",
    "        examples:",
    "          - payload: { n: one }",
    "    bindings: { ws: { methd: GET } }",
    "",
  ].join("\n");

  it("is lenient where generation is possible", async () => {
    const outcome = await checkFiles(example);
    expect(outcome.verdict).toBe("valid");
    expect(lines(outcome.diagnostics)).toEqual([
      '9:27 warning asyncapi2-message-examples: An example does not fit its schema: "n" must be a number, not a string. | Correct the example or the schema.',
      '10:23 warning unknown-field: The ws binding has no field "methd". | Did you mean "method"?',
    ]);
  });

  it("is the official parser's with strict", async () => {
    const outcome = await checkFiles(example, { strict: true });
    expect(outcome.verdict).toBe("invalid");
    expect(outcome.diagnostics.map((one) => one.severity)).toEqual(["error", "error"]);
  });

  it("says what is wrong with parts of the wrong kind", async () => {
    const outcome = await checkFiles(asyncapi("channels: []\noperations: 5\ncomponents: { messages: [] }\n"));
    expect(lines(outcome.diagnostics)).toEqual([
      '3:11 error asyncapi-document-resolved: "channels" must be an object, not a list. | Write an object.',
      '4:13 error asyncapi-document-resolved: "operations" must be an object, not a number. | Write an object.',
      '5:25 error asyncapi-document-resolved: "messages" must be an object, not a list. | Write an object.',
    ]);
  });

  it("says one thing of one mistake, however many refs and lists it stands behind", async () => {
    const outcome = await checkFiles(
      asyncapi(`channels: { a: { address: /a, messages: { m: { payload: { type: object, properties: { list: { type: array, items: { $ref: "#/components/schemas/B" } } } } } } } }
components: { schemas: { B: { type: object, properties: { c: { $ref: "#/components/schemas/C" } } }, C: { type: int } } }
`),
    );
    expect(lines(outcome.diagnostics).filter((line) => !line.includes("schema-type"))).toEqual([
      expect.stringMatching(/^4:\d+ error asyncapi-document-resolved: "type" is "int"/),
    ]);
  });

  it("leaves broken refs to load", async () => {
    const outcome = await checkFiles(asyncapi('channels: { a: { address: /a, messages: { m: { $ref: "#/components/messages/m" } } } }\n'));
    expect(outcome.diagnostics).toEqual([]);
  });

  it("is unknown after the deadline, and our own checks have spoken", async () => {
    const schemas = Array.from(
      { length: 22 },
      (_, n) => `    S${n}: { allOf: [{ $ref: "#/components/schemas/S${n + 1}" }, { $ref: "#/components/schemas/S${n + 1}" }] }\n`,
    );
    const text = asyncapi(`colour: red\ncomponents:\n  schemas:\n${schemas.join("")}    S22: { type: string }\n`);
    const before = processorTime();
    const outcome = await checkFiles(text, { deadline: 1_000 });
    expect(outcome.verdict).toBe("unknown");
    expect(processorTime() - before).toBeLessThan(4_000);
    expect(lines(outcome.diagnostics)).toEqual([
      expect.stringContaining("1:1 warning check-abandoned: The official AsyncAPI parser gave no verdict: it took longer than 1 s."),
      expect.stringContaining("3:1 warning unknown-field"),
    ]);
  });
});

describe("the cache", () => {
  it("answers for the same content in no time, and for nothing else", async () => {
    const folder = folderOf({ "api.yaml": asyncapi('x-a: 1\ncolour: red\ny: { $ref: "b.yaml" }\n'), "b.yaml": "type: string\n" });
    mkdirSync(join(folder, "node_modules"));
    const run = async (options: CheckOptions = {}) => check(await load(join(folder, "api.yaml")), { deadline: patient, ...options });
    const first = await run();
    const second = await run();
    expect(first.cached).toBe(false);
    expect(second.cached).toBe(true);
    expect(second.diagnostics).toEqual(first.diagnostics);
    expect(second.ms).toBeLessThan(first.ms / 2);
    expect(readdirSync(join(folder, "node_modules/.cache/wsgen"))).toHaveLength(1);

    expect((await run({ strict: true })).cached).toBe(false);
    writeFileSync(join(folder, "b.yaml"), "type: number\n");
    expect((await run()).cached).toBe(false);
    const [entry = ""] = readdirSync(join(folder, "node_modules/.cache/wsgen"));
    for (const name of [entry]) writeFileSync(join(folder, "node_modules/.cache/wsgen", name), "{ not ours");
    expect((await run()).verdict).toBe("valid");
  });

  it("that cannot be written is no error", async () => {
    const folder = folderOf({ "api.yaml": asyncapi("x-a: 1\n"), file: "" });
    const outcome = await check(await load(join(folder, "api.yaml")), { deadline: patient, cacheFolder: join(folder, "file/below") });
    expect(outcome).toMatchObject({ verdict: "valid", cached: false });
  });

  it("spares the worker and the parser", async () => {
    const folder = folderOf({ "api.yaml": asyncapi("x-a: 1\n") });
    const script = `
      import { check } from ${JSON.stringify(new URL("../../../codegen/dist/document/check.js", import.meta.url).href)};
      import { load } from ${JSON.stringify(new URL("../../../codegen/dist/document/load.js", import.meta.url).href)};
      import workers from "node:worker_threads";
      import { syncBuiltinESMExports } from "node:module";
      const document = await load("api.yaml");
      const first = await check(document, { cacheFolder: "cache", deadline: 60_000 });
      workers.Worker = class { constructor() { throw new Error("a worker was started"); } };
      syncBuiltinESMExports();
      const second = await check(document, { cacheFolder: "cache", deadline: 60_000 });
      console.log(JSON.stringify([first.cached, second.cached]));
    `;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, encoding: "utf8" });
    expect(JSON.parse(printed)).toEqual([false, true]);
  });
});

describe("no network", () => {
  it("hears of refs to http, in examples and elsewhere", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/x.yaml`;
    const text = asyncapi(
      `channels:\n  a:\n    address: /a\n    messages:\n      m: { $ref: "${url}" }\n      n: { payload: { const: { $ref: "${url}" }, default: { $ref: "${url}#/a" } }, examples: [{ payload: { $ref: "${url}" } }] }\nx-a: { $ref: "${url}" }\n`,
    );
    const document = await loadFiles({ "api.yaml": text, "data.yaml": "x" });
    expect(lines(document.diagnostics)).toEqual([expect.stringContaining("7:18 error ref-remote")]);
    const outcome = await check(document, { cacheFolder: folderOf({}), deadline: patient });
    expect(outcome.verdict).not.toBe("unknown");
    expect(connections).toBe(0);
    expect(JSON.stringify(selfContained(document))).not.toContain("http://127");
    // The model still sees what the author wrote: in a constant it is data.
    expect(document.get("/channels/a/messages/n/payload/const/$ref")).toBe(url);
  });

  it("could be used by the bundled parser: it has no HTTP client", () => {
    const bundle = readFileSync(new URL("../../../codegen/dist/vendor/asyncapi-parser.mjs", import.meta.url), "utf8");
    expect(bundle).toContain("wsgen fetches nothing from the network");
    expect(bundle).not.toMatch(/from"(node:)?(https?|net|tls|dns|http2)"/);
    expect(readFileSync(join(dirname(new URL(import.meta.url).pathname), "../../../codegen/dist/vendor/LICENSES.txt"), "utf8")).toContain(
      "@asyncapi/parser",
    );
  });
});
