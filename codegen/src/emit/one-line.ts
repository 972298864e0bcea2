// The text of trees on one line: made once for each node, and none where it would be longer than a line.
import { lineWidth } from "./file.ts";

export interface OneLine<Node> {
  /** The text of a node; `undefined` where it does not fit. */
  flat(node: Node): string | undefined;
  /** The texts of nodes that are to stand on one line together. */
  allFlat(nodes: readonly Node[]): readonly string[] | undefined;
}

/**
 * @param isAtom what has no parts: it has its text, however long
 * @param make prints a node of its parts' texts; `undefined` where it takes several lines
 */
export function createOneLine<Node extends object>(
  isAtom: (node: Node) => boolean,
  make: (node: Node) => string | undefined,
): OneLine<Node> {
  const known = new WeakMap<Node, string | false>();
  const flat = (node: Node): string | undefined => {
    const before = known.get(node);
    if (before !== undefined) return before === false ? undefined : before;
    const made = make(node);
    const kept = made === undefined || (made.length > lineWidth && !isAtom(node)) ? undefined : made;
    known.set(node, kept ?? false);
    return kept;
  };
  const allFlat = (nodes: readonly Node[]): readonly string[] | undefined => {
    const texts: string[] = [];
    let length = 0;
    for (const node of nodes) {
      const text = flat(node);
      length += text?.length ?? 0;
      if (text === undefined || length > lineWidth) return undefined;
      texts.push(text);
    }
    return texts;
  };
  return { flat, allFlat };
}
