/// <reference lib="esnext.disposable" preserve="true" />
// One open connection as its user sees it: typed sends and requests out, listeners, a reader and answerers in.
import type { CloseOutcome, Sent } from "../connection/outcome.ts";
import type { EndpointContract } from "../contract/contract.ts";
import { createDecoder, inboundError } from "../contract/dispatch.ts";
import { createEncoders } from "../contract/encode.ts";
import { encodeReply, prepareRequests, type RequestOptions } from "../contract/requests.ts";
import { ConnectionClosedError, type ContractError, WsgenError } from "../errors.ts";
import { createInbox, type Unsubscribe } from "./inbox.ts";
import type { WebSocketLike } from "./socket.ts";

/** Outbound bytes above which `send` gives a promise, and how often, in ms, it is looked whether they have left. */
const HIGH_WATER_MARK = 1_048_576;
const DRAIN_POLL = 20;

/** Ready states of the standard. */
const OPEN = 1;

/**
 * What every connection offers beside its typed `send`, `request`, `on` and `answer`.
 *
 * Iterating gives everything that arrives, replies to requests excepted, as `{ name, payload }`; one reader at a time, and leaving
 * the loop does not close the connection. The loop ends when the connection was closed by us or in peace (1000, 1001, 1005), else it
 * throws ConnectionClosedError. Until the first listener or reader attaches, up to 1,000 messages or 1 MiB are kept; the first one to
 * attach, and all that attach in the same turn, get them. Once there is a listener, messages are kept for a reader only while one is
 * attached. A reader that falls behind by more than that gets InboundOverflowError.
 */
export interface ClientConnection<Event> extends AsyncIterable<Event>, AsyncDisposable {
  /** The address, with path parameters and query. */
  readonly url: string;
  /** The subprotocol that the server chose, "" when there is none. */
  readonly protocol: string;
  /** Aborts when the connection closes, for whatever reason. */
  readonly signal: AbortSignal;
  /** Settles, never rejects, once the connection is closed. */
  readonly closed: Promise<CloseOutcome>;
  /** Closes after everything sent so far; later calls change nothing. 1000 (default) or 3000–4999, reason up to 123 bytes. */
  close(code?: number, reason?: string): Promise<CloseOutcome>;
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined>;
}

/** A connection whose socket may still be opening, and what opens and ends it. */
export interface LiveConnection {
  readonly connection: ClientConnection<unknown>;
  /** To be called with the data of every message of the socket. */
  receive(data: unknown): void;
  /** To be called when the socket has closed. */
  end(outcome: CloseOutcome): void;
}

/** Who hears of what goes wrong. */
export interface Hooks {
  onInvalid(error: ContractError): void;
  onError(error: unknown): void;
}

