// One direction of an endpoint under its final names: its messages, what its receiver is handed, and what is to be said of how these are told apart.
import { constantsOf } from "./constants.ts";
import { elsewhereOf } from "./elsewhere.ts";
import type { Findings } from "./findings.ts";
import type { Judge } from "./judge.ts";
import type { Schema } from "./keywords.ts";
import type { DirectionDraft, Entry, Leaf } from "./leaves.ts";
import type { Delivery, Direction, Docs, Message, Reply, Unlike } from "./model.ts";
import type { Correlation } from "./replies.ts";
import { DEFINITIONS } from "./schemas.ts";
import { schemaAt, shapeOf } from "./shape.ts";
import type { SourceChannel } from "./source.ts";
import { type Tree, withoutEcho, wordsOfPath } from "./tree.ts";
import { reportClash } from "./types.ts";
import { describeUnion, reportUnion } from "./unions.ts";
import { unlikeOthers } from "./unlike.ts";

/** What is known when types have their names. */
export interface Context {
  readonly tree: Tree;
  readonly typeName: (entry: Entry) => string;
  readonly docsOf: (entry: Entry) => Docs;
  readonly leafType: (leaf: Leaf) => string;
  readonly definitions: ReadonlyMap<string, Schema>;
  readonly judge: Judge;
  readonly findings: Findings;
}

/** Builds one direction, and reports what nobody could see in the document. */
export function buildDirection(
  side: DirectionDraft,
  opposite: DirectionDraft,
  context: Context & { readonly channels: readonly SourceChannel[] },
): Direction {
  const { entries, leaves, dispatch } = side;
  const names = new Map(opposite.entries.map(({ draft, name }) => [draft.identity, name]));
  const replyOf = (entry: Entry): { reply?: Reply } => {
    const { reply } = entry;
    if (reply === undefined) return {};
    const { request, reply: at, id } = reply;
    const given = refusesMadeUp(entry, reply, context);
    const messages = [...new Set(reply.answers.flatMap(({ identity }) => names.get(identity) ?? []))];
    return { reply: { messages, request, reply: at, id, ...(given && { given }) } };
  };
  const unlikeOf = ({ draft }: Entry): { unlike?: readonly Unlike[] } => {
    const answered = opposite.entries.flatMap(({ reply }) =>
      reply?.answers.some(({ identity }) => identity === draft.identity) ? [reply] : [],
    );
    const ids = answered.flatMap(({ reply: path, id }) => (id === "order" ? [] : [path]));
    const others = entries.filter((other) => !other.replyOnly && other.draft.identity !== draft.identity);
    const unlike = unlikeOthers(
      draft.shape,
      ids,
      others.map(({ draft: { shape } }) => shape),
    );
    return unlike.length === 0 ? {} : { unlike };
  };
  const elsewhere = elsewhereOf(side, opposite);
  const deliveries = leaves.map((leaf): Delivery => {
    const [first, ...others] = leaf.members;
    const formats = new Set(leaf.members.map(({ draft }) => draft.format));
    const codec = first?.draft.codec;
    return {
      name: leaf.name,
      method: leaf.method,
      ...(leaf.topic !== undefined && { topic: leaf.topic }),
      docs: first === undefined || others.length > 0 ? { description: describeUnion(leaf.members) } : context.docsOf(first),
      type: context.leafType(leaf),
      format: formats.size === 1 ? (first?.draft.format ?? "json") : "any",
      ...(codec !== undefined && { codec }),
      messages: leaf.members.map(({ name }) => name),
      ...(first !== undefined && others.length === 0 && replyOf(first)),
      pointer: first?.draft.source.pointer ?? "",
    };
  });
  reportClashes(side, context.findings);
  reportRests(side, context.findings);
  for (const leaf of leaves) {
    const delivery = deliveries.find(({ name }) => name === leaf.name);
    if (leaf.members.length > 1 && delivery !== undefined) reportUnion(leaf, { delivery, refused: side.onAmbiguous === "error" }, context);
  }
  reportAssumption(side, context.findings);
  reportUnreachable(side, context);
  return {
    messages: entries.map((entry) => ({ ...buildMessage(entry, context), ...replyOf(entry), ...unlikeOf(entry), ...elsewhere(entry) })),
    deliveries,
    tree: dispatch.tree,
    ...(dispatch.choices.length > 0 && {
      choice: {
        among: [...new Set(dispatch.choices.flat().map(({ name }) => name))],
        by: side.onAmbiguous === "classify" ? "classify" : "order",
      },
    }),
    by: dispatch.by,
    assumed: dispatch.assumed,
  };
}

/** What the runtime makes up (runtime/src/contract/requests.ts): numbers that count from 1, as text too, and UUIDs of version 4. */
const MADE_UP: Readonly<Record<Exclude<Reply["id"], "order">, readonly (string | number)[]>> = {
  string: ["1", "2", "10", "1000"],
  integer: [1, 2, 10, 1000],
  uuid: ["f81d4fae-7dec-41d0-a765-00a0c91e6bf6"],
};

