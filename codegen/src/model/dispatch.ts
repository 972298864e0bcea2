// Decides, at generation time, how the messages of one direction are told apart: a tree of plain data that the runtime follows to one validator.
import type { ChoiceNode, Constant, DispatchEnd, DispatchTree, Format, Path } from "@wsgen/runtime/generated/server";
import type { JsonValue } from "../document/document.ts";
import { type Evidence, evidenceAt, mayBe, pathsOf } from "./shape.ts";
import { append, best, type Candidate, type DispatchNode, keyOf, type Seen, type Split, WAYS } from "./split.ts";
import { wordsOfPath } from "./tree.ts";

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
    const splits = function* (kind: Split["kind"]): Iterable<Split> {
      const { may, split } = WAYS[kind];
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
      yield* splits("constant");
      const root = used.has("constant ") ? undefined : WAYS.constant.split([], seenAt([], ""));
      if (root !== undefined) yield root;
    };
    const others = function* (): Iterable<Split> {
      yield* splits("presence");
      yield* splits("kind");
    };
    return best(constants(), members.length) ?? best(others(), members.length);
  };

  return {
    root: (members) => {
      // JSON kind comes first, when it tells anything: an array has no properties to look at.
      const seen = members.map((candidate) => [candidate, look(candidate, [], "")] as const);
      const split = members.length === 1 ? undefined : WAYS.kind.split([], seen);
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

function describe({ kind, path }: Split): string {
  const place = wordsOfPath(path);
  if (kind === "constant") return place;
  if (kind === "presence") return `whether there is ${place}`;
  return path.length === 0 ? "JSON kind" : `the kind of ${place}`;
}

/** Where a frame goes that has none of the constants, when that is one message. */
function wordsOfRest(node: DispatchTree["json"]): string {
  if (typeof node !== "object" || !("cases" in node) || typeof node.other !== "string") return "";
  return `; ${node.absent === undefined || node.absent === node.other ? "anything else" : "any other value"} is \`${node.other}\``;
}
