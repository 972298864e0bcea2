// Reads the keywords of one schema, for those who write it down as a type or a value.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { BYTES, isSchema, type Schema, says } from "../model/keywords.ts";
import { refName } from "../model/schemas.ts";
import { isObject, stringsOf } from "../model/tree.ts";

/** Keywords that only speak of values of one kind. */
export const SPEAKS_OF: ReadonlyMap<string, string> = new Map([
  ...[
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependencies",
  ].map((key) => [key, "object"] as const),
  ...["items", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems"].map((key) => [key, "array"] as const),
  ...["pattern", "minLength", "maxLength"].map((key) => [key, "string"] as const),
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].map((key) => [key, "number"] as const),
]);

/** The kinds of value that a schema means: those it names, else those its keywords speak of; `undefined` when it says nothing. */
export function kindsOf(schema: JsonObject): readonly string[] | undefined {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return stringsOf(type);
  if (BYTES in schema) return [BYTES];
  const spoken = Object.keys(schema).flatMap((key) => SPEAKS_OF.get(key) ?? []);
  return spoken.length === 0 ? undefined : [...new Set(spoken)];
}

export const isKind = (schema: JsonObject, kind: string): boolean => kindsOf(schema)?.every((found) => found === kind) ?? false;

/** Whether a schema only narrows what others say: which properties must be there, how many, not what they are. */
export function isConstraint(schema: Schema): boolean {
  return typeof schema !== "boolean" && says(schema).every((key) => CONSTRAINTS.has(key));
}
const CONSTRAINTS: ReadonlySet<string> = new Set([
  "required",
  "not",
  "minProperties",
  "maxProperties",
  "if",
  "then",
  "else",
  "dependencies",
  "propertyNames",
]);

/** Every value that a schema lists, as far as its own keywords agree; `undefined` where it lists none. */
export function listedValues(schema: JsonObject): readonly JsonValue[] | undefined {
  const { enum: values, type } = schema;
  const list: readonly JsonValue[] | undefined = Array.isArray(values) ? values : undefined;
  if (!Object.hasOwn(schema, "const")) return list && allowedValues(list, type);
  const constant = schema["const"] ?? null;
  const agrees = list?.some((value) => JSON.stringify(value) === JSON.stringify(constant)) ?? true;
  return agrees ? allowedValues([constant], type) : [];
}

/** Values of an `enum` that its `type` lets through. */
export function allowedValues(values: readonly JsonValue[], type: JsonValue | undefined): readonly JsonValue[] {
  const types = typeof type === "string" ? [type] : Array.isArray(type) ? stringsOf(type) : undefined;
  return types === undefined ? values : values.filter((value) => types.some((name) => isOfType(value, name)));
}

function isOfType(value: JsonValue, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

/** Where a schema lists what else a value may be. */
export const ALTERNATIVES = ["anyOf", "oneOf"];

/** Whether a schema, or one that has to hold with it, refuses everything in so many words. */
export function allowsNothing(schema: Schema): boolean {
  if (typeof schema === "boolean") return !schema;
  const { not, allOf } = schema;
  if (not === true || (not !== undefined && isObject(not) && says(not).length === 0)) return true;
  return Array.isArray(allOf) && allOf.some((part: JsonValue) => isSchema(part) && allowsNothing(part));
}

/** Splits off what stands in `allOf`: inline members that are merged with the schema itself, and others (refs, schemas with alternatives). */
export function flattened(schema: JsonObject): { readonly inline: readonly JsonObject[]; readonly others: readonly JsonObject[] } {
  const inline: JsonObject[] = [];
  const others: JsonObject[] = [];
  const { allOf, ...own } = schema;
  for (const part of Array.isArray(allOf) ? (allOf as readonly JsonValue[]) : []) {
    if (!isObject(part)) continue;
    const mergeable = refName(part) === undefined && !["const", "enum"].some((key) => Object.hasOwn(part, key)) && !speaksOfTheRest(part);
    if (!mergeable) others.push(part);
    else {
      const inner = flattened(part);
      inline.push(...inner.inline);
      others.push(...inner.others);
    }
  }
  // What it says of the properties that it does not name, it says of those that others name.
  if (speaksOfTheRest(own) && inline.some((part) => PROPERTIES.some((key) => part[key] !== undefined))) others.unshift(own);
  else inline.unshift(own);
  return { inline, others };
}

const PROPERTIES = ["properties", "required", "additionalProperties", "patternProperties"];

function speaksOfTheRest({ properties, additionalProperties, patternProperties }: JsonObject): boolean {
  if ([additionalProperties, patternProperties].some((held) => held !== undefined && isObject(held))) return true;
  return additionalProperties === false && Object.keys(Object(properties ?? null)).length === 0;
}

export const declares = ({ properties }: JsonObject, name: string): boolean =>
  isObject(properties ?? null) && Object.hasOwn(Object(properties), name);
