import { expect, test } from "vitest";
import { property } from "../../../codegen/src/model/tree.ts";
import { deliveriesOf, document3, endpointOf, modelled, modelOf, namesOf, tagged, typeOf } from "./modelled.ts";

const head2 = `asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
servers: { s: { url: ws://a, protocol: ws } }
`;

test("2.x: publish is what clients send, subscribe what the server sends; the option swaps them", async () => {
  const text = `${head2}
channels:
  /chat:
    publish: { message: { oneOf: [{ name: post, payload: { type: object } }] } }
    subscribe: { message: { name: posted, payload: { type: object } } }
`;
  const standard = await modelOf(text);
  expect(standard.perspective).toEqual({ side: "server", because: "standard" });
  expect([namesOf(endpointOf(standard).clientToServer), namesOf(endpointOf(standard).serverToClient)]).toEqual([["post"], ["posted"]]);
  const swapped = endpointOf(await modelOf(text, { perspective: "client" }));
  expect([namesOf(swapped.clientToServer), namesOf(swapped.serverToClient)]).toEqual([["posted"], ["post"]]);
});

test("2.x: the message's content type, else the default, else what the payload is", async () => {
  const model = await modelOf(`${head2}
channels:
  /a:
    publish:
      message:
        oneOf:
          - { name: json, payload: { type: object } }
          - { name: text, payload: { type: string } }
          - { name: quoted, contentType: application/json, payload: { type: string } }
          - { name: vendor, contentType: application/vnd.x+json; charset=utf-8, payload: { type: object } }
          - { name: plain, contentType: text/plain, payload: { type: string } }
          - { name: bytes, contentType: application/octet-stream }
          - { name: nothing }
`);
  expect(endpointOf(model).clientToServer.messages.map(({ name, format }) => `${name} ${format}`)).toEqual([
    "json json",
    "text text",
    "quoted json",
    "vendor json",
    "plain text",
    "bytes binary",
    "nothing any",
  ]);
});

test.each([
  ["{}", { type: "string" }],
  ["{ type: [string, 'null'], maxLength: 9 }", { type: "string", maxLength: 9 }],
  ['{ $ref: "#/components/schemas/Id" }', { allOf: [{ $ref: "#/definitions/Id" }, { type: "string" }] }],
])("bare text is a string, whatever else its schema %s allows", async (payload, schema) => {
  const message = `{ name: said, contentType: text/plain, payload: ${payload} }`;
  const components = "components: { schemas: { Id: { type: [string, integer] } } }";
  const model = await modelOf(`${head2}channels: { /a: { publish: { message: ${message} } } }\n${components}`);
  const [said] = endpointOf(model).clientToServer.messages;
  expect(said?.format).toBe("text");
  expect(typeOf(model, said?.type ?? "").schema).toEqual(schema);
});

test("bytes have no type: no schema can speak of them, and nobody reads it", async () => {
  const model = await modelOf(
    document3({
      receives: { sound: { schemaFormat: "application/schema+json;version=draft-07", schema: { type: "string" } } },
      extra: { defaultContentType: "audio/wav" },
    }),
  );
  expect(endpointOf(model).clientToServer.messages[0]?.format).toBe("binary");
  expect(model.types).toEqual([]);
});

test("a schema that other messages speak of stays beside the bytes that name it", async () => {
  const model = await modelOf(
    document3({
      receives: { meta: tagged("meta", { of: { $ref: "#/components/schemas/Clip" } }) },
      sends: { sound: { $ref: "#/components/schemas/Clip" } },
      extra: { components: { schemas: { Clip: { type: "string", format: "binary" } } }, defaultContentType: undefined },
    }),
  );
  expect(endpointOf(model).serverToClient.messages[0]).toMatchObject({ type: "Clip", format: "binary" });
  expect(model.types.map(({ name }) => name)).toEqual(["MetaMessage", "Clip"]);
});

