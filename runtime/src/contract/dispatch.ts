// From a frame to a typed message: parse, find its name in the contract's tree, run the one guard that this name has.
import { ContractError, WsgenError } from "../errors.ts";
import { type Codecs, codecReceived, decodeWith, MAX_DEPTH } from "./codec.ts";
import type { DispatchEnd, DispatchNode, Format, Guard, GuardError, JsonKind, Path, ReceiveContract } from "./contract.ts";
import { pointer, valueAt } from "./path.ts";

/** A message that the contract allows. */
export interface DecodedMessage {
  readonly kind: "message";
  readonly name: string;
  readonly payload: unknown;
}

/** A frame that the contract does not allow. */
export interface DecodeProblem {
  /**
   * - `frame-kind`: binary where only text is spoken, or the reverse (close code 1003)
   * - `not-json`: text that should be JSON (1007)
   * - `not-decodable`: bytes that the codec cannot read (1007)
   * - `too-deep`: a value nested deeper than {@link MAX_DEPTH} (1008)
   * - `unknown-message`: no message of the contract looks like this (1008)
   * - `invalid-message`: it names a message, and the message's guard refuses it; or it holds what no schema can speak of (1008)
   */
  readonly kind: "frame-kind" | "not-json" | "not-decodable" | "too-deep" | "unknown-message" | "invalid-message";
  /** The message it would have been, as far as that is known. */
  readonly name: string | undefined;
  /** JSON Pointer (RFC 6901) to the offending value; empty for the whole payload. */
  readonly path: string;
  /** What is wrong with it, for people; quotes no more than 40 characters of what the peer sent. */
  readonly reason: string;
  /** The payload as far as it could be read, for the correlation id of an error message; `undefined` when it could not. */
  readonly payload: unknown;
}

/** What a frame turned out to be. */
export type Decoded = DecodedMessage | DecodeProblem;

/** Says which of some messages a payload is, before any guard has seen it; another name or `undefined` for none of them. */
export type Classify = (payload: unknown, among: readonly string[]) => string | undefined;

type Claim = ((payload: unknown) => boolean) | undefined;

/** Reads what one side of one endpoint receives. Stateless: one decoder serves every connection. */
export interface Decoder {
  /**
   * Reads a text frame (string) or binary frame (bytes). `claim` sees parsed JSON and decoded values before the tree does and returns true for what
   * it took (replies to open requests); the result is `undefined` then. `classify` is asked where the tree cannot tell and the contract says so.
   */
  decode(data: string | Uint8Array): Decoded;
  decode(data: string | Uint8Array, claim: Claim, classify?: Classify): Decoded | undefined;
  /** Whether replies may come in binary frames. */
  readonly decodes: boolean;
  /** The name that the tree gives a payload, without running a guard; `undefined` also where it depends on the kind of frame. */
  find(payload: unknown): string | undefined;
  /** Why a payload is not the message of that name, whatever the tree says. */
  check(name: string, payload: unknown): { readonly error: ContractError | undefined };
}

interface Leaf {
  readonly name: string;
  readonly format: Format;
  readonly guard: Guard<unknown> | undefined;
}

/** Messages that the tree does not tell apart. */
interface Choice {
  readonly among: readonly Leaf[];
  readonly names: readonly string[];
  readonly by: "order" | "classify";
}
type End = Leaf | Choice;

/** A node of the contract's tree with its lookups made ready: the value at `path`, or its kind, is looked up among the exits. */
interface Fork {
  readonly path: Path;
  readonly byKind: boolean;
  readonly exits: ReadonlyMap<unknown, End | Fork>;
  readonly absent: End | Fork | undefined;
  readonly other: End | Fork | undefined;
}

