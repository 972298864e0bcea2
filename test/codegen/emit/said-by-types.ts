// What of a schema a TypeScript type can say, as a schema again: the rest is left out. So AJV can be asked what a type has to refuse.
import { mapSubschemas } from "../../../codegen/src/model/keywords.ts";

type Schema = boolean | { readonly [keyword: string]: unknown };

/** Keywords by which a schema without `type` means values of one kind: types say so, guards do as JSON Schema says. */
const SPEAKS_OF: Readonly<Record<string, readonly string[]>> = {
  object: [
    ...["properties", "required", "additionalProperties", "patternProperties", "propertyNames"],
    ...["minProperties", "maxProperties", "dependencies"],
  ],
  array: ["items", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems"],
  string: ["pattern", "minLength", "maxLength"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
};

/** A schema with the kind written where it is only meant. */
export function withMeantKinds(schema: Schema): Schema {
  if (typeof schema === "boolean" || "$ref" in schema) return schema;
  const meant = Object.keys(SPEAKS_OF).filter((kind) => SPEAKS_OF[kind]?.some((key) => key in schema));
  const inner = mapSubschemas(schema as never, (held) => withMeantKinds(held) as never) as Record<string, unknown>;
  return "type" in schema || meant.length === 0 || "const" in schema || "enum" in schema ? inner : { ...inner, type: meant };
}

/**
 * What the type of a schema has to refuse.
 *
 * @param mixed whether intersections are among the types: in one, TypeScript takes a list for an object whose properties are all optional
 */
export function saidByTypes(schema: Schema, mixed = false): Schema {
  if (typeof schema === "boolean" || "$ref" in schema) return schema;
  const { type, not, oneOf, anyOf, properties, required, additionalProperties, items, minItems, additionalItems, maxItems } = schema;
  const values = "const" in schema ? [schema["const"]] : (schema["enum"] as unknown[] | undefined);
  if (values !== undefined) return { allOf: [{ anyOf: values.map(exact) }, type === undefined ? true : { type }] };
  if (not === true) return false;
  const all = (list: unknown): Schema[] => (list as Schema[]).map((inner) => saidByTypes(inner, mixed));
  const kinds = withMeantKinds(Object.fromEntries(Object.entries(schema).filter(([key]) => !APPLICATORS.has(key)))) as { type?: unknown };
  const said: Record<string, unknown> = { ...(kinds.type !== undefined && { type: [kinds.type].flat().map(numberForInteger) }) };
  if (mixed && Array.isArray(said["type"]) && said["type"].includes("object") && !(Array.isArray(required) && required.length > 0))
    said["type"] = [...new Set([...said["type"], "array"])];
  const parts: Schema[] = [];
  for (const list of [anyOf, oneOf]) {
    // Where one alternative only narrows what stands beside it, the others are not all there is.
    if (Array.isArray(list) && !list.some((member) => narrowsOnly(member as Schema))) parts.push({ anyOf: all(list) });
  }
  if (Array.isArray(schema["allOf"])) parts.push(...all(schema["allOf"]));
  if (properties !== undefined)
    said["properties"] = Object.fromEntries(
      Object.entries(properties as object).map(([name, held]) => [name, saidByTypes(held as Schema, mixed)]),
    );
  if (required !== undefined) said["required"] = required;
  // An index signature counts the named properties among its own, and names of patterns are not said.
  if (properties === undefined && schema["patternProperties"] === undefined && required === undefined && additionalProperties !== undefined)
    said["additionalProperties"] = saidByTypes(additionalProperties as Schema, mixed);
  if (Array.isArray(items)) {
    said["items"] = all(items);
    if (additionalItems !== undefined) said["additionalItems"] = saidByTypes(additionalItems as Schema, mixed);
    if (typeof minItems === "number") said["minItems"] = Math.min(minItems, items.length);
    if (typeof maxItems === "number" && maxItems <= items.length) said["maxItems"] = maxItems;
  } else if (items !== undefined) said["items"] = saidByTypes(items as Schema, mixed);
  return parts.length === 0 ? said : { ...said, allOf: parts };
}

const APPLICATORS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "not", "if", "then", "else"]);
const numberForInteger = (kind: unknown): unknown => (kind === "integer" ? "number" : kind);
const NARROWING: ReadonlySet<string> = new Set([
  ...["required", "not", "minProperties", "maxProperties", "if", "then", "else", "dependencies", "propertyNames"],
]);
const narrowsOnly = (schema: Schema): boolean => typeof schema !== "boolean" && Object.keys(schema).every((key) => NARROWING.has(key));

/** A value as a type has it: what else an object holds, a type lets through. */
function exact(value: unknown): Schema {
  if (Array.isArray(value)) return { type: "array", items: value.map(exact), minItems: value.length, maxItems: value.length };
  if (typeof value !== "object" || value === null) return { const: value };
  const entries = Object.entries(value);
  return {
    type: "object",
    required: entries.map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, inner]) => [name, exact(inner)])),
    ...(entries.length === 0 && { additionalProperties: false }),
  };
}
