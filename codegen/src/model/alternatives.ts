// What a schema comes to without its refs and applicators: lists of plain schemas, one list for each way a value may fit.
import type { Constant } from "@wsgen/runtime/generated/server";
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { Schema } from "./keywords.ts";
import { refName } from "./schemas.ts";

/** Schemas that apply to one value together: no refs, no applicators. */
export type Alternative = readonly JsonObject[];

/** The schema behind the id or name of a ref. */
export type Resolve = (id: string) => Schema | undefined;

/** Stands for alternatives too many to look at: nothing is known then. */
const OPAQUE: JsonObject = { $comment: "more alternatives than are looked at" };

/** Beyond this many combinations a payload is taken as it comes. Real ones stay below 50. */
export const MAX_ALTERNATIVES = 256;

/** Schemas that are nothing but each other, one in the other: real ones stay below 20. Longer chains are refused (recursion.ts), and looked at no further. */
export const MAX_CHAIN = 200;

/** Expands refs, `allOf`, `anyOf` and `oneOf` of schemas that apply together. */
export function alternativesOf(schemas: readonly Schema[], resolve: Resolve, open: ReadonlySet<string> = new Set()): Alternative[] {
  let found: Alternative[] = [[]];
  for (const schema of schemas) {
    found = product(found, alternativesOfOne(schema, resolve, open));
    if (found.length === 0) return [];
  }
  return found;
}

function alternativesOfOne(schema: Schema, resolve: Resolve, open: ReadonlySet<string>): Alternative[] {
  if (typeof schema === "boolean") return schema ? [[]] : [];
  const id = refName(schema);
  if (id !== undefined) {
    const target = resolve(id);
    // Recursion without progress is reported elsewhere; here it adds nothing.
    if (open.size > MAX_CHAIN) return [[OPAQUE]];
    return target === undefined || open.has(id) ? [[]] : alternativesOfOne(target, resolve, new Set([...open, id]));
  }
  let found: Alternative[] = listed(schema).map((one) => [one]);
  const all = schema["allOf"];
  if (Array.isArray(all)) found = product(found, alternativesOf(all as readonly Schema[], resolve, open));
  for (const key of ["anyOf", "oneOf"]) {
    const some = schema[key];
    if (!Array.isArray(some)) continue;
    found = product(
      found,
      some.flatMap((inner: JsonValue) => alternativesOfOne(inner as Schema, resolve, open)),
    );
  }
  return found;
}

/** A schema that lists objects or lists is one schema for each: they have parts that can be told apart. */
function listed(schema: JsonObject): readonly JsonObject[] {
  const { enum: values, ...others } = schema;
  if (!Array.isArray(values) || values.length > MAX_ALTERNATIVES || values.every(isConstant)) return [schema];
  return values.map((value: JsonValue) => ({ ...others, const: value }));
}

function product(left: readonly Alternative[], right: readonly Alternative[]): Alternative[] {
  if (left.length * right.length > MAX_ALTERNATIVES) return left.slice(0, 1).map((alternative) => [...alternative.slice(0, 1), OPAQUE]);
  return left.flatMap((a) => right.map((b) => [...a, ...b]));
}

/** Whether an alternative stands for more of them than are looked at. */
export const isOpaque = (alternative: Alternative): boolean => alternative.includes(OPAQUE);

/** Whether messages can be told apart by a value as it stands. */
export function isConstant(value: JsonValue): value is Constant {
  return value === null || typeof value !== "object";
}
