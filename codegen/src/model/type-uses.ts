// What the messages of all endpoints say of types that have no names yet: which of them travel how, their prose, and the topic they belong to.
import type { Carried } from "./bytes.ts";
import type { DirectionDraft, Entry, Leaf } from "./leaves.ts";
import type { Docs } from "./model.ts";
import type { Types } from "./schemas.ts";
import type { FinishOptions } from "./types.ts";

/** A schema without prose of its own says what its only message says. */
export function documentTypes(sides: readonly DirectionDraft[], types: Types): void {
  const messages = new Map<string, Map<string, Docs>>();
  for (const { entries } of sides) {
    for (const { draft } of entries) {
      const known = messages.get(draft.type) ?? new Map<string, Docs>();
      known.set(draft.source.pointer, draft.source.docs);
      messages.set(draft.type, known);
    }
  }
  for (const [id, known] of messages) {
    const draft = types.drafts.get(id);
    const [docs, ...others] = [...known.values()];
    if (draft === undefined || docs === undefined || others.length > 0 || Object.keys(draft.docs).length > 0) continue;
    types.add({ ...draft, docs });
  }
}

/** The topic of its only message tells a payload's type from others of its name, as the channel does that a message is written in. */
export function placeTypes(sides: readonly DirectionDraft[], types: Types): void {
  const places = new Map<string, Set<string | undefined>>();
  for (const { draft, topic } of sides.flatMap(({ entries }) => entries)) {
    const known = places.get(draft.type) ?? new Set();
    places.set(draft.type, known.add(topic));
  }
  for (const [id, topics] of places) {
    const draft = types.drafts.get(id);
    const [topic, ...others] = topics;
    if (draft?.role !== "message" || draft.channel !== undefined || topic === undefined || others.length > 0) continue;
    types.add({ ...draft, channel: topic });
  }
}

/** How a message's type is found, and the types that belong to no message. */
interface Known {
  readonly idOf: (entry: Entry) => string;
  readonly leafTypes: ReadonlyMap<Leaf, string>;
  /** Types of what is said at the handshake. */
  readonly parts: readonly string[];
  /** Types of the parameters of topics. */
  readonly asked: readonly string[];
}

/** What endpoints do with types, by the types' ids. */
type TypeUses = Carried & Pick<FinishOptions, "used" | "bytes" | "guarded" | "clashing">;

/** Looks through the messages of all directions. */
export function usesOf(sides: readonly DirectionDraft[], { idOf, leafTypes, parts, asked }: Known): TypeUses {
  const idsOf = (isMeant: (format: Entry["draft"]["format"]) => boolean): readonly string[] => [
    ...sides.flatMap(({ entries }) => entries.filter(({ draft }) => isMeant(draft.format)).map(idOf)),
    ...sides.flatMap(({ leaves }) =>
      leaves.flatMap((leaf) => (leaf.members.some(({ draft }) => isMeant(draft.format)) ? (leafTypes.get(leaf) ?? []) : [])),
    ),
  ];
  const carried = [...sides.flatMap(({ entries }) => entries.map(idOf)), ...leafTypes.values()];
  // No schema can speak of bytes.
  const guarded = new Set([...parts, ...idsOf((format) => format !== "binary")]);
  // Messages of several topics may well be called alike.
  const ofTopics = sides.map(({ entries }) => new Set(entries.filter(({ topic }) => topic !== undefined).map(idOf)));
  return {
    used: new Set([...carried, ...parts, ...asked]),
    guarded,
    bytes: new Set(carried.filter((id) => !guarded.has(id))),
    encoded: new Set(idsOf((format) => format === "encoded")),
    others: new Set([...idsOf((format) => format !== "encoded" && format !== "binary"), ...parts, ...asked]),
    clashing: [...sides.flatMap(({ clashes }) => clashes.map((group) => new Set(group.map(idOf)))), ...ofTopics],
  };
}
