// The messages of one direction under their final names, and the leaves of the tree that tells them apart: what its receiver is handed under one name.
import type { Path } from "@wsgen/runtime/generated/server";
import { capitalized } from "../letters.ts";
import { buildDispatch, type Dispatch } from "./dispatch.ts";
import type { SocketOptions } from "./extensions.ts";
import { type Assigned, assignMethodNames, camelCase, clashesOf, folded, hash, type Named, wordsOf } from "./names.ts";
import type { MessageDraft } from "./payloads.ts";
import type { Correlation } from "./replies.ts";
import type { Candidate } from "./split.ts";

/** One message of a direction, with its final name. */
export interface Entry {
  readonly draft: MessageDraft;
  readonly name: string;
  /** The name without the topic. */
  readonly method: string;
  readonly topic: string | undefined;
  readonly reply: Correlation | undefined;
  readonly replyOnly: boolean;
}

/** Messages that the receiver is given under one name; more than one when nothing tells them apart. */
export interface Leaf {
  readonly name: string;
  readonly method: string;
  /** The topic of all its members. */
  readonly topic: string | undefined;
  readonly members: readonly Entry[];
}

/** The messages of one direction, and how its receiver tells them apart. */
export interface DirectionDraft {
  readonly entries: readonly Entry[];
  readonly leaves: readonly Leaf[];
  readonly dispatch: Dispatch;
  /** Groups of messages that had the same name at first. */
  readonly clashes: readonly (readonly Entry[])[];
  readonly onAmbiguous: OnAmbiguous;
}

/** What becomes of messages that nothing tells apart. */
export type OnAmbiguous = NonNullable<SocketOptions["onAmbiguous"]>;

/** A message of a direction that has no final name yet. */
type Placed = Pick<Entry, "draft" | "topic" | "reply" | "replyOnly">;

/** Names the messages of a direction and tells them apart; `byOrder` are the identities of replies that are known by their order alone. */
export function tellApart(collected: readonly Placed[], byOrder: ReadonlySet<string>, onAmbiguous: OnAmbiguous): DirectionDraft {
  const assigned = assignNames(collected);
  const entries = collected.map(({ draft, topic, reply, replyOnly }): Entry => {
    const method = assigned.get(draft.source.pointer)?.name ?? draft.base;
    return { draft, name: nameIn(topic, method), method, topic, reply, replyOnly };
  });
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const membersOf = (candidates: readonly Candidate[]): Entry[] => candidates.flatMap(({ name }) => byName.get(name) ?? []);
  const taken = new Set(entries.map(({ name }) => folded(name)));
  const candidates = entries
    // A reply that has an id is known by it; one that comes by order has to be told from other messages.
    .filter(({ replyOnly, draft }) => !replyOnly || byOrder.has(draft.identity))
    .map(
      ({ name, draft: { type, format, shape, tag } }): Candidate => ({
        name,
        format,
        shape,
        ...(tag && { heir: { ...tag, pointer: type } }),
      }),
    );
  const leafOf = createLeaves(taken);
  const leafName = (members: readonly Candidate[]): string => leafOf(membersOf(members)).name;
  const choice = onAmbiguous === "first" ? "order" : onAmbiguous === "classify" ? "classify" : undefined;
  const dispatch = buildDispatch(candidates, { leafName, choice });
  const leaves = dispatch.leaves.map((members) => leafOf(membersOf(members)));
  const delivered = leaves.filter(({ members }) => members.length > 1 || members.some(({ replyOnly }) => !replyOnly));
  const clashes = clashesOf(entries, ({ draft }) => assigned.get(draft.source.pointer)?.clash ?? []);
  return { entries, leaves: delivered, dispatch, clashes, onAmbiguous };
}

/** Method names, which need to be unique only among the messages of one topic, and among those of none. */
function assignNames(collected: readonly Placed[]): ReadonlyMap<string, Assigned> {
  const topics = new Set(collected.map(({ topic }) => topic));
  return new Map(
    [...topics].flatMap((topic) => [...assignMethodNames(collected.filter((one) => one.topic === topic).map(({ draft }) => named(draft)))]),
  );
}

const nameIn = (topic: string | undefined, method: string): string => (topic === undefined ? method : `${topic}.${method}`);

/** Names the leaves of a tree, each set of members once: one message, or a union, which is its topic's when all members are of one. */
function createLeaves(taken: ReadonlySet<string>): (members: readonly Entry[]) => Leaf {
  const known = new Map<string, string>();
  return (members) => {
    const [first, ...others] = members;
    if (first === undefined || others.length === 0) {
      const { name = "", method = "", topic } = first ?? {};
      return { name, method, topic, members };
    }
    const topic = others.every((other) => other.topic === first.topic) ? first.topic : undefined;
    const names = members.map((member) => (topic === undefined ? spokenName(member) : member.method));
    const identity = members
      .map(({ name }) => name)
      .sort()
      .join(" ");
    const method = unionName(names, (plain) => {
      const name = folded(nameIn(topic, plain));
      return taken.has(name) || (known.get(name) ?? identity) !== identity;
    });
    const name = nameIn(topic, method);
    known.set(folded(name), identity);
    return { name, method, topic, members };
  };
}

/** What a topic's message is called among those of others: `tickerUpdate`; `tradeData` of `trades` says so itself. */
function spokenName({ topic, method, name }: Entry): string {
  const singular = (text: string): string[] => wordsOf(text).map((word) => word.toLowerCase().replace(/s$/, ""));
  const said = new Set(singular(method));
  return topic === undefined || singular(topic).every((word) => said.has(word)) ? method : camelCase(name);
}

function named(draft: MessageDraft): Named {
  return {
    base: draft.base,
    identity: draft.source.pointer,
    digested: draft.digested,
    channel: draft.channel,
    suffix: { text: "Message", always: false },
    chosen: draft.source.extension.name !== undefined,
  };
}

/** Letters that the names of a union's members may have together. */
const LONGEST_UNION = 64;

/** `botAddedOrBotChanged`: of its members' names, in alphabetical order, so that it depends on nothing else. */
function unionName(names: readonly string[], isTaken: (name: string) => boolean): string {
  const sorted = [...names].sort();
  const [first = "", second = "", third] = sorted;
  const pair = `${first}Or${capitalized(second)}`;
  const plain = sorted.length === 2 ? pair : `${pair}Or${capitalized(third ?? "")}`;
  if (sorted.length <= 3 && plain.length <= LONGEST_UNION && !isTaken(plain)) return plain;
  // Two unions of many may begin with the same two.
  const short = sorted.length === 2 || pair.length > LONGEST_UNION ? first : pair;
  return `${short}OrOthers_${hash(sorted.join(" "))}`;
}

/** A place in a payload whose constant is required in effect. */
export interface Demand {
  readonly entry: Entry;
  readonly paths: readonly Path[];
}

/** The constants that tell messages apart although their schemas let the sender leave them out. */
export function demandsOf({ entries, dispatch }: DirectionDraft): readonly Demand[] {
  return entries.flatMap((entry) => {
    const paths = dispatch.required.get(entry.name);
    return paths === undefined ? [] : [{ entry, paths }];
  });
}
