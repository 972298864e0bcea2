// The messages of one endpoint, direction by direction: who sends what, which of them answer, and which belong to a topic.
import { OPTIONS_KEY } from "../options.ts";
import type { Socket } from "./endpoints.ts";
import type { Findings } from "./findings.ts";
import { type DirectionDraft, type Entry, type OnAmbiguous, tellApart } from "./leaves.ts";
import { encodingOf, type MessageDraft, type Payloads } from "./payloads.ts";
import { type Correlation, correlate } from "./replies.ts";
import { optionOfSocket } from "./socket-options.ts";
import type { SourceChannel, SourceMessage, SourceReply } from "./source.ts";
import { findTopics, type TopicDraft } from "./topics.ts";
import { joinPointer } from "./tree.ts";

export interface Directions {
  readonly clientToServer: DirectionDraft;
  readonly serverToClient: DirectionDraft;
  /** In the order of their channels. */
  readonly topics: readonly TopicDraft[];
}

type Side = "clientToServer" | "serverToClient";

interface Collected {
  draft: MessageDraft;
  /** Said by an operation, not only as an answer. */
  ordinary: boolean;
  reply: Correlation | undefined;
  /** Keys of the channels that carry it. */
  readonly channels: Set<string>;
}

export interface Context {
  /** Which side the document describes. */
  readonly side: "server" | "client";
  readonly payloads: Payloads;
  readonly findings: Findings;
}

/** The channels of a document as one of them looks at the others, made once for all sockets. */
export interface Channels {
  /** In the document's order: those of the socket, and those whose operations answer on it. */
  about(socket: Socket): readonly SourceChannel[];
  /** Whether some operation answers on a channel. */
  isAnswered(key: string): boolean;
}

export function relateChannels(all: readonly SourceChannel[]): Channels {
  const places = new Map(all.map(({ key }, index) => [key, index]));
  const answering = new Map<string, Set<number>>();
  for (const [index, { operations }] of all.entries()) {
    for (const { channel } of operations.flatMap(({ replies }) => replies)) {
      answering.set(channel, (answering.get(channel) ?? new Set()).add(index));
    }
  }
  return {
    about: ({ channels }) =>
      [...new Set(channels.flatMap(({ key }) => [places.get(key), ...(answering.get(key) ?? [])]))]
        .sort((a, b) => (a ?? 0) - (b ?? 0))
        .flatMap((index) => all[index ?? -1] ?? []),
    isAnswered: (key) => answering.has(key),
  };
}

