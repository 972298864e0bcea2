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
  /** What clients send. */
  readonly in: DirectionSummary;
  /** What the server sends. */
  readonly out: DirectionSummary;
}

export interface DirectionSummary {
  readonly messages: number;
  /** How they are told apart, in words. */
  readonly by: string;
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
    endpoints: endpoints.map(({ name, address, channels, topics, clientToServer, serverToClient }) => ({
      name,
      address,
      channels: channels.map(({ key }) => key),
      topics: topics.map((topic) => topic.name),
      in: summariseDirection(clientToServer),
      out: summariseDirection(serverToClient),
    })),
    types: types.length,
    omitted,
  };
}

function summariseDirection({ messages, deliveries, by }: Direction): DirectionSummary {
  const unions = deliveries.filter((delivery) => delivery.messages.length > 1).map((delivery) => [delivery.name, delivery.messages]);
  const encoded = new Map<string, number>();
  for (const { codec } of messages) if (codec !== undefined) encoded.set(codec, (encoded.get(codec) ?? 0) + 1);
  return {
    messages: messages.length,
    by,
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
  const lines = [
    `${colors.bold(title)} ${colors.dim(`(AsyncAPI ${asyncapi})`)}: ${count(endpoints.length, "endpoint")}, ${count(total("in"), "message")} in, ${total("out")} out`,
    `  written from the ${perspective.side}'s side: ${perspective.evidence ?? reasons[perspective.because]}`,
    ...shown.flatMap((endpoint) => endpointLines(endpoint, width, colors)),
    ...(endpoints.length > shown.length ? [`  … and ${endpoints.length - shown.length} more`] : []),
    ...omitted.slice(0, maxOmitted).map(({ pointer, why }) => colors.dim(`  left out ${pointer}: ${why}`)),
    ...(omitted.length > maxOmitted ? [colors.dim(`  … and ${omitted.length - maxOmitted} more left out`)] : []),
  ];
  return lines.join("\n");
}

const maxEndpoints = 20;
const maxOmitted = 5;
const maxNames = 12;

const reasons: Readonly<Record<Perspective["because"], string>> = {
  option: "as it was told",
  words: "as its descriptions say",
  standard: "as AsyncAPI 2 defines `publish` and `subscribe`",
  default: "nothing in it says otherwise (--perspective client reads it the other way round)",
};

function endpointLines(endpoint: EndpointSummary, width: number, colors: Colors): readonly string[] {
  const { name, address, channels, topics } = endpoint;
  const gap = " ".repeat(width - name.length - address.length + 2);
  const unions = [endpoint.in, endpoint.out].flatMap((direction) => Object.entries(direction.unions));
  return [
    `  ${colors.cyan(name)} ${address}${gap}in ${describeDirection(endpoint.in)}; out ${describeDirection(endpoint.out)}`,
    ...(channels.length > 1 ? [colors.dim(`    ${describeChannels(channels.length, topics)}`)] : []),
    ...unions.map(([union, members]) => colors.yellow(`    ${union} is one of ${namesOf(members)}, which cannot be told apart`)),
  ];
}

function describeChannels(channels: number, topics: readonly string[]): string {
  const grouped =
    topics.length === 0 ? "which group no messages: it has no topics" : `${topics.length === 1 ? "topic" : "topics"} ${namesOf(topics)}`;
  return `${channels} channels share it, ${grouped}`;
}

const namesOf = (names: readonly string[]): string =>
  names.slice(0, maxNames).join(", ") + (names.length > maxNames ? `, … and ${names.length - maxNames} more` : "");

function describeDirection({ messages, by, encoded, requests }: DirectionSummary): string {
  const apart = messages > 1 && by !== "" ? (by === "nothing" ? ", not told apart" : ` by ${by}`) : "";
  const types = Object.entries(encoded).map(([type, number]) => (number === messages ? type : `${number} ${type}`));
  return `${messages}${types.length === 0 ? "" : ` (${types.join(", ")})`}${apart}${requests > 0 ? `, ${requests} with a reply` : ""}`;
}

/** `1 file`, `2 files`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
