// Reads AsyncAPI 3.0 and 3.1.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { readChannelExtension, type SocketOptions } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import { createMessageReader, type MessageReader } from "./messages.ts";
import { readSecurity } from "./security.ts";
import { readServers } from "./servers.ts";
import type { Source, SourceChannel, SourceMessage, SourceOperation, SourceParameter, SourceReply } from "./source.ts";
import { docsOf, isObject, joinPointer, locationOf, type ObjectPlace, type Place, property, refOf, stringAt, type Tree } from "./tree.ts";

/** Reads the servers, channels and operations of a 3.x document. */
export function readV3(tree: Tree, defaults: SocketOptions, findings: Findings): Source {
  const messages = createMessageReader(tree, findings, { traits: "complete" });
  const drafts = tree
    .objects(tree.root, "channels")
    .map(([key, place]) => readChannel(tree, key, place, { reader: messages, defaults, findings }));
  const byPointer = new Map(drafts.map((channel) => [channel.pointer, channel]));
  const operations = tree
    .objects(tree.root, "operations")
    .flatMap(([, place]) => readOperation(tree, place, byPointer, messages, findings) ?? []);
  const byChannel = new Map(drafts.map(({ key }): [string, SourceOperation[]] => [key, []]));
  for (const operation of operations) byChannel.get(operation.channel)?.push(operation);
  const channels = drafts.map((channel) => ({ ...channel, operations: byChannel.get(channel.key) ?? [] }));
  const dynamic = new Set(operations.flatMap(({ dynamicReply }) => dynamicReply ?? []));
  return {
    servers: readServers(tree, (server) => joinUrl(stringAt(server, "host") ?? "", stringAt(server, "pathname") ?? "")),
    // What only names the messages of such replies is no place of its own.
    channels: channels.filter(({ key, operations }) => operations.length > 0 || !dynamic.has(key)),
  };
}

function joinUrl(host: string, pathname: string): string {
  if (pathname === "" || pathname === "/") return host;
  return `${host.replace(/\/$/, "")}/${pathname.replace(/^\//, "")}`;
}

type ChannelDraft = Omit<SourceChannel, "operations">;

interface ChannelContext {
  readonly reader: MessageReader;
  readonly defaults: SocketOptions;
  readonly findings: Findings;
}

function readChannel(tree: Tree, key: string, place: ObjectPlace, { reader, defaults, findings }: ChannelContext): ChannelDraft {
  const address = stringAt(place.value, "address");
  const messages = tree.entries(place, "messages").flatMap(([own, use]) => {
    const message = reader.read(use, { channel: key, key: own });
    return message === undefined ? [] : [message];
  });
  const servers = tree.items(place, "servers").flatMap((item) => {
    const ref = refOf(item.value);
    const server = ref === undefined ? undefined : serverKey(tree, ref);
    return server === undefined ? [] : [server];
  });
  return {
    key,
    pointer: place.pointer,
    docs: docsOf(place.value),
    namedBy: "key",
    address: address === "" ? undefined : address,
    servers: servers.length === 0 ? undefined : servers,
    parameters: readParameters(tree, place),
    bindings: tree.object(place, "bindings"),
    extension: { ...defaults, ...readChannelExtension(place, findings) },
    messages: [...new Set(messages)],
  };
}

/** Servers are compared by where their refs end, because a channel may name one through `components`. */
function serverKey(tree: Tree, ref: string): string | undefined {
  const target = tree.target(ref);
  const end = target === undefined ? undefined : tree.follow(target)?.pointer;
  if (end === undefined) return undefined;
  return tree.entries(tree.root, "servers").find(([, place]) => tree.follow(place)?.pointer === end)?.[0];
}

/** A 3.x parameter is always a string: an `enum`, a `default`, prose and examples. */
function readParameters(tree: Tree, channel: ObjectPlace): SourceParameter[] {
  return tree.objects(channel, "parameters").map(([name, parameter]) => {
    const schema: Record<string, JsonValue> = { type: "string" };
    for (const key of ["enum", "default", "description", "examples"]) {
      const value = property(parameter.value, key);
      if (value !== undefined) schema[key] = value;
    }
    // Some 3.x documents keep the 2.x `schema`; what it says is meant.
    const old = property(parameter.value, "schema");
    const value: JsonObject = old !== undefined && isObject(old) ? { ...schema, ...old } : schema;
    return { name, pointer: parameter.pointer, schema: { pointer: parameter.pointer, value }, location: locationOf(parameter) };
  });
}

