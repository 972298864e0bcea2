// Which channels of a shared socket are topics of its API. A channel that adds nothing but a word is none: its messages are the socket's.
import type { Path } from "@wsgen/runtime/generated/server";
import { literalWords, parametersOf, queryOfChannel } from "./addresses.ts";
import type { Findings } from "./findings.ts";
import { emptyObject } from "./keywords.ts";
import type { Topic } from "./model.ts";
import { assignTopicNames, camelCase, folded, hash, pascalCase } from "./names.ts";
import { defaultsOf } from "./parameter-defaults.ts";
import type { Types } from "./schemas.ts";
import type { SourceChannel } from "./source.ts";
import { pathOfPointer } from "./tree.ts";

/** A message of a socket, as far as its topic goes. */
export interface Carried {
  /** Words it is named by. */
  readonly base: string;
  readonly side: "clientToServer" | "serverToClient";
  /** Keys of the channels that carry it. */
  readonly channels: ReadonlySet<string>;
  /** Whether it only ever comes as the reply to a request: then nobody sends or hears it by name. */
  readonly replyOnly: boolean;
}

/** A channel of a shared socket that has messages of its own. */
export interface TopicDraft {
  readonly channel: SourceChannel;
  /** camelCase, final, unique in its endpoint. */
  readonly name: string;
}

/** So many topics of one message each look like names of messages. */
const MANY = 3;

/** Finds the topics of a socket at `address`, by their channels' keys. A socket with a single channel has none. */
export function findTopics(
  { address, channels }: { readonly address: string; readonly channels: readonly SourceChannel[] },
  carried: readonly Carried[],
  findings: Findings,
): ReadonlyMap<string, TopicDraft> {
  if (channels.length < 2) return new Map();
  const spoken = carried.filter(({ replyOnly }) => !replyOnly);
  const own = (channel: SourceChannel): readonly Carried[] =>
    spoken.filter((one) => one.channels.size === 1 && one.channels.has(channel.key));
  const subscribed = channels.some(({ extension }) => extension.subscription !== undefined);
  if (!subscribed && splitsDirections(channels.map(own))) return new Map();

  const topics = channels.filter((channel) => {
    const [first, ...others] = own(channel);
    if (first === undefined) return false;
    if (channel.extension.subscription !== undefined) return true;
    // `ping` with the one message `ping`, and nothing else, is the message's name, said twice.
    const alone = others.length === 0 && spoken.filter((one) => one.channels.has(channel.key)).length === 1;
    const isMessage = alone && sameWords(wordsOfTopic(channel), first.base);
    return !isMessage || topicParameters(channel, address).length > 0;
  });
  if (topics.length >= MANY && topics.every((channel) => own(channel).length === 1 && topicParameters(channel, address).length === 0)) {
    findings.hint({
      code: "topics-single",
      message: `The ${topics.length} topics of \`${address}\` have one message each, so grouping them says little.`,
      fix: "If the channels only name messages, put the messages into one channel; if each is a connection, write `x-wsgen: { multiplex: channel }`.",
      pointer: topics[0]?.pointer ?? "/channels",
      at: "key",
    });
  }
  const shared = spoken.filter(({ channels: on }) => !topics.some(({ key }) => on.size === 1 && on.has(key)));
  const names = assignTopicNames(
    topics.map((channel) => ({
      base: wordsOfTopic(channel),
      identity: channel.key,
      suffix: { text: "Topic", always: false },
      chosen: channel.extension.name !== undefined,
    })),
    shared.map(({ base }) => base),
  );
  return new Map(topics.map((channel) => [channel.key, { channel, name: names.get(channel.key)?.name ?? channel.key }]));
}

/** `publish` and `subscribe` of one conversation: where no two channels speak in one direction, they group nothing. */
function splitsDirections(own: readonly (readonly Carried[])[]): boolean {
  const speaking = own.filter((messages) => messages.length > 0);
  const sides = speaking.map((messages) => new Set(messages.map(({ side }) => side)));
  return speaking.length === 2 && sides.every(({ size }) => size === 1) && new Set(sides.flatMap((side) => [...side])).size === 2;
}

/** `ping`, `PingMessage` and `ping_channel` say the same. */
function sameWords(topic: string, message: string): boolean {
  const plain = (words: string): string => camelCase(words).toLowerCase();
  return plain(topic).replace(/.(channel|topic)$/, cut) === plain(message).replace(/.message$/, cut);
}

