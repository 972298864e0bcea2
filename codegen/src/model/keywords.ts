// The keywords of JSON Schema draft-07: which of them hold schemas, and what each must look like. Everything that walks a schema goes by this.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { isObject } from "./tree.ts";

/** A JSON Schema. */
export type Schema = JsonObject | boolean;

type Holds = "schema" | "schemas" | "map" | "items" | "dependencies" | "value";

interface Keyword {
  readonly holds: Holds;
  /** Whether a value is well-formed, as far as this level goes. */
  readonly accepts: (value: JsonValue) => boolean;
  /** What it must be, for the diagnostic. */
  readonly wants: string;
  /** Its schemas are applied to the same value, not to a part of it: recursion through it makes no progress. */
  readonly inPlace?: boolean;
}

export const isSchema = (value: JsonValue | undefined): value is Schema => typeof value === "boolean" || isObject(value);
const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);
const schema: Keyword = { holds: "schema", accepts: isSchema, wants: "a schema" };
const schemas: Keyword = {
  holds: "schemas",
  accepts: (value) => isList(value) && value.length > 0 && value.every(isSchema),
  wants: "a list of schemas",
};
const map: Keyword = { holds: "map", accepts: isObject, wants: "an object whose values are schemas" };
const count: Keyword = {
  holds: "value",
  accepts: (value) => Number.isInteger(value) && (value as number) >= 0,
  wants: "a count, 0 or more",
};
const number: Keyword = { holds: "value", accepts: (value) => typeof value === "number", wants: "a number" };
const text: Keyword = { holds: "value", accepts: (value) => typeof value === "string", wants: "a string" };
const flag: Keyword = { holds: "value", accepts: (value) => typeof value === "boolean", wants: "true or false" };
const anything: Keyword = { holds: "value", accepts: () => true, wants: "any value" };
const list: Keyword = { holds: "value", accepts: (value) => isList(value) && value.length > 0, wants: "a list with at least one value" };
const names: Keyword = {
  holds: "value",
  accepts: (value) => isList(value) && value.every((name) => typeof name === "string"),
  wants: "a list of property names",
};

/** Every keyword of draft-07 that a normalised schema may have, in the order in which it is printed. */
export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ["title", text],
  ["description", text],
  ["deprecated", flag],
  [
    "type",
    { holds: "value", accepts: (value) => typeof value === "string" || isList(value), wants: "the name of a type or a list of them" },
  ],
  ["const", anything],
  ["enum", list],
  ["format", text],
  ["pattern", text],
  ["minLength", count],
  ["maxLength", count],
  ["contentEncoding", text],
  ["contentMediaType", text],
  ["minimum", number],
  ["maximum", number],
  ["exclusiveMinimum", number],
  ["exclusiveMaximum", number],
  ["multipleOf", { holds: "value", accepts: (value) => typeof value === "number" && value > 0, wants: "a number above 0" }],
  ["properties", map],
  ["required", names],
  ["additionalProperties", schema],
  ["patternProperties", map],
  ["propertyNames", schema],
  ["minProperties", count],
  ["maxProperties", count],
  ["dependencies", { holds: "dependencies", accepts: isObject, wants: "an object" }],
  [
    "items",
    {
      holds: "items",
      accepts: (value) => isSchema(value) || (isList(value) && value.every(isSchema)),
      wants: "a schema or a list of them",
    },
  ],
  ["additionalItems", schema],
  ["contains", schema],
  ["minItems", count],
  ["maxItems", count],
  ["uniqueItems", flag],
  ["allOf", { ...schemas, inPlace: true }],
  ["anyOf", { ...schemas, inPlace: true }],
  ["oneOf", { ...schemas, inPlace: true }],
  ["not", { ...schema, inPlace: true }],
  ["if", { ...schema, inPlace: true }],
  ["then", { ...schema, inPlace: true }],
  ["else", { ...schema, inPlace: true }],
  ["readOnly", flag],
  ["writeOnly", flag],
  ["default", anything],
  ["examples", { holds: "value", accepts: isList, wants: "a list" }],
]);

