// Options of a document, the whole way: generated, compiled, and server and client talking over real sockets.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRouter, type Router, type RunningServer, serve } from "@wsgen/runtime";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { generate } from "../../codegen/src/generate.ts";
import { until } from "./peers.ts";

const output = new URL("../.output/options/", import.meta.url).pathname;

const document = (title: string, options: object, messages: object, operations: object): string =>
  JSON.stringify({
    asyncapi: "3.1.0",
    info: { title, version: "1.0.0" },
    defaultContentType: "application/json",
    servers: { local: { host: "localhost", protocol: "ws" } },
    channels: { feed: { address: "/feed", messages, "x-wsgen": options } },
    operations,
    "x-wsgen": { perspective: "server", name: title },
  });
const refs = (...names: readonly string[]) => names.map((name) => ({ $ref: `#/channels/feed/messages/${name}` }));
const operation = (action: string, messages: readonly string[], reply?: readonly string[]) => ({
  action,
  channel: { $ref: "#/channels/feed" },
  messages: refs(...messages),
  ...(reply !== undefined && { reply: { messages: refs(...reply) } }),
});
const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  payload: { type: "object", required, properties },
});
const list = (...items: readonly object[]) => ({ payload: { type: "array", minItems: items.length, maxItems: items.length, items } });

const texts = {
  open: { payload: { type: "object", properties: { n: { type: "integer" } } } },
  empty: { payload: { const: "{}" }, contentType: "text/plain" },
  answer: { payload: { const: "42" }, contentType: "text/plain" },
  total: { payload: { type: "integer" } },
};
const both = { in: operation("receive", Object.keys(texts)), out: operation("send", Object.keys(texts)) };

