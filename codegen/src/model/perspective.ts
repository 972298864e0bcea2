// Which side a document describes. Nothing in AsyncAPI says it; in 3.x the words do, often enough.
import type { Perspective } from "./model.ts";
import { wordsOf } from "./names.ts";
import type { Source, SourceMessage } from "./source.ts";

export interface PerspectiveQuestion {
  /** 3.x documents are written from either side; 2.x says what others may do. */
  readonly version: 2 | 3;
  readonly option: "server" | "client" | undefined;
  readonly extension: "server" | "client" | undefined;
  readonly words: Words;
}

/** How clearly a document's words speak for a side, and which of them do. */
export interface Words {
  /** Above 0 for the server, below for the client. */
  readonly score: number;
  readonly evidence: string | undefined;
}

/** Below this the words are not taken as an answer. */
const CLEAR = 0.5;

/** The option, else `x-wsgen`, else the version's meaning (2.x) or the words (3.x), else the server. */
export function decidePerspective({ version, option, extension, words }: PerspectiveQuestion): Perspective {
  const said = option ?? extension;
  if (said !== undefined) return { side: said, because: "option" };
  if (version === 2) return { side: "server", because: "standard" };
  const { score, evidence } = words;
  if (Math.abs(score) >= CLEAR)
    return { side: score > 0 ? "server" : "client", because: "words", ...(evidence !== undefined && { evidence }) };
  return { side: "server", because: "default" };
}

/** Whether the words speak clearly for the other side than the one decided on. */
export function contradicts({ side }: Perspective, { score }: Words): boolean {
  return Math.abs(score) >= CLEAR && (score > 0 ? "server" : "client") !== side;
}

/** What a message's words tell about who sends it. */
export interface Spoken {
  readonly message: SourceMessage;
  /** String constants of its payload, by property. */
  readonly constants: ReadonlyMap<string, string>;
}

/**
 * Reads who sends what from names, constants that tell messages apart, descriptions and the document's title: the mean over what the application receives minus the mean over what it sends, so
 * above 0 it receives what clients send. Messages of both directions do not count.
 */
export function readWords(source: Source, title: string, spoken: (message: SourceMessage) => Spoken): Words {
  const operations = source.channels.flatMap((channel) => channel.operations);
  const received = new Set(operations.filter(({ action }) => action === "receive").flatMap(({ messages }) => messages));
  const sent = new Set(operations.filter(({ action }) => action === "send").flatMap(({ messages }) => messages));
  for (const message of received) {
    if (!sent.has(message)) continue;
    received.delete(message);
    sent.delete(message);
  }
  const sides = [[...received].map(spoken), [...sent].map(spoken)] as const;
  const difference = (score: (entry: Spoken) => number): number => mean(sides[0].map(score)) - mean(sides[1].map(score));
  const asking = operations.filter(({ replies }) => replies.length > 0);
  const asked = asking.filter(({ action }) => action === "receive").length;
  const replies = operations.length === 0 ? 0 : (3 * (asked - (asking.length - asked))) / operations.length;
  const score =
    difference(({ message }) => scoreOfName(message.name ?? "")) +
    meanOfTags(sides[0]) -
    meanOfTags(sides[1]) +
    difference(({ message }) =>
      scoreOfProse(`${message.docs.summary ?? ""} ${message.docs.title ?? ""} ${message.docs.description ?? ""}`),
    ) +
    replies +
    scoreOfTitle(title);
  const sign = Math.sign(score);
  const telling = (messages: readonly SourceMessage[], wanted: number): string[] =>
    messages.flatMap(({ name }) => (name !== undefined && scoreOfName(name) === wanted ? [name] : []));
  const requests = asking.filter(({ action }) => (action === "receive") === sign > 0).flatMap(({ messages }) => messages);
  return {
    score,
    evidence: evidenceOf({
      sign,
      requests: requests.flatMap(({ name }) => name ?? []),
      received: telling([...received], sign),
      sent: telling([...sent], -sign),
      title: scoreOfTitle(title) === sign,
    }),
  };
}

