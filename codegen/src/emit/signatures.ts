// What server.ts and client.ts say alike: what is sent, asked and received under a message's name.
import type { Path } from "@wsgen/runtime/generated/server";
import type { Schema } from "../model/keywords.ts";
import type { Delivery, Direction, Docs, Endpoint, HandshakePart, Message, Model, Reply, SecurityScheme, Topic } from "../model/model.ts";
import { refName } from "../model/schemas.ts";
import { isObject, property } from "../model/tree.ts";
import { apiNames } from "./api-names.ts";
import { type GeneratedFile, lineWidth } from "./file.ts";

/** What one side sends on an endpoint, what it receives. */
export function directions(endpoint: Endpoint, side: "server" | "client"): { readonly sends: Direction; readonly receives: Direction } {
  const { clientToServer, serverToClient } = endpoint;
  return side === "server" ? { sends: serverToClient, receives: clientToServer } : { sends: clientToServer, receives: serverToClient };
}

/** The messages of one place of an endpoint: those of a topic, or those that are the socket's. */
export interface Group {
  readonly topic: Topic | undefined;
  /** Prefix of its interfaces. */
  readonly typeName: string;
  /** The place as a comment says it. */
  readonly at: string;
  readonly sends: Direction;
  readonly receives: Direction;
}

/** The places of an endpoint, as one side sees them: the socket itself, and its topics. */
export function groupsOf(endpoint: Endpoint, side: "server" | "client"): { readonly socket: Group; readonly topics: readonly Group[] } {
  const { sends, receives } = directions(endpoint, side);
  const group = (topic: Topic | undefined): Group => ({
    topic,
    typeName: (topic ?? endpoint).typeName,
    at:
      topic === undefined
        ? at(endpoint)
        : `the topic \`${topic.address === endpoint.address ? topic.name : topic.address}\` of ${at(endpoint)}`,
    sends: only(sends, topic),
    receives: only(receives, topic),
  });
  return { socket: group(undefined), topics: endpoint.topics.map(group) };
}

function only({ messages, deliveries, ...direction }: Direction, topic: Topic | undefined): Direction {
  const inside = (item: Message | Delivery): boolean => item.topic === topic?.name;
  return { ...direction, messages: messages.filter(inside), deliveries: deliveries.filter(inside) };
}

/** What a comment says of the messages that are sent at one place; `topical` is where those of its topics are. */
export function sendDocs(who: string, { at, sends }: Group, topical: string): string {
  const silent =
    plainMessages(sends).length > 0 || topical !== "" ? "" : `: nothing${requests(sends.messages).length > 0 ? " but requests" : ""}`;
  return `What ${who} sends on ${at}${topical}${silent}.`;
}

/** Messages that are sent and forgotten. */
export const plainMessages = ({ messages }: Direction): readonly Message[] =>
  messages.filter(({ reply, replyOnly }) => reply === undefined && !replyOnly);

/** A message or delivery that is answered. */
export type Asks<T> = T & { readonly reply: Reply };
export const requests = <T extends Message | Delivery>(list: readonly T[]): readonly Asks<T>[] =>
  list.filter((item): item is Asks<T> => item.reply !== undefined);

/** Every type of types.ts that the signatures of a model speak of; imported first, so that they keep their names. */
export function importTypes(model: Model, file: GeneratedFile, side: "server" | "client"): void {
  for (const endpoint of model.endpoints) {
    for (const part of [endpoint.parameters, endpoint.query, endpoint.headers]) if (part !== undefined) partType(file, part);
    if (side === "client") for (const { parameters } of endpoint.topics) if (parameters !== undefined) partType(file, parameters);
    const { sends, receives } = directions(endpoint, side);
    for (const message of [...plainMessages(sends), ...requests(sends.messages)]) received(file, message);
    for (const delivery of receives.deliveries) received(file, delivery);
    for (const { reply } of requests(receives.deliveries)) for (const message of answers(reply, sends)) received(file, message);
    for (const { reply } of requests(sends.messages)) for (const message of answers(reply, receives)) received(file, message);
  }
}

export const partType = (file: GeneratedFile, { type }: Pick<HandshakePart, "type">): string => file.import(type, "./types.js");