const documents = {
  Texts: document("Texts", { onAmbiguous: "classify" }, texts, both),
  FirstText: document("FirstText", { onAmbiguous: "first" }, texts, both),
  UnionText: document("UnionText", {}, texts, both),
  Choice: document(
    "Choice",
    { onAmbiguous: "classify" },
    {
      book: list({ type: "integer" }, { type: "number" }),
      trade: list({ type: "integer" }, { type: "integer" }),
      open: object({ id: {} }),
    },
    { in: operation("receive", ["book", "trade", "open"]), out: operation("send", ["book", "trade"]) },
  ),
  First: document(
    "First",
    { onAmbiguous: "first", onInvalid: "drop" },
    { small: object({ x: { type: "integer", maximum: 9 } }), large: object({ x: { type: "integer" } }) },
    { in: operation("receive", ["small", "large"]), out: operation("send", ["small", "large"]) },
  ),
  Rest: document(
    "Rest",
    { onInvalid: "drop" },
    { known: object({ type: { enum: ["tick", "tock"] }, n: { type: "integer" } }), rest: object({ type: { type: "string" } }) },
    { in: operation("receive", ["known", "rest"]), out: operation("send", ["known", "rest"]) },
  ),
  Order: document(
    "Order",
    { correlation: "order" },
    {
      add: object({ op: { const: "add" }, n: { type: "integer" } }),
      sum: object({ op: { const: "sum" }, total: { type: "integer" } }),
      tick: object({ op: { const: "tick" } }),
      who: object({ op: { const: "who" }, n: { type: "integer" } }),
      name: object({ op: { const: "name" }, text: { type: "string" } }),
    },
    {
      add: operation("receive", ["add"], ["sum"]),
      who: operation("send", ["who"], ["name"]),
      tick: operation("send", ["tick"]),
    },
  ),
  OrderOrProblem: document(
    "OrderOrProblem",
    { correlation: "order" },
    {
      add: object({ op: { const: "add" }, n: { type: "integer" } }),
      note: object({ op: { const: "note" }, n: { type: "integer" } }),
      sum: object({ op: { const: "sum" }, total: { type: "integer" } }),
      problem: { ...object({ op: { const: "problem" }, why: { type: "string" } }), "x-wsgen": { error: { detail: "/why" } } },
    },
    { add: operation("receive", ["add"], ["sum", "problem"]), note: operation("receive", ["note"]), out: operation("send", ["problem"]) },
  ),
  OrderBesideProblem: document(
    "OrderBesideProblem",
    { correlation: "order" },
    {
      add: object({ op: { const: "add" }, n: { type: "integer" } }),
      note: object({ op: { const: "note" }, n: { type: "integer" } }),
      sum: object({ op: { const: "sum" }, total: { type: "integer" } }),
      problem: { ...object({ op: { const: "problem" }, why: { type: "string" } }), "x-wsgen": { error: { detail: "/why" } } },
    },
    { add: operation("receive", ["add"], ["sum"]), note: operation("receive", ["note"]), out: operation("send", ["problem"]) },
  ),
  Unchecked: document(
    "Unchecked",
    { onAmbiguous: "first" },
    {
      small: object({ x: { type: "integer", maximum: 9 } }),
      large: object({ x: { type: "integer" } }),
      add: { ...object({ op: { const: "add" }, n: { type: "integer" } }), "x-wsgen": { correlation: "order" } },
      sum: object({ op: { const: "sum" }, total: { type: "integer" } }),
      ask: { ...object({ op: { const: "ask" }, id: { type: "integer" } }), "x-wsgen": { correlation: "/id" } },
      answer: object({ op: { const: "answer" }, id: { type: "integer" } }),
      event: object({ op: { const: "event" }, id: { type: "integer" } }),
    },
    {
      out: operation("send", ["small", "large", "event"]),
      add: operation("receive", ["add"], ["sum"]),
      ask: operation("receive", ["ask"], ["answer"]),
    },
  ),
  Problem: document(
    "Problem",
    { correlation: "/id" },
    {
      post: object({ op: { const: "post" }, id: { type: "string" }, n: { type: "integer" } }),
      posted: object({ op: { const: "posted" }, id: { type: "string" } }),
      problem: {
        ...object({ op: { const: "problem" }, id: { type: "string" }, status: { enum: [400, 500] } }, ["op", "status"]),
        "x-wsgen": { error: { toError: true, correlation: "/id" } },
      },
    },
    { in: operation("receive", ["post"], ["posted"]), out: operation("send", ["problem"]) },
  ),
  Envelope: document(
    "Envelope",
    { envelope: { payload: "/data", headers: "/meta" }, discriminator: "/event" },
    {
      post: {
        ...object({ text: { type: "string" } }),
        headers: { type: "object", required: ["trace"], properties: { trace: { type: "string" } } },
      },
      posted: object({ text: { type: "string" } }),
    },
    { in: operation("receive", ["post"]), out: operation("send", ["posted"]) },
  ),
};

type Calls = Record<string, (payload?: unknown, options?: object) => unknown>;
interface Conn {
  readonly send: Calls;
  readonly request: Calls;
}
interface Client {
  readonly send: Calls;
  readonly request: Calls;
  readonly on: Record<string, (listener: (payload: unknown) => void) => unknown>;
  readonly answer: Record<string, (answerer: (payload: unknown) => unknown) => unknown>;
  close(): Promise<unknown>;
}

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(
  name: keyof typeof documents,
  handlers: object,
  options: object = {},
): Promise<{ url: string; conn: () => Promise<Conn> }> {
  const module = (await import(join(output, name, "server.ts"))) as Record<
    string,
    (router: Router, handlers: object, options: object) => unknown
  >;
  const router = createRouter();
  const conns: Conn[] = [];
  module[`register${name}`]!(router, { feed: { open: (conn: Conn) => void conns.push(conn), ...handlers } }, options);
  const server: RunningServer = await serve(router, { host: "127.0.0.1", signals: [] });
  opened.push(server);
  const conn = async (): Promise<Conn> => {
    await until(() => conns.length > 0);
    return conns.pop()!;
  };
  return { url: server.url, conn };
}

