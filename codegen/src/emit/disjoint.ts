// Tells whether alternatives exclude each other.
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject } from "../model/tree.ts";

type Definitions = ReadonlyMap<string, TypeDefinition>;

/** Whether it is certain that no value is of two schemas: they are of different kinds, or have different constants in one required property. */
export function areDisjoint(schemas: readonly JsonValue[], definitions: Definitions): boolean {
  const resolved = schemas.map((schema) => resolve(schema, definitions));
  return resolved.every((one, index) => resolved.slice(index + 1).every((other) => isDisjoint(one, other, definitions)));
}

function isDisjoint(one: JsonObject | undefined, other: JsonObject | undefined, definitions: Definitions): boolean {
  if (one === undefined || other === undefined) return false;
  const [a, b] = [kind(one), kind(other)];
  if (a === undefined || b === undefined) return false;
  if (a !== b) return true;
  if (a !== "object") return false;
  const required = [one, other].map((schema) => (Array.isArray(schema["required"]) ? (schema["required"] as readonly JsonValue[]) : []));
  return (required[0] ?? []).some((name) => {
    if (typeof name !== "string" || required[1]?.includes(name) !== true) return false;
    const [left, right] = [one, other].map((schema) => constants(schema, name, definitions));
    return left !== undefined && right !== undefined && left.every((value) => !right.includes(value));
  });
}

/** The scalars that a property may be; `undefined` when it may be something else. */
function constants(schema: JsonObject, name: string, definitions: Definitions): readonly JsonValue[] | undefined {
  const { properties } = schema;
  const property = isObject(properties) && Object.hasOwn(properties, name) ? resolve(properties[name] ?? null, definitions) : undefined;
  if (property === undefined) return undefined;
  const values = Object.hasOwn(property, "const") ? [property["const"] ?? null] : property["enum"];
  const list = Array.isArray(values) ? (values as readonly JsonValue[]) : undefined;
  return list?.every((value) => value === null || typeof value !== "object") === true ? list : undefined;
}

function kind(schema: JsonObject): string | undefined {
  const { type } = schema;
  return type === "integer" ? "number" : typeof type === "string" ? type : undefined;
}

/** The schema behind a ref; `undefined` when it is a boolean or none. */
export function resolve(schema: JsonValue, definitions: Definitions, hops = 20): JsonObject | undefined {
  if (!isObject(schema) || hops === 0) return undefined;
  const ref = refName(schema);
  return ref === undefined ? schema : resolve(definitions.get(ref)?.schema ?? true, definitions, hops - 1);
}
