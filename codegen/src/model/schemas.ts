// Normalises schemas: whatever dialect the document speaks becomes draft-07, and every referenced schema becomes a type of its own.

import { nearest } from "../diagnostics.ts";
import type { JsonObject, JsonValue } from "../document/document.ts";
import { listed } from "../grammar.ts";
import { memberOf, tagsOf } from "./discriminator.ts";
import type { Findings } from "./findings.ts";
import { createInheritance, type Tag, withTag } from "./inheritance.ts";
import { constantOf, emptyObject, FOREIGN_KEYWORDS, KEYWORDS, mapSubschemas, type Schema, typesOf } from "./keywords.ts";
import { kindName } from "./messages.ts";
import type { Docs } from "./model.ts";
import { docsOf, isObject, joinPointer, nameOfPointer, type Place, property, refOf, stringAt, type Tree } from "./tree.ts";

/** Prefix of every `$ref` in a normalised schema. Until names are assigned, a definition's id stands behind it; then its name. */
export const DEFINITIONS = "#/definitions/";

/** The definition that a normalised schema refers to: its id, or its name once it has one. */
export function refName(schema: JsonValue): string | undefined {
  const ref = refOf(schema);
  return ref?.startsWith(DEFINITIONS) === true ? ref.slice(DEFINITIONS.length) : undefined;
}

/** A type that the generated code will have, before it has its final name. */
export interface TypeDraft {
  /** Its pointer, or for types that the document does not have, a text that no pointer can be. */
  readonly id: string;
  readonly pointer: string;
  /** Words to name it by. */
  readonly base: string;
  /** Where it stands decides how it is named and printed. */
  readonly role: "schema" | "message" | "handshake" | "union";
  /** The channel it is written in, when it is. */
  readonly channel: string | undefined;
  /** Chosen by `x-wsgen: { name }`. */
  readonly chosen?: boolean;
  /** For the digits of its name in a clash: what its message's are of too. */
  readonly digested?: string;
  readonly docs: Docs;
  readonly schema: Schema;
}

/** Types collected so far, by id. */
export interface Types {
  readonly drafts: ReadonlyMap<string, TypeDraft>;
  /** What the discriminating property says of those that extend another, by id. */
  readonly tags: ReadonlyMap<string, Tag>;
  /** Adds a type, or replaces the one of the same id. */
  add(draft: TypeDraft): void;
  /** Normalises a schema; what it refers to becomes types. */
  normalise(place: Place): Schema;
  /** The id of the type that a place refers to; `undefined` when a schema is written there instead. */
  named(place: Place): string | undefined;
}

