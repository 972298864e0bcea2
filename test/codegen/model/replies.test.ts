import { expect, test } from "vitest";
import { document3, endpointOf, modelled, namesOf, tagged } from "./modelled.ts";

interface Parts {
  readonly action?: "receive" | "send";
  readonly request?: object;
  readonly reply?: object;
  readonly id?: object;
  readonly also?: object;
}

/** `ask` answered by `answer`; ids are `id` unless `request` and `reply` say otherwise. */
async function asked({ action = "receive", request = {}, reply = {}, id = { type: "string" }, also = {} }: Parts) {
  const payload = (type: string) => ({ type: "object", required: ["type", "id"], properties: { type: { const: type }, id } });
  const text = JSON.stringify(
    {
      asyncapi: "3.0.0",
      info: { title: "T", version: "1.0.0" },
      defaultContentType: "application/json",
      servers: { s: { host: "a", protocol: "ws" } },
      channels: {
        a: { address: "/a", messages: { ask: { payload: payload("ask"), ...request }, answer: { payload: payload("answer"), ...reply } } },
      },
      operations: {
        ask: {
          action,
          channel: { $ref: "#/channels/a" },
          messages: [{ $ref: "#/channels/a/messages/ask" }],
          reply: { messages: [{ $ref: "#/channels/a/messages/answer" }] },
        },
        ...also,
      },
      "x-wsgen": { perspective: "server" },
    },
    null,
    2,
  );
  const { model, lines, diagnostics } = await modelled(text);
  if (model === undefined) throw new Error(lines.join("\n"));
  return { ...endpointOf(model), lines, diagnostics };
}

const byId = { correlationId: { location: "$message.payload#/id" } };

test.each([
  ["both", byId, byId],
  ["the request", byId, {}],
  ["the reply", {}, byId],
])("a correlation id on %s ties them, and the reply is taken out of the tree", async (_where, request, reply) => {
  const { clientToServer, serverToClient } = await asked({ request, reply });
  const tied = { messages: ["answer"], request: ["id"], reply: ["id"], id: "string" };
  expect(clientToServer.messages).toMatchObject([{ name: "ask", reply: tied, replyOnly: false }]);
  expect(clientToServer.deliveries).toMatchObject([{ name: "ask", reply: tied }]);
  expect(serverToClient).toMatchObject({ messages: [{ name: "answer", replyOnly: true }], deliveries: [], tree: {} });
});

test("a server asks a client in the same way", async () => {
  const { clientToServer, serverToClient } = await asked({ action: "send", request: byId, reply: byId });
  expect(serverToClient.deliveries).toMatchObject([{ name: "ask", reply: { messages: ["answer"] } }]);
  expect(clientToServer.messages).toMatchObject([{ name: "answer", replyOnly: true }]);
});

test("a reply that is also sent by itself stays in the tree", async () => {
  const also = { tell: { action: "send", channel: { $ref: "#/channels/a" }, messages: [{ $ref: "#/channels/a/messages/answer" }] } };
  const { serverToClient } = await asked({ request: byId, reply: byId, also });
  expect(serverToClient).toMatchObject({
    messages: [{ name: "answer", replyOnly: false }],
    deliveries: [{ name: "answer" }],
    tree: { json: "answer" },
  });
});

test.each([
  [{ type: "integer" }, "integer"],
  [{ type: "string", format: "uuid" }, "uuid"],
  [{ type: ["integer", "string"] }, "string"],
])("an id of %j is made up as %s", async (id, kind) => {
  const { clientToServer } = await asked({ id, request: byId, reply: byId });
  expect(clientToServer.messages[0]?.reply?.id).toBe(kind);
});

test("without a correlation id replies are ordinary messages, and a property both have is proposed", async () => {
  const { clientToServer, serverToClient, diagnostics } = await asked({});
  expect(clientToServer.messages[0]).not.toHaveProperty("reply");
  expect(serverToClient).toMatchObject({ messages: [{ replyOnly: false }], tree: { json: "answer" } });
  expect(diagnostics).toMatchObject([
    {
      severity: "hint",
      code: "reply-uncorrelated",
      message: "Nothing ties `answer` to the request `ask`, so it is an ordinary message.",
      fix: expect.stringContaining("Both have `id`"),
    },
  ]);
});

