// From a frame to a typed message: parse, find its name in the contract's tree, run the one guard that this name has.
import { ContractError, WsgenError } from "../errors.ts";
import type { Constant, DispatchNode, Format, Guard, GuardError, JsonKind, Path, ReceiveContract } from "./contract.ts";
import { pointer, valueAt } from "./path.ts";

/** Deepest nesting of JSON that is read; `[]` has depth 1. Guards of recursive schemas are recursive functions. */
export const MAX_JSON_DEPTH = 64;

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
   * - `too-deep`: JSON nested deeper than {@link MAX_JSON_DEPTH} (1008)
   * - `unknown-message`: no message of the contract looks like this (1008)
   * - `invalid-message`: it names a message, and the message's guard refuses it (1008)
   */
  readonly kind: "frame-kind" | "not-json" | "too-deep" | "unknown-message" | "invalid-message";
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

/** Reads what one side of one endpoint receives. Stateless: one decoder serves every connection. */
export interface Decoder {
  /**
   * Reads a text frame (string) or binary frame (bytes). `claim` sees parsed JSON before the tree does and returns true for what it took
   * (replies to open requests); the result is `undefined` then.
   */
  decode(data: string | Uint8Array): Decoded;
  decode(data: string | Uint8Array, claim: ((payload: unknown) => boolean) | undefined): Decoded | undefined;
  /** The name that the tree gives a JSON payload, without running a guard. */
  find(payload: unknown): string | undefined;
}

interface Leaf {
  readonly step: "leaf";
  readonly name: string;
  readonly format: Format;
  readonly guard: Guard<unknown> | undefined;
}

/** A node of the contract's tree with its lookups made ready. */
type Step =
  | Leaf
  | {
      readonly step: "constant";
      readonly path: Path;
      readonly cases: ReadonlyMap<unknown, Step>;
      readonly absent: Step | undefined;
      readonly other: Step | undefined;
    }
  | { readonly step: "presence"; readonly path: Path; readonly present: Step; readonly absent: Step | undefined }
  | { readonly step: "kind"; readonly path: Path; readonly kinds: ReadonlyMap<string, Step>; readonly absent: Step | undefined };

/** Makes ready what one side of one endpoint receives. Throws when the tree leads to a message that the contract does not have. */
export function createDecoder({ dispatch, messages }: ReceiveContract): Decoder {
  const leaf = (name: string): Leaf => {
    const message = Object.hasOwn(messages, name) ? messages[name] : undefined;
    if (message === undefined) throw new WsgenError("WSGEN_USAGE", `The contract's dispatch tree leads to "${name}", which is no message of it.`);
    return { step: "leaf", name, format: message.format, guard: message.guard };
  };
  const optional = (node: DispatchNode | undefined): Step | undefined => (node === undefined ? undefined : prepare(node));
  const prepare = (node: DispatchNode): Step => {
    if (typeof node === "string") return leaf(node);
    const { path } = node;
    const absent = optional(node.absent);
    if ("cases" in node) {
      const cases = new Map<Constant, Step>(node.cases.map(([value, then]) => [value, prepare(then)]));
      return { step: "constant", path, cases, absent, other: optional(node.other) };
    }
    if ("kinds" in node) {
      const kinds = new Map(Object.entries(node.kinds).map(([kind, then]) => [kind, prepare(then)]));
      return { step: "kind", path, kinds, absent };
    }
    return { step: "presence", path, present: prepare(node.present), absent };
  };

  const json = optional(dispatch.json);
  const text = dispatch.text === undefined ? undefined : leaf(dispatch.text);
  const binary = dispatch.binary === undefined ? undefined : leaf(dispatch.binary);
  const constants = new Map(dispatch.constants?.map(([raw, then]) => [raw, leaf(then)]));
  const speaksJson = json !== undefined || Object.values(messages).some(({ format }) => format === "json" || format === "any");
  const speaksText = speaksJson || text !== undefined || constants.size > 0;

  function decode(data: string | Uint8Array): Decoded;
  function decode(data: string | Uint8Array, claim: ((payload: unknown) => boolean) | undefined): Decoded | undefined;
  function decode(data: string | Uint8Array, claim?: (payload: unknown) => boolean): Decoded | undefined {
    if (typeof data !== "string") {
      // JSON Schema cannot speak of bytes, so no guard runs on them.
      return binary === undefined
        ? problem("frame-kind", undefined, "", "is a binary frame, and none is expected", undefined)
        : { kind: "message", name: binary.name, payload: data };
    }
    const constant = constants.size === 0 ? undefined : constants.get(data);
    if (constant !== undefined) return check(constant, data);
    if (!speaksJson) {
      if (text !== undefined) return check(text, data);
      return speaksText ? unknown(data) : problem("frame-kind", undefined, "", "is a text frame, and none is expected", undefined);
    }

    const parsed = parseJson(data);
    if (parsed.kind !== "json") return parsed.kind === "not-json" && text !== undefined ? check(text, data) : parsed;
    const payload = parsed.value;
    if (claim?.(payload)) return undefined;
    const found = json === undefined ? undefined : walk(json, payload);
    if (found !== undefined) return check(found, payload);
    if (text !== undefined) {
      if (json === undefined) return check(text, text.format === "any" ? payload : data);
      // `42` and `true` are JSON by accident when they come as bare text.
      if (typeof payload !== "object" || payload === null) return check(text, data);
    }
    return json === undefined ? unknown(payload) : explainUnknown(json, payload);
  }

  return { decode, find: (payload) => (json === undefined ? undefined : walk(json, payload)?.name) };
}

