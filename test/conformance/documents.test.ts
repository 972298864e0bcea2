// Other people's documents, the whole way: generate, compile, and let generated client and generated server talk over real sockets.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createRouter, type Router, type RunningServer, serve } from "@wsgen/runtime";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket, { type WebSocketServer } from "ws";
import type { Document, JsonObject, JsonValue } from "../../codegen/src/document/document.ts";
import { load } from "../../codegen/src/document/load.ts";
import { generate } from "../../codegen/src/generate.ts";
import { buildModel } from "../../codegen/src/model/build.ts";
import type { Delivery, Direction, Endpoint, Message, Model } from "../../codegen/src/model/model.ts";
import { listen, until } from "./peers.ts";
import { mutants, sample } from "./sample.ts";

const corpus = resolve(process.env["WSGEN_SHARED"] ?? "../shared", "corpus");
const output = new URL("../.output/documents/", import.meta.url).pathname;

const slugs = [
  "spec-3.1-websocket-gemini",
  "spec-2.6-websocket-gemini",
  "vulcx",
  "speechmatics-flow",
  "warpcast",
  "citizen-quest",
  "chanx-fastapi-yaml",
  "anychat",
  // Several channels on one socket.
  "spec-3.1-kraken-websocket-request-reply-multiple-channels",
  "qhana-plugins",
  "drivemarkets",
  "tickdb",
  "exchange-mexc",
];

describe.skipIf(!existsSync(corpus))("documents of the corpus", () => {
  beforeAll(async () => {
    rmSync(output, { recursive: true, force: true });
    for (const slug of slugs) {
      const result = await generate({ document: mainFile(slug), out: join(output, slug), root: join(corpus, slug) });
      const errors = result.diagnostics.filter(({ severity }) => severity === "error");
      expect(errors, slug).toEqual([]);
    }
  }, 120_000);

  it("compile under the strictest tsconfig", () => {
    writeFileSync(
      join(output, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.json",
        compilerOptions: {
          noEmit: true,
          composite: false,
          noPropertyAccessFromIndexSignature: true,
          isolatedModules: true,
          skipLibCheck: false,
        },
        include: ["**/*.ts"],
      }),
    );
    const { stdout, status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", output], { encoding: "utf8" });
    expect(`${stdout}${status}`).toBe("0");
  }, 120_000);

  for (const slug of slugs) {
    describe(slug, () => {
      let document: Document;
      let model: Model;
      beforeAll(async () => {
        document = await load(mainFile(slug), { root: join(corpus, slug) });
        const built = buildModel(document, { source: slug });
        if (built.model === undefined) throw new Error(JSON.stringify(built.diagnostics, null, 2));
        model = built.model;
      });

      it("passes every message to its own handler unchanged, both ways", async () => {
        const table = await talk(slug, model);
        expect(table.filter(({ problem }) => problem !== undefined)).toEqual([]);
        const kinds = model.endpoints.flatMap(({ clientToServer, serverToClient }) => [
          ...clientToServer.messages,
          ...serverToClient.messages,
        ]);
        expect(new Set(table.map(({ kind }) => kind)).size).toBe(kinds.length);
      });

      it("passes no invalid message to any handler, either way", async () => {
        const { tried, leaked, without } = await attack(slug, model, document);
        expect(leaked).toEqual([]);
        console.log(
          `${slug}: ${tried} invalid messages reached nobody; kinds without an invalid value: ${without.length === 0 ? "none" : without.join(", ")}`,
        );
      });
    });
  }
});

// ---- One conversation -----------------------------------------------------------------------------------------------

interface Heard {
  readonly name: string;
  readonly payload: unknown;
}
type Call = (payload: unknown, options?: object) => unknown;
/** Methods by message; those of a topic are in an object of its name. */
type Calls = { readonly [name: string]: Call | Calls };
interface ServerConnection {
  readonly send: Calls;
  readonly request: Calls;
}
interface ClientSide {
  readonly send: Readonly<Record<string, Call>>;
  readonly request: Readonly<Record<string, Call>>;
  readonly on: Record<string, (listener: (payload: unknown) => void) => unknown>;
  readonly answer?: Record<string, (handler: (payload: unknown) => unknown) => unknown>;
  close(): Promise<unknown>;
}

/** A server's method for a message: `ticker.update` is `calls.ticker.update`. */
function callOf(calls: Calls, name: string): Call {
  return name.split(".").reduce<Call | Calls>((at, step) => (at as Calls)[step]!, calls) as Call;
}

