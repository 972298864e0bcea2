// A plain `ws` server that knows nothing of wsgen, and the contract that describes it.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type {
  ClientConnection,
  ConnectOptions,
  Given,
  Opening,
  Optional,
  RequestOptions,
  Sent,
  Unsubscribe,
} from "../../../runtime/src/client/index.ts";
import type { Contract } from "../../../runtime/src/contract/contract.ts";
import { guardOf, tagged } from "../contract/guards.ts";

const string = { type: "string" };
const integer = { type: "integer" };

export interface Post {
  type: "post";
  text: string;
}
export interface Page {
  type: "page";
  requestId: string;
  items: string[];
}
export interface Confirm {
  type: "confirm";
  id: number;
}
export interface Confirmation {
  type: "confirmation";
  id: number;
  ok: boolean;
}
export type RoomEvent =
  | { readonly name: "post"; readonly payload: Post }
  | { readonly name: "problem"; readonly payload: { type: "problem"; code: string } }
  | { readonly name: "confirm"; readonly payload: Confirm }
  | { readonly name: "audio"; readonly payload: Uint8Array };
export interface RoomClient extends ClientConnection<RoomEvent> {
  readonly send: { post(payload: Optional<Post, "type">): Sent; audio(payload: Uint8Array): Sent };
  readonly request: { history(payload: { before?: string }, options?: RequestOptions): Promise<Page> };
  readonly on: {
    post(listener: (payload: Post) => void): Unsubscribe;
    problem(listener: (payload: { code: string }) => void): Unsubscribe;
    audio(listener: (payload: Uint8Array) => void): Unsubscribe;
  };
  readonly answer: {
    confirm(
      answerer: (payload: Confirm) => Optional<Confirmation, "type" | "id"> | Promise<Optional<Confirmation, "type" | "id">>,
    ): Unsubscribe;
  };
}
export interface VendorClient {
  room(
    params: { room: string },
    options?: ConnectOptions & { readonly query?: Given<{ name?: string; limit?: number; tags?: string[] }> },
  ): Opening<RoomClient>;
  feed(options?: ConnectOptions): Opening<ClientConnection<{ readonly name: "line"; readonly payload: string }>>;
}

export const contract = {
  version: 1,
  generator: "0.0.0",
  title: "Vendor",
  endpoints: {
    room: {
      address: "/rooms/{room}",
      parameters: { guard: guardOf({ type: "object", properties: { room: { type: "string", maxLength: 10 } }, required: ["room"] }) },
      query: {
        guard: guardOf({
          type: "object",
          properties: { name: string, limit: integer, tags: { type: "array", items: string } },
          additionalProperties: false,
        }),
      },
      receives: {
        dispatch: {
          binary: "audio",
          json: {
            path: ["type"],
            cases: [
              ["post", "post"],
              ["problem", "problem"],
              ["confirm", "confirm"],
            ],
          },
        },
        messages: {
          post: { format: "json", guard: tagged("post", { text: string }) },
          problem: { format: "json", guard: tagged("problem", { code: string, requestId: string }, ["requestId"]) },
          page: { format: "json", guard: tagged("page", { requestId: string, items: { type: "array" } }) },
          confirm: {
            format: "json",
            guard: tagged("confirm", { id: integer }),
            reply: { messages: ["confirmation"], request: ["id"], reply: ["id"], id: "integer" },
          },
          audio: { format: "binary" },
        },
      },
      sends: {
        post: { format: "json", guard: tagged("post", { text: { type: "string", minLength: 1 } }), constants: { type: "post" } },
        history: {
          format: "json",
          guard: tagged("history", { requestId: string, before: string }, ["before"]),
          constants: { type: "history" },
          reply: { messages: ["page"], request: ["requestId"], reply: ["requestId"], id: "string" },
        },
        confirmation: {
          format: "json",
          guard: tagged("confirmation", { id: integer, ok: { type: "boolean" } }),
          constants: { type: "confirmation" },
        },
        audio: { format: "binary" },
      },
      error: { message: "problem", code: ["code"], correlation: ["requestId"] },
    },
    feed: {
      address: "/feed",
      receives: { dispatch: { text: "line" }, messages: { line: { format: "text", guard: guardOf({ type: "string" }) } } },
      sends: {},
    },
  },
} as const satisfies Contract;

/** One client of the vendor's: what it asked for, what it said, and its socket. */
export interface Peer {
  readonly socket: WebSocket;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Every message that it sent, text as strings, in order. */
  readonly said: (string | Uint8Array)[];
}

export interface Vendor {
  readonly url: string;
  /** The next client that connects. */
  peer(): Promise<Peer>;
  /** Drops everybody's connection. */
  kill(): void;
  stop(): Promise<void>;
}

/** Starts the server. `greet` runs when a client has connected; the room `closed` is answered with 403, the room `slow` never. */
export async function startVendor(greet: (peer: Peer) => void = () => {}): Promise<Vendor> {
  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered].at(-1) ?? false });
  const arrived: Peer[] = [];
  const unanswered: Duplex[] = [];
  const waiting: ((peer: Peer) => void)[] = [];

  server.on("upgrade", (request, socket, head) => {
    if (request.url?.startsWith("/rooms/closed")) {
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\nMembers only");
      return;
    }
    if (request.url?.startsWith("/rooms/slow")) {
      unanswered.push(socket);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const peer: Peer = { socket: ws, url: request.url ?? "", headers: request.headers, said: [] };
      ws.on("message", (data: Buffer, binary) => void peer.said.push(binary ? new Uint8Array(data) : data.toString()));
      const next = waiting.shift();
      if (next === undefined) arrived.push(peer);
      else next(peer);
      greet(peer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const kill = (): void => {
    for (const client of sockets.clients) client.terminate();
  };
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    peer() {
      const peer = arrived.shift();
      return peer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(peer);
    },
    kill,
    async stop() {
      kill();
      for (const socket of unanswered) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits until something holds, at most two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 2_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error("It did not come to hold within 2 s.");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
