// Requests and replies, the whole way: generated, and both sides over real sockets. Either side asks; ids lie anywhere in the payload.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConnectionClosedError, createRouter, type Router, serve } from "@wsgen/runtime";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { generate } from "../../codegen/src/generate.ts";
import { until } from "./peers.ts";

const output = new URL("../.output/replies/", import.meta.url).pathname;

/** A message with its id at the end of `path`, where a number is a position of a list. */
function message(type: string, path: readonly (string | number)[], id: object, more: object = {}): object {
  const schema = path.reduceRight<object>(
    (inner, step) =>
      typeof step === "number"
        ? { type: "array", minItems: step + 1, items: [...Array.from({ length: step }, () => ({})), inner] }
        : { type: "object", required: [step], properties: { [step]: inner } },
    id,
  ) as { readonly required: readonly string[]; readonly properties: object };
  return {
    payload: { ...schema, required: [...schema.required, "type"], properties: { type: { const: type }, ...schema.properties, ...more } },
    correlationId: { location: `$message.payload#/${path.map((step) => String(step).replace("/", "~1")).join("/")}` },
  };
}

interface Reply {
  /** Of the channel `replies`, which there is when this is given. */
  readonly address?: string | null;
  readonly location?: string;
}

/** The client asks `price`, answered by `quote`; the server asks `confirm`, answered by `confirmed`. */
function described(title: string, { address, location }: Reply = {}): object {
  const elsewhere = address !== undefined;
  const channel = elsewhere ? "replies" : "market";
  const text = { type: "string" };
  const quote = message("quote", ["of", "ids", 1], { type: "integer" });
  const operation = (action: string, name: string, reply: object): object => ({
    action,
    channel: { $ref: "#/channels/market" },
    messages: [{ $ref: `#/channels/market/messages/${name}` }],
    reply,
  });
  return {
    asyncapi: "3.1.0",
    info: { title, version: "1.0.0" },
    servers: { local: { host: "localhost", protocol: "ws" } },
    channels: {
      market: {
        address: "/market",
        messages: {
          price: message("price", ["meta", "id"], { type: "integer" }, { replyTo: text }),
          confirm: message("confirm", ["id"], { type: "string", format: "uuid" }),
          confirmed: message("confirmed", ["re", "a/b"], { type: "string", format: "uuid" }),
          ...(!elsewhere && { quote }),
        },
      },
      ...(elsewhere && {
        replies: {
          ...(address !== null && { parameters: { client: { description: "Who asked." } } }),
          address,
          messages: { quote },
        },
      }),
    },
    operations: {
      ask: operation("receive", "price", {
        channel: { $ref: `#/channels/${channel}` },
        messages: [{ $ref: `#/channels/${channel}/messages/quote` }],
        ...(location !== undefined && { address: { location } }),
      }),
      check: operation("send", "confirm", { messages: [{ $ref: "#/channels/market/messages/confirmed" }] }),
    },
    "x-wsgen": { perspective: "server", name: title },
  };
}

interface Conn {
  readonly params: { readonly client: string };
  readonly request: { confirm(payload: object): Promise<object> };
  readonly signal: AbortSignal;
  readonly closed: Promise<unknown>;
  join(room: string): void;
  close(): Promise<unknown>;
}
interface Client {
  readonly request: { price(payload: object): Promise<object> };
  readonly send: { price(payload: object): void };
  readonly answer: { confirm(answerer: (payload: object) => unknown): void };
  readonly on: { quote(listener: (payload: object) => void): void };
  close(): Promise<unknown>;
}
interface Api {
  readonly replies: { to(room: string): { readonly send: { quote(payload: object): void } } };
}

