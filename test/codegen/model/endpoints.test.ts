import { expect, test } from "vitest";
import { endpointOf, modelled, modelOf } from "./modelled.ts";

const head = "asyncapi: 3.1.0\ninfo: { title: T, version: 1.0.0 }\n";
const summary = ({ endpoints }: Awaited<ReturnType<typeof modelOf>>) =>
  endpoints.map(({ name, address, channels, servers }) => [name, address, channels.map(({ key }) => key).join(" "), servers.join(" ")]);

test("a path is an endpoint, everything else on those servers a topic of one socket", async () => {
  const model = await modelOf(`${head}
servers: { one: { host: a, pathname: /v1, protocol: wss } }
channels:
  rooms: { address: "/rooms/{id}", parameters: { id: {} }, messages: { a: {} } }
  ticker: { address: "ticker.{pair}", messages: { b: {} } }
  book: { address: null, messages: { c: {} } }
  complete: { address: /v1/complete, messages: { d: {} } }
  root: { address: /, messages: { e: {} } }
  bound: { address: bound, bindings: { ws: { method: GET } }, messages: { f: {} } }
`);
  expect(summary(model)).toEqual([
    ["rooms", "/v1/rooms/{id}", "rooms", "one"],
    ["socket", "/v1", "ticker book root", "one"],
    ["complete", "/v1/complete", "complete", "one"],
    ["bound", "/v1/bound", "bound", "one"],
  ]);
  expect(model.servers).toMatchObject([{ name: "one", url: "wss://a", variables: [] }]);
});

test("servers with the same channels are alternatives; those with other channels are other sockets", async () => {
  const model = await modelOf(`${head}
servers:
  production: { host: "{region}.example.com", protocol: wss, variables: { region: { default: eu, enum: [eu, us], description: Where. } } }
  staging: { host: staging.example.com, pathname: /behind, protocol: wss }
  private: { host: private.example.com, protocol: wss }
channels:
  a: { address: /a, servers: [{ $ref: "#/servers/production" }, { $ref: "#/servers/staging" }], messages: { m: {} } }
  b: { address: /a, servers: [{ $ref: "#/servers/private" }], messages: { m: {} } }
`);
  expect(summary(model)).toEqual([
    ["a", "/a", "a", "production staging"],
    ["b", "/a", "b", "private"],
  ]);
  expect(model.servers).toMatchObject([
    {
      url: "wss://{region}.example.com",
      variables: [{ name: "region", default: "eu", enum: ["eu", "us"], docs: { description: "Where." } }],
    },
    { url: "wss://staging.example.com/behind" },
    { url: "wss://private.example.com" },
  ]);
});

test("two endpoints that no server can tell apart are a warning: clients connect to either", async () => {
  const { lines, model } = await modelled(`${head}
servers: { one: { host: a, protocol: wss }, two: { host: b, protocol: wss } }
channels:
  here: { address: "/ws/{id}", servers: [{ $ref: "#/servers/one" }], parameters: { id: {} }, messages: { m: {} } }
  there: { address: "/ws/{name}", servers: [{ $ref: "#/servers/two" }], parameters: { name: {} }, messages: { m: {} } }
`);
  expect(lines.filter((line) => line.includes("taken-path"))).toEqual([
    "warning taken-path 7:3 A server cannot listen for `there` at `/ws/{name}`, for `here` at `/ws/{id}` takes the same requests: `register…` will throw. Clients connect to either.",
  ]);
  expect(model?.endpoints.map(({ name }) => name)).toEqual(["here", "there"]);
});

test.each([
  ["url: wss://a.com/base, protocol: wss", "wss://a.com", "/base/x"],
  ["url: a.com:8080, protocol: ws", "ws://a.com:8080", "/x"],
  ["url: 'https://a.com/', protocol: https", "wss://a.com", "/x"],
  ["url: '{scheme}://a.com', protocol: wss, variables: { scheme: { default: wss, enum: [ws, wss] } }", "{scheme}://a.com", "/x"],
  ["url: '{host}/v', protocol: ws, variables: { host: { default: 'wss://a.com' } }", "{host}", "/v/x"],
  ["url: 'ws://a.com/{version}', protocol: ws, variables: { version: { default: v1 } }", "ws://a.com", "/{version}/x"],
  ["url: 'ws://a.com/{version}', protocol: ws, variables: { version: { default: v1, enum: [v1, v2] } }", "ws://a.com", "/{version}/x"],
])("the 2.x server { %s } has its sockets at %s and %s", async (server, url, address) => {
  const model = await modelOf(`
asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
servers: { s: { ${server} } }
channels: { /x: { subscribe: { message: { name: m } } } }
`);
  expect(model.servers[0]?.url).toBe(url);
  expect(endpointOf(model).address).toBe(address);
});

