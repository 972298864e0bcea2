// From schemas to TypeScript types, as trees of what a type is.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { BYTES, isSchema, type Schema, says } from "../model/keywords.ts";
import type { Model, TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject } from "../model/tree.ts";
import type { GeneratedFile } from "./file.ts";
import { type Annotated, memberDocs } from "./schema-docs.ts";
import {
  createFlattener,
  createMemberHead,
  createTypeLayout,
  type Member,
  type ObjectNode,
  type TypeLayout,
  type TypeNode,
} from "./type-layout.ts";

/** Turns the schemas of one model into types. */
export interface TypeBuilder extends TypeLayout {
  /** The type of the values that a schema accepts; where TypeScript cannot say it, of a few more. */
  typeOf(schema: Schema): TypeNode;
  /** A named type as an interface, where it can be one: its own members, and the interfaces that it extends. */
  interfaceOf(definition: TypeDefinition): InterfaceNode | undefined;
}

export interface InterfaceNode {
  readonly extends: readonly string[];
  readonly body: ObjectNode;
}

const text = (value: string): TypeNode => ({ kind: "text", text: value });
const unknown = text("unknown");
const never = text("never");
const anyObject: ObjectNode = { kind: "object", members: [], index: unknown };

/**
 * Starts a builder of types.
 *
 * @param file whose quoting is used for names and literals
 * @param nameOf what a named type is called in that file
 */