test("a message without prose of its own says what its payload says; a title that only repeats its name says nothing", async () => {
  const model = await modelOf(
    document3({
      receives: { ping: { ...tagged("ping"), description: "Are you there?" }, pong: { ...tagged("pong"), title: "Pong" } },
    }),
  );
  expect(endpointOf(model).clientToServer.messages.map(({ docs }) => docs)).toEqual([{ description: "Are you there?" }, {}]);
  expect(endpointOf(model).clientToServer.deliveries.map(({ docs }) => docs)).toEqual([{ description: "Are you there?" }, {}]);
});

test("a union of many messages names the first of them", async () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`m${index}`, { type: "object" }]));
  const [delivery] = endpointOf(await modelOf(document3({ receives: many }))).clientToServer.deliveries;
  expect(delivery?.docs.description).toBe(
    "One of `m0`, `m1`, `m2`, `m3`, `m4`, `m5`, `m6`, 5 more: nothing in the document tells them apart.",
  );
});

test("traits are merged: onto the message in 2.x, under it in 3.x", async () => {
  const message =
    "{ name: m, contentType: text/plain, traits: [{ contentType: application/json, summary: from the trait }], payload: { type: string } }";
  const two = await modelOf(`${head2}channels: { /a: { publish: { message: ${message} } } }`);
  expect(endpointOf(two).clientToServer.messages).toMatchObject([{ format: "json", docs: { summary: "from the trait" } }]);
  const three = await modelOf(`
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
servers: { s: { host: a, protocol: ws } }
channels: { a: { address: /a, messages: { m: ${message} } } }
operations: { o: { action: receive, channel: { $ref: "#/channels/a" } } }
x-wsgen: { perspective: server }
`);
  expect(endpointOf(three).clientToServer.messages).toMatchObject([{ format: "text", docs: { summary: "from the trait" } }]);
});

test("objects that a message and its traits both have are merged, as JSON Merge Patch does", async () => {
  const object = (properties: string, rest = "") => `{ type: object${rest}, properties: { ${properties} } }`;
  const own = object("own: { type: string, minLength: 1 }, both: { type: string }", ", required: [own]");
  const traits = `[{ headers: ${object("first: { type: string }, both: { type: integer }")} }, { headers: { $ref: "#/components/schemas/Trait" } }]`;
  const message = `{ name: m, headers: ${own}, payload: ${object("v: { type: string }")}, traits: ${traits} }`;
  const rest = `
components: { schemas: { Trait: ${object("own: { maxLength: 9 }, second: { type: string }")} } }
x-wsgen: { envelope: { payload: /data, headers: /meta } }
`;
  const meta = async (text: string) => {
    const { schema } = typeOf(await modelOf(text), "MMessage");
    return property(property(Object(schema), "properties"), "meta");
  };
  const merged = (both: string) => ({
    required: ["own"],
    properties: {
      own: { type: "string", minLength: 1, maxLength: 9 },
      both: { type: both },
      first: { type: "string" },
      second: { type: "string" },
    },
  });
  expect(await meta(`${head2}channels: { /a: { publish: { message: ${message} } } }${rest}`)).toMatchObject(merged("integer"));
  const three = `asyncapi: 3.0.0\ninfo: { title: T, version: 1.0.0 }\nchannels: { a: { address: /a, messages: { m: ${message} } } }${rest}`;
  expect(await meta(three)).toMatchObject(merged("string"));
});

