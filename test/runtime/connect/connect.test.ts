import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  accept,
  type ClientConnection,
  ConnectError,
  ConnectionClosedError,
  connect,
  createRouter,
  type Handler,
  type Router,
  type RunningServer,
  type ServeOptions,
  serve,
  UpgradeRejectedError,
  WsgenError,
} from "@wsgen/runtime";
import { testServer } from "@wsgen/runtime/testing";
import { afterEach, describe, expect, it } from "vitest";
import { acceptKey } from "../../../runtime/src/upgrade/handshake.ts";

const running: RunningServer[] = [];
const cleanups: (() => void)[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
  for (const clean of cleanups.splice(0)) clean();
});

async function start(router: Router, options: ServeOptions = {}): Promise<RunningServer> {
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 500 }, ...options });
  running.push(server);
  return server;
}

function one(handler: Handler): Router {
  const router = createRouter();
  router.ws("/", handler);
  return router;
}

const echo: Handler = async (conn) => {
  for await (const { data } of conn.messages()) await conn.send(data);
};

/** A server that accepts the handshake and then does what the test says, byte by byte. */
async function startRaw(play: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (request: Buffer) => {
      const [, key = ""] = /sec-websocket-key: (.*)\r\n/i.exec(request.toString()) ?? [];
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`,
      );
      play(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function next(connection: ClientConnection): Promise<string | Uint8Array | undefined> {
  for await (const { data } of connection.messages()) return data;
  return undefined;
}

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a connection %s", (_where, tcp) => {
  it("talks in text and binary, and closes with 1000 when its block is left", async () => {
    const outcomes: unknown[] = [];
    const router = one(async (conn) => {
      void conn.closed.then((outcome) => outcomes.push(outcome));
      for await (const { data } of conn.messages()) await conn.send(data);
    });
    await using server = await testServer(router, { tcp });
    {
      await using connection = await server.connect("/");
      expect(connection.send("text")).toBeUndefined();
      connection.send(new Uint8Array([1, 2, 3]));
      expect(await next(connection)).toBe("text");
      expect(await next(connection)).toEqual(Buffer.from([1, 2, 3]));
      expect(await connection.ping()).toBeGreaterThan(0);
    }
    await expect.poll(() => outcomes).toEqual([{ code: 1000, reason: "", wasClean: true, meaning: "normal" }]);
  });

  it("loses nothing of what the server says before anybody reads, in order, and then ends", async () => {
    const router = one(async (conn) => {
      for (let index = 0; index < 10_000; index++) await conn.send(String(index));
      await conn.close(4001, "that is all");
    });
    await using server = await testServer(router, { tcp });
    const connection = await server.connect("/");
    await pause(30);
    let expected = 0;
    for await (const { data } of connection.messages()) expect(data).toBe(String(expected++));
    expect(expected).toBe(10_000);
    expect(await connection.closed).toEqual({ code: 4001, reason: "that is all", wasClean: true });
    expect(connection.signal.reason).toMatchObject({ name: "ConnectionClosedError", closeCode: 4001 });
  });
});

describe("connect()", () => {
  it("sends headers and subprotocols, and shows those of the answer", async () => {
    const router = createRouter();
    router.ws("/", {
      protocols: ["v1"],
      upgrade: () => accept({ headers: { "x-answer": "42" } }),
      handler: async (conn) => void (await conn.send(JSON.stringify(Object.fromEntries(conn.handshake.headers)))),
    });
    const { url } = await start(router);
    await using connection = await connect(url, { headers: { "X-Question": "6 x 9" }, protocols: ["v2", "v1"] });
    const sent = JSON.parse(String(await next(connection))) as Record<string, string>;
    expect(sent).toMatchObject({ "x-question": "6 x 9", "sec-websocket-protocol": "v2,v1" });
    expect(Object.keys(sent)).not.toEqual(expect.arrayContaining(["content-length"]));
    expect(sent["content-type"]).toBeUndefined();
    expect(connection.protocol).toBe("v1");
    expect(connection.headers.get("x-answer")).toBe("42");
  });

  it("speaks TLS with a certificate authority and a server name of the caller's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wsgen-connect-"));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const parameters = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=wsgen.test"];
    const names = ["-addext", "subjectAltName=DNS:wsgen.test"];
    execFileSync("openssl", ["req", "-x509", ...parameters, ...names, "-days", "1", "-keyout", key, "-out", cert], { stdio: "ignore" });
    const server = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) });
    const { url } = await start(one(echo), { server });
    await using connection = await connect(url, { tls: { ca: readFileSync(cert), servername: "wsgen.test" } });
    connection.send("secret");
    expect(await next(connection)).toBe("secret");
    await expect(connect(url)).rejects.toThrow(ConnectError);
  });

  it("rejects with UpgradeRejectedError: status, headers and body, also of redirects", async () => {
    const router = createRouter().use(async ({ query }, proceed) => {
      if (query.has("move")) return new Response(null, { status: 307, headers: { location: "/elsewhere" } });
      return query.has("key") ? proceed() : new Response("Log in first.\n", { status: 401, headers: { "www-authenticate": "Bearer" } });
    });
    router.ws("/", echo);
    const { url } = await start(router);
    const refused: unknown = await connect(`${url}?token=secret`).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UpgradeRejectedError);
    expect(refused).toMatchObject({ code: "WSGEN_UPGRADE_REJECTED", status: 401, body: "Log in first.\n" });
    expect((refused as UpgradeRejectedError).headers?.get("www-authenticate")).toBe("Bearer");
    expect((refused as UpgradeRejectedError).message).not.toContain("secret");
    await expect(connect(`${url}?move`)).rejects.toMatchObject({ status: 307 });
    await expect(connect(`${url}/nowhere`)).rejects.toMatchObject({ status: 404 });
  });

  it("rejects with UpgradeRejectedError when the server is none of WebSocket's", async () => {
    const http = createHttpServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(http, "listening");
    cleanups.push(() => http.close());
    await expect(connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)).rejects.toMatchObject({ status: 200, body: "hello" });
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    cleanups.push(() => silent.close());
    const slow = connect(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}`, { handshakeTimeout: 50 });
    await expect(slow).rejects.toThrow(UpgradeRejectedError);
  });

  it("rejects with ConnectError when nobody listens, and when there is no such host", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const refused: unknown = await connect(`ws://127.0.0.1:${port}/?token=secret`).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConnectError);
    expect(refused).toMatchObject({ code: "WSGEN_CONNECT", cause: { code: "ECONNREFUSED" } });
    expect((refused as ConnectError).message).not.toContain("secret");
  });

  it.each([["ftp://localhost"], ["nonsense"], ["ws://localhost/#part"]])("rejects with WSGEN_USAGE for the URL %s", async (url) => {
    const error: unknown = await connect(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WsgenError);
    expect(error).toMatchObject({ code: "WSGEN_USAGE" });
  });

  it("rejects with WSGEN_USAGE for headers and subprotocols that cannot be sent", async () => {
    await expect(connect("ws://127.0.0.1:1", { protocols: ["a", "a"] })).rejects.toMatchObject({ code: "WSGEN_USAGE" });
    await expect(connect("ws://127.0.0.1:1", { headers: { "X-A": "a\r\nb" } })).rejects.toMatchObject({ code: "WSGEN_USAGE" });
  });

  it("gives up with the signal's reason during the handshake, and closes with 1000 by it later", async () => {
    const router = createRouter().use(async ({ signal, query }, proceed) => {
      if (query.has("slow")) await once(signal, "abort");
      return proceed();
    });
    const outcomes: unknown[] = [];
    router.ws("/", async (conn) => void outcomes.push(await conn.closed));
    const { url } = await start(router);
    const reason = new Error("enough");
    await expect(connect(`${url}?slow`, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const early = new AbortController();
    setTimeout(() => early.abort(reason), 20);
    await expect(connect(`${url}?slow`, { signal: early.signal })).rejects.toBe(reason);
    const late = new AbortController();
    const connection = await connect(url, { signal: late.signal });
    late.abort();
    expect(await connection.closed).toEqual({ code: 1000, reason: "", wasClean: true, meaning: "normal" });
    await expect.poll(() => outcomes).toMatchObject([{ code: 1000 }]);
  });
});

