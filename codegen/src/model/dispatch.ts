// Decides, at generation time, how the messages of one direction are told apart: a tree of plain data that the runtime follows to one validator.
import type { ChoiceNode, Constant, DispatchEnd, DispatchTree, Format, Path } from "@wsgen/runtime/generated/server";
import type { JsonValue } from "../document/document.ts";
import type { Tag } from "./inheritance.ts";
import { type Evidence, evidenceAt, type JsonKind, mayBe, pathsOf, type Shape } from "./shape.ts";

type DispatchNode = NonNullable<DispatchTree["json"]>;

/** A message to be told from others. */
export interface Candidate {
  readonly name: string;
  readonly format: Format;
  readonly shape: Shape;
  /** What it is among schemas that extend each other, and where it is written. */
  readonly heir?: Tag & { readonly pointer: string };
}

/** How the messages of one direction are told apart. */
export interface Dispatch {
  readonly tree: DispatchTree;
  /** Every set of messages that a leaf stands for, in the tree's order; one of several members is a union. */
  readonly leaves: readonly (readonly Candidate[])[];
  /** Places whose constant tells a message apart although its schema lets the sender leave it out, by message. */
  readonly required: ReadonlyMap<string, readonly Path[]>;
  /** Messages without a constant where others have one, and the place: whatever has no other's constant there is taken for them. */
  readonly rests: ReadonlyMap<string, Path>;
  /** In words, for the summary. */
  readonly by: string;
  /** Whether a separation rests on "what a schema does not declare is not there". */
  readonly assumed: boolean;
  /** Sets of messages of which one is chosen at run time. */
  readonly choices: readonly (readonly Candidate[])[];
}

const MAX_DEPTH = 4;
const MAX_PATHS = 400;

/** More places than this are counted, not listed, in the summary. */
const MAX_WORDS = 4;

/** What stands at the ends of the tree. */
export interface Ends {
  /** Names a set of messages that cannot be told apart (it is given one message too, for which it is its own name). */
  leafName(members: readonly Candidate[]): string;
  /** Instead of a union: how one of several is chosen at run time. */
  readonly choice: ChoiceNode["by"] | undefined;
}

/**
 * Builds the tree. Deterministic: nothing depends on the order of candidates but the order of cases.
 */
export function buildDispatch(candidates: readonly Candidate[], { leafName, choice }: Ends): Dispatch {
  const builder = createBuilder({ leafName, choice });
  const ofFormat = (...formats: readonly Format[]): Candidate[] => candidates.filter(({ format }) => formats.includes(format));

  const binary = ofFormat("binary");
  const encoded = ofFormat("encoded");
  const json = ofFormat("json", "any");
  const texts = ofFormat("text");
  const fixed = texts.filter(({ shape }) => shape.values !== undefined);
  const free = [...texts.filter(({ shape }) => shape.values === undefined), ...ofFormat("any")];
  // A single message that may be anything needs no look at its JSON: the runtime parses it when it can.
  const onlyAny = json.length > 0 && json.every(({ format }) => format === "any") && texts.length === 0 && json.length === 1;

  // A text that is JSON may be one of the others as well, letter for letter.
  const written = (text: string): readonly Candidate[] => {
    const value = parsed(text);
    return value === undefined ? [] : json.filter(({ shape }) => mayBe(shape, value));
  };
  const constants = groupByValue(fixed).map(([value, members]) => {
    const text = String(value);
    const all = new Set([...members, ...written(text)]);
    // The first of them is the document's.
    return [text, builder.leaf(candidates.filter((candidate) => all.has(candidate)))] as const;
  });
  const tree: DispatchTree = {
    ...(binary.length > 0 && { binary: builder.leaf(binary) }),
    ...(encoded.length > 0 && { encoded: builder.root(encoded) }),
    ...(constants.length > 0 && { constants }),
    ...(json.length > 0 && !onlyAny && { json: builder.root(json) }),
    ...(free.length > 0 && { text: builder.leaf(free) }),
  };
  const frames = [binary.length + encoded.length > 0, json.length > 0 || texts.length > 0].filter(Boolean).length;
  const by = [
    ...(frames > 1 ? ["frame kind"] : []),
    ...(constants.length > 0 && candidates.length > 1 ? ["the text itself"] : []),
    ...(texts.length > 0 && json.length > 0 ? ["whether it is JSON"] : []),
    ...builder.words(),
    ...(builder.choices().length === 0 ? [] : [choice === "order" ? "the first that accepts" : "`classify`"]),
  ];
  return {
    tree,
    leaves: builder.leaves(),
    required: builder.required(),
    rests: builder.rests(),
    by: by.length === 0 ? (candidates.length > 1 ? "nothing" : "") : shorten(by).join(", then ") + wordsOfRest(tree.json ?? tree.encoded),
    assumed: builder.assumed(),
    choices: builder.choices(),
  };
}

