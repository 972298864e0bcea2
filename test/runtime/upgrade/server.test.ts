import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, get, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  accept,
  attach,
  type Connection,
  createRouter,
  type Middleware,
  type Router,
  type RouterOptions,
  type RunningServer,
  type ServeOptions,
  serve,
} from "@wsgen/runtime";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { textFrame } from "../raw-client.ts";
import { handshakeText, knock, open, parseAnswer } from "./raw-client.ts";

const running: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

async function start(router: Router, options: ServeOptions = {}): Promise<RunningServer> {
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 500 }, ...options });
  running.push(server);
  return server;
}

/** A client that keeps what arrives. */
function dial(url: string, protocols: string[] = [], options: ClientOptions = {}) {
  const socket = new WebSocket(url, protocols, options);
  const messages: string[] = [];
  socket.on("message", (data) => void messages.push(String(data)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const headers = new Promise<Headers>((resolve) => {
    socket.on("upgrade", ({ headers }) => resolve(new Headers(headers as Record<string, string>)));
  });
  const refused = new Promise<{ status: number; headers: Headers; body: string }>((resolve) => {
    socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += String(chunk);
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: new Headers(response.headers as Record<string, string>), body }),
      );
    });
  });
  socket.on("error", () => {});
  return {
    socket,
    messages,
    closed,
    headers,
    refused,
    opened: once(socket, "open"),
    next: async () => {
      while (messages.length === 0) await once(socket, "message");
      return messages.shift() ?? "";
    },
  };
}

const echo = async (conn: Connection): Promise<void> => {
  for await (const message of conn.messages()) await conn.send(message.data);
};

describe("a hand-written route", () => {
  it("gives its handler path parameters, query, headers and address", async () => {
    const router = createRouter();
    router.ws("/rooms/{room}/v{version}", async (conn) => {
      const { path, query, headers, remoteAddress } = conn.handshake;
      await conn.send(
        JSON.stringify([conn.params.room, conn.params.version, path, query.get("test"), headers.get("x-a"), remoteAddress, conn.id.length]),
      );
    });
    const { url } = await start(router);
    const client = dial(`${url}/rooms/caf%C3%A9%20au/v2?test=123`, [], { headers: { "X-A": "b" } });
    expect(JSON.parse(await client.next())).toEqual(["café au", "2", "/rooms/café au/v2", "123", "b", "127.0.0.1", 36]);
    expect(await client.closed).toEqual({ code: 1000, reason: "" });
  });

  it("is found by fixed text before parameters, whichever was registered first", async () => {
    const router = createRouter();
    const say = (text: string) => async (conn: Connection) => void (await conn.send(text));
    router.ws("/rooms/{id}", say("any"));
    router.ws("/rooms/lobby", say("lobby"));
    router.ws("/rooms/{id}.json", say("json"));
    router.ws("/{from}-{to}", say("pair"));
    const { url } = await start(router);
    const answers = ["/rooms/a", "/rooms/lobby", "/rooms/a.json.json", "/x-y-z"].map((path) => dial(url + path).next());
    expect(await Promise.all(answers)).toEqual(["any", "lobby", "json", "pair"]);
  });

  it("cannot be registered twice: the error names both", () => {
    const router = createRouter();
    router.ws("/rooms/{id}", echo);
    expect(() => router.ws("/rooms/{name}", echo)).toThrow(/"\/rooms\/\{name\}" \(router\.ws\) is taken: "\/rooms\/\{id\}" \(router\.ws\)/);
  });

  it.each(["rooms", "/a?b", "/{}", "/{a}{b}", "/{a}/{a}", "/{a"])("is refused when its path is %s", (path) => {
    expect(() => createRouter().ws(path, echo)).toThrow(expect.objectContaining({ code: "WSGEN_USAGE" }));
  });

  it("closes with 1011 and answers 500 even when onError throws, and loses neither error", async () => {
    const logged: unknown[] = [];
    const log = (): void => {};
    const logger = { debug: log, info: log, warn: log, error: (fields: object) => void logged.push(fields) };
    const router = createRouter({
      logger,
      onError() {
        throw new Error("in onError");
      },
    });
    const fail = async (): Promise<never> => {
      throw new Error("in the handler");
    };
    router.ws("/fails", fail);
    router.ws("/decides", { upgrade: fail, handler: async () => {} });
    const server = await start(router);
    const client = dial(`${server.url}/fails`);
    expect((await client.closed).code).toBe(1011);
    expect(logged).toMatchObject([{ err: { errors: [{ message: "in the handler" }, { message: "in onError" }] } }]);
    expect((await dial(`${server.url}/decides`).refused).status).toBe(500);
  });

  it("closes with 1011 and no reason when its handler throws, and tells onError alone", async () => {
    const onError = vi.fn();
    const router = createRouter({ onError });
    router.ws("/", async () => {
      throw new Error("secret");
    });
    const { url } = await start(router);
    const client = dial(url);
    expect(await client.closed).toEqual({ code: 1011, reason: "" });
    expect(client.messages).toEqual([]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      new Error("secret"),
      expect.objectContaining({ request: expect.objectContaining({ path: "/" }), connection: expect.objectContaining({ protocol: "" }) }),
    );
  });

  it("is not blamed for a client that leaves in the middle", async () => {
    const onError = vi.fn();
    const router = createRouter({ onError });
    let ended = false;
    router.ws("/", async (conn) => {
      await conn.closed;
      ended = true;
      await conn.send("too late");
    });
    const server = await start(router);
    const client = dial(server.url);
    await client.opened;
    client.socket.terminate();
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(ended).toBe(true);
    expect(onError).not.toHaveBeenCalled();
  });

  it("reads what was sent right behind the handshake, also when the decision takes a while", async () => {
    const router = createRouter().use(async (request, next) => {
      if (request.query.has("slow")) await pause(50);
      return next();
    });
    router.ws("/", async (conn) => {
      await pause(20);
      await echo(conn);
    });
    const { port } = await start(router);
    for (const path of ["/", "/?slow"]) {
      const socket = await open(port);
      socket.write(Buffer.concat([Buffer.from(handshakeText(path)), textFrame("first")]));
      await pause(10);
      socket.write(textFrame("second"));
      let received = "";
      while (!received.endsWith("second")) received += ((await once(socket, "data"))[0] as Buffer).toString("latin1");
      expect(received.slice(received.indexOf("\r\n\r\n") + 4)).toBe("\x81\x05first\x81\x06second");
      socket.destroy();
    }
  });

  it("agrees on a subprotocol and can choose one itself", async () => {
    const router = createRouter();
    const report = async (conn: Connection) => void (await conn.send(conn.protocol));
    router.ws("/list", { protocols: ["v2", "v1"], handler: report });
    router.ws("/choice", { upgrade: ({ protocols }) => accept({ protocol: protocols.at(-1) ?? "" }), handler: report });
    const { url } = await start(router);
    expect(await dial(`${url}/list`, ["v1", "v2"]).next()).toBe("v1");
    expect(await dial(`${url}/choice`, ["v1", "v2"]).next()).toBe("v2");
  });
});

