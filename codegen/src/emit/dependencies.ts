// The order in which values can be declared: what a type consists of before it.
import { forEachSubschema, type Schema } from "../model/keywords.ts";
import type { Model, TypeDefinition } from "../model/model.ts";
import { refName } from "../model/schemas.ts";

/** Types that contain each other, or one that contains itself. */
export interface Cycle {
  readonly members: readonly string[];
  readonly names: ReadonlySet<string>;
}

/**
 * Puts every type behind those that it consists of, else in the model's order, and finds the types that contain each other.
 * Tarjan's strongly connected components, without recursion of our own: the document decides how long a chain is.
 */
export function dependencies(model: Model): { readonly ordered: readonly TypeDefinition[]; readonly cycles: ReadonlyMap<string, Cycle> } {
  const refs = new Map(model.types.map(({ name, schema }) => [name, refsOf(schema)]));
  const places = new Map(model.types.map((definition, place) => [definition.name, { definition, place }]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const open = new Set<string>();
  const ordered: TypeDefinition[] = [];
  const cycles = new Map<string, Cycle>();

  const close = (name: string): void => {
    const members = stack.splice(stack.lastIndexOf(name));
    for (const member of members) open.delete(member);
    members.sort((a, b) => (places.get(a)?.place ?? 0) - (places.get(b)?.place ?? 0));
    for (const member of members) ordered.push(...[places.get(member)?.definition].filter((found) => found !== undefined));
    if (members.length === 1 && refs.get(name)?.has(name) !== true) return;
    const cycle = { members, names: new Set(members) };
    for (const member of members) cycles.set(member, cycle);
  };

  for (const start of refs.keys()) {
    if (index.has(start)) continue;
    const path: { readonly name: string; readonly next: Iterator<string> }[] = [];
    const enter = (name: string): void => {
      low.set(name, index.size);
      index.set(name, index.size);
      stack.push(name);
      open.add(name);
      path.push({ name, next: (refs.get(name) ?? new Set<string>()).values() });
    };
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { name } = top;
      const next = top.next.next();
      if (next.done !== true) {
        if (!index.has(next.value) && refs.has(next.value)) enter(next.value);
        else if (open.has(next.value)) low.set(name, Math.min(low.get(name) ?? 0, index.get(next.value) ?? 0));
        continue;
      }
      path.pop();
      const parent = path.at(-1)?.name;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent) ?? 0, low.get(name) ?? 0));
      if (low.get(name) === index.get(name)) close(name);
    }
  }
  return { ordered, cycles };
}

function refsOf(schema: Schema, found: Set<string> = new Set()): ReadonlySet<string> {
  if (typeof schema === "boolean") return found;
  const ref = refName(schema);
  if (ref !== undefined) return found.add(ref);
  forEachSubschema(schema, (inner) => {
    refsOf(inner, found);
  });
  return found;
}
