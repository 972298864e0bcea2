// Which messages subscribe to what comes on a channel: as `x-wsgen: { subscription }` says, and proposed where a document looks like it.
import type { Path } from "@wsgen/runtime/generated/server";
import type { Directions, Entry } from "./directions.ts";
import { wordsOfPath } from "./dispatch.ts";
import type { Findings } from "./findings.ts";
import type { Subscription } from "./model.ts";
import { wordsOf } from "./names.ts";
import { evidenceAt } from "./shape.ts";
import type { SourceChannel } from "./source.ts";

/** The subscription of a channel whose messages are the topic's, or the socket's where it is none. */
export function buildSubscription(
  { extension }: SourceChannel,
  topic: string | undefined,
  { clientToServer, serverToClient }: Pick<Directions, "clientToServer" | "serverToClient">,
  findings: Findings,
): Subscription | undefined {
  const { subscription } = extension;
  if (subscription === undefined) return undefined;
  const { key, pointer } = subscription;
  const find = (part: "subscribe" | "unsubscribe" | "ack", entries: readonly Entry[]): Entry | undefined => {
    const name = subscription[part];
    const named = entries.filter(({ draft, method }) => [draft.source.name, draft.base, method].includes(name));
    const found = named.find((entry) => entry.topic === topic) ?? named.find((entry) => entry.topic === undefined);
    if (found === undefined && name !== undefined) {
      findings.error({
        code: "subscription",
        message: `\`${part}\` is \`${name}\`, which is no message that ${part === "ack" ? "servers" : "clients"} send here.`,
        fix: `Name one of the channel's: ${entries.map(({ method }) => `\`${method}\``).join(", ") || "there is none"}.`,
        pointer: `${pointer}/${part}`,
      });
    }
    return found;
  };
  const subscribe = find("subscribe", clientToServer.entries);
  const unsubscribe = find("unsubscribe", clientToServer.entries);
  const ack = find("ack", serverToClient.entries);
  if (subscribe === undefined || unsubscribe === undefined || (subscription.ack !== undefined && ack === undefined)) return undefined;
  for (const entry of [subscribe, unsubscribe]) {
    for (const path of key.filter((place) => evidenceAt(entry.draft.shape, place).presence === "absent")) {
      findings.warning({
        code: "subscription",
        message: `\`${entry.method}\` does not declare ${wordsOfPath(path)}, which is to tell one subscription from another.`,
        fix: "Name places that both messages have.",
        pointer: `${pointer}/key`,
      });
    }
  }
  return { subscribe: subscribe.name, unsubscribe: unsubscribe.name, ...(ack && { ack: ack.name }), key };
}

/** Proposes the option for each channel on which a client can subscribe and unsubscribe in one way, and nothing says what that means. */
export function proposeSubscription(
  channels: readonly SourceChannel[],
  { clientToServer, serverToClient }: Directions,
  findings: Findings,
): void {
  if (channels.some(({ extension }) => extension.subscription !== undefined)) return;
  const said = ({ draft }: Entry): readonly [verb: string, what: string] => {
    const [verb = "", ...what] = wordsOf(draft.base).map((word) => word.toLowerCase());
    return [verb, what.join(" ")];
  };
  const words = clientToServer.entries.map((entry) => [entry, ...said(entry)] as const);
  const leaving = words.filter(([, verb]) => verb === "unsubscribe");
  const pairs = words.flatMap(([subscribe, verb, what]) => {
    if (verb !== "subscribe") return [];
    const channel = channels.find(({ messages }) => messages.includes(subscribe.draft.source));
    const [unsubscribe] = leaving.find(([entry, , left]) => entry.topic === subscribe.topic && left === what) ?? [];
    return channel === undefined || unsubscribe === undefined ? [] : [{ channel, subscribe, unsubscribe }];
  });
  for (const { channel, subscribe, unsubscribe } of pairs) {
    const key = keyOf(subscribe, unsubscribe, serverToClient.entries);
    if (key === undefined || pairs.filter((pair) => pair.channel === channel).length > 1) continue;
    const ack = serverToClient.entries.find(
      ({ topic, method }) =>
        (topic === undefined || topic === subscribe.topic) && /^(subscribed|subscription(s|status|ack)?|subscribeack)$/i.test(method),
    );
    const names = `subscribe: ${subscribe.method}, unsubscribe: ${unsubscribe.method}${ack === undefined ? "" : `, ack: ${ack.method}`}`;
    findings.hint({
      code: "subscription-unsaid",
      message: `\`${subscribe.method}\` and \`${unsubscribe.method}\` seem to subscribe to what comes on \`${channel.key}\`; clients send them like any message.`,
      fix: `For subscriptions as objects, which outlive a reconnect, write on the channel: \`x-wsgen: { subscription: { ${names}, key: [/${key}] } }\`.`,
      pointer: channel.pointer,
      at: "key",
    });
  }
}

/** A property that both have for what is subscribed to, best one that messages of the server have too. */
function keyOf(subscribe: Entry, unsubscribe: Entry, answers: readonly Entry[]): string | undefined {
  const shared = [...subscribe.draft.shape.members.keys()].filter(
    (name): name is string => typeof name === "string" && isKey(subscribe, [name]) && isKey(unsubscribe, [name]),
  );
  return shared.find((name) => answers.some(({ draft }) => evidenceAt(draft.shape, [name]).presence !== "absent")) ?? shared[0];
}

/** Whether a place holds what the sender chooses. */
function isKey({ draft }: Entry, path: Path): boolean {
  const { presence, values, kinds } = evidenceAt(draft.shape, path);
  return presence !== "absent" && values === undefined && !kinds.has("object") && !/id$/i.test(String(path.at(-1)));
}
