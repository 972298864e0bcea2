// Prints schemas.ts: the types of the document as TypeBox builders, for people who compose schemas.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { ANNOTATIONS, BYTES, isSchema, KEYWORDS, type Schema, says } from "../model/keywords.ts";
import type { Model, TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject, stringsAt } from "../model/tree.ts";
import { createLayOut, type Expression, type LayOut, text } from "./builder-layout.ts";
import { type Cycle, dependencies } from "./dependencies.ts";
import { areDisjoint, resolve } from "./disjoint.ts";
import type { GeneratedFile } from "./file.ts";
import { allowedValues, isConstraint } from "./read-schema.ts";
import { createTypeBuilder } from "./type-expression.ts";
import type { TypeNode } from "./type-layout.ts";

/**
 * Prints a builder for every type of the model: in its order, but what a type consists of before it.
 *
 * @returns how many parts TypeBox cannot say: `Unsafe<T>`, with the type from types.ts
 */
export function emitSchemas(model: Model, file: GeneratedFile): number {
  const { ordered, cycles } = dependencies(model);
  for (const { name } of model.types) file.declare(name);
  const type = file.import("Type", "typebox", "value");
  const printer = createPrinter(model, file, type, cycles);
  const printed = new Set<Cycle>();
  for (const definition of ordered) {
    const { name } = definition;
    const cycle = cycles.get(name);
    if (cycle !== undefined && cycle.members.length > 1 && !printed.has(cycle)) {
      printed.add(cycle);
      const head = `const ${cycleName(cycle)} = `;
      file.print(`${head}${printer.layOut(printer.cycleOf(cycle), 0, head.length + 1)};`);
      file.print("");
    }
    file.print(`export const ${name} = ${printer.layOut(printer.builderOf(definition), 0, `export const ${name} = ;`.length)};`);
    file.print("");
  }
  return printer.unsafe();
}

interface Printer {
  builderOf(definition: TypeDefinition): Expression;
  /** What several types that contain each other are, once for all of them. */
  cycleOf(cycle: Cycle): Expression;
  readonly layOut: LayOut;
  unsafe(): number;
}