describe("middleware", () => {
  it("surrounds the route like an onion, grows the context, and adds headers to the 101", async () => {
    const order: string[] = [];
    const layer =
      (name: string): Middleware =>
      async (_request, next) => {
        order.push(`${name} in`);
        const decision = await next();
        order.push(`${name} out`);
        decision.headers.append("x-layer", name);
        return decision;
      };
    const router = createRouter()
      .use(layer("outer"))
      .use(async (request, next) => next({ user: request.query.get("user") ?? "nobody" }))
      .use(async ({ context }, next) => next({ greeting: `Hello ${context.user}` }));
    router
      .group("/inner")
      .use(layer("group"))
      .ws("/{x}", {
        upgrade: ({ context }) => {
          order.push("route");
          return accept({ headers: { "set-cookie": `user=${context.user}` } });
        },
        handler: async (conn) => void (await conn.send(`${conn.context.greeting}, ${conn.context.user.length}`)),
      });
    const { url } = await start(router);
    const client = dial(`${url}/inner/1?user=Roger`);
    const headers = await client.headers;
    expect(await client.next()).toBe("Hello Roger, 5");
    expect(headers.get("set-cookie")).toBe("user=Roger");
    expect(headers.get("x-layer")).toBe("group, outer");
    expect(order).toEqual(["outer in", "group in", "route", "group out", "outer out"]);
  });

  it("also surrounds routes that were registered before it", async () => {
    const router = createRouter();
    router.ws("/", echo);
    router.use(() => new Response("closed\n", { status: 403 }));
    const { url } = await start(router);
    expect((await dial(url).refused).status).toBe(403);
  });

  it("refuses with a response that reaches the client whole, also after a while", async () => {
    const router = createRouter().use(async () => {
      await pause(50);
      return new Response("Log in first: é\n", { status: 401, headers: { "www-authenticate": "Bearer", "x-a": "1" } });
    });
    router.ws("/", echo);
    const { port } = await start(router);
    const answer = await knock(port, handshakeText("/"));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect(answer.headers.get("connection")).toBe("close");
    expect(Buffer.from(answer.body, "latin1").toString()).toBe("Log in first: é\n");
    expect(answer.headers.get("content-length")).toBe("17");
  });

  it("refuses in full although the client goes on sending, and never reads that as a second request", async () => {
    const router = createRouter().use(() => new Response("a".repeat(300_000), { status: 403 }));
    router.ws("/", echo);
    const { port } = await start(router);
    const answer = await knock(port, handshakeText("/") + handshakeText("/").repeat(1000));
    expect(answer.status).toBe(403);
    expect(answer.body).toHaveLength(300_000);
  });

  it.each<[string, Middleware, RegExp]>([
    ["throws", () => Promise.reject(new Error("secret")), /secret/],
    ["accepts without asking next()", () => accept(), /return what next\(\) gave it/],
    ["calls next() twice", (_request, next) => next().then(() => next()), /twice/],
    ["returns nothing", (async () => {}) as unknown as Middleware, /returned neither/],
    [
      "adds a header of the handshake",
      async (_request, next) => {
        const decision = await next();
        decision.headers.set("upgrade", "x");
        return decision;
      },
      /"upgrade" cannot be added/,
    ],
  ])("that %s answers 500 and says why to onError alone", async (_what, layer, message) => {
    const onError = vi.fn();
    const router = createRouter({ onError }).use(layer);
    router.ws("/", echo);
    const { port } = await start(router);
    const answer = await knock(port, handshakeText("/"));
    expect(answer.status).toBe(500);
    expect(answer.body).not.toMatch(message);
    expect(onError).toHaveBeenCalledOnce();
    expect(String(onError.mock.calls[0]?.[0])).toMatch(message);
  });

  it.each<[string, Middleware]>([
    ["at once", () => Promise.reject(new Error("secret"))],
    ["later", () => pause(20).then(() => Promise.reject(new Error("secret")))],
  ])("that does not wait for next() decides alone, and what a later layer throws %s goes to onError alone", async (_when, later) => {
    const onError = vi.fn();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const router = createRouter({ onError })
      .use(async (_request, next) => {
        void next();
        return new Response("no", { status: 403 });
      })
      .use(later);
    router.ws("/", echo);
    const { port } = await start(router);
    expect((await knock(port, handshakeText("/"))).status).toBe(403);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
    await pause(5);
    process.off("unhandledRejection", unhandled);
    expect(String(onError.mock.calls[0]?.[0])).toMatch(/secret/);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("that turns what a later layer throws into a response has dealt with it", async () => {
    const onError = vi.fn();
    const router = createRouter({ onError })
      .use((_request, next) => next().catch(() => new Response("no", { status: 403 })))
      .use(() => Promise.reject(new Error("secret")));
    router.ws("/", echo);
    const { port } = await start(router);
    expect((await knock(port, handshakeText("/"))).status).toBe(403);
    expect(onError).not.toHaveBeenCalled();
  });

  it("has request.signal, which aborts when the client resets during a slow decision", async () => {
    const errors: unknown[] = [];
    const reasons: unknown[] = [];
    const router = createRouter({ onError: (error) => void errors.push(error) }).use(async (request, next) => {
      await pause(5_000, undefined, { signal: request.signal }).catch((error: unknown) => void reasons.push(error));
      request.signal.throwIfAborted();
      return next();
    });
    router.ws("/", echo);
    const { port } = await start(router);
    const resets = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const socket = await open(port);
        socket.write(handshakeText("/"));
        return socket;
      }),
    );
    await pause(30);
    for (const [index, socket] of resets.entries()) {
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    await vi.waitFor(() => expect(reasons).toHaveLength(5));
    expect(errors).toEqual([]);
    expect((await knock(port, handshakeText("/nowhere"))).status).toBe(404);
  });

  it("has request.signal, which aborts when the client was gone again before anybody looked", async () => {
    const reasons: unknown[] = [];
    const router = createRouter({ onError() {} }).use(async (request, next) => {
      await pause(5_000, undefined, { signal: request.signal }).catch((error: unknown) => void reasons.push(error));
      return next();
    });
    router.ws("/", echo);
    const { port } = await start(router);
    for (let count = 1; count <= 3; count++) {
      const socket = await open(port);
      socket.write(handshakeText("/"));
      socket.resetAndDestroy();
      await vi.waitFor(() => expect(reasons).toHaveLength(count));
    }
  });

  it("that takes longer than the handshake timeout leads to 503", async () => {
    const router = createRouter({ handshakeTimeout: 30 }).use(async (_request, next) => {
      await pause(100);
      return next();
    });
    router.ws("/", echo);
    const { port } = await start(router);
    const answer = await knock(port, handshakeText("/"));
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("cannot give accept() a header of the handshake", () => {
    // @ts-expect-error: the handshake sets it
    expect(() => accept({ headers: { "sec-websocket-accept": "x" } })).toThrow(/the handshake sets it/);
    expect(() => accept({ headers: [["Connection", "x"]] })).toThrow(/"connection" cannot be added/);
  });
});

describe("the types of a router", () => {
  it("know what middleware adds and which parameters a path has", () => {
    const plain = createRouter();
    const withUser = plain.use((_request, next) => next({ user: { name: "ada" } }));
    const needsUser = async (conn: Connection<{ user: { name: string } }>) => void conn.context.user.name;
    withUser.ws("/a", needsUser);
    // @ts-expect-error: Property 'user' is missing
    plain.ws("/b", needsUser);
    // @ts-expect-error: Property 'user' is missing
    expect(() => plain satisfies Router<{ user: { name: string } }>).not.toThrow();
    // @ts-expect-error: the path has no parameter "rom"
    plain.ws("/c/{room}", async (conn) => void conn.params.rom.length);
    plain.ws("/d/{room}", async (conn) => void conn.params.room.length);
  });
});

describe("a server", () => {
  const simple = (options: RouterOptions = {}): Router => {
    const router = createRouter(options);
    router.ws("/ws", echo);
    return router;
  };

  it("answers plain HTTP with 426 on a WebSocket route and 404 elsewhere", async () => {
    const { port } = await start(simple());
    const answers = await Promise.all(["/ws", "/"].map((path) => fetch(`http://127.0.0.1:${port}${path}`)));
    expect(answers.map(({ status }) => status)).toEqual([426, 404]);
    expect(answers[0]?.headers.get("upgrade")).toBe("websocket");
  });

  it("leaves plain HTTP to the listener it is given, on the same port and even the same connection", async () => {
    const { port, url } = await start(simple(), { http: (_request, response) => void response.end("hello") });
    const client = dial(`${url}/ws`);
    await client.opened;
    expect(await (await fetch(`http://127.0.0.1:${port}/ws`)).text()).toBe("hello");
    const socket = await open(port);
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 200/);
    socket.write(handshakeText("/ws"));
    expect(parseAnswer(String((await once(socket, "data"))[0])).status).toBe(101);
    socket.destroy();
    client.socket.send("still there");
    expect(await client.next()).toBe("still there");
  });

  it("answers an upgrade behind what was asked before it on the same connection, and not at all where that was the last answer", async () => {
    const handled = vi.fn(echo);
    const router = createRouter();
    router.ws("/ws", handled);
    const answer = (request: { url?: string | undefined }, response: ServerResponse): void => {
      if (request.url === "/last") response.setHeader("connection", "close");
      setTimeout(() => response.end("hello"), 30);
    };
    const { port } = await start(router, { http: answer });
    for (const path of ["/slow", "/last"]) {
      const socket = await open(port);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n${handshakeText("/ws")}`);
      socket.write(textFrame("eager"));
      let received = "";
      socket.on("data", (data: Buffer) => {
        received += data.toString("latin1");
        if (received.endsWith("eager")) socket.destroy();
      });
      await once(socket, "close");
      const order = [...received.matchAll(/HTTP\/1.1 (\d+)|hello|eager/g)].map(([text, status]) => status ?? text);
      expect(order).toEqual(path === "/slow" ? ["200", "hello", "101", "eager"] : ["200", "hello"]);
    }
    expect(handled).toHaveBeenCalledOnce();
  });

  it("can be the user's own, which attach() neither starts nor stops", async () => {
    const http = createServer((_request, response) => void response.end("mine"));
    const attachment = attach(simple(), http);
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const { port } = http.address() as AddressInfo;
    const client = dial(`ws://127.0.0.1:${port}/ws`);
    await client.opened;
    expect(attachment.connections).toBe(1);
    await attachment.close();
    expect(await client.closed).toEqual({ code: 1012, reason: "service restart" });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("mine");
    http.close();
  });

  it("speaks TLS through an https.Server", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wsgen-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    try {
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
      execFileSync(
        "openssl",
        [
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:P-256",
          "-nodes",
          "-days",
          "1",
          ...subject,
          "-keyout",
          key,
          "-out",
          cert,
        ],
        { stdio: "ignore" },
      );
      const { url } = await start(simple(), { server: createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }) });
      expect(url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+$/);
      const client = dial(`${url}/ws`, [], { ca: readFileSync(cert) });
      await client.opened;
      client.socket.send("over TLS");
      expect(await client.next()).toBe("over TLS");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("rejects when its port is taken", async () => {
    const { port } = await start(simple());
    const own = createServer();
    await expect(serve(simple(), { server: own, host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: expect.stringMatching(`^Port ${port} is taken \\(EADDRINUSE\\): .* choose another port`) as string,
    });
    expect(["upgrade", "request", "clientError"].map((event) => own.listenerCount(event))).toEqual([0, 0, 0]);
  });

  it("drains: 503 for newcomers, 1012 in batches, handlers finish, the port is free again", async () => {
    let finished = 0;
    let release = (): void => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const router = createRouter();
    router.ws("/", async (conn) => {
      await conn.closed;
      await slow;
      finished++;
    });
    const server = await start(router, { drain: { batch: 2, interval: 300 } });
    const clients = Array.from({ length: 5 }, () => dial(server.url));
    await Promise.all(clients.map(({ opened }) => opened));
    const began = performance.now();
    const times = clients.map(({ closed }) => closed.then(({ code, reason }) => ({ code, reason, at: performance.now() - began })));
    const closing = server.close();
    expect((await knock(server.port, handshakeText("/"))).status).toBe(503);
    const outcomes = await Promise.all(times);
    expect(new Set(outcomes.map(({ code, reason }) => `${code} ${reason}`))).toEqual(new Set(["1012 service restart"]));
    expect(outcomes.filter(({ at }) => at < 280)).toHaveLength(2);
    expect(outcomes.filter(({ at }) => at > 580)).toHaveLength(1);
    expect(finished).toBe(0);
    release();
    await closing;
    expect(finished).toBe(5);
    await expect(open(server.port)).rejects.toThrow(/ECONNREFUSED/);
  });

  it("answers 503 to whoever was still waiting for a decision when it began to drain", async () => {
    const opened = vi.fn();
    const router = createRouter().use(async (_request, next) => {
      await pause(80);
      return next();
    });
    router.ws("/", async () => opened());
    const server = await start(router);
    const answer = knock(server.port, handshakeText("/"));
    await pause(30);
    await server.close();
    expect((await answer).status).toBe(503);
    expect(opened).not.toHaveBeenCalled();
  });

  it("cuts what is stuck when the time for draining is over", async () => {
    const router = createRouter();
    router.ws("/", () => new Promise(() => {}));
    const server = await start(router, { drain: { timeout: 100 } });
    const socket = await open(server.port);
    socket.write(handshakeText("/"));
    await once(socket, "data"); // … and never answers the close frame.
    const began = performance.now();
    const gone = once(socket, "close");
    socket.resume();
    await server.close();
    await gone;
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  it("drains on SIGTERM, leaves the process to whoever else listens, and takes its listeners back", async () => {
    const before = process.listenerCount("SIGTERM");
    const server = await start(simple(), { signals: ["SIGTERM"] });
    expect(process.listenerCount("SIGTERM")).toBe(before + 1);
    const other = (): void => {};
    process.on("SIGTERM", other); // Somebody else listens, so that this process lives on.
    const client = dial(`${server.url}/ws`);
    await client.opened;
    process.emit("SIGTERM", "SIGTERM");
    expect((await client.closed).code).toBe(1012);
    await server.close();
    process.off("SIGTERM", other);
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  it("keeps nothing of connections that are gone", async () => {
    const server = await start(simple());
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = dial(`${server.url}/ws`);
        await client.opened;
        if (index % 2 === 0) client.socket.close(4321);
        else client.socket.terminate();
        await client.closed;
      }),
    );
    await vi.waitFor(() => expect(server.connections).toBe(0));
  });

  it("lets half a handshake wait no longer than its headers timeout", async () => {
    const server = await start(simple());
    expect((server.server as ReturnType<typeof createServer>).headersTimeout).toBe(10_000);
    const request = get(`http://127.0.0.1:${server.port}/ws`);
    expect(((await once(request, "response"))[0] as { statusCode: number }).statusCode).toBe(426);
    request.destroy();
  });
});

describe("logging", () => {
  it("is silent by default and bound to connection and route with a logger", async () => {
    const lines: object[] = [];
    const log = (fields: object, message: string): void => void lines.push({ ...fields, message });
    const router = createRouter({ logger: { debug: log, info: log, warn: log, error: log } });
    let id = "";
    router.ws("/rooms/{id}", async (conn) => {
      id = conn.id;
      conn.log.info({ a: 1 }, "hello");
    });
    const { url } = await start(router);
    await dial(`${url}/rooms/x`).closed;
    expect(lines).toContainEqual({ connection: id, route: "/rooms/{id}", a: 1, message: "hello" });
  });
});
