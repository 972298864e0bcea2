// What a server tells about itself: hooks of its router, channels of node:diagnostics_channel, and counters. Nothing is made that nobody hears.
import { type Channel, channel } from "node:diagnostics_channel";
import type { CloseOutcome, ConnectionCore, Logger } from "../connection/connection.ts";
import { attempt } from "../connection/thenable.ts";

/** A connection is open. */
export interface OpenEvent {
  /** `conn.id`. */
  readonly connection: string;
  /** The path template, for example `/rooms/{roomId}`. */
  readonly route: string;
  /** The decoded path. The query is left out everywhere: it may hold credentials. */
  readonly path: string;
  readonly remoteAddress: string;
  /** The subprotocol, "" for none. */
  readonly protocol: string;
  /** How long the handshake took, in ms. */
  readonly duration: number;
}

/** A connection is closed and its handler has ended. */
export interface CloseEvent extends CloseOutcome {
  readonly connection: string;
  readonly route: string;
  /** How long it was open, in ms. */
  readonly duration: number;
  /** Data messages from and to the client. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Of the latter those that were dropped because the client is slow. */
  readonly dropped: number;
}

/** An upgrade was refused. */
export interface RefusedEvent {
  /** `undefined` when no route was found, or nobody came so far as to look. */
  readonly route: string | undefined;
  /** The path as it was sent, cut at 256 characters. */
  readonly path: string;
  readonly remoteAddress: string;
  /** The HTTP status. */
  readonly status: number;
}

/** A message arrived that the contract does not allow. */
export interface InvalidEvent {
  readonly connection: string;
  readonly route: string;
  /** The message's name in the contract; `undefined` when it could not be told. */
  readonly message: string | undefined;
  /** JSON Pointer (RFC 6901) to the offending value. */
  readonly pointer: string;
  /** One sentence on what is wrong. Quotes no more than 40 characters of what the client sent. */
  readonly problem: string;
}

/** Middleware, `upgrade` or a handler threw. */
export interface ErrorEvent {
  /** `undefined` when there is no connection yet. */
  readonly connection: string | undefined;
  readonly route: string;
  readonly error: unknown;
}

/** Every event by its name. The channel of node:diagnostics_channel that carries it is called `wsgen:` and the name. */
export interface Events {
  readonly open: OpenEvent;
  readonly close: CloseEvent;
  readonly refused: RefusedEvent;
  readonly invalid: InvalidEvent;
  readonly error: ErrorEvent;
}

/** Functions that hear of events. What they throw, or reject with, is logged and does no other harm. */
export type Hooks = { readonly [Name in keyof Events]?: (event: Events[Name]) => void };

const channels: { readonly [Name in keyof Events]: Channel } = {
  open: channel("wsgen:open"),
  close: channel("wsgen:close"),
  refused: channel("wsgen:refused"),
  invalid: channel("wsgen:invalid"),
  error: channel("wsgen:error"),
};

/** The counters of a server since it began. */
export interface Metrics {
  /** Connections that are open, or whose handlers still run. */
  readonly connections: number;
  readonly opened: number;
  /** Closed connections by close code. */
  readonly closed: Readonly<Record<number, number>>;
  /** Refused upgrades by HTTP status. */
  readonly refused: Readonly<Record<number, number>>;
  /** Data messages from and to clients, open connections included. */
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Of the latter those that were dropped because their client is slow. */
  readonly dropped: number;
  /** Messages that the contract did not allow. */
  readonly invalid: number;
  /** Errors of middleware, `upgrade` and handlers. */
  readonly errors: number;
}

/** Counts what happens on one server, and tells whoever listens. */
export class Reporter {
  readonly #hooks: Hooks;
  readonly #logger: Logger;
  readonly #closed: Record<number, number> = {};
  readonly #refused: Record<number, number> = {};
  #opened = 0;
  #messagesIn = 0;
  #messagesOut = 0;
  #dropped = 0;
  #invalid = 0;
  #errors = 0;

  constructor(hooks: Hooks, logger: Logger) {
    this.#hooks = hooks;
    this.#logger = logger;
  }

  opened(connection: ConnectionCore, route: string, duration: number): void {
    this.#opened++;
    connection.log.debug({}, "connected");
    this.#tell("open", () => {
      const { path, remoteAddress } = connection.handshake;
      return { connection: connection.id, route, path, remoteAddress, protocol: connection.protocol, duration };
    });
  }

  closed(connection: ConnectionCore, route: string, { code, reason, wasClean, meaning }: CloseOutcome, duration: number): void {
    const { messagesIn, messagesOut, dropped } = connection;
    this.#closed[code] = (this.#closed[code] ?? 0) + 1;
    this.#messagesIn += messagesIn;
    this.#messagesOut += messagesOut;
    this.#dropped += dropped;
    connection.log.debug({ code, reason, duration, messagesIn, messagesOut, dropped }, "disconnected");
    this.#tell("close", () => ({
      connection: connection.id,
      route,
      code,
      reason,
      wasClean,
      meaning,
      duration,
      messagesIn,
      messagesOut,
      dropped,
    }));
  }

  refused(event: RefusedEvent): void {
    this.#refused[event.status] = (this.#refused[event.status] ?? 0) + 1;
    this.#tell("refused", () => event);
  }

  invalid(event: () => InvalidEvent): void {
    this.#invalid++;
    this.#tell("invalid", event);
  }

  failed(event: ErrorEvent): void {
    this.#errors++;
    this.#tell("error", () => event);
  }

  /** The counters as they stand, with those of the connections that are still open. */
  metrics(open: Iterable<ConnectionCore>): Metrics {
    let connections = 0;
    let messagesIn = this.#messagesIn;
    let messagesOut = this.#messagesOut;
    let dropped = this.#dropped;
    for (const connection of open) {
      connections++;
      messagesIn += connection.messagesIn;
      messagesOut += connection.messagesOut;
      dropped += connection.dropped;
    }
    const [opened, invalid, errors] = [this.#opened, this.#invalid, this.#errors];
    const [closed, refused] = [{ ...this.#closed }, { ...this.#refused }];
    return { connections, opened, closed, refused, messagesIn, messagesOut, dropped, invalid, errors };
  }

  #tell<Name extends keyof Events>(name: Name, build: () => Events[Name]): void {
    const hook = this.#hooks[name];
    const heard = channels[name].hasSubscribers;
    if (hook === undefined && !heard) return;
    const event = build();
    if (heard) channels[name].publish(event);
    attempt(
      () => hook?.(event),
      (error) => this.#logger.error({ err: error, hook: name }, "A hook failed."),
    );
  }
}