async function connect(
  name: keyof typeof documents,
  url: string,
  options: object = {},
  file: "client" | "client.unchecked" = "client",
): Promise<Client> {
  const module = (await import(join(output, name, `${file}.ts`))) as Record<
    string,
    (url: string, options: object) => Record<string, () => Promise<Client>>
  >;
  const client = await module[`create${name}Client`]!(url, { ...options, WebSocket })["feed"]!();
  opened.push(client);
  return client;
}

/** What arrives at a raw socket, and a way to send text on it. */
async function raw(url: string): Promise<{ send(text: string): void; readonly heard: string[]; readonly code: () => number | undefined }> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/feed`);
  const heard: string[] = [];
  let code: number | undefined;
  socket.on("message", (data: Buffer) => heard.push(data.toString()));
  socket.on("close", (closed) => {
    code = closed;
  });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  opened.push({ close: async () => socket.terminate() });
  return { send: (text) => socket.send(text), heard, code: () => code };
}

beforeAll(async () => {
  rmSync(output, { recursive: true, force: true });
  for (const [name, text] of Object.entries(documents)) {
    mkdirSync(join(output, name), { recursive: true });
    const path = join(output, `${name}.json`);
    writeFileSync(path, text);
    const { ok, diagnostics } = await generate({ document: path, out: join(output, name), unchecked: name === "Unchecked" });
    expect(
      diagnostics.filter(({ severity }) => severity === "error"),
      name,
    ).toEqual([]);
    expect(ok).toBe(true);
  }
}, 60_000);

it("what is generated compiles under the strictest tsconfig, and classify is asked for with its types", () => {
  writeFileSync(
    join(output, "use.ts"),
    `import { createRouter } from "@wsgen/runtime";