const generated: Record<string, readonly string[]> = {};
beforeAll(async () => {
  rmSync(output, { recursive: true, force: true });
  const documents = {
    Here: {},
    Dynamic: { address: null, location: "$message.payload#/replyTo" },
    Header: { address: null, location: "$message.header#/replyTo" },
    Elsewhere: { address: "/replies/{client}" },
  };
  for (const [name, reply] of Object.entries(documents)) {
    mkdirSync(join(output, name), { recursive: true });
    writeFileSync(join(output, `${name}.json`), JSON.stringify(described(name, reply), null, 1));
    const { diagnostics } = await generate({ document: join(output, `${name}.json`), out: join(output, name), schemas: false });
    generated[name] = diagnostics.map(({ severity, code, message }) => `${severity} ${code} ${message}`);
  }
}, 30_000);

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(name: string, price: (payload: { readonly replyTo: string }, conn: Conn) => unknown) {
  const conns: Conn[] = [];
  const router = createRouter({ onError: () => {} });
  const server_ = (await import(join(output, name, "server.ts"))) as Record<string, (router: Router, handlers: object) => Api>;
  const api = server_[`register${name}`]!(router, {
    market: { open: (conn: Conn) => void conns.push(conn), messages: { price } },
    ...(name === "Elsewhere" && { replies: { open: (conn: Conn) => conn.join(conn.params.client) } }),
  });
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  opened.push(server);
  type Connect = (params?: object) => Promise<Client>;
  const client_ = (await import(join(output, name, "client.ts"))) as Record<
    string,
    (url: string, options: object) => Record<string, Connect>
  >;
  const client = client_[`create${name}Client`]!(server.url, { reconnect: false });
  const market = await client["market"]!();
  opened.push(market);
  return { api, client, market, conns };
}

const refused = (promise: Promise<unknown>): Promise<unknown> => promise.then(String, (error: unknown) => error);

describe.each(["Here", "Dynamic", "Header"])("replies on the socket of their request: %s", (name) => {
  it("answer the client, by an id deep in both payloads", async () => {
    const { market } = await start(name, ({ replyTo }) => ({ type: "quote", of: { ids: [replyTo, 0] } }));
    const asked = [1, 2, 3].map((index) => market.request.price({ meta: {}, replyTo: `inbox-${index}` }));
    const quotes = (await Promise.all(asked)) as { readonly of: { readonly ids: readonly unknown[] } }[];
    expect(quotes.map(({ of }) => of.ids[0])).toEqual(["inbox-1", "inbox-2", "inbox-3"]);
    expect(new Set(quotes.map(({ of }) => of.ids[1])).size).toBe(3);
  });

  it("answer the server, by an id under a name with a slash", async () => {
    const { market, conns } = await start(name, () => {});
    market.answer.confirm(() => ({ re: {} }));
    await until(() => conns.length === 1);
    const answer = (await conns[0]!.request.confirm({})) as { readonly re: Record<string, string> };
    expect(answer.re["a/b"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("that never come are settled when the connection closes, whoever closes it", async () => {
    const { client, market, conns } = await start(name, (_, conn) => conn.closed.then(() => Promise.reject(conn.signal.reason as Error)));
    market.answer.confirm(() => new Promise(() => {}));
    await until(() => conns.length === 1);
    const both = [refused(market.request.price({ meta: {} })), refused(conns[0]!.request.confirm({}))];
    void market.close();
    for (const error of await Promise.all(both)) expect(error).toBeInstanceOf(ConnectionClosedError);

    const other = await client["market"]!();
    await until(() => conns.length === 2);
    const again = [refused(other.request.price({ meta: {} })), refused(conns[1]!.request.confirm({}))];
    void conns[1]!.close();
    for (const error of await Promise.all(again)) expect(error).toBeInstanceOf(ConnectionClosedError);
  });
});

it("says of an address in the request that it is for the application alone", () => {
  expect(generated["Here"]).toEqual([]);
  expect(generated["Dynamic"]).toEqual([expect.stringMatching(/^hint reply-address A reply goes back over the socket/)]);
  expect(generated["Header"]).toEqual(generated["Dynamic"]);
});

it("a reply that goes over another connection is sent by hand, to the room of whoever asked", async () => {
  expect(generated["Elsewhere"]).toEqual([expect.stringMatching(/^warning reply-elsewhere This reply comes on the channel `replies`/)]);
  const started = await start("Elsewhere", ({ replyTo }) => started.api.replies.to(replyTo).send.quote({ of: { ids: [replyTo, 7] } }));
  const heard: object[] = [];
  for (const client of ["ada", "eve"]) {
    const replies = await started.client["replies"]!({ client });
    opened.push(replies);
    replies.on.quote((quote) => heard.push({ client, quote }));
  }
  started.market.send.price({ meta: { id: 7 }, replyTo: "ada" });
  await until(() => heard.length > 0);
  expect(heard).toEqual([{ client: "ada", quote: { type: "quote", of: { ids: ["ada", 7] } } }]);
});