/** Makes ready what one side of one endpoint receives. Throws when the tree leads to a message that the contract does not have. */
export function createDecoder({ dispatch, messages }: ReceiveContract, codecs: Codecs = new Map()): Decoder {
  function leaf(name: string): Leaf {
    const message = Object.hasOwn(messages, name) ? messages[name] : undefined;
    if (message === undefined) throw new WsgenError("WSGEN_USAGE", `The contract has no message "${name}".`);
    return { name, format: message.format, guard: message.guard };
  }
  function end(node: DispatchEnd): End {
    return typeof node === "string" ? leaf(node) : { among: node.among.map(leaf), names: node.among, by: node.by };
  }
  function fork(node: DispatchNode): End | Fork {
    if (typeof node === "string" || "among" in node) return end(node);
    const byKind = "kinds" in node;
    const exits = "cases" in node ? node.cases : byKind ? Object.entries(node.kinds) : [];
    return {
      path: node.path,
      byKind,
      exits: new Map(exits.map(([value, then]) => [value, fork(then)])),
      absent: node.absent === undefined ? undefined : fork(node.absent),
      other: "present" in node ? fork(node.present) : "other" in node && node.other !== undefined ? fork(node.other) : undefined,
    };
  }

  const json = dispatch.json === undefined ? undefined : fork(dispatch.json);
  const encoded = dispatch.encoded === undefined ? undefined : fork(dispatch.encoded);
  const codec = codecReceived(messages, codecs);
  const text = dispatch.text === undefined ? undefined : end(dispatch.text);
  const binary = dispatch.binary === undefined ? undefined : end(dispatch.binary);
  const constants = dispatch.constants && new Map(dispatch.constants.map(([raw, then]) => [raw, end(then)]));
  const speaksJson = Object.values(messages).some(({ format }) => format === "json" || format === "any");

  function decode(data: string | Uint8Array): Decoded;
  function decode(data: string | Uint8Array, claim: Claim, classify?: Classify): Decoded | undefined;
  function decode(data: string | Uint8Array, claim?: Claim, classify?: Classify): Decoded | undefined {
    if (typeof data !== "string") {
      if (codec !== undefined) {
        const decoded = decodeWith(codec, data);
        return "value" in decoded ? settle(decoded.value, encoded, claim, classify) : { ...decoded, name: undefined, payload: undefined };
      }
      // JSON Schema cannot speak of bytes, so no guard runs on them.
      if (binary !== undefined) return arrive(binary, data, classify);
      return problem("frame-kind", "is a binary frame, and none is expected");
    }
    const constant = constants?.get(data);
    // It may be another message's JSON, letter for letter.
    if (constant !== undefined) return "name" in constant ? check(constant, data) : choose(constant, data, classify, parsed(data));
    if (!speaksJson) {
      if (text !== undefined) return arrive(text, data, classify);
      return constants
        ? problem("unknown-message", "is no message of the contract", data)
        : problem("frame-kind", "is a text frame, and none is expected");
    }

    const deep = opensDeep(data) && nestsDeep(data);
    // Refused unread: reading 100,000 levels takes longer than a thousand messages. (Where bare text is spoken too, it might not be JSON at all.)
    if (deep && text === undefined) return tooDeep();
    let payload: unknown;
    try {
      payload = JSON.parse(data);
    } catch {
      // Only a SyntaxError (or, in engines that parse recursively, a RangeError) can come from here.
      return text === undefined ? problem("not-json", `is not JSON: ${quote(data)}`) : arrive(text, data, classify);
    }
    if (deep) return tooDeep();
    if (claim?.(payload)) return undefined;

    const found = json && walk(json, payload);
    if (found !== undefined && !("path" in found)) return arrive(found, payload, classify);
    if (text !== undefined) {
      if (json === undefined) return arrive(text, "format" in text && text.format === "any" ? payload : data, classify);
      // `42` and `true` are JSON by accident when they come as bare text.
      if (typeof payload !== "object" || payload === null) return arrive(text, data, classify);
    }
    return found === undefined ? problem("unknown-message", "is no message of the contract", payload) : unknown(found, payload);
  }

  function find(payload: unknown): string | undefined {
    const inText = json && nameIn(json, payload);
    const inBytes = encoded && nameIn(encoded, payload);
    return inText === undefined ? inBytes : inBytes === undefined || inBytes === inText ? inText : undefined;
  }
  return {
    decode,
    find,
    check(name, payload) {
      const decoded = check(leaf(name), payload);
      return { error: decoded.kind === "message" ? undefined : inboundError(decoded) };
    },
    decodes: codec !== undefined,
  };
}

/** Where a tree leads a value that a codec decoded, unless somebody claims it. */
function settle(value: unknown, tree: End | Fork | undefined, claim: Claim, classify: Classify | undefined): Decoded | undefined {
  if (claim?.(value)) return undefined;
  const found = tree && walk(tree, value);
  if (found === undefined) return problem("unknown-message", "is no message of the contract", value);
  return "path" in found ? unknown(found, value) : arrive(found, value, classify);
}

function nameIn(tree: End | Fork, payload: unknown): string | undefined {
  const found = walk(tree, payload);
  return "name" in found ? found.name : undefined;
}

/** Follows the tree to its end, or to the fork that has no exit for this payload. */
function walk(root: End | Fork, payload: unknown): End | Fork {
  let at = root;
  while ("path" in at) {
    const value = valueAt(payload, at.path);
    const then: End | Fork | undefined = value === undefined ? at.absent : (at.exits.get(at.byKind ? kindOf(value) : value) ?? at.other);
    if (then === undefined) break;
    at = then;
  }
  return at;
}

