// Where a document looks as if clients subscribe and nothing says so: the option that says it, ready to paste. Only ever proposed, never believed.
import type { Path } from "@wsgen/runtime/generated/server";
import type { Directions } from "./directions.ts";
import type { Findings } from "./findings.ts";
import type { Entry } from "./leaves.ts";
import { wordsOf } from "./names.ts";
import { evidenceAt, pathsOf } from "./shape.ts";
import type { SourceChannel } from "./source.ts";
import { joinPointer } from "./tree.ts";

/** Proposes the option where clients can subscribe and unsubscribe, and nothing says what that means. */
export function proposeSubscription(channels: readonly SourceChannel[], directions: Directions, findings: Findings): void {
  if (channels.some(({ extension }) => extension.subscription !== undefined)) return;
  const pairsOf = createPairs(directions.clientToServer.entries);
  const found = channels.flatMap((channel) => {
    const [pair, ...others] = pairsOf(channel);
    if (pair === undefined || others.length > 0) return [];
    const proposal = proposalOf(pair, directions);
    return proposal === undefined ? [] : [{ channel, pair, proposal }];
  });
  const [first, ...others] = found;
  if (first === undefined) return;
  const { channel, pair, proposal } = first;
  const names = [pair.subscribe, ...("method" in pair.unsubscribe ? [pair.unsubscribe] : [])].map(({ method }) => `\`${method}\``);
  const [seem, them] = names.length === 1 ? ["seems", "it"] : ["seem", "them"];
  const alike = others.length === 0 ? "" : ` So do those of ${others.map((other) => `\`${other.channel.key}\``).join(", ")}.`;
  findings.hint({
    code: "subscription-unsaid",
    message: `${names.join(" and ")} ${seem} to subscribe to what comes on \`${channel.key}\`; clients send ${them} like any message.${alike}`,
    fix: `For subscriptions as objects, which outlive a reconnect, write on the channel: \`x-wsgen: { subscription: ${flow(proposal)} }\`.`,
    pointer: channel.pointer,
    at: "key",
  });
}

interface Pair {
  readonly subscribe: Entry;
  /** Another message, or what the same says then. */
  readonly unsubscribe: Entry | { readonly at: Path; readonly value: string };
}

/** Finds the messages of a channel that subscribe and unsubscribe by their names, or one that does both by what it says. */
function createPairs(entries: readonly Entry[]): (channel: SourceChannel) => readonly Pair[] {
  const said = ({ draft }: Entry): readonly [verb: string, what: string] => {
    const [verb = "", ...what] = wordsOf(draft.base).map((word) => word.toLowerCase());
    return [verb, what.join(" ")];
  };
  const place = ({ topic = "" }: Entry, what: string): string => `${topic}\n${what}`;
  const leaving = new Map<string, Entry>();
  const bySource = new Map<Entry["draft"]["source"], Entry[]>();
  for (const entry of entries) {
    const [verb, what] = said(entry);
    const at = place(entry, what);
    if (verb === "unsubscribe" && !leaving.has(at)) leaving.set(at, entry);
    const { source } = entry.draft;
    bySource.set(source, [...(bySource.get(source) ?? []), entry]);
  }
  const pairOf = (subscribe: Entry): readonly Pair[] => {
    const [verb, what] = said(subscribe);
    const unsubscribe = leaving.get(place(subscribe, what));
    if (verb === "subscribe" && unsubscribe !== undefined) return [{ subscribe, unsubscribe }];
    const both = pathsOf(subscribe.draft.shape, SHALLOW).flatMap((at) => {
      const { values = [] } = evidenceAt(subscribe.draft.shape, at);
      const value = values.find((one) => typeof one === "string" && /^unsubscribed?$/i.test(one));
      return typeof value === "string" && values.some((one) => /^subscribe$/i.test(String(one))) ? [{ at, value }] : [];
    });
    return both[0] === undefined ? [] : [{ subscribe, unsubscribe: both[0] }];
  };
  return ({ messages }) => [...new Set(messages)].flatMap((message) => bySource.get(message) ?? []).flatMap(pairOf);
}