/** Starts the collection of a document's types. */
export function createTypes(tree: Tree, findings: Findings): Types {
  const drafts = new Map<string, TypeDraft>();
  const tags = new Map<string, Tag>();
  const waiting: Place[] = [];
  let busy = false;
  const inherited = createInheritance(tree);

  const reference = (place: Place): string | undefined => {
    const ref = refOf(place.value);
    const target = ref === undefined ? undefined : tree.target(ref);
    // What a chain of refs never ends at is no schema; load reports refs to nowhere.
    if (target === undefined || tree.follow(target) === undefined) return undefined;
    if (!drafts.has(target.pointer)) {
      drafts.set(target.pointer, draftOf(target, true));
      waiting.push(target);
    }
    return target.pointer;
  };

  const draftOf = (place: Place, schema: Schema): TypeDraft => ({
    id: place.pointer,
    pointer: place.pointer,
    base: nameOfPointer(place.pointer),
    role: "schema",
    channel: undefined,
    docs: typeof schema === "boolean" ? {} : docsOf(schema),
    schema,
  });

  // Refs are worked off one after another, so that a chain of a thousand schemas is no recursion a thousand deep.
  const drain = (): void => {
    if (busy) return;
    busy = true;
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      const before = drafts.get(place.pointer);
      const written = normaliseSchema(place);
      const tag = typeof written === "boolean" ? undefined : inherited(place);
      if (tag !== undefined) tags.set(place.pointer, tag);
      const schema = tag === undefined || typeof written === "boolean" ? written : withTag(written, tag);
      const draft = draftOf(place, schema);
      drafts.set(place.pointer, before === undefined || before.role === "schema" ? draft : { ...before, schema });
    }
    busy = false;
  };

  const normaliseSchema = (place: Place): Schema => {
    const { value } = place;
    if (typeof value === "boolean") return value;
    if (!isObject(value)) {
      findings.warning({
        code: "schema",
        message: `A schema must be an object or a boolean, this is ${kindName(value)}; any value is let through here.`,
        fix: "Write a schema, such as `{ type: string }`.",
        pointer: place.pointer,
      });
      return true;
    }
    return refOf(value) === undefined
      ? normaliseObject({ pointer: place.pointer, value })
      : normaliseRef({ pointer: place.pointer, value });
  };

  const normaliseRef = (place: Place & { readonly value: JsonObject }): Schema => {
    const id = reference(place);
    const dropped = Object.keys(place.value).filter((key) => key !== "$ref" && !QUIET_SIBLINGS.has(key) && !key.startsWith("x-"));
    if (dropped.length > 0) {
      findings.warning({
        code: "ref-siblings",
        message: `${listed(dropped, "and")} beside \`$ref\` ${dropped.length === 1 ? "is" : "are"} ignored, as draft-07 says.`,
        fix: "Write `allOf: [{ $ref: … }]` with the other keywords beside `allOf`.",
        pointer: joinPointer(place.pointer, dropped[0] ?? "$ref"),
        at: "key",
      });
    }
    if (id === undefined) return true;
    const schema = emptyObject();
    schema["$ref"] = DEFINITIONS + id;
    for (const key of ["title", "description", "deprecated"]) {
      const value = property(place.value, key);
      if (value !== undefined && KEYWORDS.get(key)?.accepts(value) === true) schema[key] = value;
    }
    return schema;
  };

  const within = (place: Place, key: string, value: JsonValue): Place => ({ pointer: joinPointer(place.pointer, key), value });
  const normaliseAll = (place: Place): Schema[] =>
    Array.isArray(place.value) ? place.value.map((item: JsonValue, index) => normaliseSchema(within(place, String(index), item))) : [];
  const normaliseMap = (place: Place): JsonObject => {
    const copy = emptyObject();
    if (isObject(place.value))
      for (const [name, item] of Object.entries(place.value)) copy[name] = normaliseSchema(within(place, name, item));
    return copy;
  };

  const normaliseObject = (place: Place & { readonly value: JsonObject }): Schema => {
    const schema = emptyObject();
    for (const [key, value] of Object.entries(place.value)) {
      const at = within(place, key, value);
      const keyword = KEYWORDS.get(key);
      if (keyword === undefined) {
        reportUnknown(at, key);
        continue;
      }
      const known = key === "type" ? typeNames(at) : translate(key, value, place.value);
      if (known === undefined) continue;
      if (!keyword.accepts(known)) {
        findings.warning({
          code: "schema-keyword",
          message: `\`${key}\` must be ${keyword.wants}, this is ${Array.isArray(value) && value.length === 0 ? "an empty list" : kindName(value)}; it is ignored.`,
          fix:
            key === "required" ? "List the names of required properties beside `properties`." : `Write ${keyword.wants}, or leave it out.`,
          pointer: at.pointer,
          at: "key",
        });
        continue;
      }
      if (keyword.holds === "schema") schema[key] = normaliseSchema(at);
      else if (keyword.holds === "schemas") schema[key] = normaliseAll(at);
      else if (keyword.holds === "map") schema[key] = normaliseMap(at);
      else if (keyword.holds === "items") schema[key] = Array.isArray(value) ? normaliseAll(at) : normaliseSchema(at);
      else if (keyword.holds === "dependencies") schema[key] = normaliseDependencies(at);
      else schema[key] = known;
    }
    translate2020(place, schema);
    reportImpossible(place, schema);
    if (property(place.value, "exclusiveMinimum") === true) delete schema["minimum"];
    if (property(place.value, "exclusiveMaximum") === true) delete schema["maximum"];
    const example = property(place.value, "example");
    if (example !== undefined && schema["examples"] === undefined) schema["examples"] = [example];
    const discriminated = property(place.value, "discriminator") === undefined ? schema : discriminate(place, schema);
    return property(place.value, "nullable") === true ? nullable(discriminated) : discriminated;
  };

  const reportUnknown = (at: Place, key: string): void => {
    if (FOREIGN_KEYWORDS.has(key)) {
      if (["unevaluatedProperties", "unevaluatedItems", "minContains", "maxContains", "$dynamicRef", "$recursiveRef"].includes(key)) {
        findings.warning({
          code: "schema-keyword",
          message: `\`${key}\` is no keyword of draft-07, which AsyncAPI's schemas are; it is not checked.`,
          fix: key.startsWith("unevaluated")
            ? `Use \`${key === "unevaluatedItems" ? "additionalItems" : "additionalProperties"}\`.`
            : "Leave it out.",
          pointer: at.pointer,
          at: "key",
        });
      }
      return;
    }
    if (key.startsWith("x-")) return;
    if (key === "payload") {
      findings.warning({
        code: "unknown-keyword",
        message: "`payload` is a keyword of messages and not of schemas: what it says is not known here, so that every value is valid.",
        fix: "Write what is in it into the schema itself.",
        pointer: at.pointer,
        at: "key",
      });
      return;
    }
    const suggestion = nearest(key, [...KEYWORDS.keys()]);
    if (suggestion === undefined) return;
    findings.warning({
      code: "unknown-keyword",
      message: `\`${key}\` is no keyword of JSON Schema; it is ignored.`,
      fix: `Did you mean \`${suggestion}\`?`,
      pointer: at.pointer,
      at: "key",
    });
  };

  /** A property that is required and, because nothing declares it, forbidden. */
  const reportImpossible = (place: Place, schema: JsonObject): void => {
    const { properties, required, additionalProperties, patternProperties } = schema;
    if (additionalProperties !== false || patternProperties !== undefined || !Array.isArray(required)) return;
    const declared = isObject(properties) ? Object.keys(properties) : [];
    for (const [index, name] of (required as readonly string[]).entries()) {
      if (declared.includes(name)) continue;
      const meant = nearest(
        name,
        declared.filter((other) => !required.includes(other)),
      );
      findings.warning({
        code: "required-undeclared",
        message: `\`${name}\` is required, but is no property of this schema, and \`additionalProperties: false\` forbids every other: no object is valid.`,
        fix: meant === undefined ? `Declare \`${name}\` under \`properties\`, or do not require it.` : `Did you mean \`${meant}\`?`,
        pointer: joinPointer(joinPointer(place.pointer, "required"), String(index)),
      });
    }
  };

  const typeNames = (at: Place): JsonValue | undefined => {
    const written = Array.isArray(at.value) ? (at.value as readonly JsonValue[]) : [at.value];
    const names = [...new Set(written.filter((name) => typeof name === "string" && TYPES.has(name)))];
    const wrong = written.find((name) => typeof name !== "string" || !TYPES.has(name));
    if (wrong !== undefined) {
      const meant = typeof wrong === "string" ? (MEANT_TYPES[wrong.toLowerCase()] ?? nearest(wrong, [...TYPES])) : undefined;
      findings.warning({
        code: "schema-type",
        message: `${JSON.stringify(wrong)} is no type of JSON Schema; ${names.length === 0 ? "any type is" : "the others are"} let through here.`,
        fix: meant === undefined ? `Use one of ${listed([...TYPES], "and")}.` : `Did you mean \`${meant}\`?`,
        pointer: at.pointer,
      });
    }
    if (names.length === 0) return undefined;
    return names.length === 1 && !Array.isArray(at.value) ? names[0] : names;
  };

  const normaliseDependencies = (at: Place): JsonObject => {
    const copy = emptyObject();
    if (isObject(at.value)) {
      for (const [name, item] of Object.entries(at.value)) {
        copy[name] = Array.isArray(item) ? item : normaliseSchema(within(at, name, item));
      }
    }
    return copy;
  };

  /** Keywords of draft 2020-12 that draft-07 says differently. */
  const translate2020 = (place: Place & { readonly value: JsonObject }, schema: Record<string, JsonValue>): void => {
    const prefix = property(place.value, "prefixItems");
    if (Array.isArray(prefix)) {
      const rest = schema["items"];
      schema["items"] = normaliseAll(within(place, "prefixItems", prefix));
      if (rest !== undefined && !Array.isArray(rest)) schema["additionalItems"] = rest;
    }
    for (const key of ["dependentRequired", "dependentSchemas"]) {
      const value = property(place.value, key);
      if (value === undefined || !isObject(value)) continue;
      const found = normaliseDependencies(within(place, key, value));
      const before = schema["dependencies"];
      schema["dependencies"] = isObject(before) ? Object.assign(emptyObject(), before, found) : found;
    }
  };

  /**
   * `discriminator` names the property whose value is the name of the schema. Where alternatives are listed and leave the property open, that is
   * what the document means and each gets its constant; where they have constants, those count; elsewhere it says nothing that draft-07 could check.
   */
  const discriminate = (place: Place & { readonly value: JsonObject }, schema: Record<string, JsonValue>): Record<string, JsonValue> => {
    const written = property(place.value, "discriminator");
    const name = typeof written === "string" ? written : stringAt(written, "propertyName");
    const key = Array.isArray(schema["oneOf"]) ? "oneOf" : "anyOf";
    const members = property(place.value, key);
    if (name === undefined || !Array.isArray(members)) return schema;
    const found = members.map((member: JsonValue, index) => {
      const at = within(within(place, key, members), String(index), member);
      const target = tree.target(refOf(member) ?? "");
      return target !== undefined && inherited(target) !== undefined ? "constant" : memberOf(tree, at, name);
    });
    if (found.some((member) => member === "constant")) return schema;
    if (!found.every((member) => member === "open")) {
      findings.hint({
        code: "discriminator",
        message: `\`discriminator: ${name}\` is not evaluated, because not every alternative has that property.`,
        fix: `Give each alternative \`${name}: { const: … }\` and list it under \`required\`.`,
        pointer: joinPointer(place.pointer, "discriminator"),
      });
      return schema;
    }
    const alternatives = schema[key];
    if (!Array.isArray(alternatives)) return schema;
    const tagged = alternatives.map((alternative: JsonValue, index) => {
      const pointer = tree.target(refOf(members[index] ?? null) ?? "")?.pointer ?? "";
      const tag = constantOf(tagsOf(tree, written, pointer));
      return { allOf: [alternative, { type: "object", required: [name], properties: { [name]: tag } }] };
    });
    return { ...schema, [key]: tagged };
  };

  return {
    drafts,
    tags,
    add: (draft) => {
      drafts.set(draft.id, draft);
    },
    normalise: (place) => {
      const schema = normaliseSchema(place);
      drain();
      return schema;
    },
    named: (place) => {
      if (!isObject(place.value) || refOf(place.value) === undefined) return undefined;
      const schema = normaliseRef({ pointer: place.pointer, value: place.value });
      drain();
      return refName(schema);
    },
  };
}

