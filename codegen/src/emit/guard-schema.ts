// What AJV is given: the schemas of a model without everything that decides nothing, and what is to be said about the rest.
import type { Severity } from "../diagnostics.ts";
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { Finding } from "../model/findings.ts";
import { ANNOTATIONS, emptyObject, mapSubschemas, NO_BYTES, type Schema, typesOf } from "../model/keywords.ts";
import type { Model, TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject, joinPointer } from "../model/tree.ts";
import { codecsOf } from "./codecs.ts";
import { patternRisk } from "./pattern-risk.ts";
import { FORMATS, UNCHECKED_FORMATS } from "./prelude.ts";

/** A finding with its weight; whoever has the document turns its pointer into a position. */
export interface WeighedFinding extends Finding {
  readonly severity: Severity;
}

/** The schema of one type; refs in it are `{ $ref: <id> }`. */
export interface GuardSchema {
  /** Safe in any URI and as an identifier, which names of types need not be. */
  readonly id: string;
  readonly definition: TypeDefinition;
  readonly schema: Schema;
  readonly guard: boolean;
}

/** Name of the guard of a type. */
export const guardName = (type: string): string => `is${type}`;

/** The schemas that guards are compiled from. */
export interface GuardSchemas {
  /** Every type that has a guard, and those it refers to, in the model's order. */
  readonly schemas: readonly GuardSchema[];
  /** Whether a pattern is valid only without the `u` flag. */
  readonly legacyPatterns: boolean;
  readonly findings: readonly WeighedFinding[];
}

/** Collects what guards need, and finds what they will not check, cannot check or check slowly. */
export function guardSchemas(model: Model): GuardSchemas {
  const definitions = new Map(model.types.map((definition, index) => [definition.name, { id: `type${index}`, definition }]));
  const schemas = new Map<string, Schema>();
  const findings: WeighedFinding[] = [];
  const unknownFormats = new Map<string, { readonly pointer: string; count: number }>();
  let legacyPatterns = false;

  const bytesCome = codecsOf(model).length > 0;
  const waiting = [...definitions.values()].filter(({ definition }) => definition.guard);
  const wanted = new Set(waiting.map(({ id }) => id));
  const prepareRef = (name: string): Schema => {
    const target = definitions.get(name);
    if (target === undefined) throw new Error(`no type ${name} in the model`);
    if (!wanted.has(target.id)) {
      wanted.add(target.id);
      waiting.push(target);
    }
    return { $ref: target.id };
  };

  /** Pointers follow the normalised schema, which is near enough to the document's: a position is that of the nearest ancestor. */
  const prepare = (schema: Schema, pointer: string): Schema => {
    if (typeof schema === "boolean") return schema;
    const ref = refName(schema);
    if (ref !== undefined) return prepareRef(ref);
    const kept = emptyObject();
    for (const [key, value] of Object.entries(schema)) {
      if (ANNOTATIONS.has(key)) continue;
      const at = joinPointer(pointer, key);
      if (key === "format" && !checksFormat(value, schema, at)) continue;
      if (key === "pattern" && !checksPattern(value, at)) continue;
      kept[key] = key === "patternProperties" ? checkedPatterns(value, at) : value;
    }
    if (bytesCome && speaksOfObjects(kept)) kept[NO_BYTES] = true;
    const pointers = subschemaPointers(kept, pointer);
    return ownPrototype(mapSubschemas(kept, (inner) => prepare(inner, pointers.get(inner) ?? pointer)));
  };

  const checksFormat = (format: JsonValue, schema: JsonObject, pointer: string): boolean => {
    if (typeof format !== "string" || UNCHECKED_FORMATS.has(format)) return false;
    if (format === "int64" && schema["type"] === "integer") return false;
    if (FORMATS.has(format)) return true;
    const known = unknownFormats.get(format);
    if (known === undefined) unknownFormats.set(format, { pointer, count: 1 });
    else known.count += 1;
    return false;
  };

  const checksPattern = (pattern: JsonValue, pointer: string, at: "key" | "value" = "value"): boolean => {
    if (typeof pattern !== "string") return false;
    const problem = compileProblem(pattern, "u");
    if (problem !== undefined) {
      const without = compileProblem(pattern, "");
      if (without !== undefined) {
        findings.push({
          severity: "error",
          code: "pattern",
          message: `The pattern is no regular expression of JavaScript: ${without}.`,
          fix: "Write it as ECMA-262 says, which JSON Schema follows.",
          pointer,
          at,
        });
        return false;
      }
      legacyPatterns = true;
      findings.push({
        severity: "warning",
        code: "pattern-unicode",
        message: `The pattern breaks Unicode rules (${problem}), so it is matched without them: by UTF-16 units, not by characters.`,
        fix: "Leave out backslashes before characters that need none, and put `-` last in a character class.",
        pointer,
        at,
      });
    }
    const risk = patternRisk(pattern);
    if (risk !== undefined) {
      findings.push({
        severity: "warning",
        code: "pattern-redos",
        message: `The pattern can take exponential time: ${risk}. A peer can block the server with one short text.`,
        fix: "Write the repetition so that there is only one way to match a text, and give it a `maxLength`.",
        pointer,
        at,
      });
    }
    return true;
  };

  const checkedPatterns = (patterns: JsonValue, pointer: string): JsonValue => {
    if (!isObject(patterns)) return patterns;
    const kept = emptyObject();
    for (const [pattern, schema] of Object.entries(patterns)) {
      if (checksPattern(pattern, joinPointer(pointer, pattern), "key")) kept[pattern] = schema;
    }
    return kept;
  };

  // Grows while it is gone through.
  for (const { id, definition } of waiting) schemas.set(id, prepare(definition.schema, definition.pointer));
  for (const [format, { pointer, count }] of unknownFormats) {
    const elsewhere = count === 1 ? "" : ` (and in ${count - 1} other ${count === 2 ? "place" : "places"})`;
    findings.push({
      severity: "warning",
      code: "unknown-format",
      message: `The format ${JSON.stringify(format)} is not known and not checked${elsewhere}.`,
      fix: "Say it with `pattern`, or leave it as a comment for people.",
      pointer,
    });
  }
  const inOrder = [...definitions.values()].flatMap(({ id, definition }) => {
    const schema = schemas.get(id);
    return schema === undefined ? [] : [{ id, definition, schema, guard: definition.guard }];
  });
  return { schemas: inOrder, legacyPatterns, findings };
}