interface OperationDraft extends SourceOperation {
  /** Key of its channel. */
  readonly channel: string;
  /** Key of the channel that only names the messages of its reply. */
  readonly dynamicReply: string | undefined;
}

function readOperation(
  tree: Tree,
  place: ObjectPlace,
  channels: ReadonlyMap<string, ChannelDraft>,
  reader: MessageReader,
  findings: Findings,
): OperationDraft | undefined {
  const action = stringAt(place.value, "action");
  const channel = channels.get(tree.object(place, "channel")?.pointer ?? "");
  if ((action !== "send" && action !== "receive") || channel === undefined) {
    // A missing or misspelt field is an error of the structure's check already.
    if (channel === undefined && Object.hasOwn(place.value, "channel")) {
      findings.warning({
        code: "operation",
        message: "This operation's channel is none of the document's channels, so it is left out.",
        fix: "Give it `channel: { $ref: '#/channels/…' }`.",
        pointer: joinPointer(place.pointer, "channel"),
        at: "key",
      });
    }
    return undefined;
  }
  const messages = readMessages(tree, place, channel, reader);
  const reply = tree.object(place, "reply");
  const context = { own: channel, channels, reader, findings };
  const replies = reply === undefined ? [] : readReply(tree, reply, messages, context);
  const dynamic = reply && dynamicChannel(tree, reply, context);
  const security = readSecurity(tree, place);
  return { action, pointer: place.pointer, channel: channel.key, messages, replies, security, dynamicReply: dynamic?.key };
}

/** The messages listed, or all of the channel's when there is no list. */
function readMessages(tree: Tree, owner: ObjectPlace, channel: ChannelDraft, reader: MessageReader): readonly SourceMessage[] {
  if (!Object.hasOwn(owner.value, "messages")) return channel.messages;
  return tree.items(owner, "messages").flatMap((item: Place) => {
    const message = reader.read(item, { channel: channel.key });
    return message === undefined ? [] : [message];
  });
}

interface ReplyContext {
  readonly own: ChannelDraft;
  readonly channels: ReadonlyMap<string, ChannelDraft>;
  readonly reader: MessageReader;
  readonly findings: Findings;
}

function readReply(tree: Tree, place: ObjectPlace, requests: readonly SourceMessage[], context: ReplyContext): SourceReply[] {
  const named = context.channels.get(tree.object(place, "channel")?.pointer ?? "");
  const listed = Object.hasOwn(place.value, "messages");
  if (named === undefined && !listed) {
    context.findings.warning({
      code: "reply",
      message: "This reply names neither messages nor a channel, so nothing is known about it.",
      fix: "Give it `messages`, or the `channel` whose messages answer.",
      pointer: place.pointer,
      at: "key",
    });
    return [];
  }
  const channel = named ?? context.own;
  const messages = readMessages(tree, place, channel, context.reader);
  if (dynamicChannel(tree, place, context) === undefined) return [{ requests, messages, channel: channel.key, pointer: place.pointer }];
  context.findings.hint({
    code: "reply-address",
    message:
      "A reply goes back over the socket that its request came on; the address that the request gives for it is for the application alone.",
    fix: "Nothing has to be done. For a reply over another connection, leave `address` out and give the channel of the reply an address.",
    pointer: joinPointer(place.pointer, "address"),
    at: "key",
  });
  return [{ requests, messages, channel: context.own.key, pointer: place.pointer }];
}

/**
 * The channel of a reply whose address only the request knows (Operation Reply Address Object): it has none itself. On a WebSocket such a reply goes
 * back to who asked, unless its channel is on other servers.
 */
function dynamicChannel(tree: Tree, reply: ObjectPlace, { own, channels }: ReplyContext): ChannelDraft | undefined {
  if (tree.object(reply, "address") === undefined) return undefined;
  const channel = channels.get(tree.object(reply, "channel")?.pointer ?? "");
  if (channel === undefined || channel.address !== undefined) return undefined;
  const servers = channel.servers ?? own.servers;
  return servers?.join() === own.servers?.join() ? channel : undefined;
}
