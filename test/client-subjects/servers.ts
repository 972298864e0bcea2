// Two servers of the chat's document: ours, and one written by hand on `ws` that knows nothing of wsgen. Both do what they are told: `restart` closes
// with 1012, `say …` sends that text as it is (by hand only); a history before `silence` has no answer, one before `close 4000` ends with that code, one before
// `drop` loses the connection.
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { createRouter, serve } from "@wsgen/runtime";
import { type WebSocket, WebSocketServer } from "ws";
import { registerChat } from "../../generated/chat/server.js";

export interface ChatServer {
  readonly url: string;
  stop(): Promise<void>;
}

interface Post {
  readonly id: string;
  readonly by: string;
  readonly text: string;
  readonly at: string;
}
const postOf = (by: string, text: string): Post => ({ id: "1", by, text, at: "2026-01-01T00:00:00Z" });
const pageOf = (limit = 1): Post[] => Array.from({ length: limit }, () => postOf("Ada", "before"));

export async function startOurs(): Promise<ChatServer> {
  const router = createRouter({ insecureAllowAnyOrigin: true });
  router.use(async (request, next) => (request.path === "/rooms/closed" ? new Response("Members only", { status: 403 }) : next()));
  let network: Network;
  registerChat(router, {
    room: {
      async open(conn) {
        conn.join(conn.params.roomId);
        await conn.to(conn.params.roomId).send.memberJoined({ name: conn.query.username });
      },
      messages: {
        postMessage({ text }, conn) {
          if (text === "restart") void restart();
          else conn.to(conn.params.roomId).send.messagePosted({ post: postOf(conn.query.username, text) });
        },
        async history({ before, limit }, conn) {
          if (before === "drop") network.drop();
          if (before?.startsWith("close ") === true) void conn.close(Number(before.slice("close ".length)), "as asked");
          if (before === undefined) return { posts: pageOf(limit) };
          conn.signal.throwIfAborted();
          return new Promise<never>((_, reject) => conn.signal.addEventListener("abort", () => reject(conn.signal.reason)));
        },
      },
    },
  });
  let server = await serve(router, { port: 0, host: "127.0.0.1", signals: [], drain: { timeout: 1_000 } });
  const { port } = server;
  async function restart(): Promise<void> {
    await server.close();
    server = await serve(router, { port, host: "127.0.0.1", signals: [], drain: { timeout: 1_000 } });
  }
  network = await startNetwork(port);
  return {
    url: network.url,
    async stop() {
      await network.stop();
      await server.close();
    },
  };
}

export async function startByHand(): Promise<ChatServer> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const rooms = new Map<string, Set<WebSocket>>();
  let network: Network;
  http.on("upgrade", (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    if (pathname === "/rooms/closed") {
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\nMembers only");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      const members = rooms.get(pathname) ?? new Set();
      rooms.set(pathname, members.add(peer));
      const by = searchParams.get("username") ?? "";
      const tell = (payload: object): void => members.forEach((member) => void member.send(JSON.stringify(payload)));
      peer.on("close", () => members.delete(peer));
      peer.on("error", () => {});
      peer.on("message", (data: Buffer) => {
        const message = JSON.parse(String(data)) as { type: string; text?: string; requestId?: string; before?: string; limit?: number };
        const { type, text = "", requestId, before, limit } = message;
        if (type === "history" && before === "drop") network.drop();
        else if (type === "history" && before === undefined)
          peer.send(JSON.stringify({ type: "historyPage", requestId, posts: pageOf(limit) }));
        else if (text === "restart") peer.close(1012);
        else if (before?.startsWith("close ") === true) peer.close(Number(before.slice("close ".length)), "as asked");
        else if (text.startsWith("say ")) peer.send(text.slice("say ".length));
        else if (type === "postMessage") tell({ type: "messagePosted", post: postOf(by, text) });
      });
      tell({ type: "memberJoined", name: by });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  network = await startNetwork((http.address() as AddressInfo).port);
  return {
    url: network.url,
    async stop() {
      await network.stop();
      for (const client of sockets.clients) client.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

interface Network {
  readonly url: string;
  /** Loses every connection, without a word. */
  drop(): void;
  stop(): Promise<void>;
}

/** What lies between a client and its server. */
async function startNetwork(port: number): Promise<Network> {
  const open = new Set<Socket>();
  const network = createTcpServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => network.listen(0, "127.0.0.1", resolve));
  const drop = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `ws://127.0.0.1:${(network.address() as AddressInfo).port}`,
    drop,
    async stop() {
      drop();
      await new Promise((resolve) => network.close(resolve));
    },
  };
}
