// Constants that tell messages apart are required in effect: here they become required in the types.
import type { Constant, Path } from "@wsgen/runtime/generated/server";
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { Demand } from "./directions.ts";
import { emptyObject, forEachSubschema, type Schema } from "./keywords.ts";
import { pascalCase } from "./names.ts";
import { DEFINITIONS, type Types } from "./schemas.ts";
import { evidenceAt, type Shape } from "./shape.ts";
import { isObject, property, refOf } from "./tree.ts";

/**
 * Makes the places of `demands` required. A type that only ever is a payload is changed where it stands; one that other schemas refer to stays as
 * it is, and its messages get a type of their own. The result says which type replaces which, for messages.
 */
export function requireConstants(demands: readonly Demand[], types: Types): ReadonlyMap<string, string> {
  const byType = new Map<string, { paths: Map<string, Path>; demand: Demand }>();
  for (const demand of demands) {
    const { type } = demand.entry.draft;
    const known = byType.get(type) ?? { paths: new Map<string, Path>(), demand };
    for (const path of demand.paths) known.paths.set(JSON.stringify(path), path);
    byType.set(type, known);
  }
  const shared = referredTo(types);
  const replaced = new Map<string, string>();
  for (const [id, { paths, demand }] of byType) {
    const draft = types.drafts.get(id);
    if (draft === undefined) continue;
    const { shape, base } = demand.entry.draft;
    const wanted = [...paths.values()];
    if (!shared.has(id)) {
      types.add({ ...draft, schema: wanted.reduce((schema, path) => requirePath(schema, path, shape), draft.schema) });
      continue;
    }
    const derived = `${id} as message`;
    const own =
      pascalCase(base).replace(/Message$/, "") === pascalCase(draft.base).replace(/Message$/, "") &&
      pascalCase(draft.base).endsWith("Message");
    types.add({
      id: derived,
      pointer: draft.pointer,
      base: own ? `${base} payload` : base,
      role: "message",
      channel: undefined,
      docs: draft.docs,
      schema: { allOf: [{ $ref: DEFINITIONS + id }, ...wanted.map((path) => demandOf(path, shape, []))] },
    });
    replaced.set(id, derived);
  }
  return replaced;
}

/** Ids that schemas of the document refer to from somewhere. */
function referredTo(types: Types): ReadonlySet<string> {
  const found = new Set<string>();
  const walk = (schema: Schema): void => {
    if (typeof schema === "boolean") return;
    const ref = refOf(schema);
    if (ref !== undefined) found.add(ref.slice(DEFINITIONS.length));
    forEachSubschema(schema, walk);
  };
  for (const draft of types.drafts.values()) walk(draft.schema);
  return found;
}

function requirePath(schema: Schema, path: Path, shape: Shape): Schema {
  const plain = typeof schema === "boolean" ? undefined : requireInPlace(schema, path);
  if (plain !== undefined) return plain;
  const outer = emptyObject();
  const inner = typeof schema === "boolean" ? schema : { ...schema };
  if (typeof inner !== "boolean") {
    for (const key of ["title", "description", "deprecated"]) {
      const value = inner[key];
      if (value === undefined) continue;
      outer[key] = value;
      delete inner[key];
    }
  }
  outer["allOf"] = [inner, demandOf(path, shape, [])];
  return outer;
}

/** Adds to `required`, where every step of the path is declared right there. */
function requireInPlace(schema: JsonObject, path: Path): JsonObject | undefined {
  const [step, ...rest] = path;
  if (typeof step !== "string") return undefined;
  const properties = property(schema, "properties");
  const inner = isObject(properties) ? property(properties, step) : undefined;
  if (inner === undefined || !isObject(properties)) return undefined;
  const below = rest.length === 0 ? inner : isObject(inner) && refOf(inner) === undefined ? requireInPlace(inner, rest) : undefined;
  if (below === undefined) return undefined;
  const before = property(schema, "required");
  const required = Array.isArray(before) ? (before as readonly JsonValue[]) : [];
  const copy = emptyObject();
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      // Read in the order people write it: what is required, then what there is.
      if (before === undefined) copy["required"] = [step];
      copy[key] = Object.assign(emptyObject(), properties, { [step]: below });
    } else copy[key] = key === "required" && !required.includes(step) ? [...required, step] : value;
  }
  return copy;
}

/** A schema that asks for the constant at a path, and nothing else. */
function demandOf(path: Path, shape: Shape, from: Path): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) {
    const values: readonly Constant[] = evidenceAt(shape, from).values ?? [];
    return values.length === 1 ? { const: values[0] ?? null } : { enum: values };
  }
  const inner = demandOf(rest, shape, [...from, step]);
  if (typeof step === "string") return { type: "object", required: [step], properties: { [step]: inner } };
  return { type: "array", minItems: step + 1, items: [...Array.from({ length: step }, () => true), inner] };
}

/** Top-level properties that every payload has, with the one value they can have. */
export function constantsOf(shape: Shape): { readonly [name: string]: Constant } {
  const constants: { [name: string]: Constant } = {};
  if (shape.kinds.size !== 1 || !shape.kinds.has("object")) return constants;
  for (const [name, { required, shape: inner }] of shape.members) {
    const [only, ...others] = inner.values ?? [];
    if (typeof name !== "string" || !required || only === undefined || others.length > 0) continue;
    Object.defineProperty(constants, name, { value: only, enumerable: true, configurable: true, writable: true });
  }
  return constants;
}