/** A connection and its topics, each open once: by topic, the connection itself under "". */
async function openTopics(model: Model, endpoint: Endpoint, client: ClientSide): Promise<ReadonlyMap<string, ClientSide>> {
  const open = client as unknown as Readonly<Record<string, (params?: unknown) => Promise<ClientSide>>>;
  const children = endpoint.topics.map(async ({ name, parameters }) => {
    const child = await open[name]!(parameters && draw(model, parameters.type, "minimal"));
    return [name, child] as const;
  });
  return new Map([["", client], ...(await Promise.all(children))]);
}

interface Row {
  readonly kind: string;
  readonly problem?: string;
}

/** Runs the generated server with handlers that remember what they were given. */
async function runServer(
  slug: string,
  model: Model,
  replies: Map<string, unknown>,
): Promise<{ server: RunningServer; heard: Heard[]; connections: ServerConnection[] }> {
  const heard: Heard[] = [];
  const connections: ServerConnection[] = [];
  const module = (await import(join(output, slug, "server.ts"))) as Record<string, (router: Router, handlers: object) => unknown>;
  const router = createRouter();
  const handlers = Object.fromEntries(
    model.endpoints.map((endpoint) => [
      endpoint.name,
      {
        open: (conn: ServerConnection) => void connections.push(conn),
        ...Object.fromEntries(
          [undefined, ...endpoint.topics.map(({ name }) => name)].map((topic) => [
            topic ?? "messages",
            Object.fromEntries(
              endpoint.clientToServer.deliveries
                .filter((delivery) => delivery.topic === topic)
                .map(({ name, method, reply }) => [
                  method,
                  (payload: unknown) => {
                    heard.push({ name, payload: plain(payload) });
                    return reply === undefined ? undefined : replies.get(`${endpoint.name}.${name}`);
                  },
                ]),
            ),
          ]),
        ),
      },
    ]),
  );
  module[`register${model.name}`]!(router, handlers);
  return { server: await serve(router, { host: "127.0.0.1", signals: [] }), heard, connections };
}

async function connect(slug: string, model: Model, endpoint: Endpoint, url: string, options: object = {}): Promise<ClientSide> {
  const module = (await import(join(output, slug, "client.ts"))) as Record<
    string,
    (url: string, options: object) => Record<string, (...args: unknown[]) => Promise<ClientSide>>
  >;
  const client = module[`create${model.name}Client`]!(url, { ...options, WebSocket });
  return client[endpoint.name]!(...handshake(model, endpoint));
}

/** The arguments of an endpoint's connect method: valid parameters, query and headers. */
function handshake(model: Model, endpoint: Endpoint): unknown[] {
  const part = (name: "parameters" | "query" | "headers"): JsonValue | undefined =>
    endpoint[name] === undefined ? undefined : draw(model, endpoint[name].type, "minimal");
  const parameters = part("parameters");
  return [
    ...(parameters === undefined ? [] : [parameters]),
    Object.fromEntries((["query", "headers"] as const).flatMap((name) => (part(name) === undefined ? [] : [[name, part(name)]]))),
  ];
}

async function talk(slug: string, model: Model): Promise<Row[]> {
  const table: Row[] = [];
  const replies = new Map<string, unknown>();
  const { server, heard, connections } = await runServer(slug, model, replies);
  try {
    for (const endpoint of model.endpoints) {
      const client = await connect(slug, model, endpoint, server.url);
      await until(() => connections.length > 0);
      const conn = connections.pop()!;
      const arrived: Heard[] = [];
      const topics = await openTopics(model, endpoint, client);
      // Whatever a topic hears is said to be its, so that nothing heard by another one goes unnoticed.
      for (const { topic, method } of endpoint.serverToClient.deliveries) {
        for (const [at, child] of topics) {
          if (at !== "" || topic === undefined)
            child.on[method]?.((payload) => arrived.push({ name: at === "" ? method : `${at}.${method}`, payload: plain(payload) }));
        }
      }
      const place = ({ topic = "" }: Message): ClientSide => topics.get(topic)!;

      for (const message of endpoint.clientToServer.messages.filter(({ replyOnly }) => !replyOnly)) {
        table.push(
          await exchange(`${endpoint.name} → ${message.name}`, async () => {
            for (const payload of samples(model, message)) {
              heard.length = 0;
              if (message.reply === undefined) {
                await place(message).send[message.method]!(payload);
              } else {
                const answer = replySample(model, endpoint.serverToClient, message);
                replies.set(`${endpoint.name}.${message.name}`, answer.sent);
                answer.check(await place(message).request[message.method]!(payload));
              }
              await until(() => heard.length > 0);
              expect(heard).toEqual([
                {
                  name: deliveryOf(endpoint.clientToServer, message).name,
                  payload: typeof payload === "object" ? expect.objectContaining(payload as object) : payload,
                },
              ]);
              if (message.reply === undefined) expect(heard[0]?.payload).toEqual(payload);
            }
          }),
        );
        for (const name of message.reply?.messages ?? []) table.push({ kind: `${endpoint.name} ← ${name}` });
      }
      for (const message of endpoint.serverToClient.messages.filter(({ replyOnly, reply }) => !replyOnly && reply === undefined)) {
        table.push(
          await exchange(`${endpoint.name} ← ${message.name}`, async () => {
            for (const payload of samples(model, message)) {
              arrived.length = 0;
              await callOf(conn.send, message.name)(payload);
              await until(() => arrived.length > 0);
              expect(arrived).toEqual([{ name: deliveryOf(endpoint.serverToClient, message).name, payload }]);
            }
          }),
        );
      }
      await client.close();
    }
  } finally {
    await server.close();
  }
  return table;
}

