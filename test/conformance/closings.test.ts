// `closeCodes` and `protocols` of a document and of its channels, the whole way: generated, and both sides over real sockets.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConnectionClosedError, createRouter, connect as dial, type Router, serve } from "@wsgen/runtime";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { generate } from "../../codegen/src/generate.ts";
import { until } from "./peers.ts";

const output = new URL("../.output/closings/", import.meta.url).pathname;

interface Options {
  readonly document?: object;
  readonly lobby?: object;
  readonly room?: object;
}

/** Two sockets, and a bearer token as a subprotocol; clients ask, and the server closes. */
const described = ({ document = {}, lobby, room }: Options): object => {
  const channel = (name: string, options: object | undefined): object => ({
    address: `/${name}`,
    messages: { ask: { $ref: "#/components/messages/ask" }, answer: { $ref: "#/components/messages/answer" } },
    ...(options && { "x-wsgen": options }),
  });
  const operation = (name: string): object => ({
    action: "receive",
    channel: { $ref: `#/channels/${name}` },
    messages: [{ $ref: `#/channels/${name}/messages/ask` }],
    reply: { channel: { $ref: `#/channels/${name}` }, messages: [{ $ref: `#/channels/${name}/messages/answer` }] },
  });
  const message = (type: string): object => ({
    payload: { type: "object", required: ["type", "id"], properties: { type: { const: type }, id: { type: "string" } } },
    correlationId: { location: "$message.payload#/id" },
  });
  return {
    asyncapi: "3.1.0",
    info: { title: "Closings", version: "1.0.0" },
    servers: { local: { host: "localhost", protocol: "ws", security: [{ $ref: "#/components/securitySchemes/token" }] } },
    channels: { lobby: channel("lobby", lobby), room: channel("room", room) },
    operations: { lobby: operation("lobby"), room: operation("room") },
    components: {
      messages: { ask: message("ask"), answer: message("answer") },
      securitySchemes: { token: { type: "http", scheme: "bearer", "x-wsgen": { carrier: "protocol" } } },
    },
    "x-wsgen": { perspective: "server", name: "Closings", ...document },
  };
};

let count = 0;
/** Generates into a folder of its own; the folder, and what is wrong with the document. */
async function generated(options: Options): Promise<{ readonly out: string; readonly wrong: readonly string[] }> {
  const out = join(output, `${++count}`);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "api.json"), JSON.stringify(described(options), null, 1));
  const { diagnostics } = await generate({ document: join(out, "api.json"), out, schemas: false });
  const wrong = diagnostics.flatMap(({ severity, message, position }) => (severity === "error" ? [`${position?.line}: ${message}`] : []));
  return { out, wrong };
}

interface Outcome {
  readonly code: number;
  readonly meaning?: string;
}
interface Conn {
  readonly protocol: string;
  readonly signal: AbortSignal;
  readonly closed: Promise<Outcome>;
  close(code?: number, reason?: string): Promise<Outcome>;
}
interface Client extends Conn {
  readonly request: { ask(payload: object): Promise<unknown> };
  getSnapshot(): { readonly error?: unknown };
}
interface Server {
  registerClosings(router: Router, handlers: object, options: object): unknown;
}
interface Clients {
  createClosingsClient(url: string, options: object): Record<"lobby" | "room", (options?: object) => Promise<Client>>;
}

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
beforeAll(() => rmSync(output, { recursive: true, force: true }));

async function start(out: string, onAsk: (conn: Conn) => void = () => {}, options: object = {}) {
  const conns: Conn[] = [];
  const outcomes: Outcome[] = [];
  const handler = {
    open: (conn: Conn) => void conns.push(conn),
    messages: {
      async ask(_: object, conn: Conn) {
        onAsk(conn);
        await conn.closed;
        throw conn.signal.reason;
      },
    },
    close: (_: Conn, outcome: Outcome) => void outcomes.push(outcome),
  };
  const router = createRouter();
  const { registerClosings } = (await import(join(out, "server.ts"))) as Server;
  registerClosings(router, { lobby: handler, room: handler }, { authenticate: { token: () => ({}) }, ...options });
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  opened.push(server);
  const { createClosingsClient } = (await import(join(out, "client.ts"))) as Clients;
  const client = createClosingsClient(server.url, { credentials: { token: "s3cret" }, reconnect: false });
  return { url: server.url, conns, outcomes, client };
}