test.each([
  ["$message.header#/id", "is not in the payload"],
  ["$message.payload#/nowhere", "which the request's payload does not declare"],
  ["$message.payload#/type", "where the request's payload has a fixed value"],
])("a correlation id at %s is warned about", async (location, message) => {
  const { lines, clientToServer } = await asked({ request: { correlationId: { location } } });
  expect(lines).toContainEqual(expect.stringMatching(/^warning correlation \d+:\d+ /));
  expect(lines.join("\n")).toContain(message);
  expect(clientToServer.messages[0]).not.toHaveProperty("reply");
});

test("a correlation id that several requests share is warned about once", async () => {
  const ask = (type: string) => ({ correlationId: { $ref: "#/components/correlationIds/byId" }, payload: tagged(type) });
  const messages = { ask: ask("ask"), beg: ask("beg"), answer: ask("answer") };
  const ref = (name: string) => ({ $ref: `#/channels/main/messages/${name}` });
  const operation = (name: string) => ({
    action: "receive",
    channel: { $ref: "#/channels/main" },
    messages: [ref(name)],
    reply: { channel: { $ref: "#/channels/main" }, messages: [ref("answer")] },
  });
  const components = { correlationIds: { byId: { location: "$message.payload#/nowhere" } } };
  const operations = { ask: operation("ask"), beg: operation("beg") };
  const { lines } = await modelled(document3({ channel: { messages }, extra: { operations, components } }));
  expect(lines.filter((line) => line.startsWith("warning correlation"))).toHaveLength(1);
});

test("a correlation id may be at a position of a list", async () => {
  const list = (op: string) => ({
    payload: { type: "array", minItems: 2, maxItems: 2, items: [{ const: op }, { type: "integer" }] },
    correlationId: { location: "$message.payload#/1" },
  });
  const { clientToServer } = await asked({ request: list("ask"), reply: list("answer") });
  expect(clientToServer.messages[0]?.reply).toMatchObject({ request: [1], reply: [1], id: "integer" });
});

test("a reply without a list of messages is all of its channel's", async () => {
  const { model } = await modelled(`
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
servers: { s: { host: a, protocol: ws } }
channels:
  asks: { address: /a, messages: { ask: { correlationId: { location: "$message.payload#/id" }, payload: { type: object, properties: { id: { type: integer } } } } } }
  answers: { address: /a, messages: { yes: { payload: { type: object, properties: { id: { type: integer } } } }, no: { payload: { type: object, properties: { id: { type: integer }, why: {} } } } } }
operations: { o: { action: receive, channel: { $ref: "#/channels/asks" }, reply: { channel: { $ref: "#/channels/answers" } } } }
`);
  expect(endpointOf(model!).clientToServer.messages[0]?.reply).toEqual({
    messages: ["yes", "no"],
    request: ["id"],
    reply: ["id"],
    id: "integer",
  });
});

test("a request that cannot be told from others is no request, because no handler of its own could answer", async () => {
  const also = { more: { action: "receive", channel: { $ref: "#/channels/a" }, messages: [{ $ref: "#/channels/a/messages/answer" }] } };
  const payload = { type: "object", required: ["id"], properties: { id: { type: "string" } } };
  const { clientToServer, serverToClient, lines } = await asked({ request: { ...byId, payload }, reply: { ...byId, payload }, also });
  expect(clientToServer.deliveries).toMatchObject([{ name: "answerOrAsk", messages: ["ask", "answer"] }]);
  expect(clientToServer.deliveries[0]).not.toHaveProperty("reply");
  expect(serverToClient.messages).toMatchObject([{ name: "answer", replyOnly: false }]);
  expect(lines).toContainEqual(expect.stringContaining("warning request-ambiguous"));
});

