import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import {
  type Connection,
  createRouter,
  type Events,
  type Hooks,
  type Logger,
  type RouterOptions,
  type RunningServer,
  requestLog,
  serve,
} from "@wsgen/runtime";
import { register } from "@wsgen/runtime/generated/server";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { handshakeText, knock } from "../upgrade/raw-client.ts";

const running: RunningServer[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

const names = ["open", "close", "refused", "invalid", "error"] as const satisfies readonly (keyof Events)[];
type Heard = { [Name in keyof Events]: readonly [Name, Events[Name]] }[keyof Events];

/** Hooks that keep what they hear. */
function record() {
  const heard: Heard[] = [];
  const hooks: Hooks = {
    open: (event) => heard.push(["open", event]),
    close: (event) => heard.push(["close", event]),
    refused: (event) => heard.push(["refused", event]),
    invalid: (event) => heard.push(["invalid", event]),
    error: (event) => heard.push(["error", event]),
  };
  return { heard, hooks };
}

function recordLog() {
  const lines: { readonly level: string; readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields: { ...fields }, message });
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, logger };
}

/** Rooms that echo by hand, and a contract's endpoint that counts. */
async function start(options: RouterOptions): Promise<RunningServer> {
  const router = createRouter({ onError() {}, ...options }).use(async (request, next) => {
    if (request.query.get("key") === "throw") throw new Error("middleware");
    return request.query.get("key") === "bad" ? new Response("no\n", { status: 401 }) : next();
  });
  router.group("/api").ws("/rooms/{id}", async (conn) => {
    for await (const { data } of conn.messages()) {
      if (data === "throw") throw new Error("handler");
      await conn.send(data);
    }
  });
  const isNumber = Object.assign((value: unknown): value is unknown => typeof value === "object" && value !== null && "n" in value, {
    errors: [{ instancePath: "/n", schemaPath: "", keyword: "required", message: "is missing", params: {} }],
  });
  register(
    router,
    {
      version: 1,
      generator: "0.0.0",
      title: "Counter",
      endpoints: {
        counter: {
          address: "/count",
          receives: { dispatch: { json: "count" }, messages: { count: { format: "json", guard: isNumber } } },
          sends: { counted: { format: "json" }, problem: { format: "json" } },
          error: { message: "problem", code: ["code"] },
        },
      },
    },
    {
      counter: {
        messages: {
          count(payload: { n: number }, conn: { send: { counted(payload: object): void } }) {
            if (payload.n < 0) throw new Error("negative");
            conn.send.counted({ n: payload.n });
          },
        },
      },
    },
  );
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 500 } });
  running.push(server);
  return server;
}

/** A session of which everything is known. */
async function play({ url, port }: RunningServer): Promise<void> {
  const talk = async (path: string, messages: readonly string[], answers: number): Promise<void> => {
    const socket = new WebSocket(url + path);
    let count = 0;
    socket.on("message", () => {
      if (++count === answers) socket.close(4000, "enough");
    });
    const closed = once(socket, "close");
    await once(socket, "open");
    for (const message of messages) socket.send(message);
    await closed;
  };
  await talk("/api/rooms/a?token=secret", ["one", "two", "three"], 3);
  await talk("/api/rooms/b", ["one", "throw"], 2);
  await talk("/count", ['{"n":1}', '{"m":1}', '{"n":-1}', "nonsense"], 4);
  for (const path of ["/nowhere", "/api/rooms/a?key=bad", "/api/rooms/a?key=throw"]) await knock(port, handshakeText(path));
}

describe("server.metrics()", () => {
  it("matches a scripted session", async () => {
    const server = await start({});
    await play(server);
    const socket = new WebSocket(`${server.url}/api/rooms/c`);
    await once(socket, "open");
    socket.send("still here");
    await once(socket, "message");
    await expect
      .poll(() => server.metrics())
      .toEqual({
        connections: 1,
        opened: 4,
        closed: { 4000: 2, 1011: 1 },
        refused: { 404: 1, 401: 1, 500: 1 },
        messagesIn: 10,
        messagesOut: 9,
        dropped: 0,
        invalid: 2,
        errors: 3,
      });
  });
});

