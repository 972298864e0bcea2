// The ways to split a set of messages at one place of their payloads, and which of them leaves least to tell apart.
import type { Constant, DispatchTree, Format, Path } from "@wsgen/runtime/generated/server";
import type { Tag } from "./inheritance.ts";
import type { Evidence, JsonKind, Shape } from "./shape.ts";

/** What one place of the tree leads to. */
export type DispatchNode = NonNullable<DispatchTree["json"]>;

/** A message to be told from others. */
export interface Candidate {
  readonly name: string;
  readonly format: Format;
  readonly shape: Shape;
  /** What it is among schemas that extend each other, and where it is written. */
  readonly heir?: Tag & { readonly pointer: string };
}

/** One way to split a set of messages at one place. */
export interface Split {
  readonly kind: "constant" | "presence" | "kind";
  readonly path: Path;
  readonly exits: readonly (readonly Candidate[])[];
  /** Sum over the messages of the largest set each may end in: what is left to tell apart. Lower is better. */
  readonly left: number;
  /** Messages that may leave the property out. */
  readonly optional: number;
  readonly assumed: boolean;
  /** Whether it rests on properties that a schema does not declare, and does not forbid either. */
  readonly undeclared: boolean;
  readonly build: (next: (members: readonly Candidate[]) => DispatchNode) => DispatchNode;
  /** Messages whose constant here is required in effect. */
  readonly demands: readonly Candidate[];
  /** Messages that take every value which is no other's constant. */
  readonly rest: readonly Candidate[];
}

/** What each message says of one place. */
export type Seen = readonly (readonly [Candidate, Evidence])[];

interface Way {
  /** Whether there may be such a split, by those of so many messages that hold the place: the others are asked only then. */
  readonly may: (held: readonly Evidence[], size: number) => boolean;
  readonly split: (path: Path, seen: Seen) => Split | undefined;
}

/** The ways to split. */
export const WAYS: Readonly<Record<Split["kind"], Way>> = {
  constant: { may: (held) => held.some(({ values }) => values !== undefined), split: constantSplit },
  presence: { may: isTelling, split: presenceSplit },
  kind: { may: (held) => new Set(held.flatMap(({ kinds }) => [...kinds])).size > 1, split: kindSplit },
};

/** Whether less is left to tell apart when one looks whether the property is there; counted as in `leftOf`. */
function isTelling(held: readonly Evidence[], size: number): boolean {
  const required = held.filter(({ presence }) => presence === "required").length;
  const absent = size - required;
  const optional = (held.length - required) * Math.max(held.length, absent);
  return required * held.length + (size - held.length) * absent + optional < size * size;
}

/** Splits by constants: one case for each value, and where to go when the property is absent or has a value of no case. */
function constantSplit(path: Path, seen: Seen): Split | undefined {
  const fixed = seen.filter(([, { presence, values }]) => presence !== "absent" && values !== undefined);
  if (fixed.length === 0) return undefined;
  const lacking = seen.filter(([, { presence }]) => presence === "absent");
  const free = seen.filter(([, { presence, values }]) => presence !== "absent" && values === undefined);
  const canLack = lacking.length > 0 || free.some(([, { presence }]) => presence === "optional");
  const optional = fixed.filter(([, { presence }]) => presence === "optional");
  // Where another message lacks the property, one with an optional tag may be meant as well; otherwise its tag is required in effect.
  const absent = canLack ? seen.filter(([, { presence }]) => presence !== "required").map(([candidate]) => candidate) : [];
  const other = free.map(([candidate]) => candidate);
  const undeclared = lacking.some(([, { proven }]) => !proven);
  const byValue = new Map<Constant, Candidate[]>();
  for (const [candidate, { values }] of fixed) for (const value of values ?? []) append(byValue, value, candidate);
  // A payload that is free there in one of its alternatives, and has another's constant in the next, may be meant by that constant.
  for (const [candidate, { named }] of free) for (const value of named) if (byValue.has(value)) append(byValue, value, candidate);
  const cases = [...byValue].map(([value, members]) => [value, closest(members, path, value)] as const);
  const exits = [...cases.map(([, members]) => members), absent, other].filter((exit) => exit.length > 0);
  return {
    kind: "constant",
    path,
    exits,
    left: leftOf(exits, seen),
    optional: optional.length,
    assumed: undeclared || free.some(([, { kinds }]) => cases.some(([value]) => kinds.has(kindOfConstant(value)))),
    undeclared,
    demands: canLack ? [] : optional.map(([candidate]) => candidate),
    rest: other,
    build: (next) => {
      const once = decidedOnce(next);
      return {
        path,
        cases: cases.map(([value, members]) => [value, once(members)] as const),
        ...(absent.length > 0 && { absent: once(absent) }),
        ...(other.length > 0 && { other: once(other) }),
      };
    },
  };
}

