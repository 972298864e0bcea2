// client.ts: the addresses that the document names, the interfaces of each connection, and the one call that makes a client.
import type { Delivery, Docs, Endpoint, Message, Model, Server, Subscription } from "../model/model.ts";
import type { Emitter, GeneratedFile } from "./file.ts";
import {
  type Asks,
  answerReceived,
  answerSent,
  apiNames,
  at,
  bracketed,
  closeCodeNames,
  closeName,
  correlationProperty,
  directions,
  docsWith,
  type Group,
  groupsOf,
  importTypes,
  partType,
  payloadParameter,
  plainMessages,
  printCall,
  printClassify,
  printCloseCodes,
  printInterface,
  printMembers,
  printNamedUnion,
  protocolArgument,
  protocolMembers,
  received,
  requests,
  returnDocs,
  schemeDocs,
} from "./signatures.ts";

const join = "@wsgen/runtime/generated/client";

export const emitClient: Emitter = (model, file) => {
  const names = apiNames(model);
  for (const name of [
    names.client,
    names.createClient,
    names.classify,
    names.credentials,
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
    for (const suffix of ["Send", "Request", "Answer", "On", "Event", "Client"]) file.declare(typeName + suffix);
  }
  importTypes(model, file, "client");
  file.import("contract", "./contract.client.js", "value");

  emitServers(model.servers, file);
  printCloseCodes(model, file);
  for (const endpoint of model.endpoints) emitEndpoint(model, endpoint, file);
  emitApi(model, file);
};

/** A second client of the same types, for who trusts the server and counts bytes. It imports nothing of client.ts at run time, and no guard. */
export const emitUncheckedClient: Emitter = (model, file) => {
  const { client, createClient, classify, credentials } = apiNames(model);
  for (const name of [createClient, ...closeCodeNames(model), "servers", "URL"]) file.declare(name);
  file.import("contract", "./contract.client.unchecked.js", "value");
  file.print('export type * from "./client.js";');
  file.print("");
  printCloseCodes(model, file);
  emitServers(model.servers, file);
  emitCreate(model, file, {
    docs: "Creates a client that checks nothing, neither what it sends nor what arrives.",
    client: file.import(client, "./client.js"),
    classify: () => file.import(classify, "./client.js"),
    credentials: () => file.import(credentials, "./client.js"),
  });
};

function emitServers(servers: readonly Server[], file: GeneratedFile): void {
  if (servers.length === 0) return;
  file.doc("The addresses that the document names, each with its variables.");
  file.block(
    "export const servers = {",
    () => {
      for (const server of servers) emitServer(server, file);
    },
    "} as const;",
  );
  file.print("");
}

function emitServer({ name, docs, url, variables }: Server, file: GeneratedFile): void {
  const serverUrl = file.import("serverUrl", join, "value");
  const defaults = Object.fromEntries(variables.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]])));
  const values = file.value(defaults, `>(${file.string(url)}, ),`.length);
  const call = Object.keys(defaults).length === 0 ? `(${file.string(url)}),` : `(${file.string(url)}, ${values}),`;
  file.doc(docs);
  if (variables.length === 0) {
    file.print(`${file.key(name)}: ${serverUrl}${call}`);
    return;
  }
  file.block(
    `${file.key(name)}: ${serverUrl}<{`,
    () => {
      for (const { name, docs, default: value, enum: values } of variables) {
        file.doc(value === undefined ? docs : docsWith(docs, `Default: \`${value}\`.`));
        const type = values === undefined || values.length === 0 ? "string" : values.map((value) => file.string(value)).join(" | ");
        file.print(`${file.key(name)}${value === undefined ? "" : "?"}: ${type};`);
      }
    },
    `}>${call}`,
  );
}

function emitEndpoint(model: Model, endpoint: Endpoint, file: GeneratedFile): void {
  const { typeName, subscription } = endpoint;
  const { socket, topics: all } = groupsOf(endpoint, "client");
  // What is delivered with messages of other topics is the connection's: some topics have nothing left for a client.
  const topics = all.filter((group) => callMembers(group).length > 0 || group.topic?.subscription !== undefined);
  for (const topic of topics) {
    emitCalls(topic, { model, endpoint, file });
    emitEvents(topic, topic.receives.deliveries, file);
    emitTopic(topic, file);
  }
  emitCalls(socket, { model, endpoint, file });
  emitEvents(socket, endpoint.serverToClient.deliveries, file);

  const topical = topics.length === 0 ? "" : " Its topics are children of it, which never close it.";
  file.doc(`An open connection to ${at(endpoint)}. Iterate it for everything that arrives.${topical}`);
  const ending = closeName(model, endpoint);
  const base = bracketed(`${file.import("ClientConnection", join)}<`, [`${typeName}Event`, ...(ending ? [ending] : [])], ">");
  printMembers(file, `${typeName}Client extends ${base}`, [
    ...protocolMembers(model, endpoint, file),
    ...callMembers(socket).map((member) => () => file.print(member)),
    ...topics.map((topic) => () => emitOpening(topic, { model, endpoint, file })),
    ...(subscription === undefined ? [] : [() => emitSubscription(subscription, { model, endpoint, file })]),
  ]);
}