export function createTypeBuilder(
  model: Model,
  file: Pick<GeneratedFile, "string" | "key">,
  nameOf: (name: string) => string = (name) => name,
): TypeBuilder {
  const definitions = new Map(model.types.map((definition) => [definition.name, definition]));
  const interfaces = new Map<string, InterfaceNode | undefined>();
  /** Of named types, whether they are objects alone. */
  const objects = new Map<string, boolean>();

  // Names are only asked for when they are printed: whoever asks for one imports it.
  const keyOf = createFlattener((name) => name, createMemberHead(file));
  const { layOut, layOutBody } = createTypeLayout(file, nameOf);

  const literal = (value: JsonValue): TypeNode => {
    if (typeof value === "string") return text(file.string(value));
    // The type `-0` is the type `0`, and a literal of it is an error.
    if (value === null || typeof value !== "object") return text(String(value));
    if (Array.isArray(value))
      return { kind: "tuple", items: value.map((item: JsonValue) => ({ optional: false, type: literal(item), docs: {} })) };
    const members = Object.entries(value).map(([name, item]) => ({ name, optional: false, type: literal(item), docs: {} }));
    return members.length === 0 ? { kind: "object", members, index: never } : { kind: "object", members };
  };

  const typeOf = (schema: Schema): TypeNode => {
    if (typeof schema === "boolean") return schema ? unknown : never;
    const ref = refName(schema);
    if (ref !== undefined) return { kind: "name", name: ref };
    const values = listedValues(schema);
    if (values !== undefined) return union(values.map(literal));
    const { not } = schema;
    if (not === true || (isObject(not) && says(not).length === 0)) return never;
    return intersection(parts(schema));
  };

  /** What has to hold at once: the types that `allOf` names, the schema's own keywords, its alternatives. */
  const parts = (schema: JsonObject): TypeNode[] => {
    const { inline, others } = flattened(schema);
    const told = toldByAlternatives(inline, others);
    const alternatives = inline.flatMap((part) => ALTERNATIVES.flatMap((key) => alternativesOf(part, key, told)));
    const named = others.map(typeOf);
    const own = mergeObjects(
      inline.map((part) => withoutRequired(part, told)),
      others,
    );
    if (own === undefined || !isFree(own)) return [...named, ...(own === undefined ? [] : [own]), ...alternatives];
    // `type: object` beside types that are objects adds nothing.
    const implied = others.some(onlyObjects) || inline.some((part) => ALTERNATIVES.some((key) => listsObjects(part[key])));
    return [...named, ...(implied ? [] : [anyObject]), ...alternatives];
  };

  /** What the keywords of one schema say by themselves, without applicators. */
  const ownParts = (schema: JsonObject): TypeNode[] => {
    if (Object.hasOwn(schema, "const") || Array.isArray(schema["enum"])) return [typeOf(schema)];
    const kinds = kindsOf(schema);
    if (kinds === undefined) return [];
    return [union(kinds.map((kind) => kindType(kind, schema)))];
  };

  /** @param told properties that each has to have, whether it says so or not */
  const alternativesOf = (schema: JsonObject, key: string, told: readonly string[] = []): TypeNode[] => {
    const members = schema[key];
    if (!Array.isArray(members)) return [];
    // Alternatives that only say which properties must be there do not change what the properties are.
    const types = members.map((member: JsonValue) =>
      isSchema(member) && !isConstraint(member) ? typeOf(withRequired(member, told)) : unknown,
    );
    const type = union(types);
    return type === unknown ? [] : [type];
  };

  /** Properties that a schema requires and leaves to its alternatives to describe, where all of one list do. */
  const toldByAlternatives = (inline: readonly JsonObject[], bases: readonly JsonObject[]): readonly string[] => {
    const lists = inline.flatMap((part) => ALTERNATIVES.map((key) => part[key])).filter((list) => Array.isArray(list));
    if (lists.length === 0) return [];
    const tells = (member: JsonValue, name: string): boolean =>
      isObject(member) && (declares(member, name) || findProperty([member], name, new Set())?.required === true);
    return inline
      .flatMap((part) => stringsOf(part["required"]))
      .filter(
        (name) =>
          !inline.some((part) => declares(part, name)) &&
          findProperty(bases, name, new Set()) === undefined &&
          lists.some((list) => list.every((member: JsonValue) => tells(member, name))),
      );
  };

  const kindType = (kind: string, schema: JsonObject): TypeNode => {
    if (kind === "object") return objectOf([schema], []) ?? unknown;
    if (kind === "array") return arrayOf(schema);
    if (kind === BYTES) return text("Uint8Array");
    return text(kind === "integer" ? "number" : kind);
  };

  const arrayOf = (schema: JsonObject): TypeNode => {
    const { items, additionalItems, minItems, maxItems } = schema;
    if (!Array.isArray(items)) return { kind: "array", item: isSchema(items) ? typeOf(items) : unknown };
    const least = typeof minItems === "number" ? minItems : 0;
    const most = typeof maxItems === "number" ? maxItems : Number.POSITIVE_INFINITY;
    if (most < least) return never;
    const places = (items as readonly Schema[])
      .slice(0, most)
      .map((item, index) => ({ optional: index >= least, type: typeOf(item), docs: memberDocs("", annotated(item)) }));
    const rest = most <= items.length ? never : isSchema(additionalItems) ? typeOf(additionalItems) : unknown;
    return rest === never ? { kind: "tuple", items: places } : { kind: "tuple", items: places, rest };
  };

  /** Own and `allOf`'s inline keywords as one object type; other kinds of value stay as they are. */
  const mergeObjects = (inline: readonly JsonObject[], others: readonly JsonObject[]): TypeNode | undefined => {
    const spoken = inline.filter((part) => kindsOf(part) !== undefined);
    if (spoken.length === 0) return undefined;
    if (spoken.every((part) => isKind(part, "object"))) return objectOf(spoken, others);
    return intersection(spoken.flatMap(ownParts));
  };

  /** @param bases schemas that hold beside these: where the properties may be that these only require */
  const objectOf = (schemas: readonly JsonObject[], bases: readonly JsonObject[]): ObjectNode | undefined => {
    const required = new Set(schemas.flatMap((schema) => stringsOf(schema["required"])));
    const found = new Map<string, { readonly type: TypeNode; readonly schema: Schema }>();
    for (const schema of schemas) {
      for (const [name, property] of Object.entries(isObject(schema["properties"]) ? schema["properties"] : {})) {
        if (!isSchema(property)) continue;
        const before = found.get(name);
        const type = typeOf(property);
        found.set(name, { type: before === undefined ? type : intersection([before.type, type]), schema: property });
      }
    }
    const members = [...found].map(([name, { type, schema }]) => ({
      name,
      optional: !required.has(name) && findProperty(bases, name, new Set())?.required !== true,
      type,
      docs: memberDocs(name, annotated(schema)),
    }));
    for (const name of required) {
      if (found.has(name)) continue;
      const inherited = findProperty(bases, name, new Set());
      if (inherited?.required === true) continue;
      const schema = inherited?.schema ?? extraOf(schemas);
      members.push({
        name,
        optional: false,
        type: typeOf(schema),
        docs: inherited === undefined ? {} : memberDocs(name, annotated(schema)),
      });
    }
    const index = indexOf(schemas, members, bases.length > 0);
    return index === undefined ? { kind: "object", members } : { kind: "object", members, index };
  };

  /** The type of properties without a name, wide enough for the named ones that TypeScript counts among them. */
  const indexOf = (schemas: readonly JsonObject[], members: readonly Member[], inherits: boolean): TypeNode | undefined => {
    const types = schemas.flatMap((schema) => extraTypes(schema, members.length === 0 && !inherits));
    if (types.length === 0) return undefined;
    if (types.includes(unknown)) return unknown;
    const named = members.map(({ type }) => type);
    const all = union([...types, ...named].filter((type) => type !== never));
    if (types.every((type) => type === never)) return members.length === 0 ? never : undefined;
    // Written twice, such a type is two: TypeScript holds the named properties of the one against the index signature of the other.
    if (named.some(mixesIndex)) return unknown;
    return all.kind === "union" && all.members.length > 4 ? unknown : all;
  };

  const extraTypes = (schema: JsonObject, nameless: boolean): TypeNode[] => {
    const { additionalProperties: extra, patternProperties } = schema;
    const patterns = isObject(patternProperties) ? Object.entries(patternProperties).filter(([, value]) => isSchema(value)) : [];
    const types = patterns.map(([, value]) => typeOf(isSchema(value) ? value : true));
    if (patterns.some(([pattern]) => matchesAll(pattern))) return types;
    if (extra === false) return types.length > 0 ? types : nameless ? [never] : [];
    if (isSchema(extra)) return [...types, typeOf(extra)];
    return types.length > 0 || nameless ? [unknown] : [];
  };

  const extraOf = (schemas: readonly JsonObject[]): Schema => {
    const extra = schemas.map((schema) => schema["additionalProperties"]).find((value) => isObject(value));
    return extra !== undefined && isSchema(extra) ? extra : true;
  };

  /** A property of schemas that hold at once, through the types they name. */
  const findProperty = (
    schemas: readonly JsonObject[],
    name: string,
    seen: Set<string>,
  ): { readonly schema: Schema; readonly required: boolean } | undefined => {
    let found: Schema | undefined;
    // One may require what another declares.
    let demanded = false;
    for (const schema of schemas) {
      const target = resolve(schema, seen);
      if (target === undefined) continue;
      const { properties, allOf } = target;
      const own = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
      const inner = Array.isArray(allOf) ? findProperty(allOf.filter(isObject), name, seen) : undefined;
      demanded ||= stringsOf(target["required"]).includes(name) || inner?.required === true;
      found = own !== undefined && isSchema(own) ? own : (inner?.schema ?? found);
    }
    return found === undefined ? undefined : { schema: found, required: demanded };
  };

  /** The schema behind a ref; `undefined` when it was seen before, is a boolean or is not there. */
  const resolve = (schema: JsonObject, seen: Set<string>): JsonObject | undefined => {
    const ref = refName(schema);
    if (ref === undefined) return schema;
    if (seen.has(ref)) return undefined;
    seen.add(ref);
    const target = definitions.get(ref)?.schema;
    return isObject(target) ? resolve(target, seen) : undefined;
  };

  /** Whether the type of a schema has objects alone: what it says of itself, by names and in `allOf`, or all of its alternatives. */
  const onlyObjects = (schema: Schema): boolean => {
    if (typeof schema === "boolean") return !schema;
    const ref = refName(schema);
    if (ref !== undefined) {
      const known = objects.get(ref);
      if (known !== undefined) return known;
      // What leads back to itself is decided by the rest.
      objects.set(ref, true);
      const found = onlyObjects(definitions.get(ref)?.schema ?? true);
      objects.set(ref, found);
      return found;
    }
    const values = listedValues(schema);
    if (values !== undefined) return values.every(isObject);
    if (isKind(schema, "object") || ALTERNATIVES.some((key) => listsObjects(schema[key]))) return true;
    const { allOf } = schema;
    return Array.isArray(allOf) && allOf.some((member: JsonValue) => isSchema(member) && onlyObjects(member));
  };

  const listsObjects = (list: JsonValue | undefined): boolean =>
    Array.isArray(list) && list.every((member: JsonValue) => isSchema(member) && !isConstraint(member) && onlyObjects(member));

  const interfaceOf = (definition: TypeDefinition): InterfaceNode | undefined => {
    const { name, schema } = definition;
    if (interfaces.has(name)) return interfaces.get(name);
    // A type that comes back to itself while it is being looked at extends itself: no interface.
    interfaces.set(name, undefined);
    const node = typeof schema === "boolean" || refName(schema) !== undefined ? undefined : buildInterface(schema);
    interfaces.set(name, node);
    return node;
  };

  const buildInterface = (schema: JsonObject): InterfaceNode | undefined => {
    if (Object.hasOwn(schema, "const") || Array.isArray(schema["enum"]) || schema["not"] === true) return undefined;
    const { inline, others } = flattened(schema);
    const bases = others.map(refName);
    const own = mergeObjects(inline, others);
    if (bases.includes(undefined) || own?.kind !== "object") return undefined;
    if (inline.some((part) => ALTERNATIVES.some((key) => alternativesOf(part, key).length > 0))) return undefined;
    if (bases.length === 0) return own.members.length === 0 && own.index === never ? undefined : { extends: [], body: own };
    if (own.index !== undefined) return undefined;
    const inherited = bases.map((base) => allMembers(base ?? ""));
    const { members } = own;
    if (inherited.includes(undefined) || members.length === 0) return undefined;
    const seen = new Map<string, Member>();
    for (const member of inherited.flatMap((list) => list ?? [])) {
      const before = seen.get(member.name);
      if (before !== undefined && (before.optional !== member.optional || keyOf(before.type) !== keyOf(member.type))) return undefined;
      seen.set(member.name, member);
    }
    const fits = members.every((member) => {
      const base = seen.get(member.name);
      return base === undefined || ((base.optional || !member.optional) && isAssignable(member.type, base.type));
    });
    return fits ? { extends: bases.map((base) => nameOf(base ?? "")), body: own } : undefined;
  };

  /** Every member of an interface, inherited ones too; `undefined` for types that are none or that have an index signature. */
  const allMembers = (name: string): readonly Member[] | undefined => {
    const definition = definitions.get(name);
    const node = definition === undefined ? undefined : interfaceOf(definition);
    if (definition === undefined || node === undefined || node.body.index !== undefined) return undefined;
    const own = new Set(node.body.members.map((member) => member.name));
    const bases = isObject(definition.schema) ? flattened(definition.schema).others.map((part) => allMembers(refName(part) ?? "")) : [];
    if (bases.includes(undefined)) return undefined;
    return [...bases.flatMap((list) => (list ?? []).filter((member) => !own.has(member.name))), ...node.body.members];
  };

  /** What the name of a type without properties or items stands for. */
  const scalarNamed = (node: TypeNode): TypeNode | undefined => {
    const schema = node.kind === "name" ? definitions.get(node.name)?.schema : undefined;
    if (!isObject(schema ?? null) || typeof schema !== "object") return undefined;
    if (says(schema).some((key) => !SCALAR.has(key)) || (kindsOf(schema) ?? []).some((kind) => !SCALAR_KINDS.has(kind))) return undefined;
    return typeOf(schema);
  };

  const isAssignable = (from: TypeNode, to: TypeNode): boolean => {
    const target = keyOf(to);
    const source = keyOf(from);
    if (to === unknown || from === never || (source !== undefined && source === target)) return true;
    if (from.kind === "union") return from.members.every((member) => isAssignable(member, to));
    if (to.kind === "union") return to.members.some((member) => isAssignable(from, member));
    const meant = scalarNamed(to);
    if (meant !== undefined) return isAssignable(from, meant);
    return from.kind === "text" && to.kind === "text" && literalKind(from.text) === to.text;
  };

  const union = (members: readonly TypeNode[]): TypeNode => {
    const found = new Map<string | TypeNode, TypeNode>();
    for (const member of members) {
      for (const inner of member.kind === "union" ? member.members : [member]) {
        if (inner === unknown) return unknown;
        if (inner !== never) found.set(keyOf(inner) ?? inner, inner);
      }
    }
    const texts = new Set(found.keys());
    if (texts.has("true") && texts.has("false") && !texts.has("boolean")) {
      const kept = [...found.values()].filter((member) => !(member.kind === "text" && literalKind(member.text) === "boolean"));
      return union([...kept, text("boolean")]);
    }
    const kept = [...found.values()].filter((member) => !(member.kind === "text" && texts.has(literalKind(member.text) ?? "")));
    const [only] = kept;
    return only === undefined ? never : kept.length === 1 ? only : { kind: "union", members: kept };
  };

  const intersection = (members: readonly TypeNode[]): TypeNode => {
    const found = new Map<string | TypeNode, TypeNode>();
    const all = members.flatMap((member) => (member.kind === "intersection" ? member.members : [member]));
    const kinds = new Set(all.flatMap((member) => kindOf(member) ?? []));
    // To TypeScript a list may have the properties of an object as well; no value of JSON is of two kinds.
    if (kinds.size > 1) return never;
    for (const member of all) {
      const possible =
        member.kind === "union" && kinds.size === 1
          ? union(member.members.filter((inner) => kinds.has(kindOf(inner) ?? [...kinds][0] ?? "")))
          : member;
      if (possible === never) return never;
      if (possible !== unknown) found.set(keyOf(possible) ?? possible, possible);
    }
    // Types that say more than their kind.
    const telling = new Set([...found.values()].map((member) => (isBare(member) ? undefined : kindOf(member))));
    const kept = [...found.values()].filter((member) => !(isBare(member) && telling.has(kindOf(member))));
    const [only] = kept;
    return only === undefined ? unknown : kept.length === 1 ? only : { kind: "intersection", members: kept };
  };

  return { typeOf, interfaceOf, layOut, layOutBody };
}

