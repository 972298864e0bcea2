// server.ts: the interfaces that handlers implement, and the one call that registers them.
import type { Delivery, Endpoint, Message, Model, Reply, SecurityScheme } from "../model/model.ts";
import { apiNames, joins, serverSuffixes } from "./api-names.ts";
import { closeCodeNames, closeName, printCloseCodes } from "./close-codes.ts";
import { printCodecs } from "./codecs.ts";
import { type Emitter, type GeneratedFile, lineWidth } from "./file.ts";
import {
  answerSent,
  at,
  bracketed,
  type Context,
  correlationProperty,
  directions,
  docsWith,
  type Group,
  groupsOf,
  importTypes,
  partType,
  plainMessages,
  printCall,
  printClassify,
  printInterface,
  printMembers,
  printNamedTypes,
  printNamedUnion,
  printRequest,
  printSend,
  protocolMembers,
  protocolNames,
  received,
  requests,
  returnDocs,
  schemeDocs,
  sendDocs,
  sent,
} from "./signatures.ts";

const join = joins.server;

export const emitServer: Emitter = (model, file) => {
  const names = apiNames(model);
  for (const name of [
    names.api,
    names.handlers,
    names.register,
    names.classify,
    names.toError,
    names.authenticate,
    names.codecs,
    "Context",
  ])
    file.declare(name);
  for (const scheme of model.schemes) file.declare(contextOf(scheme));
  for (const name of closeCodeNames(model)) file.declare(name);
  for (const name of ["AsyncIterable", "NoInfer", "Omit", "Partial", "Pick", "Promise", "Required", "Uint8Array"]) file.declare(name);
  for (const { typeName, topics } of model.endpoints) {
    for (const suffix of serverSuffixes.endpoint) file.declare(typeName + suffix);
    for (const topic of topics) for (const suffix of serverSuffixes.topic) file.declare(topic.typeName + suffix);
  }
  importTypes(model, file, "server");
  file.import("contract", "./contract.server.js", "value");

  printCloseCodes(model, file);
  for (const endpoint of model.endpoints) emitEndpoint(model, endpoint, file);
  emitApi(model, file);
};

function emitEndpoint(model: Model, endpoint: Endpoint, file: GeneratedFile): void {
  const { socket, topics } = groupsOf(endpoint, "server");
  const context: Context = { model, endpoint, file, side: "server", join };
  for (const topic of topics) emitCalls(topic, [], context);
  emitCalls(socket, topics, context);
  emitConnection(context);
  for (const group of [...topics, socket]) emitMessages(group, context);
  emitHandler(context);
  emitReader(context);
}

const asks = ({ sends }: Group): boolean => requests(sends.messages).length > 0;
const says = ({ sends }: Group): boolean => plainMessages(sends).length > 0;

/** What the server sends and asks at one place; what it does on topics is grouped by them. */
function emitCalls(group: Group, topics: readonly Group[], context: Context): void {
  const { topic, typeName, at, sends } = group;
  const { file } = context;
  const sending = topics.filter(says);
  const asking = topics.filter(asks);
  if (topic === undefined || says(group)) {
    file.doc(sendDocs("the server", group, sending.length > 0 ? "; what belongs to a topic, under its name" : ""));
    printMembers(file, `${typeName}Send`, [
      ...plainMessages(sends).map((message) => () => printSend(message, context)),
      ...sending.map((inner) => () => emitNested(inner, "Send", file)),
    ]);
  }
  if (asks(group) || asking.length > 0) {
    file.doc(`What the server asks on ${at}, each call settled by its reply.`);
    printMembers(file, `${typeName}Request`, [
      ...requests(sends.messages).map((message) => () => printRequest(message, context)),
      ...asking.map((inner) => () => emitNested(inner, "Request", file)),
    ]);
  }
}

function emitNested({ topic, typeName }: Group, suffix: string, file: GeneratedFile): void {
  if (topic === undefined) return;
  file.doc(topic.docs);
  file.print(`readonly ${file.key(topic.name)}: ${typeName}${suffix};`);
}

