// Puts everything together under its final names, and proves what is claimed about values.
import { markBytes } from "./bytes.ts";
import { constantsOf, requireConstants } from "./constants.ts";
import { type DirectionDraft, type Directions, demandsOf, type Entry, type Leaf } from "./directions.ts";
import { elsewhereOf } from "./elsewhere.ts";
import type { Socket, Sockets } from "./endpoints.ts";
import { buildErrorMapping, type MappedError } from "./error-mapping.ts";
import type { Findings } from "./findings.ts";
import type { Handshake } from "./handshake.ts";
import { reportImpossibleMessages } from "./impossible.ts";
import { createJudge, type Judge } from "./judge.ts";
import type { Schema } from "./keywords.ts";
import type {
  Delivery,
  Direction,
  Docs,
  Endpoint,
  ErrorMapping,
  HandshakePart,
  Message,
  Model,
  Reply,
  Server,
  Topic,
  Unlike,
} from "./model.ts";
import { assignPropertyNames, folded, hash, pascalCase } from "./names.ts";
import type { Correlation } from "./replies.ts";
import { DEFINITIONS, type Types } from "./schemas.ts";
import { schemaAt, shapeOf } from "./shape.ts";
import { optionOfSocket } from "./socket-options.ts";
import type { SourceChannel } from "./source.ts";
import { buildSubscriptions, proposeSubscription } from "./subscriptions.ts";
import { buildTopicParameters, type TopicDraft, type TopicParameters } from "./topics.ts";
import { joinPointer, type Tree, withoutEcho, wordsOfPath } from "./tree.ts";
import { finishTypes, reportClash } from "./types.ts";
import { describeUnion, reportUnion, typeOfLeaf } from "./unions.ts";
import { unlikeOthers } from "./unlike.ts";

/** An endpoint whose types have no final names yet. */
export interface EndpointDraft {
  readonly socket: Socket;
  readonly name: string;
  readonly typeName: string;
  readonly directions: Directions;
  readonly handshake: Handshake;
}

export interface Assembly {
  readonly tree: Tree;
  readonly types: Types;
  readonly drafts: readonly EndpointDraft[];
  readonly grouped: Sockets;
  /** What each socket asks for at the handshake. */
  readonly security: (socket: Socket) => Endpoint["security"];
  /** The close codes that only one socket has. */
  readonly closeCodes: (socket: Socket) => Endpoint["closeCodes"];
  readonly findings: Findings;
}

