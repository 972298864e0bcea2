// What a TypeScript type is made of, and its text: on one line where it fits and has no comments inside, else opened up from the outside in.
import type { Docs } from "../model/model.ts";
import { docLines, type GeneratedFile, lineWidth } from "./file.ts";
import { createOneLine } from "./one-line.ts";

/** What a TypeScript type is made of. */
export type TypeNode =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "union"; readonly members: readonly TypeNode[] }
  | { readonly kind: "intersection"; readonly members: readonly TypeNode[] }
  | { readonly kind: "array"; readonly item: TypeNode }
  | { readonly kind: "tuple"; readonly items: readonly TupleItem[]; readonly rest?: TypeNode }
  | ObjectNode;

/** An object type spelled out: its members, and the type of the properties that have no name. */
export interface ObjectNode {
  readonly kind: "object";
  readonly members: readonly Member[];
  readonly index?: TypeNode;
}

export interface Member {
  readonly name: string;
  readonly optional: boolean;
  readonly type: TypeNode;
  readonly docs: Docs;
}

interface TupleItem {
  readonly optional: boolean;
  readonly type: TypeNode;
  readonly docs: Docs;
}

/** Prints types. */
export interface TypeLayout {
  /** The text of a type, to stand at `indent` columns behind `used` others. Lines after the first are indented relative to that. */
  layOut(node: TypeNode, indent: number, used: number): string;
  /** The text of an interface's body, braces included. */
  layOutBody(node: ObjectNode, indent: number): string;
}

/** @param nameOf what a named type is called in the file */
export function createTypeLayout(file: Pick<GeneratedFile, "key">, nameOf: (name: string) => string): TypeLayout {
  const memberHead = createMemberHead(file);
  const flat = createFlattener(nameOf, memberHead);

  const layOut = (node: TypeNode, indent: number, used: number): string => {
    const line = flat(node);
    if (line !== undefined && indent + used + line.length <= lineWidth) return line;
    if (node.kind === "text") return node.text;
    if (node.kind === "name") return nameOf(node.name);
    if (node.kind === "array") {
      if (!isCompound(node.item)) return `${layOut(node.item, indent, used + 2)}[]`;
      const item = layOut(node.item, indent + 2, 0);
      return item.startsWith("\n") ? `(${item}\n)[]` : `(\n  ${shifted(item, "  ")}\n)[]`;
    }
    if (node.kind === "union") return node.members.map((member) => `\n  | ${shifted(layOut(member, indent + 4, 1), "    ")}`).join("");
    if (node.kind === "intersection") {
      let before = used;
      const members = node.members.map((member) => {
        const inner = layOut(member, indent, before);
        const text = !isCompound(member) ? inner : inner.startsWith("\n") ? `(${inner}\n)` : `(${inner})`;
        const [last = "", ...others] = text.split("\n").reverse();
        before = (others.length === 0 ? before : 0) + last.length + " & ".length;
        return text;
      });
      return members.join(" & ");
    }
    if (node.kind === "tuple") {
      const types = [...node.items.map(({ type }) => type), ...(node.rest === undefined ? [] : [node.rest])];
      const lines = types.flatMap((type, index) => [
        ...docLines(node.items[index]?.docs ?? {}, indent + 2),
        `${tupleItem(node.items[index], type, layOut(type, indent + 2, 1))},`,
      ]);
      return `[\n${lines.map((line) => `  ${shifted(line, "  ")}`).join("\n")}\n]`;
    }
    return layOutBody(node, indent);
  };

  const layOutBody = (node: ObjectNode, indent: number): string => {
    const lines = node.members.flatMap((member) => [...docLines(member.docs, indent + 2), layOutMember(member, member.type, indent + 2)]);
    if (node.index !== undefined) lines.push(layOutMember(undefined, node.index, indent + 2));
    return lines.length === 0 ? "{}" : `{\n${lines.map((line) => `  ${shifted(line, "  ")}`).join("\n")}\n}`;
  };

  const layOutMember = (member: Member | undefined, type: TypeNode, indent: number): string => {
    const head = memberHead(member);
    const laid = layOut(type, indent, head.length + ": ;".length);
    return `${head}:${laid.startsWith("\n") ? "" : " "}${laid};`;
  };

  return { layOut, layOutBody };
}

/** How members begin: their name and whether they may be left out, or the index signature. */
export const createMemberHead =
  (file: Pick<GeneratedFile, "key">) =>
  (member: Member | undefined): string =>
    member === undefined ? "[key: string]" : `${file.key(member.name)}${member.optional ? "?" : ""}`;

/** Prints types on one line; `undefined` for those that are longer than a line or have comments inside. */
export function createFlattener(
  nameOf: (name: string) => string,
  memberHead: (member: Member | undefined) => string,
): (node: TypeNode) => string | undefined {
  const makeFlat = (node: TypeNode): string | undefined => {
    if (node.kind === "text") return node.text;
    if (node.kind === "name") return nameOf(node.name);
    if (node.kind === "array") return joined([node.item], ([item = ""]) => (isCompound(node.item) ? `(${item})[]` : `${item}[]`));
    if (node.kind === "union") return joined(node.members, (members) => members.join(" | "));
    if (node.kind === "intersection") return joined(node.members, (members) => withParentheses(node.members, members).join(" & "));
    if (node.kind === "tuple") {
      if (node.items.some(({ docs }) => hasProse(docs))) return undefined;
      const types = [...node.items.map(({ type }) => type), ...(node.rest === undefined ? [] : [node.rest])];
      return joined(types, (texts) => `[${types.map((type, index) => tupleItem(node.items[index], type, texts[index] ?? "")).join(", ")}]`);
    }
    if (node.members.some(({ docs }) => hasProse(docs))) return undefined;
    const types = [...node.members.map(({ type }) => type), ...(node.index === undefined ? [] : [node.index])];
    return joined(types, (texts) =>
      types.length === 0 ? "{}" : `{ ${types.map((_, index) => `${memberHead(node.members[index])}: ${texts[index]}`).join("; ")} }`,
    );
  };

  const { flat, allFlat } = createOneLine<TypeNode>(({ kind }) => kind === "text" || kind === "name", makeFlat);
  const joined = (nodes: readonly TypeNode[], join: (texts: readonly string[]) => string): string | undefined => {
    const texts = allFlat(nodes);
    return texts && join(texts);
  };

  return flat;
}

const isCompound = ({ kind }: TypeNode): boolean => kind === "union" || kind === "intersection";
const withParentheses = (nodes: readonly TypeNode[], texts: readonly string[]): string[] =>
  texts.map((inner, index) => (nodes[index]?.kind === "union" ? `(${inner})` : inner));

function tupleItem(item: TupleItem | undefined, type: TypeNode, inner: string): string {
  if (item === undefined) return `...${isCompound(type) ? `(${inner})` : inner}[]`;
  return item.optional ? `${isCompound(type) ? `(${inner})` : inner}?` : inner;
}

const hasProse = ({ title, summary, description, deprecated }: Docs): boolean =>
  deprecated === true || [title, summary, description].some((prose) => prose !== undefined && prose.trim() !== "");

/** Lines after the first, moved to the right. */
const shifted = (lines: string, by: string): string => lines.replaceAll("\n", `\n${by}`);