function emitConnection({ model, endpoint, file }: Context): void {
  const { typeName, parameters, query, headers } = endpoint;
  const ending = closeName(model, endpoint);
  const base = `${file.import("ContractConnection", join)}<${[`${typeName}Send`, "Context", ...(ending ? [ending] : [])].join(", ")}>`;
  const members = [
    ...(parameters ? [`readonly params: ${partType(file, parameters)};`] : []),
    ...(query ? [`readonly query: ${partType(file, query)};`] : []),
    ...(headers ? [`readonly headers: ${partType(file, headers)};`] : []),
    ...(requests(endpoint.serverToClient.messages).length > 0 ? [`readonly request: ${typeName}Request;`] : []),
  ];
  file.doc(`One client connected to ${at(endpoint)}.`);
  printMembers(file, `${typeName}Connection<Context = object> extends ${base}`, [
    ...members.map((member) => () => file.print(member)),
    ...protocolMembers(model, endpoint, file),
  ]);
}

/** What arrives at one place. */
function emitMessages({ typeName, at, receives }: Group, context: Context): void {
  const { file } = context;
  if (receives.deliveries.length === 0) return;
  file.doc(`What to do with each message that arrives on ${at}.`);
  printInterface(file, `${typeName}Messages<Context = object>`, receives.deliveries, (delivery) => emitHandlerMethod(delivery, context));
}

function emitHandlerMethod(delivery: Delivery, { model, endpoint, file }: Context): void {
  const { sends } = directions(endpoint, "server");
  const awaitable = file.import("Awaitable", join);
  const parameters = [`payload: ${received(file, delivery)}`, `conn: ${endpoint.typeName}Connection<Context>`];
  const { docs, method, reply } = delivery;
  file.doc(reply === undefined ? docs : docsWith(docs, returnDocs(reply, sends)));
  const result = reply === undefined ? "void" : answerSent(file, join, model, reply, sends);
  printCall(file, `readonly ${file.key(method)}: `, parameters, ` => ${awaitable}<${result}>;`);
}

function emitHandler({ model, endpoint, file }: Context): void {
  const { typeName, docs } = endpoint;
  const { socket, topics } = groupsOf(endpoint, "server");
  const awaitable = file.import("Awaitable", join);
  const conn = `conn: ${typeName}Connection<Context>`;
  file.doc((docs.summary ?? docs.description ?? docs.title) ? docs : `What to do with the clients of ${at(endpoint)}.`);
  file.block(
    `export interface ${typeName}Handler<Context = object> {`,
    () => {
      file.doc("Called once the connection is open, before its first message.");
      file.print(`readonly open?: (${conn}) => ${awaitable}<void>;`);
      if (socket.receives.deliveries.length > 0) file.print(`readonly messages: ${typeName}Messages<Context>;`);
      for (const topic of topics.filter(({ receives }) => receives.deliveries.length > 0)) emitNested(topic, "Messages<Context>", file);
      file.doc("Called once the connection is closed, for whatever reason.");
      const ending = closeName(model, endpoint);
      const outcome = `outcome: ${file.import("CloseOutcome", join)}${ending ? `<${ending}>` : ""}`;
      printCall(file, "readonly close?: ", [conn, outcome], ` => ${awaitable}<void>;`);
    },
    "}",
  );
  file.print("");
}

/** What a function has that reads the messages itself instead of handling each in a method. */
function emitReader(context: Context): void {
  const { endpoint, file } = context;
  const { typeName } = endpoint;
  file.doc(`Everything that can arrive on ${at(endpoint)}, told apart by \`name\`.`);
  printNamedUnion(file, `${typeName}Received`, endpoint.clientToServer.deliveries);
  emitSent(context);

  // A method returns its reply; whoever reads the requests itself has to send it.
  const { socket, topics } = groupsOf(endpoint, "server");
  const replies = ({ sends }: Group): readonly Message[] => sends.messages.filter(({ replyOnly }) => replyOnly);
  const answering = topics.filter((topic) => replies(topic).length > 0);
  const answers = replies(socket).length > 0 || answering.length > 0;
  const connection = `${typeName}Connection<Context>`;
  file.doc(`One client connected to ${at(endpoint)}, for a handler that reads its messages itself.`);
  file.block(
    `export interface ${typeName}Reader<Context = object> extends ${answers ? `Omit<${connection}, "send">` : connection} {`,
    () => {
      if (answers) {
        file.block(
          `readonly send: ${typeName}Send & {`,
          () => {
            for (const message of replies(socket)) printSend(message, context);
            for (const group of answering) {
              const printed = (): void => {
                for (const message of replies(group)) printSend(message, context);
              };
              file.block(`readonly ${file.key(group.topic?.name ?? "")}: {`, printed, "};");
            }
          },
          "};",
        );
      }
      file.doc("Every valid message in order; ends when the connection closes. One reader at a time.");
      file.print(`messages(): AsyncIterable<${typeName}Received>;`);
    },
    "}",
  );
  file.print("");
}