/** To JavaScript, bytes are an object. */
function speaksOfObjects(schema: JsonObject): boolean {
  if (schema["type"] !== undefined) return typesOf(schema).includes("object");
  return ["properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "dependencies"].some(
    (key) => key in schema,
  );
}

/** Where the subschemas of a schema stand. */
function subschemaPointers(schema: JsonObject, pointer: string): ReadonlyMap<Schema, string> {
  const pointers = new Map<Schema, string>();
  for (const [key, held] of Object.entries(schema)) {
    const at = joinPointer(pointer, key);
    if (!isObject(held) && !Array.isArray(held)) continue;
    if (isObject(held)) pointers.set(held, at);
    for (const [name, inner] of Object.entries(held)) if (isObject(inner)) pointers.set(inner, joinPointer(at, name));
  }
  return pointers;
}

/** AJV looks over a property called `__proto__`, but not over a pattern for it. */
function ownPrototype(schema: JsonObject): JsonObject {
  const { properties, patternProperties } = schema;
  if (!isObject(properties) || !Object.hasOwn(properties, "__proto__")) return schema;
  const others = emptyObject();
  const patterns = Object.assign(emptyObject(), isObject(patternProperties) ? patternProperties : {});
  for (const [name, property] of Object.entries(properties)) {
    if (name === "__proto__") patterns["^__proto__$"] = property;
    else others[name] = property;
  }
  return Object.assign(emptyObject(), schema, { properties: others, patternProperties: patterns });
}

/** What JavaScript says about a pattern, without the pattern. */
function compileProblem(pattern: string, flags: string): string | undefined {
  try {
    new RegExp(pattern, flags);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.slice(error.message.lastIndexOf(": ") + 2).toLowerCase() : String(error);
  }
}
