// Codecs beside everything else that a document may ask for: generated, and both sides over real sockets.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as msgpack from "@msgpack/msgpack";
import { createRouter, type Router } from "@wsgen/runtime";
import { type TestServer, testServer } from "@wsgen/runtime/testing";
import * as cborg from "cborg";
import { afterEach, beforeAll, expect, it } from "vitest";
import { generate } from "../../codegen/src/generate.ts";

const output = new URL("../.output/codecs/", import.meta.url).pathname;
const codecs = { "application/cbor": cborg, "application/msgpack": msgpack, "application/x-feed+cbor": cborg };

const object = (type: string, properties: object = {}, more: object = {}) => ({
  ...more,
  payload: { type: "object", required: ["type", ...Object.keys(properties)], properties: { type: { const: type }, ...properties } },
});
const refs = (channel: string, names: readonly string[]) => names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }));
const operation = (action: string, names: readonly string[], reply?: readonly string[], channel = "feed") => ({
  action,
  channel: { $ref: `#/channels/${channel}` },
  messages: refs(channel, names),
  ...(reply && { reply: { messages: refs(channel, reply) } }),
});
const document = (title: string, channels: object, operations: object, options: object = {}) => ({
  asyncapi: "3.1.0",
  info: { title, version: "1.0.0" },
  defaultContentType: "application/cbor",
  servers: { local: { host: "localhost", protocol: "ws" } },
  channels,
  operations,
  "x-wsgen": { perspective: "server", name: title, ...options },
});
const feed = (messages: object, options: object = {}) => ({ feed: { address: "/feed", messages, "x-wsgen": options } });
const integer = { type: "integer" };
const json = { contentType: "application/json" };

const documents = {
  /** Each side asks the other, in CBOR; some replies are JSON. */
  Asking: document(
    "Asking",
    feed(
      {
        add: object("add", { id: integer, n: integer }),
        sum: object("sum", { id: integer, total: integer }),
        many: object("many", { id: integer }, json),
        confirm: object("confirm", { id: integer, sum: integer }),
        confirmed: object("confirmed", { id: integer, ok: { type: "boolean" } }),
      },
      { correlation: "/id" },
    ),
    { add: operation("receive", ["add"], ["sum", "many"]), confirm: operation("send", ["confirm"], ["confirmed"]) },
  ),
  /** Replies by their order, CBOR and JSON in one direction. */
  Order: document(
    "Order",
    feed(
      {
        add: object("add", { n: integer }),
        sum: object("sum", { total: integer }),
        who: object("who", {}, json),
        name: object("name", { name: { type: "string" } }, json),
      },
      { correlation: "order" },
    ),
    { add: operation("receive", ["add"], ["sum"]), who: operation("receive", ["who"], ["name"]) },
  ),
  /** The contract's own error message, in CBOR. */
  Problem: document(
    "Problem",
    feed({
      post: object("post", { text: { type: "string" } }),
      leave: object("leave"),
      problem: {
        ...object("problem", { code: { type: "string" }, detail: { type: "string" } }),
        "x-wsgen": { error: { code: "/code", detail: "/detail" } },
      },
    }),
    { in: operation("receive", ["post", "leave"]), out: operation("send", ["problem"]) },
  ),
  /** Nothing tells them apart but a function. */
  Choice: document(
    "Choice",
    feed({ one: object("m", { n: integer }), two: object("m", { n: integer, m: {} }) }, { onAmbiguous: "classify" }),
    { in: operation("receive", ["one", "two"]), out: operation("send", ["one", "two"]) },
  ),
  /** Two types that one decoder reads, with audio in the other direction. */
  Voice: document(
    "Voice",
    feed({
      say: object("say", { text: { type: "string" } }),
      stop: object("stop", {}, { contentType: "application/x-feed+cbor" }),
      audio: { contentType: "audio/wav", payload: { type: "string", format: "binary" } },
    }),
    { in: operation("receive", ["say", "stop"]), out: operation("send", ["audio"]) },
  ),
  /** Several channels on one socket, with a subscription. */
  Topics: document(
    "Topics",
    {
      prices: {
        address: "prices",
        messages: {
          subscribe: object("subscribe", { channel: { const: "prices" } }),
          unsubscribe: object("unsubscribe", { channel: { const: "prices" } }),
          price: object("price", { price: { type: "number" }, chart: { type: "string", format: "binary" } }),
        },
        "x-wsgen": { subscription: { subscribe: "subscribe", unsubscribe: "unsubscribe", key: ["/channel"] } },
      },
      news: { address: "news", messages: { item: object("item", { text: { type: "string" } }), ask: object("ask") } },
    },
    {
      in: operation("receive", ["subscribe", "unsubscribe"], undefined, "prices"),
      out: operation("send", ["price"], undefined, "prices"),
      ask: operation("receive", ["ask"], undefined, "news"),
      item: operation("send", ["item"], undefined, "news"),
    },
    { contentType: "application/msgpack" },
  ),
};
type Name = keyof typeof documents;