/** What a filter of everything that is sent is given: payloads as their senders give them. */
function emitSent({ model, endpoint, file }: Context): void {
  const { typeName, address, clientToServer, serverToClient } = endpoint;
  const ids = new Map<string, Reply["reply"][]>();
  for (const { reply } of clientToServer.messages) {
    for (const name of reply?.messages ?? []) ids.set(name, [...(ids.get(name) ?? []), reply?.reply ?? []]);
  }
  const members = serverToClient.messages.map((message) => {
    const places = [message.reply?.request ?? [], ...(ids.get(message.name) ?? [])];
    const filled = places.flatMap((place) => correlationProperty(model, message, place));
    return { name: message.name, type: sent(file, join, message, [...new Set(filled)]) };
  });
  file.doc(`Everything that the server sends on \`${address}\`, told apart by \`name\`, as its sender gives it.`);
  printNamedTypes(file, `${typeName}Sent`, members);
}

/** The functions that make error messages, where there have to be any; whether there are. */
function emitToError(model: Model, file: GeneratedFile): boolean {
  const asked = model.endpoints.filter(({ error }) => error?.toError === true);
  if (asked.length === 0) return false;
  file.doc("Says in the contract's own words what is wrong with a message; constants and the id of the request are filled in.");
  printInterface(file, `${apiNames(model).toError}<Context = object>`, asked, (endpoint) => {
    const { sends } = directions(endpoint, "server");
    const message = sends.messages.find(({ name }) => name === endpoint.error?.message);
    const result =
      message === undefined ? "unknown" : sent(file, join, message, correlationProperty(model, message, endpoint.error?.correlation ?? []));
    const parameters = [`problem: ${file.import("Problem", join)}`, `conn: ${endpoint.typeName}Connection<Context>`];
    printCall(file, `readonly ${file.key(endpoint.name)}: `, parameters, ` => ${result};`);
  });
  return true;
}

