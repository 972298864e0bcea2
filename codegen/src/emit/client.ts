// client.ts: the addresses that the document names, the interfaces of each connection, and the one call that makes a client.
import { capitalized } from "../letters.ts";
import type { Delivery, Docs, Endpoint, HandshakePart, Subscription } from "../model/model.ts";
import { apiNames, clientSuffixes, joins } from "./api-names.ts";
import { printApi, printCreate, printServers } from "./client-api.ts";
import { closeCodeNames, closeName, printCloseCodes } from "./close-codes.ts";
import type { Emitter, GeneratedFile } from "./file.ts";
import {
  type Asks,
  answerSent,
  at,
  bracketed,
  type Context,
  correlationProperty,
  directions,
  docsWith,
  type Group,
  givenType,
  groupsOf,
  importTypes,
  paramsParameter,
  partType,
  payloadParameter,
  plainMessages,
  printCall,
  printInterface,
  printMembers,
  printNamedUnion,
  printRequest,
  printSend,
  protocolArgument,
  protocolMembers,
  received,
  requests,
  returnDocs,
  sendDocs,
} from "./signatures.ts";

const join = joins.client;

export const emitClient: Emitter = (model, file) => {
  const names = apiNames(model);
  for (const name of [
    names.client,
    names.createClient,
    names.classify,
    names.credentials,
    names.codecs,
    ...closeCodeNames(model),
    "servers",
    "Pick",
    "Promise",
    "Required",
    "Uint8Array",
    "URL",
  ])
    file.declare(name);
  for (const { typeName } of model.endpoints.flatMap((endpoint) => [endpoint, ...endpoint.topics])) {
    for (const suffix of clientSuffixes) file.declare(typeName + suffix);
  }
  importTypes(model, file, "client");
  file.import("contract", "./contract.client.js", "value");

  printServers(model, file);
  printCloseCodes(model, file);
  for (const endpoint of model.endpoints) emitEndpoint({ model, endpoint, file, side: "client", join });
  printApi(model, file);
};

/** A second client of the same types, for who trusts the server and counts bytes. It imports nothing of client.ts at run time, and no guard. */
export const emitUncheckedClient: Emitter = (model, file) => {
  const { client, createClient, classify, credentials, codecs } = apiNames(model);
  for (const name of [createClient, ...closeCodeNames(model), "servers", "URL"]) file.declare(name);
  file.import("contract", "./contract.client.unchecked.js", "value");
  file.print('export type * from "./client.js";');
  file.print("");
  printCloseCodes(model, file);
  printServers(model, file);
  printCreate(model, file, {
    docs: "Creates a client that checks nothing, neither what it sends nor what arrives.",
    client: file.import(client, "./client.js"),
    classify: () => file.import(classify, "./client.js"),
    credentials: () => file.import(credentials, "./client.js"),
    codecs: () => file.import(codecs, "./client.js"),
    checks: false,
  });
};

function emitEndpoint(context: Context): void {
  const { model, endpoint, file } = context;
  const { typeName, subscription } = endpoint;
  const { socket, topics: all } = groupsOf(endpoint, "client");
  // What is delivered with messages of other topics is the connection's: some topics have nothing left for a client.
  const topics = all.filter((group) => callMembers(group).length > 0 || group.topic?.subscription !== undefined);
  for (const topic of topics) {
    emitCalls(topic, [], context);
    emitEvents(topic, topic.receives.deliveries, file);
    emitTopic(topic, file);
  }
  emitCalls(socket, topics, context);
  emitEvents(socket, endpoint.serverToClient.deliveries, file);
  emitConnectOptions(endpoint, file);

  const topical = topics.length === 0 ? "" : " Closing one of its topics leaves it open.";
  file.doc(`An open connection to ${at(endpoint)}. Iterate it for everything that arrives.${topical}`);
  const ending = closeName(model, endpoint);
  const base = bracketed(`${file.import("ClientConnection", join)}<`, [`${typeName}Event`, ...(ending ? [ending] : [])], ">");
  printMembers(file, `${typeName}Client extends ${base}`, [
    ...protocolMembers(model, endpoint, file),
    ...callMembers(socket).map((member) => () => file.print(member)),
    ...topics.map((topic) => () => emitOpening(topic, context)),
    ...(subscription === undefined ? [] : [() => emitSubscription(subscription, context)]),
  ]);
}

/** What a client sends, asks, answers and hears at one place: the interfaces of {@link callMembers}. */
function emitCalls(group: Group, topics: readonly Group[], context: Context): void {
  const { topic, typeName, at, sends, receives } = group;
  const { file } = context;
  const asked = requests(sends.messages);
  const asking = requests(receives.deliveries);
  if (topic === undefined || plainMessages(sends).length > 0) {
    // Topics of a client are objects of their own, so their messages are not under their names here.
    file.doc(sendDocs("a client", group, plainMessages(sends).length === 0 && topics.length > 0 ? ": all of it belongs to topics" : ""));
    printInterface(file, `${typeName}Send`, plainMessages(sends), (message) => printSend(message, context));
  }
  if (asked.length > 0) {
    file.doc(`What a client asks on ${at}, each call settled by its reply.`);
    printInterface(file, `${typeName}Request`, asked, (message) => printRequest(message, context));
  }
  if (asking.length > 0) {
    file.doc(`Answers what the server asks on ${at}; the returned function stops answering.`);
    printInterface(file, `${typeName}Answer`, asking, (delivery) => emitAnswer(delivery, context));
  }
  if (topic !== undefined && receives.deliveries.length === 0) return;
  const others = topics.length > 0 ? "all of them belong to topics" : "there is none";
  const silent = receives.deliveries.length === 0 ? `: ${others}` : "; the returned function stops listening";
  file.doc(`Listens to one kind of message on ${at}${silent}.`);
  printInterface(file, `${typeName}On`, receives.deliveries, (delivery) => {
    file.doc(delivery.docs);
    const listener = `listener: (payload: ${received(file, delivery)}) => void`;
    printCall(file, file.key(delivery.method), [listener], `: ${file.import("Unsubscribe", join)};`);
  });
}