/** Bytes as the platform-independent type, whichever of its kinds the side hands out. */
function plain(payload: unknown): unknown {
  return payload instanceof Uint8Array ? new Uint8Array(payload) : payload;
}

async function exchange(kind: string, run: () => Promise<void>): Promise<Row> {
  try {
    await run();
    return { kind };
  } catch (error) {
    return { kind, problem: error instanceof Error ? error.message : String(error) };
  }
}

function deliveryOf(direction: Direction, message: Message): Delivery {
  return direction.deliveries.find(({ messages }) => messages.includes(message.name))!;
}

/** What the handler returns, and what the client must then be given. */
function replySample(model: Model, opposite: Direction, request: Message): { sent: unknown; check: (received: unknown) => void } {
  const message = opposite.messages.find(({ name }) => request.reply?.messages.includes(name))!;
  const sent = samples(model, message)[0]!;
  return {
    sent,
    check: (received) => {
      const path = request.reply?.reply ?? [];
      const without = (value: unknown): unknown => (path.length === 1 ? { ...(value as object), [path[0]!]: undefined } : value);
      expect(without(received)).toEqual(without(sent));
    },
  };
}

// ---- Samples, and the judge ---------------------------------------------------------------------------------------

function definitions(model: Model): Record<string, JsonObject | boolean> {
  return Object.fromEntries(model.types.map(({ name, schema }) => [name, schema]));
}

function judge(schema: object): (value: unknown) => boolean {
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: true });
  formats.default(ajv);
  return ajv.compile(schema);
}

const judges = new WeakMap<Model, Map<string, (value: unknown) => boolean>>();

function valid(model: Model, type: string, value: unknown): boolean {
  const known = judges.get(model) ?? new Map<string, (value: unknown) => boolean>();
  judges.set(model, known);
  const check = known.get(type) ?? judge({ $ref: `#/definitions/${type}`, definitions: definitions(model) });
  known.set(type, check);
  return check(value);
}

function draw(model: Model, type: string, size: "full" | "minimal"): JsonValue {
  const all = definitions(model);
  for (let seed = 0; seed < 12; seed++) {
    const value = sample(all[type]!, all, size, seed);
    if (valid(model, type, value)) return value;
  }
  throw new Error(`no sample of ${type}: ${JSON.stringify(sample(all[type]!, all, size))}`);
}

function samples(model: Model, message: Message): unknown[] {
  if (message.format === "binary") return [Uint8Array.of(0, 1, 254, 255)];
  return [draw(model, message.type, "full"), draw(model, message.type, "minimal")];
}

// ---- Attacks --------------------------------------------------------------------------------------------------------

interface Attack {
  readonly tried: number;
  readonly leaked: readonly string[];
  readonly without: readonly string[];
}