/** Builds both directions of a socket; another socket's operation may answer on this one. */
export function buildDirections(socket: Socket, channels: Channels, context: Context): Directions {
  const collected: Record<Side, Map<string, Collected>> = { clientToServer: new Map(), serverToClient: new Map() };
  const sideOf = (action: "send" | "receive"): Side =>
    (action === "receive") === (context.side === "server") ? "clientToServer" : "serverToClient";
  const opposite = (side: Side): Side => (side === "clientToServer" ? "serverToClient" : "clientToServer");

  const add = (side: Side, source: SourceMessage, channel: string, ordinary: boolean): Collected => {
    const draft = context.payloads.draft(source);
    const found = collected[side].get(draft.identity);
    if (found !== undefined) {
      found.ordinary ||= ordinary;
      found.channels.add(channel);
      // Of equal definitions one stands for all, whatever their order.
      if (draft.source.pointer < found.draft.source.pointer) found.draft = draft;
      return found;
    }
    const entry = { draft, ordinary, reply: undefined, channels: new Set([channel]) };
    collected[side].set(draft.identity, entry);
    return entry;
  };

  const onAmbiguous = optionOfSocket(socket.channels, "onAmbiguous", context.findings) ?? "union";
  const here = new Set(socket.channels.map(({ key }) => key));
  for (const channel of channels.about(socket)) {
    for (const { action, messages, replies } of channel.operations) {
      const side = sideOf(action);
      if (here.has(channel.key)) for (const message of messages) add(side, message, channel.key, true);
      for (const reply of replies) {
        if (!here.has(reply.channel)) {
          if (here.has(channel.key)) reportElsewhere(reply, context.findings);
          continue;
        }
        const answers = reply.messages.map((message) => add(opposite(side), message, reply.channel, false));
        for (const source of reply.requests) {
          const request = here.has(channel.key) ? collected[side].get(context.payloads.draft(source).identity) : undefined;
          const drafts = answers.map(({ draft }) => draft);
          const correlation =
            request === undefined
              ? undefined
              : correlate(request.draft, drafts, {
                  option: channel.extension.correlation,
                  pointer: reply.pointer,
                  findings: context.findings,
                });
          if (request !== undefined && correlation !== undefined) request.reply = join(request.reply, correlation);
          for (const answer of answers) {
            if (correlation?.answers.some(({ identity }) => identity === answer.draft.identity) !== true) answer.ordinary = true;
          }
        }
      }
    }
    if (!here.has(channel.key)) continue;
    for (const message of channel.messages) {
      const { direction } = message.extension;
      if (direction === undefined || isSaid(channel, message, direction, context.findings)) continue;
      if (direction !== "receive") add(sideOf("send"), message, channel.key, true);
      if (direction !== "send") add(sideOf("receive"), message, channel.key, true);
    }
    const undirected = channel.messages.filter(({ extension }) => extension.direction === undefined);
    if (channel.operations.length > 0 || undirected.length === 0 || channels.isAnswered(channel.key)) continue;
    for (const message of undirected) {
      add("clientToServer", message, channel.key, true);
      add("serverToClient", message, channel.key, true);
    }
    context.findings.warning({
      code: "no-direction",
      message: `No operation says who sends the messages of the channel \`${channel.key}\`; both sides may.`,
      fix: "Add operations with `action: send` and `action: receive`, or say it on each message: `x-wsgen: { direction: send }`.",
      pointer: channel.pointer,
      at: "key",
    });
  }

  const order = new Map(socket.channels.flatMap(({ messages }) => messages).map((source, index) => [source, index]));
  const sorted = (side: Side): Collected[] =>
    [...collected[side].values()].sort((a, b) => (order.get(a.draft.source) ?? order.size) - (order.get(b.draft.source) ?? order.size));

  const both = { clientToServer: sorted("clientToServer"), serverToClient: sorted("serverToClient") };
  for (const side of ["clientToServer", "serverToClient"] as const) leaveUndecoded(both[side], both[opposite(side)], context.findings);
  const first = finish(socket, both, { onAmbiguous, findings: context.findings });
  // A request that is delivered as one of a union has no handler of its own that could return the answer, so the answer is sent like any message.
  let undone = false;
  for (const side of ["clientToServer", "serverToClient"] as const) {
    for (const { members } of first[side].leaves) {
      if (members.length < 2) continue;
      for (const member of members) {
        if (member.replyOnly && forget(both[opposite(side)], member, context.findings)) undone = true;
        const entry = member.reply === undefined ? undefined : both[side].find(({ draft }) => draft === member.draft);
        if (entry === undefined) continue;
        context.findings.warning({
          code: "request-ambiguous",
          message: `\`${member.name}\` asks for a reply, but cannot be told from other messages; its reply is an ordinary message.`,
          fix: "Give it a property with a constant of its own.",
          pointer: member.draft.source.pointer,
          at: "key",
        });
        entry.reply = undefined;
        undone = true;
      }
    }
  }
  return undone ? finish(socket, both, { onAmbiguous, findings: context.findings }) : first;
}

/** Whether an operation says already who sends a message; then its own `direction` is one too many. */
function isSaid({ operations }: SourceChannel, message: SourceMessage, direction: string, findings: Findings): boolean {
  const said = operations.some(({ messages }) => messages.includes(message));
  if (said) {
    findings.error({
      code: "direction",
      message: `An operation says already who sends \`${message.name ?? "this message"}\`; \`direction: ${direction}\` cannot say it again.`,
      fix: "Leave `direction` out.",
      pointer: joinPointer(message.pointer, OPTIONS_KEY, "direction"),
      at: "key",
    });
  }
  return said;
}

/**
 * Nothing in a binary frame says what made it. Where messages of one direction have several encodings, or bytes of their own beside one, all of them are
 * handed over as bytes: none is read by guess.
 */
