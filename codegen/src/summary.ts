// What wsgen understood of a document: as data for `--json`, and as lines to read.
import type picocolors from "picocolors";
import type { Direction, Model, Perspective } from "./model/model.ts";

export interface Summary {
  readonly title: string;
  readonly asyncapi: string;
  readonly perspective: Perspective;
  readonly endpoints: readonly EndpointSummary[];
  /** Named types in types.ts. */
  readonly types: number;
  /** Pointers of what was left out, each with the reason. */
  readonly omitted: Model["omitted"];
}

export interface EndpointSummary {
  readonly name: string;
  readonly address: string;
  /** Keys of the document's channels that share this socket. */
  readonly channels: readonly string[];
  /** Names of the topics that the API groups their messages by; none where one channel has the socket, or where there is nothing to group. */
  readonly topics: readonly string[];
  /** How many messages, in both directions, are the socket's although it has topics: several channels have them, or they cannot be told apart. */
  readonly shared: number;
  /** What clients subscribe to: topics, and `subscription` for what is the socket's. */
  readonly subscriptions: readonly string[];
  /** What clients send. */
  readonly in: DirectionSummary;
  /** What the server sends. */
  readonly out: DirectionSummary;
}

export interface DirectionSummary {
  readonly messages: number;
  /** How they are told apart, in words. */
  readonly by: string;
  /** Whether that holds only as long as messages carry no property that their schemas do not declare. */
  readonly assumed: boolean;
  /** How many of them a codec reads and writes, by content type. */
  readonly encoded: { readonly [contentType: string]: number };
  /** Messages that are answered. */
  readonly requests: number;
  /** Messages that cannot be told apart and are delivered together: names by the union's name. */
  readonly unions: { readonly [name: string]: readonly string[] };
}

export function summarise({ title, asyncapi, perspective, endpoints, types, omitted }: Model): Summary {
  return {
    title,
    asyncapi,
    perspective,
    endpoints: endpoints.map(({ name, address, channels, topics, subscription, clientToServer, serverToClient }) => ({
      name,
      address,
      channels: channels.map(({ key }) => key),
      topics: topics.map((topic) => topic.name),
      shared: topics.length === 0 ? 0 : [clientToServer, serverToClient].reduce((sum, side) => sum + sharedOf(side), 0),
      subscriptions: [
        ...topics.flatMap((topic) => (topic.subscription === undefined ? [] : [topic.name])),
        ...(subscription === undefined ? [] : ["subscription"]),
      ],
      in: summariseDirection(clientToServer),
      out: summariseDirection(serverToClient),
    })),
    types: types.length,
    omitted,
  };
}

/** Messages that are no topic's to who receives them. */
function sharedOf({ messages, deliveries }: Direction): number {
  const delivered = deliveries.flatMap(({ topic, messages: names }) => (topic === undefined ? names : []));
  return new Set([...delivered, ...messages.flatMap(({ name, topic }) => (topic === undefined ? [name] : []))]).size;
}

function summariseDirection({ messages, deliveries, by, assumed }: Direction): DirectionSummary {
  const unions = deliveries.filter((delivery) => delivery.messages.length > 1).map((delivery) => [delivery.name, delivery.messages]);
  const encoded = new Map<string, number>();
  for (const { codec } of messages) if (codec !== undefined) encoded.set(codec, (encoded.get(codec) ?? 0) + 1);
  return {
    messages: messages.length,
    by,
    assumed,
    encoded: Object.fromEntries(encoded),
    requests: messages.filter(({ reply }) => reply !== undefined).length,
    unions: Object.fromEntries(unions),
  };
}

type Colors = ReturnType<typeof picocolors.createColors>;