interface Context {
  readonly model: Model;
  readonly endpoint: Endpoint;
  readonly file: GeneratedFile;
}

/** What a client sends, asks, answers and hears at one place: the interfaces of {@link callMembers}. */
function emitCalls(group: Group, context: Context): void {
  const { topic, typeName, at, sends, receives } = group;
  const { model, endpoint, file } = context;
  const asked = requests(sends.messages);
  const asking = requests(receives.deliveries);
  if (topic === undefined || plainMessages(sends).length > 0) {
    file.doc(`What a client sends on ${at}.`);
    printInterface(file, `${typeName}Send`, plainMessages(sends), (message) => {
      file.doc(message.docs);
      file.print(`${file.key(message.method)}(${payloadParameter(file, join, model, message)}): ${file.import("Sent", join)};`);
    });
  }
  if (asked.length > 0) {
    file.doc(`What a client asks on ${at}, each call settled by its reply.`);
    printInterface(file, `${typeName}Request`, asked, (message) => emitRequest(model, endpoint, message, file));
  }
  if (asking.length > 0) {
    file.doc(`Answers what the server asks on ${at}; the returned function stops answering.`);
    printInterface(file, `${typeName}Answer`, asking, (delivery) => emitAnswer(endpoint, delivery, file));
  }
  if (topic !== undefined && receives.deliveries.length === 0) return;
  file.doc(`Listens to one kind of message on ${at}; the returned function stops listening.`);
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
  file.doc(hasProse(docs) ? docsWith(docs, iterate) : `${capital(group.at)}. ${iterate}`);
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
  const params = parameters === undefined ? [] : [`params: ${partType(file, parameters)}`];
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
  const filled = message.reply === undefined ? [] : correlationProperty(message.reply.request);
  return [payloadParameter(file, join, model, message, filled), `options?: ${file.import("RequestOptions", join)}`];
}

const hasProse = ({ title, summary, description }: Docs): boolean => (title ?? summary ?? description) !== undefined;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function emitRequest(model: Model, endpoint: Endpoint, message: Asks<Message>, file: GeneratedFile): void {
  const { receives } = directions(endpoint, "client");
  const parameter = payloadParameter(file, join, model, message, correlationProperty(message.reply.request));
  const options = `options?: ${file.import("RequestOptions", join)}`;
  file.doc(message.docs);
  printCall(file, file.key(message.method), [parameter, options], `: Promise<${answerReceived(file, message.reply, receives)}>;`);
}

function emitAnswer(endpoint: Endpoint, delivery: Asks<Delivery>, file: GeneratedFile): void {
  const { sends } = directions(endpoint, "client");
  const reply = `${file.import("Awaitable", join)}<${answerSent(file, join, delivery.reply, sends)}>`;
  file.doc(docsWith(delivery.docs, returnDocs(delivery.reply)));
  printCall(
    file,
    file.key(delivery.method),
    [`answerer: (payload: ${received(file, delivery)}) => ${reply}`],
    `: ${file.import("Unsubscribe", join)};`,
  );
}

function emitApi(model: Model, file: GeneratedFile): void {
  const { client, classify, credentials } = apiNames(model);
  file.doc((model.docs.summary ?? model.docs.description) ? model.docs : `A client of ${model.title}.`);
  printInterface(file, client, model.endpoints, (endpoint) => {
    file.doc(endpoint.docs);
    printCall(
      file,
      file.key(endpoint.name),
      connectParameters(endpoint, file),
      `: ${file.import("Opening", join)}<${endpoint.typeName}Client>;`,
    );
  });
  printClassify(model, file, "client", ({ typeName }) => `${typeName}Client`);
  if (hasCredentials(model)) emitCredentials(model, file);
  emitCreate(model, file, {
    docs: "Creates a client; it connects when an endpoint's method is called.",
    client,
    classify: () => classify,
    credentials: () => credentials,
  });
}