test("3.x: refs everywhere, and an operation without messages has all of the channel's", async () => {
  const model = await modelOf(`
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
servers: { s: { $ref: "#/components/servers/s" } }
channels: { a: { $ref: "#/components/channels/a" } }
operations: { o: { $ref: "#/components/operations/o" } }
x-wsgen: { perspective: client }
components:
  servers: { s: { host: a, protocol: wss } }
  channels: { a: { address: "/a/{id}", servers: [{ $ref: "#/servers/s" }], parameters: { id: { $ref: "#/components/parameters/id" } }, messages: { m: { $ref: "#/components/messages/m" }, n: { $ref: "#/components/messages/n" } } } }
  parameters: { id: { enum: [x, y], description: Which. } }
  operations: { o: { action: receive, channel: { $ref: "#/channels/a" } } }
  messages: { m: { payload: { $ref: "#/components/schemas/M" } }, n: { payload: { type: array } } }
  schemas: { M: { type: object } }
`);
  expect(endpointOf(model)).toMatchObject({ name: "a", servers: ["s"], parameters: { type: "AParameters", optional: false } });
  expect(namesOf(endpointOf(model).serverToClient)).toEqual(["m", "n"]);
  expect(typeOf(model, "AParameters").schema).toEqual({
    type: "object",
    required: ["id"],
    properties: { id: { type: "string", enum: ["x", "y"], description: "Which." } },
  });
});

test("several topics of one socket have all their messages on it, under the topics' names", async () => {
  const model = await modelOf(`${head2}
channels:
  ticker: { subscribe: { message: { name: tick, payload: ${JSON.stringify(tagged("tick"))} } } }
  book: { subscribe: { message: { name: level, payload: ${JSON.stringify(tagged("level"))} } } }
`);
  expect(deliveriesOf(endpointOf(model, "socket").serverToClient)).toEqual(["ticker.tick", "book.level"]);
});

test("the model is JSON, and the same for the same document", async () => {
  const text = document3({ receives: { a: tagged("a") }, sends: { b: tagged("b") } });
  const model = await modelOf(text);
  expect(JSON.parse(JSON.stringify(model))).toEqual(JSON.parse(JSON.stringify(await modelOf(text))));
  expect(model).toMatchObject({ title: "Test", asyncapi: "3.1.0", source: "document.yaml", omitted: [] });
  expect((await modelOf(text, { source: "specs/chat.yaml" })).source).toBe("specs/chat.yaml");
});

test.each([
  [
    "root",
    { "x-wsgen": { perspectiv: "server" } },
    {},
    "`perspectiv` is no option of `x-wsgen` on the document.",
    "Did you mean `perspective`?",
  ],
  [
    "root",
    { "x-wsgen": { perspective: "both" } },
    {},
    '`perspective` is "both", which is not `server` or `client`.',
    "`server` or `client`",
  ],
  ["root", { "x-wsgen": true }, {}, "`x-wsgen` must be an object.", "`perspective`, `name`"],
  ["channel", {}, { "x-wsgen": { nmae: "x" } }, "`nmae` is no option of `x-wsgen` on a channel.", "Did you mean `name`?"],
  ["channel", {}, { "x-wsgen": { name: "🎉" } }, '`name` is "🎉", which has nothing that an identifier could be made of.', "letters"],
])("an option of the %s that does not exist is an error with a suggestion", async (_where, extra, channel, message, fix) => {
  const { model, diagnostics } = await modelled(document3({ receives: { a: {} }, extra, channel }));
  expect(model).toBeUndefined();
  const [error] = diagnostics.filter(({ severity }) => severity === "error");
  expect(error).toMatchObject({ message, fix: expect.stringContaining(fix) });
  expect(error?.position?.line).toBeGreaterThan(1);
});

test("x-wsgen names the API and its channels", async () => {
  const model = await modelOf(
    document3({
      receives: { a: {} },
      extra: { "x-wsgen": { name: "MyAPI", perspective: "server" } },
      channel: { "x-wsgen": { name: "lobby" } },
    }),
  );
  expect([model.name, endpointOf(model).name, endpointOf(model).typeName]).toEqual(["MyAPI", "lobby", "Lobby"]);
});

test("headers of a message, and security that no handshake can show, are named as left out", async () => {
  const { lines } = await modelled(`
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
servers: { s: { host: a, protocol: ws, security: [{ type: scramSha256 }] } }
channels: { a: { address: /a, messages: { m: { headers: { type: object }, payload: {} } } } }
operations: { o: { action: send, channel: { $ref: "#/channels/a" } } }
`);
  expect(lines).toContainEqual(expect.stringContaining("warning message-headers 5:48"));
  expect(lines).toContainEqual(
    expect.stringContaining(
      "warning security 4:51 The security scheme `scramSha256` (`scramSha256`) has no form in a WebSocket handshake, so nothing asks for it.",
    ),
  );
});

