/// <reference lib="esnext.disposable" preserve="true" />
// One connection as its user sees it: typed sends out, listeners and a reader in, and whatever features its contract needs.
import type { CloseOutcome } from "../connection/outcome.ts";
import type { EndpointContract } from "../contract/contract.ts";
import type { ContractError } from "../errors.ts";
import { createCodec } from "./codec.ts";
import type { Ask, Feature } from "./feature.ts";
import { createInbox } from "./inbox.ts";
import { type ConnectionState, type Life, type Opening, startLife } from "./life.ts";
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
  /** Aborts, with a ConnectionClosedError, when the connection begins to close from this side, or is closed for good. */
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
  /**
   * Closes after everything sent so far; later calls change nothing. 1000 (default) or 3000–4999, reason up to 123 bytes; else the platform's
   * WebSocket throws, where there is one. That of `ws`, and so Node, takes the other codes of RFC 6455 section 7.4 too.
   */
  close(code?: number, reason?: string): Promise<CloseOutcome<CloseName>>;
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined>;
}

/** Opens one connection. `attempt` may ask the features for the path. */
export type Connect = (
  attempt: (tell: (address: string) => void, ask: Ask) => Promise<Attempt>,
  reconnect: boolean | ReconnectOptions | undefined,
  onInvalid: (error: ContractError) => void,
  onError: (error: unknown) => void,
) => readonly [connection: ClientConnection<unknown> & Life, opening: Opening<ClientConnection<unknown>>];

/** Makes one endpoint's contract ready, once for all its connections. */
export function prepareConnection(endpoint: EndpointContract, features: readonly Feature[]): Connect {
  const codec = createCodec(endpoint);
  const prepared = features.map((feature) => feature(endpoint, codec));

  return (attempt, reconnect, onInvalid, onError) => {
    const inbox = createInbox(onError);
    const ask: Ask = (hook, ...given) => {
      let answer: unknown;
      for (const part of parts) {
        answer = (part[hook] as ((...given: unknown[]) => unknown) | undefined)?.(...given);
        if (answer) break;
      }
      return answer as undefined; // What a hook returns is in its own type.
    };
    const [life, transmit, opening] = startLife((tell) => attempt(tell, ask), reconnect, receive, ask, onError);
    // It becomes one below.
    const connection = life as ClientConnection<unknown> & Life;
    const parts = prepared.map((attach) => attach({ inbox, connection, transmit, onError }));
    void life.closed.then(() => inbox.end(life.getSnapshot().error));

    function receive(data: unknown): void {
      const read = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
      const { name, payload, error } = codec.decode(read, ask) ?? {};
      if (error) {
        if (ask("refuse", payload, error)) return;
        try {
          onInvalid(error);
        } catch (thrown) {
          // Asked to end here: with this error, not in peace.
          inbox.end(thrown);
          void life.close();
        }
      } else if (name && !ask("take", name, payload, read.length)) inbox.push({ name, payload }, read.length);
    }

    // The computed key is asyncDispose wherever the interface can be used.
    Object.assign(
      life,
      {
        send: table(endpoint.sends, (name) => (payload: unknown) => transmit(codec.encode(name, payload))),
        on: table(endpoint.receives.messages, (name) => (listener: (payload: unknown) => void) => inbox.listen(name, listener)),
        [Symbol.asyncIterator]: inbox.read,
        // In older browsers this is a property called "undefined", which nobody asks for.
        [Symbol.asyncDispose]: life.close,
      },
      ...parts.map(({ members }) => members),
    );
    return [connection, opening as unknown as Opening<ClientConnection<unknown>>];
  };
}

/** An object with one value for each message, whatever their names are. */
export function table<Item, Value>(
  items: Readonly<Record<string, Item>>,
  value: (name: string, item: Item) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(items).map(([name, item]) => [name, value(name, item)]));
}