beforeAll(async () => {
  rmSync(output, { recursive: true, force: true });
  for (const [name, text] of Object.entries(documents)) {
    mkdirSync(join(output, name), { recursive: true });
    writeFileSync(join(output, `${name}.json`), JSON.stringify(text));
    const { ok, diagnostics } = await generate({ document: join(output, `${name}.json`), out: join(output, name), unchecked: true });
    expect([ok, ...diagnostics.filter(({ code }) => code === "mixed-encodings" || code === "schema")], name).toEqual([true]);
  }
}, 60_000);

// Generated when the test runs: their types are checked where others like them are.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Untyped = any;
const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function start(name: Name, handler: object, options: object = {}): Promise<TestServer> {
  const router: Router = createRouter();
  const { [`register${name}`]: register } = (await import(join(output, name, "server.ts"))) as Untyped;
  register(router, { [name === "Topics" ? "socket" : "feed"]: handler }, { codecs, ...options });
  const server = await testServer(router, { tcp: true });
  running.push(server);
  return server;
}

async function connect(
  name: Name,
  { url, WebSocket }: TestServer,
  { unchecked = false, ...options }: { unchecked?: boolean; classify?: object } = {},
): Promise<Untyped> {
  const { [`create${name}Client`]: create } = (await import(
    join(output, name, unchecked ? "client.unchecked.ts" : "client.ts")
  )) as Untyped;
  const client = create(url, { codecs, WebSocket, reconnect: false, ...options });
  return await (name === "Topics" ? client.socket() : client.feed());
}

it.each([[false], [true]])("a handler waits for an answer in CBOR before it gives its own, unchecked: %s", async (unchecked) => {
  const server = await start("Asking", {
    messages: {
      async add({ n }: { n: number }, conn: Untyped) {
        if (n < 0) return { type: "many" };
        const { ok } = await conn.request.confirm({ sum: n + 1 });
        return { type: "sum", total: ok === true ? n + 1 : 0 };
      },
    },
  });
  const feed = await connect("Asking", server, { unchecked });
  const asked: number[] = [];
  feed.answer.confirm(({ sum }: { sum: number }) => {
    asked.push(sum);
    return { ok: sum !== 3 };
  });
  expect(await feed.request.add({ n: 1 })).toMatchObject({ type: "sum", total: 2 });
  expect(await feed.request.add({ n: 2 })).toMatchObject({ type: "sum", total: 0 });
  expect(await feed.request.add({ n: -1 })).toEqual({ type: "many", id: 3 }); // In a text frame.
  expect(asked).toEqual([2, 3]);
});

it("replies by their order find their requests, in whichever kind of frame they come", async () => {
  const added: number[] = [];
  const server = await start("Order", {
    messages: { add: ({ n }: { n: number }) => ({ total: added.push(n) }), who: () => ({ name: "Ada" }) },
  });
  const feed = await connect("Order", server);
  const replies = [
    feed.request.add({ n: 1 }),
    feed.request.who(),
    feed.request.add({ n: 2 }),
    feed.request.add({ n: 3 }),
    feed.request.who(),
  ];
  expect(await Promise.all(replies)).toEqual([
    { type: "sum", total: 1 },
    { type: "name", name: "Ada" },
    { type: "sum", total: 2 },
    { type: "sum", total: 3 },
    { type: "name", name: "Ada" },
  ]);
});

