// contract.server.ts and contract.client.ts: everything the runtime has to know of the document, as data. Each holds only the guards that its side runs.
import type { DispatchTree } from "@wsgen/runtime/generated/server";
import { endsOf } from "../model/exits.ts";
import type {
  Delivery,
  Direction,
  Endpoint,
  ErrorMapping,
  HandshakePart,
  Message,
  Model,
  Reply,
  SecurityScheme,
  Topic,
} from "../model/model.ts";
import { version } from "../version.ts";
import { joins } from "./api-names.ts";
import { code, type Emitter, type GeneratedFile, type Literal } from "./file.ts";
import { guardName } from "./guard-schema.ts";
import { directions } from "./signatures.ts";

/** Version of the join that is written; the runtime refuses every other one. */
const contractVersion = 1;

export const emitServerContract: Emitter = (model, file) => emitContract(model, file, "server");
export const emitClientContract: Emitter = (model, file) => emitContract(model, file, "client");
/** Without guards, and so without validators.ts. */
export const emitUncheckedContract: Emitter = (model, file) => emitContract(model, file, "client", "unchecked");

function emitContract(model: Model, file: GeneratedFile, side: "server" | "client", unchecked?: "unchecked"): void {
  file.declare("contract");
  const type = file.import("Contract", joins[side]);
  const contract = {
    version: contractVersion,
    generator: version,
    title: model.title,
    ...(model.schemes.length > 0 && { schemes: record(model.schemes, schemeContract) }),
    endpoints: record(model.endpoints, (endpoint) => endpointContract(model, endpoint, unchecked ? undefined : guardOf(file), side)),
  };
  file.doc(`What the runtime needs to know of ${model.source}, for a ${side}${unchecked ? " that checks nothing" : ""}.`);
  file.print(
    `export const contract = ${file.value(contract, `export const contract =  as const satisfies ${type};`.length)} as const satisfies ${type};`,
  );
}

const schemeContract = ({ contract: { carries, in: where, name, scheme } }: SecurityScheme): Literal =>
  present({ carries, in: where, name, scheme });

function endpointContract(model: Model, endpoint: Endpoint, guards: Guards | undefined, side: "server" | "client"): Literal {
  const guard = guards ?? (() => undefined);
  const { sends, receives } = directions(endpoint, side);
  // Where no guard does it, they tell a reply from an event with the same id.
  const telling = new Map(guards ? [] : receives.messages.map(({ name, constants }) => [name, constants]));
  const answers = answersTo(sends);
  const ends = namesIn(receives.tree);
  return present({
    address: endpoint.address,
    parameters: endpoint.parameters && partContract(endpoint.parameters, guard, pathFacts(endpoint.parameters, side)),
    query: endpoint.query && partContract(endpoint.query, guard, filledIn(endpoint.query, side)),
    headers: endpoint.headers && partContract(endpoint.headers, guard, side === "server" ? { names: endpoint.headers.names } : {}),
    protocols: endpoint.protocols.length === 0 ? undefined : endpoint.protocols,
    closeCodes: notEmpty(Object.fromEntries([...model.closeCodes, ...endpoint.closeCodes].map(({ name, code }) => [name, code]))),
    security: endpoint.security,
    receives: {
      dispatch: asLiteral(receives.tree),
      messages: record([...receives.deliveries, ...replies(sends, receives)], (message) =>
        messageContract(message, {
          guard,
          constants: answers.has(message.name) ? telling.get(message.name) : undefined,
          answersOnly: "replyOnly" in message && message.replyOnly && ends.has(message.name),
          unlike: receives.messages.find(({ name }) => name === message.name)?.unlike,
        }),
      ),
    },
    sends: record(sends.messages, (message) =>
      // Without guards nothing is checked.
      messageContract(message, { guard, constants: message.constants, unlike: guards && message.elsewhere }),
    ),
    error: endpoint.error && errorContract(endpoint.error),
    topics: side === "server" ? undefined : notEmpty(topicContracts(endpoint)),
    onInvalid: side === "server" ? endpoint.onInvalid : undefined,
  });
}

