// A server with extensions for a test, and peers that speak them: ws's client, and raw frames behind a handshake.

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { type Connection, createRouter, type RouterOptions } from "../../../runtime/src/index.ts";
import { type RunningServer, serve } from "../../../runtime/src/upgrade/server.ts";
import { RawClient, rawFrame } from "../raw-client.ts";
import { handshakeText, open } from "../upgrade/raw-client.ts";

export interface ExtendedServer {
  readonly server: RunningServer;
  /** The connections of "/", oldest first. */
  readonly connections: Connection[];
  /** What went wrong on the server, for its log. */
  readonly errors: unknown[];
}

/** Serves "/" until the test is over: an echo, unless the test has another handler. */
export async function serveExtended(options: RouterOptions, handler: (conn: Connection) => Promise<void> = echo): Promise<ExtendedServer> {
  const connections: Connection[] = [];
  const errors: unknown[] = [];
  const error = (fields: object): void => void errors.push(fields);
  const router = createRouter({ logger: { debug() {}, info() {}, warn() {}, error }, ...options });
  router.ws("/", (conn) => {
    connections.push(conn);
    return handler(conn);
  });
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 100 } });
  onTestFinished(() => server.close());
  return { server, connections, errors };
}

async function echo(conn: Connection): Promise<void> {
  for await (const message of conn.messages()) await conn.send(message.data);
}

/** ws's client. */
export async function connectWs({ server }: ExtendedServer, perMessageDeflate: ClientOptions["perMessageDeflate"]): Promise<WebSocket> {
  const client = new WebSocket(server.url, perMessageDeflate === undefined ? {} : { perMessageDeflate });
  onTestFinished(() => client.terminate());
  await once(client, "open");
  return client;
}

/** Raw frames behind a handshake that offers these extensions. */
export async function connectRaw({ server }: ExtendedServer, offer = "permessage-deflate"): Promise<RawClient> {
  const socket = await open(server.port);
  socket.write(handshakeText("/", { "Sec-WebSocket-Extensions": offer }));
  let text = "";
  while (!text.includes("\r\n\r\n")) text += ((await once(socket, "data")) as [Buffer])[0].toString("latin1");
  socket.removeAllListeners("data");
  const client = new RawClient(socket, Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1"));
  onTestFinished(() => client.destroy());
  return client;
}

/** What a message is on the wire when it is compressed by itself. */
export function deflated(data: string | Uint8Array, options: { readonly windowBits?: number; readonly dictionary?: Buffer } = {}): Buffer {
  return deflateRawSync(data, { ...options, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** What such a message says. */
export function inflated(data: Buffer, options: { readonly windowBits?: number; readonly dictionary?: Buffer } = {}): Buffer {
  return inflateRawSync(Buffer.concat([data, Buffer.from([0, 0, 0xff, 0xff])]), { ...options, finishFlush: constants.Z_SYNC_FLUSH });
}

/** A compressed text message in one frame. */
export function deflatedFrame(text: string): Buffer {
  return rawFrame({ opcode: 1, rsv: 4, payload: deflated(text) });
}

/** JSON of about so many bytes, as APIs send it. */
export function json(bytes: number, seed = 0): string {
  const items: object[] = [];
  for (let size = 0, i = seed; size < bytes; i++) {
    const item = { id: `item-${(i * 7919) % 100_003}`, name: `name ${i}`, price: (i * 13.37).toFixed(2), tags: ["a", `b${i}`] };
    size += JSON.stringify(item).length + 1;
    items.push(item);
  }
  return JSON.stringify({ type: "list", items });
}
