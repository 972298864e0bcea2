import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { attach, type Connection, createRouter, type Router, type RouterOptions, type RunningServer, serve } from "@wsgen/runtime";
import { register } from "@wsgen/runtime/generated/server";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { clientAddress } from "../../../runtime/src/upgrade/capacity.ts";
import { contract } from "../contract-server/quiz.ts";
import { handshakeText, knock } from "./raw-client.ts";

const running: RunningServer[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

const stay = async (conn: Connection): Promise<void> => void (await conn.closed);

async function start(router: Router): Promise<RunningServer> {
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 500 } });
  running.push(server);
  return server;
}

async function dial(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  return socket;
}

/** Logs that are kept. */
function recorder() {
  const lines: string[] = [];
  const ignore = (): void => {};
  return { lines, logger: { debug: ignore, info: ignore, error: ignore, warn: (_: object, message: string) => void lines.push(message) } };
}

describe("limits on connections", () => {
  it("in total: the one too many gets 503 with Retry-After, until somebody leaves", async () => {
    const { lines, logger } = recorder();
    const router = createRouter({ maxConnections: 2, logger });
    router.ws("/a", stay);
    router.ws("/b", stay);
    const { url, port } = await start(router);
    const [first] = [await dial(`${url}/a`), await dial(`${url}/b`)];
    const refused = await knock(port, handshakeText("/a"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(lines).toEqual(["Upgrade refused. maxConnections (2) is reached."]);
    first.close();
    await expect.poll(async () => (await knock(port, handshakeText("/a"))).status).toBe(101);
  });

  it("per address: 429 with Retry-After for that address, and nobody else", async () => {
    const router = createRouter({ maxConnectionsPerAddress: 1, trustProxy: 1 });
    router.ws("/", stay);
    const { url, port } = await start(router);
    const from = (address: string) => handshakeText("/", { "X-Forwarded-For": address });
    const socket = new WebSocket(url, { headers: { "x-forwarded-for": "192.0.2.1" } });
    await once(socket, "open");
    const refused = await knock(port, from("192.0.2.1"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
    expect((await knock(port, from("192.0.2.2"))).status).toBe(101);
  });

  it("per route: 503 on that route alone", async () => {
    const router = createRouter();
    router.ws("/one/{id}", { maxConnections: 1, handler: stay });
    router.ws("/many", stay);
    const { url, port } = await start(router);
    await dial(`${url}/one/a`);
    expect((await knock(port, handshakeText("/one/b"))).status).toBe(503);
    expect((await knock(port, handshakeText("/many"))).status).toBe(101);
  });

  it("count whoever still waits for a decision, and forget who was refused, threw or left", async () => {
    let waiting = false;
    let decide: (() => void) | undefined;
    const decided = new Promise<void>((resolve) => {
      decide = resolve;
    });
    const router = createRouter({ maxConnections: 1, onError() {} }).use(async (request, next) => {
      if (request.query.has("throw")) throw new Error("no");
      if (!request.query.has("refuse")) return next();
      waiting = true;
      await decided;
      return new Response("no", { status: 401 });
    });
    router.ws("/", stay);
    const { port } = await start(router);
    const first = knock(port, handshakeText("/?refuse"));
    await expect.poll(() => waiting).toBe(true);
    expect((await knock(port, handshakeText("/"))).status).toBe(503);
    decide?.();
    expect((await first).status).toBe(401);
    expect((await knock(port, handshakeText("/?throw"))).status).toBe(500);
    const leaver = connect(port, "127.0.0.1");
    leaver.on("error", () => {});
    leaver.write(handshakeText("/"));
    await pause(10);
    leaver.resetAndDestroy();
    await expect.poll(async () => (await knock(port, handshakeText("/"))).status).toBe(101);
  });

  it("are checked when the router is made", () => {
    expect(() => createRouter({ maxConnections: 0 })).toThrow(/maxConnections: 0 is no number of connections/);
    expect(() => createRouter({ maxConnectionsPerAddress: Number.NaN })).toThrow(/maxConnectionsPerAddress/);
    expect(() => createRouter().ws("/", { maxConnections: 1.5, handler: stay })).toThrow(/1\.5/);
    expect(() => createRouter({ trustProxy: -1 })).toThrow(/trustProxy/);
  });

  it("hold for upgrades inside HTTP handlers as well", async () => {
    const router = createRouter({ maxConnections: 1 });
    const server = createServer((request, response) => void sockets.upgrade(request, response, stay));
    const sockets = attach(router, server, { passUpgrades: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await dial(`ws://127.0.0.1:${port}/x`);
    expect((await knock(port, handshakeText("/x"))).status).toBe(503);
    await sockets.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("limits of a connection", () => {
  const small = "x".repeat(100);
  async function end(url: string, say: string): Promise<number> {
    const socket = await dial(url);
    socket.send(say);
    socket.on("message", () => socket.close(4000));
    return (await once(socket, "close"))[0] as number;
  }
  const echo = async (conn: Connection): Promise<void> => {
    for await (const { data } of conn.messages()) await conn.send(data);
  };

  it("are the route's where it says something, else the router's, else the defaults", async () => {
    const router = createRouter({ limits: { maxMessageSize: 50, maxFragments: 4 } });
    router.ws("/small", echo);
    router.ws("/large", { limits: { maxMessageSize: 1000 }, handler: echo });
    router.group("/idle").ws("/", { limits: { idleTimeout: 50, heartbeat: false }, handler: echo });
    router.ws("/rate", { limits: { inboundRate: { bytes: 10 }, maxMessageSize: 1000 }, handler: echo });
    const { url } = await start(router);
    expect(await end(`${url}/small`, small)).toBe(1009);
    expect(await end(`${url}/large`, small)).toBe(4000);
    expect(await end(`${url}/large`, small.repeat(11))).toBe(1009);
    expect(await end(`${url}/rate`, small)).toBe(1008);
    const idle = await dial(`${url}/idle/`);
    expect((await once(idle, "close"))[0]).toBe(1001);
  });

  it("hold for a contract's endpoints and for upgrades inside HTTP handlers", async () => {
    const router = createRouter();
    register(
      router,
      contract,
      { quiz: { messages: { ask() {}, list: () => ({}), blob() {} } }, strict: { messages: { ask() {} } } },
      {
        limits: { maxMessageSize: 50 },
      },
    );
    const http = createServer(
      (request, response) => void sockets.upgrade(request, response, { limits: { maxMessageSize: 50 }, handler: echo }),
    );
    const sockets = attach(router, http, { passUpgrades: true });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
    expect(await end(`${url}/quiz/7?username=ada`, small)).toBe(1009);
    expect(await end(`${url}/elsewhere`, small)).toBe(1009);
    await sockets.close();
    http.close();
  });

  it("are checked when the route is made", () => {
    expect(() => createRouter().ws("/", { limits: { maxMessageSize: 0 }, handler: stay })).toThrow(/limits: maxMessageSize is 0/);
    expect(() => register(createRouter(), contract, {}, { limits: { idleTimeout: 0 } })).toThrow(
      expect.objectContaining({ code: "WSGEN_USAGE" }),
    );
  });
});

describe("the option trustProxy", () => {
  const whoAmI = async (options: RouterOptions, headers: Record<string, string | string[]>): Promise<string> => {
    const router = createRouter(options);
    router.ws("/", async (conn) => void (await conn.send(conn.handshake.remoteAddress)));
    const { url } = await start(router);
    const socket = new WebSocket(url, { headers });
    const [data] = (await once(socket, "message")) as [Buffer];
    return String(data);
  };

  it("is needed for X-Forwarded-For to be believed", async () => {
    const headers = { "x-forwarded-for": "203.0.113.9, 192.0.2.1" };
    expect(await whoAmI({}, headers)).toBe("127.0.0.1");
    expect(await whoAmI({ trustProxy: 1 }, headers)).toBe("192.0.2.1");
    expect(await whoAmI({ trustProxy: 2 }, headers)).toBe("203.0.113.9");
  });

  it("is needed for X-Forwarded-Host to be the host whose pages may connect", async () => {
    const headers = { Host: "10.0.0.1:3000", "X-Forwarded-Host": "app.example.com", Origin: "https://app.example.com" };
    for (const [trustProxy, status] of [
      [0, 403],
      [1, 101],
    ] as const) {
      const router = createRouter({ trustProxy });
      router.ws("/", stay);
      const { port } = await start(router);
      expect((await knock(port, handshakeText("/", headers))).status).toBe(status);
      expect((await knock(port, handshakeText("/", { ...headers, Origin: "https://evil.example" }))).status).toBe(403);
    }
  });

  it.each([
    ["", 1, "peer"],
    ["nonsense", 1, "peer"],
    ["192.0.2.1", 0, "peer"],
    ["192.0.2.1", 5, "192.0.2.1"],
    ["192.0.2.1:4711", 1, "192.0.2.1"],
    ["[2001:db8::1]:4711", 1, "2001:db8::1"],
    ["2001:db8::1", 1, "2001:db8::1"],
    ["203.0.113.9, [2001:db8::1]", 1, "2001:db8::1"],
  ])("makes of %j behind %d proxies %s", (forwarded, proxies, address) => {
    expect(clientAddress("peer", forwarded, proxies)).toBe(address);
  });
});

describe("a path that ends in /*", () => {
  const say = (text: string) => async (conn: Connection) => void (await conn.send(`${text} ${conn.params["*"] ?? ""}`));
  const route = async (path: string): Promise<string | number> => {
    const router = createRouter();
    router.ws("/{a}/{b}", say("pair"));
    router.ws("/*", say("all"));
    router.ws("/files/*", say("files"));
    router.ws("/files/readme", say("readme"));
    router.ws("/files/{id}/log", say("log"));
    router.group("/api").ws("/{version}/*", async (conn) => void (await conn.send(`${conn.params.version} ${conn.params["*"]}`)));
    const { url, port } = await start(router);
    const { status } = await knock(port, handshakeText(path));
    if (status !== 101) return status;
    const [data] = (await once(new WebSocket(url + path), "message")) as [Buffer];
    return String(data);
  };

  it.each([
    ["/files/a/b%20c/d", "files a/b c/d"],
    ["/files/a", "files a"],
    ["/files/readme", "readme "],
    ["/files/7/log", "log "],
    ["/x/y", "pair "],
    ["/x/y/z", "all x/y/z"],
    ["/api/v2/a/b", "v2 a/b"],
    ["/files/", 404],
    ["/files//a", 404],
    ["/files/../etc/passwd", 400],
    ["/files/%2e%2E/etc", 400],
    ["/files/a%2Fb", 400],
    ["/files/a/%00", 400],
  ])("%s leads to %s", async (path, expected) => {
    // Clients resolve dots before they send them; `knock` does not.
    expect(await route(path)).toBe(expected);
  });

  it("can be registered once, and * is a letter elsewhere", () => {
    const router = createRouter();
    router.ws("/a/*", stay);
    router.ws("/a/*.txt", stay);
    expect(() => router.ws("/a/*", stay)).toThrow(/taken/);
  });
});

describe("subprotocols", () => {
  const router = createRouter();
  router.ws("/chat", { protocols: ["v2.chat", "v1.chat"], handler: async (conn) => void (await conn.send(conn.protocol || "none")) });

  it("let one route serve several, and the handler knows which one", async () => {
    const { url } = await start(router);
    for (const [offer, agreed] of [
      [["v1.chat", "v2.chat"], "v1.chat"],
      [["v9.chat", "v2.chat"], "v2.chat"],
      [[], "none"],
    ] as const) {
      const [data] = (await once(new WebSocket(`${url}/chat`, [...offer]), "message")) as [Buffer];
      expect(String(data)).toBe(agreed);
    }
  });
});