test("channels of other protocols are left out and named", async () => {
  const model = await modelOf(`${head}
servers: { ws: { host: a, protocol: ws }, mqtt: { host: a, protocol: mqtt } }
channels:
  a: { address: /a, messages: { m: {} } }
  b: { address: /b, servers: [{ $ref: "#/servers/mqtt" }], messages: { m: {} } }
  c: { address: /c, bindings: { kafka: {} }, messages: { m: {} } }
`);
  expect(summary(model)).toEqual([["a", "/a", "a", "ws"]]);
  expect(model.omitted).toEqual([
    { pointer: "/channels/b", why: "its servers speak mqtt" },
    { pointer: "/channels/c", why: "its bindings are for kafka only" },
    { pointer: "/servers/mqtt", why: "it speaks mqtt" },
  ]);
});

test("a document without servers has one without a name", async () => {
  expect(summary(await modelOf(`${head}channels: { a: { address: a/b, messages: { m: {} } } }`))).toEqual([["a", "/a/b", "a", ""]]);
});

test("no channels, and no WebSocket channel, are errors that say what to do", async () => {
  const empty = await modelled(`${head}channels: {}\n`);
  expect(empty).toMatchObject({
    model: undefined,
    lines: ["error no-channels 3:11 This document has no channels, so there is nothing to connect to."],
  });
  const other = await modelled(`${head}servers: { k: { host: a, protocol: kafka } }\nchannels: { a: { messages: { m: {} } } }\n`);
  expect(other.model).toBeUndefined();
  expect(other.diagnostics).toMatchObject([
    {
      severity: "error",
      code: "no-websocket-channel",
      message: "No channel of this document is for WebSocket; its servers speak kafka.",
      fix: expect.stringContaining("`protocol: ws`"),
    },
  ]);
});

test("Socket.IO is warned about, because plain clients do not speak it", async () => {
  const { lines } = await modelled(
    `${head}servers: { s: { host: a, protocol: socket.io } }\nchannels: { a: { address: /a, messages: { m: {} } } }\n`,
  );
  expect(lines).toContainEqual(expect.stringContaining("warning socket-io 3:12"));
});

test("messages that no operation names are left out and named; without operations both sides may send all", async () => {
  const some = await modelOf(`${head}
servers: { s: { host: a, protocol: ws } }
channels: { a: { address: /a, messages: { used: {}, unused: {} } } }
operations: { o: { action: send, channel: { $ref: "#/channels/a" }, messages: [{ $ref: "#/channels/a/messages/used" }] } }
`);
  expect(some.omitted).toEqual([{ pointer: "/channels/a/messages/unused", why: "no operation sends or receives it" }]);
  const { model, lines } = await modelled(
    `${head}servers: { s: { host: a, protocol: ws } }\nchannels: { a: { address: /a, messages: { m: {} } } }\n`,
  );
  expect([endpointOf(model!).clientToServer.messages.length, endpointOf(model!).serverToClient.messages.length]).toEqual([1, 1]);
  expect(lines).toContainEqual(expect.stringContaining("warning no-direction 4:13"));
});

test("endpoints with the same name are told apart by their servers' names", async () => {
  const model = await modelOf(`${head}
servers: { public: { host: a, protocol: ws }, private: { host: b, protocol: ws } }
channels:
  a: { address: a, servers: [{ $ref: "#/servers/public" }], messages: { m: {} } }
  b: { address: b, servers: [{ $ref: "#/servers/public" }], messages: { m: {} } }
  c: { address: c, servers: [{ $ref: "#/servers/private" }], messages: { m: {} } }
  d: { address: d, servers: [{ $ref: "#/servers/private" }], messages: { m: {} } }
`);
  expect(model.endpoints.map(({ name, typeName }) => [name, typeName])).toEqual([
    ["publicSocket", "PublicSocket"],
    ["privateSocket", "PrivateSocket"],
  ]);
});
