// Where messages that take the rest end: at the constants of the others.
import type { Constant } from "@wsgen/runtime/generated/server";
import { endsOf, exitsOf, type Node } from "./exits.ts";
import type { DirectionDraft, Entry } from "./leaves.ts";
import type { Unlike } from "./model.ts";
import { evidenceAt } from "./shape.ts";

/**
 * What makes a payload of a message another one to its receiver: values at a place with which the tree leads elsewhere, though the message has no constant
 * there and its schema may allow them. Only what holds of every payload of the message. Replies are matched before the tree, and have none.
 */
export function elsewhereOf(
  { leaves, dispatch: { tree, rests } }: DirectionDraft,
  opposite: DirectionDraft,
): (entry: Entry) => { readonly elsewhere?: readonly Unlike[] } {
  const answers = new Set(opposite.entries.flatMap(({ reply }) => reply?.answers.map(({ identity }) => identity) ?? []));
  const members = new Map(leaves.map((leaf) => [leaf.name, leaf.members.map(({ name }) => name)]));
  const held = new Map<Node, ReadonlySet<string>>();
  const holds = (node: Node, name: string): boolean => {
    const known = held.get(node) ?? new Set(endsOf(node).flatMap((end) => members.get(end) ?? end));
    held.set(node, known);
    return known.has(name);
  };
  const below = (node: Node, entry: Entry): readonly Unlike[] => {
    const { name, draft } = entry;
    const [only, ...others] = new Set(exitsOf(node).filter((exit) => holds(exit, name)));
    // Where it goes on in two ways, what follows is not about all of its payloads.
    const deeper = only === undefined || others.length > 0 ? [] : below(only, entry);
    if (typeof node === "string" || !("cases" in node)) return deeper;
    // What another extends allows the other's name, and yields to it.
    const said = node.other !== undefined && holds(node.other, name) ? undefined : (evidenceAt(draft.shape, node.path).values ?? []);
    const values = node.cases.flatMap(([value, then]): Constant[] => (holds(then, name) || said?.includes(value) === false ? [] : [value]));
    return values.length === 0 ? deeper : [{ path: node.path, values }, ...deeper];
  };
  const texts = (name: string): readonly Unlike[] => {
    if (tree.text === undefined || !holds(tree.text, name)) return [];
    const values = (tree.constants ?? []).flatMap(([text, then]) => (holds(then, name) ? [] : [text]));
    return values.length === 0 ? [] : [{ path: [], values }];
  };
  return (entry) => {
    const { name, draft } = entry;
    if (answers.has(draft.identity)) return {};
    const roots = rests.has(name) || (draft.tag?.heirs ?? []).length > 0 ? [tree.json, tree.encoded] : [];
    const elsewhere = [...roots.flatMap((root) => (root === undefined ? [] : below(root, entry))), ...texts(name)];
    return elsewhere.length === 0 ? {} : { elsewhere };
  };
}
