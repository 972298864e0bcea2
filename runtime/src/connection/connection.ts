// One WebSocket connection as a handler sees it. (Interface first: the implementation lives in this folder.)

/**
 * `undefined` when the message was taken below the limits (64 KiB this turn, 1 MiB on the socket), else a promise that settles when
 * there is room again and rejects with ConnectionClosedError when the connection closes first. Await it for back pressure; not awaiting it is safe.
 */
export type Sent = undefined | Promise<void>;

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** How a connection ended (RFC 6455 section 7.1.5). `wasClean`: both close frames were seen. 1006: TCP was lost. */
export interface CloseOutcome {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** One data message. */
export type Message =
  | { readonly type: "text"; readonly data: string }
  | { readonly type: "binary"; readonly data: Uint8Array };

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
  /** Aborts when the connection closes, for whatever reason. */
  readonly signal: AbortSignal;
  /** Settles, never rejects, once the connection is closed. */
  readonly closed: Promise<CloseOutcome>;
  readonly log: Logger;
  send(data: string | Uint8Array): Sent;
  /** Settles when the kernel has taken everything sent so far. */
  flushed(): Promise<void>;
  /** Sends a ping and gives the round-trip time in ms. */
  ping(data?: Uint8Array): Promise<number>;
  /** Closes; later calls change nothing. 1000 or 3000–4999, reason up to 123 bytes. */
  close(code?: number, reason?: string): Promise<CloseOutcome>;
  /** Every message in order. One reader only. */
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
  /** Called once, when the connection is closed. */
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
  /** Outbound bytes on the socket above which `send` gives a promise and un-awaited sends meet the policy: 1 MiB. */
  readonly highWaterMark: number;
}

/** What the layers above use of a connection beside its public face. */
export interface ConnectionCore<Context = object> extends Connection<Context> {
  /** Queues one encoded frame, in order with everything else: rooms and contracts frame once and push to many. */
  push(frame: Buffer): Sent;
  /** Closes with any code the wire contract allows the server to send (1001–1013 included); flushes first. */
  shut(code: number, reason: string): Promise<CloseOutcome>;
  /** Installs the sink and starts to deliver; bytes that came with the handshake first. Once only. */
  start(sink: Sink): void;
  /** Drops TCP at once. */
  terminate(): void;
}

/** Opens a connection on an upgraded socket; nothing is read before `start` or `messages()`. */
export interface OpenConnection {
  <Context extends object>(details: {
    readonly socket: import("node:stream").Duplex;
    /** Bytes that came right behind the handshake. */
    readonly head: Uint8Array;
    readonly id: string;
    readonly context: Context;
    readonly handshake: UpgradeRequest;
    readonly params: Readonly<Record<string, string>>;
    readonly protocol: string;
    readonly log: Logger;
    readonly limits: Limits;
  }): ConnectionCore<Context>;
}
// export const openConnection: OpenConnection = …;   writer.ts: export function encodeFrame(opcode: number, payload: string | Uint8Array): Buffer
