// Constants that tell messages apart are required in effect: here they become required in the types.
import type { Constant, Path } from "@wsgen/runtime/generated/server";
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { Resolve } from "./alternatives.ts";
import { constantOf, emptyObject, forEachSubschema, type Schema } from "./keywords.ts";
import type { Demand } from "./leaves.ts";
import { pascalCase } from "./names.ts";
import { DEFINITIONS, refName, type Types } from "./schemas.ts";
import { evidenceAt, type Shape } from "./shape.ts";
import { isObject, property, refOf, stringsAt } from "./tree.ts";

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
    types.add({
      id: derived,
      pointer: draft.pointer,
      base: baseBeside(base, draft.base),
      role: "message",
      channel: undefined,
      docs: draft.docs,
      schema: { allOf: [{ $ref: DEFINITIONS + id }, ...wanted.map((path) => demandOf(path, evidenceAt(shape, path).values ?? []))] },
    });
    replaced.set(id, derived);
  }
  return replaced;
}

/** Words for a message's own type beside the one of its payload, which may be called as it. */
export function baseBeside(message: string, payload: string): string {
  const same = pascalCase(message).replace(/Message$/, "") === pascalCase(payload).replace(/Message$/, "");
  return same && pascalCase(payload).endsWith("Message") ? `${message} payload` : message;
}

/** Ids that schemas of the document refer to from somewhere. */
function referredTo(types: Types): ReadonlySet<string> {
  const found = new Set<string>();
  const walk = (schema: Schema): void => {
    if (typeof schema === "boolean") return;
    const ref = refName(schema);
    if (ref !== undefined) found.add(ref);
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
  outer["allOf"] = [inner, demandOf(path, evidenceAt(shape, path).values ?? [])];
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
  const required = stringsAt(schema, "required");
  const copy = emptyObject();
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      // Read in the order people write it: what is required, then what there is.
      if (schema["required"] === undefined) copy["required"] = [step];
      copy[key] = Object.assign(emptyObject(), properties, { [step]: below });
    } else if (key === "type") {
      // No other kind of value can have the property.
      copy[key] = "object";
    } else copy[key] = key === "required" && !required.includes(step) ? [...required, step] : value;
  }
  return copy;
}

/** The schema with one of some values at a place, which is required there. */
export function pinConstant(schema: Schema, path: Path, values: readonly Constant[], resolve: Resolve): Schema {
  // Beside a list, a demand on one of its items would be a type that no literal fits: it is written into the list.
  const listed = path.some((step) => typeof step === "number");
  const ref = refName(schema);
  const written = listed && ref !== undefined ? resolve(ref) : schema;
  const pinned = typeof written === "object" ? pinInPlace(written, path, values) : undefined;
  if (pinned !== undefined) return pinned;
  const demand = demandOf(path, values);
  return schema === true ? demand : { allOf: [schema, demand] };
}

/** The same where the schema lists other values there, which are dropped; `undefined` where the way leads through composition. */
export function correctConstant(schema: Schema, path: Path, values: readonly Constant[], resolve: Resolve): Schema | undefined {
  return typeof schema === "boolean" ? undefined : pinInPlace(schema, path, values, resolve);
}

/**
 * Changes a schema where the way to the place is written right there; `undefined` where it leads through composition or refs. With `resolve` refs are written
 * out on the way: the named schemas themselves stay, as others may be right about them.
 */
function pinInPlace(written: JsonObject, path: Path, values: readonly Constant[], resolve?: Resolve): JsonObject | undefined {
  const [step, ...rest] = path;
  const ref = refName(written);
  const target = ref === undefined ? written : resolve?.(ref);
  if (step === undefined || target === undefined || !isObject(target) || refOf(target) !== undefined) return undefined;
  const schema = resolve === undefined || typeof step === "string" ? target : withPosition(target, step);
  const holder = typeof step === "string" ? property(schema, "properties") : property(schema, "items");
  const before = property(holder, String(step));
  const below = (): JsonObject | undefined => {
    if (rest.length > 0)
      return before === undefined ? demandOf(rest, values) : isObject(before) ? pinInPlace(before, rest, values, resolve) : undefined;
    const { const: _, enum: __, examples: ___, ...others } = isObject(before) && refOf(before) === undefined ? before : {};
    return { ...others, ...constantOf(values) };
  };
  const inner = below();
  if (inner === undefined) return undefined;
  if (typeof step === "string") {
    if (schema["type"] !== "object" || ["allOf", "anyOf", "oneOf"].some((key) => schema[key] !== undefined)) return undefined;
    const { type, required: _, properties, ...rest } = schema;
    // What says which message it is comes first, as people write it, unless the author put it elsewhere.
    const members = before === undefined ? { [step]: inner, ...asObject(properties) } : { ...asObject(properties), [step]: inner };
    return Object.assign(emptyObject(), { type, required: [...new Set([...stringsAt(schema, "required"), step])] }, rest, {
      properties: Object.assign(emptyObject(), members),
    });
  }
  const { items } = schema;
  if (schema["type"] !== "array") return undefined;
  if (isObject(items)) {
    const item = rest.length === 0 ? constantOf(values) : (pinInPlace(items, rest, values) ?? { allOf: [items, demandOf(rest, values)] });
    const first = Array.from({ length: step }, (): JsonValue => items);
    return { ...schema, minItems: Math.max(Number(schema["minItems"] ?? 0), step + 1), items: [...first, item], additionalItems: items };
  }
  if (!Array.isArray(items)) return undefined;
  const least = typeof schema["minItems"] === "number" ? schema["minItems"] : 0;
  const length = Math.max(items.length, step + 1);
  const list = Array.from(
    { length },
    (_, index): JsonValue => (index === step ? inner : ((items[index] as JsonValue | undefined) ?? true)),
  );
  return { ...schema, minItems: Math.max(least, step + 1), items: list };
}

/** A list whose items are all alike, with a position that can be told from the others. */
function withPosition(schema: JsonObject, step: number): JsonObject {
  const { items } = schema;
  if (!isObject(items)) return schema;
  return { ...schema, items: Array.from({ length: step + 1 }, () => items), additionalItems: items };
}

const asObject = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : {});

/** A schema that asks for a constant at a path, and nothing else. */
function demandOf(path: Path, values: readonly Constant[]): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return constantOf(values);
  const inner = demandOf(rest, values);
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