function createPrinter(model: Model, file: GeneratedFile, typebox: string, cycles: ReadonlyMap<string, Cycle>): Printer {
  const types = createTypeBuilder(model, file, (name) => file.import(name, "./types.js"));
  const definitions = new Map(model.types.map((definition) => [definition.name, definition]));
  let count = 0;

  const call = (name: string, ...items: readonly (Expression | undefined)[]): Expression => ({
    kind: "call",
    callee: `${typebox}.${name}`,
    items: items.filter((item) => item !== undefined),
  });
  const value = (json: JsonValue): Expression => {
    if (Array.isArray(json)) return { kind: "list", items: json.map(value) };
    if (isObject(json)) return { kind: "record", entries: Object.entries(json).map(([key, inner]) => [key, value(inner)]) };
    return text(file.value(json));
  };

  /** Keywords that the builder does not say itself; nothing when there are none. */
  const options = (schema: JsonObject, said: readonly string[]): Expression | undefined => {
    const entries = Object.entries(withFormatSaid(schema))
      .filter(([key]) => !said.includes(key) && !DROPPED.has(key))
      .map(([key, held]) => [key, key === "pattern" ? pattern(held) : raw(key, held)] as const);
    return entries.length === 0 ? undefined : { kind: "record", entries };
  };

  /** TypeBox reads patterns with the `u` flag; where that fails it takes a regular expression. */
  const pattern = (held: JsonValue): Expression => {
    if (typeof held !== "string" || isPattern(held, "u") || !isPattern(held, "")) return value(held);
    return { kind: "call", callee: "new RegExp", items: [value(held)] };
  };

  /** A keyword's value as JSON Schema, with the builders of other types in the places of refs. */
  const raw = (key: string, held: JsonValue): Expression => {
    const holds = KEYWORDS.get(key)?.holds ?? "value";
    if (key === "pattern") return pattern(held);
    if (holds === "value") return value(held);
    if (holds !== "map" && holds !== "dependencies" && isSchema(held)) return rawSchema(held);
    if (Array.isArray(held))
      return { kind: "list", items: held.map((item: JsonValue) => (isSchema(item) ? rawSchema(item) : value(item))) };
    if (!isObject(held)) return value(held);
    return { kind: "record", entries: Object.entries(held).map(([name, item]) => [name, isSchema(item) ? rawSchema(item) : value(item)]) };
  };

  let inside: Cycle | undefined;
  const rawSchema = (schema: Schema): Expression => {
    if (typeof schema === "boolean") return text(String(schema));
    const ref = refName(schema);
    if (ref !== undefined && inside?.names.has(ref) === true) return call("Ref", value(ref));
    if (ref !== undefined) return text(ref);
    return {
      kind: "record",
      entries: Object.entries(withFormatSaid(schema))
        .filter(([key]) => !DROPPED.has(key))
        .map(([key, held]) => [key, raw(key, held)]),
    };
  };

  const unsafe = (schema: JsonObject): Expression => {
    count += 1;
    return { kind: "unsafe", type: types.typeOf(schema), schema: rawSchema(schema) };
  };

  const builder = (schema: Schema): Expression => {
    if (typeof schema === "boolean") return schema ? call("Unknown") : call("Never");
    const ref = refName(schema);
    if (ref !== undefined) return text(ref);
    return said(schema) ?? unsafe(schema);
  };

  /** What TypeBox has a builder for whose static type and verdict are the schema's. */
  const said = (schema: JsonObject): Expression | undefined => {
    const keys = says(schema).filter((key) => !DROPPED.has(key));
    const only = (...allowed: readonly string[]): boolean => keys.every((key) => allowed.includes(key));
    const { type, anyOf, oneOf, allOf } = schema;
    // TypeBox would have to be given a function.
    if (BYTES in schema) return undefined;
    if (keys.length === 0) return call("Unknown", options(schema, []));
    if (Object.hasOwn(schema, "const")) return only("const", "type") ? literal(schema) : undefined;
    if (Array.isArray(schema["enum"])) return only("enum", "type") ? enumeration(schema, schema["enum"]) : undefined;
    if (Array.isArray(anyOf)) return only("anyOf") ? union(schema, "anyOf", anyOf) : undefined;
    // TypeBox's unions are `anyOf`: the same where no value is of two members.
    if (Array.isArray(oneOf)) return only("oneOf") && areDisjoint(oneOf, definitions) ? union(schema, "oneOf", oneOf) : undefined;
    if (Array.isArray(allOf)) return allOf.every(isSchema) ? intersection(schema, allOf) : undefined;
    if (type === "string" && only("type", "format", "pattern", "minLength", "maxLength")) return call("String", options(schema, ["type"]));
    if ((type === "number" || type === "integer") && only("type", "format", ...BOUNDS)) {
      return call(type === "number" ? "Number" : "Integer", options(schema, ["type"]));
    }
    if (type === "boolean" && only("type")) return call("Boolean", options(schema, ["type"]));
    if (type === "null" && only("type")) return call("Null", options(schema, ["type"]));
    if (type === "array") return array(schema, only);
    if (type === "object") return object(schema, only);
    if (Array.isArray(type)) return severalTypes(schema, type as readonly JsonValue[], keys);
    return undefined;
  };

  const union = (schema: JsonObject, key: string, members: readonly JsonValue[]): Expression | undefined => {
    if (!members.every(isSchema) || members.some(isConstraint)) return undefined;
    return call("Union", { kind: "list", items: members.map(builder) }, options(schema, [key]));
  };

  const scalar = (item: JsonValue): Expression | undefined => {
    if (item === null) return call("Null");
    return typeof item === "object" ? undefined : call("Literal", value(item));
  };

  const literal = (schema: JsonObject): Expression | undefined => {
    const item = schema["const"] ?? null;
    if (typeof item === "object" && item !== null) return undefined;
    if (allowedValues([item], schema["type"]).length === 0) return undefined;
    const extra = options(schema, ["const", "type"]);
    return item === null ? call("Null", extra) : call("Literal", value(item), extra);
  };

  const enumeration = (schema: JsonObject, values: readonly JsonValue[]): Expression | undefined => {
    const allowed = allowedValues(values, schema["type"]);
    const extra = options(schema, ["enum", "type"]);
    if (allowed.length === 0 || allowed.length > longestTuple) return undefined;
    if (allowed.every((item) => typeof item === "string" || typeof item === "number")) {
      return call("Enum", { kind: "list", items: allowed.map(value) }, extra);
    }
    const members = allowed.flatMap((item) => scalar(item) ?? []);
    return members.length === allowed.length ? call("Union", { kind: "list", items: members }, extra) : undefined;
  };

  /** `type: [string, "null"]` and the like, each kind with the keywords that speak of it. */
  const severalTypes = (schema: JsonObject, names: readonly JsonValue[], keys: readonly string[]): Expression | undefined => {
    const others = names.filter((name) => name !== "null");
    if (names.length === 0 || (keys.length > 1 && others.length > 1)) return undefined;
    const members = names.map((name) => {
      const single: Record<string, JsonValue> = {};
      for (const key of keys) if (key === "type" || name !== "null") single[key] = key === "type" ? name : (schema[key] ?? null);
      return builder(single);
    });
    const [first] = members;
    const annotations = options(schema, keys);
    return members.length === 1 && annotations === undefined ? first : call("Union", { kind: "list", items: members }, annotations);
  };

  const intersection = (schema: JsonObject, members: readonly Schema[]): Expression | undefined => {
    const own: Record<string, JsonValue> = {};
    for (const [key, held] of Object.entries(schema)) if (key !== "allOf" && !ANNOTATIONS.has(key)) own[key] = held;
    const all = [...members, own].filter((part) => typeof part === "boolean" || says(part).length > 0);
    // Where one part asks for an object, others that only speak of objects can do so too.
    const asksForObject = (part: Schema): boolean => typeof part !== "boolean" && resolve(part, definitions)?.["type"] === "object";
    const parts = all.some(asksForObject)
      ? all
          .filter((part) => typeof part === "boolean" || !isBareObject(part))
          .map((part) => (speaksOfObjects(part) ? { ...part, type: "object" } : part))
      : all;
    if (parts.length === 0 || (all.some(asksForObject) && !parts.some(asksForObject))) return undefined;
    // What one part requires, another may declare: then the type is more than the sum of TypeBox's.
    if (!parts.every((part) => typeof part !== "boolean" && (refName(part) !== undefined || isPlainObject(part)))) return undefined;
    // TypeBox merges what it intersects, and forgets that an index signature speaks of the other part's properties too.
    if (parts.length > 1 && parts.some((part) => hasIndex(part, definitions))) return undefined;
    const extra = options(schema, ["allOf", ...Object.keys(own)]);
    const [only, ...others] = parts;
    if (only !== undefined && others.length === 0 && extra === undefined) return builder(only);
    return call("Intersect", { kind: "list", items: parts.map(builder) }, extra);
  };

  const array = (schema: JsonObject, only: (...keys: readonly string[]) => boolean): Expression | undefined => {
    const { items, additionalItems, minItems, maxItems } = schema;
    if (!Array.isArray(items)) {
      if (!only("type", "items", "minItems", "maxItems", "uniqueItems", "contains")) return undefined;
      return call("Array", isSchema(items) ? builder(items) : call("Unknown"), options(schema, ["type", "items"]));
    }
    const closed = additionalItems === false || maxItems === items.length;
    if (!closed || minItems !== items.length || (maxItems ?? items.length) !== items.length || items.length === 0) return undefined;
    if (!only("type", "items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains") || !items.every(isSchema))
      return undefined;
    return call(
      "Tuple",
      { kind: "list", items: items.map(builder) },
      options(schema, ["type", "items", "additionalItems", "minItems", "maxItems"]),
    );
  };

  const object = (schema: JsonObject, only: (...keys: readonly string[]) => boolean): Expression | undefined => {
    const { properties, additionalProperties: extra } = schema;
    const bounds = ["minProperties", "maxProperties", "propertyNames", "dependencies"];
    if (!only("type", "properties", "required", "additionalProperties", ...bounds)) return undefined;
    const entries = Object.entries(isObject(properties) ? properties : {});
    const required = new Set(stringsAt(schema, "required"));
    if (entries.length === 0) {
      if (extra === false || isObject(extra) || required.size > 0) return undefined;
      return call("Record", call("String"), call("Unknown"), options(schema, ["type", "properties", "required", "additionalProperties"]));
    }
    if (extra === true || isObject(extra) || entries.some(([name]) => name === "__proto__")) return undefined;
    const names = new Set(entries.map(([name]) => name));
    if ([...required].some((name) => !names.has(name))) return undefined;
    const members = entries.map(([name, property]): readonly [string, Expression] => {
      const inner = builder(isSchema(property) ? property : true);
      return [name, required.has(name) ? inner : call("Optional", inner)];
    });
    return call("Object", { kind: "record", entries: members }, options(schema, ["type", "properties", "required"]));
  };

  const builderOf = ({ name, schema }: TypeDefinition): Expression => {
    const cycle = cycles.get(name);
    if (cycle === undefined) return named(name, schema);
    count += 1;
    const schemas = cycle.members.length === 1 ? cycleOf(cycle) : text(cycleName(cycle));
    return { kind: "unsafe", type: typeNamed(name), schema: call("Cyclic", schemas, value(name)) };
  };

  const cycleOf = (cycle: Cycle): Expression => {
    inside = cycle;
    const schemas = cycle.members.map((name): readonly [string, Expression] => [name, rawSchema(definitions.get(name)?.schema ?? true)]);
    inside = undefined;
    return { kind: "record", entries: schemas };
  };

  const typeNamed = (name: string): TypeNode => ({ kind: "name", name });

  /** A type that TypeBox cannot say has the name that it has in types.ts. */
  const named = (name: string, schema: Schema): Expression => {
    const expression = builder(schema);
    return expression.kind === "unsafe" ? { ...expression, type: typeNamed(name) } : expression;
  };

  return { builderOf, cycleOf, layOut: createLayOut(file, typebox, types.layOut), unsafe: () => count };
}

