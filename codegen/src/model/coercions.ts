// How the strings of a handshake become what a schema says of each: the query knows nothing but text, and lists by saying a name again.
import type { Coercion } from "@wsgen/runtime/generated/server";
import type { JsonObject } from "../document/document.ts";
import { type Alternative, alternativesOf, type Resolve } from "./alternatives.ts";
import type { Schema } from "./keywords.ts";
import { isWhole, kindsOfAll, membersSchemas, stepsOf } from "./shape.ts";

/** A property that (some or all) values can never reach. */
export interface CoercionProblem {
  readonly name: string;
  /** Continues "The query parameter `x` …". */
  readonly why: string;
}

export interface Coercions {
  /** Properties that stay strings are not in it. */
  readonly coerce: { readonly [name: string]: Coercion };
  readonly problems: readonly CoercionProblem[];
  /** Every property that is named. */
  readonly names: readonly string[];
}

type Single = Extract<Coercion, "integer" | "number" | "boolean" | "numberOrBoolean">;

/** What one text may mean; "text" when it is a string, `undefined` when it can mean nothing. */
type Scalar = Single | "text" | undefined;

const LISTS: Readonly<Record<Single | "text", Coercion>> = {
  text: "strings",
  integer: "integers",
  number: "numbers",
  boolean: "booleans",
  numberOrBoolean: "numbersOrBooleans",
};

/** The coercions of an object's properties, those behind refs, `allOf`, `anyOf` and `oneOf` included. */
export function coercionsOf(schema: JsonObject, resolve: Resolve): Coercions {
  const coerce: { [name: string]: Coercion } = {};
  const problems: CoercionProblem[] = [];
  const outer = alternativesOf([schema], resolve);
  const steps = new Set(outer.flatMap((alternative) => alternative.flatMap(stepsOf)));
  const names = [...steps].filter((step) => typeof step === "string");
  for (const name of names) {
    const inner = outer.flatMap((alternative) => {
      const declared = membersSchemas(alternative, name);
      return declared.length === 0 ? [] : alternativesOf(declared, resolve);
    });
    if (inner.length === 0) continue;
    const { coercion, why } = coercionOf(inner, resolve);
    if (why !== undefined) problems.push({ name, why });
    if (coercion !== undefined)
      Object.defineProperty(coerce, name, { value: coercion, enumerable: true, configurable: true, writable: true });
  }
  return { coerce, problems, names };
}

function coercionOf(alternatives: readonly Alternative[], resolve: Resolve): { readonly coercion?: Coercion; readonly why?: string } {
  const scalar = scalarOf(alternatives);
  const lists = alternatives.filter((alternative) => kindsOfAll(alternative).has("array"));
  // What may be anything is a string, or strings when it is said again.
  const open = alternatives.some((alternative) => kindsOfAll(alternative).size === 6);
  if (scalar !== undefined && (lists.length === 0 || open)) return scalar === "text" ? {} : { coercion: scalar };
  if (lists.length === 0) return { why: "can never be valid: no text means an object or `null`" };
  const item = scalarOf(lists.flatMap((alternative) => itemsOf(alternative, resolve)));
  if (scalar === undefined) {
    return item === undefined
      ? { why: "can never be valid: no text means an object, a list or `null` in a list" }
      : { coercion: LISTS[item] };
  }
  const coercion = scalar === "text" ? {} : { coercion: scalar };
  return item === scalar
    ? coercion
    : { ...coercion, why: "cannot be a list: its items would have to be read in another way than a single value" };
}

/** Where a free string is possible, one string cannot be read in two ways. */
function scalarOf(alternatives: readonly Alternative[]): Scalar {
  const kinds = alternatives.map((alternative) => ({ alternative, kinds: kindsOfAll(alternative) }));
  const strings = kinds.filter((one) => one.kinds.has("string"));
  if (strings.some(({ alternative }) => !alternative.some((schema) => "const" in schema || "enum" in schema))) return "text";
  const numbers = kinds.filter((one) => one.kinds.has("number"));
  const boolean = kinds.some((one) => one.kinds.has("boolean"));
  if (numbers.length > 0 && boolean) return "numberOrBoolean";
  if (numbers.length > 0) return numbers.every(({ alternative }) => alternative.some(isWhole)) ? "integer" : "number";
  return boolean ? "boolean" : strings.length > 0 ? "text" : undefined;
}

/** What the items of a list may be; anything, where nothing is said. */
function itemsOf(alternative: Alternative, resolve: Resolve): readonly Alternative[] {
  const tuple = alternative.flatMap(({ items }) => (Array.isArray(items) ? (items as readonly Schema[]) : []));
  if (tuple.length > 0) return tuple.flatMap((item) => alternativesOf([item], resolve));
  // Normalised schemas hold schemas there.
  return alternativesOf(
    alternative.flatMap(({ items }) => (items === undefined ? [] : [items as Schema])),
    resolve,
  );
}