test("2.x x-response is a reply: a message, several, or the schema of one", async () => {
  const { model, lines } = await modelled(`
asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
defaultContentType: application/json
servers: { s: { url: ws://a, protocol: ws } }
channels:
  /a:
    publish: { message: { oneOf: [{ $ref: "#/components/messages/one" }, { $ref: "#/components/messages/two" }, { $ref: "#/components/messages/three" }] } }
    subscribe: { message: { $ref: "#/components/messages/known" } }
components:
  messages:
    one: { payload: { $ref: "#/components/schemas/One" }, correlationId: { location: "$message.payload#/id" }, x-response: { $ref: "#/components/schemas/Known" } }
    two: { payload: { $ref: "#/components/schemas/Two" }, correlationId: { location: "$message.payload#/id" }, x-response: { $ref: "#/components/messages/unlisted" } }
    three: { payload: { $ref: "#/components/schemas/Three" }, x-response: { oneOf: [{ $ref: "#/components/messages/known" }] } }
    known: { payload: { $ref: "#/components/schemas/Known" } }
    unlisted: { payload: { $ref: "#/components/schemas/Unlisted" } }
  schemas:
    One: { type: object, required: [t], properties: { t: { const: 1 }, id: { type: integer } } }
    Two: { type: object, required: [t], properties: { t: { const: 2 }, id: { type: integer } } }
    Three: { type: object, required: [t], properties: { t: { const: 3 } } }
    Known: { type: object, required: [u], properties: { u: { const: 1 }, id: { type: integer } } }
    Unlisted: { type: object, required: [u], properties: { u: { const: 2 }, id: { type: integer } } }
`);
  const { clientToServer, serverToClient } = endpointOf(model!);
  expect(clientToServer.messages.map(({ name, reply }) => [name, reply?.messages])).toEqual([
    ["one", ["known"]],
    ["two", ["unlisted"]],
    ["three", undefined],
  ]);
  expect(namesOf(serverToClient)).toEqual(["known", "unlisted"]);
  expect(serverToClient.messages.map(({ replyOnly }) => replyOnly)).toEqual([false, true]);
  expect(lines).toContainEqual(expect.stringContaining("hint reply-uncorrelated"));
});

test("what an x-response writes out and its channel has too is one message", async () => {
  const answers = "{ oneOf: [{ payload: { type: integer } }, { payload: { type: string } }] }";
  const { model } = await modelled(`
asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
defaultContentType: application/json
servers: { s: { url: ws://a, protocol: ws } }
channels:
  /a:
    publish: { message: { $ref: "#/components/messages/ask" } }
    subscribe: { message: ${answers} }
components:
  messages:
    ask: { payload: { type: object, required: [t], properties: { t: { const: 1 } } }, x-response: ${answers} }
`);
  expect(endpointOf(model!).serverToClient.messages).toHaveLength(2);
});

test.each([
  [{ type: "string", pattern: "^r-[0-9]{4}$" }, true],
  [{ type: "integer", minimum: 100 }, true],
  [{ type: "string", minLength: 8 }, true],
  [{ type: "string", maxLength: 8 }, undefined],
  [{ type: "integer", minimum: 1 }, undefined],
  [{ type: "string", format: "uuid" }, undefined],
])("where no id that is made up fits %j, the caller gives it: %s", async (id, given) => {
  const { clientToServer, lines } = await asked({ id, request: byId, reply: byId });
  expect(clientToServer.messages[0]?.reply?.given).toBe(given);
  expect(clientToServer.deliveries[0]?.reply?.given).toBe(given);
  expect(lines.filter((line) => line.includes("correlation-made-up"))).toHaveLength(given === true ? 1 : 0);
  if (given === true) expect(lines.join("\n")).toMatch(/^hint correlation-made-up \d+:\d+ /m);
});

test("a reply that comes on another connection is warned about where it is written", async () => {
  const { model, lines } = await modelled(`
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
servers: { s: { host: a, protocol: ws } }
channels:
  asks: { address: /a, messages: { ask: { payload: { type: object, properties: { id: { type: integer } } } } } }
  answers: { address: /b, messages: { yes: { payload: { type: object, properties: { id: { type: integer } } } } } }
operations:
  o:
    action: receive
    channel: { $ref: "#/channels/asks" }
    reply: { channel: { $ref: "#/channels/answers" } }
x-wsgen: { perspective: server }
`);
  expect(endpointOf(model!, "asks").clientToServer.messages[0]).not.toHaveProperty("reply");
  expect(lines).toContainEqual(expect.stringMatching(/^warning reply-elsewhere 12:5 .*`answers`/));
});

