// Messages that are neither JSON nor text: a codec of the user's makes bytes of values and values of bytes, and between the two stands what every schema can
// speak of: JSON's values, and bytes.
import { WsgenError } from "../errors.ts";
import type { EndpointContract, MessageContract } from "./contract.ts";
import { pointer, valueAt } from "./path.ts";

/** Deepest nesting that is read; `[]` has depth 1. Guards of recursive schemas are recursive functions. */
export const MAX_DEPTH = 64;

/**
 * Reads and writes one content type (`application/cbor`, `application/msgpack`, …). Most libraries are codecs as they are:
 *
 * ```ts
 * import * as cborg from "cborg";
 * const codecs = { "application/cbor": cborg };
 * ```
 *
 * Values are what JSON has (objects, lists, text, numbers, true, false, null), and `Uint8Array`. What else a format knows (dates, maps, large integers)
 * is refused, whatever the schema says; a codec that is to speak of it makes something else of it here.
 */
export interface Codec {
  /** Gives bytes that nobody changes any more. What it throws refuses the message. */
  encode(value: unknown): Uint8Array;
  /** Throws when the bytes are no value. */
  decode(bytes: Uint8Array): unknown;
}

/** The codecs of one endpoint, by content type. */
export type Codecs = ReadonlyMap<string, Codec>;

/** The codecs that an endpoint needs. Throws WSGEN_USAGE when one of them was not given, or is none. */
export function prepareCodecs(label: string, { receives, sends }: EndpointContract, given: object | undefined): Codecs {
  const needed = new Set(
    [receives.messages, sends].flatMap((messages) => Object.values(messages).flatMap(({ contentType }) => contentType ?? [])),
  );
  return new Map([...needed].map((type) => [type, codecOf(label, type, given)]));
}

function codecOf(label: string, type: string, given: object | undefined): Codec {
  const codec = valueAt(given, [type]) as Partial<Codec> | undefined;
  if (typeof codec?.encode === "function" && typeof codec.decode === "function") return codec as Codec;
  const name = JSON.stringify(type);
  throw new WsgenError("WSGEN_USAGE", `${label} speaks ${type}: add codecs: { ${name}: { encode(value): bytes, decode(bytes): value } }.`);
}

/** The codec of the binary frames that one side receives; `undefined` where they are not encoded. A contract has one for each direction. */
export function codecReceived(messages: Readonly<Record<string, MessageContract>>, codecs: Codecs): Codec | undefined {
  for (const { contentType } of Object.values(messages)) if (contentType !== undefined) return codecs.get(contentType);
  return undefined;
}

/** Why a value cannot be a message. `path` is a JSON Pointer, `reason` reads on behind it. */
export interface Refusal {
  readonly kind: "not-decodable" | "too-deep" | "invalid-message";
  readonly path: string;
  readonly reason: string;
}

/** What bytes say, or why they are refused. */
export function decodeWith(codec: Codec, bytes: Uint8Array): { readonly value: unknown } | Refusal {
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch {
    // Its own words are about the peer's bytes.
    return { kind: "not-decodable", path: "", reason: "could not be decoded" };
  }
  // Each value takes a byte. Where there are more, parts are referred to several times, and 64 levels of that are more than anybody can walk.
  return refuseForeign(value, { values: bytes.length }) ?? { value };
}

/** The bytes of a value. Throws what the codec throws. */
export function encodeWith(codec: Codec, value: unknown): Uint8Array {
  const bytes: unknown = codec.encode(value);
  if (bytes instanceof Uint8Array) return bytes;
  throw new TypeError("its codec gave no Uint8Array");
}

/** A payload as its receiver will read it, as JSON.stringify would have it: what `toJSON` gives, own properties, none that is `undefined`. Bytes stay. */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === "function") return plain(toJSON.call(value));
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (inner === undefined ? [] : [[name, plain(inner)]])));
}

/** Finds what no schema can speak of, and nesting too deep for one. Goes through no more than so many `values`. */
export function refuseForeign(value: unknown, left = { values: Number.POSITIVE_INFINITY }, depth = 0): Refusal | undefined {
  if (--left.values < 0) return refusal("holds a part several times over");
  if (typeof value !== "object") return strange.has(typeof value) ? refusal(`is a ${typeof value}`) : undefined;
  if (value === null || value instanceof Uint8Array) return undefined;
  if (depth === MAX_DEPTH) return { kind: "too-deep", path: "", reason: `is nested deeper than ${MAX_DEPTH} levels` };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = refuseForeign(value[index], left, depth + 1);
      if (found !== undefined) return below(index, found);
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // A prototype of the peer's own would lend its properties to the guard.
  if (prototype !== Object.prototype && prototype !== null) return refusal(`is no plain object${nameOf(value)}`);
  for (const name in value) {
    const found = refuseForeign((value as Readonly<Record<string, unknown>>)[name], left, depth + 1);
    if (found !== undefined) return below(name, found);
  }
  return undefined;
}

/** How deep says enough where it is the depth that is wrong. */
const below = (step: string | number, found: Refusal): Refusal =>
  found.kind === "too-deep" ? found : { ...found, path: `${pointer([step])}${found.path}` };

/** Types of JavaScript that JSON has nothing for. `undefined` is a property that is not there. */
const strange: ReadonlySet<string> = new Set(["bigint", "function", "symbol"]);

const refusal = (reason: string): Refusal => ({ kind: "invalid-message", path: "", reason });

/** ` (Date)`. */
function nameOf(value: object): string {
  const { constructor: made } = value;
  return typeof made === "function" && made.name !== "" ? ` (${made.name.slice(0, 40)})` : "";
}
