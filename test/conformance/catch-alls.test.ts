// A message that takes whatever is no other message: what would be another one to its receiver does not leave either side as one of them.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ContractError, createRouter, type Router, serve } from "@wsgen/runtime";
import { afterEach, beforeAll, expect, test } from "vitest";
import { generate } from "../../codegen/src/generate.ts";
import { until } from "./peers.ts";

const output = new URL("../.output/catch-alls/", import.meta.url).pathname;
const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
beforeAll(() => rmSync(output, { recursive: true, force: true }));

const text = { type: "string" };
const object = (properties: object): object => ({ payload: { type: "object", required: Object.keys(properties), properties } });
/** `note` has any type and any data, the others say theirs; `line` is any text but `PING`. */
const messages = {
  tick: object({ type: { const: "tick" }, data: { type: "object" } }),
  note: object({ type: text }),
  book: object({ type: { const: "book" }, data: { type: "object", required: ["of"], properties: { of: { const: "bids" } } } }),
  rest: object({ type: { const: "book" }, data: { type: "object", required: ["of"], properties: { of: text } } }),
  ping: { payload: { const: "PING" }, contentType: "text/plain" },
  line: { payload: text, contentType: "text/plain" },
};
type Name = keyof typeof messages;

interface Sends {
  readonly send: Record<Name, (payload: unknown) => Promise<void> | undefined>;
}

let count = 0;
/** The same messages go both ways: both sides of one connection, and what each of them heard. */
async function both(unchecked?: "unchecked") {
  const out = join(output, `${++count}`);
  const refs = (keys: readonly string[]): object[] => keys.map((key) => ({ $ref: `#/channels/talk/messages/${key}` }));
  const channel = { $ref: "#/channels/talk" };
  const document = {
    asyncapi: "3.1.0",
    info: { title: "Talk", version: "1" },
    servers: { local: { host: "localhost", protocol: "ws" } },
    channels: { talk: { address: "/talk", messages } },
    operations: Object.fromEntries(
      ["receive", "send"].map((action) => [action, { action, channel, messages: refs(Object.keys(messages)) }]),
    ),
    "x-wsgen": { perspective: "server", name: "Talk" },
  };
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "api.json"), JSON.stringify(document));
  await generate({ document: join(out, "api.json"), out, schemas: false, ...(unchecked && { unchecked: true }) });
  const { registerTalk } = (await import(join(out, "server.ts"))) as { registerTalk(router: Router, handlers: object): unknown };
  const { createTalkClient } = (await import(join(out, unchecked ? "client.unchecked.ts" : "client.ts"))) as {
    createTalkClient(
      url: string,
      options: object,
    ): {
      talk(): Promise<Sends & AsyncIterable<{ readonly name: Name; readonly payload: unknown }> & { close(): Promise<unknown> }>;
    };
  };
  const heard: unknown[] = [];
  let server: Sends | undefined;
  const router = createRouter({ onError: () => {} });
  registerTalk(router, {
    talk: {
      open(conn: Sends) {
        server = conn;
      },
      messages: Object.fromEntries(Object.keys(messages).map((name) => [name, (payload: unknown) => void heard.push([name, payload])])),
    },
  });
  const running = await serve(router, { host: "127.0.0.1", signals: [] });
  opened.push(running);
  const client = await createTalkClient(running.url, { reconnect: false }).talk();
  opened.push(client);
  void (async () => {
    for await (const { name, payload } of client) heard.push([name, payload]);
  })();
  await until(() => server !== undefined);
  if (server === undefined) throw new Error("nobody came");
  return { client, server, heard };
}

const refusal = async (send: () => unknown): Promise<unknown> => {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return [error.direction, error.messageName, error.path, error.message];
  }
};

const said = (name: Name, path: string): unknown[] => ["outbound", name, path, expect.stringContaining("taken for another message")];

test("neither side sends one that says that it is another, at any depth, or as bare text", async () => {
  const { client, server, heard } = await both();
  for (const { send } of [client, server]) {
    expect(await refusal(() => send.note({ type: "tick" }))).toEqual([
      "outbound",
      "note",
      "/type",
      '"note" was not sent: /type must not be "tick", for it would be taken for another message.',
    ]);
    expect(await refusal(() => send.rest({ data: { of: "bids" } }))).toMatchObject(said("rest", "/data/of"));
    expect(await refusal(() => send.line("PING"))).toMatchObject(said("line", ""));
    // What it says in the end counts, not what it is.
    expect(await refusal(() => send.note({ toJSON: () => ({ type: "tick" }) }))).toMatchObject(said("note", "/type"));
    await send.note({ type: "tock", data: 1 });
    await send.rest({ data: { of: "asks" } });
    await send.line("PONG");
    await send.ping("PING");
    await until(() => heard.length === 4);
    expect(heard.splice(0)).toEqual([
      ["note", { type: "tock", data: 1 }],
      ["rest", { type: "book", data: { of: "asks" } }],
      ["line", "PONG"],
      ["ping", "PING"],
    ]);
  }
});

test("a client without guards sends it all the same", async () => {
  const { client, heard } = await both("unchecked");
  await client.send.line("PING");
  await until(() => heard.length === 1);
  expect(heard).toEqual([["ping", "PING"]]);
});