/** Types begin with a capital letter, so no type has this name. */
const cycleName = ({ members: [first = ""] }: Cycle): string => `cycleOf${first}`;

/** TypeBox infers an enum's type from a tuple of its values, which takes TypeScript long. */
const longestTuple = 500;

/** Annotations that nobody composes with. */
const DROPPED: ReadonlySet<string> = new Set(["title", "examples", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", BYTES]);
const BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/** Formats that TypeBox checks and guards do not. */
const ONLY_TYPEBOX: ReadonlySet<JsonValue> = new Set(["idn-email", "idn-hostname"]);

/** TypeBox looks at the formats of strings alone: those of numbers become bounds. */
function withFormatSaid(schema: JsonObject): JsonObject {
  const { format, type, minimum, maximum, multipleOf } = schema;
  if (format !== "int32" && format !== "int64") {
    return format === undefined || !ONLY_TYPEBOX.has(format)
      ? schema
      : Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "format"));
  }
  const least = typeof minimum === "number" ? minimum : Number.NEGATIVE_INFINITY;
  const most = typeof maximum === "number" ? maximum : Number.POSITIVE_INFINITY;
  const whole = type === "integer" || multipleOf !== undefined ? {} : { multipleOf: 1 };
  const bounds = format === "int32" && { minimum: Math.max(least, -(2 ** 31)), maximum: Math.min(most, 2 ** 31 - 1) };
  return { ...schema, ...whole, ...bounds };
}

