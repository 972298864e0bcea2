// One server and its clients for a test, over TCP or over a pair of streams in memory: what the suites of this folder run on twice.

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Attachment, type AttachOptions, attach, type Router } from "@wsgen/runtime";
import { onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { createDuplexPair } from "../../../runtime/src/testing/duplex-pair.ts";
import { RawClient } from "../raw-client.ts";
import { handshakeText, knockOn, parseAnswer, type RawAnswer } from "../upgrade/raw-client.ts";

export const carriers = [
  ["over TCP", true],
  ["in memory", false],
] as const;

export interface Place {
  readonly sockets: Attachment;
  readonly url: string;
  /** A connection on which nothing was said. */
  reach(): Promise<Socket>;
  /** Sends bytes and reads until the server closes, or until the head of a 101. */
  knock(bytes: string | Uint8Array): Promise<RawAnswer>;
  /** Raw frames behind a handshake. `behind`: bytes in the same packet. */
  raw(path?: string, headers?: Readonly<Record<string, string>>, behind?: Uint8Array): Promise<RawClient>;
  /** The client of ws, connected. */
  dial(path?: string, protocols?: readonly string[], options?: ClientOptions): Promise<Client>;
  /** The class behind `dial`, for clients that make their own. */
  readonly WebSocket: new (
    address: string | URL,
    protocols?: string | string[],
    options?: ClientOptions,
  ) => WebSocket;
}

export interface Client {
  readonly socket: WebSocket;
  /** Headers of the 101. */
  readonly headers: Headers;
  /** What came and was not asked for. */
  readonly messages: (string | Buffer)[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  next(): Promise<string | Buffer>;
}

/** Runs a router until the test is over. */
export async function open(
  tcp: boolean,
  router: Router,
  options: AttachOptions & { readonly http?: RequestListener } = {},
): Promise<Place> {
  const server = createServer();
  if (options.http !== undefined) server.on("request", options.http);
  const sockets = attach(router, server, { drain: { timeout: 500 }, ...options });
  if (tcp) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const begun: Duplex[] = [];
  onTestFinished(async () => {
    for (const socket of begun) socket.destroy();
    await sockets.close();
    server.closeAllConnections();
    server.close();
  });
  const port = tcp ? (server.address() as AddressInfo).port : 80;
  const link = (): Socket => {
    if (tcp) return connect({ port, host: "127.0.0.1", noDelay: true });
    const [client, inside] = createDuplexPair();
    server.emit("connection", inside);
    return client as Socket; // Of a Duplex the clients use what every Duplex has.
  };
  const reach = async (): Promise<Socket> => {
    const socket = link();
    begun.push(socket);
    socket.on("error", () => {});
    if (tcp) await once(socket, "connect");
    return socket;
  };
  class LinkedWebSocket extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[], more?: ClientOptions) {
      super(address, protocols, { ...more, createConnection: link as NonNullable<ClientOptions["createConnection"]> });
    }
  }
  const url = `ws://127.0.0.1:${port}`;
  return {
    sockets,
    url,
    reach,
    WebSocket: LinkedWebSocket,
    knock: async (bytes) => knockOn(await reach(), bytes),
    async raw(path = "/", headers = {}, behind = Buffer.alloc(0)) {
      const socket = await reach();
      socket.write(Buffer.concat([Buffer.from(handshakeText(path, headers)), behind]));
      let bytes = Buffer.alloc(0);
      while (!bytes.includes("\r\n\r\n")) bytes = Buffer.concat([bytes, ((await once(socket, "data")) as [Buffer])[0]]);
      socket.removeAllListeners("data");
      const end = bytes.indexOf("\r\n\r\n") + 4;
      if (parseAnswer(bytes.toString("latin1")).status !== 101) throw new Error(bytes.toString());
      return new RawClient(socket, bytes.subarray(end));
    },
    async dial(path = "/", protocols = [], more = {}) {
      const socket = new LinkedWebSocket(url + path, [...protocols], more);
      onTestFinished(() => socket.terminate());
      return clientOf(socket);
    },
  };
}

async function clientOf(socket: WebSocket): Promise<Client> {
  const messages: (string | Buffer)[] = [];
  let wake = (): void => {};
  socket.on("message", (data: Buffer, binary) => {
    messages.push(binary ? data : data.toString());
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  let headers = new Headers();
  socket.on("upgrade", (response) => {
    headers = new Headers(response.headers as Record<string, string>);
  });
  await once(socket, "open");
  return {
    socket,
    headers,
    messages,
    closed,
    async next() {
      while (messages.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return messages.shift() ?? "";
    },
  };
}