/** One way to split a set of messages at one place. */
interface Split {
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

interface Builder {
  root(members: readonly Candidate[]): DispatchNode;
  leaf(members: readonly Candidate[]): DispatchEnd;
  choices(): readonly (readonly Candidate[])[];
  leaves(): readonly (readonly Candidate[])[];
  required(): ReadonlyMap<string, readonly Path[]>;
  rests(): ReadonlyMap<string, Path>;
  words(): readonly string[];
  assumed(): boolean;
}

function createBuilder({ leafName, choice }: Ends): Builder {
  const leaves = new Map<string, readonly Candidate[]>();
  const required = new Map<string, Path[]>();
  const rests = new Map<string, Path>();
  const words = new Map<string, number>();
  const paths = new Map<Candidate, readonly Path[]>();
  const evidence = new Map<Candidate, Map<string, Evidence>>();
  let assumed = false;

  const pathsAt = (candidate: Candidate): readonly Path[] => {
    let found = paths.get(candidate);
    if (found === undefined) {
      found = pathsOf(candidate.shape, { depth: MAX_DEPTH, limit: MAX_PATHS });
      paths.set(candidate, found);
    }
    return found;
  };
  const look = (candidate: Candidate, path: Path, key: string): Evidence => {
    let known = evidence.get(candidate);
    if (known === undefined) {
      known = new Map();
      evidence.set(candidate, known);
    }
    const found = known.get(key) ?? evidenceAt(candidate.shape, path);
    // What is not there is found out again as quickly, and most messages have little of what the others have.
    if (found.presence !== "absent") known.set(key, found);
    return found;
  };

  const choices = new Map<string, readonly Candidate[]>();
  const leaf = (members: readonly Candidate[]): DispatchEnd => {
    if (choice !== undefined && members.length > 1) {
      const among = members.map(({ name }) => name);
      choices.set(among.join(" "), members);
      for (const member of members) leaves.set(member.name, [member]);
      return { among, by: choice };
    }
    const name = leafName(members);
    leaves.set(name, members);
    return name;
  };

  const note = (split: Split, level: number): void => {
    const text = describe(split);
    if (!words.has(text)) words.set(text, level);
    assumed ||= split.undeclared;
    for (const { name } of split.rest) if (!rests.has(name)) rests.set(name, split.path);
    for (const { name } of split.demands) required.set(name, [...(required.get(name) ?? []), split.path]);
  };

  const node = (members: readonly Candidate[], used: ReadonlySet<string>, level: number): DispatchNode => {
    if (members.length === 1) return leaf(members);
    const split = bestSplit(members, used);
    if (split === undefined) return leaf(members);
    note(split, level);
    const now = new Set([...used, `${split.kind} ${keyOf(split.path)}`]);
    return split.build((next) => node(next, now, level + 1));
  };

  const bestSplit = (members: readonly Candidate[], used: ReadonlySet<string>): Split | undefined => {
    const places = new Map<string, { readonly path: Path; readonly holders: Set<Candidate> }>();
    for (const candidate of members) {
      for (const path of pathsAt(candidate)) {
        const key = keyOf(path);
        const place = places.get(key);
        if (place === undefined) places.set(key, { path, holders: new Set([candidate]) });
        else place.holders.add(candidate);
      }
    }
    // Of these not every path is known: they may hold any place. Positions of a list are held by every list, declared one by one or not.
    const cut = members.filter((candidate) => pathsAt(candidate).length >= MAX_PATHS);
    const unlisted = (path: Path): readonly Candidate[] => (path.some((step) => typeof step === "number") ? members : cut);
    // Only what those who hold a place say of it can make a split there, so that the others are asked last: a thousand messages have thousands of
    // places, and few of each other's.
    const splits = function* (
      kind: Split["kind"],
      may: (held: readonly Evidence[], size: number) => boolean,
      split: (path: Path, seen: Seen) => Split | undefined,
    ): Iterable<Split> {
      for (const [key, { path, holders }] of places) {
        if (used.has(`${kind} ${key}`)) continue;
        const held = [...holders, ...unlisted(path).filter((candidate) => !holders.has(candidate))]
          .map((candidate) => look(candidate, path, key))
          .filter(({ presence }) => presence !== "absent");
        const found = may(held, members.length) ? split(path, seenAt(path, key)) : undefined;
        if (found !== undefined) yield found;
      }
    };
    const seenAt = (path: Path, key: string): Seen => members.map((candidate) => [candidate, look(candidate, path, key)] as const);
    const constants = function* (): Iterable<Split> {
      yield* splits("constant", hasConstants, constantSplit);
      const root = used.has("constant ") ? undefined : constantSplit([], seenAt([], ""));
      if (root !== undefined) yield root;
    };
    const others = function* (): Iterable<Split> {
      yield* splits("presence", isTelling, presenceSplit);
      yield* splits("kind", hasKinds, kindSplit);
    };
    return best(constants(), members.length) ?? best(others(), members.length);
  };

  return {
    root: (members) => {
      // JSON kind comes first, when it tells anything: an array has no properties to look at.
      const seen = members.map((candidate) => [candidate, look(candidate, [], "")] as const);
      const split = members.length === 1 ? undefined : kindSplit([], seen);
      if (split === undefined || split.exits.some((exit) => exit.length === members.length)) return node(members, new Set(), 0);
      note(split, 0);
      return split.build((next) => node(next, new Set(["kind "]), 1));
    },
    leaf,
    choices: () => [...choices.values()],
    leaves: () => [...leaves.values()],
    required: () => required,
    rests: () => rests,
    words: () => [...words].sort((a, b) => a[1] - b[1]).map(([text]) => text),
    assumed: () => assumed,
  };
}

type Seen = readonly (readonly [Candidate, Evidence])[];

const hasConstants = (held: readonly Evidence[]): boolean => held.some(({ values }) => values !== undefined);
const hasKinds = (held: readonly Evidence[]): boolean => new Set(held.flatMap(({ kinds }) => [...kinds])).size > 1;
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
      const known = new Map<string, DispatchNode>();
      // Cases that lead to the same messages share one subtree: it is decided once.
      const once = (members: readonly Candidate[]): DispatchNode => {
        const key = members.map(({ name }) => name).join(" ");
        const found = known.get(key) ?? next(members);
        known.set(key, found);
        return found;
      };
      return {
        path,
        cases: cases.map(([value, members]) => [value, once(members)] as const),
        ...(absent.length > 0 && { absent: once(absent) }),
        ...(other.length > 0 && { other: once(other) }),
      };
    },
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
      const kinds: { [Kind in JsonKind]?: DispatchNode } = {};
      const known = new Map<string, DispatchNode>();
      for (const [kind, members] of byKind) {
        const key = members.map(({ name }) => name).join(" ");
        const found = known.get(key) ?? next(members);
        known.set(key, found);
        kinds[kind] = found;
      }
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
function best(splits: Iterable<Split>, size: number): Split | undefined {
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

function shorten(places: readonly string[]): readonly string[] {
  return places.length <= MAX_WORDS ? places : [...places.slice(0, MAX_WORDS - 1), `${places.length - MAX_WORDS + 1} more places`];
}

/** The JSON of a text; `undefined` where it is none. */
function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function groupByValue(candidates: readonly Candidate[]): (readonly [Constant, readonly Candidate[]])[] {
  const groups = new Map<Constant, Candidate[]>();
  for (const candidate of candidates) for (const value of candidate.shape.values ?? []) append(groups, value, candidate);
  return [...groups];
}

function append<Key>(groups: Map<Key, Candidate[]>, key: Key, candidate: Candidate): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [candidate]);
  else group.push(candidate);
}

function describe({ kind, path }: Split): string {
  const place = wordsOfPath(path);
  if (kind === "constant") return place;
  if (kind === "presence") return `whether there is ${place}`;
  return path.length === 0 ? "JSON kind" : `the kind of ${place}`;
}

/** Characters of a path that a sentence can hold. */
const maxWords = 80;

/** A path as people write it: `params.channel`, `[0]`. */
export function wordsOfPath(path: Path): string {
  if (path.length === 0) return "the value itself";
  const words = path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
  return `\`${words.length > maxWords ? `${words.slice(0, maxWords)}…` : words}\``;
}

/** Where a frame goes that has none of the constants, when that is one message. */
function wordsOfRest(node: DispatchTree["json"]): string {
  if (typeof node !== "object" || !("cases" in node) || typeof node.other !== "string") return "";
  return `; ${node.absent === undefined || node.absent === node.other ? "anything else" : "any other value"} is \`${node.other}\``;
}

function keyOf(path: Path): string {
  return path.map((step) => JSON.stringify(step)).join("/");
}

function kindOfConstant(value: Constant): JsonKind {
  // JSON's scalars have no other types than these.
  return value === null ? "null" : (typeof value as JsonKind);
}
