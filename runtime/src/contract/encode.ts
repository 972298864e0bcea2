// From a payload to what goes on the wire: fill in what the document fixes, check, then make text or bytes of it.
import { type Codec, type Codecs, encodeWith, plain, refuseForeign } from "./codec.ts";
import type { MessageContract, Path } from "./contract.ts";
import { contractError, refusalOf } from "./dispatch.ts";
import { type Nature, natureOf, stringifyWordy } from "./json.ts";
import type { Optional as OptionalOf } from "./optional.ts";
import { withValueAt } from "./path.ts";
import { refusalAsOther } from "./unlike.ts";

/** A payload whose sender may leave out `K`: constants and correlation ids, which are filled in. Distributes over unions. */
export type Optional<T, K extends PropertyKey> = T extends unknown ? OptionalOf<T, K> : never;

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
export function createEncoders(sends: Readonly<Record<string, MessageContract>>, codecs: Codecs = new Map()): ReadonlyMap<string, Encode> {
  return new Map(Object.entries(sends).map(([name, message]) => [name, createEncoder(name, message, codecs)]));
}

/** The encoder of one message. */
export function createEncoder(name: string, message: MessageContract, codecs: Codecs = new Map()): Encode {
  const codec = message.contentType === undefined ? undefined : codecs.get(message.contentType);
  if (codec !== undefined) return createValueEncoder(name, message, codec);
  const { format, guard, constants, unlike } = message;
  const refuse = refuseAs(name);
  const notJson = (error: unknown): never => refuse(`is not JSON (${String(error)})`, "", error);

  return (payload, correlation, asGiven) => {
    if (format === "binary") {
      if (payload instanceof Uint8Array) return payload;
      return payload instanceof ArrayBuffer ? new Uint8Array(payload) : refuse("must be a Uint8Array or ArrayBuffer");
    }
    let nature: Nature;
    let serialised = payload;
    try {
      nature = natureOf(payload);
      // The guard must see what goes on the wire, where that is something else (of a Date, a function, NaN, a property that is undefined).
      if (nature === "foreign") serialised = JSON.parse(JSON.stringify(payload));
    } catch (error) {
      return notJson(error);
    }
    const complete = fill(serialised, asGiven ? undefined : constants, correlation);
    const refusal = (guard && refusalOf(guard, complete)) ?? (unlike && refusalAsOther(unlike, complete));
    if (refusal !== undefined) return refuse(refusal.reason, refusal.path);
    if (format === "text" || (format === "any" && typeof complete === "string" && !isJson(complete))) {
      return typeof complete === "string" ? complete : refuse("must be a string");
    }
    let json: string | undefined;
    try {
      json = nature === "wordy" ? stringifyWordy(complete) : JSON.stringify(complete);
    } catch (error) {
      return notJson(error);
    }
    return json ?? refuse("is not JSON");
  };
}

const refuseAs =
  (name: string) =>
  (reason: string, path = "", cause?: unknown): never => {
    throw contractError(`"${name}" was not sent`, "outbound", name, { path, reason }, cause);
  };

/** The encoder of a message that a codec writes. */
export function createValueEncoder(name: string, { guard, constants, unlike }: MessageContract, codec: Codec): Encode {
  const refuse = refuseAs(name);
  const cannot = (error: unknown): never => refuse(`cannot be encoded (${String(error)})`, "", error);

  return (payload, correlation, asGiven) => {
    let complete: unknown;
    try {
      complete = fill(plain(payload), asGiven ? undefined : constants, correlation);
    } catch (error) {
      // It holds itself, or its `toJSON` throws.
      return cannot(error);
    }
    const refusal = refuseForeign(complete) ?? (guard && refusalOf(guard, complete)) ?? refusalAsOther(unlike, complete);
    if (refusal !== undefined) return refuse(refusal.reason, refusal.path);
    try {
      return encodeWith(codec, complete);
    } catch (error) {
      return cannot(error);
    }
  };
}

/** The payload itself when there is nothing to fill in, else a copy. A wrong constant stays, for the guard to refuse. */
function fill(payload: unknown, constants: MessageContract["constants"], correlation: Correlation | undefined): unknown {
  const complete = constants === undefined || !takesProperties(payload) ? payload : withConstants(payload, constants);
  if (correlation === undefined) return complete;
  const { path, id } = correlation;
  if (complete === payload || path.length !== 1 || typeof path[0] !== "string") return withValueAt(complete, path, id);
  (complete as Record<string, unknown>)[path[0]] = id; // It is our own copy.
  return complete;
}

function takesProperties(payload: unknown): payload is Readonly<Record<string, unknown>> | undefined {
  return payload === undefined || (typeof payload === "object" && payload !== null && !Array.isArray(payload));
}

type Constants = NonNullable<MessageContract["constants"]>;

/** Constants that are filled in come first on the wire. An explicit `undefined` is filled in, like a property that is not there. */
function withConstants(payload: Readonly<Record<string, unknown>> | undefined, constants: Constants): unknown {
  if (payload !== undefined && hasConstants(payload, constants)) return payload;
  // Spreading `constants` here takes V8 about 1.5 µs, because its copies share no shape with each other; assigning takes 0.06 µs.
  let complete: Record<string, unknown> = Object.assign({}, constants, payload);
  // Where a property is called `__proto__`, as JSON's can be, assigning is not copying.
  if (Object.getPrototypeOf(complete) !== Object.prototype || Object.hasOwn(constants, "__proto__"))
    complete = { ...constants, ...payload };
  for (const name in constants) if (complete[name] === undefined) complete[name] = constants[name];
  return complete;
}

/** What somebody else sent, and is sent on, has them already. */
function hasConstants(payload: Readonly<Record<string, unknown>>, constants: Constants): boolean {
  for (const name in constants) if (payload[name] !== constants[name]) return false;
  return true;
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