describe("hooks and diagnostics channels", () => {
  it("hear the same events of a scripted session, each with its connection's id", async () => {
    const { heard, hooks } = record();
    const published: string[] = [];
    const listener = (_event: unknown, name: string | symbol): void => void published.push(String(name));
    for (const name of names) subscribe(`wsgen:${name}`, listener);
    const server = await start({ hooks });
    await play(server);
    await expect.poll(() => heard.filter(([name]) => name === "close").length).toBe(3);
    for (const name of names) unsubscribe(`wsgen:${name}`, listener);
    expect(published).toEqual(heard.map(([name]) => `wsgen:${name}`));

    const of = <Name extends keyof Events>(wanted: Name) =>
      heard.filter(([name]) => name === wanted).map(([, event]) => event as Events[Name]);
    const [a, b, count] = of("open");
    expect(a).toEqual({
      connection: expect.stringMatching(/^[0-9a-f-]{36}$/),
      route: "/api/rooms/{id}",
      path: "/api/rooms/a",
      remoteAddress: "127.0.0.1",
      protocol: "",
      duration: expect.any(Number),
    });
    const common = { duration: expect.any(Number), wasClean: true };
    expect(of("close")).toEqual([
      {
        ...common,
        connection: a?.connection,
        route: "/api/rooms/{id}",
        code: 4000,
        reason: "enough",
        messagesIn: 3,
        messagesOut: 3,
        dropped: 0,
      },
      {
        ...common,
        connection: b?.connection,
        route: "/api/rooms/{id}",
        code: 1011,
        reason: "",
        meaning: "internalError",
        messagesIn: 2,
        messagesOut: 1,
        dropped: 0,
      },
      {
        ...common,
        connection: count?.connection,
        route: "/count",
        code: 4000,
        reason: "enough",
        messagesIn: 4,
        messagesOut: 4,
        dropped: 0,
      },
    ]);
    expect(of("refused")).toEqual([
      { route: undefined, path: "/nowhere", remoteAddress: "127.0.0.1", status: 404 },
      { route: "/api/rooms/{id}", path: "/api/rooms/a", remoteAddress: "127.0.0.1", status: 401 },
      { route: "/api/rooms/{id}", path: "/api/rooms/a", remoteAddress: "127.0.0.1", status: 500 },
    ]);
    expect(of("invalid")).toMatchObject([
      { connection: count?.connection, route: "/count", message: "count", pointer: "/n", problem: expect.stringContaining("is missing") },
      { connection: count?.connection, route: "/count", message: undefined, pointer: "", problem: expect.stringContaining("is not JSON") },
    ]);
    expect(of("error")).toMatchObject([
      { connection: b?.connection, route: "/api/rooms/{id}", error: { message: "handler" } },
      { connection: count?.connection, route: "/count", error: { message: "negative" } },
      { connection: undefined, route: "/api/rooms/{id}", error: { message: "middleware" } },
    ]);
    expect(JSON.stringify(heard)).not.toContain("secret");
  });

  it("do no harm when they throw", async () => {
    const { lines, logger } = recordLog();
    const fail = (): never => {
      throw new Error("hook");
    };
    const server = await start({ logger, hooks: { open: fail, close: fail, refused: fail, invalid: fail, error: fail } });
    await play(server);
    await expect.poll(() => server.metrics().closed).toEqual({ 4000: 2, 1011: 1 });
    expect(lines.filter(({ message }) => message === "A hook failed.")).toHaveLength(14);
  });

  it("do no harm when they are async functions that reject", async () => {
    const { lines, logger } = recordLog();
    const fail = async (): Promise<never> => {
      throw new Error("hook"); // Unhandled, it would fail this run.
    };
    const server = await start({ logger, hooks: { open: fail, close: fail, refused: fail, invalid: fail, error: fail } });
    await play(server);
    await expect.poll(() => lines.filter(({ message }) => message === "A hook failed.").length).toBe(14);
  });
});

describe("a handler that is still busy when its client leaves", () => {
  it.each<[string, (conn: Connection) => Promise<unknown>]>([
    ["an AbortError of Node's", (conn) => pause(60_000, undefined, { signal: conn.signal })],
    ["the signal's reason", (conn) => conn.closed.then(() => conn.signal.throwIfAborted())],
    ["ConnectionClosedError", (conn) => conn.closed.then(() => conn.send("late"))],
  ])("and ends with %s has made no error", async (_what, wait) => {
    const { heard, hooks } = record();
    const failures: unknown[] = [];
    const router = createRouter({ hooks, onError: (error) => failures.push(error) });
    router.ws("/", async (conn) => void (await wait(conn)));
    const server = await serve(router, { host: "127.0.0.1", signals: [] });
    running.push(server);
    const socket = new WebSocket(server.url);
    await once(socket, "open");
    socket.close();
    await expect.poll(() => heard.at(-1)?.[0]).toBe("close");
    expect(failures).toEqual([]);
    expect(server.metrics().errors).toBe(0);
  });

  it("is told of an AbortError that has nothing to do with the connection", async () => {
    const failures: unknown[] = [];
    const router = createRouter({ onError: (error) => failures.push(error) });
    router.ws("/", async () => void (await pause(60_000, undefined, { signal: AbortSignal.timeout(5) })));
    const server = await serve(router, { host: "127.0.0.1", signals: [] });
    running.push(server);
    const [code] = (await once(new WebSocket(server.url), "close")) as [number];
    expect(code).toBe(1011);
    expect(failures).toHaveLength(1);
  });
});

describe("requestLog()", () => {
  it("writes one line for every upgrade a route decides on, without the query", async () => {
    const { lines, logger } = recordLog();
    const router = createRouter({ logger })
      .use(requestLog())
      .use(async (request, next) => {
        request.log.info({ step: "auth" }, "who is it?");
        return request.query.has("bad") ? new Response("no\n", { status: 401 }) : next();
      });
    router.ws("/rooms/{id}", async () => {});
    const server = await serve(router, { host: "127.0.0.1", signals: [] });
    running.push(server);
    await knock(server.port, handshakeText("/rooms/a?token=secret"));
    await knock(server.port, handshakeText("/rooms/a?bad"));
    await expect.poll(() => lines.filter(({ message }) => message === "disconnected").length).toBe(1);
    const info = lines.filter(({ level }) => level === "info");
    const bound = { path: "/rooms/a" };
    const decided = { ...bound, remoteAddress: "127.0.0.1", duration: expect.any(Number) };
    expect(info.map(({ fields, message }) => [message, fields])).toEqual([
      ["who is it?", { ...bound, step: "auth" }],
      ["upgrade accepted", { ...decided, status: 101 }],
      ["who is it?", { ...bound, step: "auth" }],
      ["upgrade refused", { ...decided, status: 401 }],
    ]);
    expect(lines.find(({ message }) => message === "disconnected")?.fields).toMatchObject({
      route: "/rooms/{id}",
      messagesIn: 0,
      messagesOut: 0,
      dropped: 0,
    });
    expect(JSON.stringify(lines)).not.toContain("secret");
  });
});
