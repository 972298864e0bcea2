// Reads AsyncAPI 2.0 to 2.6.
import { readChannelExtension, type SocketOptions } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import { createMessageReader, type MessageReader } from "./messages.ts";
import { readSecurity } from "./security.ts";
import { readServers } from "./servers.ts";
import type { Source, SourceChannel, SourceMessage, SourceOperation, SourceParameter, SourceReply } from "./source.ts";
import { docsOf, isObject, joinPointer, locationOf, type ObjectPlace, type Place, property, stringAt, type Tree } from "./tree.ts";

/** Reads the servers, channels and operations of a 2.x document. */
export function readV2(tree: Tree, defaults: SocketOptions, findings: Findings): Source {
  const reader = createMessageReader(tree, findings, { traits: "override" });
  const context = { reader, defaults, findings };
  const channels = tree.objects(tree.root, "channels").map(([address, place]) => readChannel(tree, address, place, context));
  return { servers: readServers(tree, (server) => stringAt(server, "url") ?? ""), channels };
}

interface ChannelContext {
  readonly reader: MessageReader;
  readonly defaults: SocketOptions;
  readonly findings: Findings;
}

function readChannel(tree: Tree, address: string, place: ObjectPlace, { reader, defaults, findings }: ChannelContext): SourceChannel {
  const operations: SourceOperation[] = [];
  for (const operation of ["publish", "subscribe"] as const) {
    const found = tree.object(place, operation);
    if (found === undefined) continue;
    const uses = messagesAt(tree, found);
    const messages = uses.flatMap((use) => reader.read(use, { channel: address, operation }) ?? []);
    // 2.x says what others may do with the channel: who publishes sends to the application.
    operations.push({
      action: operation === "publish" ? "receive" : "send",
      pointer: found.pointer,
      messages: [...new Set(messages)],
      replies: [],
      security: readSecurity(tree, found, "override"),
    });
  }
  const servers = tree.items(place, "servers").flatMap(({ value }) => (typeof value === "string" ? [value] : []));
  const answered = operations.map((operation) => ({
    ...operation,
    replies: operation.messages.flatMap((message) => readResponse(tree, message, { address, operation, operations, reader })),
  }));
  return {
    key: address,
    pointer: place.pointer,
    docs: docsOf(place.value),
    namedBy: "address",
    address: address === "" ? undefined : address,
    servers: servers.length === 0 ? undefined : servers,
    parameters: readParameters(tree, place),
    bindings: tree.object(place, "bindings"),
    extension: { ...defaults, ...readChannelExtension(place, findings) },
    messages: [...new Set(answered.flatMap(({ messages, replies }) => [...messages, ...replies.flatMap((reply) => reply.messages)]))],
    operations: answered,
  };
}

/** One message, or those under `oneOf`; both may stand behind a ref. */
function messagesAt(tree: Tree, operation: ObjectPlace): Place[] {
  const value = property(operation.value, "message");
  return value === undefined ? [] : alternatives(tree, { pointer: joinPointer(operation.pointer, "message"), value }, 0);
}

function alternatives(tree: Tree, place: Place, depth: number): Place[] {
  const here = tree.follow(place);
  if (here === undefined || depth > 8) return [];
  if (!isObject(here.value) || !Array.isArray(property(here.value, "oneOf")) || Object.hasOwn(here.value, "payload")) return [place];
  return tree.items(here, "oneOf").flatMap((item) => alternatives(tree, item, depth + 1));
}

function readParameters(tree: Tree, channel: ObjectPlace): SourceParameter[] {
  return tree.objects(channel, "parameters").map(([name, parameter]) => {
    const schema = property(parameter.value, "schema");
    const description = stringAt(parameter.value, "description");
    if (schema === undefined) {
      const value = { type: "string", ...(description !== undefined && { description }) };
      return { name, pointer: parameter.pointer, schema: { pointer: parameter.pointer, value }, location: locationOf(parameter) };
    }
    const described =
      isObject(schema) && description !== undefined && !Object.hasOwn(schema, "description") ? { ...schema, description } : schema;
    const pointer = joinPointer(parameter.pointer, "schema");
    return { name, pointer: parameter.pointer, schema: { pointer, value: described }, location: locationOf(parameter) };
  });
}

interface ResponseContext {
  readonly address: string;
  readonly operation: SourceOperation;
  readonly operations: readonly SourceOperation[];
  readonly reader: MessageReader;
}

/** `x-response` of a message: a message, several under `oneOf`, or only the schema that the answer's payload has. */
function readResponse(tree: Tree, message: SourceMessage, { address, operation, operations, reader }: ResponseContext): SourceReply[] {
  const owner = tree.at(message.pointer);
  const value = owner === undefined ? undefined : property(owner.value, "x-response");
  if (value === undefined) return [];
  const pointer = joinPointer(message.pointer, "x-response");
  const opposite = operations.filter(({ action }) => action !== operation.action).flatMap(({ messages }) => messages);
  const answers = alternatives(tree, { pointer, value }, 0).flatMap((place) => {
    const here = tree.follow(place);
    if (here === undefined || !isObject(here.value)) return [];
    const named = opposite.filter((candidate) => candidate.pointer === here.pointer || payloadEnd(tree, candidate) === here.pointer);
    if (named.length > 0) return named;
    const isMessage = Object.hasOwn(here.value, "payload") || /\/messages\/[^/]*$/.test(here.pointer);
    if (!isMessage) return [];
    return reader.read(place, { channel: address, operation: operation.action === "receive" ? "subscribe" : "publish" }) ?? [];
  });
  return answers.length === 0 ? [] : [{ requests: [message], messages: [...new Set(answers)], channel: address, pointer }];
}

function payloadEnd(tree: Tree, message: SourceMessage): string | undefined {
  return message.payload === undefined ? undefined : tree.follow(message.payload)?.pointer;
}