/** The members of a connection or a topic that lead to its messages; a topic has only those that it has messages for. */
function callMembers({ topic, typeName, sends, receives }: Group): readonly string[] {
  const always = topic === undefined;
  return [
    ...(always || plainMessages(sends).length > 0 ? [`readonly send: ${typeName}Send;`] : []),
    ...(requests(sends.messages).length > 0 ? [`readonly request: ${typeName}Request;`] : []),
    ...(requests(receives.deliveries).length > 0 ? [`readonly answer: ${typeName}Answer;`] : []),
    ...(always || receives.deliveries.length > 0 ? [`readonly on: ${typeName}On;`] : []),
  ];
}

/** Within a topic messages have the names of its methods, on the connection those of the contract. */
function emitEvents({ topic, typeName, at }: Group, deliveries: readonly Delivery[], file: GeneratedFile): void {
  if (topic !== undefined && deliveries.length === 0) return;
  file.doc(`Everything that can arrive on ${at}, told apart by \`name\`.`);
  printNamedUnion(file, `${typeName}Event`, topic === undefined ? deliveries : deliveries.map((one) => ({ ...one, name: one.method })));
}

function emitTopic(group: Group, file: GeneratedFile): void {
  const { topic, typeName, receives } = group;
  if (topic === undefined) return;
  const { docs, parameters, subscription } = topic;
  const hears = receives.deliveries.length > 0;
  const iterate = hears ? "Iterate it for everything that arrives on it." : "Nothing of its own arrives on it.";
  file.doc(hasProse(docs) ? docsWith(docs, iterate) : `${capitalized(group.at)}. ${iterate}`);
  const params = parameters === undefined || subscription !== undefined ? [] : [`readonly params: ${partType(file, parameters)};`];
  const members = [...params, ...callMembers(group)];
  const base = `${file.import("ClientTopic", join)}<${hears ? `${typeName}Event` : "never"}>`;
  printInterface(file, `${typeName}Client extends ${base}`, members, (member) => file.print(member));
}

/** The method of a connection that opens a topic: with its parameters, or with what subscribes to it. */
function emitOpening({ topic, typeName }: Group, context: Context): void {
  if (topic === undefined) return;
  const { file } = context;
  const { parameters, name, docs, subscription } = topic;
  const params = parameters === undefined ? [] : [paramsParameter(file, join, parameters)];
  if (subscription !== undefined) file.doc(hasProse(docs) ? docsWith(docs, subscribing) : subscribing);
  else file.doc(docs);
  const given = subscription === undefined ? params : subscribeParameters(subscription, context);
  printCall(file, file.key(name), given, `: Promise<${typeName}Client>;`);
}

const subscribing = "Subscribes, and again after a reconnect; closing it unsubscribes.";

/** The method of a connection whose one channel is subscribed to. */
function emitSubscription(subscription: Subscription, context: Context): void {
  const { file, endpoint } = context;
  const { typeName } = endpoint;
  file.doc(subscribing);
  const result = `${file.import("ClientTopic", join)}<${typeName}Event> & { readonly on: ${typeName}On }`;
  printCall(file, "subscription", subscribeParameters(subscription, context), `: Promise<${result}>;`);
}

function subscribeParameters({ subscribe }: Subscription, { model, endpoint, file }: Context): readonly string[] {
  const message = endpoint.clientToServer.messages.find(({ name }) => name === subscribe);
  if (message === undefined) return [];
  const filled = message.reply === undefined ? [] : correlationProperty(model, message, message.reply.request);
  return [payloadParameter(file, join, model, message, filled), `options?: ${file.import("RequestOptions", join)}`];
}

const hasProse = ({ title, summary, description }: Docs): boolean => (title ?? summary ?? description) !== undefined;

/** What is said when connecting, where the document speaks of more than the path. */
function emitConnectOptions(endpoint: Endpoint, file: GeneratedFile): void {
  const { typeName, query, headers } = endpoint;
  const parts = [...(query ? [["query", query] as const] : []), ...(headers ? [["headers", headers] as const] : [])];
  if (parts.length === 0) return;
  const base = `${file.import("ConnectOptions", join)}${protocolArgument([endpoint], file)}`;
  file.doc(`What a client says when it connects to ${at(endpoint)}. A function is asked before every attempt, for what expires.`);
  printInterface(file, `${typeName}Options extends ${base}`, parts, ([name, part]: readonly [string, HandshakePart]) =>
    file.print(`readonly ${name}${part.optional ? "?" : ""}: ${file.import("Given", join)}<${givenType(file, join, part)}>;`),
  );
}

function emitAnswer(delivery: Asks<Delivery>, { model, endpoint, file }: Context): void {
  const { sends } = directions(endpoint, "client");
  const reply = `${file.import("Awaitable", join)}<${answerSent(file, join, model, delivery.reply, sends)}>`;
  file.doc(docsWith(delivery.docs, returnDocs(delivery.reply, sends)));
  printCall(
    file,
    file.key(delivery.method),
    [`answerer: (payload: ${received(file, delivery)}) => ${reply}`],
    `: ${file.import("Unsubscribe", join)};`,
  );
}