/** `params: T`: those with a default may be left out, and so may all of them where each has one and nothing needed follows. */
export function paramsParameter(
  file: GeneratedFile,
  join: string,
  part: Pick<HandshakePart, "type" | "optional" | "defaults">,
  last = true,
): string {
  const isOptional = last && part.optional && part.defaults !== undefined;
  return `params${isOptional ? "?" : ""}: ${givenType(file, join, part)}`;
}

/** The type of what a client says: what has a default may be left out. */
export function givenType(file: GeneratedFile, join: string, part: Pick<HandshakePart, "type" | "defaults">): string {
  const names = Object.keys(part.defaults ?? {});
  const type = partType(file, part);
  return names.length === 0 ? type : `${file.import("Optional", join)}<${type}, ${names.map((name) => file.string(name)).join(" | ")}>`;
}

/** The type of a payload as it arrives. */
export function received(file: GeneratedFile, { type, format }: Message | Delivery): string {
  return format === "binary" ? "Uint8Array" : file.import(type, "./types.js");
}

/** The type of a payload as it is sent: what is filled in for the sender (constants, the correlation id) may be left out. */
export function sent(file: GeneratedFile, join: string, message: Message, filled: readonly string[] = []): string {
  const type = received(file, message);
  const names = filledIn(message, filled);
  if (message.format === "binary" || names.length === 0) return type;
  return `${file.import("Optional", join)}<${type}, ${names.map((name) => file.string(name)).join(" | ")}>`;
}

/** `payload: T`, or `payload?: T` where nothing is left that the sender has to say. */
export function payloadParameter(
  file: GeneratedFile,
  join: string,
  model: Model,
  message: Message,
  filled: readonly string[] = [],
): string {
  // An id that cannot be made up is never filled in.
  const given = message.reply?.given === true ? correlationProperty(model, message, message.reply.request) : [];
  const names = filledIn(
    message,
    filled.filter((name) => !given.includes(name)),
  );
  const schema = model.types.find(({ name }) => name === message.type)?.schema;
  const plain = typeof schema === "object" && schema["type"] === "object" && !composed.some((keyword) => keyword in schema);
  const required = plain && schema["required"] !== undefined ? schema["required"] : [];
  const type = sent(file, join, message, names);
  const properties = plain ? Object.keys(schema["properties"] ?? {}) : [];
  const demanded = given.filter((name) => properties.includes(name) && !(Array.isArray(required) && required.includes(name)));
  const demand = demanded.map((name) => file.string(name)).join(" | ");
  if (demand !== "") return `payload: ${type} & Required<Pick<${received(file, message)}, ${demand}>>`;
  const silent = plain && names.length > 0 && Array.isArray(required) && required.every((name) => names.includes(name));
  return `payload${silent ? "?" : ""}: ${type}`;
}

/** Keywords beside which `required` does not say everything that an object must have. */
const composed = ["allOf", "anyOf", "oneOf", "not", "if", "dependencies", "minProperties", "$ref"];

function filledIn(message: Message, filled: readonly string[]): readonly string[] {
  return [...new Set([...Object.keys(message.constants), ...filled])];
}

/** The property that the correlation id fills in: the id itself, or what holds it and need hold nothing else. */
export function correlationProperty({ types }: Model, { type }: Message, [first, ...rest]: Path): readonly string[] {
  const propertyOf = (schema: Schema | undefined, name: Path[number]): Schema | undefined => {
    const properties = isObject(schema) ? schema["properties"] : undefined;
    const found = isObject(properties) ? property(properties, String(name)) : undefined;
    const ref = found === undefined ? undefined : refName(found);
    return (ref === undefined ? found : schemaOf(ref)) as Schema | undefined;
  };
  const schemaOf = (name: string): Schema | undefined => types.find((one) => one.name === name)?.schema;
  const holds = (schema: Schema | undefined, [next, ...further]: Path): boolean => {
    if (next === undefined) return true;
    if (!isObject(schema) || composed.some((keyword) => keyword in schema)) return false;
    const { required = [] } = schema;
    return Array.isArray(required) && required.every((name) => name === next) && holds(propertyOf(schema, next), further);
  };
  return typeof first === "string" && holds(propertyOf(schemaOf(type), first), rest) ? [first] : [];
}

/** The messages that a reply may be, of the direction that carries them. */
export function answers(reply: Reply, { messages }: Direction): readonly Message[] {
  return reply.messages.flatMap((name) => messages.find((message) => message.name === name) ?? []);
}

