import { describe, expect, it } from "vitest";
import { emit } from "../../../codegen/src/emit/index.ts";
import { endpointOf, modelled, modelOf, typeOf } from "./modelled.ts";

const object = (type: string, properties: object = {}) => ({
  type: "object",
  required: ["type", ...Object.keys(properties)],
  properties: { type: { const: type }, ...properties },
});
const message = (contentType: string | undefined, payload: unknown) => ({ ...(contentType !== undefined && { contentType }), payload });

interface Parts {
  readonly receives?: object;
  readonly sends?: object;
  readonly schemas?: object;
  readonly options?: object;
}

const document = ({ receives = {}, sends = {}, schemas = {}, options = {} }: Parts): string => {
  const refs = (messages: object) => Object.keys(messages).map((name) => ({ $ref: `#/channels/feed/messages/${name}` }));
  const operation = (action: string, messages: object) => ({ action, channel: { $ref: "#/channels/feed" }, messages: refs(messages) });
  return JSON.stringify({
    asyncapi: "3.1.0",
    info: { title: "Feed", version: "1.0.0" },
    channels: { feed: { address: "/feed", messages: { ...receives, ...sends }, "x-wsgen": options } },
    operations: {
      ...(Object.keys(receives).length > 0 && { in: operation("receive", receives) }),
      ...(Object.keys(sends).length > 0 && { out: operation("send", sends) }),
    },
    components: { schemas },
    "x-wsgen": { perspective: "server" },
  });
};

describe("a content type that is neither JSON nor text", () => {
  it.each([
    ["application/cbor", "encoded", "application/cbor"],
    ["Application/CBOR; profile=x", "encoded", "application/cbor"],
    ["application/senml+cbor", "encoded", "application/senml+cbor"],
    ["application/msgpack", "encoded", "application/msgpack"],
    ["application/x-msgpack", "encoded", "application/x-msgpack"],
    ["application/vnd.msgpack", "encoded", "application/vnd.msgpack"],
    ["application/vnd.acme+msgpack", "encoded", "application/vnd.acme+msgpack"],
    ["application/bson", "encoded", "application/bson"],
    ["cbor", "encoded", "cbor"],
    ["application/\u001b[31mcbor", "binary", undefined],
    ["application/cbor-seq", "binary", undefined],
    ["application/octet-stream", "binary", undefined],
    ["application/protobuf", "binary", undefined],
    ["application/x-protobuf", "binary", undefined],
    ["avro/binary", "binary", undefined],
    ["application/json", "json", undefined],
    ["application/vnd.acme+json", "json", undefined],
    ["text/plain", "json", undefined],
  ])("%s is %s", async (contentType, format, codec) => {
    const { clientToServer } = endpointOf(await modelOf(document({ receives: { a: message(contentType, object("a")) } })));
    expect(clientToServer.messages[0]).toMatchObject({ format, ...(codec !== undefined && { codec }) });
    expect(clientToServer.messages[0]?.codec).toBe(codec);
  });

  it("is said once for the document, or in its place", async () => {
    const text = document({ receives: { a: message(undefined, object("a")) } });
    const model = await modelOf(text.replace('"info"', '"defaultContentType":"application/cbor","info"'));
    expect(endpointOf(model).clientToServer.messages[0]).toMatchObject({ format: "encoded", codec: "application/cbor" });
    const said = await modelOf(text.replace('"x-wsgen":{"perspective"', '"x-wsgen":{"contentType":"application/msgpack","perspective"'));
    expect(endpointOf(said).clientToServer.messages[0]).toMatchObject({ codec: "application/msgpack" });
  });

  it("leaves a payload alone that is bytes from end to end", async () => {
    const model = await modelOf(document({ receives: { a: message("application/cbor", { type: "string", format: "binary" }) } }));
    expect(endpointOf(model).clientToServer).toMatchObject({ messages: [{ format: "binary" }], tree: { binary: "a" } });
  });

  it("holds the envelope as well", async () => {
    const model = await modelOf(
      document({
        receives: { a: message("application/cbor", { type: "integer" }) },
        options: { envelope: { payload: "/data" }, discriminator: "/event" },
      }),
    );
    expect(endpointOf(model).clientToServer.messages[0]).toMatchObject({ format: "encoded", constants: { event: "a" } });
  });

  it("has a tree of its own beside the one of JSON", async () => {
    const model = await modelOf(
      document({
        receives: {
          a: message("application/cbor", object("a")),
          b: message("application/cbor", object("b")),
          c: message("application/json", object("a", { n: {} })),
        },
      }),
    );
    const { tree, by } = endpointOf(model).clientToServer;
    expect(tree).toEqual({
      encoded: {
        path: ["type"],
        cases: [
          ["a", "a"],
          ["b", "b"],
        ],
      },
      json: "c",
    });
    expect(by).toBe("frame kind, then `type`");
  });

  it("keeps Avro and Protobuf as they were: named, unknown, and JSON where that is the content type", async () => {
    const avro = (contentType: string) => ({
      contentType,
      payload: { schemaFormat: "application/vnd.apache.avro;version=1.9.0", schema: { type: "record", name: "A", fields: [] } },
    });
    const { model, lines } = await modelled(document({ receives: { a: avro("application/json") }, sends: { b: avro("avro/binary") } }));
    expect(lines.filter((line) => line.startsWith("warning schema-format"))).toHaveLength(2);
    const { clientToServer, serverToClient } = endpointOf(model!);
    expect([clientToServer.messages[0]?.format, serverToClient.messages[0]?.format]).toEqual(["json", "binary"]);
    expect(typeOf(model!, clientToServer.messages[0]?.type ?? "").schema).toBe(true);
  });
});