/** A channel with a socket to itself has no topic but its subscription. */
function topicContracts({ topics, subscription }: Endpoint): { readonly [name: string]: Literal } {
  const own: readonly (readonly [string, Literal])[] =
    subscription === undefined ? [] : [["subscription", { subscription: asLiteral(subscription) }]];
  return Object.fromEntries([...topics.map((topic) => [topic.name, topicContract(topic)] as const), ...own]);
}

function topicContract({ parameters, subscription }: Topic): Literal {
  return present({
    at: parameters && notEmpty(parameters.at),
    defaults: parameters?.defaults,
    subscription: subscription && asLiteral(subscription),
  });
}

/** `more`: what one side alone needs to know. */
function partContract({ type, coerce }: HandshakePart, guard: Guards, more: { readonly [key: string]: Literal | undefined } = {}): Literal {
  return present({ guard: guard(type), coerce: notEmpty(coerce), ...more });
}

/** What stands for what is left out is the client's to know: on the wire nothing is. */
const filledIn = ({ defaults }: HandshakePart, side: "server" | "client"): { readonly defaults?: HandshakePart["defaults"] } =>
  side === "client" && defaults !== undefined ? { defaults } : {};

/** What a value is decoded from is the server's to know. */
const pathFacts = (part: HandshakePart, side: "server" | "client"): { readonly [key: string]: Literal | undefined } =>
  side === "server" ? { slashes: part.slashes } : filledIn(part, side);

/** Messages that answer this side's requests and are not delivered under their own name anyway. */
function replies(sends: Direction, receives: Direction): readonly Message[] {
  const names = answersTo(sends);
  const delivered = new Set(receives.deliveries.map(({ name }) => name));
  return receives.messages.filter(({ name, replyOnly }) => (replyOnly || names.has(name)) && !delivered.has(name));
}

function answersTo(sends: Direction): ReadonlySet<string> {
  return new Set(sends.messages.flatMap(({ reply }) => reply?.messages ?? []));
}

interface Handling {
  readonly guard: Guards;
  readonly constants: Message["constants"] | undefined;
  /** Of a message that arrives: whether it is nothing but an answer, though a tree leads to it. */
  readonly answersOnly?: boolean;
  readonly unlike?: Message["unlike"];
}

function messageContract(
  { format, codec, type, reply }: Delivery | Message,
  { guard, constants, answersOnly = false, unlike }: Handling,
): Literal {
  return present({
    format,
    contentType: codec,
    guard: format === "binary" ? undefined : guard(type),
    constants: constants && notEmpty(constants),
    reply: reply && replyContract(reply),
    answersOnly: answersOnly ? true : undefined,
    unlike: unlike?.map(asLiteral),
  });
}

/** Names of all messages that a tree leads to. */
function namesIn({ binary, constants = [], encoded, json, text }: DispatchTree): ReadonlySet<string> {
  const roots = [binary, encoded, json, text, ...constants.map(([, end]) => end)];
  return new Set(roots.flatMap((root) => (root === undefined ? [] : endsOf(root))));
}

const replyContract = ({ messages, request, reply, id }: Reply): Literal => ({ messages, request, reply, id });
const errorContract = ({ message, code, detail, correlation, toError }: ErrorMapping): Literal =>
  present({ message, code, detail, correlation, toError });

/** Prints the guard of a type, where there are guards. Bytes have none: JSON Schema cannot speak of them. */
type Guards = (type: string) => Literal | undefined;
const guardOf =
  (file: GeneratedFile): Guards =>
  (type) =>
    code(file.import(guardName(type), "./validators.js", "value"));

function record<T extends { readonly name: string }>(items: readonly T[], value: (item: T) => Literal): Literal {
  return Object.fromEntries(items.map((item) => [item.name, value(item)]));
}

function present(properties: { readonly [key: string]: Literal | undefined }): Literal {
  return Object.fromEntries(Object.entries(properties).filter((entry): entry is [string, Literal] => entry[1] !== undefined));
}

const notEmpty = <T extends object>(value: T): T | undefined => (Object.keys(value).length === 0 ? undefined : value);

/** The tree is JSON all the way down; its optional properties are left out and never `undefined`. */
function asLiteral(value: object): Literal {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}