/** Credentials that a program can give; a certificate belongs to the TLS connection (`tls`). */
const credentialSchemes = ({ schemes }: Model): Model["schemes"] => schemes.filter(({ contract }) => contract.carries !== "certificate");
const hasCredentials = (model: Model): boolean => credentialSchemes(model).length > 0;

function emitCredentials(model: Model, file: GeneratedFile): void {
  const given = file.import("Given", join);
  file.doc("What a client shows to be let in. A function is asked before every attempt, for what expires.");
  printInterface(file, apiNames(model).credentials, credentialSchemes(model), (scheme) => {
    file.doc(schemeDocs(scheme, "Goes"));
    const type = scheme.contract.carries === "basic" ? file.import("BasicCredentials", join) : "string";
    file.print(`readonly ${file.key(scheme.name)}?: ${given}<${type}>;`);
  });
}

/** The one call. */
function emitCreate(
  model: Model,
  file: GeneratedFile,
  {
    docs,
    client,
    classify,
    credentials,
  }: { readonly docs: string; readonly client: string; readonly classify: () => string; readonly credentials: () => string },
): void {
  const base = file.import("ClientOptions", join);
  const classifies = model.endpoints.some((endpoint) => directions(endpoint, "client").receives.choice?.by === "classify");
  const shows = hasCredentials(model);
  const asked = [
    ...(classifies ? [`readonly classify: ${classify()}`] : []),
    ...(shows ? [`readonly credentials?: ${credentials()}`] : []),
  ];
  const type = asked.length === 0 ? base : `${base} & { ${asked.join("; ")} }`;
  const given = shows ? `${file.import("credentials", join, "value")}(contract, options)` : "options";
  file.doc(docs);
  printCall(
    file,
    `export function ${apiNames(model).createClient}`,
    ["url: string | URL", `options${classifies ? "" : "?"}: ${type}`],
    `: ${client} {`,
  );
  file.print(`  return ${file.import("createClient", join, "value")}<${client}>(contract, url, ${given}${features(model, file)});`);
  file.print("}");
}

/** What the runtime loads for this document beside its core. */
function features({ endpoints, closeCodes }: Model, file: GeneratedFile): string {
  const sides = endpoints.map((endpoint) => directions(endpoint, "client"));
  const subscribes = endpoints.some(({ topics, subscription }) =>
    [{ subscription }, ...topics].some((one) => one.subscription !== undefined),
  );
  const needed = [
    ...(endpoints.some(({ parameters, query, headers }) => parameters ?? query ?? headers) ? ["handshake"] : []),
    ...(sides.some(({ receives }) => typeof receives.tree.json === "object" && !("among" in receives.tree.json)) ? ["dispatch"] : []),
    ...(sides.some(({ sends, receives }) => [...sends.messages, ...receives.messages].some(({ format }) => format !== "json"))
      ? ["formats"]
      : []),
    ...(sides.some(({ sends }) => requests(sends.messages).length > 0) ? ["requests"] : []),
    ...(sides.some(({ receives }) => requests(receives.deliveries).length > 0) ? ["answers"] : []),
    ...(closeCodes.length > 0 || endpoints.some((endpoint) => endpoint.closeCodes.length > 0) ? ["closings"] : []),
    ...(subscribes ? ["subscriptions"] : endpoints.some(({ topics }) => topics.length > 0) ? ["topics"] : []),
  ];
  const parts = needed.map((name) => file.import(name, join, "value"));
  const chosen = sides.flatMap(({ receives }) => receives.choice?.by ?? []);
  if (chosen.length > 0) parts.push(`${file.import("choices", join, "value")}(contract${chosen.includes("classify") ? ", options" : ""})`);
  return parts.length === 0 ? "" : `, [${parts.join(", ")}]`;
}

/** Path parameters come first, query and headers are options: only the first belong to the address. */
function connectParameters(endpoint: Endpoint, file: GeneratedFile): readonly string[] {
  const { parameters, query, headers } = endpoint;
  const options = `${file.import("ConnectOptions", join)}${protocolArgument([endpoint], file)}`;
  const parts = [...(query ? [{ name: "query", part: query }] : []), ...(headers ? [{ name: "headers", part: headers }] : [])];
  const fields = parts.map(
    ({ name, part }) => `readonly ${name}${part.optional ? "?" : ""}: ${file.import("Given", join)}<${partType(file, part)}>`,
  );
  const type = fields.length === 0 ? options : `${options} & { ${fields.join("; ")} }`;
  const optional = parts.every(({ part }) => part.optional) ? "?" : "";
  return [...(parameters ? [`params: ${partType(file, parameters)}`] : []), `options${optional}: ${type}`];
}
