// Tests without a port, on the code path of production: the same HTTP server, the same handshake, the same frames.
import type { EventEmitter } from "node:events";
import { createServer, type Server } from "node:http";
import { type ClientOptions, WebSocket as WsWebSocket } from "ws";
import { type ClientConnection, type ConnectOptions, connectThrough } from "../client/connect.ts";
import type { WebSocketLike } from "../client/socket.ts";
import type { Metrics } from "../upgrade/events.ts";
import type { Router } from "../upgrade/router.ts";
import { type Attachment, type AttachOptions, attach, serve } from "../upgrade/server.ts";
import { createDuplexPair } from "./duplex-pair.ts";

/** Where in-memory servers seem to be. */
const ADDRESS = "ws://wsgen.test";

/** Options of {@link testServer}. */
export interface TestServerOptions extends AttachOptions {
  /** Listen on a free port of 127.0.0.1 instead. Default: false. */
  readonly tcp?: boolean;
}

/** The WebSocket of the package `ws`: the standard's, events as Node has them, and what no browser offers. */
export interface TestWebSocket extends WebSocketLike, EventEmitter {
  send(data: string | Uint8Array): void;
  ping(data?: Uint8Array): void;
  /** Reads nothing until `resume`, so that back pressure builds up. */
  pause(): void;
  resume(): void;
  /** Drops the connection without a word. */
  terminate(): void;
}

/** A server that exists for a test. */
export interface TestServer extends AsyncDisposable {
  /** What to connect to, together with `WebSocket`. Without TCP no other client can reach it. */
  readonly url: string;
  /** A WebSocket class whose connections lead to this server. */
  readonly WebSocket: new (
    address: string | URL,
    protocols?: string | string[],
    options?: { readonly headers?: Record<string, string> },
  ) => TestWebSocket;
  /** Connects as the low-level client does, to a path such as `/rooms/lobby?key=1`. */
  connect(path: string, options?: ConnectOptions): Promise<ClientConnection>;
  /** Number of open connections. */
  readonly connections: number;
  /** Counters since the beginning. */
  metrics(): Metrics;
  /** Shuts the server down as in production: peers are closed with 1012. Who comes back afterwards is answered 410, so that clients give up. */
  close(): Promise<void>;
}

/** Runs a router for a test: in memory, or on a real port with `{ tcp: true }`. */
export async function testServer(router: Router, { tcp = false, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const http = createServer();
  const running = tcp ? await serve(router, { ...options, host: "127.0.0.1", signals: [] }) : undefined;
  const attachment = running ?? attach(router, http, options);
  let isOver = false;
  const close = async (): Promise<void> => {
    await attachment.close();
    isOver = true;
  };
  class TestSocket extends WsWebSocket {
    constructor(address: string | URL, protocols?: string | string[], options?: ClientOptions) {
      const createConnection = isOver ? () => connectTo(nobody) : () => connectTo(http);
      super(address, protocols, running === undefined || isOver ? { ...options, createConnection } : options);
    }
  }
  return describeServer({ attachment, close, url: running?.url ?? ADDRESS, WebSocket: TestSocket });
}

/** Answers for servers that are over: a client that would try again for ever, and keep the test's process, gives up. */
const nobody = createServer().on("upgrade", (_, socket) =>
  socket.end("HTTP/1.1 410 Gone\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
);

function connectTo(server: Server): ReturnType<NonNullable<ClientOptions["createConnection"]>> {
  const [near, far] = createDuplexPair();
  server.emit("connection", far);
  return near as ReturnType<NonNullable<ClientOptions["createConnection"]>>; // Node's types ask for a Socket; its code takes any Duplex.
}

interface Parts extends Pick<TestServer, "close" | "url" | "WebSocket"> {
  readonly attachment: Attachment;
}

function describeServer({ attachment, close, url, WebSocket }: Parts): TestServer {
  return {
    url,
    WebSocket,
    connect: (path, options = {}) => connectThrough(WebSocket, url + path, options),
    get connections() {
      return attachment.connections;
    },
    metrics: () => attachment.metrics(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
