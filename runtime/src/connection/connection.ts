// One WebSocket connection: as a handler sees it, and as the layers above use it. socket-connection.ts is what stands behind it.

import type { Duplex } from "node:stream";
import type { Awaitable, CloseOutcome, Sent } from "./outcome.ts";

export { defaultLimits, openConnection } from "./open.ts";
export type { Awaitable, CloseOutcome, Sent } from "./outcome.ts";

/** One data message. */
export type Message = { readonly type: "text"; readonly data: string } | { readonly type: "binary"; readonly data: Uint8Array };

/** The upgrade request, as middleware and handlers see it. */
export interface UpgradeRequest {
  readonly method: string;
  /** Path and query as sent, for example `/rooms/lobby?username=ada`. */
  readonly target: string;
  /** Decoded path without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** Subprotocols the client offers, in its order. */
  readonly protocols: readonly string[];
  /** Path parameters of the matched route, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Aborts when the client goes away during the handshake, or the handshake deadline passes. */
  readonly signal: AbortSignal;
}

/** A pino-shaped logger. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A connection of a hand-written route; a contract's connections add typed `send`, `params` and `query` (see contract/). */
export interface Connection<Context = object> {
  readonly id: string;
  readonly context: Context;
  readonly handshake: UpgradeRequest;
  readonly params: Readonly<Record<string, string>>;
  /** The negotiated subprotocol, "" when there is none. */
  readonly protocol: string;
  /** Aborts, with a ConnectionClosedError, as soon as the connection begins to close, for whatever reason. */
  readonly signal: AbortSignal;
  /** Settles, never rejects, once the connection is closed. */
  readonly closed: Promise<CloseOutcome>;
  readonly log: Logger;
  /** Sends a text (string) or binary message. On a closed connection: a rejected promise, marked handled. */
  send(data: string | Uint8Array): Sent;
  /** Settles when the kernel has taken everything sent so far; rejects with ConnectionClosedError when the connection closes first. */
  flushed(): Promise<void>;
  /** Sends a ping of up to 125 bytes and gives the round-trip time in ms; rejects with ConnectionClosedError when the connection closes first. */
  ping(data?: Uint8Array): Promise<number>;
  /**
   * Closes behind everything sent so far; later calls change nothing. Code 1000 (default) or 3000–4999, reason up to 123 bytes of
   * UTF-8, else a WsgenError is thrown. Settles, like `closed`, once the connection is closed.
   */
  close(code?: number, reason?: string): Promise<CloseOutcome>;
  /**
   * Every message in order; ends when the connection closes. One reader at a time: another may follow once a loop was left.
   * `maxSize` in bytes replaces the route's limit while this reader reads; a larger message closes 1009.
   */
  messages(options?: { readonly maxSize?: number }): AsyncIterable<Message>;
}

// ---- The joint between upgrade/, contract/ and this folder --------------------------------------------------------

/**
 * What a route does with its messages (push). A contract's handlers are a sink; `conn.messages()` is another.
 * `message` is called for one message at a time, in order; the next one waits until what it returned settles, and also while this
 * connection's own outbound is over the high-water mark. What it throws or rejects with goes to the route's error policy (1011).
 */
export interface Sink {
  message(data: Buffer, binary: boolean): Awaitable<void>;
  /**
   * While it returns true for `peeking`, messages that arrive are shown to `peek` ahead of the inbox; it returns true for those it
   * took (replies to our own requests), so that a handler may await the peer. Reading then goes on to a second, larger bound.
   */
  readonly peeking?: boolean;
  peek?(data: Buffer, binary: boolean): boolean;
  /**
   * Called once, when the connection is closed and everything that had arrived before the peer's close frame has been given to
   * `message` (at most the close timeout later). The last `message` may still be running: what it waits for listens to `signal`, which
   * aborts when closing begins.
   */
  closed?(outcome: CloseOutcome): void;
}

/** Limits of a connection; the defaults are DESIGN section 4. Times in ms, sizes in bytes. */
export interface Limits {
  /** Largest message, in bytes: 1 MiB. Over it: close 1009. */
  readonly maxMessageSize: number;
  /** Time between pings, 30 000, and until a pong must have come, 30 000; `false` switches them off. */
  readonly heartbeat: { readonly interval: number; readonly timeout: number } | false;
  /** How long to wait for the peer's close frame before TCP is dropped: 15 000. */
  readonly closeTimeout: number;
  /**
   * Outbound bytes on the socket above which `send` gives a promise: 1 MiB (at least the stream's own mark, 16 or 64 KiB). What is sent
   * above it without waiting is written up to as much again, then the connection is closed with 1013.
   */
  readonly highWaterMark: number;
}

/** What the layers above use of a connection beside its public face. */
export interface ConnectionCore<Context = object> extends Connection<Context> {
  /** Queues one encoded frame, in order with everything else: rooms and contracts frame once and push to many. */
  push(frame: Buffer): Sent;
  /** Closes with any code a close frame may carry, see `closures`; the reason is cut at 123 bytes. Flushes first. */
  shut(code: number, reason: string): Promise<CloseOutcome>;
  /** Installs the sink and starts to deliver what has arrived, in order. Once only. */
  start(sink: Sink): void;
  /** Drops TCP at once, and what has arrived and waits. */
  terminate(): void;
}

/** What a connection is made of. */
export interface ConnectionDetails<Context extends object> {
  /** The socket behind the 101 response. Bytes it delivers are changed in place (unmasked). */
  readonly socket: Duplex;
  /** Bytes that came right behind the handshake. */
  readonly head: Uint8Array;
  readonly id: string;
  readonly context: Context;
  readonly handshake: UpgradeRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly protocol: string;
  readonly log: Logger;
  readonly limits: Limits;
}

/** See `openConnection`. */
export type OpenConnection = <Context extends object>(details: ConnectionDetails<Context>) => ConnectionCore<Context>;