/** As deep as people look for a key. */
const SHALLOW = { depth: 2, limit: 60 } as const;

/** The option for a pair; `undefined` where nothing tells its subscriptions apart. */
function proposalOf({ subscribe, unsubscribe }: Pair, { serverToClient }: Directions): object | undefined {
  const answers = serverToClient.entries.filter(({ topic }) => topic === undefined || topic === subscribe.topic);
  const replies = answers.filter(({ draft }) => subscribe.reply?.answers.includes(draft));
  const ack = answers.find(({ method }) =>
    /^(subscribed|subscription(s|status|ack|response)?|subscribe(ack|response|result))$/i.test(method),
  );
  const refusal = answers.find((entry) => entry !== ack && /^(error(message|response)?|refused|rejected)$/i.test(entry.method));
  const inside = [...replies, ...(ack === undefined ? [] : [ack])].flatMap(({ draft }) =>
    [...draft.shape.members.keys()].filter((name): name is string => typeof name === "string" && /^error(_?message)?$/i.test(name)),
  )[0];
  const refused =
    inside === undefined ? (refusal === undefined || replies.includes(refusal) ? undefined : refusal.method) : { at: `/${inside}` };
  const comes = answers.filter((entry) => ![ack, refusal, ...replies].includes(entry));
  // A place that nothing which comes declares tells no subscription from another: it would hear nothing.
  const key = pathsOf(subscribe.draft.shape, SHALLOW).flatMap((path): readonly (string | object)[] => {
    if (!isKey(subscribe, path) || ("draft" in unsubscribe && !isKey(unsubscribe, path))) return [];
    const places = comes.flatMap((entry) =>
      pathsOf(entry.draft.shape, SHALLOW).filter((place) => isKey(entry, place) && saysOne(entry, place) && isAlike(path, place)),
    );
    if (places.some((place) => pointerTo(place) === pointerTo(path))) return [pointerTo(path)];
    return places[0] === undefined ? [] : [{ subscribe: pointerTo(path), messages: pointerTo(places[0]) }];
  });
  if (key.length === 0) return undefined;
  return {
    subscribe: subscribe.method,
    unsubscribe: "method" in unsubscribe ? unsubscribe.method : { at: pointerTo(unsubscribe.at), value: unsubscribe.value },
    ...(ack !== undefined && replies.length === 0 && { ack: ack.method }),
    // Without an ack, nobody waits for a refusal.
    ...(refused !== undefined && (ack !== undefined || replies.length > 0) && { refused }),
    key,
  };
}

const pointerTo = (path: Path): string => joinPointer("", ...path.map(String));

/** Whether two places are called alike: `symbols` of the one who asks, `symbol` of what comes. */
function isAlike(path: Path, place: Path): boolean {
  const plain = (of: Path): string => String(of.at(-1)).toLowerCase().replace(/s$/, "");
  return typeof place.at(-1) === "string" && plain(path) === plain(place);
}

/** What comes of a subscription is about one thing; a message with a list of them answers something else. */
const saysOne = ({ draft }: Entry, place: Path): boolean => !evidenceAt(draft.shape, place).kinds.has("array");

/** Whether a place holds what the sender chooses, and is neither the id of a request nor a secret. */
function isKey({ draft }: Entry, path: Path): boolean {
  const { presence, values, kinds } = evidenceAt(draft.shape, path);
  return (
    presence !== "absent" &&
    values === undefined &&
    (kinds.has("string") || kinds.has("array")) &&
    !/^((req|request|message|correlation)_?)?id$|key$|token|secret|challenge|sign/i.test(String(path.at(-1)))
  );
}

/** A value as YAML has it on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${name}: ${flow(inner)}`)
    .join(", ")} }`;
}
