// One WebSocket connection: as a handler sees it, and as the layers above use it. socket-connection.ts is what stands behind it.

import type { Duplex } from "node:stream";
import type { PeerCertificate } from "node:tls";
import type { CloseCodes } from "./close-meaning.ts";
import type { ExtensionStack } from "./extension.ts";
import type { Awaitable, CloseOutcome, Sent } from "./outcome.ts";
import type { InboundRate } from "./rate.ts";

export type { CloseCodes } from "./close-meaning.ts";
export { assertLimits, defaultLimits } from "./limits.ts";
export { openConnection } from "./open.ts";
export type { Awaitable, CloseOutcome, Sent } from "./outcome.ts";

/** One data message. */
export type Message = { readonly type: "text"; readonly data: string } | { readonly type: "binary"; readonly data: Uint8Array };

/** One data frame, or what of a message had come when it was asked for. */
export interface Frame {
  /** Of the message it belongs to. */
  readonly type: "text" | "binary";
  /** Bytes also of text, since a frame may end inside a character. Text has been checked to be UTF-8 as far as it has come. */
  readonly data: Uint8Array;
  /** Whether it ends its message. */
  readonly fin: boolean;
}

/** A message that is read while it comes. */
export interface StreamedMessage {
  readonly type: "text" | "binary";
  /**
   * Its bytes, as they come; nothing is read ahead but the inbox. Once only. Errors with ConnectionClosedError when the connection closes
   * before the message has ended, and with WsgenError when the next message is asked for before.
   */
  stream(): ReadableStream<Uint8Array>;
}

/**
 * A message that is sent in parts. What others send meanwhile goes out behind it, and is lost where it never ends: who waits for it hears so then.
 * Who awaits a send that makes `highWaterMark` bytes wait there waits for its end, and must not be who ends it. It must be ended with `close()`: leaving the block of
 * `await using` without it, as an error does, closes the connection with 1011, so that a message cut off is never taken for whole.
 */
export interface OutgoingMessage<Part extends string | Uint8Array> extends AsyncDisposable {
  /**
   * Sends a part when there is room for it, and settles then. One at a time: await it. Rejects with ConnectionClosedError when the
   * connection closes first.
   */
  write(part: Part): Promise<void>;
  /** Ends the message. */
  close(): Promise<void>;
  /** Gives the message up: the connection closes with 1011, unless nothing was written. */
  abort(): void;
}

export type { InboundRate } from "./rate.ts";

/** What becomes of messages that a peer reads too slowly and whose senders do not wait. */
export type Overflow = "close" | "drop-oldest" | "drop-newest" | "conflate";

/** What may become of one message where the peer is slow, whatever `limits.overflow` says. */
export interface SendOptions {
  /** Dropped when the peer has not taken yet what was sent before: for what is worth nothing later. Default: false. */
  readonly volatile?: boolean;
  /**
   * A key. While the message waits for the peer, a newer one with the same key replaces it, so that the last value always arrives. With
   * `limits.overflow: "conflate"` this is every message's way, and all without a key have one in common. Default: none.
   */
  readonly conflate?: string;
}

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
  /**
   * The client's TLS certificate, where the server asked for one (`requestCert`) and its chain leads to a `ca` of the server's. Only as long as the
   * handshake lasts; `undefined` on an open connection.
   */
  readonly certificate: PeerCertificate | undefined;
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

/** What of its limits a connection may change while it is open, for example once the peer has logged in. */
export interface ConnectionLimits {
  /** Largest message, in bytes, from now on; a reader with a `maxSize` of its own keeps that. Throws WsgenError unless it is a whole number. */
  maxMessageSize: number;
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
  readonly limits: ConnectionLimits;
  /** Sends a text (string) or binary message, or one as `messages()` gives it. On a closed connection: a rejected promise, marked handled. */
  send(message: string | Uint8Array | Message, options?: SendOptions): Sent;
  /** Begins a message that is sent in parts, one at a time on a connection. Ends with `close()`, see {@link OutgoingMessage}. */
  message(type: "text"): OutgoingMessage<string>;
  message(type: "binary"): OutgoingMessage<Uint8Array>;
  /** Messages to this peer that were dropped because it is slow: by `limits.overflow`, or as their {@link SendOptions} said. */
  readonly dropped: number;
  /**
   * Settles when the kernel has taken everything sent so far, but for what queues behind a message in parts, or for a slow peer where
   * `limits.overflow` may drop it; rejects with ConnectionClosedError when the connection closes
   * first.
   */
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
   * `maxSize` in bytes replaces the route's limit while this reader reads; a larger message closes 1009, seen from a frame's header.
   * With `stream`, messages are given when they begin, and read with `stream()`: what one leaves unread is skipped. Raise `maxSize` for
   * them; their single frames may still be no larger than `limits.maxFrameSize`, or else the route's `maxMessageSize`. Messages that are
   * compressed arrive whole, within `maxMessageSize`.
   */
  messages(options?: { readonly maxSize?: number; readonly stream?: false }): AsyncIterable<Message>;
  messages(options: { readonly maxSize?: number; readonly stream: true }): AsyncIterable<StreamedMessage>;
  /** Every data frame as it comes, before its message has ended (RFC 6455 section 5.4). Otherwise as `messages`, whose place it takes. */
  frames(options?: { readonly maxSize?: number }): AsyncIterable<Frame>;
}

