/// <reference lib="esnext.disposable" preserve="true" />
// One connection as its user sees it: typed sends out, listeners and a reader in, and whatever features its contract needs.
import type { CloseOutcome, Sent } from "../connection/outcome.ts";
import type { EndpointContract } from "../contract/contract.ts";
import type { ContractError } from "../errors.ts";
import { type Choose, type Codec, createCodec } from "./codec.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { type ConnectionState, type Life, startLife } from "./life.ts";
import type { Unsubscribe } from "./listeners.ts";
import type { ReconnectOptions } from "./retry.ts";
import type { Attempt } from "./socket.ts";

/**
 * What every connection offers beside its typed `send`, `request`, `on` and `answer`.
 *
 * It outlives its sockets: when one is lost it reconnects by the table of `docs/guides/using-a-client.md`, and says so (`subscribe`). Messages
 * sent while it is away are kept, up to 1 MiB.
 *
 * Iterating gives everything that arrives, replies to requests excepted, as `{ name, payload }`; one reader at a time, and leaving
 * the loop does not close the connection. The loop ends when the connection is closed for good: in peace (by us, or with 1000, 1001 or 1005), else it
 * throws. Until the first listener or reader attaches, up to 1,000 messages or 1 MiB are kept; the first one to
 * attach, and all that attach in the same turn, get them. Once there is a listener, messages are kept for a reader only while one is
 * attached. A reader that falls behind by more than that gets InboundOverflowError.
 */
export interface ClientConnection<Event, CloseName extends string = string> extends AsyncIterable<Event>, AsyncDisposable {
  /** The address of the last attempt, with path parameters and query. */
  readonly url: string;
  /** The subprotocol that the server chose, "" when there is none. */
  readonly protocol: string;
  /** Aborts, with a ConnectionClosedError, when the connection is closed for good. */
  readonly signal: AbortSignal;
  /** Settles, never rejects, once the connection is closed for good. */
  readonly closed: Promise<CloseOutcome<CloseName>>;
  /** Where the connection is in its life; the same object until something changes. */
  getSnapshot(): ConnectionState;
  /**
   * Calls the listener with each new state; the returned function stops that. Together with `getSnapshot` it is what React's
   * `useSyncExternalStore` asks for. What a listener sends when it hears of `open` leaves before what waited for it.
   */
  subscribe(listener: (state: ConnectionState) => void): Unsubscribe;
  /** Closes after everything sent so far; later calls change nothing. 1000 (default) or 3000–4999, reason up to 123 bytes; else the platform's WebSocket throws. */
  close(code?: number, reason?: string): Promise<CloseOutcome<CloseName>>;
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined>;
}

/**
 * Something that only some contracts need: requests, answers, topics. Generated code names those of its document, so that no other is loaded. It is made
 * ready once for an endpoint, where it can put something into the codec, then attached to each of its connections.
 */
export type Feature = (endpoint: EndpointContract, codec: Codec) => (link: Link) => Part;

/** What a feature adds to one connection. */
export interface Part {
  /** Becomes part of the connection that its user sees. */
  readonly members?: object;
  /**
   * Before each attempt: checks what is given for it, writes the query into the address, and gives the path behind the server's. Throws what
   * refuses the attempt for good.
   */
  handshake?(address: URL, given: HandshakeValues): string;
  /** Sees the JSON of every text frame before the contract's tree does; true: it is dealt with. */
  claim?(payload: unknown): boolean;
  /** Says what a close code is called. */
  meaningOf?(code: number): string | undefined;
  /** Says which message it is where the contract's tree leaves a choice. */
  choose?: Choose;
  /** Sees every message that the contract does not allow, before `onInvalid`; true: it is dealt with. */
  refuse?(payload: unknown, error: ContractError): boolean;
  /** Sees every valid message before listeners and the reader; true: it is dealt with. `size` in characters or bytes. */
  take?(name: string, payload: unknown, size: number): boolean;
  /** The connection is open: for the first time or again. What is sent here leaves before what waited. */
  opened?(): void;
  /** The connection was open and is not any more, or it is closed for good: what was asked through it will not be answered. */
  lost?(error: unknown): void;
}

