// Schemas that extend another one with a `discriminator` by `allOf` (Schema Object, "Models with Polymorphism Support"): the property that it names holds
// the name of the schema.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { tagsOf } from "./discriminator.ts";
import { constantOf, emptyObject } from "./keywords.ts";
import { isObject, type Place, property, refOf, stringAt, type Tree } from "./tree.ts";

/** What the discriminating property of a schema can be: the schema's own name, and those of the schemas that extend it. */
export interface Tag {
  readonly name: string;
  readonly values: readonly string[];
  /** Those of them that are the schema's own. */
  readonly own: readonly string[];
  /** Where the schemas are written that extend it. */
  readonly heirs: readonly string[];
}

/** Builds the look-up of what definitions inherit; nothing where a schema says it itself. */
export function createInheritance(tree: Tree): (definition: Place) => Tag | undefined {
  /** By the place of the definitions, and what they extend. */
  const heirs = new Map<string, Map<string, Place[]>>();
  const parentsOf = (place: Place): readonly Place[] =>
    tree.items(place, "allOf").flatMap((part) => (refOf(part.value) === undefined ? [] : (tree.follow(part) ?? [])));

  /** Everything that a definition extends, nearest first. */
  const ancestorsOf = (place: Place): readonly Place[] => {
    const found = new Map<string, Place>();
    const waiting = [...parentsOf(place)];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (found.has(next.pointer)) continue;
      found.set(next.pointer, next);
      waiting.push(...parentsOf(next));
    }
    return [...found.values()];
  };

  /** The definitions beside it that extend it, directly or not. */
  const heirsOf = ({ pointer }: Place): readonly Place[] => {
    const holder = pointer.slice(0, pointer.lastIndexOf("/"));
    const known = heirs.get(holder) ?? new Map<string, Place[]>();
    if (!heirs.has(holder)) {
      const beside = tree.at(holder);
      for (const key of Object.keys(beside?.value ?? {})) {
        const heir = beside && tree.child(beside, key);
        if (heir === undefined) continue;
        for (const { pointer: extended } of ancestorsOf(heir)) {
          const found = known.get(extended);
          if (found === undefined) known.set(extended, [heir]);
          else found.push(heir);
        }
      }
      heirs.set(holder, known);
    }
    return known.get(pointer) ?? [];
  };

  /** What a schema itself says about a property, parts that are no refs included. */
  const declared = (place: Place, name: string): readonly JsonValue[] => {
    const own = tree.object(place, "properties");
    const found = own && tree.child(own, name);
    const parts = tree.items(place, "allOf").filter(({ value }) => refOf(value) === undefined);
    return [...(found === undefined ? [] : [found.value]), ...parts.flatMap((part) => declared(part, name))];
  };

  return (definition) => {
    if (!isObject(definition.value) || !Array.isArray(definition.value["allOf"])) return undefined;
    const ancestors = ancestorsOf(definition);
    const origin = ancestors.find(({ value }) => nameIn(value) !== undefined);
    const name = nameIn(origin?.value);
    if (origin === undefined || name === undefined || ancestors.some(({ pointer }) => pointer === definition.pointer)) return undefined;
    const own = declared(definition, name);
    const inherited = ancestors.flatMap((place) => declared(place, name));
    if (inherited.length === 0) return undefined;
    const tags = (place: Place): readonly string[] => tagsOf(tree, property(origin.value, "discriminator"), place.pointer);
    const heirs = heirsOf(definition);
    const values = [...new Set([definition, ...heirs].flatMap(tags))].sort();
    // Who lists other values, or has one, means these.
    const isOpen = (schema: JsonValue): boolean => {
      const list = property(schema, "enum");
      return property(schema, "const") === undefined && (!Array.isArray(list) || values.every((value) => list.includes(value)));
    };
    return own.every((schema) => isOpen(schema) && property(schema, "enum") === undefined) && inherited.every(isOpen)
      ? { name, values, own: tags(definition), heirs: heirs.map(({ pointer }) => pointer) }
      : undefined;
  };
}

/** The property that a schema's `discriminator` names, as AsyncAPI or as OpenAPI writes it; alternatives that are listed are another matter. */
function nameIn(schema: JsonValue | undefined): string | undefined {
  const written = property(schema, "discriminator");
  return typeof written === "string" ? written : stringAt(written, "propertyName");
}

/** A schema of `allOf` with its tag, in the part that is written there, as people would. */
export function withTag(schema: JsonObject, { name, values }: Tag): JsonObject {
  const parts = Array.isArray(schema["allOf"]) ? (schema["allOf"] as readonly JsonValue[]) : [];
  const tag = constantOf(values);
  const isPlain = (part: JsonValue): part is JsonObject =>
    isObject(part) && part["type"] === "object" && !["allOf", "anyOf", "oneOf", "$ref"].some((key) => Object.hasOwn(part, key));
  const into = parts.findIndex(isPlain);
  const part = parts[into];
  const { required, properties, ...rest } = part !== undefined && isObject(part) ? part : { type: "object" };
  const asked = Array.isArray(required) ? (required as readonly JsonValue[]) : [];
  const tagged = {
    ...rest,
    required: [...new Set([name, ...asked])],
    properties: Object.assign(emptyObject(), { [name]: tag }, isObject(properties) ? properties : {}, { [name]: tag }),
  };
  return { ...schema, allOf: into === -1 ? [...parts, tagged] : parts.with(into, tagged) };
}
