// The standard WebSocket as far as the client needs it, and what a platform must offer to open one.
import type { CloseOutcome } from "../connection/outcome.ts";

/** What the client uses of a `WebSocket`. Those of browsers, Node >= 22, Deno and Bun have it, that of `ws`, and that of `testServer`. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  /** Bytes that were sent and have not left yet. */
  readonly bufferedAmount: number;
  readonly protocol: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "error", listener: (event: object) => void): void;
  addEventListener(type: "close", listener: (event: CloseOutcome) => void): void;
}

/** A constructor with the standard's two arguments; what only Node can do is in a third one, as that of `ws` takes it. */
export interface WebSocketConstructor {
  new (url: string, protocols: string[], options?: SocketOptions): WebSocketLike;
}

/** The third argument of `ws`'s constructor: headers, and what {@link NodeOptions} say. */
export interface SocketOptions {
  readonly headers?: Record<string, string>;
  readonly [option: string]: unknown;
}

/** What only Node can do. Browsers, Deno and Bun refuse these options. */
export interface NodeOptions {
  /** An `http.Agent` for the connections: that of a proxy, for example (`https-proxy-agent`, `socks-proxy-agent`). */
  readonly agent?: object | undefined;
  /** Options of the TLS connection of a wss address: `ca`, `cert` and `key`, `servername`, … (`tls.connect`). */
  readonly tls?: object | undefined;
  /** The largest message that is taken, in bytes; a larger one closes the connection. Default: 16 MiB. */
  readonly maxMessageSize?: number | undefined;
}

/** What a connection attempt starts with. */
export interface Attempt {
  readonly socket: WebSocketLike;
  /** How the server refused the handshake, or which rule of the protocol it broke, where the platform shows it; or why there was no login. */
  verdict?(): unknown;
}

/** How a platform opens a socket; `headers` is empty when there are none to send. */
export type OpenSocket = (
  url: string,
  protocols: string[],
  headers: Record<string, string>,
  options: NodeOptions & { readonly WebSocket?: WebSocketConstructor | undefined },
) => Attempt | Promise<Attempt>;
