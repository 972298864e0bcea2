// A connection as a contract's handlers see it: what it sends is checked, what it was opened with is typed.
import type {
  Awaitable,
  CloseOutcome,
  Connection,
  ConnectionCore,
  ConnectionLimits,
  Logger,
  UpgradeRequest,
} from "../connection/connection.ts";
import type { CallsOf } from "./calls.ts";
import type { Inlet } from "./inlet.ts";
import type { Presence, PresenceOptions } from "./presence.ts";
import type { RequestOptions } from "./requests.ts";
import { type Addressee, OneRecipient, type Recipients, type Rooms, type Sending } from "./rooms.ts";

/**
 * One client of one endpoint. The generated interface adds the types of `params`, `query` and `headers`, and `request` where the server asks
 * something. `CloseName`: what the document calls its close codes. Message names are members of `send` and `request` alone, so that they cannot clash with ours.
 */
export interface ContractConnection<Send = object, Context = object, CloseName extends string = string> extends Sending<Send> {
  /** Unique in this process and beyond. */
  readonly id: string;
  /** What the router's middleware added. */
  readonly context: Context;
  readonly handshake: UpgradeRequest;
  /** Path parameters, as the document types them. */
  readonly params: object;
  /** The query of the upgrade request, as the document types it; empty when the document says nothing about it. */
  readonly query: object;
  /** Headers of the upgrade request that the document names. */
  readonly headers: object;
  /** The subprotocol that was agreed on, "" when none was. */
  readonly protocol: string;
  /** Aborts when the connection closes, for whatever reason. */
  readonly signal: AbortSignal;
  /** Settles, never rejects, once the connection is closed. */
  readonly closed: Promise<CloseOutcome<CloseName>>;
  readonly log: Logger;
  /** What may be changed while the connection is open, for example once the client has logged in. */
  readonly limits: ConnectionLimits;
  /** Messages to this client that were dropped because it is slow: by `limits.overflow`, `volatile` or `conflate`. */
  readonly dropped: number;
  /** Settles when the kernel has taken everything sent so far. */
  flushed(): Promise<void>;
  /** Sends a ping and gives the round-trip time in ms. */
  ping(data?: Uint8Array): Promise<number>;
  /** Closes; later calls change nothing. 1000 or 3000–4999, reason up to 123 bytes of UTF-8. */
  close(code?: number, reason?: string): Promise<CloseOutcome<CloseName>>;
  /**
   * Puts this connection into a room of its endpoint. It leaves when it closes, before the handler's `close`; joining after that does
   * nothing. `as` says who it is, where several connections may be one person; see `presence`.
   */
  join(room: string, options?: { readonly as?: string }): void;
  leave(room: string): void;
  /** Everyone in a room of this endpoint, this connection included; `.except(conn)` leaves it out. */
  to(room: string): Recipients<Send>;
  /** Who is in a room of this endpoint, of those that joined it `as` somebody. */
  presence(room: string, options?: PresenceOptions): Presence;
}

/** Reaches the clients of one endpoint from anywhere. */
export interface EndpointHandle<Send> {
  /** Everyone in a room of this endpoint. */
  to(room: string): Recipients<Send>;
  /** Who is in a room of this endpoint, of those that joined it `as` somebody. */
  presence(room: string, options?: PresenceOptions): Presence;
}

/** What a handler for one endpoint looks like when nothing is known of its document. */
export interface EndpointHandler {
  readonly open?: (conn: ContractConnection) => Awaitable<void>;
  readonly messages?: Readonly<Record<string, (payload: unknown, conn: ContractConnection) => unknown>>;
  readonly close?: (conn: ContractConnection, outcome: CloseOutcome) => Awaitable<void>;
}

/** A message that was read: the generated type is a union told apart by `name`. */
export interface NamedMessage {
  readonly name: string;
  readonly payload: unknown;
}

/** A connection whose messages its handler reads itself. The generated interface adds the types. */
export interface ReadableConnection extends ContractConnection {
  /**
   * Every valid message in order; ends when the connection closes. What the contract does not allow never comes here, it is answered as everywhere,
   * and replies to our requests go to who asked. One reader at a time.
   */
  messages(): AsyncIterable<NamedMessage>;
}

/** The primitive itself as a handler of an endpoint: returning closes with 1000, throwing with 1011. */
export type EndpointPrimitive = (conn: ReadableConnection) => Promise<void>;