test.each([
  ["is the request's, where a channel without address only names it", "address: null", ["a"], "hint reply-address 9:"],
  [
    "is the channel's own, where that is on another server",
    "address: null, servers: [{ $ref: '#/servers/t' }]",
    ["a", "replies"],
    "warning reply-elsewhere",
  ],
  ["is the channel's own, where that has an address", "address: /b", ["a", "replies"], "warning reply-elsewhere"],
])("the socket of a reply whose address the request says %s", async (_what, channel, sockets, said) => {
  const { model, lines } = await modelled(`
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
servers: { s: { host: a, protocol: ws }, t: { host: b, protocol: ws } }
channels:
  a: { address: /a, servers: [{ $ref: "#/servers/s" }], messages: { ask: { correlationId: { location: "$message.payload#/id" }, payload: { type: object, properties: { id: { type: integer } } } } } }
  replies: { ${channel}, messages: { answer: { payload: { type: object, properties: { id: { type: integer } } } } } }
operations:
  o: { action: receive, channel: { $ref: "#/channels/a" }, reply: { address: { location: "$message.payload#/replyTo" }, channel: { $ref: "#/channels/replies" } } }
`);
  expect(model?.endpoints.map(({ name }) => name)).toEqual(sockets);
  expect(model?.endpoints[0]?.clientToServer.messages[0]?.reply?.messages).toEqual(sockets.length === 1 ? ["answer"] : undefined);
  expect(lines).toContainEqual(expect.stringContaining(said));
});

test("a reply that allows other messages with an id is told from them by the constants that it says nothing of", async () => {
  const id = { type: "integer" };
  const message = (required: readonly string[], properties: object) => ({
    ...byId,
    payload: { type: "object", required, properties: { jsonrpc: { const: "2.0" }, id, ...properties } },
  });
  const ask = (method: string) => message(["jsonrpc", "id", "method"], { method: { const: method } });
  const edited = message(["jsonrpc", "id"], { result: {} });
  const ref = (name: string) => ({ $ref: `#/channels/a/messages/${name}` });
  const build = async (answer: object, others: Readonly<Record<string, object>> = { edit: ask("edit") }) => {
    const text = JSON.stringify({
      asyncapi: "3.0.0",
      info: { title: "T", version: "1.0.0" },
      defaultContentType: "application/json",
      servers: { s: { host: "a", protocol: "ws" } },
      channels: { a: { address: "/a", messages: { ask: ask("ask"), answer, edited, ...others } } },
      operations: {
        ask: { action: "receive", channel: { $ref: "#/channels/a" }, messages: [ref("ask")], reply: { messages: [ref("answer")] } },
        ...Object.fromEntries(
          Object.keys(others).map((name) => [
            name,
            { action: "send", channel: { $ref: "#/channels/a" }, messages: [ref(name)], reply: { messages: [ref("edited")] } },
          ]),
        ),
      },
      "x-wsgen": { perspective: "server" },
    });
    const { model, lines } = await modelled(text);
    if (model === undefined) throw new Error(lines.join("\n"));
    const { clientToServer, serverToClient } = endpointOf(model);
    return {
      answer: serverToClient.messages.find(({ name }) => name === "answer")?.unlike,
      edited: clientToServer.messages.find(({ name }) => name === "edited")?.unlike,
    };
  };

  const anything = [{ path: ["method"] }];
  expect(await build(message(["jsonrpc", "id"], { result: {} }))).toEqual({ answer: anything, edited: anything });
  // It echoes the method: then it is the values that tell.
  const echo = message(["jsonrpc", "id", "method"], { method: { type: "string" } });
  const values = [{ path: ["method"], values: ["edit", "show"] }];
  expect(await build(echo, { edit: ask("edit"), show: ask("show") })).toEqual({ answer: values, edited: anything });
  // Its guard does it, or an event has no id to be mistaken by.
  expect((await build(message(["jsonrpc", "id", "method"], { method: { const: "ask" } }))).answer).toBeUndefined();
  const event = { payload: { type: "object", required: ["method"], properties: { method: { const: "event" } } } };
  expect((await build(message(["jsonrpc", "id"], { result: {} }), { event })).answer).toBeUndefined();
});
