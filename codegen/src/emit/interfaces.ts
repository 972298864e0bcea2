// Which named types can be interfaces, and which interfaces they extend.
import type { JsonObject } from "../document/document.ts";
import { says } from "../model/keywords.ts";
import type { Model, TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject } from "../model/tree.ts";
import { allowsNothing, flattened, kindsOf, SPEAKS_OF } from "./read-schema.ts";
import { literalKind, never, unknown } from "./type-algebra.ts";
import type { TypeBuilder } from "./type-expression.ts";
import type { Member, ObjectNode, TypeNode } from "./type-layout.ts";

/** An interface: its own members, and the interfaces that it extends. */
export interface InterfaceNode {
  readonly extends: readonly string[];
  readonly body: ObjectNode;
}

/** Starts a look-up of interfaces; `undefined` for types that cannot be one. */
export function createInterfaces(
  model: Model,
  { typeOf, partsOf, keyOf }: TypeBuilder,
): (definition: TypeDefinition) => InterfaceNode | undefined {
  const definitions = new Map(model.types.map((definition) => [definition.name, definition]));
  const interfaces = new Map<string, InterfaceNode | undefined>();

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
    if (Object.hasOwn(schema, "const") || Array.isArray(schema["enum"]) || allowsNothing(schema)) return undefined;
    const { others, own, alternatives } = partsOf(schema);
    const bases = others.map(refName);
    if (bases.includes(undefined) || own?.kind !== "object" || alternatives.length > 0) return undefined;
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
    return fits ? { extends: bases.map((base) => base ?? ""), body: own } : undefined;
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

  return interfaceOf;
}

/** Keywords of values that have no parts. */
const SCALAR: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "const",
  "format",
  ...[...SPEAKS_OF].flatMap(([key, kind]) => (kind === "string" || kind === "number" ? [key] : [])),
]);
const SCALAR_KINDS: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean", "null"]);