/** What the handshake said, checked and typed by the contract. */
export interface HandshakeValues {
  readonly params: object;
  readonly query: object;
  readonly headers: object;
}

/** What the connections of one endpoint share. */
export interface Facilities {
  readonly rooms: Rooms;
  readonly Send: CallsOf<Addressee>;
  readonly Request: CallsOf<Asker>;
}

/** Whoever can ask its client something. */
export interface Asker {
  request(name: string, payload: unknown, options: RequestOptions | undefined): Promise<unknown>;
}

/** What stands behind the face of a connection. */
export interface Party extends Asker {
  readonly core: ConnectionCore;
  readonly endpoint: Facilities;
}

/** Puts a contract's face on a connection. */
export class EndpointConnection implements ContractConnection {
  readonly params: object;
  readonly query: object;
  readonly headers: object;
  readonly #party: Party;
  /** The room it is in, or the rooms; `null` once it is closed. */
  #joined: string | Set<string> | undefined | null;

  constructor(values: HandshakeValues, party: Party) {
    this.#party = party;
    this.params = values.params;
    this.query = values.query;
    this.headers = values.headers;
  }

  /** Made anew each time, which costs less than to keep one for every connection. */
  get send(): object {
    const { core, endpoint } = this.#party;
    return new endpoint.Send(core);
  }

  /** Present in the generated interface where the server asks something. */
  get request(): object {
    return new this.#party.endpoint.Request(this.#party);
  }

  get id(): string {
    return this.#party.core.id;
  }

  get context(): object {
    return this.#party.core.context;
  }

  get handshake(): UpgradeRequest {
    return this.#party.core.handshake;
  }

  get protocol(): string {
    return this.#party.core.protocol;
  }

  get signal(): AbortSignal {
    return this.#party.core.signal;
  }

  get closed(): Promise<CloseOutcome> {
    return this.#party.core.closed;
  }

  get log(): Logger {
    return this.#party.core.log;
  }

  get limits(): ConnectionLimits {
    return this.#party.core.limits;
  }

  get volatile(): Sending<object> {
    return new OneRecipient(this.#party.endpoint.Send, this.#party.core, "volatile", undefined);
  }

  conflate(key?: string): Sending<object> {
    return new OneRecipient(this.#party.endpoint.Send, this.#party.core, "conflated", key);
  }

  get dropped(): number {
    return this.#party.core.dropped;
  }

  flushed(): Promise<void> {
    return this.#party.core.flushed();
  }

  ping(data?: Uint8Array): Promise<number> {
    return this.#party.core.ping(data);
  }

  close(...reason: Parameters<Connection["close"]>): Promise<CloseOutcome> {
    return this.#party.core.close(...reason);
  }

  join(room: string, { as }: { readonly as?: string } = {}): void {
    if (this.#joined === null) return; // A handler that was still at work when its client left.
    if (this.#joined === undefined) this.#joined = room;
    else if (typeof this.#joined === "string") this.#joined = new Set([this.#joined, room]);
    else this.#joined.add(room);
    this.#party.endpoint.rooms.join(room, this.#party.core, as);
  }

  leave(room: string): void {
    if (this.#joined === room) this.#joined = undefined;
    else if (!(this.#joined instanceof Set) || !this.#joined.delete(room)) return;
    this.#party.endpoint.rooms.leave(room, this.#party.core);
  }

  /** The connection is gone. */
  leaveAll(): void {
    const rooms = typeof this.#joined === "string" ? [this.#joined] : (this.#joined ?? []);
    for (const room of rooms) this.#party.endpoint.rooms.leave(room, this.#party.core);
    this.#joined = null;
  }

  to(room: string): Recipients<object> {
    return this.#party.endpoint.rooms.to(room);
  }

  presence(room: string, options?: PresenceOptions): Presence {
    return this.#party.endpoint.rooms.presence(room, options);
  }
}

/** The same with its messages to read. */
export class ReadableEndpointConnection extends EndpointConnection implements ReadableConnection {
  readonly #inlet: Inlet<NamedMessage>;

  constructor(inlet: Inlet<NamedMessage>, ...parts: ConstructorParameters<typeof EndpointConnection>) {
    super(...parts);
    this.#inlet = inlet;
  }

  messages(): AsyncIterable<NamedMessage> {
    return this.#inlet.read();
  }
}
