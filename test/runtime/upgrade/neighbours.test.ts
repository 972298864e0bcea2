// A server that others listen on too: a second router of ours, and real servers of another library.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { type Attachment, attach, createRouter } from "@wsgen/runtime";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { handshakeText, knock, open } from "./raw-client.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Answers every message with its own name. */
function attachRouter(server: Server, path: string, handshakeTimeout = 300): Attachment {
  const router = createRouter({ handshakeTimeout });
  router.ws(path, async (conn) => {
    for await (const _message of conn.messages()) await conn.send(path);
  });
  const sockets = attach(router, server, { drain: { timeout: 500 } });
  cleanups.push(() => sockets.close());
  return sockets;
}

/** As the documentation of ws does it where several servers share one. `slow`: decides after a while, reading meanwhile. */
function attachOther(server: Server, path: string, slow = 0): void {
  const other = new WebSocketServer({ noServer: true });
  other.on("connection", (socket) => socket.on("message", () => socket.send(`ws ${path}`)));
  server.on("upgrade", (request, socket, head) => {
    if (request.url !== path) return;
    const upgrade = (): void => other.handleUpgrade(request, socket, head, (peer) => other.emit("connection", peer, request));
    if (slow === 0) return upgrade();
    socket.on("readable", () => socket.read(0));
    setTimeout(() => {
      socket.removeAllListeners("readable");
      upgrade();
    }, slow);
  });
  cleanups.push(() => {
    for (const client of other.clients) client.terminate();
  });
}

async function ask(port: number, path: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await once(socket, "open");
  socket.send("who is there?");
  const [data] = (await once(socket, "message")) as [Buffer];
  socket.close();
  await once(socket, "close");
  return String(data);
}

describe("beside another library's listener", () => {
  it.each(["before", "behind"])("that came %s it, each has its own paths", async (place) => {
    const { server, port } = await listen();
    if (place === "before") attachOther(server, "/theirs");
    attachRouter(server, "/ours");
    if (place === "behind") attachOther(server, "/theirs");
    expect(await Promise.all([ask(port, "/ours"), ask(port, "/theirs"), ask(port, "/ours")])).toEqual(["/ours", "ws /theirs", "/ours"]);
  });

  it("the other may take its time", async () => {
    const { server, port } = await listen();
    attachRouter(server, "/ours");
    attachOther(server, "/theirs", 500);
    expect(await ask(port, "/theirs")).toBe("ws /theirs");
  });

  it("a path that nobody answers gets 404 after the handshake timeout, and 404 at once when the other is gone", async () => {
    const { server, port } = await listen();
    const other = (): void => {};
    server.on("upgrade", other);
    attachRouter(server, "/ours", 1_500);
    const started = performance.now();
    expect((await knock(port, handshakeText("/nobodys"))).status).toBe(404);
    expect(performance.now() - started).toBeGreaterThan(1_450);
    server.off("upgrade", other);
    const again = performance.now();
    expect((await knock(port, handshakeText("/nobodys"))).status).toBe(404);
    expect(performance.now() - again).toBeLessThan(1_400);
  });

  it("a client that resets while nobody answers harms nobody", async () => {
    const { server, port } = await listen();
    server.on("upgrade", () => {});
    attachRouter(server, "/ours");
    const socket = await open(port);
    socket.write(handshakeText("/nobodys"));
    await once(server, "upgrade");
    socket.resetAndDestroy();
    expect(await ask(port, "/ours")).toBe("/ours");
  });
});

describe("two routers on one server", () => {
  it("each have their own paths, and what is neither's is refused once, at once", async () => {
    const { server, port } = await listen();
    const first = attachRouter(server, "/first");
    attachRouter(server, "/second");
    expect(await Promise.all([ask(port, "/first"), ask(port, "/second")])).toEqual(["/first", "/second"]);
    const answer = await knock(port, handshakeText("/nobodys"));
    expect(answer).toMatchObject({ status: 404, body: "There is nothing here.\n" });
    await first.close();
    expect(await ask(port, "/second")).toBe("/second");
    expect((await knock(port, handshakeText("/first"))).status).toBe(404);
  });
});

describe("an upgrade that fails in a way nobody foresaw", () => {
  it("is printed where there is no logger", async () => {
    const { server } = await listen();
    attachRouter(server, "/ours");
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    cleanups.push(() => print.mockRestore());
    const broken = new Duplex({
      read() {},
      write() {
        throw new Error("a broken socket");
      },
    });
    const request = {
      method: "GET",
      url: "/ours",
      httpVersion: "1.1",
      headers: {},
      rawHeaders: headersOf(handshakeText("/ours")),
      socket: broken,
    };
    server.emit("upgrade", request, broken, Buffer.alloc(0));
    await vi.waitFor(() => expect(print).toHaveBeenCalledOnce());
    expect(print.mock.calls[0]?.[0]).toBe("An upgrade failed.");
    expect(print.mock.calls[0]?.[1]).toMatchObject({ err: { message: "a broken socket" } });
    expect(broken.destroyed).toBe(true);
  });
});

function headersOf(text: string): string[] {
  const lines = text.split("\r\n").slice(1);
  return lines.flatMap((line) => (line === "" ? [] : [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
}
