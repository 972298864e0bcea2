// Which messages subscribe to what comes on a channel: as `x-wsgen: { subscription }` says, and proposed where a document looks like it.
import type { KeyPlaces, Path } from "@wsgen/runtime/generated/server";
import type { Directions } from "./directions.ts";
import type { SubscriptionOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { Entry } from "./leaves.ts";
import type { Subscription } from "./model.ts";
import { wordsOf } from "./names.ts";
import { evidenceAt, pathsOf } from "./shape.ts";
import type { SourceChannel } from "./source.ts";
import { joinPointer, wordsOfPath } from "./tree.ts";

/** What a socket's subscriptions are: those of topics by their names, and its own, of a channel whose messages the socket has. */
export interface Subscriptions {
  readonly topics: ReadonlyMap<string, Subscription>;
  readonly own: Subscription | undefined;
}

/** Builds the subscriptions of a socket. */
export function buildSubscriptions(channels: readonly SourceChannel[], directions: Directions, findings: Findings): Subscriptions {
  const topics = new Map<string, Subscription>();
  let own: { readonly subscription: Subscription; readonly channel: SourceChannel } | undefined;
  for (const channel of channels) {
    if (channel.extension.subscription === undefined) continue;
    const named = directions.topics.find((topic) => topic.channel.key === channel.key)?.name;
    // What several channels have is the socket's: nothing on the wire says which of them it is for.
    const topic = directions.serverToClient.leaves.some((leaf) => named !== undefined && leaf.topic === named) ? named : undefined;
    const subscription = buildSubscription(channel.extension.subscription, channel, { topic, named }, directions, findings);
    if (subscription === undefined) continue;
    if (topic !== undefined) topics.set(topic, subscription);
    else if (own === undefined) own = { subscription, channel };
    else if (JSON.stringify(own.subscription) !== JSON.stringify(subscription)) {
      findings.error({
        code: "subscription",
        message: `What comes on \`${own.channel.key}\` and on \`${channel.key}\` is the socket's, which has one subscription.`,
        fix: "Tell their messages apart (`discriminator`), so that each is a topic, or write the option on one of them: the key tells its subscriptions apart.",
        pointer: channel.extension.subscription.pointer,
        at: "key",
      });
    }
  }
  return { topics, own: own?.subscription };
}

/** Where the messages of a channel are: in its topic, as far as they are its own. */
interface Scope {
  /** The topic that hears what is subscribed to; `undefined`: the socket does. */
  readonly topic: string | undefined;
  readonly named: string | undefined;
}

function buildSubscription(
  option: SubscriptionOption,
  channel: SourceChannel,
  { topic, named }: Scope,
  { clientToServer, serverToClient }: Directions,
  findings: Findings,
): Subscription | undefined {
  const { pointer } = option;
  const find = (part: "subscribe" | "unsubscribe" | "ack" | "refused", entries: readonly Entry[]): Entry | undefined => {
    const name = option[part];
    if (typeof name !== "string") return undefined;
    const called = entries.filter(({ draft, method }) => [draft.source.name, draft.base, method].includes(name));
    const found = called.find((entry) => entry.topic === named) ?? called.find((entry) => entry.topic === undefined);
    if (found === undefined) {
      findings.error({
        code: "subscription",
        message: `\`${part}\` is \`${name}\`, which is no message that ${entries === serverToClient.entries ? "servers" : "clients"} send here.`,
        fix: `Name one of the channel's: ${here(entries, named) || "there is none"}.`,
        pointer: `${pointer}/${part}`,
      });
    }
    return found;
  };
  const subscribe = find("subscribe", clientToServer.entries);
  const unsubscribe = find("unsubscribe", clientToServer.entries);
  const ack = find("ack", serverToClient.entries);
  const refused = find("refused", serverToClient.entries);
  const missing = ([part, entry]: readonly [keyof SubscriptionOption, Entry | undefined]): boolean =>
    typeof option[part] === "string" && entry === undefined;
  const found = Object.entries({ subscribe, unsubscribe, ack, refused }) as [keyof SubscriptionOption, Entry | undefined][];
  if (subscribe === undefined || found.some(missing)) return undefined;

  if (subscribe.reply?.answers.some((draft) => draft === refused?.draft)) {
    findings.error({
      code: "subscription",
      message: `\`refused\` is \`${refused?.method}\`, which is a reply to \`${subscribe.method}\`; its replies have no names.`,
      fix: "Say what such a reply says: `refused: { at: /error }`.",
      pointer: `${pointer}/refused`,
    });
  }
  const places = option.key.map((part) => placesOf(part, unsubscribe));
  reportPlaces(places, { subscribe, unsubscribe, channel, option }, findings);
  reportUnheard(places, { channel, topic, pointer }, serverToClient.entries, [ack, refused], findings);
  return {
    subscribe: subscribe.name,
    unsubscribe: unsubscribe?.name ?? option.unsubscribe,
    ...(ack && { ack: ack.name }),
    ...(option.refused !== undefined && { refused: refused?.name ?? option.refused }),
    key: option.key.map((part, index) => (Array.isArray(part) ? part : (places[index] ?? {}))),
  };
}

const here = (entries: readonly Entry[], named: string | undefined): string =>
  entries
    .filter(({ topic }) => topic === undefined || topic === named)
    .map(({ method }) => `\`${method}\``)
    .join(", ");

/** All places of a part of a key, those that go without saying too. */
function placesOf(part: Path | KeyPlaces, unsubscribe: Entry | undefined): KeyPlaces {
  // `Array.isArray` does not see that a readonly list is one.
  if (Array.isArray(part)) return { subscribe: part as Path, unsubscribe: part as Path, ack: part as Path, messages: part as Path };
  const { subscribe, messages, unsubscribe: left = subscribe, ack = messages } = part as KeyPlaces;
  const isLeft = left !== undefined && (left !== subscribe || (unsubscribe !== undefined && declares(unsubscribe, left)));
  return { ...(subscribe && { subscribe }), ...(isLeft && { unsubscribe: left }), ...(ack && { ack }), ...(messages && { messages }) };
}

interface Parts {
  readonly subscribe: Entry;
  /** Absent where it is the same message with something else in it. */
  readonly unsubscribe: Entry | undefined;
  readonly channel: SourceChannel;
  readonly option: SubscriptionOption;
}

/** Says which places nobody declares. */
function reportPlaces(places: readonly KeyPlaces[], { subscribe, unsubscribe, option }: Parts, findings: Findings): void {
  const undeclared = (entry: Entry, path: Path): void =>
    findings.warning({
      code: "subscription",
      message: `\`${entry.method}\` does not declare ${wordsOfPath(path)}, which is to tell one subscription from another.`,
      fix: "Name a place that it has; where the others have it elsewhere, each its own: `{ subscribe: /args/0/pair, messages: /pair }`.",
      pointer: `${option.pointer}/key`,
    });
  for (const place of places) {
    if (place.subscribe !== undefined && !declares(subscribe, place.subscribe)) undeclared(subscribe, place.subscribe);
    if (place.unsubscribe !== undefined && unsubscribe !== undefined && !declares(unsubscribe, place.unsubscribe))
      undeclared(unsubscribe, place.unsubscribe);
  }
  const { unsubscribe: left } = option;
  if (typeof left !== "string" && !declares(subscribe, left.at)) undeclared(subscribe, left.at);
  if (unsubscribe === undefined || places.some((place) => place.unsubscribe !== undefined)) return;
  findings.warning({
    code: "subscription",
    message: `Nothing of the key is said to \`${unsubscribe.method}\`, so that it leaves all subscriptions.`,
    fix: "Name where it says what is left: `{ subscribe: /params/0, unsubscribe: /pair }`.",
    pointer: `${option.pointer}/key`,
  });
}

/** Says when no message that comes of a subscription says its key. */
function reportUnheard(
  places: readonly KeyPlaces[],
  { channel, topic, pointer }: { readonly channel: SourceChannel; readonly topic: string | undefined; readonly pointer: string },
  answers: readonly Entry[],
  own: readonly (Entry | undefined)[],
  findings: Findings,
): void {
  const heard = answers.filter((entry) => (topic === undefined || entry.topic === topic) && !own.includes(entry) && !entry.replyOnly);
  if (heard.some((entry) => places.some(({ messages }) => messages !== undefined && declares(entry, messages)))) return;
  findings.warning({
    code: "subscription",
    message: `No message that arrives on \`${channel.key}\` declares any of the key; what does not say it goes to ${topic === undefined ? "no subscription" : "all subscriptions"}.`,
    fix: "Name where they say it: `{ subscribe: /args/0/pair, messages: /pair }`.",
    pointer: `${pointer}/key`,
  });
}

/** Whether a message may have a place. The positions of lists are as many as there are. */
function declares({ draft }: Entry, path: Path): boolean {
  let { shape } = draft;
  for (const step of path) {
    const member = shape.members.get(step);
    if (member === undefined) return (step === "*" || typeof step === "number") && shape.kinds.has("array");
    ({ shape } = member);
  }
  return true;
}

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