/** Finishes servers, endpoints and types. */
export function assemble(assembly: Assembly): Pick<Model, "servers" | "endpoints" | "types"> {
  const { tree, types, drafts, grouped, findings } = assembly;
  const sides = drafts.flatMap(({ directions }) => [directions.clientToServer, directions.serverToClient]);
  const replaced = requireConstants(sides.flatMap(demandsOf), types);
  const idOf = ({ draft }: Entry): string => replaced.get(draft.type) ?? draft.type;
  const leafTypes = new Map(sides.flatMap((side) => side.leaves.map((leaf) => [leaf, typeOfLeaf(leaf, types, idOf)] as const)));
  documentTypes(sides, types);
  placeTypes(sides, types);

  const topicTypes = nameTopicTypes(drafts);
  const topicParameters = new Map(
    drafts.flatMap(({ socket, directions }) =>
      directions.topics.map((topic) => {
        const built = buildTopicParameters(topic, socket.address, topicTypes.get(topic) ?? "", { types, findings });
        return [topic, built] as const;
      }),
    ),
  );
  const parts = drafts
    .flatMap(({ handshake }) => [handshake.parameters, handshake.query, handshake.headers])
    .flatMap((part) => part?.type ?? []);
  const guarded = new Set(parts);
  for (const side of sides) {
    // No schema can speak of bytes.
    for (const entry of side.entries) if (entry.draft.format !== "binary") guarded.add(idOf(entry));
    for (const leaf of side.leaves) if (leaf.members.some(({ draft }) => draft.format !== "binary")) guarded.add(leafTypes.get(leaf) ?? "");
  }
  const carried = [...sides.flatMap(({ entries }) => entries.map(idOf)), ...leafTypes.values()];
  const bytes = new Set(carried.filter((id) => !guarded.has(id)));
  const asked = [...topicParameters.values()].flatMap((built) => built?.type ?? []);
  const idsOf = (isCarried: (format: Entry["draft"]["format"]) => boolean): readonly string[] => [
    ...sides.flatMap(({ entries }) => entries.filter(({ draft }) => isCarried(draft.format)).map(idOf)),
    ...sides.flatMap(({ leaves }) =>
      leaves.flatMap((leaf) => (leaf.members.some(({ draft }) => isCarried(draft.format)) ? (leafTypes.get(leaf) ?? []) : [])),
    ),
  ];
  const encoded = new Set(idsOf((format) => format === "encoded"));
  const others = new Set([...idsOf((format) => format !== "encoded" && format !== "binary"), ...parts, ...asked]);
  markBytes({ encoded, others }, types, findings);
  const used = new Set([...carried, ...parts, ...asked]);
  // Messages of several topics may well be called alike.
  const ofTopics = sides.map(({ entries }) => new Set(entries.filter(({ topic }) => topic !== undefined).map(idOf)));
  const clashing = [...sides.flatMap(({ clashes }) => clashes.map((group) => new Set(group.map(idOf)))), ...ofTopics];
  const finished = finishTypes({ types, used, bytes, guarded, tree, findings, clashing });
  const nameOf = (id: string): string => finished.names.get(id) ?? id;
  const typeName = (entry: Entry): string => nameOf(idOf(entry));
  const definitions = new Map(finished.types.map(({ name, schema }) => [name, schema]));
  const context: Context = {
    tree,
    typeName,
    docsOf: (entry) => docsOfMessage(entry, types.drafts.get(idOf(entry))?.docs ?? {}),
    leafType: (leaf) => nameOf(leafTypes.get(leaf) ?? ""),
    definitions,
    judge: createJudge(definitions),
    findings,
  };

  const serverNames = nameServers(grouped);
  const endpoints = drafts.map((draft): Endpoint => {
    const { socket, directions, handshake } = draft;
    const clientToServer = buildDirection(directions.clientToServer, directions.serverToClient, { ...context, channels: socket.channels });
    const serverToClient = buildDirection(directions.serverToClient, directions.clientToServer, { ...context, channels: socket.channels });
    const onInvalid = reactionOf(socket, directions, findings);
    const asked = assembly.security(socket);
    const error = buildError(directions, { clientToServer, serverToClient }, context);
    const [only, ...others] = socket.channels;
    const subscriptions = buildSubscriptions(socket.channels, directions, findings);
    proposeSubscription(socket.channels, directions, findings);
    return {
      name: draft.name,
      typeName: draft.typeName,
      docs: only !== undefined && others.length === 0 ? only.docs : {},
      address: socket.address,
      channels: socket.channels.map(({ key, address, docs, pointer }) => ({ key, address, docs, pointer })),
      topics: directions.topics.map((topic) => {
        const own = subscriptions.topics.get(topic.name);
        const built = buildTopic(topic, topicTypes.get(topic) ?? "", topicParameters.get(topic), nameOf);
        return own === undefined ? built : { ...built, subscription: own };
      }),
      ...(subscriptions.own && { subscription: subscriptions.own }),
      servers: [...new Set(socket.servers.map(({ source }) => serverNames.get(source.key) ?? source.key))],
      ...handshakeParts(handshake, nameOf),
      protocols: optionOfSocket(socket.channels, "protocols", findings) ?? [],
      closeCodes: assembly.closeCodes(socket),
      ...(asked && { security: asked }),
      clientToServer,
      serverToClient,
      ...(error && { error }),
      ...(onInvalid !== undefined && onInvalid !== "reply" && { onInvalid }),
      pointer: only?.pointer ?? "/channels",
    };
  });
  const messages = endpoints.flatMap(({ clientToServer, serverToClient }) => [...clientToServer.messages, ...serverToClient.messages]);
  reportImpossibleMessages(messages, { resolve: (name) => definitions.get(name), judge: context.judge, findings });
  return { servers: buildServers(grouped, serverNames), endpoints, types: finished.types };
}

/** `onInvalid` of a socket; an answer needs an error message. */
function reactionOf({ channels }: Socket, { serverToClient }: Directions, findings: Findings): "reply" | "close" | "drop" | undefined {
  const option = optionOfSocket(channels, "onInvalid", findings);
  if (option !== "reply" || serverToClient.entries.some(({ draft }) => draft.source.extension.error !== undefined)) return option;
  const said = channels.find(({ extension }) => extension.onInvalid === option);
  findings.error({
    code: "error-message",
    message: "`onInvalid: reply` has no message to reply with.",
    fix: "Say on a message that the server sends which parts of it carry our errors: `x-wsgen: { error: { code: /code } }`.",
    pointer: joinPointer(said?.pointer ?? "", "x-wsgen", "onInvalid"),
  });
  return undefined;
}

