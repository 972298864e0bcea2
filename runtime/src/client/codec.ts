// Between what travels and the contract's messages, for one endpoint as a client sees it. The server has a decoder and encoders of its own, which are
// quicker and say more; these are small, and what they say is enough for whoever holds the document.
import type {
  ChoiceNode,
  ConstantNode,
  DispatchEnd,
  DispatchNode,
  EndpointContract,
  KindNode,
  PresenceNode,
} from "../contract/contract.ts";
import { valueAt } from "../contract/path.ts";
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
  /** A payload as the message of that name, if its guard accepts. */
  check(name: string, payload: unknown): Received;
  /** Where the contract's tree leads: a name, a choice, or a node that has no exit for this payload. Runs no guard. */
  find(payload: unknown): DispatchNode | undefined;
  /**
   * Makes a message ready for the wire. Constants are filled in, unless they say which message it is (`asGiven`); the guard sees exactly what the
   * peer will read.
   *
   * @throws ContractError (outbound) with message name, JSON Pointer and reason.
   */
  encode(name: string, payload: unknown, asGiven?: boolean): string | Uint8Array;
}

type Exits = Pick<ConstantNode, "path" | "absent" | "other"> & Partial<ConstantNode & PresenceNode & KindNode>;

/** Makes an endpoint's contract ready. */
export function createCodec({ receives: { dispatch, messages }, sends }: EndpointContract): Codec {
  const { binary, text, json } = dispatch;
  const constants = new Map(dispatch.constants);
  const tables = new Map<unknown, Map<unknown, DispatchNode>>();
  const speaksJson = Object.values(messages).some(({ format }) => format === "json" || format === "any");

  /** Follows the tree to a name, or to the node that has no exit for this payload. */
  function walk(payload: unknown): DispatchNode | undefined {
    let node = json;
    while (typeof node === "object" && !("among" in node)) {
      // Every kind of node says one of these.
      const { path, absent, present, kinds, cases, other } = node as Exits;
      const value = valueAt(payload, path);
      let table = tables.get(node);
      if (!table) {
        table = new Map<unknown, DispatchNode>(cases ?? Object.entries(kinds ?? {}));
        tables.set(node, table);
      }
      const next = value === undefined ? absent : (present ?? table.get(kinds ? kindOf(value) : value) ?? other);
      if (next === undefined) break;
      node = next;
    }
    return node;
  }

  function check(name: string | undefined, payload: unknown, reason = "is unknown", path?: string): Received {
    const subject: Subject = [`${name ? `"${name}"` : "A message"} was received and is invalid`, "inbound", name];
    return { name, payload, error: name ? refusalOf(messages[name]?.guard, payload, subject) : refuse(subject, reason, path) };
  }

  return {
    find: walk,
    check,

    decode(data, claim, choose) {
      const arrive = (end: DispatchEnd | undefined, payload: unknown, reason?: string): Received =>
        typeof end === "object" ? (choose(end, payload) ?? check(undefined, payload)) : check(end, payload, reason);
      // JSON Schema cannot speak of bytes, so no guard runs on them.
      if (typeof data !== "string") return arrive(binary, data);
      const constant = constants.get(data);
      if (constant || !speaksJson) return arrive(constant ?? text, data);
      const payload = parse(data);
      if (payload === parse) return arrive(text, data, "is not JSON");
      if (claim(payload)) return;
      const end = walk(payload);
      if (typeof end === "string" || (end && "among" in end)) return arrive(end, payload);
      // `42` and `true` are JSON by accident when they come as bare text.
      if (text && (!json || Object(payload) !== payload))
        // A choice among texts is of bare ones.
        return arrive(text, json || messages[text as string]?.format !== "any" ? data : payload);
      return check(
        undefined,
        payload,
        end && `is ${JSON.stringify(valueAt(payload, end.path))?.slice(0, 40)}`,
        end && `/${end.path.join("/")}`,
      );
    },

    encode(name, payload, asGiven) {
      const { format, guard, constants } = sends[name]!;
      const subject: Subject = [`"${name}" was not sent`, "outbound", name];
      if (format === "binary") {
        if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
        if (payload instanceof Uint8Array) return payload;
        throw refuse(subject, "must be bytes");
      }
      let whole = payload;
      if (!asGiven && constants && (payload === undefined || kindOf(payload) === "object")) {
        const filled: Record<string, unknown> = { ...constants, ...(payload as object) };
        // An explicit `undefined` is left out, like a property that is not there.
        for (const key in constants) if (filled[key] === undefined) filled[key] = constants[key];
        whole = filled;
      }
      const text = stringify(whole);
      const refusal = text === undefined ? refuse(subject, "is not JSON") : refusalOf(guard, guard && JSON.parse(text), subject);
      if (refusal) throw refusal;
      return typeof whole === "string" && (format === "text" || (format === "any" && parse(whole) === parse)) ? whole : text!;
    },
  };
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

/** What a text says, or this function itself when it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parse;
  }
}

/** `undefined` for what JSON cannot say. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // A cycle, or a bigint.
  }
}