/** What a user gives for one attempt. */
export interface HandshakeValues {
  readonly params: object | undefined;
  readonly query: object | undefined;
  readonly headers: object | undefined;
}

/** One connection as a feature sees it. */
export interface Link {
  readonly endpoint: EndpointContract;
  readonly codec: Codec;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
  /** What its user sees, once it is made. */
  connection(): ClientConnection<unknown>;
  /** Sends what the codec encoded. While the connection is away it is kept, and left out when it is `stale` by then. */
  transmit(data: string | Uint8Array, stale?: () => boolean): Sent;
  onError(error: unknown): void;
}

/** Opens one connection. `attempt` asks `fill` for the endpoint's path and query: what {@link Part.handshake} says, or the endpoint's address. */
export type Connect = (
  attempt: (tell: (address: string) => void, fill: NonNullable<Part["handshake"]>) => Promise<Attempt>,
  reconnect: ReconnectOptions | undefined,
  onInvalid: (error: ContractError) => void,
  onError: (error: unknown) => void,
) => readonly [connection: ClientConnection<unknown>, close: Life["close"], opened: Promise<void>, insist: () => void];

/** Makes one endpoint's contract ready, once for all its connections. */
export function prepareConnection(endpoint: EndpointContract, features: readonly Feature[]): Connect {
  const codec = createCodec(endpoint);
  const prepared = features.map((feature) => feature(endpoint, codec));

  return (attempt, reconnect, onInvalid, onError) => {
    const inbox = createInbox(onError);
    const [life, transmit, opened, insist] = startLife(
      (tell) => attempt(tell, (...given) => parts.map((part) => part.handshake?.(...given)).find(Boolean) ?? endpoint.address),
      reconnect,
      receive,
      () => {
        for (const part of parts) part.opened?.();
      },
      (error) => {
        for (const part of parts) part.lost?.(error);
      },
      (code) => parts.map((part) => part.meaningOf?.(code)).find(Boolean),
      onError,
    );
    const { signal, close } = life;
    const parts = prepared.map((attach) => attach({ endpoint, codec, inbox, signal, transmit, onError, connection: () => connection }));
    const choose: Choose = (...choice) => parts.map((part) => part.choose?.(...choice)).find(Boolean);
    const claim = (payload: unknown) => parts.some((part) => part.claim?.(payload));
    void life.closed.then(() => inbox.end(life.getSnapshot().error));

    function receive(data: unknown): void {
      const read = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
      const { name, payload, error } = codec.decode(read, claim, choose) ?? {};
      if (error) {
        if (parts.some((part) => part.refuse?.(payload, error))) return;
        try {
          onInvalid(error);
        } catch (thrown) {
          // Asked to end here: with this error, not in peace.
          inbox.end(thrown);
          void close();
        }
      } else if (name && !parts.some((part) => part.take?.(name, payload, read.length))) inbox.push({ name, payload }, read.length);
    }

    // The computed key is asyncDispose wherever the interface can be used.
    const connection = Object.assign(
      life,
      {
        send: table(endpoint.sends, (name) => (payload: unknown) => transmit(codec.encode(name, payload))),
        on: table(endpoint.receives.messages, (name) => (listener: (payload: unknown) => void) => inbox.listen(name, listener)),
        [Symbol.asyncIterator]: inbox.read,
        // Missing in older browsers, where nobody can ask for it.
        [Symbol.asyncDispose ?? "dispose"]: close,
      },
      ...parts.map(({ members }) => members),
    ) as ClientConnection<unknown>;
    return [connection, close, opened, insist];
  };
}

/** An object with one value for each message, whatever their names are. */
export function table<Item, Value>(
  items: Readonly<Record<string, Item>>,
  value: (name: string, item: Item) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(items).map(([name, item]) => [name, value(name, item)]));
}