/** The summary for a terminal. */
export function formatSummary({ title, asyncapi, perspective, endpoints, omitted }: Summary, colors: Colors): string {
  const total = (side: "in" | "out"): number => endpoints.reduce((sum, endpoint) => sum + endpoint[side].messages, 0);
  const shown = endpoints.slice(0, maxEndpoints);
  const width = Math.max(...shown.map(({ name, address }) => name.length + address.length));
  const assumed = shown.some((endpoint) => endpoint.in.assumed || endpoint.out.assumed);
  const lines = [
    `${colors.bold(title)} ${colors.dim(`(AsyncAPI ${asyncapi})`)}: ${count(endpoints.length, "endpoint")}, ${count(total("in"), "message")} in, ${total("out")} out`,
    `  written from the ${perspective.side === "client" ? "client's side (in is what it sends)" : "server's side"}: ${perspective.evidence ?? reasons[perspective.because]}`,
    ...shown.flatMap((endpoint) => endpointLines(endpoint, width, colors)),
    ...(assumed ? [colors.dim("  * as long as messages carry only properties their schemas declare")] : []),
    ...(endpoints.length > shown.length ? [`  … and ${endpoints.length - shown.length} more`] : []),
    ...omitted.slice(0, maxOmitted).map(({ pointer, why }) => colors.dim(`  left out ${pointer}: ${why}`)),
    ...(omitted.length > maxOmitted ? [colors.dim(`  … and ${omitted.length - maxOmitted} more left out`)] : []),
  ];
  return lines.join("\n");
}

const maxEndpoints = 20;
const maxOmitted = 5;
/** Characters of a list of names. */
const LONGEST_LIST = 96;

const reasons: Readonly<Record<Perspective["because"], string>> = {
  option: "as it was told",
  words: "as its descriptions say",
  standard: "as AsyncAPI 2 defines `publish` and `subscribe`",
  default: "nothing in it says otherwise (--perspective client reads it the other way round)",
};

function endpointLines(endpoint: EndpointSummary, width: number, colors: Colors): readonly string[] {
  const { name, address, channels, subscriptions } = endpoint;
  const gap = " ".repeat(width - name.length - address.length + 2);
  const unions = (["in", "out"] as const).flatMap((side) => Object.values(endpoint[side].unions).map((members) => ({ side, members })));
  return [
    `  ${colors.cyan(name)} ${address}${gap}in ${describeDirection(endpoint.in)}; out ${describeDirection(endpoint.out)}`,
    ...(channels.length > 1 ? [colors.dim(`    ${describeChannels(endpoint)}`)] : []),
    ...(subscriptions.length > 0 ? [colors.dim(`    clients subscribe to ${describeSubscriptions(subscriptions)}`)] : []),
    ...unions.map(({ side, members }) => colors.yellow(`    ${members.length} ${side} come together, not told apart: ${namesOf(members)}`)),
  ];
}

function describeChannels({ channels, topics, shared }: EndpointSummary): string {
  if (topics.length === 0) return `${channels.length} channels share it; all messages are the socket's, so there are no topics`;
  const rest = shared === 0 ? "" : `; ${count(shared, "message")} of no single topic ${shared === 1 ? "is" : "are"} the socket's`;
  return `${channels.length} channels share it, ${topics.length === 1 ? "topic" : "topics"} ${namesOf(topics)}${rest}`;
}

function describeSubscriptions(names: readonly string[]): string {
  return namesOf(names.map((name) => (name === "subscription" ? "what is the socket's (`subscription`)" : name)));
}

/** The first of the names, as many as fit on a line. */
export function namesOf(names: readonly string[]): string {
  const shown: string[] = [];
  for (const name of names) {
    if (shown.length > 0 && [...shown, name].join(", ").length > LONGEST_LIST) break;
    shown.push(name);
  }
  return shown.join(", ") + (names.length > shown.length ? `, … and ${names.length - shown.length} more` : "");
}

function describeDirection({ messages, by, assumed, encoded, requests }: DirectionSummary): string {
  const apart = messages > 1 && by !== "" ? (by === "nothing" ? ", not told apart" : ` by ${by}${assumed ? " *" : ""}`) : "";
  const types = Object.entries(encoded).map(([type, number]) => (number === messages ? type : `${number} ${type}`));
  return `${messages}${types.length === 0 ? "" : ` (${types.join(", ")})`}${apart}${requests > 0 ? `, ${requests} with a reply` : ""}`;
}

/** `1 file`, `2 files`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
