// From a payload to what goes on the wire: fill in what the document fixes, check, then make text or bytes of it.
import type { MessageContract, Path } from "./contract.ts";
import { contractError, refusalOf } from "./dispatch.ts";
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
 * decides. The caller's payload is not changed. `asGiven` fills in no constants: where they say which message the payload is.
 *
 * @throws ContractError (outbound) with message name, JSON Pointer and reason.
 */
export type Encode = (payload: unknown, correlation?: Correlation, asGiven?: boolean) => string | Uint8Array;

/** An encoder for every message that one side of one endpoint sends. Stateless: one set serves every connection. */
export function createEncoders(sends: Readonly<Record<string, MessageContract>>): ReadonlyMap<string, Encode> {
  return new Map(Object.entries(sends).map(([name, message]) => [name, createEncoder(name, message)]));
}

/** The encoder of one message. */
export function createEncoder(name: string, { format, guard, constants }: MessageContract): Encode {
  const refuse = (reason: string, path = "", cause?: unknown): never => {
    throw contractError(`"${name}" was not sent`, "outbound", name, { path, reason }, cause);
  };

  const notJson = (error: unknown): never => refuse(`is not JSON (${String(error)})`, "", error);

  return (payload, correlation, asGiven) => {
    if (format === "binary") {
      if (payload instanceof Uint8Array) return payload;
      return payload instanceof ArrayBuffer ? new Uint8Array(payload) : refuse("must be a Uint8Array or ArrayBuffer");
    }
    const complete = fill(asSerialised(payload, notJson), asGiven ? undefined : constants, correlation);
    const refusal = guard === undefined ? undefined : refusalOf(guard, complete);
    if (refusal !== undefined) return refuse(refusal.reason, refusal.path);
    if (format === "text" || (format === "any" && typeof complete === "string" && !isJson(complete))) {
      return typeof complete === "string" ? complete : refuse("must be a string");
    }
    let json: string | undefined;
    try {
      json = JSON.stringify(complete);
    } catch (error) {
      return notJson(error);
    }
    return json ?? refuse("is not JSON");
  };
}

/** The guard must see what goes on the wire: where something in a payload serialises as something else (a Date, an ORM's document), that. */
function asSerialised(payload: unknown, notJson: (error: unknown) => never): unknown {
  try {
    return changesWhenSerialised(payload) ? JSON.parse(JSON.stringify(payload)) : payload;
  } catch (error) {
    return notJson(error);
  }
}

/** Whether anything in a value has a `toJSON`. A cycle ends the stack, which the caller catches. */
function changesWhenSerialised(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(changesWhenSerialised);
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") return true;
  for (const name in value) if (changesWhenSerialised((value as Record<string, unknown>)[name])) return true;
  return false;
}

/** The payload itself when it has everything, else a copy. A wrong constant stays, for the guard to refuse. */
function fill(payload: unknown, constants: MessageContract["constants"], correlation: Correlation | undefined): unknown {
  let copy: Record<string, unknown> | undefined;
  if (payload === undefined || (typeof payload === "object" && payload !== null && !Array.isArray(payload))) {
    for (const name in constants) {
      // An explicit `undefined` is left out, like a property that is not there.
      if (payload !== undefined && Object.hasOwn(payload, name) && (payload as Record<string, unknown>)[name] !== undefined) continue;
      copy ??= { ...constants, ...payload };
      copy[name] = constants[name];
    }
  }
  if (correlation === undefined) return copy ?? payload;
  const { path, id } = correlation;
  if (copy === undefined || path.length !== 1 || typeof path[0] !== "string") return withValueAt(copy ?? payload, path, id);
  copy[path[0]] = id;
  return copy;
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