const isBareObject = (schema: JsonObject): boolean => schema["type"] === "object" && says(schema).length === 1;

/** Whether a schema says what properties are, but not that they are an object's. */
const speaksOfObjects = (schema: Schema): schema is JsonObject =>
  typeof schema !== "boolean" && schema["type"] === undefined && isObject(schema["properties"]);

/** An object that declares everything it requires, so that its type does not depend on what stands beside it. */
function isPlainObject(schema: JsonObject): boolean {
  const { properties, required } = schema;
  if (schema["type"] !== "object" || !isObject(properties) || Object.keys(properties).length === 0) return false;
  if (!says(schema).every((key) => ["type", "properties", "required", "additionalProperties"].includes(key))) return false;
  if (schema["additionalProperties"] === true || isObject(schema["additionalProperties"])) return false;
  return !Array.isArray(required) || required.every((name: JsonValue) => typeof name === "string" && Object.hasOwn(properties, name));
}

/** Whether a type has an index signature, by itself or in one of its parts. */
function hasIndex(schema: Schema, definitions: ReadonlyMap<string, TypeDefinition>): boolean {
  const target = typeof schema === "boolean" ? undefined : resolve(schema, definitions);
  if (target === undefined) return false;
  const { additionalProperties: extra, patternProperties, properties } = target;
  if (extra === true || isObject(extra) || isObject(patternProperties)) return true;
  if (target["type"] === "object" && !isObject(properties)) return true;
  const inPlace = ["allOf", "anyOf", "oneOf"].flatMap((key): readonly JsonValue[] => (Array.isArray(target[key]) ? target[key] : []));
  return inPlace.some((inner) => isSchema(inner) && hasIndex(inner, definitions));
}

function isPattern(pattern: string, flags: string): boolean {
  try {
    return new RegExp(pattern, flags) instanceof RegExp;
  } catch {
    return false;
  }
}
