// Gives the collected types their final names and order, and refs that use them.
import type { JsonValue } from "../document/document.ts";
import { listed } from "../grammar.ts";
import type { Findings } from "./findings.ts";
import { forEachSubschema, type Schema } from "./keywords.ts";
import type { TypeDefinition } from "./model.ts";
import { assignTypeNames, clashesOf } from "./names.ts";
import { refName, renameRefs, type TypeDraft, type Types } from "./schemas.ts";
import { isObject, property, splitPointer, type Tree } from "./tree.ts";

export interface FinishOptions {
  readonly types: Types;
  /** Ids that endpoints speak of; what these refer to is finished with them, the rest is left out. */
  readonly used: ReadonlySet<string>;
  /** Ids of which messages only carry bytes: they have names, and nothing else speaks of them. */
  readonly bytes: ReadonlySet<string>;
  /** Ids that the runtime validates. */
  readonly guarded: ReadonlySet<string>;
  readonly tree: Tree;
  readonly findings: Findings;
  /** Groups of ids whose messages clash too, which is said there. */
  readonly clashing: readonly ReadonlySet<string>[];
}

export interface FinishedTypes {
  /** In source order, unions and handshake types last. */
  readonly types: readonly TypeDefinition[];
  /** Names by id. */
  readonly names: ReadonlyMap<string, string>;
}

/** Finishes the types. */
export function finishTypes({ types, used, bytes, guarded, tree, findings, clashing }: FinishOptions): FinishedTypes {
  const drafts = reachable(types, used);
  const assigned = assignTypeNames(
    drafts.map((draft) => ({
      base: draft.base,
      identity: draft.id,
      digested: draft.digested,
      channel: draft.channel,
      suffix: draft.role === "schema" ? { text: "Schema", always: false } : { text: "Message", always: draft.role === "message" },
      ...(draft.chosen !== undefined && { chosen: draft.chosen }),
    })),
  );
  const names = new Map([...assigned].map(([id, { name }]) => [id, name]));
  const place = createOrder(tree);
  const sorted = drafts
    .map((draft) => ({ draft, place: place(draft.pointer) }))
    .sort((a, b) => group(a.draft) - group(b.draft) || compare(a.place, b.place));
  const named = sorted.map(({ draft }) => draft).filter(({ role }) => role !== "union");
  for (const clash of clashesOf(named, ({ id }) => assigned.get(id)?.clash ?? [])) {
    const [first] = clash;
    if (first === undefined || clashing.some((ids) => clash.every(({ id }) => ids.has(id)))) continue;
    const chosen = clash.every(({ role }) => role === "message") ? "message" : "definition";
    reportClash({ what: "types", names: clash.map(({ id }) => names.get(id) ?? id), pointer: first.pointer, fix: chosen, findings });
  }
  const spoken = bytes.size === 0 ? drafts : reachable(types, new Set([...used].filter((id) => !bytes.has(id))));
  const kept = new Set(spoken.map(({ id }) => id));
  return {
    names,
    types: sorted
      .filter(({ draft }) => kept.has(draft.id))
      .map(({ draft }) => ({
        name: names.get(draft.id) ?? draft.base,
        docs: draft.docs,
        schema: renameRefs(draft.schema, (id) => names.get(id) ?? id),
        guard: guarded.has(draft.id),
        pointer: draft.pointer,
      })),
  };
}

/** One hint for all that would have had one name, at the first of them. */
export function reportClash(clash: {
  readonly what: "messages" | "types";
  readonly names: readonly string[];
  readonly pointer: string;
  readonly fix: "message" | "definition";
  readonly findings: Findings;
}): void {
  const { what, names, pointer, fix, findings } = clash;
  findings.hint({
    code: "name-clash",
    message: `${names.length} ${what}${what === "messages" ? " of one direction" : ""} would have the same name; they are ${listed(names, "and")}.`,
    fix: fix === "message" ? "Choose the name of one: `x-wsgen: { name: … }` on the message." : "Rename one of the definitions.",
    pointer,
    at: "key",
  });
}

function group({ role }: TypeDraft): number {
  return role === "handshake" ? 2 : role === "union" ? 1 : 0;
}

/** The types of these ids, and all that they refer to. */
export function reachable(types: Types, used: ReadonlySet<string>): TypeDraft[] {
  const found = new Map<string, TypeDraft>();
  const waiting = [...used];
  const visit = (schema: Schema): void => {
    if (typeof schema === "boolean") return;
    const ref = refName(schema);
    if (ref !== undefined) waiting.push(ref);
    forEachSubschema(schema, visit);
  };
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const draft = found.has(id) ? undefined : types.drafts.get(id);
    if (draft === undefined) continue;
    found.set(id, draft);
    visit(draft.schema);
  }
  return [...found.values()];
}

/** Where a pointer comes in the order in which the document is written. */
function createOrder(tree: Tree): (pointer: string) => readonly number[] {
  const positions = new Map<object, Map<string, number>>();
  return (pointer) => {
    const place: number[] = [];
    let value: JsonValue | undefined = tree.root.value;
    for (const segment of splitPointer(pointer)) {
      if (Array.isArray(value)) place.push(Number(segment));
      // Anything else has no keys to be in order; the pointer goes on nowhere.
      else if (!isObject(value)) break;
      else {
        const known = positions.get(value) ?? new Map(Object.keys(value).map((key, index) => [key, index]));
        positions.set(value, known);
        place.push(known.get(segment) ?? known.size);
      }
      value = property(value, segment);
    }
    return place;
  };
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}
