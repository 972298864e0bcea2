// The chat's model as data, so that emitters are tested without a document.
import type { Delivery, Direction, Endpoint, Message, Model, Reply, Topic, TypeDefinition } from "../../../codegen/src/model/model.ts";

/** A message with what most have; `overrides` say what is different. */
export function message(name: string, overrides: Partial<Message> = {}): Message {
  return {
    name,
    method: name,
    wireName: name,
    docs: {},
    type: name.charAt(0).toUpperCase() + name.slice(1),
    format: "json",
    constants: { type: name },
    replyOnly: false,
    pointer: `#/components/messages/${name}`,
    ...overrides,
  };
}

/** A message of a topic. */
export function topicMessage(topic: string, method: string, overrides: Partial<Message> = {}): Message {
  return { ...message(method, overrides), name: `${topic}.${method}`, method, topic };
}

/** A topic of the endpoint `owner`. */
export function topic(owner: string, name: string, overrides: Partial<Topic> = {}): Topic {
  const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  return { name, typeName: capital(owner) + capital(name), docs: {}, address: name, pointer: `#/channels/${name}`, ...overrides };
}

/** One direction whose messages are told apart by `type`; replies that only come as such are not delivered. */
export function direction(messages: readonly Message[], overrides: Partial<Direction> = {}): Direction {
  const delivered = messages.filter(({ replyOnly }) => !replyOnly);
  const deliveries = delivered.map(
    ({ name, method, topic, docs, type, format, reply, pointer }): Delivery => ({
      name,
      method,
      ...(topic !== undefined && { topic }),
      docs,
      type,
      format,
      messages: [name],
      pointer,
      ...(reply && { reply }),
    }),
  );
  const tree = delivered.length === 0 ? {} : { json: { path: ["type"], cases: delivered.map(({ name }) => [name, name] as const) } };
  return { messages, deliveries, tree, by: "`type`", assumed: false, ...overrides };
}

/** An endpoint at `/<name>` that says nothing in either direction; `overrides` say what is different. */
export function endpoint(name: string, overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    name,
    typeName: name.charAt(0).toUpperCase() + name.slice(1),
    docs: {},
    address: `/${name}`,
    channels: [{ key: name, address: `/${name}`, docs: {}, pointer: `#/channels/${name}` }],
    topics: [],
    servers: ["local"],
    protocols: [],
    closeCodes: [],
    clientToServer: direction([]),
    serverToClient: direction([]),
    pointer: `#/channels/${name}`,
    ...overrides,
  };
}

/** A document of these endpoints; its types accept every object. */
export function model(name: string, endpoints: readonly Endpoint[], overrides: Partial<Model> = {}): Model {
  const names = endpoints.flatMap(({ parameters, query, headers, clientToServer, serverToClient }) => [
    ...[parameters, query, headers].flatMap((part) => (part === undefined ? [] : [part.type])),
    ...[clientToServer, serverToClient].flatMap(({ messages, deliveries }) => [...messages, ...deliveries].map(({ type }) => type)),
  ]);
  const types = [...new Set(names)].map(
    (name): TypeDefinition => ({ name, docs: {}, schema: { type: "object", required: ["x"] }, guard: true, pointer: "#" }),
  );
  return {
    title: name,
    name,
    docs: {},
    asyncapi: "3.1.0",
    source: `specs/${name.toLowerCase()}.yaml`,
    perspective: { side: "server", because: "default" },
    servers: [],
    schemes: [],
    closeCodes: [],
    endpoints,
    types,
    omitted: [],
    ...overrides,
  };
}

const history: Reply = { messages: ["historyPage"], request: ["requestId"], reply: ["requestId"], id: "string" };

export const chat: Model = model(
  "Chat",
  [
    endpoint("room", {
      docs: { title: "Room", description: "One room. Whoever is connected to it hears what is said in it." },
      address: "/rooms/{roomId}",
      parameters: { type: "RoomParameters", optional: false, coerce: {} },
      query: { type: "RoomQuery", optional: false, coerce: {} },
      clientToServer: direction([
        message("postMessage", { docs: { summary: "Say something to everyone in the room." } }),
        message("history", { docs: { summary: "Ask for what was said before." }, type: "HistoryRequest", reply: history }),
      ]),
      serverToClient: direction([
        message("messagePosted", { docs: { summary: "Someone said something." } }),
        message("memberJoined", { docs: { summary: "Someone came into the room." } }),
        message("memberLeft", { docs: { summary: "Someone left the room." } }),
        message("historyPage", { docs: { summary: "What was said before, oldest first." }, replyOnly: true }),
        message("problem", { docs: { summary: "The last message could not be used." } }),
      ]),
      error: { message: "problem", code: ["code"], detail: ["detail"], correlation: ["requestId"] },
    }),
  ],
  {
    docs: { description: "Rooms in which people talk to each other." },
    schemes: [],
    closeCodes: [],
    servers: [
      {
        name: "local",
        docs: { description: "The chat that `npm start` runs." },
        url: "ws://localhost:{port}",
        variables: [{ name: "port", docs: { description: "The port the server listens on." }, default: "3000" }],
        pointer: "#/servers/local",
      },
    ],
  },
);