/** Follows the tree to a leaf; `undefined` when it has no exit for this payload. */
function walk(root: Step, payload: unknown): Leaf | undefined {
  let at: Step | undefined = root;
  while (at !== undefined && at.step !== "leaf") at = next(at, valueAt(payload, at.path));
  return at;
}

/** Where a node leads for the value at its path. */
function next(at: Exclude<Step, Leaf>, value: unknown): Step | undefined {
  if (value === undefined) return at.absent;
  if (at.step === "constant") return at.cases.get(value) ?? at.other;
  return at.step === "presence" ? at.present : at.kinds.get(kindOf(value));
}

function check({ name, guard }: Leaf, payload: unknown): Decoded {
  const refusal = guard === undefined ? undefined : refusalOf(guard, payload);
  return refusal === undefined ? { kind: "message", name, payload } : problem("invalid-message", name, refusal.path, refusal.reason, payload);
}

function problem(kind: DecodeProblem["kind"], name: string | undefined, path: string, reason: string, payload: unknown): DecodeProblem {
  return { kind, name, path, reason, payload };
}

function unknown(payload: unknown): DecodeProblem {
  return problem("unknown-message", undefined, "", "is no message of the contract", payload);
}

/** Walks the tree once more, off the hot path, to say where it had no exit. */
function explainUnknown(root: Step, payload: unknown): DecodeProblem {
  let at: Step | undefined = root;
  while (at !== undefined && at.step !== "leaf") {
    const value = valueAt(payload, at.path);
    const then: Step | undefined = next(at, value);
    if (then === undefined) {
      const known: readonly unknown[] = at.step === "constant" ? [...at.cases.keys()] : at.step === "kind" ? [...at.kinds.keys()] : [];
      const more = known.length > 10 ? ", …" : "";
      const expected = known.length === 0 ? "" : `; expected ${known.slice(0, 10).map(quote).join(", ")}${more}`;
      const reason = value === undefined ? "is missing" : `is ${at.step === "kind" ? kindOf(value) : quote(value)}`;
      return problem("unknown-message", undefined, pointer(at.path), reason + expected, payload);
    }
    at = then;
  }
  return unknown(payload);
}

/** Parses a text frame, no deeper than {@link MAX_JSON_DEPTH}. */
export function parseJson(text: string): { readonly kind: "json"; readonly value: unknown } | DecodeProblem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Only a SyntaxError (or, in engines that parse recursively, a RangeError) can come from here.
    return problem("not-json", undefined, "", `is not JSON: ${quote(text)}`, undefined);
  }
  if (opensDeep(text) && isDeeper(value, MAX_JSON_DEPTH)) {
    return problem("too-deep", undefined, "", `is nested deeper than ${MAX_JSON_DEPTH} levels`, undefined);
  }
  return { kind: "json", value };
}

/** Whether a text has brackets enough to be too deep; those inside strings count too, so `true` means "look closer". */
function opensDeep(text: string): boolean {
  if (text.length <= 2 * MAX_JSON_DEPTH) return false;
  let opened = 0;
  for (let at = text.indexOf("{"); at !== -1; at = text.indexOf("{", at + 1)) if (++opened > MAX_JSON_DEPTH) return true;
  for (let at = text.indexOf("["); at !== -1; at = text.indexOf("[", at + 1)) if (++opened > MAX_JSON_DEPTH) return true;
  return false;
}

function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof inner === "object" && isDeeper(inner, limit - 1)) return true;
  }
  return false;
}

/** Why a guard refuses a value: `path` is a JSON Pointer, `reason` reads on behind it. `undefined` when it accepts. */
export function refusalOf(guard: Guard<unknown>, value: unknown): { readonly path: string; readonly reason: string } | undefined {
  try {
    if (guard(value)) return undefined;
  } catch (error) {
    // Guards of recursive schemas are recursive functions: a cyclic or very deep value ends their stack.
    return { path: "", reason: `could not be checked: ${error instanceof Error ? error.message : String(error)}` };
  }
  const first = guard.errors?.[0];
  return first === undefined ? { path: "", reason: "does not match its schema" } : { path: first.instancePath, reason: explain(first) };
}

/** AJV's sentence, with the names and values that it leaves out. */
function explain({ keyword, message = `fails "${keyword}"`, params }: GuardError): string {
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    return `${message}: ${quote(params["additionalProperty"] ?? params["unevaluatedProperty"])}`;
  }
  if (keyword === "const") return `must be ${quote(params["allowedValue"])}`;
  const allowed = params["allowedValues"];
  return keyword === "enum" && Array.isArray(allowed) ? `must be one of ${allowed.slice(0, 10).map(quote).join(", ")}` : message;
}

/** One line on what is wrong and where: `/text must be string`. */
export function describe({ path, reason }: { readonly path: string; readonly reason: string }): string {
  return `${path === "" ? "the message" : path} ${reason}`;
}

/** The problem as the error that `onInvalid` and rejected requests get. */
export function inboundError(found: DecodeProblem): ContractError {
  const { name, path } = found;
  const what = name === undefined ? "A message was received" : `"${name}" was received`;
  return new ContractError({
    message: `${what} that the contract does not allow: ${describe(found)}.`,
    messageName: name,
    direction: "inbound",
    path,
  });
}

function kindOf(value: unknown): JsonKind {
  if (value === null) return "null";
  // JSON has no other types than these.
  return Array.isArray(value) ? "array" : (typeof value as JsonKind);
}

function quote(value: unknown): string {
  if (typeof value === "object" && value !== null) return kindOf(value);
  return typeof value === "string" && value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
}