/** Makes one endpoint's contract ready, once for all its connections. */
export function prepareConnection(endpoint: EndpointContract): (socket: WebSocketLike, url: string, hooks: Hooks) => LiveConnection {
  const decoder = createDecoder(endpoint.receives);
  const encoders = createEncoders(endpoint.sends);
  const createRequests = prepareRequests(endpoint, encoders, decoder);
  const sends = Object.entries(endpoint.sends);
  const receives = Object.entries(endpoint.receives.messages);

  return (socket, url, { onInvalid, onError }) => {
    const inbox = createInbox(onError);
    const requests = createRequests();
    const answerers = new Map<string, (payload: unknown) => void>();
    let closing = false;
    let outcome: CloseOutcome | undefined;
    let controller: AbortController | undefined;
    let drained: Promise<void> | undefined;
    let settleClosed: (outcome: CloseOutcome) => void;
    const closed = new Promise<CloseOutcome>((resolve) => {
      settleClosed = resolve;
    });

    function closedError(): ConnectionClosedError {
      return outcome === undefined
        ? new ConnectionClosedError(1005, "", "The connection is closing.")
        : new ConnectionClosedError(outcome.code, outcome.reason);
    }

    function transmit(data: string | Uint8Array): Sent {
      if (socket.readyState !== OPEN) return handled(Promise.reject(closedError()));
      // Payloads in shared memory are no use of ours; the standard's type excludes them.
      socket.send(data as string | Uint8Array<ArrayBuffer>);
      return socket.bufferedAmount > HIGH_WATER_MARK ? drain() : undefined;
    }

    function drain(): Promise<void> {
      drained ??= handled(
        new Promise<void>((resolve, reject) => {
          const look = () => {
            if (socket.readyState === OPEN && socket.bufferedAmount > HIGH_WATER_MARK) {
              setTimeout(look, DRAIN_POLL);
              return;
            }
            drained = undefined;
            if (socket.readyState === OPEN) resolve();
            else void closed.then(() => reject(closedError()));
          };
          setTimeout(look, DRAIN_POLL);
        }),
      );
      return drained;
    }

    function answerWith(name: string, answerer: (payload: unknown) => unknown): Unsubscribe {
      const reply = endpoint.receives.messages[name]?.reply;
      if (reply === undefined || answerers.has(name)) {
        throw new WsgenError("WSGEN_USAGE", reply === undefined ? `"${name}" is no request.` : `"${name}" has an answerer already.`);
      }
      const answer = (payload: unknown): void => {
        Promise.resolve(payload)
          .then(answerer)
          .then((value) => void transmit(encodeReply(reply, encoders, payload, value)))
          .catch(onError);
      };
      answerers.set(name, answer);
      for (const { payload } of inbox.take(name)) answer(payload);
      return () => {
        if (answerers.get(name) === answer) answerers.delete(name);
      };
    }

    const connection = {
      url,
      closed,
      get protocol() {
        return socket.protocol;
      },
      get signal() {
        if (controller === undefined) {
          controller = new AbortController();
          if (outcome !== undefined) controller.abort(closedError());
        }
        return controller.signal;
      },
      send: table(
        sends,
        ([name]) =>
          (payload: unknown) =>
            transmit(encoders.get(name)!(payload)),
      ),
      request: table(
        sends.filter(([, { reply }]) => reply !== undefined),
        ([name]) =>
          (payload: unknown, options?: RequestOptions) =>
            requests.send(name, payload, options, transmit),
      ),
      on: table(
        receives,
        ([name]) =>
          (listener: (payload: unknown) => void) =>
            inbox.listen(name, listener),
      ),
      answer: table(
        receives.filter(([, { reply }]) => reply !== undefined),
        ([name]) =>
          (answerer: (payload: unknown) => unknown) =>
            answerWith(name, answerer),
      ),
      close(code = 1000, reason = "") {
        if ((code !== 1000 && !(code >= 3000 && code <= 4999)) || new TextEncoder().encode(reason).length > 123) {
          throw new WsgenError("WSGEN_USAGE", "close() takes 1000 or 3000–4999 and a reason up to 123 bytes.");
        }
        closing = true;
        socket.close(code, reason);
        return closed;
      },
      [Symbol.asyncIterator]: () => inbox.read(),
      // Missing in older browsers, where nobody can ask for it.
      [Symbol.asyncDispose ?? "dispose"]: async () => {
        await connection.close();
      },
    };

    return {
      // The computed key above is asyncDispose wherever the interface can be used.
      connection: connection as unknown as ClientConnection<unknown>,

      receive(data) {
        const read = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
        const decoded = decoder.decode(read, requests.size > 0 ? requests.settle : undefined);
        if (decoded === undefined) return;
        if (decoded.kind !== "message") {
          const error = inboundError(decoded);
          if (requests.size === 0 || !requests.refuse(decoded.payload, error)) onInvalid(error);
          return;
        }
        const { name, payload } = decoded;
        const answer = answerers.get(name);
        if (answer === undefined) inbox.push({ name, payload }, read.length);
        else answer(payload);
      },

      end(how) {
        outcome = how;
        const error = closedError();
        const peaceful = closing || (how.wasClean && (how.code === 1000 || how.code === 1001 || how.code === 1005));
        requests.close(error);
        settleClosed(how);
        controller?.abort(error);
        inbox.end(peaceful ? undefined : error);
      },
    };
  };
}

/** An object with one function for each message, whatever their names are. */
function table<Entry extends readonly [string, unknown], Value>(
  entries: readonly Entry[],
  value: (entry: Entry) => Value,
): Record<string, Value> {
  return Object.fromEntries(entries.map((entry) => [entry[0], value(entry)]));
}

/** Not awaiting it is safe. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
