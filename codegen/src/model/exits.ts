// Where the nodes of a dispatch tree lead.
import type { DispatchTree } from "@wsgen/runtime/generated/server";

export type Node = NonNullable<DispatchTree["json"]>;

/** The nodes that one leads to, in any order. */
export function exitsOf(node: Node): readonly Node[] {
  if (typeof node === "string" || "among" in node) return [];
  const absent = node.absent === undefined ? [] : [node.absent];
  if ("present" in node) return [node.present, ...absent];
  if ("kinds" in node) return [...Object.values(node.kinds), ...absent];
  return [...node.cases.map(([, then]) => then), ...(node.other === undefined ? [] : [node.other]), ...absent];
}

/** The names at the ends below a node. */
export function endsOf(node: Node): readonly string[] {
  if (typeof node === "string") return [node];
  return "among" in node ? node.among : exitsOf(node).flatMap(endsOf);
}
