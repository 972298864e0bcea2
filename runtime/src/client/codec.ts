// Between what travels and the contract's messages, for one endpoint as a client sees it. The server has a decoder and encoders of its own, which are
// quicker and say more; these are small, and what they say is enough for whoever holds the document.
import type { DispatchNode, EndpointContract } from "../contract/contract.ts";
import { contractError, refusalOf } from "../contract/dispatch.ts";
import { pointer, valueAt } from "../contract/path.ts";
import type { ContractError } from "../errors.ts";

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
  /** Reads a text frame (string) or binary frame (bytes). `claim` sees parsed JSON first; what it takes (returning true) is not decoded any further. */
  decode(data: string | Uint8Array, claim: (payload: unknown) => boolean): Received | undefined;
  /** The name that the contract's tree gives a JSON payload, without running a guard. */
  find(payload: unknown): string | undefined;
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
  const { binary, text, json } = dispatch;
  const constants = new Map(dispatch.constants);
  const tables = new Map<unknown, Map<unknown, DispatchNode>>();
  const speaksJson = Object.values(messages).some(({ format }) => format === "json" || format === "any");

  /** Follows the tree to a name, or to the node that has no exit for this payload. */
  function walk(payload: unknown): DispatchNode | undefined {
    let node = json;
    while (typeof node === "object") {
      const value = valueAt(payload, node.path);
      let next = node.absent;
      if (value !== undefined) {
        if ("present" in node) next = node.present;
        else if ("kinds" in node) next = node.kinds[kindOf(value) as "object"];
        else {
          const table = tables.get(node) ?? new Map(node.cases);
          tables.set(node, table);
          next = table.get(value) ?? node.other;
        }
      }
      if (next === undefined) break;
      node = next;
    }
    return node;
  }

  function check(name: string | undefined, payload: unknown, reason = "is no message of the contract", path = ""): Received {
    const guard = name && messages[name]?.guard;
    const refusal = name === undefined ? { path, reason } : guard && refusalOf(guard, payload);
    return {
      name,
      payload,
      error: refusal
        ? contractError(`${name ? `"${name}"` : "A message"} was received and is invalid`, "inbound", name, refusal)
        : undefined,
    };
  }

  return {
    decode(data, claim) {
      // JSON Schema cannot speak of bytes, so no guard runs on them.
      if (typeof data !== "string") return check(binary, data);
      const constant = constants.get(data);
      if (constant || !speaksJson) return check(constant ?? text, data);
      let payload: unknown;
      try {
        payload = JSON.parse(data);
      } catch {
        return check(text, data, "is not JSON");
      }
      if (claim(payload)) return;
      const end = walk(payload);
      if (typeof end === "string") return check(end, payload);
      // `42` and `true` are JSON by accident when they come as bare text.
      if (text && (!json || typeof payload !== "object" || !payload))
        return check(text, json || messages[text]?.format !== "any" ? data : payload);
      return end
        ? check(undefined, payload, `is ${JSON.stringify(valueAt(payload, end.path))?.slice(0, 40) ?? "missing"}`, pointer(end.path))
        : check(undefined, payload);
    },

    find(payload) {
      const end = walk(payload);
      return typeof end === "string" ? end : undefined;
    },

    encode(name, payload, asGiven) {
      const { format, guard, constants } = sends[name]!;
      const refuse = (reason: string, path = ""): never => {
        throw contractError(`"${name}" was not sent`, "outbound", name, { path, reason });
      };
      if (format === "binary") {
        if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
        return payload instanceof Uint8Array ? payload : refuse("must be bytes");
      }
      let whole = payload;
      if (constants && !asGiven && (payload === undefined || kindOf(payload) === "object")) {
        const filled: Record<string, unknown> = { ...constants, ...(payload as object) };
        // An explicit `undefined` is left out, like a property that is not there.
        for (const key in constants) if (filled[key] === undefined) filled[key] = constants[key];
        whole = filled;
      }
      if (format === "text" && typeof whole !== "string") refuse("must be a string");
      let written: string | undefined;
      try {
        written = JSON.stringify(whole);
      } catch (error) {
        refuse(`is not JSON (${error})`);
      }
      if (written === undefined) return refuse("is not JSON");
      const refusal = guard && refusalOf(guard, JSON.parse(written));
      if (refusal) refuse(refusal.reason, refusal.path);
      return typeof whole === "string" && (format === "text" || (format === "any" && !isJson(whole))) ? whole : written;
    },
  };
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // Not parsing is the answer.
  }
}
