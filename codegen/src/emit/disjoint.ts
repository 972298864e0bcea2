// Tells whether alternatives exclude each other.
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { listedValues, requires } from "../model/shape.ts";
import { isObject, property, stringsAt } from "../model/tree.ts";

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
  return stringsAt(one, "required").some((name) => {
    if (!requires(other, name)) return false;
    const [left, right] = [one, other].map((schema) => constants(schema, name, definitions));
    return left !== undefined && right !== undefined && left.every((value) => !right.includes(value));
  });
}

/** The scalars that a property may be; `undefined` when it may be something else. */
function constants({ properties }: JsonObject, name: string, definitions: Definitions): readonly JsonValue[] | undefined {
  const declared = resolve(property(properties, name) ?? null, definitions);
  const values = declared && listedValues(declared);
  return values?.every((value) => value === null || typeof value !== "object") === true ? values : undefined;
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