/** Splits off what stands in `allOf`: inline members that are merged with the schema itself, and others (refs, schemas with alternatives). */
function flattened(schema: JsonObject): { readonly inline: readonly JsonObject[]; readonly others: readonly JsonObject[] } {
  const inline: JsonObject[] = [schema];
  const others: JsonObject[] = [];
  const { allOf } = schema;
  for (const part of Array.isArray(allOf) ? (allOf as readonly JsonValue[]) : []) {
    if (!isObject(part)) continue;
    const mergeable = refName(part) === undefined && !["const", "enum"].some((key) => Object.hasOwn(part, key)) && !hasExtra(part);
    if (!mergeable) others.push(part);
    else {
      const inner = flattened(part);
      inline.push(...inner.inline);
      others.push(...inner.others);
    }
  }
  return { inline, others };
}

/** Where a schema lists what else a value may be. */
const ALTERNATIVES = ["anyOf", "oneOf"];

const declares = ({ properties }: JsonObject, name: string): boolean =>
  isObject(properties ?? null) && Object.hasOwn(Object(properties), name);

function withRequired(schema: Schema, names: readonly string[]): Schema {
  const declared = typeof schema === "boolean" ? [] : names.filter((name) => declares(schema, name));
  if (typeof schema === "boolean" || declared.length === 0) return schema;
  return { ...schema, required: [...new Set([...stringsOf(schema["required"]), ...declared])] };
}