import { registerChoice } from "./Choice/server.js";
import { registerProblem } from "./Problem/server.js";
import { registerUnionText } from "./UnionText/server.js";
import { createChoiceClient } from "./Choice/client.js";
const router = createRouter().use((_request, next) => next({ books: new Set<number>() }));
const handlers = { feed: { messages: { book: () => {}, trade: () => {}, open: () => {} } } };
registerChoice(router, handlers, {
  classify: { feed: (payload, among, conn) => (conn.context.books.has(Number(Array.isArray(payload) && payload[0])) ? "book" : among.find((name) => name === "trade")) },
});
// @ts-expect-error: without a function nobody knows which is which
registerChoice(router, handlers);
registerProblem(createRouter(), { feed: { messages: { post: () => ({}) } } }, { toError: { feed: ({ code }) => ({ status: code === "internal_error" ? 500 : 400 }) } });
// @ts-expect-error: 404 is no status of it
registerProblem(createRouter(), { feed: { messages: { post: () => ({}) } } }, { toError: { feed: () => ({ status: 404 }) } });
registerUnionText(createRouter(), { feed: { messages: {
  emptyOrOpen: (payload) => (payload === "{}" ? undefined : void payload.n?.toFixed()),
  answerOrTotal: (payload) => (payload === "42" ? undefined : void payload.toFixed()),
  open: ({ n }) => void n?.toFixed(),
  total: (n) => void n.toFixed(),
} } });
// @ts-expect-error: there is no such message
registerChoice(router, handlers, { classify: { feed: () => "boook" } });
// @ts-expect-error: nor can a client know
createChoiceClient("ws://localhost");
createChoiceClient("ws://localhost", { classify: { feed: (_payload, among, conn) => (conn.url === "" ? among[0] : undefined) } });
`,
  );
  writeFileSync(
    join(output, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../tsconfig.json",
      compilerOptions: { noEmit: true, composite: false, noPropertyAccessFromIndexSignature: true, isolatedModules: true },
      include: ["**/*.ts"],
    }),
  );
  const { stdout, status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", output], { encoding: "utf8" });
  expect(`${stdout}${status}`).toBe("0");
});

describe("a message that takes the rest", () => {
  it("never has what has another's constant: that one's guard alone decides, and says what is wrong", async () => {
    const heard: unknown[] = [];
    const refused: string[] = [];
    const hear = (name: string) => (payload: unknown) => void heard.push([name, payload]);
    const messages = { known: hear("known"), rest: hear("rest") };
    const { url } = await start("Rest", { messages }, { onInvalid: ({ message }: Error) => refused.push(message) });
    const { send } = await raw(url);
    send('{"type":"tick","n":1}');
    send('{"type":"other","n":"x"}');
    // Valid as `rest` too, if nobody had called it `tick`.
    send('{"type":"tick","n":"x"}');
    await until(() => heard.length + refused.length === 3);
    expect(heard).toEqual([
      ["known", { type: "tick", n: 1 }],
      ["rest", { type: "other", n: "x" }],
    ]);
    expect(refused).toEqual(['"known" was received and is invalid: /n must be integer.']);
  });
});

describe("a bare text that is another message's JSON", () => {
  const heard: unknown[] = [];
  const hear = (name: string) => (payload: unknown) => void heard.push([name, payload]);
  const all = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, hear(name)]));
  const exchange = async (name: "Texts" | "FirstText", options?: object) => {
    const { url, conn } = await start(name, { messages: all(...Object.keys(texts)) }, options);
    const client = await connect(name, url, options);
    for (const message of Object.keys(texts)) client.on[message]!((payload) => void heard.push([`client ${message}`, payload]));
    const server = await conn();
    for (const [index, { send }] of [client, server].entries()) {
      await send["empty"]!("{}");
      await send["answer"]!("42");
      await until(() => heard.length === 2 * (index + 1));
    }
    return heard.splice(0);
  };

  it("is given to whoever it is classified as, as that one's schema has it", async () => {
    const as = (...names: readonly string[]) => ({
      classify: { feed: (_: unknown, among: readonly string[]) => among.find((name) => names.includes(name)) },
    });
    expect(await exchange("Texts", as("open", "total"))).toEqual(
      ["", "client "].flatMap((side) => [
        [`${side}open`, {}],
        [`${side}total`, 42],
      ]),
    );
    expect(await exchange("Texts", as("empty", "answer"))).toEqual(
      ["", "client "].flatMap((side) => [
        [`${side}empty`, "{}"],
        [`${side}answer`, "42"],
      ]),
    );
  });

  it("is the first of them in the document's order", async () => {
    expect(await exchange("FirstText")).toEqual(
      ["", "client "].flatMap((side) => [
        [`${side}open`, {}],
        [`${side}answer`, "42"],
      ]),
    );
  });

  it("is the text in a union, which its type says", async () => {
    const { url } = await start("UnionText", { messages: all("emptyOrOpen", "answerOrTotal", "open", "total") });
    const { send } = await connect("UnionText", url);
    await send["open"]!({});
    await send["total"]!(42);
    await send["open"]!({ n: 1 });
    await send["total"]!(43);
    await until(() => heard.length === 4);
    expect(heard.splice(0)).toEqual([
      ["emptyOrOpen", "{}"],
      ["answerOrTotal", "42"],
      ["open", { n: 1 }],
      ["total", 43],
    ]);
  });
});

describe("onAmbiguous: classify", () => {
  it("asks the function, runs that message's guard and no other, and refuses what it does not know", async () => {
    const heard: unknown[] = [];
    const hear = (name: string) => (payload: unknown) => void heard.push([name, payload]);
    const asked: unknown[] = [];
    const classify = {
      feed: (payload: readonly [number, number], among: readonly string[], conn: Conn) => {
        asked.push([among, typeof conn.send["book"]]);
        if (payload[0] === 13) throw new Error("no idea");
        return payload[0] === 1 ? "book" : payload[0] === 2 ? "trade" : undefined;
      },
    };
    const errors: unknown[] = [];
    const { url } = await start(
      "Choice",
      { messages: { book: hear("book"), trade: hear("trade"), open: hear("open") } },
      { classify, onError: (error: unknown) => errors.push(error) },
    );
    const peer = await raw(url);
    peer.send("[1,2]");
    peer.send("[2,2]");
    peer.send('{"id":1}');
    await until(() => heard.length === 3);
    expect(heard).toEqual([
      ["book", [1, 2]],
      ["trade", [2, 2]],
      ["open", { id: 1 }],
    ]);
    expect(asked).toEqual([
      [["book", "trade"], "function"],
      [["book", "trade"], "function"],
    ]);
    peer.send("[2,2.5]");
    await until(() => peer.code() !== undefined);
    expect(peer.code()).toBe(1008);
    for (const text of ["[3,3]", "[13,1]"]) {
      const other = await raw(url);
      other.send(text);
      await until(() => other.code() !== undefined);
      expect(other.code()).toBe(1008);
    }
    expect(heard).toHaveLength(3);
    expect(errors).toEqual([new Error("no idea")]);
  });

  it("is there for the client as well", async () => {
    const { url, conn } = await start(
      "Choice",
      { messages: { book: () => {}, trade: () => {}, open: () => {} } },
      { classify: { feed: () => undefined } },
    );
    const client = await connect("Choice", url, { classify: { feed: ([id]: readonly [number]) => (id === 1 ? "book" : "trade") } });
    const heard: unknown[] = [];
    for (const name of ["book", "trade"]) client.on[name]!((payload) => heard.push([name, payload]));
    const server = await conn();
    server.send["trade"]!([2, 7]);
    server.send["book"]!([1, 0.5]);
    await until(() => heard.length === 2);
    expect(heard).toEqual([
      ["trade", [2, 7]],
      ["book", [1, 0.5]],
    ]);
  });

  it("is missed at registration, not at the first message", async () => {
    const handlers = { messages: { book: () => {}, trade: () => {}, open: () => {} } };
    await expect(start("Choice", handlers)).rejects.toThrow('endpoint "feed" has messages that nothing tells apart');
  });
});

describe("onAmbiguous: first", () => {
  it("delivers to the first that accepts, both ways; onInvalid: drop keeps the connection", async () => {
    const heard: unknown[] = [];
    const hear = (name: string) => (payload: unknown) => void heard.push([name, payload]);
    const invalid: string[] = [];
    const { url, conn } = await start(
      "First",
      { messages: { small: hear("small"), large: hear("large") } },
      { onInvalid: (error: Error) => invalid.push(error.message) },
    );
    const peer = await raw(url);
    for (const text of ['{"x":3}', '{"x":30}', '{"x":"no"}', "not json", '{"x":4}']) peer.send(text);
    await until(() => heard.length === 3);
    expect(heard).toEqual([
      ["small", { x: 3 }],
      ["large", { x: 30 }],
      ["small", { x: 4 }],
    ]);
    expect(invalid).toEqual([expect.stringContaining('/x must be integer (as "small", "large")'), expect.stringContaining("not JSON")]);
    expect([peer.code(), peer.heard]).toEqual([undefined, []]);
    await conn();

    const client = await connect("First", url);
    const got: unknown[] = [];
    for (const name of ["small", "large"]) client.on[name]!((payload) => got.push([name, payload]));
    const server = await conn();
    server.send["large"]!({ x: 10 });
    server.send["small"]!({ x: 1 });
    await until(() => got.length === 2);
    expect(got).toEqual([
      ["large", { x: 10 }],
      ["small", { x: 1 }],
    ]);
  });
});

describe("correlation: order", () => {
  it("gives replies to requests in turn, on both sides, with other messages between", async () => {
    const add = async ({ n }: { n: number }, conn: Conn) => {
      conn.send["tick"]!();
      return { total: n + 1 };
    };
    const handlers = { messages: { add } };
    const { url, conn } = await start("Order", handlers);
    const client = await connect("Order", url);
    const server = await conn();
    const ticks: unknown[] = [];
    client.on["tick"]!((payload) => ticks.push(payload));
    expect(await Promise.all([1, 2, 3].map((n) => client.request["add"]!({ n })))).toEqual([
      { op: "sum", total: 2 },
      { op: "sum", total: 3 },
      { op: "sum", total: 4 },
    ]);
    expect(ticks).toHaveLength(3);
    // The first answer takes longest, and is still the first.
    client.answer["who"]!(async (payload) => {
      const { n } = payload as { readonly n: number };
      await new Promise((resolve) => setTimeout(resolve, n === 1 ? 30 : 0));
      return { text: `${n}` };
    });
    expect(await Promise.all([1, 2].map((n) => server.request["who"]!({ n })))).toEqual([
      { op: "name", text: "1" },
      { op: "name", text: "2" },
    ]);
  });

  it("keeps its count when a request is given up, and settles what is open when the connection closes", async () => {
    const { url } = await start("Order", {
      messages: { add: ({ n }: { n: number }) => new Promise((resolve) => setTimeout(() => resolve({ total: n }), n === 9 ? 300 : 60)) },
    });
    const client = await connect("Order", url, { reconnect: false });
    const late = client.request["add"]!({ n: 1 }, { timeout: 20 }) as Promise<unknown>;
    const second = client.request["add"]!({ n: 2 }) as Promise<unknown>;
    await expect(late).rejects.toThrow(/20 ms/);
    expect(await second).toEqual({ op: "sum", total: 2 });
    const open = client.request["add"]!({ n: 9 }) as Promise<unknown>;
    const settled = expect(open).rejects.toMatchObject({ code: "WSGEN_CONNECTION_CLOSED" });
    await client.close();
    await settled;
  });
});

describe("correlation: order, where something goes wrong", () => {
  const add = async ({ n }: { readonly n: number }) => {
    await new Promise((resolve) => setTimeout(resolve, n === 1 ? 30 : 0));
    if (n === 2) throw new Error("two");
    return { op: "sum", total: n };
  };
  const note = ({ n }: { readonly n: number }) => {
    if (n === 2) throw new Error("two");
  };
  const quiet = { onError: () => {}, limits: { concurrency: 4 } };

  it("gives each request its own reply, though handlers may run beside each other, and the error message where it is a reply", async () => {
    const { url } = await start("OrderOrProblem", { messages: { add, note } }, quiet);
    const client = await connect("OrderOrProblem", url, { reconnect: false });
    const asked = await Promise.allSettled([1, 2, 3].map((n) => client.request["add"]!({ n })));
    expect(asked.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as Error).name))).toEqual([
      { op: "sum", total: 1 },
      "RequestFailedError",
      { op: "sum", total: 3 },
    ]);
  });

  it("closes rather than to send an error message that would be taken for the reply to something else", async () => {
    const { url } = await start("OrderOrProblem", { messages: { add, note } }, quiet);
    const peer = await raw(url);
    peer.send('{"op":"note","n":2}');
    await until(() => peer.code() !== undefined);
    expect(peer.code()).toBe(1011);
    expect(peer.heard).toEqual([]);
  });

  it("closes when a client does not answer what it is asked", async () => {
    const { url, conn } = await start("Order", { messages: { add } });
    const client = await connect("Order", url, quiet);
    const server = await conn();
    client.answer["who"]!((payload) => {
      const { n } = payload as { readonly n: number };
      if (n === 1) throw new Error("one");
      return { text: `${n}` };
    });
    const asked = await Promise.allSettled([1, 2].map((n) => server.request["who"]!({ n })));
    expect(asked.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("closes where the error message is no reply, so that no later reply is taken for one that never comes", async () => {
    const { url } = await start("OrderBesideProblem", { messages: { add, note } }, quiet);
    const client = await connect("OrderBesideProblem", url, { reconnect: false });
    const heard: unknown[] = [];
    client.on["problem"]!((payload) => heard.push(payload));
    client.send["note"]!({ n: 2 });
    await until(() => heard.length === 1);
    const asked = await Promise.allSettled([1, 2, 3].map((n) => client.request["add"]!({ n })));
    expect(asked.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as Error).name))).toEqual([
      { op: "sum", total: 1 },
      "ConnectionClosedError",
      "ConnectionClosedError",
    ]);
  });
});

it.each(["client", "client.unchecked"] as const)(
  "%s gives a request its reply, and no event with its id or before its turn",
  async (file) => {
    const { url } = await start("Unchecked", {
      messages: {
        add(_: unknown, conn: Conn) {
          conn.send["small"]!({ x: 3 });
          return { total: 1 };
        },
        ask({ id }: { readonly id: number }, conn: Conn) {
          conn.send["event"]!({ id });
          return {};
        },
      },
    });
    const client = await connect("Unchecked", url, {}, file);
    expect(await client.request["ask"]!({})).toEqual({ op: "answer", id: 1 });
    expect(await client.request["add"]!({ n: 1 })).toEqual({ op: "sum", total: 1 });
  },
);

describe("error: toError", () => {
  it("closes where it fails, in an async function too, and hooks that fail harm nobody", async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", note);
    const errors: string[] = [];
    const { url } = await start(
      "Problem",
      { messages: { post: () => ({}) } },
      {
        toError: { feed: () => Promise.reject(new Error("too late")) },
        onInvalid: () => Promise.reject(new Error("no log")),
        onError: (error: Error) => {
          errors.push(error.message);
          return Promise.reject(error);
        },
      },
    );
    const peer = await raw(url);
    peer.send("no json");
    await until(() => peer.code() !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", note);
    expect(peer.code()).toBe(1007);
    expect(errors).toEqual(["toError gave a promise, and is to answer at once.", "too late"]);
    expect(rejections).toEqual([]);
  });

  it("lets a function say what is wrong, with the id of the request; what it says wrongly closes", async () => {
    const problems: unknown[] = [];
    const toError = {
      feed: (problem: { readonly code: string; readonly message?: string; readonly payload: unknown }) => {
        problems.push([problem.code, problem.message]);
        return { status: Array.isArray(problem.payload) ? 418 : problem.code === "internal_error" ? 500 : 400 };
      },
    };
    const post = ({ n }: { readonly n: number }) => {
      if (n === 2) throw new Error("two");
      return {};
    };
    await expect(start("Problem", { messages: { post } })).rejects.toThrow('says errors with "problem": add a function to `toError`');
    const { url } = await start("Problem", { messages: { post } }, { toError, onError: () => {} });
    const peer = await raw(url);
    peer.send('{"op":"post","id":"a","n":"no"}');
    peer.send('{"op":"post","id":"b","n":2}');
    peer.send("no json");
    await until(() => peer.heard.length === 3);
    expect(peer.heard.map((text) => JSON.parse(text) as unknown)).toEqual([
      { op: "problem", status: 400, id: "a" },
      { op: "problem", status: 500, id: "b" },
      { op: "problem", status: 400 },
    ]);

    const client = await connect("Problem", url);
    await expect(client.request["post"]!({ n: 2 })).rejects.toMatchObject({ code: "WSGEN_REQUEST_FAILED", payload: { status: 500 } });
    // A status that the contract does not have is not sent.
    peer.send("[]");
    await until(() => peer.code() !== undefined);
    expect(peer.code()).toBe(1008);
    expect(problems).toEqual([
      ["invalid_message", "post"],
      ["internal_error", "post"],
      ["invalid_json", undefined],
      ["internal_error", "post"],
      ["invalid_message", "post"],
    ]);
  });
});

describe("envelope", () => {
  it("is on the wire, in the types and nowhere else to be thought of", async () => {
    const heard: unknown[] = [];
    const { url } = await start("Envelope", {
      messages: {
        post: (message: { readonly data: { readonly text: string } }, conn: Conn) => {
          heard.push(message);
          conn.send["posted"]!({ data: { text: message.data.text } });
        },
      },
    });
    const peer = await raw(url);
    peer.send(JSON.stringify({ event: "post", data: { text: "hi" }, meta: { trace: "t" } }));
    await until(() => peer.heard.length === 1);
    expect(heard).toEqual([{ event: "post", data: { text: "hi" }, meta: { trace: "t" } }]);
    expect(JSON.parse(peer.heard[0]!)).toEqual({ event: "posted", data: { text: "hi" } });
    peer.send(JSON.stringify({ event: "post", data: { text: "hi" } }));
    await until(() => peer.code() !== undefined);
    expect([peer.code(), heard.length]).toEqual([1008, 1]);
  });
});