/** Values that other dialects write differently; `undefined` leaves the keyword out. */
function translate(key: string, value: JsonValue, owner: JsonObject): JsonValue | undefined {
  // Draft-04: a flag that makes the bound beside it exclusive.
  if (key === "exclusiveMinimum" && typeof value === "boolean") return value ? property(owner, "minimum") : undefined;
  if (key === "exclusiveMaximum" && typeof value === "boolean") return value ? property(owner, "maximum") : undefined;
  // OpenAPI lists examples by name; they are prose here.
  if (key === "examples" && !Array.isArray(value)) return isObject(value) ? Object.values(value) : undefined;
  if (key === "enum" && Array.isArray(value)) return [...new Map(value.map((item: JsonValue) => [JSON.stringify(item), item])).values()];
  if (key === "required" && Array.isArray(value)) return [...new Set(value as readonly JsonValue[])];
  return value;
}

/** OpenAPI's `nullable`: what the schema says, or null. */
function nullable(schema: Record<string, JsonValue>): Schema {
  const { type } = schema;
  if (type === undefined) {
    const constrains = Object.keys(schema).some((key) => !["title", "description", "deprecated", "default", "examples"].includes(key));
    if (!constrains) return schema;
    const outer = emptyObject();
    const inner = emptyObject();
    for (const [key, value] of Object.entries(schema)) {
      if (["title", "description", "deprecated", "default", "examples"].includes(key)) outer[key] = value;
      else inner[key] = value;
    }
    outer["anyOf"] = [inner, { type: "null" }];
    return outer;
  }
  const types = typesOf(schema);
  const copy = Object.assign(emptyObject(), schema, { type: types.includes("null") ? types : [...types, "null"] });
  if (Array.isArray(copy["enum"]) && !copy["enum"].includes(null)) copy["enum"] = [...(copy["enum"] as readonly JsonValue[]), null];
  if (copy["const"] !== undefined) {
    copy["enum"] = [copy["const"], null];
    delete copy["const"];
  }
  return copy;
}

const TYPES: ReadonlySet<string> = new Set(["null", "boolean", "object", "array", "number", "string", "integer"]);
const MEANT_TYPES: Readonly<Record<string, string>> = {
  bool: "boolean",
  date: "string",
  datetime: "string",
  decimal: "number",
  dict: "object",
  double: "number",
  float: "number",
  int: "integer",
  int32: "integer",
  int64: "integer",
  list: "array",
  long: "integer",
  map: "object",
  str: "string",
  uuid: "string",
};

/** What may stand beside a `$ref` without anybody expecting it to be checked. */
const QUIET_SIBLINGS: ReadonlySet<string> = new Set([
  "title",
  "description",
  "deprecated",
  "summary",
  "example",
  "examples",
  "externalDocs",
  "$comment",
]);

/** A schema with the id (or name) behind every ref replaced. */
export function renameRefs(schema: Schema, rename: (id: string) => string): Schema {
  if (typeof schema === "boolean") return schema;
  const copy = mapSubschemas(schema, (inner) => renameRefs(inner, rename));
  const id = refName(copy);
  return id === undefined ? copy : Object.assign(emptyObject(), copy, { $ref: DEFINITIONS + rename(id) });
}