/** Sends what the document's own schemas refuse, past the generated sender, to the generated receiver of each direction. */
async function attack(slug: string, model: Model, document: Document): Promise<Attack> {
  const leaked: string[] = [];
  const without: string[] = [];
  let tried = 0;
  const { server, heard } = await runServer(slug, model, new Map());
  const vendor: WebSocketServer = await listen();
  try {
    for (const endpoint of model.endpoints) {
      const url = `${server.url}${pathAndQuery(model, endpoint)}`;
      for (const { message, frames } of invalid(model, document, endpoint.clientToServer)) {
        if (frames.length === 0) without.push(`${endpoint.name} → ${message.name}`);
        // The same way is open to a valid one, or the silence would prove nothing.
        heard.length = 0;
        await knock(url, JSON.stringify(samples(model, message)[0]), headersOf(model, endpoint));
        if (heard.length !== 1) leaked.push(`${endpoint.name} → ${message.name}: the valid message was heard ${heard.length} times`);
        heard.length = 0;
        for (const frame of frames) await knock(url, frame, headersOf(model, endpoint));
        tried += frames.length;
        leaked.push(...heard.map(({ name, payload }) => `${endpoint.name} → ${name}: ${JSON.stringify(payload)}`));
      }

      const refused: unknown[] = [];
      const accepted = new Promise<WebSocket>((accept) => vendor.once("connection", accept));
      const client = await connect(slug, model, endpoint, `ws://127.0.0.1:${(vendor.address() as { port: number }).port}`, {
        onInvalid: (error: unknown) => refused.push(error),
      });
      const socket = await accepted;
      for (const { name } of endpoint.serverToClient.deliveries) {
        client.on[name]?.((payload) => leaked.push(`${endpoint.name} ← ${name}: ${JSON.stringify(payload)}`));
      }
      for (const { message, frames } of invalid(model, document, endpoint.serverToClient)) {
        if (frames.length === 0) without.push(`${endpoint.name} ← ${message.name}`);
        refused.length = 0;
        for (const frame of frames) socket.send(frame);
        await until(() => refused.length === frames.length);
        tried += frames.length;
      }
      await client.close();
    }
  } finally {
    await server.close();
    for (const socket of vendor.clients) socket.terminate();
    vendor.close();
  }
  return { tried, leaked, without };
}

/** For each kind, the frames near a valid one that no schema of this endpoint and direction allows. */
function invalid(model: Model, document: Document, direction: Direction): { message: Message; frames: string[] }[] {
  const spoken = direction.messages.filter(({ replyOnly, format }) => !replyOnly && format === "json");
  const allowed = spoken.map((message) => judgeOf(document, model, message));
  return spoken.map((message) => ({
    message,
    frames: [...new Set((samples(model, message) as JsonValue[]).flatMap(mutants))]
      .filter((mutant) => !allowed.some((allows) => allows(mutant)))
      .map((mutant) => JSON.stringify(mutant))
      .filter((frame, index, all) => all.indexOf(frame) === index)
      .slice(0, 12),
  }));
}

/** A separate AJV over the schema as the document has it, not as the model understood it. */
function judgeOf(document: Document, model: Model, message: Message): (value: unknown) => boolean {
  const payload = document.get(`${message.pointer}/payload`);
  if (payload === undefined) return (value) => valid(model, message.type, value);
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: true });
  formats.default(ajv);
  // AJV takes the document's own `id` for a schema's.
  const { id: _, ...rest } = document.value;
  ajv.addSchema(JSON.parse(JSON.stringify(rest)) as object, "document");
  return ajv.compile({ $ref: `document#${message.pointer}/payload` });
}

/** Sends one frame on a connection of its own and waits until the server has dealt with it. */
async function knock(url: string, frame: string, headers: Record<string, string>): Promise<void> {
  const socket = new WebSocket(url, { headers });
  await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.send(frame);
  // A pong comes behind whatever the frame led to; a close does as well.
  await new Promise<void>((resolve) => {
    socket.once("pong", resolve).once("close", resolve);
    socket.ping();
  });
  socket.terminate();
}

function pathAndQuery(model: Model, endpoint: Endpoint): string {
  const parameters =
    endpoint.parameters === undefined ? {} : (draw(model, endpoint.parameters.type, "minimal") as Record<string, JsonValue>);
  const query = endpoint.query === undefined ? {} : (draw(model, endpoint.query.type, "minimal") as Record<string, JsonValue>);
  const path = endpoint.address.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(String(parameters[name])));
  return `${path}?${new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))}`;
}

function headersOf(model: Model, endpoint: Endpoint): Record<string, string> {
  if (endpoint.headers === undefined) return {};
  const values = draw(model, endpoint.headers.type, "minimal") as Record<string, JsonValue>;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function mainFile(slug: string): string {
  const index = JSON.parse(readFileSync(join(corpus, "INDEX.json"), "utf8")) as { slug: string; main: string }[];
  return join(corpus, slug, index.find((entry) => entry.slug === slug)!.main);
}

mkdirSync(output, { recursive: true });
afterAll(() => rmSync(output, { recursive: true, force: true }));
