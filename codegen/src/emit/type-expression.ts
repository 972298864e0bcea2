// From schemas to TypeScript types, as trees of what a type is.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { BYTES, isSchema, type Schema } from "../model/keywords.ts";
import type { Model } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject, stringsOf } from "../model/tree.ts";
import type { GeneratedFile } from "./file.ts";
import { ALTERNATIVES, allowsNothing, declares, flattened, isConstraint, isKind, kindsOf, listedValues } from "./read-schema.ts";
import { type Annotated, memberDocs } from "./schema-docs.ts";
import { allKinds, anyKind, createTypeAlgebra, type Kinds, mixesIndex, never, text, unknown } from "./type-algebra.ts";
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
  /** What such a type is made of. */
  partsOf(schema: JsonObject): TypeParts;
  /** The text by which types are the same; `undefined` for long ones. */
  keyOf(node: TypeNode): string | undefined;
}

/** What has to hold at once: what `allOf` names, the keywords of the schema itself and of what stands inline in its `allOf`, its alternatives. */
export interface TypeParts {
  readonly others: readonly JsonObject[];
  readonly own: TypeNode | undefined;
  readonly alternatives: readonly TypeNode[];
}

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
  /** Of named types. */
  const kinds = new Map<string, Kinds | undefined>();

  // Names are only asked for when they are printed: whoever asks for one imports it.
  const keyOf = createFlattener((name) => name, createMemberHead(file));
  const { union, intersection } = createTypeAlgebra(keyOf, (name) => kindsOfName(name));

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
    if (allowsNothing(schema)) return never;
    if (typeof schema === "boolean") return unknown;
    const ref = refName(schema);
    if (ref !== undefined) return { kind: "name", name: ref };
    const values = listedValues(schema);
    if (values !== undefined) return union(values.map(literal));
    const { others, own, alternatives } = partsOf(schema);
    return intersection([...others.map(typeOf), ...(own === undefined ? [] : [own]), ...alternatives]);
  };

  const partsOf = (schema: JsonObject): TypeParts => {
    const { inline, others } = flattened(schema);
    const told = toldByAlternatives(inline, others);
    const alternatives = inline.flatMap((part) => ALTERNATIVES.flatMap((key) => alternativesOf(part, key, told)));
    const own = mergeObjects(
      inline.map((part) => withoutRequired(part, told)),
      others,
    );
    return { others, own, alternatives };
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
    return text(typeOfKind(kind));
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
    const members = [...found].map(([name, { type, schema }]) => {
      const inherited = findProperty(bases, name, new Set());
      // A text has all the properties of an object that requires none, to TypeScript.
      const excluded = inherited !== undefined && allKinds([kindsOfSchema(inherited.schema), kindsOfSchema(schema)])?.size === 0;
      return {
        name,
        optional: !required.has(name) && inherited?.required !== true,
        type: excluded ? never : type,
        docs: memberDocs(name, annotated(schema)),
      };
    });
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
    const index = indexOf(schemas, members);
    return index === undefined ? { kind: "object", members } : { kind: "object", members, index };
  };

  /** The type of properties without a name, wide enough for the named ones that TypeScript counts among them. */
  const indexOf = (schemas: readonly JsonObject[], members: readonly Member[]): TypeNode | undefined => {
    const nameless = members.length === 0;
    const speaking = schemas.filter((schema) => REST.some((key) => schema[key] !== undefined));
    if (speaking.length === 0) return nameless ? unknown : undefined;
    const types = speaking.flatMap((schema) => extraTypes(schema, nameless));
    if (types.length === 0) return undefined;
    if (types.includes(unknown)) return unknown;
    const named = members.map(({ type }) => type);
    const all = union([...types, ...named].filter((type) => type !== never));
    if (types.every((type) => type === never)) return nameless ? never : undefined;
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

  /** The kinds of value that a named type has; `undefined` when it may have any. */
  const kindsOfName = (name: string): Kinds | undefined => {
    if (!kinds.has(name)) {
      // What leads back to itself is decided by the rest.
      kinds.set(name, undefined);
      kinds.set(name, kindsOfSchema(definitions.get(name)?.schema ?? true));
    }
    return kinds.get(name);
  };

  const kindsOfSchema = (schema: Schema): Kinds | undefined => {
    if (typeof schema === "boolean") return undefined;
    const ref = refName(schema);
    if (ref !== undefined) return kindsOfName(ref);
    const values = listedValues(schema);
    if (values !== undefined) return new Set(values.map(kindOfValue));
    const { allOf } = schema;
    const together = Array.isArray(allOf) ? allOf.map((part: JsonValue) => (isSchema(part) ? kindsOfSchema(part) : undefined)) : [];
    const alternatives = ALTERNATIVES.map((key) => schema[key]).filter((list) => Array.isArray(list));
    return allKinds([
      ...(kindsOf(schema) === undefined ? [] : [new Set(kindsOf(schema)?.map(typeOfKind))]),
      ...together,
      ...alternatives.map((list) =>
        anyKind(list.map((member: JsonValue) => (isSchema(member) && !isConstraint(member) ? kindsOfSchema(member) : undefined))),
      ),
    ]);
  };

  return { typeOf, partsOf, keyOf, ...createTypeLayout(file, nameOf) };
}

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

/** Keywords about the properties that have no name. */
const REST = ["additionalProperties", "patternProperties"];

const typeOfKind = (kind: string): string => (kind === "integer" ? "number" : kind === BYTES ? "Uint8Array" : kind);

const kindOfValue = (value: JsonValue): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

const annotated = (schema: Schema): Annotated => (typeof schema === "boolean" ? {} : schema);

/** Patterns that every name matches. */
const matchesAll = (pattern: string): boolean => /^\^?(\.[*+]|\[\\s\\S\]\*)?\$?$/.test(pattern);