describe("closeCodes", () => {
  const codes = { document: { closeCodes: { banned: 4003 } }, room: { closeCodes: { roomClosed: { code: 4004, about: "Empty." } } } };

  it("are constants on both sides, a channel's beside the document's", async () => {
    const { out, wrong } = await generated(codes);
    expect(wrong).toEqual([]);
    for (const file of ["server.ts", "client.ts"]) {
      const { closeCodes, roomCloseCodes } = (await import(join(out, file))) as Record<string, object>;
      expect(closeCodes).toEqual({ banned: 4003 });
      expect(roomCloseCodes).toEqual({ banned: 4003, roomClosed: 4004 });
    }
  });

  it("are what a connection that ended says its code means, on both sides and in every error", async () => {
    const { out } = await generated(codes);
    const { client, conns, outcomes } = await start(out, (conn) => void conn.close(4004));
    const room = await client.room();
    const failed = await room.request.ask({}).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ConnectionClosedError);
    expect(failed).toMatchObject({
      closeCode: 4004,
      meaning: "roomClosed",
      message: "The connection is closed (4004 roomClosed).",
    });
    expect(await room.closed).toEqual({ code: 4004, reason: "", wasClean: true, meaning: "roomClosed" });
    expect(room.signal.reason).toMatchObject({ meaning: "roomClosed" });
    expect(room.getSnapshot().error).toMatchObject({ meaning: "roomClosed" });
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual([{ code: 4004, reason: "", wasClean: true, meaning: "roomClosed" }]);
    expect(conns[0]?.signal.reason).toMatchObject({ closeCode: 4004, meaning: "roomClosed" });
  });

  it("mean nothing on another channel; what the standard names keeps its word, what nobody names has none", async () => {
    const { out } = await generated(codes);
    const { client, outcomes } = await start(out);
    const meanings: (string | undefined)[] = [];
    for (const code of [4003, 4004, 1000, 3333]) meanings.push((await (await client.lobby()).close(code)).meaning);
    expect(meanings).toEqual(["banned", undefined, "normal", undefined]);
    await until(() => outcomes.length === 4);
    expect(outcomes.map(({ meaning }) => meaning)).toEqual(meanings);
  });

  it("load nothing where the document has none: a client knows no meaning then, a server the standard's", async () => {
    const { out } = await generated({});
    const { client, outcomes } = await start(out);
    expect(await (await client.lobby()).close()).toEqual({ code: 1000, reason: "", wasClean: true });
    await until(() => outcomes.length === 1);
    expect(outcomes[0]?.meaning).toBe("normal");
  });

  it("that cannot be are errors at their place", async () => {
    const wrong = async (options: Options) => (await generated(options)).wrong;
    expect(await wrong({ document: { closeCodes: { closed: 3999 } } })).toEqual([
      expect.stringMatching(/^\d+: `closed` is 3999, which is not a whole number from 4000 to 4999/),
    ]);
    expect(await wrong({ room: { closeCodes: { closed: { code: 5000 } } } })).toEqual([expect.stringMatching(/^\d+: `code` is 5000/)]);
    expect(await wrong({ document: { closeCodes: { a: 4001, b: 4001 } } })).toEqual([
      expect.stringMatching(/^\d+: `a` and `b` have the same close code, 4001/),
    ]);
    expect(await wrong({ document: { closeCodes: { a: 4001 } }, room: { closeCodes: { b: 4001 } } })).toEqual([
      expect.stringMatching(/^\d+: `a` and `b` have the same close code, 4001/),
    ]);
    expect(await wrong({ document: { closeCodes: { a: 4001 } }, room: { closeCodes: { a: 4002 } } })).toEqual([
      expect.stringMatching(/^\d+: `a` is the close code 4002 here and 4001 elsewhere on the same socket/),
    ]);
    // Another socket may call 4001 something else, and whoever says the same twice says nothing wrong.
    expect(await wrong({ lobby: { closeCodes: { a: 4001 } }, room: { closeCodes: { b: 4001, a: 4002 } } })).toEqual([]);
    expect(await wrong({ document: { closeCodes: { a: 4001 } }, room: { closeCodes: { a: 4001 } } })).toEqual([]);
  });
});

describe("protocols", () => {
  const spoken = { document: { protocols: ["v2", "v1"] }, room: { protocols: ["room.v1"] } };

  it("of the document are offered and agreed on, a channel's in their place, and never the credentials'", async () => {
    const { out, wrong } = await generated(spoken);
    expect(wrong).toEqual([]);
    const { client, conns } = await start(out);
    const protocols = [(await client.lobby()).protocol, (await client.room()).protocol, (await client.lobby({ protocols: "v1" })).protocol];
    expect(protocols).toEqual(["v2", "room.v1", "v1"]);
    expect(conns.map(({ protocol }) => protocol)).toEqual(protocols);
  });

  it("are some of the document's where the server chooses; a client that speaks no other gets the credentials' name", async () => {
    const { out } = await generated(spoken);
    const { client, url } = await start(out, undefined, { protocols: ["v1"] });
    expect((await client.lobby()).protocol).toBe("v1");
    expect((await client.room()).protocol).toBe("token");
    const token = `token.${Buffer.from("s3cret").toString("base64url")}`;
    const other = await dial(`${url}/room`, { protocols: ["v1", "token", token] });
    opened.push(other);
    expect(other.protocol).toBe("token");
  });

  it("are any that the server says where the document names none", async () => {
    const { out } = await generated({ room: { protocols: ["room.v1"] } });
    const { client } = await start(out, undefined, { protocols: ["mine", "room.v1"] });
    expect((await client.lobby({ protocols: ["mine"] })).protocol).toBe("mine");
    expect((await client.room()).protocol).toBe("room.v1");
  });

  it("that cannot be are errors at their place", async () => {
    const { wrong } = await generated({ room: { protocols: ["door v2"] } });
    expect(wrong).toEqual([expect.stringMatching(/^\d+: .*"door v2", which is not the name of a subprotocol/)]);
  });

  it("of channels that share a socket are the same", async () => {
    const { wrong } = await generated({
      document: { multiplex: "socket" },
      lobby: { protocols: ["a"], closeCodes: { x: 4001 } },
      room: { protocols: ["b", "a"], closeCodes: { x: 4002 } },
    });
    expect(wrong).toEqual([
      expect.stringMatching(/^\d+: `protocols` is `a` on `lobby` and `b, a` on `room`, which share a socket/),
      expect.stringMatching(/^\d+: `x` is the close code 4002 here and 4001 elsewhere on the same socket/),
    ]);
  });
});
