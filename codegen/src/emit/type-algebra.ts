// Types taken together: unions and intersections, which say nothing twice and hold nothing that no value of JSON is.
import type { TypeNode } from "./type-layout.ts";

export interface TypeAlgebra {
  /** What is of one of the types. */
  union(members: readonly TypeNode[]): TypeNode;
  /** What is of all of the types. */
  intersection(members: readonly TypeNode[]): TypeNode;
}

/** Kinds of JSON value, and bytes, as TypeScript calls them. */
export type Kinds = ReadonlySet<string>;

export const text = (value: string): TypeNode => ({ kind: "text", text: value });
export const unknown = text("unknown");
export const never = text("never");

/**
 * @param keyOf the text by which types are the same; `undefined` where they are only the same as themselves
 * @param kindsOfName the kinds of value that a named type has; `undefined` when it may have any
 */
export function createTypeAlgebra(
  keyOf: (node: TypeNode) => string | undefined,
  kindsOfName: (name: string) => Kinds | undefined,
): TypeAlgebra {
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
    const common = allKinds(all.map(kindsOf));
    // To TypeScript a list may have the properties of an object as well; no value of JSON is of two kinds.
    if (common?.size === 0) return never;
    const possible = (node: TypeNode): boolean => common === undefined || [...(kindsOf(node) ?? common)].some((kind) => common.has(kind));
    for (const member of all) {
      const narrowed = member.kind === "union" ? union(member.members.filter(possible)) : member;
      if (narrowed === never) return never;
      if (narrowed !== unknown) found.set(keyOf(narrowed) ?? narrowed, narrowed);
    }
    // Where another type says more of the same kinds.
    const telling = [...found.values()].filter((member) => !isBare(member)).flatMap((member) => kindsOf(member) ?? []);
    const said = (member: TypeNode): boolean => telling.some((own) => [...own].every((kind) => kindsOf(member)?.has(kind) === true));
    const kept = [...found.values()].filter((member) => !(isBare(member) && said(member)));
    const [only] = kept;
    return only === undefined ? unknown : kept.length === 1 ? only : { kind: "intersection", members: kept };
  };

  /** The kinds of value that a type has; `undefined` when it may have any. */
  const kindsOf = (node: TypeNode): Kinds | undefined => {
    if (node.kind === "array" || node.kind === "tuple") return new Set(["array"]);
    if (node.kind === "object") return new Set(["object"]);
    if (node.kind === "name") return kindsOfName(node.name);
    if (node.kind === "union") return anyKind(node.members.map(kindsOf));
    if (node.kind === "intersection") return allKinds(node.members.map(kindsOf));
    return node === unknown || node === never ? undefined : new Set([literalKind(node.text) ?? node.text]);
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

/** Kinds that all have; `undefined` stands for any. */
export function allKinds(all: readonly (Kinds | undefined)[]): Kinds | undefined {
  const [first, ...others] = all.filter((kinds) => kinds !== undefined);
  return first && new Set([...first].filter((kind) => others.every((kinds) => kinds.has(kind))));
}

/** Kinds that some have; `undefined` stands for any. */
export function anyKind(all: readonly (Kinds | undefined)[]): Kinds | undefined {
  return all.includes(undefined) ? undefined : new Set(all.flatMap((kinds) => [...(kinds ?? [])]));
}

/** Whether a type is all values of its kinds. */
function isBare(node: TypeNode): boolean {
  if (node.kind === "text") return literalKind(node.text) === undefined;
  if (node.kind === "union") return node.members.every(isBare);
  return node.kind === "object" && node.members.length === 0 && (node.index === undefined || node.index === unknown);
}
