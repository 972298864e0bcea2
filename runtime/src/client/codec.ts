// Between what travels and the contract's messages, for one endpoint as a client sees it. The server has a decoder and encoders of its own, which are
// quicker and say more; these are small, and what they say is enough for whoever holds the document.
//
// This much reads and writes JSON of one kind. Checking (guards.ts), filling in (constants.ts), telling several kinds apart (dispatch.ts), text and bytes
// (formats.ts), content types with a codec of the user's (codecs.ts) are features, put into this one.
import type { DispatchNode, EndpointContract, Guard } from "../contract/contract.ts";
import type { ContractError } from "../errors.ts";
import { refuse, type Subject } from "./check.ts";
import type { Ask } from "./feature.ts";

/** A frame as it was understood. */
export interface Received {
  /** The message's name in the contract; `undefined` when it could not be told. */
  readonly name: string | undefined;
  readonly payload: unknown;
  /** Why the contract does not allow it. */
  readonly error: ContractError | undefined;
}

/** Reads and writes the messages of one endpoint. Stateless: one serves every connection. */
export interface Codec {
  /**
   * Reads a text frame (string) or binary frame (bytes); `payload` is what the text says, where it is parsed already. Features may `claim` parsed JSON first,
   * and `choose` where the tree does not tell messages apart.
   */
  decode(data: string | Uint8Array, ask: Ask, payload?: unknown): Received | undefined;
  /** A payload where the tree has led to, if a guard accepts it; features `choose` where that is a choice. */
  arrive(end: DispatchNode | undefined, payload: unknown, ask: Ask): Received;
  /** A payload as the message of that name, if its guard accepts; without a name it is refused, with the reason and where it lies. */
  check(name: string | undefined, payload: unknown, reason?: string, path?: string): Received;
  /** Why a guard, if there is one, does not allow a value (guards.ts). */
  refusalOf(guard: Guard<unknown> | undefined, value: unknown, subject: Subject): ContractError | undefined;
  /** Where the contract's tree leads (of JSON, unless it is given): a name, a choice, or a node that has no exit for this payload. Runs no guard. */
  find(payload: unknown, tree?: DispatchNode): DispatchNode | undefined;
  /**
   * Makes a message ready for the wire; the guard sees exactly what the peer will read. `asGiven`: no constants are filled in (constants.ts).
   *
   * @throws ContractError (outbound) with message name, JSON Pointer and reason.
   */
  encode(name: string, payload: unknown, asGiven?: boolean): string | Uint8Array;
}

/** Makes an endpoint's contract ready. */
export function createCodec({ receives: { dispatch, messages }, sends }: EndpointContract): Codec {
  const codec: Codec = {
    find: () => dispatch.json,

    refusalOf: (guard, _value, subject) => guard && refuse(subject, "needs `guards`"),

    check: (name, payload, reason = "is unknown", path?) => {
      const subject: Subject = [`${name ? `"${name}"` : "A message"} was received and is invalid`, "inbound", name];
      const message = messages[name!];
      return { name, payload, error: message ? codec.refusalOf(message.guard, payload, subject) : refuse(subject, reason, path) };
    },

    arrive: (end, payload) => codec.check(end as string | undefined, payload),

    decode(data, ask, payload = typeof data === "string" ? parse(data) : undefined) {
      if (payload === undefined) return codec.check(undefined, data, "is not JSON");
      if (ask("claim", payload)) return;
      return codec.arrive(codec.find(payload), payload, ask);
    },

    encode(name, payload) {
      const { guard } = sends[name]!;
      const subject: Subject = [`"${name}" was not sent`, "outbound", name];
      // Not a cycle, nor a bigint.
      const text = tried(() => JSON.stringify(payload));
      const refusal = text ? codec.refusalOf(guard, guard && JSON.parse(text), subject) : refuse(subject, "is not JSON");
      if (refusal) throw refusal;
      return text as string;
    },
  };
  return codec;
}

/** What a text says; `undefined` when it is no JSON, which knows no such value. */
export const parse = (text: string): unknown => tried(() => JSON.parse(text));

/** What a function gives; `undefined` when it throws. */
export function tried<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return; // Its callers say what is wrong.
  }
}
