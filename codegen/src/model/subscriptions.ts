// Which messages subscribe to what comes on a channel, as `x-wsgen: { subscription }` says.
import type { KeyPlaces, Path } from "@wsgen/runtime/generated/server";
import type { Directions } from "./directions.ts";
import type { SubscriptionOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { Entry } from "./leaves.ts";
import type { Subscription } from "./model.ts";
import type { SourceChannel } from "./source.ts";
import { wordsOfPath } from "./tree.ts";

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