describe("an open connection", () => {
  it("holds the server back while nobody reads", async () => {
    let sent = 0;
    const { url } = await start(
      one(async (conn) => {
        const message = new Uint8Array(64 * 1024);
        while (!conn.signal.aborted && sent < 2000) {
          await conn.send(message);
          await conn.flushed();
          sent++;
        }
      }),
    );
    await using connection = await connect(url);
    let before = -1;
    while (sent !== before) {
      before = sent;
      await pause(100);
    }
    expect(sent).toBeLessThan(500);
    let received = 0;
    for await (const { data } of connection.messages()) received += data.length === 64 * 1024 ? 1 : 0;
    expect(received).toBe(2000);
  });

  it("closes at once although much lies unread", async () => {
    const { url } = await start(
      one(async (conn) => {
        for (let count = 0; count < 300; count++) await conn.send(new Uint8Array(64 * 1024));
        await conn.closed;
      }),
    );
    const connection = await connect(url, { closeTimeout: 20_000 });
    await pause(100);
    const from = performance.now();
    expect(await connection.close()).toEqual({ code: 1000, reason: "", wasClean: true, meaning: "normal" });
    expect(performance.now() - from).toBeLessThan(15_000);
  });

  it("makes an awaited send wait for the server", async () => {
    let open!: () => void;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let received = 0;
    const { url } = await start(
      one(async (conn) => {
        await gate;
        for await (const { data } of conn.messages()) received += data.length;
      }),
    );
    await using connection = await connect(url);
    let settled = 0;
    const sending = (async () => {
      for (; settled < 300; settled++) await connection.send(new Uint8Array(64 * 1024));
    })();
    await pause(150);
    expect(settled).toBeLessThan(250);
    open();
    await sending;
    await expect.poll(() => received).toBe(300 * 64 * 1024);
  });

  it("rejects what is sent or asked after its end, without ending the process", async () => {
    const { url } = await start(one(async () => {}));
    const connection = await connect(url);
    await connection.closed;
    await expect(connection.send("late")).rejects.toThrow(ConnectionClosedError);
    await expect(connection.ping()).rejects.toThrow(ConnectionClosedError);
    void connection.send("nobody waits");
    expect(await next(connection)).toBeUndefined();
    expect(await connection.close()).toMatchObject({ code: 1000 });
    expect(() => connection.close(1001)).toThrow(/must be 1000 or from 3000 to 4999/);
  });

  it("has one reader at a time", async () => {
    const { url } = await start(one(echo));
    await using connection = await connect(url);
    const first = connection.messages()[Symbol.asyncIterator]();
    const pending = first.next();
    await expect(connection.messages()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "WSGEN_USAGE" });
    connection.send("a");
    expect((await pending).value).toEqual({ type: "text", data: "a" });
  });

  it.each([
    ["a reserved opcode", [0x83, 0x00], 1002],
    ["a masked frame", [0x81, 0x80, 1, 2, 3, 4], 1002],
    ["text that is not UTF-8", [0x81, 0x01, 0xff], 1007],
    ["a message over the limit", [0x82, 0x7f, 0, 0, 0, 0, 0, 0x20, 0, 0], 1009],
  ])("ends with the right code when the server sends %s", async (_what, bytes, code) => {
    const url = await startRaw((socket) => void socket.write(Buffer.from(bytes)));
    const connection = await connect(url, { closeTimeout: 100 });
    expect(await connection.closed).toMatchObject({ code, wasClean: false });
    expect(await next(connection)).toBeUndefined();
  });

  it("ends with 1006 when TCP is lost, and does not wait for a server that never answers its close", async () => {
    const lost = await connect(await startRaw((socket) => void setTimeout(() => socket.destroy(), 10)));
    expect(await lost.closed).toEqual({ code: 1006, reason: "", wasClean: false, meaning: "lost" });
    const ignored = await connect(await startRaw(() => {}), { closeTimeout: 50 });
    expect(await ignored.close(3000, "Because")).toEqual({ code: 3000, reason: "Because", wasClean: false });
  });

  it("hears the server close with a code and a reason", async () => {
    const { url } = await start(one(async (conn) => void (await conn.close(3000, "Because"))));
    const connection = await connect(url);
    expect(await connection.closed).toEqual({ code: 3000, reason: "Because", wasClean: true });
  });
});
