// Puts everything together under its final names, and proves what is claimed about values.
import { markBytes } from "./bytes.ts";
import { requireConstants } from "./constants.ts";
import { buildDirection, type Context, docsOfMessage } from "./deliveries.ts";
import type { Directions } from "./directions.ts";
import type { Socket, Sockets } from "./endpoints.ts";
import { buildError } from "./error-mapping.ts";
import type { Findings } from "./findings.ts";
import type { Handshake } from "./handshake.ts";
import { reportImpossibleMessages } from "./impossible.ts";
import { createJudge } from "./judge.ts";
import { demandsOf, type Entry } from "./leaves.ts";
import type { Endpoint, HandshakePart, Model } from "./model.ts";
import type { Types } from "./schemas.ts";
import { buildServers, nameServers } from "./servers.ts";
import { optionOfSocket } from "./socket-options.ts";
import { proposeSubscription } from "./subscription-proposal.ts";
import { buildSubscriptions } from "./subscriptions.ts";
import { buildTopic, buildTopicParameters, nameTopicTypes } from "./topics.ts";
import { joinPointer, type Tree } from "./tree.ts";
import { documentTypes, placeTypes, usesOf } from "./type-uses.ts";
import { finishTypes } from "./types.ts";
import { typeOfLeaf } from "./unions.ts";

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
  const asked = [...topicParameters.values()].flatMap((built) => built?.type ?? []);
  const uses = usesOf(sides, { idOf, leafTypes, parts, asked });
  markBytes(uses, types, findings);
  const finished = finishTypes({ ...uses, types, tree, findings });
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

function handshakeParts(handshake: Handshake, nameOf: (id: string) => string): Pick<Endpoint, "parameters" | "query" | "headers"> {
  const named = (part: HandshakePart): HandshakePart => ({ ...part, type: nameOf(part.type) });
  const { parameters, query, headers } = handshake;
  return {
    ...(parameters && { parameters: named(parameters) }),
    ...(query && { query: named(query) }),
    ...(headers && { headers: named(headers) }),
  };
}
