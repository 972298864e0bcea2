// Requests that wait for their reply, on either side of a connection.
import { ContractError, RequestFailedError, RequestTimeoutError, WsgenError } from "../errors.ts";
import type { DispatchNode, EndpointContract, Path, ReplyContract } from "./contract.ts";
import type { Correlation, Encode } from "./encode.ts";
import { valueAt } from "./path.ts";
import { saidOfOther } from "./unlike.ts";

/** How long a request waits for its reply unless told otherwise, in ms. */
export const DEFAULT_REQUEST_TIMEOUT = 10_000;

/** Ids of requests given up whose reply may still come: so many are remembered. */
const MAX_ABANDONED = 1_000;

/** How one request waits. */
export interface RequestOptions {
  /** How long to wait for the reply, in ms; 0 waits until the connection closes. Default: 10 000. */
  readonly timeout?: number | undefined;
  /** Gives the request up; the call rejects with the signal's reason. The peer is not told. */
  readonly signal?: AbortSignal | undefined;
}

/** The open requests of one connection. */
export interface Requests {
  /** How many wait for their reply. */
  readonly waiting: number;
  /** How many wait or were given up, so that a late reply may still come: while it is 0, `settle` need not be asked. */
  readonly size: number;
  /**
   * Sends a request and gives its reply. The id is made up unless the payload has one.
   *
   * Rejects with ContractError (the request is invalid, or its reply is), RequestTimeoutError, RequestFailedError (the peer answered
   * with the contract's error message), ConnectionClosedError, WsgenError `WSGEN_USAGE` (an open request has this id), the signal's
   * reason, or what `write` throws or rejects with.
   */
  send(
    name: string,
    payload: unknown,
    options: RequestOptions | undefined,
    write: (data: string | Uint8Array) => unknown,
  ): Promise<unknown>;
  /** Shows a received payload; true when it answered a request, or came too late to, and is dealt with. */
  settle(payload: unknown): boolean;
  /** Rejects the request that an invalid payload seems to answer; true when there is one. */
  refuse(payload: unknown, error: ContractError): boolean;
  /** Rejects every request. Later ones are rejected as well. */
  close(error: unknown): void;
}

interface Reply extends ReplyContract {
  /** Names of what settles it. */
  readonly kinds: readonly string[];
}

interface Pending {
  readonly id: unknown;
  readonly name: string;
  readonly reply: Reply;
  /** Absent once the request was given up. */
  settle?: { readonly resolve: (payload: unknown) => void; readonly reject: (error: unknown) => void };
}

/** What a decoder knows of payloads. */
interface Judge {
  find(payload: unknown): unknown;
  check(name: string, payload: unknown): { readonly error: ContractError | undefined };
}

/**
 * Makes ready the requests that one side of an endpoint may send. What it returns makes the table of one connection.
 * `encoders` and `decoder` are those of the same side.
 */