// ---- The joint between upgrade/, contract/ and this folder --------------------------------------------------------

/**
 * What a route does with its messages (push). A contract's handlers are a sink; `conn.messages()` is another.
 * `message` is called for one message at a time, in order; the next one waits until what it returned settles, and also while this
 * connection's own outbound is over the high-water mark. What it throws or rejects with goes to the route's error policy (1011).
 */
export interface Sink {
  /** Text as a string, binary as bytes. */
  message(data: string | Buffer): Awaitable<void>;
  /**
   * While it returns true for `peeking`, messages that arrive are shown to `peek` ahead of the inbox; it returns true for those it
   * took (replies to our own requests), so that a handler may await the peer. Reading then goes on to a second, larger bound.
   */
  readonly peeking?: boolean;
  peek?(data: string | Buffer): boolean;
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
  /** Largest frame, in bytes. Over it: close 1009. Default: false, none but `maxMessageSize`. */
  readonly maxFrameSize: number | false;
  /** The most fragments of a message that is not streamed: 16 384. Over it: close 1008. */
  readonly maxFragments: number;
  /** What the peer may send per second, looked at before anything is parsed. Over it: close 1008. Default: false, anything. */
  readonly inboundRate: InboundRate | false;
  /** Messages of one connection that a sink may be handling at a time, begun in order: 1. Readers take messages as they like. */
  readonly concurrency: number;
  /** Time without a data message in either direction, pings aside, after which the connection is closed with 1001. Default: false, any. */
  readonly idleTimeout: number | false;
  /** Age at which a connection is closed with 1001, ± 10 %, so that those of one moment do not all come back in one. Default: false, any. */
  readonly maxLifetime: number | false;
  /** How long what the peer sent may wait for a handler before it is closed with 1013. Default: false, for ever. */
  readonly maxStall: number | false;
  /** Time between pings, 30 000, and until a pong must have come, 30 000; `false` switches them off. */
  readonly heartbeat: { readonly interval: number; readonly timeout: number } | false;
  /** How long to wait for the peer's close frame before TCP is dropped: 15 000. */
  readonly closeTimeout: number;
  /**
   * Outbound bytes on the socket above which `send` gives a promise: 1 MiB (at least the stream's own mark, 16 or 64 KiB). A turn of
   * the event loop in which something is sent although they are there, and nobody awaits it, as nobody does for rooms, meets `overflow`.
   */
  readonly highWaterMark: number;
  /**
   * `close` (default): with 1013. The others drop messages that have not reached the socket, counted in `dropped`. `drop-oldest`,
   * `drop-newest`: for peers that can do without some. `conflate`: a newer message replaces the one of the same name, or the same key
   * (see {@link SendOptions}), that waits; the last one always arrives. When the last ones alone are too much, 1013 still. What answers a
   * request is never replaced.
   */
  readonly overflow: Overflow;
  /** Larger messages leave in frames of this many bytes: for peers and proxies that bound theirs. Default: false. */
  readonly fragmentSize: number | false;
}

/** How a message may be lost to a peer that is slow. */
export type Manner = "volatile" | "conflated";

/** What the layers above use of a connection beside its public face. */
export interface ConnectionCore<Context = object> extends Connection<Context> {
  /** When it opened, as `performance.now()` has it, in whole ms: those take no memory of their own. */
  readonly openedAt: number;
  /** Data messages that have arrived, and that were given to be sent. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  /**
   * Queues a message, in order with everything else: a text, or the frame of one of either kind, which rooms encode once and push to many. `key` is
   * what it replaces, and is replaced by, where messages are conflated; without one it is not. `manner`: as {@link SendOptions} say.
   */
  push(message: Buffer | string, key?: string, manner?: Manner): Sent;
  /** Closes with any code a close frame may carry, see `closures`; the reason is cut at 123 bytes. Flushes first. */
  shut(code: number, reason: string): Promise<CloseOutcome>;
  /** Installs the sink and starts to deliver what has arrived, in order. Once only. */
  start(sink: Sink): void;
  /** Drops TCP at once, and what has arrived and waits. */
  terminate(): void;
}

/** What holds for all connections of a route on one server, which have one object of it. */
export interface ConnectionTerms {
  readonly logger: Logger;
  /** What log lines say of where it is. */
  readonly route: string;
  /** What its contract calls its own close codes. */
  readonly closeCodes?: CloseCodes | undefined;
  readonly limits: Limits;
}

/** What a connection is made of. */
export interface ConnectionDetails<Context extends object> {
  /** The socket behind the 101 response. Bytes it delivers are changed in place (unmasked). */
  readonly socket: Duplex;
  /** Bytes that came right behind the handshake. */
  readonly head: Uint8Array;
  readonly context: Context;
  readonly handshake: UpgradeRequest;
  readonly protocol: string;
  readonly terms: ConnectionTerms;
  /** What the handshake agreed on, if anything. */
  readonly extensions?: ExtensionStack | undefined;
}

/** See `openConnection`. */
export type OpenConnection = <Context extends object>(details: ConnectionDetails<Context>) => ConnectionCore<Context>;