interface Context {
  readonly tree: Tree;
  readonly typeName: (entry: Entry) => string;
  readonly docsOf: (entry: Entry) => Docs;
  readonly leafType: (leaf: Leaf) => string;
  readonly definitions: ReadonlyMap<string, Schema>;
  readonly judge: Judge;
  readonly findings: Findings;
}

/** A schema without prose of its own says what its only message says. */
function documentTypes(sides: readonly DirectionDraft[], types: Types): void {
  const messages = new Map<string, Map<string, Docs>>();
  for (const { entries } of sides) {
    for (const { draft } of entries) {
      const known = messages.get(draft.type) ?? new Map<string, Docs>();
      known.set(draft.source.pointer, draft.source.docs);
      messages.set(draft.type, known);
    }
  }
  for (const [id, known] of messages) {
    const draft = types.drafts.get(id);
    const [docs, ...others] = [...known.values()];
    if (draft === undefined || docs === undefined || others.length > 0 || Object.keys(draft.docs).length > 0) continue;
    types.add({ ...draft, docs });
  }
}

/** A message without prose of its own says what its payload says. */
function docsOfMessage({ draft, method }: Entry, payload: Docs): Docs {
  const { deprecated, ...prose } = withoutEcho(draft.source.docs, method);
  const { deprecated: _, ...others } = withoutEcho(payload, method);
  return { ...(Object.keys(prose).length > 0 ? prose : others), ...(deprecated === true && { deprecated }) };
}