it("what is wrong is said in the contract's own words, in CBOR, and the connection stays", async () => {
  const posts: unknown[] = [];
  const server = await start(
    "Problem",
    {
      messages: {
        post(payload: { text: string }) {
          if (payload.text === "throw") throw new Error("no");
          posts.push(payload);
        },
        leave() {},
      },
    },
    { onError() {} },
  );
  await using peer = await server.connect("/feed");
  for (const data of [
    new Uint8Array([0xff]),
    cborg.encode({ type: "post" }),
    cborg.encode({ type: "x" }),
    "{}",
    cborg.encode({ type: "post", text: "throw" }),
  ])
    await peer.send(data);
  await peer.send(cborg.encode({ type: "post", text: "hi" }));
  const said: unknown[] = [];
  for await (const { data } of peer.messages()) if (said.push(cborg.decode(data as Uint8Array)) === 5) break;
  expect(said).toMatchObject([
    { type: "problem", code: "invalid_message", detail: "the message could not be decoded" },
    { code: "invalid_message", detail: "the message must have required property 'text'" },
    { code: "unknown_message" },
    { code: "unsupported_data" },
    { code: "internal_error" },
  ]);
  await expect.poll(() => posts).toEqual([{ type: "post", text: "hi" }]);
});

it("a function tells apart what nothing else does, on both sides", async () => {
  const classify = { feed: (payload: { m?: unknown }) => (payload.m === undefined ? "one" : "two") };
  const heard: unknown[] = [];
  const server = await start(
    "Choice",
    {
      messages: {
        one(payload: unknown, conn: Untyped) {
          heard.push(["one", payload]);
          conn.send.two({ n: 1, m: new Uint8Array([7]) });
        },
        two(payload: unknown, conn: Untyped) {
          heard.push(["two", payload]);
          conn.send.one({ n: 2 });
        },
      },
    },
    { classify },
  );
  const feed = await connect("Choice", server, { classify });
  const arrived: unknown[] = [];
  feed.on.one((payload: unknown) => arrived.push(["one", payload]));
  feed.on.two((payload: unknown) => arrived.push(["two", payload]));
  await feed.send.one({ n: 1 });
  await feed.send.two({ n: 2, m: "x" });
  await expect.poll(() => arrived.length).toBe(2);
  expect(heard).toMatchObject([
    ["one", { n: 1 }],
    ["two", { n: 2, m: "x" }],
  ]);
  expect(arrived).toMatchObject([
    ["two", { n: 1, m: new Uint8Array([7]) }],
    ["one", { n: 2 }],
  ]);
});

it("types with one encoding in common are read by either's codec; the other direction carries bytes as they are", async () => {
  const heard: string[] = [];
  const server = await start("Voice", {
    messages: {
      say: ({ text }: { text: string }, conn: Untyped) => void conn.send.audio(new TextEncoder().encode(text)),
      stop: (_payload: unknown, conn: Untyped) => void conn.close(4000),
    },
  });
  const feed = await connect("Voice", server);
  feed.on.audio((bytes: Uint8Array) => heard.push(new TextDecoder().decode(bytes)));
  await feed.send.say({ text: "hello" });
  await expect.poll(() => heard).toEqual(["hello"]);
  await feed.send.stop();
  expect(await feed.closed).toMatchObject({ code: 4000 });
});

it.each([[false], [true]])("topics and subscriptions are as they are in JSON, unchecked: %s", async (unchecked) => {
  const heard: string[] = [];
  const server = await start("Topics", {
    prices: {
      subscribe(_payload: unknown, conn: Untyped) {
        heard.push("subscribe");
        conn.send.prices.price({ price: 1.5, chart: new Uint8Array([1, 2]) });
      },
      unsubscribe: () => void heard.push("unsubscribe"),
    },
    news: { ask: (_payload: unknown, conn: Untyped) => void conn.send.news.item({ text: "nothing new" }) },
  });
  const socket = await connect("Topics", server, { unchecked });
  const news = await socket.news();
  const items: unknown[] = [];
  news.on.item((payload: unknown) => items.push(payload));
  const prices = await socket.prices({});
  for await (const { payload } of prices) {
    expect(payload).toMatchObject({ type: "price", price: 1.5, chart: new Uint8Array([1, 2]) });
    break;
  }
  await news.send.ask();
  await expect.poll(() => items).toEqual([{ type: "item", text: "nothing new" }]);
  await prices.close();
  await expect.poll(() => heard).toEqual(["subscribe", "unsubscribe"]);
});