/** The words that speak for the side decided on, the clearest first. */
function evidenceOf(found: {
  readonly sign: number;
  readonly requests: readonly string[];
  readonly received: readonly string[];
  readonly sent: readonly string[];
  readonly title: boolean;
}): string | undefined {
  const { sign, requests, received, sent, title } = found;
  const clues = [
    ...(received.length > 0 ? [`it receives ${someOf(received)}`] : []),
    ...(sent.length > 0 ? [`it sends ${someOf(sent)}`] : []),
    ...(requests.length > 0 ? [`it ${sign > 0 ? "answers" : "asks"} ${someOf(requests)}`] : []),
    ...(title ? ["its title says so"] : []),
  ];
  return clues.length === 0 ? undefined : clues.slice(0, 2).join(", ");
}

function someOf(names: readonly string[]): string {
  const unique = [...new Set(names)];
  return unique.slice(0, 2).join(", ") + (unique.length > 2 ? ", …" : "");
}

/** Of those with an opinion, and whole where they are at least half of all: one message of many decides nothing. */
function mean(values: readonly number[]): number {
  const opinions = values.filter((value) => value !== 0);
  return opinions.length === 0 ? 0 : opinions.reduce((sum, value) => sum + value, 0) / Math.max(opinions.length, values.length / 2);
}

/** What the constants say that tell the messages of one direction apart. */
function meanOfTags(messages: readonly Spoken[]): number {
  const byProperty = new Map<string, Set<string>>();
  for (const { constants } of messages)
    for (const [property, value] of constants) byProperty.set(property, (byProperty.get(property) ?? new Set()).add(value));
  // With one value for all, a property tells nothing apart; a lone message's constant still says what it is.
  const tags = new Set([...byProperty].flatMap(([property, values]) => (values.size > 1 || messages.length === 1 ? [property] : [])));
  return mean(
    messages.map(({ constants }) => mean([...constants].flatMap(([property, value]) => (tags.has(property) ? [scoreOfName(value)] : [])))),
  );
}

/** "Slack API Client" describes a client, "Chat Server" a server. */
function scoreOfTitle(title: string): number {
  const words = new Set(wordsOf(title).map((word) => word.toLowerCase()));
  return Number(words.has("server") || words.has("backend")) - Number(words.has("client") || words.has("frontend"));
}

/** +1: sounds like something a client sends; −1: a server. */
function scoreOfName(name: string): number {
  const words = wordsOf(name).map((word) => word.toLowerCase());
  if (words.length > 1 && /^(message|msg|payload)$/.test(words.at(-1) ?? "")) words.pop();
  const last = words.at(-1) ?? "";
  const first = words[0] ?? "";
  // "subscribe to feed" is no feed.
  if (CLIENT_LAST.has(last) || (CLIENT_FIRST.has(first) && words[1] === "to")) return 1;
  if (SERVER_LAST.has(last) || /[^e]ed$/.test(last)) return -1;
  if (CLIENT_FIRST.has(first)) return 1;
  return SERVER_FIRST.has(first) ? -1 : 0;
}

function scoreOfProse(prose: string): number {
  const text = prose.toLowerCase();
  const client =
    /\b(sent by the client|client sends|from (the |a )?client|client request|client to (the )?server|to the server|clients? can send|sent to the (server|api))\b/.test(
      text,
    );
  const server =
    /\b(sent by the server|server sends|from (the )?server|server response|server to (the )?client|to (the |all )?(connected )?clients?|pushed by|server notif|received from)\b/.test(
      text,
    );
  return client === server ? 0 : client ? 1 : -1;
}

const set = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const CLIENT_LAST = set("request req command cmd query subscribe unsubscribe ping login input action");
const SERVER_LAST = set(
  "response resp res reply result event events update updates ack acknowledgement acknowledgment error errors notification notifications snapshot data status " +
    "pong info warning push broadcast ticker trade trades heartbeat welcome feed stream",
);
const CLIENT_FIRST = set(
  "subscribe unsubscribe ping get list set create add remove delete cancel send post put place request authenticate auth login logout join leave start stop " +
    "end edit modify fetch query register execute submit configure close open connect keepalive",
);
const SERVER_FIRST = set("pong on error ack snapshot event notify notification response result");
