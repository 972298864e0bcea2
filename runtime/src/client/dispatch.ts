// Which message a payload is, by the contract's tree.
import type { ConstantNode, DispatchEnd, DispatchNode, KindNode, PresenceNode } from "../contract/contract.ts";
import { valueAt } from "../contract/path.ts";
import type { Feature } from "./feature.ts";

type Exits = Pick<ConstantNode, "path" | "absent" | "other"> & Partial<ConstantNode & PresenceNode & KindNode>;

/** For contracts in which several messages of JSON arrive. */
export const dispatch: Feature = ({ receives }, codec) => {
  const tables = new Map<unknown, Map<unknown, DispatchNode>>();

  codec.find = (payload, root = receives.dispatch.json) => {
    let node = root;
    while (node !== undefined && !isEnd(node)) {
      // Every kind of node says one of these.
      const { path, absent, present, kinds, cases, other } = node as Exits;
      const value = valueAt(payload, path);
      let table = tables.get(node);
      if (!table) {
        table = new Map<unknown, DispatchNode>(cases ?? Object.entries(kinds ?? {}));
        tables.set(node, table);
      }
      const next = value === undefined ? absent : (present ?? table.get(kinds ? kindOf(value) : value) ?? other);
      if (next === undefined) break;
      node = next;
    }
    return node;
  };

  const { arrive } = codec;
  codec.arrive = (node, payload, ask) =>
    node === undefined || isEnd(node)
      ? arrive(node, payload, ask)
      : codec.check(undefined, payload, `is ${JSON.stringify(valueAt(payload, node.path))?.slice(0, 40)}`, `/${node.path.join("/")}`);

  return () => ({});
};

/** Whether a tree leads no further: to a name, or to a choice. */
export function isEnd(node: DispatchNode | undefined): node is DispatchEnd {
  return typeof node === "string" || (node !== undefined && "among" in node);
}

function kindOf(value: unknown): string {
  // To a schema, bytes are a string in `format: binary`.
  return value === null ? "null" : Array.isArray(value) ? "array" : value instanceof Uint8Array ? "string" : typeof value;
}
