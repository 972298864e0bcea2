// From a payload to what goes on the wire: fill in what the document fixes, check, then make text or bytes of it.
import { ContractError } from "../errors.ts";
import type { Constant, MessageContract, Path } from "./contract.ts";
import { describe, refusalOf } from "./dispatch.ts";
import { withValueAt } from "./path.ts";

/** A payload whose sender may leave out `K`: constants and correlation ids, which are filled in. Distributes over unions. */
export type Optional<T, K extends PropertyKey> = T extends unknown
  ? { [P in keyof T as P extends K ? never : P]: T[P] } & { [P in keyof T as P extends K ? P : never]?: T[P] | undefined }
  : never;

/** The id that ties a reply to its request, and where it goes. */
export interface Correlation {
  readonly path: Path;
  readonly id: unknown;
}

/**
 * Makes a message ready for the wire: text as a string, binary as bytes. Constants are filled in, then the correlation id, then the guard
 * decides. The caller's payload is not changed.
 *
 * @throws ContractError (outbound) with message name, JSON Pointer and reason.
 */
export type Encode = (payload: unknown, correlation?: Correlation) => string | Uint8Array;

/** An encoder for every message that one side of one endpoint sends. Stateless: one set serves every connection. */
export function createEncoders(sends: Readonly<Record<string, MessageContract>>): ReadonlyMap<string, Encode> {
  return new Map(Object.entries(sends).map(([name, message]) => [name, createEncoder(name, message)]));
}

/** The encoder of one message. */
export function createEncoder(name: string, { format, guard, constants }: MessageContract): Encode {
  const fixed = constants === undefined ? [] : Object.entries(constants);

  return (payload, correlation) => {
    if (format === "binary") {
      if (payload instanceof Uint8Array) return payload;
      if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
      throw outboundError(name, { path: "", reason: "must be a Uint8Array or ArrayBuffer" });
    }
    let complete = lacks(payload, fixed) ? { ...constants, ...(payload as object | undefined) } : payload;
    if (complete !== payload) restore(complete as Record<string, unknown>, fixed);
    if (correlation !== undefined) complete = withValueAt(complete, correlation.path, correlation.id);

    const refusal = guard === undefined ? undefined : refusalOf(guard, complete);
    if (refusal !== undefined) throw outboundError(name, refusal);
    if (typeof complete === "string" && (format === "text" || (format === "any" && !isJson(complete)))) return complete;
    if (format === "text") throw outboundError(name, { path: "", reason: "must be a string" });
    return stringify(name, complete);
  };
}

/** Whether a payload that is an object, or nothing at all, leaves a constant out. */
function lacks(payload: unknown, fixed: readonly (readonly [string, Constant])[]): boolean {
  if (fixed.length === 0 || payload === null || (typeof payload !== "object" && payload !== undefined) || Array.isArray(payload)) return false;
  if (payload === undefined) return true;
  for (const [key] of fixed) {
    if (!Object.hasOwn(payload, key) || (payload as Record<string, unknown>)[key] === undefined) return true;
  }
  return false;
}

/** An explicit `undefined` is left out like a property that is not there. */
function restore(copy: Record<string, unknown>, fixed: readonly (readonly [string, Constant])[]): void {
  for (const [key, value] of fixed) if (copy[key] === undefined) copy[key] = value;
}

function stringify(name: string, payload: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw outboundError(name, { path: "", reason: `is not JSON: ${error instanceof Error ? error.message : String(error)}` }, error);
  }
  if (text === undefined) throw outboundError(name, { path: "", reason: `is not JSON: ${typeof payload}` });
  return text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Not parsing is the answer.
    return false;
  }
}

function outboundError(name: string, refusal: { readonly path: string; readonly reason: string }, cause?: unknown): ContractError {
  return new ContractError({
    message: `"${name}" was not sent, because the contract does not allow it: ${describe(refusal)}.`,
    messageName: name,
    direction: "outbound",
    path: refusal.path,
    cause,
  });
}