test.each(["1.2.0", ""])("AsyncAPI %s is refused by name", async (version) => {
  const { model, diagnostics } = await modelled(`asyncapi: "${version}"\nchannels: {}\n`);
  expect(model).toBeUndefined();
  expect(diagnostics).toMatchObject([{ severity: "error", code: "version" }]);
});

test("x-wsgen where it has no meaning is an error that says where it belongs", async () => {
  const own = { "x-wsgen": { name: "Other" } };
  const payload = { type: "object", properties: { "x-wsgen": { type: "string" }, inner: { type: "string", ...own } }, examples: [own] };
  const { diagnostics, lines } = await modelled(
    JSON.stringify(
      {
        asyncapi: "3.0.0",
        info: { title: "T", version: "1", ...own },
        servers: { s: { host: "a", protocol: "ws", ...own } },
        channels: { a: { address: "/a", "x-wsgen": { name: "chosen" }, messages: { m: { payload, ...own } } } },
        operations: { o: { action: "receive", channel: { $ref: "#/channels/a" }, ...own } },
        components: { messages: { unused: { payload: {}, ...own } }, channels: { "x-wsgen": { address: "/b" } } },
        "x-wsgen": { perspective: "server" },
      },
      null,
      2,
    ),
  );
  const found = diagnostics.filter(({ code }) => code === "x-wsgen-place");
  expect(found.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
    "error `x-wsgen` has no meaning in `/info`.",
    "error `x-wsgen` has no meaning in `/servers/s`.",
    "error `x-wsgen` has no meaning in `/channels/a/messages/m/payload/properties/inner`.",
    "error `x-wsgen` has no meaning in `/operations/o`.",
  ]);
  expect(found[0]?.fix).toContain("on a channel, a message or a security scheme");
  expect(lines.filter((line) => line.startsWith("error") && !line.includes("x-wsgen-place"))).toEqual([]);
});

test("endpoints are not called what objects, promises or sockets already mean by it", async () => {
  const model = await modelOf(`${head2}channels: { /then: { publish: { message: { payload: { type: object } } } } }`);
  expect(model.endpoints.map(({ name }) => name)).toEqual(["thenSocket"]);
});

test("`__proto__` is no name for a channel or message, and works as a property", async () => {
  const property = await modelled(
    `${head2}channels: { /a: { publish: { message: { payload: { type: object, properties: { __proto__: { type: string } } } } } } }`,
  );
  expect(property.lines.filter((line) => line.includes("proto"))).toEqual([]);
  const { lines } = await modelled(`${head2}channels: { __proto__: { publish: { message: { payload: { type: object } } } } }`);
  expect(lines.filter((line) => line.includes("reserved-name"))).toEqual([
    expect.stringMatching(/^error reserved-name 4:\d+ `__proto__` is not supported as the name of a channel\.$/),
  ]);
});

test.each([
  ["an API is named by its file", "chat-rooms.yaml", "Anything", "ChatRooms"],
  ["or its title, where the file is called like any other", "asyncapi.yaml", "Chat", "Chat"],
  ["without the words that only say what it is", "asyncapi.yaml", "TickDB WebSocket API v1.2 (documentation)", "TickDB"],
  ["which a file's name may hold too", "kraken_ws_asyncapi.yaml", "Anything", "Kraken"],
  ["unless nothing else is left", "asyncapi.yaml", "WebSocket API", "WebSocketApi"],
  ["and never like what every program knows", "promise.yaml", "Anything", "PromiseApi"],
])("%s", async (_, file, title, name) => {
  const text = document3({ extra: { info: { title, version: "1.0.0" } } });
  expect((await modelOf(text, { file })).name).toBe(name);
});