function leaveUndecoded(messages: readonly Collected[], opposite: readonly Collected[], findings: Findings): void {
  const inFrames = messages.filter(({ draft }) => draft.format === "encoded" || draft.format === "binary");
  const ways = new Map(inFrames.map(({ draft }) => [draft.codec && encodingOf(draft.codec), draft.codec ?? "bytes as they are"]));
  if (ways.size < 2) return;
  const left = new Set<string>();
  for (const one of inFrames) {
    const { draft } = one;
    if (draft.codec === undefined) continue;
    findings.warning({
      code: "mixed-encodings",
      message: `\`${draft.base}\` is handed over as bytes, undecoded: binary frames of this direction may be ${[...ways.values()].join(" or ")}, and nothing in them says which.`,
      fix: "Use one content type for all of them, with bytes as a property of a message (`type: string, format: binary`), or put them on an endpoint of their own.",
      pointer: draft.source.pointer,
      at: "key",
    });
    one.draft = { ...draft, format: "binary", codec: undefined };
    one.reply = undefined;
    left.add(draft.identity);
  }
  for (const request of opposite) {
    const answers = request.reply?.answers.filter(({ identity }) => !left.has(identity)) ?? [];
    request.reply = request.reply === undefined || answers.length === 0 ? undefined : { ...request.reply, answers };
  }
}

/** A reply by order must be known for what it is: one that is delivered in a union answers nothing. */
function forget(requests: readonly Collected[], { draft, name }: Entry, findings: Findings): boolean {
  const asked = requests.filter(({ reply }) => reply?.id === "order" && reply.answers.some(({ identity }) => identity === draft.identity));
  for (const request of asked) {
    findings.warning({
      code: "reply-ambiguous",
      message: `\`${name}\` answers \`${request.draft.base}\` by its order, but cannot be told from other messages; it is an ordinary message.`,
      fix: "Give it a property with a constant of its own, or both an id that ties them (`correlation: /id`).",
      pointer: draft.source.pointer,
      at: "key",
    });
    request.reply = undefined;
  }
  return asked.length > 0;
}

function reportElsewhere({ channel, pointer }: SourceReply, findings: Findings): void {
  findings.warning({
    code: "reply-elsewhere",
    message: `This reply comes on the channel \`${channel}\`, which is another connection; it is an ordinary message there, and the request is not answered.`,
    fix: `Have whoever handles the request send it: a server reaches the clients of \`${channel}\` that joined a room (\`api.….to(room).send.…\`). Or let the reply name messages of a channel with the same address as the request's.`,
    pointer,
    at: "key",
  });
}

function join(before: Correlation | undefined, more: Correlation): Correlation {
  if (before === undefined) return more;
  return { ...before, answers: [...new Set([...before.answers, ...more.answers])] };
}

interface FinishContext {
  readonly onAmbiguous: OnAmbiguous;
  readonly findings: Findings;
}

function finish(socket: Socket, both: Readonly<Record<Side, readonly Collected[]>>, { onAmbiguous, findings }: FinishContext): Directions {
  const answersOf = (side: Side): Answers => {
    const asked = both[side].flatMap(({ reply }) => reply ?? []);
    const identities = (correlations: readonly Correlation[]): ReadonlySet<string> =>
      new Set(correlations.flatMap(({ answers }) => answers.map(({ identity }) => identity)));
    return { all: identities(asked), byOrder: identities(asked.filter(({ id }) => id === "order")) };
  };
  const answers = { clientToServer: answersOf("serverToClient"), serverToClient: answersOf("clientToServer") };
  const isReplyOnly = (side: Side, { ordinary, draft }: Collected): boolean => !ordinary && answers[side].all.has(draft.identity);
  const topics = findTopics(
    socket,
    (["clientToServer", "serverToClient"] as const).flatMap((side) =>
      both[side].map((one) => ({ base: one.draft.base, side, channels: one.channels, replyOnly: isReplyOnly(side, one) })),
    ),
    findings,
  );
  // What several carry is the socket's: nothing on the wire says which topic it is for.
  const topicOf = ([only, ...others]: readonly string[]): string | undefined =>
    only === undefined || others.length > 0 ? undefined : topics.get(only)?.name;
  const finishSide = (side: Side): DirectionDraft => {
    const placed = both[side].map((one) => ({ ...one, topic: topicOf([...one.channels]), replyOnly: isReplyOnly(side, one) }));
    return tellApart(placed, answers[side].byOrder, onAmbiguous);
  };
  return { clientToServer: finishSide("clientToServer"), serverToClient: finishSide("serverToClient"), topics: [...topics.values()] };
}

/** Identities of messages that answer what the other side asks. */
interface Answers {
  readonly all: ReadonlySet<string>;
  readonly byOrder: ReadonlySet<string>;
}
