// One line mounts a router into somebody else's server. One suite, run against the real frameworks.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type HttpBindings, serve as serveHono } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Attachment, type AttachOptions, attach, createRouter, type Handler, type Router } from "@wsgen/runtime";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { textFrame } from "../raw-client.ts";
import { handshakeText, knock, open, parseAnswer } from "../upgrade/raw-client.ts";

interface Host {
  readonly server: Server;
  readonly sockets: Attachment;
  close(): Promise<void>;
}

/** What the HTTP handler of `/manual` does before it upgrades. */
interface Manual {
  admit(query: URLSearchParams): boolean | Promise<boolean>;
  readonly handler: Handler;
}

const queryOf = (url = ""): URLSearchParams => new URL(url, "http://localhost").searchParams;
const listening = async (server: Server): Promise<void> => {
  if (!server.listening) await once(server, "listening");
};
const closing = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

/** Every framework answers `GET /http` with 200 `http`, and decides by itself on `/manual`. */
const frameworks: Readonly<Record<string, (router: Router, manual: Manual, options: AttachOptions) => Promise<Host>>> = {
  async express(router, { admit, handler }, options) {
    const app = express();
    app.get("/http", (_request, response) => void response.send("http"));
    app.get("/manual", async (request, response) => {
      if (!(await admit(queryOf(request.url)))) return void response.status(403).send("no");
      await sockets.upgrade(request, response, handler);
    });
    const server = app.listen(0, "127.0.0.1");
    const sockets = attach(router, server, options);
    await listening(server);
    return { server, sockets, close: () => closing(server) };
  },
  async fastify(router, { admit, handler }, options) {
    const app = fastify();
    app.get("/http", async () => "http");
    app.get("/manual", async (request, reply) => {
      if (!(await admit(queryOf(request.url)))) return reply.code(403).send("no");
      reply.hijack();
      await sockets.upgrade(request.raw, reply.raw, handler);
    });
    const sockets = attach(router, app.server, options);
    app.addHook("preClose", () => sockets.close());
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { server: app.server, sockets, close: () => app.close() };
  },
  async hono(router, { admit, handler }, options) {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.get("/http", (c) => c.text("http"));
    app.get("/manual", async (c) => {
      if (!(await admit(queryOf(c.req.url)))) return c.text("no", 403);
      await sockets.upgrade(c.env.incoming, c.env.outgoing, handler);
      return RESPONSE_ALREADY_SENT;
    });
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
    const sockets = attach(router, server, options);
    await listening(server);
    return { server, sockets, close: () => closing(server) };
  },
  async "node:http"(router, { admit, handler }, options) {
    const server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
      if (pathname === "/http") response.end("http");
      else if (pathname !== "/manual") response.writeHead(404).end();
      else if (await admit(searchParams)) await sockets.upgrade(request, response, handler);
      else response.writeHead(403, { "content-length": 2 }).end("no");
    });
    const sockets = attach(router, server, options);
    server.listen(0, "127.0.0.1");
    await listening(server);
    return { server, sockets, close: () => closing(server) };
  },
};

const hosts: Host[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) {
    await host.sockets.close();
    host.server.closeAllConnections();
    await host.close();
  }
});

const echo: Handler = async (conn) => {
  for await (const { data } of conn.messages()) await conn.send(data);
};

async function ask(url: string, text: string): Promise<string> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  socket.send(text);
  const [data] = (await once(socket, "message")) as [Buffer];
  socket.close();
  await once(socket, "close");
  return String(data);
}

