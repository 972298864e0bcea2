// Types taken together: unions and intersections, which say nothing twice and hold nothing that no value of JSON is.
import type { ObjectNode, TypeNode } from "./type-layout.ts";

export interface TypeAlgebra {
  /** What is of one of the types. */
  union(members: readonly TypeNode[]): TypeNode;
  /** What is of all of the types. */
  intersection(members: readonly TypeNode[]): TypeNode;
}

export const text = (value: string): TypeNode => ({ kind: "text", text: value });
export const unknown = text("unknown");
export const never = text("never");
/** What is an object, whatever it holds. */
export const anyObject: ObjectNode = { kind: "object", members: [], index: unknown };

/** @param keyOf the text by which types are the same; `undefined` where they are only the same as themselves */
export function createTypeAlgebra(keyOf: (node: TypeNode) => string | undefined): TypeAlgebra {
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

  return { union, intersection };
}

/** The primitive that a literal type belongs to. */
export function literalKind(literal: string): string | undefined {
  if (literal.startsWith('"')) return "string";
  if (/^-?\d/.test(literal)) return "number";
  return literal === "true" || literal === "false" ? "boolean" : undefined;
}

/** Whether an intersection with an index signature stands somewhere in a type. */
export function mixesIndex(node: TypeNode): boolean {
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

export const isFree = (node: TypeNode): boolean =>
  node.kind === "object" && node.members.length === 0 && (node.index === undefined || node.index === unknown);
