// Between what travels and the contract's messages, for one endpoint as a client sees it. The server has a decoder and encoders of its own, which are
// quicker and say more; these are small, and what they say is enough for whoever holds the document.
//
// This much reads and writes JSON of one kind. Telling several kinds apart (dispatch.ts), text and bytes (formats.ts), content types with a codec of the
// user's (codecs.ts) are features, put into this one.
import type { ChoiceNode, DispatchNode, EndpointContract } from "../contract/contract.ts";
import type { ContractError } from "../errors.ts";
import { refusalOf, refuse, type Subject } from "./check.ts";

/** A frame as it was understood. */
export interface Received {
  /** The message's name in the contract; `undefined` when it could not be told. */
  readonly name: string | undefined;
  readonly payload: unknown;
  /** Why the contract does not allow it. */
  readonly error: ContractError | undefined;
}

/** Which of several messages a payload is; `undefined` for none of them. */
export type Choose = (choice: ChoiceNode, payload: unknown) => Received | undefined;

/** Reads and writes the messages of one endpoint. Stateless: one serves every connection. */
export interface Codec {
  /**
   * Reads a text frame (string) or binary frame (bytes). `claim` sees parsed JSON first; what it takes (returning true) is not decoded any further.
   * `choose` is asked where the tree does not tell messages apart.
   */
  decode(data: string | Uint8Array, claim: (payload: unknown) => boolean, choose: Choose): Received | undefined;
  /** A payload where the tree has led to, if a guard accepts it; `choose` is asked where that is a choice. */
  arrive(end: DispatchNode | undefined, payload: unknown, choose: Choose): Received;
  /** A payload as the message of that name, if its guard accepts; without a name it is refused, with the reason and where it lies. */
  check(name: string | undefined, payload: unknown, reason?: string, path?: string): Received;
  /** Where the contract's tree leads (of JSON, unless it is given): a name, a choice, or a node that has no exit for this payload. Runs no guard. */
  find(payload: unknown, tree?: DispatchNode): DispatchNode | undefined;
  /**
   * Makes a message ready for the wire. Constants are filled in, unless they say which message it is (`asGiven`); the guard sees exactly what the
   * peer will read.
   *
   * @throws ContractError (outbound) with message name, JSON Pointer and reason.
   */
  encode(name: string, payload: unknown, asGiven?: boolean): string | Uint8Array;
}

/** Makes an endpoint's contract ready. */
export function createCodec({ receives: { dispatch, messages }, sends }: EndpointContract): Codec {
  const codec: Codec = {
    find: () => dispatch.json,

    check: (name, payload, reason = "is unknown", path?) => {
      const subject: Subject = [`${name ? `"${name}"` : "A message"} was received and is invalid`, "inbound", name];
      return { name, payload, error: name ? refusalOf(messages[name]?.guard, payload, subject) : refuse(subject, reason, path) };
    },

    arrive: (end, payload, choose) =>
      (typeof end === "object" && choose(end as ChoiceNode, payload)) || codec.check(typeof end === "string" ? end : undefined, payload),

    decode(data, claim, choose) {
      const payload = typeof data === "string" ? parse(data) : parse;
      if (payload === parse) return codec.check(undefined, data, "is not JSON");
      if (claim(payload)) return;
      return codec.arrive(codec.find(payload), payload, choose);
    },

    encode(name, payload, asGiven) {
      const { guard, constants } = sends[name]!;
      const subject: Subject = [`"${name}" was not sent`, "outbound", name];
      let whole = payload;
      if (!asGiven && constants && (payload === undefined || (Object(payload) === payload && !Array.isArray(payload)))) {
        const filled: Record<string, unknown> = { ...constants, ...(payload as object) };
        // An explicit `undefined` is left out, like a property that is not there.
        for (const key in constants) if (filled[key] === undefined) filled[key] = constants[key];
        whole = filled;
      }
      let text: string | undefined;
      try {
        text = JSON.stringify(whole);
      } catch {
        // A cycle, or a bigint.
      }
      const refusal = text ? refusalOf(guard, guard && JSON.parse(text), subject) : refuse(subject, "is not JSON");
      if (refusal) throw refusal;
      return text!;
    },
  };
  return codec;
}

/** What a text says, or this function itself when it is no JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parse;
  }
}
