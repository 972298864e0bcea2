// Messages that nothing tells apart: one type for all of them, and a diagnostic that shows a value both accept and what to do.
import type { JsonValue } from "../document/document.ts";
import type { Finding, Findings } from "./findings.ts";
import type { Judge } from "./judge.ts";
import type { Entry, Leaf } from "./leaves.ts";
import type { Delivery } from "./model.ts";
import { sampleOf } from "./sample.ts";
import { DEFINITIONS, type Types } from "./schemas.ts";
import { evidenceAt } from "./shape.ts";
import { type Sources, suggestDiscriminator } from "./suggestions.ts";
import { isObject } from "./tree.ts";

/** Pairs of one union that are looked at for an example, and characters of it that are shown. */
const MAX_PAIRS = 12;
const LONGEST_EXAMPLE = 200;
/** Names in the comment of a union. */
const MOST_NAMES = 8;

/** The type of a leaf: its message's, or for several messages one that is any of theirs. `typeOf` says which type a message has by now. */
export function typeOfLeaf({ name, members }: Leaf, types: Types, typeOf: (entry: Entry) => string): string {
  const ids = [...new Set(members.map(typeOf))];
  const [only, ...others] = ids;
  if (only !== undefined && others.length === 0) return only;
  const id = `union ${[...ids].sort().join(" ")}`;
  if (!types.drafts.has(id)) {
    types.add({
      id,
      pointer: members[0]?.draft.source.pointer ?? "",
      base: name,
      role: "union",
      channel: undefined,
      docs: { description: describeUnion(members) },
      schema: { anyOf: ids.map((member) => ({ $ref: DEFINITIONS + member })) },
    });
  }
  return id;
}

/** What a comment says about a union: its members, the first of them where they are many (its type names them all). */
export function describeUnion(members: readonly Entry[]): string {
  const names = members.map(({ name }) => `\`${name}\``);
  const shown = names.length <= MOST_NAMES ? names : [...names.slice(0, MOST_NAMES - 1), `${names.length - MOST_NAMES + 1} more`];
  return `One of ${shown.join(", ")}: nothing in the document tells them apart.`;
}

/** Warns about a union, with a value that two of its members accept where one can be found. */
export function reportUnion(
  { members }: Leaf,
  { delivery, refused }: { readonly delivery: Delivery; readonly refused: boolean },
  judged: Judged,
): void {
  const [first, second] = members;
  if (first === undefined || second === undefined) return;
  const found = exampleOf(members, judged);
  const pair = found?.pair ?? [first, second];
  const others = members.length - 2;
  const names = `\`${pair[0].name}\` and \`${pair[1].name}\`${others === 0 ? "" : ` (and ${others} more)`}`;
  const example = found === undefined ? "" : `; both accept ${shorten(found.value)}`;
  const finding: Finding = {
    code: "ambiguous-messages",
    message: `${names} cannot be told apart${example}.${refused ? "" : ` They are delivered together, as \`${delivery.name}\`.`}`,
    fix: suggestDiscriminator(members, judged) ?? fixFor(members),
    pointer: pair[0].draft.source.pointer,
    at: "key",
  };
  if (refused) judged.findings.error(finding);
  else judged.findings.warning(finding);
}

/** What is needed to look for a value that several messages accept. */
interface Judged extends Sources {
  readonly judge: Judge;
  readonly findings: Findings;
}

function fixFor(members: readonly Entry[]): string {
  const [first] = members;
  if (first === undefined || members.some(({ draft }) => draft.format !== "json" && draft.format !== "encoded")) {
    return first?.draft.format === "binary"
      ? "Keep one binary message for each direction, or send the others as JSON."
      : "Describe them as JSON objects, each with a property that has a constant of its own.";
  }
  const shared = [...first.draft.shape.members.keys()].filter(
    (name): name is string => typeof name === "string" && members.every(({ draft }) => evidenceAt(draft.shape, [name]).kinds.has("string")),
  );
  // What is fixed in all of them already is something else.
  const free = shared.filter((candidate) => members.some(({ draft }) => evidenceAt(draft.shape, [candidate]).values?.length !== 1));
  const name =
    free.find((candidate) => /^(type|event|action|op|method|kind|message|msg|cmd|command)(_?type|_?name)?$/i.test(candidate)) ?? "type";
  return `Give each a required property with a constant of its own (such as \`${name}\`), or say where it lies: \`x-wsgen: { discriminator: /${name} }\`.`;
}

function exampleOf(
  members: readonly Entry[],
  { judge, typeName, definitions }: Judged,
): { readonly pair: readonly [Entry, Entry]; readonly value: JsonValue } | undefined {
  let tried = 0;
  for (const [index, a] of members.entries()) {
    for (const b of members.slice(index + 1)) {
      if (tried++ >= MAX_PAIRS) return undefined;
      const drawn = [typeName(a), typeName(b)].map((name) =>
        [true, false].flatMap((optional) =>
          [0, 1].flatMap((pick) => sampleOf({ $ref: DEFINITIONS + name }, (id) => definitions.get(id), { optional, pick }) ?? []),
        ),
      );
      const [ofA = [], ofB = []] = drawn;
      const merged = ofA.flatMap((left) =>
        ofB.flatMap((right) =>
          isObject(left) && isObject(right)
            ? [
                { ...left, ...right },
                { ...right, ...left },
              ]
            : [],
        ),
      );
      for (const value of [...ofA, ...ofB, ...merged].sort((x, y) => JSON.stringify(x).length - JSON.stringify(y).length)) {
        if (judge.refusals(typeName(a), value)?.length === 0 && judge.refusals(typeName(b), value)?.length === 0)
          return { pair: [a, b], value };
      }
    }
  }
  return undefined;
}

function shorten(value: JsonValue): string {
  const text = JSON.stringify(value);
  return `\`${text.length > LONGEST_EXAMPLE ? `${text.slice(0, LONGEST_EXAMPLE)}…` : text}\``;
}