describe.each(Object.keys(frameworks))("a router mounted into %s", (name) => {
  const mount = async (options: AttachOptions = {}, admit: Manual["admit"] = (query) => query.get("key") === "open") => {
    const router = createRouter();
    router.ws("/rooms/{id}", async (conn) => {
      for await (const { data } of conn.messages()) await conn.send(`${conn.params.id}: ${String(data)}`);
    });
    const host = await frameworks[name]!(router, { admit, handler: echo }, options);
    hosts.push(host);
    const { port } = host.server.address() as AddressInfo;
    return { host, port, base: `127.0.0.1:${port}` };
  };

  it("answers its routes, and leaves plain HTTP on the same port to the framework", async () => {
    const { base, host } = await mount();
    expect(await ask(`ws://${base}/rooms/lobby`, "hi")).toBe("lobby: hi");
    expect(await (await fetch(`http://${base}/http`)).text()).toBe("http");
    expect((await fetch(`http://${base}/nowhere`)).status).toBe(404);
    await expect.poll(() => host.sockets.connections).toBe(0);
  });

  it("refuses upgrades for other paths with 404, also those of the framework's own routes", async () => {
    const { port } = await mount();
    for (const path of ["/nowhere", "/http", "/manual?key=open"]) expect((await knock(port, handshakeText(path))).status).toBe(404);
  });

  it("closes its connections with 1012 on close(), and the framework goes on", async () => {
    const { base, host } = await mount();
    const socket = new WebSocket(`ws://${base}/rooms/a`);
    await once(socket, "open");
    const closed = once(socket, "close");
    await host.sockets.close();
    expect((await closed)[0]).toBe(1012);
    expect((await fetch(`http://${base}/http`)).status).toBe(200);
  });

  describe("with passUpgrades", () => {
    it("lets an ordinary HTTP handler upgrade, or answer as it does anyone", async () => {
      const { base, port, host } = await mount({ passUpgrades: true });
      expect(await ask(`ws://${base}/manual?key=open`, "hello")).toBe("hello");
      const refused = await knock(port, handshakeText("/manual?key=shut"));
      expect([refused.status, refused.body, refused.headers.get("connection")]).toEqual([403, "no", "close"]);
      expect((await knock(port, handshakeText("/nowhere"))).status).toBe(404);
      expect(await ask(`ws://${base}/rooms/lobby`, "hi")).toBe("lobby: hi");
      await expect.poll(() => host.sockets.connections).toBe(0);
    });

    it("answers 426 when the request is no upgrade, and checks origin and handshake as on every route", async () => {
      const { base, port } = await mount({ passUpgrades: true });
      const plain = await fetch(`http://${base}/manual?key=open`);
      expect([plain.status, plain.headers.get("upgrade")]).toEqual([426, "websocket"]);
      const path = "/manual?key=open";
      expect((await knock(port, handshakeText(path, { Origin: "https://evil.example" }))).status).toBe(403);
      expect((await knock(port, handshakeText(path, { "Sec-WebSocket-Key": "short" }))).status).toBe(400);
      expect((await knock(port, handshakeText(path, { "Sec-WebSocket-Version": "12" }))).status).toBe(426);
    });

    it("keeps what was sent right behind the handshake while the handler decides", async () => {
      const { port } = await mount({ passUpgrades: true }, () => pause(50, true));
      const socket = await open(port);
      socket.write(Buffer.concat([Buffer.from(handshakeText("/manual")), textFrame("a")]));
      await pause(20);
      socket.write(textFrame("b"));
      let bytes = Buffer.alloc(0);
      for await (const chunk of socket) {
        bytes = Buffer.concat([bytes, chunk as Buffer]);
        if (bytes.toString("latin1").endsWith("b")) break;
      }
      expect(parseAnswer(bytes.toString("latin1"))).toMatchObject({ status: 101, body: "\x81\x01a\x81\x01b" });
    });

    it("never reads what lies behind a refused upgrade as another request", async () => {
      const { port } = await mount({ passUpgrades: true });
      const answer = await knock(port, `${handshakeText("/manual")}GET /http HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      expect([answer.status, answer.body]).toEqual([403, "no"]);
    });

    it("survives clients that reset while the handler decides", async () => {
      const decide = vi.fn(() => pause(60, true));
      const { host, port } = await mount({ passUpgrades: true }, decide);
      for (let count = 0; count < 20; count++) {
        const socket = await open(port);
        socket.on("error", () => {});
        socket.write(handshakeText("/manual"));
        setTimeout(() => socket.resetAndDestroy(), count * 4);
      }
      await expect.poll(() => decide.mock.calls.length).toBeGreaterThan(10);
      await pause(200);
      await expect.poll(() => host.sockets.connections).toBe(0);
      expect((await knock(port, handshakeText("/manual"))).status).toBe(101);
    });
  });
});

it("opens no connection for a client that hung up while the HTTP handler decided", async () => {
  const handler = vi.fn(echo);
  const decided = vi.fn();
  const server = createServer(async (request, response) => {
    await pause(40);
    await sockets.upgrade(request, response, handler);
    decided();
  });
  const sockets = attach(createRouter(), server, { passUpgrades: true });
  server.listen(0, "127.0.0.1");
  await listening(server);
  hosts.push({ server, sockets, close: () => closing(server) });
  const socket = await open((server.address() as AddressInfo).port);
  socket.end(handshakeText("/"));
  await expect.poll(() => decided.mock.calls.length).toBe(1);
  expect(handler).not.toHaveBeenCalled();
  expect(sockets.connections).toBe(0);
});

it("answers 503 for an HTTP handler that takes longer than the handshake may", async () => {
  const router = createRouter({ handshakeTimeout: 30 });
  const server = createServer(() => {});
  const sockets = attach(router, server, { passUpgrades: true });
  server.listen(0, "127.0.0.1");
  await listening(server);
  hosts.push({ server, sockets, close: () => closing(server) });
  const answer = await knock((server.address() as AddressInfo).port, handshakeText("/slow"));
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
});