describe("a direction whose binary frames may be several things", () => {
  it.each([
    ["two encodings", "application/msgpack", object("b"), "application/cbor or application/msgpack"],
    ["bytes beside an encoding", "audio/wav", { type: "string" }, "application/cbor or bytes as they are"],
  ])("(%s) hands them over as bytes, and says so at each", async (_what, contentType, payload, ways) => {
    const { model, diagnostics } = await modelled(
      document({
        receives: { a: message("application/cbor", object("a")), b: message(contentType, payload) },
        sends: { c: message("application/cbor", object("c")) },
      }),
    );
    const said = diagnostics.filter(({ code }) => code === "mixed-encodings");
    expect(said[0]).toMatchObject({
      severity: "warning",
      message: `\`a\` is handed over as bytes, undecoded: binary frames of this direction may be ${ways}, and nothing in them says which.`,
      position: { line: 1 },
    });
    expect(said).toHaveLength(contentType === "audio/wav" ? 1 : 2);
    const { clientToServer, serverToClient } = endpointOf(model!);
    expect(clientToServer.messages.map(({ format, codec }) => [format, codec])).toEqual([
      ["binary", undefined],
      ["binary", undefined],
    ]);
    expect(clientToServer.tree).toEqual({ binary: "aOrB" });
    expect(serverToClient.messages[0]).toMatchObject({ format: "encoded" });
  });

  it("reads types that have one encoding in common", async () => {
    const { model, diagnostics } = await modelled(
      document({ receives: { a: message("application/cbor", object("a")), b: message("application/senml+cbor", object("b")) } }),
    );
    expect(diagnostics).toEqual([]);
    expect(endpointOf(model!).clientToServer.messages.map(({ codec }) => codec)).toEqual(["application/cbor", "application/senml+cbor"]);
  });

  it("makes ordinary messages of requests and replies that cannot be read", async () => {
    const text = JSON.stringify({
      asyncapi: "3.1.0",
      info: { title: "Feed", version: "1.0.0" },
      channels: {
        feed: {
          address: "/feed",
          "x-wsgen": { correlation: "/id" },
          messages: {
            ask: message("application/cbor", object("ask", { id: { type: "integer" } })),
            answer: message("application/cbor", object("answer", { id: { type: "integer" } })),
            sorry: message("application/json", object("sorry", { id: { type: "integer" } })),
            sound: message("audio/wav", { type: "string" }),
          },
        },
      },
      operations: {
        ask: {
          action: "receive",
          channel: { $ref: "#/channels/feed" },
          messages: [{ $ref: "#/channels/feed/messages/ask" }],
          reply: { messages: [{ $ref: "#/channels/feed/messages/answer" }, { $ref: "#/channels/feed/messages/sorry" }] },
        },
        sound: { action: "send", channel: { $ref: "#/channels/feed" }, messages: [{ $ref: "#/channels/feed/messages/sound" }] },
      },
      "x-wsgen": { perspective: "server" },
    });
    const { clientToServer, serverToClient } = endpointOf(await modelOf(text));
    expect(clientToServer.messages[0]?.reply).toMatchObject({ messages: ["sorry"] });
    expect(serverToClient.messages.map(({ name, format, replyOnly }) => [name, format, replyOnly])).toEqual([
      ["answer", "binary", false],
      ["sorry", "json", true],
      ["sound", "binary", false],
    ]);
  });
});