/** Keywords of other dialects and vocabularies: translated or left out on purpose, so no misspelling. */
export const FOREIGN_KEYWORDS: ReadonlySet<string> = new Set(
  (
    "$ref $id id $schema $anchor $comment $defs definitions $recursiveRef $recursiveAnchor $dynamicRef $dynamicAnchor $vocabulary nullable example " +
    "discriminator externalDocs xml prefixItems dependentRequired dependentSchemas unevaluatedProperties unevaluatedItems minContains maxContains " +
    "contentSchema name summary"
  ).split(" "),
);

/** A keyword of ours: the value is bytes, and this says how many there may be. No document can write it, for keywords that nobody knows are left out. */
export const BYTES = "x-bytes";

/** Another of ours, for guards alone: an object is no bytes. */
export const NO_BYTES = "x-no-bytes";

/** Keywords that say nothing about which values are valid. */
export const ANNOTATIONS: ReadonlySet<string> = new Set(
  "title description deprecated default examples readOnly writeOnly contentEncoding contentMediaType".split(" "),
);

/** The keywords of a schema that do say something about them. */
export const says = (schema: JsonObject): string[] => Object.keys(schema).filter((key) => !ANNOTATIONS.has(key));

/** The types that a schema names; none where it names none. */
export const typesOf = ({ type = [] }: JsonObject): readonly JsonValue[] => (isList(type) ? type : [type]);

/** A schema that allows some values and no others. */
export function constantOf(values: readonly JsonValue[]): JsonObject {
  return values.length === 1 ? { const: values[0] ?? null } : { enum: values };
}

/** A schema with every direct subschema replaced by what `replace` makes of it. */
export function mapSubschemas(value: JsonObject, replace: (schema: Schema) => Schema): JsonObject {
  const copy = emptyObject();
  for (const [key, held] of Object.entries(value)) copy[key] = mapHeld(KEYWORDS.get(key)?.holds ?? "value", held, replace);
  return copy;
}

function mapHeld(holds: Holds, held: JsonValue, replace: (schema: Schema) => Schema): JsonValue {
  if (holds === "schema" && isSchema(held)) return replace(held);
  if ((holds === "schemas" || holds === "items") && isList(held)) return held.map((item) => (isSchema(item) ? replace(item) : item));
  if (holds === "items" && isSchema(held)) return replace(held);
  if ((holds === "map" || holds === "dependencies") && isObject(held)) {
    const copy = emptyObject();
    for (const [name, item] of Object.entries(held)) copy[name] = isSchema(item) ? replace(item) : item;
    return copy;
  }
  return held;
}

/** Calls `visit` with every direct subschema, and with whether it applies to the same value as the schema itself. */
export function forEachSubschema(value: JsonObject, visit: (schema: Schema, inPlace: boolean) => void): void {
  for (const [key, held] of Object.entries(value)) {
    const keyword = KEYWORDS.get(key);
    if (keyword === undefined || keyword.holds === "value") continue;
    const inPlace = keyword.inPlace === true || keyword.holds === "dependencies";
    for (const schema of schemasIn(keyword.holds, held)) visit(schema, inPlace);
  }
}

/** The schemas that a keyword holds. */
function schemasIn(holds: Holds, held: JsonValue): readonly Schema[] {
  if (holds === "value") return [];
  if (isList(held)) return holds === "schemas" || holds === "items" ? held.filter(isSchema) : [];
  if (holds === "map" || holds === "dependencies") return isObject(held) ? Object.values(held).filter(isSchema) : [];
  return holds !== "schemas" && isSchema(held) ? [held] : [];
}

/** An object that owns any key, `__proto__` too. */
export function emptyObject(): Record<string, JsonValue> {
  // Object.create is typed `any`; without a prototype every key is an own property.
  return Object.create(null) as Record<string, JsonValue>;
}