function withoutRequired(schema: JsonObject, names: readonly string[]): JsonObject {
  if (names.length === 0 || schema["required"] === undefined) return schema;
  const { required, ...others } = schema;
  const kept = stringsOf(required).filter((name) => !names.includes(name));
  return kept.length === 0 ? others : { ...others, required: kept };
}

const hasExtra = (schema: JsonObject): boolean => isObject(schema["additionalProperties"]) || isObject(schema["patternProperties"]);

const stringsOf = (value: JsonValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];

const annotated = (schema: Schema): Annotated => (typeof schema === "boolean" ? {} : schema);

/** Keywords that only speak of values of one kind. */
const SPEAKS_OF: ReadonlyMap<string, string> = new Map([
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

/** Keywords of values that have no parts. */
const SCALAR: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "const",
  "format",
  ...[...SPEAKS_OF].flatMap(([key, kind]) => (kind === "string" || kind === "number" ? [key] : [])),
]);
const SCALAR_KINDS: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean", "null"]);

/** The kinds of value that a schema means: those it names, else those its keywords speak of; `undefined` when it says nothing. */
function kindsOf(schema: JsonObject): readonly string[] | undefined {
  const { type } = schema;
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) return stringsOf(type);
  if (BYTES in schema) return [BYTES];
  const spoken = Object.keys(schema).flatMap((key) => SPEAKS_OF.get(key) ?? []);
  return spoken.length === 0 ? undefined : [...new Set(spoken)];
}