/** Whether a request's schema refuses ids that are made up for it. */
function refusesMadeUp(entry: Entry, { request, id }: Correlation, { typeName, definitions, judge, findings }: Context): boolean {
  const schema = schemaAt({ $ref: DEFINITIONS + typeName(entry) }, request, (name) => definitions.get(name));
  const refused = schema === undefined || id === "order" ? undefined : MADE_UP[id].find((value) => !judge.allows(schema, value));
  if (refused === undefined) return false;
  findings.hint({
    code: "correlation-made-up",
    message: `The ids that are made up for requests (such as ${JSON.stringify(refused)}) are not valid at ${wordsOfPath(request)} of \`${entry.draft.base}\`; its caller has to give one.`,
    fix: id === "integer" ? "Allow every integer from 1." : "Allow any string, or `format: uuid`.",
    pointer: entry.draft.source.correlation?.pointer ?? entry.draft.source.pointer,
    at: entry.draft.source.correlation === undefined ? "key" : "value",
  });
  return true;
}

function buildMessage(entry: Entry, { typeName, docsOf, definitions }: Context): Message {
  const { draft, name, method, topic, replyOnly } = entry;
  const type = typeName(entry);
  const shape = shapeOf({ $ref: DEFINITIONS + type }, (id) => definitions.get(id));
  return {
    name,
    method,
    ...(topic !== undefined && { topic }),
    wireName: draft.source.name ?? draft.base,
    docs: docsOf(entry),
    type,
    format: draft.format,
    ...(draft.contentType !== undefined && { contentType: draft.contentType }),
    ...(draft.codec !== undefined && { codec: draft.codec }),
    constants: draft.format === "json" || draft.format === "encoded" ? constantsOf(shape) : {},
    replyOnly,
    pointer: draft.source.pointer,
  };
}

/** A message that nobody gave a constant takes everything that no other message does: seldom meant, and never seen in the document. */
function reportRests({ entries, leaves, dispatch }: DirectionDraft, findings: Findings): void {
  // Of a union it was said that its members have no constant of their own.
  const together = new Set(leaves.flatMap(({ members }) => (members.length > 1 ? members : [])));
  for (const entry of entries) {
    const { name, draft } = entry;
    const path = dispatch.rests.get(name);
    if (path === undefined || together.has(entry)) continue;
    const place = wordsOfPath(path);
    findings.hint({
      code: "catch-all",
      message: `\`${name}\` has no constant at ${place}, as others have: every message with an unknown one is taken for it, and none that has one of theirs.`,
      fix: "Give it a constant of its own there, unless it is meant to catch the rest.",
      pointer: draft.source.pointer,
      at: "key",
    });
  }
}

/** With `onAmbiguous: error` nothing may rest on what a schema only does not mention. */
function reportAssumption({ entries, dispatch, onAmbiguous }: DirectionDraft, findings: Findings): void {
  const [first] = entries;
  if (onAmbiguous !== "error" || !dispatch.assumed || first === undefined) return;
  findings.error({
    code: "ambiguous-messages",
    message: `Messages are told apart by ${dispatch.by} only as long as they carry no property that their schemas do not declare.`,
    fix: "Give each a required property with a constant of its own, or close their schemas (`additionalProperties: false`).",
    pointer: first.draft.source.pointer,
    at: "key",
  });
}

/** Of messages with one and the same schema the first takes all. */
function reportUnreachable({ entries, dispatch, onAmbiguous }: DirectionDraft, { typeName, findings }: Context): void {
  if (onAmbiguous !== "first") return;
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const choice of dispatch.choices) {
    const members = choice.flatMap(({ name }) => byName.get(name) ?? []);
    for (const [index, member] of members.entries()) {
      const before = members.slice(0, index).find((other) => typeName(other) === typeName(member));
      if (before === undefined) continue;
      findings.warning({
        code: "never-delivered",
        message: `\`${member.name}\` never arrives: \`${before.name}\` comes first and has the same schema.`,
        fix: "Tell them apart with `discriminator` or `onAmbiguous: classify`, or remove one.",
        pointer: member.draft.source.pointer,
        at: "key",
      });
    }
  }
}

function reportClashes({ clashes }: DirectionDraft, findings: Findings): void {
  for (const [first, ...others] of clashes) {
    if (first === undefined) continue;
    const pointer = first.draft.source.pointer;
    reportClash({ what: "messages", names: [first, ...others].map(({ name }) => name), pointer, fix: "message", findings });
  }
}

/** A message without prose of its own says what its payload says. */
export function docsOfMessage({ draft, method }: Entry, payload: Docs): Docs {
  const { deprecated, ...prose } = withoutEcho(draft.source.docs, method);
  const { deprecated: _, ...others } = withoutEcho(payload, method);
  return { ...(Object.keys(prose).length > 0 ? prose : others), ...(deprecated === true && { deprecated }) };
}