export function prepareRequests(
  endpoint: EndpointContract,
  encoders: Pick<ReadonlyMap<string, Encode>, "get">,
  decoder: Judge,
): () => Requests {
  const received = endpoint.receives.messages;
  // Only the side that receives the contract's error message can be answered with it.
  const failure = endpoint.error !== undefined && Object.hasOwn(received, endpoint.error.message) ? endpoint.error : undefined;

  const replies = new Map<string, Reply>();
  const places = new Map<string, Path>();
  for (const [name, { reply }] of Object.entries(endpoint.sends)) {
    if (reply === undefined) continue;
    const key = JSON.stringify(reply.reply);
    const place = places.get(key) ?? reply.reply;
    if (reply.id !== "order") places.set(key, place);
    const kinds = reply.messages.filter((message) => message !== failure?.message && Object.hasOwn(received, message));
    replies.set(name, { ...reply, reply: place, kinds });
  }

  /**
   * A reply with few rules may allow a message that says that it is something else, and has an id of its own. Without a guard, what tells the message from
   * others must not be wrong: an event may have the id of a request.
   */
  const accepts = (name: string, payload: unknown) =>
    !saidOfOther(received[name]?.unlike, payload) &&
    !decoder.check(name, payload).error &&
    Object.entries(received[name]?.constants ?? {}).every(([key, value]) =>
      [undefined, value].includes(valueAt(payload, [key]) as typeof value),
    );
  const isFailure = (payload: unknown) => failure !== undefined && accepts(failure.message, payload);
  // A reply with few rules may also accept the error message; the tree knows better.
  const isReply = (payload: unknown, { kinds }: Reply) =>
    kinds.some((name) => accepts(name, payload)) && !(decoder.find(payload) === failure?.message && isFailure(payload));

  const ordered = [...replies.values()].some(({ id }) => id === "order");

  return () => {
    // Ids are unique per connection, whatever place of the payload they are at.
    const table = new Map<unknown, Pending>();
    let abandoned = 0;
    let counter = 0;
    let closed: unknown;

    function newId(kind: ReplyContract["id"]): string | number | symbol {
      // Such a request is known by its place in the table alone.
      if (kind === "order") return Symbol();
      for (;;) {
        const id = kind === "uuid" ? uuid() : ++counter;
        const typed = kind === "string" ? String(id) : id;
        if (!table.has(typed)) return typed;
      }
    }

    /** The requests whose reply has the id that this payload has at the same place. */
    function matches(payload: unknown): Pending[] {
      return [...places.values()].flatMap((place) => {
        const pending = table.get(valueAt(payload, place));
        return pending?.reply.reply === place ? [pending] : [];
      });
    }

    /** The oldest request that a payload answers by its order; those given up are still owed their reply. */
    function oldest(payload: unknown, fits: (reply: Reply) => boolean): Pending | undefined {
      if (!ordered) return undefined;
      const found = decoder.find(payload) as DispatchNode | undefined;
      // What the tree has no exit for may be a reply that it does not lead to.
      const named = typeof found === "string" ? [found] : found && "among" in found ? found.among : undefined;
      for (const pending of table.values()) {
        const { reply } = pending;
        if (reply.id === "order" && (!named || named.some((name) => reply.messages.includes(name))) && fits(reply)) return pending;
      }
      return undefined;
    }

    /** Takes a request that is over off the table; `undefined` once it was given up. */
    function remove(pending: Pending): Pending["settle"] {
      if (pending.settle === undefined) abandoned--;
      table.delete(pending.id);
      return pending.settle;
    }

    function giveUp(pending: Pending, error: unknown): void {
      pending.settle?.reject(error);
      delete pending.settle;
      if (++abandoned <= MAX_ABANDONED) return;
      for (const oldest of table.values()) {
        if (oldest.settle !== undefined) continue;
        remove(oldest);
        return;
      }
    }

    return {
      get waiting() {
        return table.size - abandoned;
      },
      get size() {
        return table.size;
      },

      async send(name, payload, options = {}, write) {
        const reply = replies.get(name);
        const encode = encoders.get(name);
        if (reply === undefined || encode === undefined) throw new WsgenError("WSGEN_USAGE", `"${name}" is no request of the contract.`);
        if (closed !== undefined) throw closed;
        const { timeout = DEFAULT_REQUEST_TIMEOUT, signal } = options;
        signal?.throwIfAborted();

        const given = reply.id === "order" ? undefined : valueAt(payload, reply.request);
        const id = given === undefined ? newId(reply.id) : given;
        if (table.has(id)) {
          throw new WsgenError(
            "WSGEN_USAGE",
            `An open request has the id ${JSON.stringify(id)} already; leave it out to have one made up.`,
          );
        }
        const data = encode(payload, given === undefined && reply.id !== "order" ? { path: reply.request, id } : undefined);

        return new Promise((resolve, reject) => {
          const abort = () => giveUp(pending, signal?.reason);
          const timer = timeout > 0 ? setTimeout(() => giveUp(pending, new RequestTimeoutError(name, timeout)), timeout) : undefined;
          const done = () => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", abort);
          };
          signal?.addEventListener("abort", abort);
          const pending: Pending = {
            id,
            name,
            reply,
            settle: {
              resolve(reply) {
                done();
                resolve(reply);
              },
              reject(error) {
                done();
                reject(error);
              },
            },
          };
          table.set(id, pending);
          // What is not sent is not answered.
          (async () => write(data))().catch((error: unknown) => pending.settle && remove(pending)?.reject(error));
        });
      },

      settle(payload) {
        const answered =
          matches(payload).find(({ reply }) => isReply(payload, reply)) ?? oldest(payload, (reply) => isReply(payload, reply));
        if (answered !== undefined) {
          remove(answered)?.resolve(payload);
          return true;
        }
        const failed =
          (failure?.correlation && table.get(valueAt(payload, failure.correlation))) ??
          oldest(payload, ({ messages }) => failure !== undefined && messages.includes(failure.message));
        if (failure === undefined || failed === undefined || !isFailure(payload)) return false;
        remove(failed)?.reject(new RequestFailedError(failed.name, failure.message, payload));
        return true;
      },

      refuse(payload, error) {
        const pending =
          matches(payload).find(({ reply: { kinds } }) => !kinds.every((name) => saidOfOther(received[name]?.unlike, payload))) ??
          oldest(payload, () => typeof decoder.find(payload) === "string");
        if (pending === undefined) return false;
        // The tree, which need not lead to replies, may have taken it for another message.
        const { kinds } = pending.reply;
        const name = kinds.find((kind) => kind === error.messageName) ?? kinds[0];
        remove(pending)?.reject((name && decoder.check(name, payload).error) ?? error);
        return true;
      },

      close(error) {
        closed = error;
        for (const { settle } of table.values()) settle?.reject(error);
        table.clear();
        abandoned = 0;
      },
    };
  };
}

/** The id of a request and where it goes in the reply; `undefined` when the request has none. */
export function correlationOf(reply: ReplyContract, request: unknown): Correlation | undefined {
  if (reply.id === "order") return undefined;
  const id = valueAt(request, reply.request);
  return id === undefined ? undefined : { path: reply.reply, id };
}

/**
 * Makes the reply to a request ready for the wire, with the request's correlation id copied. Where a request has several kinds of
 * reply, the answer has to say which it is: no constant is filled in, and its guards decide.
 *
 * @throws ContractError (outbound) when no kind of reply allows the answer.
 */
export function encodeReply(
  reply: ReplyContract,
  encoders: Pick<ReadonlyMap<string, Encode>, "get">,
  request: unknown,
  answer: unknown,
): string | Uint8Array {
  const correlation = correlationOf(reply, request);
  let refusal: unknown;
  for (const name of reply.messages) {
    try {
      const encode = encoders.get(name);
      if (encode) return encode(answer, correlation, reply.messages.length > 1);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new WsgenError("WSGEN_USAGE", `The contract has no ${reply.messages.join(", ")}.`);
}

/** RFC 9562 section 5.4: version 4, variant 10. (`crypto.randomUUID` is missing on pages that are not served securely.) */
function uuid(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4}).(.{3}).(.{3})(.{12})/, "$1-$2-4$3-8$4-$5");
}