const isKind = (schema: JsonObject, kind: string): boolean => kindsOf(schema)?.every((found) => found === kind) ?? false;

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
function listedValues(schema: JsonObject): readonly JsonValue[] | undefined {
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

/** Patterns that every name matches. */
const matchesAll = (pattern: string): boolean => /^\^?(\.[*+]|\[\\s\\S\]\*)?\$?$/.test(pattern);

/** The primitive that a literal type belongs to. */
function literalKind(literal: string): string | undefined {
  if (literal.startsWith('"')) return "string";
  if (/^-?\d/.test(literal)) return "number";
  return literal === "true" || literal === "false" ? "boolean" : undefined;
}

/** Whether an intersection with an index signature stands somewhere in a type. */
function mixesIndex(node: TypeNode): boolean {
  if (node.kind === "union") return node.members.some(mixesIndex);
  if (node.kind === "intersection") return node.members.some((member) => member.kind !== "object" || member.index !== undefined);
  if (node.kind === "array") return mixesIndex(node.item);
  if (node.kind === "tuple") return node.items.some(({ type }) => mixesIndex(type)) || (node.rest !== undefined && mixesIndex(node.rest));
  if (node.kind === "object")
    return node.members.some(({ type }) => mixesIndex(type)) || (node.index !== undefined && mixesIndex(node.index));
  return false;
}

/** The kind of value that a type is of, where it shows. */
function kindOf(node: TypeNode): string | undefined {
  if (node.kind === "array" || node.kind === "tuple") return "array";
  if (node.kind === "object") return "object";
  if (node.kind === "union") {
    const [kind, ...others] = new Set(node.members.map(kindOf));
    return others.length === 0 ? kind : undefined;
  }
  if (node.kind !== "text" || node.text === "unknown" || node.text === "never") return undefined;
  return literalKind(node.text) ?? node.text;
}

/** Whether a type is all values of a kind. */
const isBare = (node: TypeNode): boolean => (node.kind === "text" ? literalKind(node.text) === undefined : isFree(node));

const isFree = (node: TypeNode): boolean =>
  node.kind === "object" && node.members.length === 0 && (node.index === undefined || node.index === unknown);