/** Exits that lead to the same messages share one subtree: it is decided once. */
function decidedOnce(next: (members: readonly Candidate[]) => DispatchNode): (members: readonly Candidate[]) => DispatchNode {
  const known = new Map<string, DispatchNode>();
  return (members) => {
    const key = members.map(({ name }) => name).join(" ");
    const found = known.get(key) ?? next(members);
    known.set(key, found);
    return found;
  };
}

/** Without those that allow a value only because others extend them, where one of these is there and the value is its name. */
function closest(members: readonly Candidate[], path: Path, value: Constant): readonly Candidate[] {
  const named = members.filter(
    ({ heir }) => path.length === 1 && heir !== undefined && heir.name === path[0] && heir.own.includes(String(value)),
  );
  if (named.length === 0) return members;
  return members.filter((one) => named.includes(one) || !named.some(({ heir }) => one.heir?.heirs.includes(heir?.pointer ?? "")));
}

/** Splits by whether a property is there. */
function presenceSplit(path: Path, seen: Seen): Split | undefined {
  const present = seen.filter(([, evidence]) => evidence.presence !== "absent").map(([candidate]) => candidate);
  const absent = seen.filter(([, evidence]) => evidence.presence !== "required").map(([candidate]) => candidate);
  if (present.length === 0 || absent.length === 0) return undefined;
  const exits = [present, absent];
  return {
    kind: "presence",
    path,
    exits,
    left: leftOf(exits, seen),
    ...weightOf(seen),
    build: (next) => ({ path, present: next(present), absent: next(absent) }),
  };
}

/** Splits by the JSON kind of what is there. */
function kindSplit(path: Path, seen: Seen): Split | undefined {
  const byKind = new Map<JsonKind, Candidate[]>();
  for (const [candidate, { kinds }] of seen) for (const kind of kinds) append(byKind, kind, candidate);
  if (byKind.size < 2) return undefined;
  const absent = seen.filter(([, { presence }]) => presence !== "required").map(([candidate]) => candidate);
  const exits = [...byKind.values(), absent].filter((exit) => exit.length > 0);
  return {
    kind: "kind",
    path,
    exits,
    left: leftOf(exits, seen),
    ...weightOf(seen),
    build: (next) => {
      const once = decidedOnce(next);
      const kinds: { [Kind in JsonKind]?: DispatchNode } = {};
      for (const [kind, members] of byKind) kinds[kind] = once(members);
      return { path, kinds, ...(absent.length > 0 && { absent: next(absent) }) };
    },
  };
}

/** How good a split is that looks at no constant. */
function weightOf(seen: Seen): Pick<Split, "optional" | "assumed" | "undeclared" | "demands" | "rest"> {
  const undeclared = seen.some(([, { presence, proven }]) => presence === "absent" && !proven);
  const optional = seen.filter(([, { presence }]) => presence === "optional").length;
  return { optional, assumed: undeclared, undeclared, demands: [], rest: [] };
}

function leftOf(exits: readonly (readonly Candidate[])[], seen: Seen): number {
  const largest = new Map<Candidate, number>();
  for (const exit of exits) for (const candidate of exit) largest.set(candidate, Math.max(largest.get(candidate) ?? 0, exit.length));
  return seen.reduce((sum, [candidate]) => sum + (largest.get(candidate) ?? 0), 0);
}

/** The split that leaves least to tell apart; then the outer one, the one that is required, and the first by name. */
export function best(splits: Iterable<Split>, size: number): Split | undefined {
  let found: Split | undefined;
  for (const split of splits) if (split.left < size * size && (found === undefined || compare(found, split) > 0)) found = split;
  return found;
}

function compare(a: Split, b: Split): number {
  return (
    a.left - b.left ||
    a.path.length - b.path.length ||
    a.optional - b.optional ||
    Number(a.assumed) - Number(b.assumed) ||
    (a.kind === b.kind ? 0 : a.kind === "presence" ? -1 : 1) ||
    (keyOf(a.path) < keyOf(b.path) ? -1 : 1)
  );
}

/** Adds a message to its group. */
export function append<Key>(groups: Map<Key, Candidate[]>, key: Key, candidate: Candidate): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [candidate]);
  else group.push(candidate);
}

/** A path as one text, to look it up by. */
export function keyOf(path: Path): string {
  return path.map((step) => JSON.stringify(step)).join("/");
}

function kindOfConstant(value: Constant): JsonKind {
  // JSON's scalars have no other types than these.
  return value === null ? "null" : (typeof value as JsonKind);
}