/** What answers a request, as it arrives: one payload or another. */
export function answerReceived(file: GeneratedFile, reply: Reply, direction: Direction): string {
  return union(answers(reply, direction).map((message) => received(file, message)));
}

/** What answers a request, as it is given back: the correlation id is filled in, and constants unless they say which of several replies it is. */
export function answerSent(file: GeneratedFile, join: string, model: Model, reply: Reply, direction: Direction): string {
  const all = answers(reply, direction);
  const asGiven = (message: Message): Message => (all.length > 1 ? { ...message, constants: {} } : message);
  return union(all.map((message) => sent(file, join, asGiven(message), correlationProperty(model, message, reply.reply))));
}

const union = (types: readonly string[]): string => [...new Set(types)].join(" | ");

/** One endpoint in the file of one side. */
export interface Context {
  readonly model: Model;
  readonly endpoint: Endpoint;
  readonly file: GeneratedFile;
  readonly side: "server" | "client";
  /** The module that generated code of this side imports. */
  readonly join: string;
}

/** Prints the method that sends a message. */
export function printSend(message: Message, { model, file, join }: Context): void {
  file.doc(message.docs);
  printCall(file, file.key(message.method), [payloadParameter(file, join, model, message)], `: ${file.import("Sent", join)};`);
}

/** Prints the method that sends a request, and gives its reply. */
export function printRequest(message: Asks<Message>, { model, endpoint, file, side, join }: Context): void {
  const { receives } = directions(endpoint, side);
  const parameter = payloadParameter(file, join, model, message, correlationProperty(model, message, message.reply.request));
  const options = `options?: ${file.import("RequestOptions", join)}`;
  file.doc(message.docs);
  printCall(file, file.key(message.method), [parameter, options], `: Promise<${answerReceived(file, message.reply, receives)}>;`);
}

/** Prints an interface with one member for each item, and an empty line behind it. */
export function printInterface<T>(file: GeneratedFile, head: string, items: readonly T[], member: (item: T) => void): void {
  const line = `export interface ${head} {`;
  const opening = line.length + 1 <= lineWidth ? line : line.replace(/ extends (?!object)/, "\n  extends ");
  if (items.length === 0) file.print(`${opening}}`);
  else file.block(opening, () => items.forEach(member), "}");
  file.print("");
}

/** Prints the same with members that print themselves. */
export function printMembers(file: GeneratedFile, head: string, members: readonly (() => void)[]): void {
  printInterface(file, head, members, (member) => member());
}

/** Prints a union of everything that can arrive, told apart by `name`, and an empty line behind it. */
export function printNamedUnion(file: GeneratedFile, name: string, deliveries: readonly Delivery[]): void {
  printNamedTypes(
    file,
    name,
    deliveries.map((delivery) => ({ name: delivery.name, type: received(file, delivery) })),
  );
}

/** Prints a union of payloads told apart by `name`, and an empty line behind it. */
export function printNamedTypes(
  file: GeneratedFile,
  name: string,
  payloads: readonly { readonly name: string; readonly type: string }[],
): void {
  const members = payloads.map((payload) => {
    const parts = [`readonly name: ${file.string(payload.name)}`, `readonly payload: ${payload.type}`];
    const line = `{ ${parts.join("; ")} }`;
    return line.length + "  | ;".length <= lineWidth ? line : `{\n${parts.map((part) => `      ${part};\n`).join("")}    }`;
  });
  const [only = "never"] = members;
  const line = `export type ${name} = ${only};`;
  if (members.length <= 1 && line.length <= lineWidth) file.print(line);
  else file.print(`export type ${name} =\n${members.map((member) => `  | ${member}`).join("\n")};`);
  file.print("");
}

/** Prints a member of an interface that is called: on one line where it fits, else with a line for each parameter. */
export function printCall(file: GeneratedFile, before: string, parameters: readonly string[], after: string): void {
  const line = `${before}(${parameters.join(", ")})${after}`;
  const open = [`${before}(`, ...parameters.map((parameter) => `  ${parameter},`), `)${after}`];
  file.print(line.length + 2 <= lineWidth ? line : open.join("\n"));
}

/** A list between brackets: on one line where it fits beside the `used` characters that are there already, else with a line for each item. */
export function bracketed(before: string, items: readonly string[], after: string, used = 2): string {
  const line = `${before}${items.join(", ")}${after}`;
  return line.length + used <= lineWidth ? line : [before, items.map((item) => `  ${item}`).join(",\n"), after].join("\n");
}