function emitApi(model: Model, file: GeneratedFile): void {
  const { handlers, api, register, classify, toError, authenticate, codecs } = apiNames(model);
  const contexts = model.schemes.map(contextOf);
  file.doc("A handler for every endpoint of the API: a method for each message, or a function that reads them itself.");
  const given = ["Context", ...contexts].map((name) => `${name} = object`);
  printInterface(file, bracketed(`${handlers}<`, given, ">", "export interface  {".length), model.endpoints, (endpoint) => {
    const { name, typeName, docs } = endpoint;
    const context = contextOfEndpoint(model, endpoint);
    file.doc(docs);
    const either = [`${typeName}Handler<${context}>`, `((conn: ${typeName}Reader<${context}>) => Promise<void>)`];
    const line = `readonly ${file.key(name)}: ${either.join(" | ")};`;
    file.print(
      line.length + 2 <= lineWidth ? line : `${[`readonly ${file.key(name)}:`, ...either.map((one) => `  | ${one}`)].join("\n")};`,
    );
  });
  file.doc("The registered API: reaches the clients of each endpoint from anywhere.");
  printInterface(file, api, model.endpoints, (endpoint) => {
    const { name, typeName } = endpoint;
    file.doc(`The rooms of ${at(endpoint)}, for HTTP handlers, timers and whoever else has something to say.`);
    file.print(`readonly ${file.key(name)}: ${file.import("EndpointHandle", join)}<${typeName}Send>;`);
  });
  const classifies = printClassify(model, file, "server", ({ typeName }) => `${typeName}Connection<Context>`);
  const makesErrors = emitToError(model, file);
  const encodes = printCodecs(model, file, join);
  if (contexts.length > 0) emitAuthenticate(model, file);
  file.doc(
    "Registers every endpoint of the API on a router.\n\nThe router's middleware must provide the context that the handlers rely on.",
  );
  const inferred = ["Context", ...contexts.map((name) => `${file.import("Added", join)}<${name}>`)];
  // TypeScript looks at hooks whose parameters have no types after everything else: until then their results must not contradict the handlers.
  const parameters = ["Context extends object", ...contexts.map((name) => `${name} extends ${file.import("AddedContext", join)} = never`)];
  const asked = [
    ...(classifies ? [`readonly classify: ${classify}<NoInfer<Context>>`] : []),
    ...(makesErrors ? [`readonly toError: ${toError}<NoInfer<Context>>`] : []),
    ...(encodes ? [`readonly codecs: ${codecs}`] : []),
    ...(contexts.length > 0 ? [bracketed(`readonly authenticate: ${authenticate}<`, ["NoInfer<Context>", ...contexts], ">")] : []),
  ];
  file.block(
    `${bracketed(`export function ${register}<`, parameters, ">")}(`,
    () => {
      file.print(`router: ${file.import("Router", join)}<Context>,`);
      file.print(
        bracketed(
          `handlers: ${handlers}<`,
          inferred.map((name) => `NoInfer<${name}>`),
          ">,",
        ),
      );
      const types = [protocolNames(model.endpoints, file) ?? "string", ofAll(model.endpoints, "Received"), ofAll(model.endpoints, "Sent")];
      const options = bracketed(`${file.import("RegisterOptions", join)}<`, types, ">");
      const line = `options: ${options} & { ${asked.join("; ")} },`;
      if (asked.length === 0) file.print(`options?: ${options},`);
      else if (line.length + 2 <= lineWidth) file.print(line);
      else
        file.print(
          [`options: ${options} & {`, ...asked.flatMap((one) => `${one};`.split("\n").map((part) => `  ${part}`)), "},"].join("\n"),
        );
    },
    `): ${api} {`,
  );
  file.print(`  return ${file.import("register", join, "value")}<${api}>(router, contract, handlers, options);`);
  file.print("}");
}

/** A type of every endpoint, as one. */
function ofAll(endpoints: readonly Endpoint[], suffix: "Received" | "Sent"): string {
  const names = endpoints.map(({ typeName }) => typeName + suffix);
  const line = names.join(" | ");
  return line.length <= lineWidth / 2 ? line : names.map((name) => `| ${name}`).join("\n    ");
}

/** What the hook of a scheme adds to the context, as a type parameter. */
const contextOf = ({ typeName }: SecurityScheme): string => `${typeName}Context`;

/** What the clients of an endpoint have in their context: of the lists of schemes they showed one whole, unless they need not show any. */
function contextOfEndpoint({ schemes }: Model, { security }: Endpoint): string {
  if (security === undefined) return "Context";
  const shown = security.flatMap((names) => {
    const parts = schemes.filter(({ name }) => names.includes(name)).map(contextOf);
    return parts.length === 0 ? [] : [parts.join(" & ")];
  });
  const anonymous = security.some((names) => names.length === 0);
  const [only, ...others] = shown;
  const any = others.length === 0 ? (only ?? "object") : shown.map((part) => (part.includes("&") ? `(${part})` : part)).join(" | ");
  return `Context & ${anonymous ? `Partial<${any}>` : others.length === 0 ? any : `(${any})`}`;
}

/** The hooks that judge credentials. */
function emitAuthenticate(model: Model, file: GeneratedFile): void {
  const { schemes } = model;
  file.doc(
    "Who may connect: judges the credentials of each security scheme, before the connection is accepted.\n\nEach gives what it adds to `conn.context`, `undefined` to refuse, or a `Response` of its own.",
  );
  const parameters = ["Context", ...schemes.map(contextOf)].map((name) => `${name} extends object = object`);
  printInterface(file, bracketed(`${apiNames(model).authenticate}<`, parameters, ">", "export interface  {".length), schemes, (scheme) => {
    file.doc(schemeDocs(scheme, "Comes"));
    const credentials =
      scheme.contract.carries === "certificate"
        ? file.import("PeerCertificate", join)
        : scheme.contract.carries === "basic"
          ? file.import("BasicCredentials", join)
          : "string";
    file.print(`readonly ${file.key(scheme.name)}: ${file.import("Authenticate", join)}<${credentials}, ${contextOf(scheme)}, Context>;`);
  });
}