/** What a text says; `undefined` when it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Then none of those it may be reads JSON.
    return undefined;
  }
}

function arrive(end: End, payload: unknown, classify: Classify | undefined): Decoded {
  return "name" in end ? check(end, payload) : choose(end, payload, classify);
}

/** `json`: of a bare text, what messages that are no bare text read in it. */
function choose({ among, names, by }: Choice, payload: unknown, classify: Classify | undefined, json = payload): Decoded {
  const checked = (leaf: Leaf): Decoded => check(leaf, leaf.format === "text" ? payload : json);
  const shown = () => names.map((name) => `"${name}"`).join(", ");
  if (by === "classify") {
    const named = classify?.(payload, names);
    const leaf = among.find(({ name }) => name === named);
    return leaf === undefined ? problem("unknown-message", `was classified as none of ${shown()}`, payload) : checked(leaf);
  }
  let first: DecodeProblem | undefined;
  for (const leaf of among) {
    const decoded = checked(leaf);
    if (decoded.kind === "message") return decoded;
    first ??= decoded;
  }
  return problem("invalid-message", `${first?.reason} (as ${shown()})`, payload, first?.path);
}

function check({ name, guard }: Leaf, payload: unknown): Decoded {
  const refusal = guard === undefined ? undefined : refusalOf(guard, payload);
  return refusal === undefined
    ? { kind: "message", name, payload }
    : problem("invalid-message", refusal.reason, payload, refusal.path, name);
}

function unknown({ path, byKind, exits }: Fork, payload: unknown): DecodeProblem {
  const value = valueAt(payload, path);
  const found = value === undefined ? "is missing" : `is ${byKind ? kindOf(value) : quote(value)}`;
  const known = [...exits.keys()].slice(0, 10).map(quote).join(", ");
  return problem(
    "unknown-message",
    known === "" ? found : `${found}; known: ${known}${exits.size > 10 ? ", …" : ""}`,
    payload,
    pointer(path),
  );
}

function tooDeep(): DecodeProblem {
  return problem("too-deep", `is nested deeper than ${MAX_DEPTH} levels`);
}

function problem(kind: DecodeProblem["kind"], reason: string, payload?: unknown, path = "", name?: string): DecodeProblem {
  return { kind, name, path, reason, payload };
}

/** Whether a text has brackets enough to be too deep; those inside strings count too, so `true` means "look closer". */
function opensDeep(text: string): boolean {
  const arrays = opened(text, "[", MAX_DEPTH);
  // Every object but the innermost takes five characters at least, `{"":}`, and an array two: most texts are too short to be looked at again.
  return arrays + text.length / 5 > MAX_DEPTH && arrays + opened(text, "{", MAX_DEPTH - arrays) > MAX_DEPTH;
}

/** How often a bracket is in a text; looks for no more than one over `most`. */
function opened(text: string, bracket: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(bracket); at !== -1 && count <= most; at = text.indexOf(bracket, at + 1)) count++;
  return count;
}

/** Whether a text, if it is JSON, nests too deep. Stops where it does. */
function nestsDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
  return false;
}

/** The place of the quote that ends the string which begins at `start`; the end of the text when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}

/** Why a guard refuses a value: `path` is a JSON Pointer, `reason` reads on behind it. `undefined` when it accepts. */
export function refusalOf(guard: Guard<unknown>, value: unknown): { readonly path: string; readonly reason: string } | undefined {
  try {
    if (guard(value)) return undefined;
  } catch (error) {
    // Guards of recursive schemas are recursive functions: a cyclic or very deep value ends their stack.
    return { path: "", reason: `could not be checked (${String(error)})` };
  }
  const [first] = guard.errors ?? [];
  return { path: first?.instancePath ?? "", reason: first === undefined ? "does not match its schema" : explain(first) };
}

/** AJV's sentence, with the names and values that some of them leave out. */
function explain({ keyword, message = keyword, params }: GuardError): string {
  const [detail] = /^(const|enum|additional|uneval)/.test(keyword) ? Object.values(params) : [];
  return detail === undefined ? message : `${message}: ${JSON.stringify(detail).slice(0, 200)}`;
}

/** One line on what is wrong and where: `/text must be string`. */
export function describe({ path, reason }: { readonly path: string; readonly reason: string }): string {
  return `${path || "the message"} ${reason}`;
}

/** The problem as the error that `onInvalid` and rejected requests get. */
export function inboundError(found: DecodeProblem): ContractError {
  const { name } = found;
  return contractError(`${name === undefined ? "A message" : `"${name}"`} was received and is invalid`, "inbound", name, found);
}

/** A ContractError that says what happened, where in the payload, and why. */
export function contractError(
  what: string,
  direction: ContractError["direction"],
  messageName: string | undefined,
  refusal: { readonly path: string; readonly reason: string },
  cause?: unknown,
): ContractError {
  return new ContractError(`${what}: ${describe(refusal)}.`, {
    messageName,
    direction,
    path: refusal.path,
    ...(cause === undefined ? {} : { cause }),
  });
}

function kindOf(value: unknown): JsonKind {
  // JSON has no other types than these.
  if (typeof value !== "object") return typeof value as JsonKind;
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  // To a schema, bytes are a string in `format: binary`.
  return value instanceof Uint8Array ? "string" : "object";
}

/** A value in a sentence: no more than 40 characters of a string, no more than the kind of what is larger. */
function quote(value: unknown): string {
  if (typeof value === "object" && value !== null) return kindOf(value);
  return typeof value === "string" && value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
}