/** `V1` and `Book` make `V1Book`, which another endpoint may be called already. */
function nameTopicTypes(drafts: readonly EndpointDraft[]): ReadonlyMap<TopicDraft, string> {
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

/** The topic of its only message tells a payload's type from others of its name, as the channel does that a message is written in. */
function placeTypes(sides: readonly DirectionDraft[], types: Types): void {
  const places = new Map<string, Set<string | undefined>>();
  for (const { draft, topic } of sides.flatMap(({ entries }) => entries)) {
    const known = places.get(draft.type) ?? new Set();
    places.set(draft.type, known.add(topic));
  }
  for (const [id, topics] of places) {
    const draft = types.drafts.get(id);
    const [topic, ...others] = topics;
    if (draft?.role !== "message" || draft.channel !== undefined || topic === undefined || others.length > 0) continue;
    types.add({ ...draft, channel: topic });
  }
}

function buildTopic(
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

function handshakeParts(handshake: Handshake, nameOf: (id: string) => string): Pick<Endpoint, "parameters" | "query" | "headers"> {
  const named = (part: HandshakePart): HandshakePart => ({ ...part, type: nameOf(part.type) });
  const { parameters, query, headers } = handshake;
  return {
    ...(parameters && { parameters: named(parameters) }),
    ...(query && { query: named(query) }),
    ...(headers && { headers: named(headers) }),
  };
}

function buildDirection(
  side: DirectionDraft,
  opposite: DirectionDraft,
  context: Context & { readonly channels: readonly SourceChannel[] },
): Direction {
  const { entries, leaves, dispatch } = side;
  const names = new Map(opposite.entries.map(({ draft, name }) => [draft.identity, name]));
  const replyOf = (entry: Entry): { reply?: Reply } => {
    const { reply } = entry;
    if (reply === undefined) return {};
    const { request, reply: at, id } = reply;
    const given = refusesMadeUp(entry, reply, context);
    const messages = [...new Set(reply.answers.flatMap(({ identity }) => names.get(identity) ?? []))];
    return { reply: { messages, request, reply: at, id, ...(given && { given }) } };
  };
  const unlikeOf = ({ draft }: Entry): { unlike?: readonly Unlike[] } => {
    const answered = opposite.entries.flatMap(({ reply }) =>
      reply?.answers.some(({ identity }) => identity === draft.identity) ? [reply] : [],
    );
    const ids = answered.flatMap(({ reply: path, id }) => (id === "order" ? [] : [path]));
    const others = entries.filter((other) => !other.replyOnly && other.draft.identity !== draft.identity);
    const unlike = unlikeOthers(
      draft.shape,
      ids,
      others.map(({ draft: { shape } }) => shape),
    );
    return unlike.length === 0 ? {} : { unlike };
  };
  const elsewhere = elsewhereOf(side, opposite);
  const deliveries = leaves.map((leaf): Delivery => {
    const [first, ...others] = leaf.members;
    const formats = new Set(leaf.members.map(({ draft }) => draft.format));
    const codec = first?.draft.codec;
    return {
      name: leaf.name,
      method: leaf.method,
      ...(leaf.topic !== undefined && { topic: leaf.topic }),
      docs: first === undefined || others.length > 0 ? { description: describeUnion(leaf.members) } : context.docsOf(first),
      type: context.leafType(leaf),
      format: formats.size === 1 ? (first?.draft.format ?? "json") : "any",
      ...(codec !== undefined && { codec }),
      messages: leaf.members.map(({ name }) => name),
      ...(first !== undefined && others.length === 0 && replyOf(first)),
      pointer: first?.draft.source.pointer ?? "",
    };
  });
  reportClashes(side, context.findings);
  reportRests(side, context.findings);
  for (const leaf of leaves) {
    const delivery = deliveries.find(({ name }) => name === leaf.name);
    if (leaf.members.length > 1 && delivery !== undefined) reportUnion(leaf, { delivery, refused: side.onAmbiguous === "error" }, context);
  }
  reportAssumption(side, context.findings);
  reportUnreachable(side, context);
  return {
    messages: entries.map((entry) => ({ ...buildMessage(entry, context), ...replyOf(entry), ...unlikeOf(entry), ...elsewhere(entry) })),
    deliveries,
    tree: dispatch.tree,
    ...(dispatch.choices.length > 0 && {
      choice: {
        among: [...new Set(dispatch.choices.flat().map(({ name }) => name))],
        by: side.onAmbiguous === "classify" ? "classify" : "order",
      },
    }),
    by: dispatch.by,
    assumed: dispatch.assumed,
  };
}

/** What the runtime makes up (runtime/src/contract/requests.ts): numbers that count from 1, as text too, and UUIDs of version 4. */
const MADE_UP: Readonly<Record<Exclude<Reply["id"], "order">, readonly (string | number)[]>> = {
  string: ["1", "2", "10", "1000"],
  integer: [1, 2, 10, 1000],
  uuid: ["f81d4fae-7dec-41d0-a765-00a0c91e6bf6"],
};

/** Whether a request's schema refuses ids that are made up for it. */
function refusesMadeUp(entry: Entry, { request, id }: Correlation, { typeName, definitions, judge, findings }: Context): boolean {
  const schema = schemaAt({ $ref: DEFINITIONS + typeName(entry) }, request, (name) => definitions.get(name));
  const refused = schema === undefined || id === "order" ? undefined : MADE_UP[id].find((value) => !judge.allows(schema, value));
  if (refused === undefined) return false;
  findings.hint({
    code: "correlation-made-up",
    message: `The ids that are made up for requests (such as ${JSON.stringify(refused)}) are not valid at ${wordsOfPath(request)} of \`${entry.draft.base}\`; its caller has to give one.`,
    fix: id === "integer" ? "Allow every integer from 1." : "Allow any string, or `format: uuid`.",
    pointer: entry.draft.source.correlation?.pointer ?? entry.draft.source.pointer,
    at: entry.draft.source.correlation === undefined ? "key" : "value",
  });
  return true;
}

function buildMessage(entry: Entry, { typeName, docsOf, definitions }: Context): Message {
  const { draft, name, method, topic, replyOnly } = entry;
  const type = typeName(entry);
  const shape = shapeOf({ $ref: DEFINITIONS + type }, (id) => definitions.get(id));
  return {
    name,
    method,
    ...(topic !== undefined && { topic }),
    wireName: draft.source.name ?? draft.base,
    docs: docsOf(entry),
    type,
    format: draft.format,
    ...(draft.contentType !== undefined && { contentType: draft.contentType }),
    ...(draft.codec !== undefined && { codec: draft.codec }),
    constants: draft.format === "json" || draft.format === "encoded" ? constantsOf(shape) : {},
    replyOnly,
    pointer: draft.source.pointer,
  };
}

/** A message that nobody gave a constant takes everything that no other message does: seldom meant, and never seen in the document. */
function reportRests({ entries, leaves, dispatch }: DirectionDraft, findings: Findings): void {
  // Of a union it was said that its members have no constant of their own.
  const together = new Set(leaves.flatMap(({ members }) => (members.length > 1 ? members : [])));
  for (const entry of entries) {
    const { name, draft } = entry;
    const path = dispatch.rests.get(name);
    if (path === undefined || together.has(entry)) continue;
    const place = wordsOfPath(path);
    findings.hint({
      code: "catch-all",
      message: `\`${name}\` has no constant at ${place}, as others have: every message with an unknown one is taken for it, and none that has one of theirs.`,
      fix: "Give it a constant of its own there, unless it is meant to catch the rest.",
      pointer: draft.source.pointer,
      at: "key",
    });
  }
}

/** With `onAmbiguous: error` nothing may rest on what a schema only does not mention. */
function reportAssumption({ entries, dispatch, onAmbiguous }: DirectionDraft, findings: Findings): void {
  const [first] = entries;
  if (onAmbiguous !== "error" || !dispatch.assumed || first === undefined) return;
  findings.error({
    code: "ambiguous-messages",
    message: `Messages are told apart by ${dispatch.by} only as long as they carry no property that their schemas do not declare.`,
    fix: "Give each a required property with a constant of its own, or close their schemas (`additionalProperties: false`).",
    pointer: first.draft.source.pointer,
    at: "key",
  });
}

/** Of messages with one and the same schema the first takes all. */
function reportUnreachable({ entries, dispatch, onAmbiguous }: DirectionDraft, { typeName, findings }: Context): void {
  if (onAmbiguous !== "first") return;
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const choice of dispatch.choices) {
    const members = choice.flatMap(({ name }) => byName.get(name) ?? []);
    for (const [index, member] of members.entries()) {
      const before = members.slice(0, index).find((other) => typeName(other) === typeName(member));
      if (before === undefined) continue;
      findings.warning({
        code: "never-delivered",
        message: `\`${member.name}\` never arrives: \`${before.name}\` comes first and has the same schema.`,
        fix: "Tell them apart with `discriminator` or `onAmbiguous: classify`, or remove one.",
        pointer: member.draft.source.pointer,
        at: "key",
      });
    }
  }
}

function reportClashes({ clashes }: DirectionDraft, findings: Findings): void {
  for (const [first, ...others] of clashes) {
    if (first === undefined) continue;
    const pointer = first.draft.source.pointer;
    reportClash({ what: "messages", names: [first, ...others].map(({ name }) => name), pointer, fix: "message", findings });
  }
}

function buildError(
  directions: Directions,
  built: { readonly clientToServer: Direction; readonly serverToClient: Direction },
  { judge, definitions, findings }: Context,
): ErrorMapping | undefined {
  const mapped = directions.serverToClient.entries.flatMap(({ draft, name }): MappedError[] => {
    const extension = draft.source.extension.error;
    const message = built.serverToClient.messages.find((candidate) => candidate.name === name);
    return extension === undefined || message === undefined ? [] : [{ extension, message, shape: draft.shape }];
  });
  for (const { draft } of directions.clientToServer.entries) {
    const extension = draft.source.extension.error;
    if (extension === undefined || mapped.some((one) => one.extension === extension)) continue;
    findings.error({
      code: "error-message",
      message: `\`${draft.base}\` carries our errors, but only clients send it here.`,
      fix: "Map the errors onto a message that the server sends.",
      pointer: extension.pointer,
      at: "key",
    });
  }
  return buildErrorMapping(mapped, built.clientToServer, { judge, definitions, findings });
}

function nameServers({ servers }: Sockets): ReadonlyMap<string, string> {
  const assigned = assignPropertyNames(
    servers.map(({ source }) => ({ base: source.key, identity: source.pointer, suffix: { text: "Server", always: false } })),
  );
  return new Map(servers.map(({ source }) => [source.key, assigned.get(source.pointer)?.name ?? source.key]));
}

function buildServers({ servers }: Sockets, names: ReadonlyMap<string, string>): Server[] {
  return servers.map(({ source, origin }) => {
    const inUrl = new Set([...origin.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name));
    return {
      name: names.get(source.key) ?? source.key,
      docs: source.docs,
      url: origin,
      variables: [
        ...source.variables.filter(({ name }) => inUrl.has(name)),
        ...[...inUrl].flatMap((name) =>
          name === undefined || source.variables.some((variable) => variable.name === name) ? [] : [{ name, docs: {} }],
        ),
      ],
      pointer: source.pointer,
    };
  });
}