/** What stands before a word that says nothing. */
const cut = (found: string): string => found.charAt(0);

/** Words that name a topic: its channel's chosen name, its key (3.x) or its address, parameters aside. */
export function wordsOfTopic({ key, extension, namedBy, address }: SourceChannel): string {
  return extension.name ?? literalWords(namedBy === "key" ? key : (address ?? key));
}

/** Parameters that a topic's address has beside those of the socket's path. */
function topicParameters(channel: SourceChannel, address: string): readonly string[] {
  const ofPath = new Set(parametersOf(address));
  // What its query says is said when connecting.
  const own = queryOfChannel(channel, address) === "" ? channel.address : channel.address?.replace(/\?.*$/s, "");
  return parametersOf(own ?? "").filter((name) => !ofPath.has(name));
}

/** What a topic is asked for by: a type, and where in its messages each parameter is said. */
export interface TopicParameters {
  /** Id of the type until it has a name. */
  readonly type: string;
  readonly at: { readonly [parameter: string]: Path };
  readonly optional: boolean;
  readonly defaults?: { readonly [parameter: string]: string | number | boolean };
}

/** Builds the type of a topic's parameters and adds it to `types`. */
export function buildTopicParameters(
  { channel, name }: TopicDraft,
  address: string,
  typeName: string,
  { types, findings }: { readonly types: Types; readonly findings: Findings },
): TopicParameters | undefined {
  const names = topicParameters(channel, address);
  if (names.length === 0) return undefined;
  const properties = emptyObject();
  const at: { [parameter: string]: Path } = {};
  for (const parameter of names) {
    const declared = channel.parameters.find((one) => one.name === parameter);
    properties[parameter] = declared === undefined ? { type: "string" } : types.normalise(declared.schema);
    const path = declared?.location === undefined ? undefined : pathOf(declared.location, findings);
    if (path !== undefined) at[parameter] = path;
  }
  const id = `topic parameters ${channel.pointer}`;
  types.add({
    id,
    pointer: channel.pointer,
    base: `${typeName}Parameters`,
    role: "handshake",
    channel: name,
    docs: { description: `Parameters of the topic \`${channel.address ?? channel.key}\`.` },
    schema: { type: "object", required: names, properties },
  });
  const defaults = defaultsOf([channel], properties, findings);
  const given = Object.keys(defaults).length;
  return { type: id, at, optional: given === names.length, ...(given > 0 && { defaults }) };
}

function pathOf({ value, pointer }: { readonly value: string; readonly pointer: string }, findings: Findings): Path | undefined {
  const found = /^\$message\.payload#(\/.*)$/s.exec(value.trim());
  if (found?.[1] !== undefined) return pathOfPointer(found[1]);
  findings.warning({
    code: "parameter-location",
    message: `The parameter's location \`${value}\` is not in the payload, and a WebSocket message has nothing else; messages are not told apart by it.`,
    fix: "Point into the payload: `$message.payload#/pair`.",
    pointer,
  });
  return undefined;
}

/** An endpoint, as far as its topics go. */
interface Topical {
  readonly typeName: string;
  readonly directions: { readonly topics: readonly TopicDraft[] };
}

/** What the types of topics are called: `V1` and `Book` make `V1Book`, which another endpoint may be called already. */
export function nameTopicTypes(drafts: readonly Topical[]): ReadonlyMap<TopicDraft, string> {
  const taken = new Set(drafts.map(({ typeName }) => folded(typeName)));
  const named = drafts.flatMap(({ typeName, directions }) =>
    directions.topics.map((topic) => {
      const plain = typeName + pascalCase(topic.name);
      const name = taken.has(folded(plain)) ? `${plain}_${hash(topic.channel.pointer)}` : plain;
      taken.add(folded(name));
      return [topic, name] as const;
    }),
  );
  return new Map(named);
}

/** Builds a topic. */
export function buildTopic(
  { channel, name }: TopicDraft,
  typeName: string,
  parameters: TopicParameters | undefined,
  nameOf: (id: string) => string,
): Topic {
  return {
    name,
    typeName,
    docs: channel.docs,
    address: channel.address ?? channel.key,
    ...(parameters && { parameters: { ...parameters, type: nameOf(parameters.type) } }),
    pointer: channel.pointer,
  };
}