it.each([
  ["a channel", { correlation: "/id" }, {}, "hint reply-uncorrelated"],
  [
    "a message",
    {},
    { correlationId: { location: "$message.payload#/id" } },
    "`id`, where the request's payload has bytes; its reply is an ordinary message.",
  ],
])("bytes are no correlation id, though %s says so", async (_who, options, said, expected) => {
  const bytes = { type: "string", format: "binary" };
  const text = document({
    receives: { ask: { ...message("application/cbor", object("ask", { id: bytes })), ...said } },
    sends: { answer: message("application/cbor", object("answer", { id: bytes })) },
    options,
  });
  const { operations, ...rest } = JSON.parse(text) as { operations: Record<string, object> };
  const asking = { ...operations["in"], reply: { messages: [{ $ref: "#/channels/feed/messages/answer" }] } };
  const { model, lines } = await modelled(JSON.stringify({ ...rest, operations: { in: asking } }));
  expect(endpointOf(model!).clientToServer.messages[0]?.reply).toBeUndefined();
  expect(lines).toEqual([expect.stringContaining(expected)]);
});

describe("bytes inside of an encoded message", () => {
  const schemas = {
    Photo: {
      type: "object",
      required: ["data"],
      properties: {
        data: { type: "string", format: "binary", minLength: 1, maxLength: 9, description: "A PNG." },
        thumbnail: { type: ["string", "null"], format: "binary" },
        digest: { type: "string", contentEncoding: "base64" },
        parts: { type: "array", items: { type: "string", format: "binary" } },
      },
    },
  };
  const photo = { $ref: "#/components/schemas/Photo" };
  const emitted = async (text: string, file: string) =>
    emit(await modelOf(text), { side: "both", schemas: true }).files.find(({ path }) => path === file)?.text ?? "";

  it("are `type: string, format: binary`; base64 stays text", async () => {
    const text = document({ receives: { a: message("application/cbor", object("a", { photo })) }, schemas });
    expect(await emitted(text, "types.ts")).toContain(`export interface Photo {
  /** A PNG. 1 to 9 bytes. */
  data: Uint8Array;
  thumbnail?: Uint8Array | null;
  digest?: string;
  parts?: Uint8Array[];
}`);
    expect(await emitted(text, "schemas.ts")).toContain('data: Type.Unsafe<Uint8Array>({ description: "A PNG." }),');
  });

  it("stay text in JSON", async () => {
    const text = document({ receives: { a: message("application/json", object("a", { photo })) }, schemas });
    const types = await emitted(text, "types.ts");
    expect(types).toContain("data: string;");
    expect(types).toContain("thumbnail?: string | null;");
    expect(await emitted(text, "validators.ts")).not.toContain("Uint8Array");
  });

  it("are either where a JSON message has the same schema, and a warning says so", async () => {
    const parts = {
      receives: { a: message("application/cbor", object("a", { photo })) },
      sends: { b: message("application/json", object("b", { photo })) },
      schemas,
    };
    expect(await emitted(document(parts), "types.ts")).toMatch(
      /data: Uint8Array \| string;\n {2}thumbnail\?: Uint8Array \| string \| null;/,
    );
    const { lines } = await modelled(document(parts));
    expect(lines).toEqual([expect.stringMatching(/^warning bytes-or-text 1:\d+ This schema is used by JSON messages and by encoded ones/)]);
  });
});