/** The comment of a message, with a sentence of ours behind its summary. */
export function docsWith({ title, summary, description, deprecated }: Docs, ours: string): Docs {
  const flag = deprecated === undefined ? {} : { deprecated };
  const behind = (text: string): string => `${/[.!?:]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`} ${ours}`;
  if (summary !== undefined) return { summary: behind(summary), ...(description === undefined ? {} : { description }), ...flag };
  const text = description ?? title;
  return { summary: text === undefined ? ours : text.includes("\n") ? `${text.trim()}\n\n${ours}` : behind(text), ...flag };
}

/** What a comment says of a reply that is given back: what is filled in, and what of several replies has to say which it is. */
export function returnDocs(reply: Reply, direction: Direction): string {
  const all = answers(reply, direction);
  const names = new Set(all.length > 1 ? all.flatMap(({ constants }) => Object.keys(constants)) : []);
  const telling = [...names].map((name) => `\`${name}\``).join(", ");
  const given = telling === "" ? "Return the reply" : `Return one of the replies with its ${telling}, which tells them apart`;
  return reply.id === "order" ? `${given}.` : `${given}; its \`${reply.reply.join(".")}\` is filled in.`;
}

/** Prints the interface of the functions that say which message it is, where there have to be any; whether there are. */
export function printClassify(model: Model, file: GeneratedFile, side: "server" | "client", conn: (endpoint: Endpoint) => string): boolean {
  const asked = model.endpoints.filter((endpoint) => directions(endpoint, side).receives.choice?.by === "classify");
  if (asked.length === 0) return false;
  file.doc("Says which message it is where nothing in the message does. No validator has seen the payload yet; `undefined` refuses it.");
  printInterface(file, `${apiNames(model).classify}${side === "server" ? "<Context = object>" : ""}`, asked, (endpoint) => {
    const names = (directions(endpoint, side).receives.choice?.among ?? []).map((name) => file.string(name));
    const parameters = ["payload: unknown", `among: readonly (${names.join(" | ")})[]`, `conn: ${conn(endpoint)}`];
    printCall(file, `readonly ${file.key(endpoint.name)}: `, parameters, ` => ${names.join(" | ")} | undefined;`);
  });
  return true;
}

/** Prints the member that says which subprotocol was agreed on, where the document names some. */
export function protocolMembers({ schemes }: Model, { protocols, security = [] }: Endpoint, file: GeneratedFile): readonly (() => void)[] {
  if (protocols.length === 0) return [];
  const asked = new Set(security.flat());
  // A server that speaks none of those that are offered agrees on the one that stands beside the credentials.
  const carrying = schemes
    .filter(({ name, contract }) => asked.has(name) && contract.in === "protocol")
    .map(({ name, contract }) => contract.name ?? name);
  return [
    () => {
      file.doc('The subprotocol that was agreed on, "" when none was.');
      file.print(`readonly protocol: ${[...protocols, ...carrying, ""].map((name) => file.string(name)).join(" | ")};`);
    },
  ];
}

/** The argument of a type whose `protocols` are the document's; "" where one of the endpoints has none. */
export function protocolArgument(endpoints: readonly Endpoint[], file: GeneratedFile): string {
  const names = protocolNames(endpoints, file);
  return names === undefined ? "" : `<${names}>`;
}

/** The same without its brackets. */
export function protocolNames(endpoints: readonly Endpoint[], file: GeneratedFile): string | undefined {
  if (endpoints.some(({ protocols }) => protocols.length === 0)) return undefined;
  const names = [...new Set(endpoints.flatMap(({ protocols }) => protocols))];
  return names.map((name) => file.string(name)).join(" | ");
}

/** What a comment says of a security scheme: its own words, then where its credentials travel. */
export function schemeDocs({ docs, place, scopes }: SecurityScheme, travels: "Comes" | "Goes"): Docs {
  const asked = scopes.length === 0 ? "" : ` Scopes that are asked for: ${scopes.map((scope) => `\`${scope}\``).join(", ")}.`;
  return docsWith(docs, `${travels} in ${place}.${asked}`);
}

/** An address as a comment says it. */
export const at = ({ address }: Endpoint): string => `\`${address}\``;
