// What all connections of one endpoint share, made ready once: decoder, encoders, rooms, the methods of `send` and `request`.
import type { ConnectionCore } from "../connection/connection.ts";
import { encodeFrame, frameOf, opcodes } from "../connection/wire.ts";
import { type ContractError, WsgenError } from "../errors.ts";
import { prepareCalls } from "./calls.ts";
import { prepareCodecs } from "./codec.ts";
import type { DispatchEnd, DispatchNode, EndpointContract, ReplyContract } from "./contract.ts";
import type { Asker, ContractConnection, EndpointHandler, EndpointPrimitive, Facilities } from "./contract-connection.ts";
import { createDecoder, type Decoder } from "./dispatch.ts";
import { createEncoders, type Encode } from "./encode.ts";
import { filterSent, type ReceiveFilter, type SendFilter } from "./filters.ts";
import { createRecheck, type Recheck } from "./recheck.ts";
import { prepareRequests, type RequestOptions, type Requests } from "./requests.ts";
import { type Addressee, type Audience, createRooms, type Deliver, type Relay } from "./rooms.ts";
import { gatherTopics, splitName } from "./topics.ts";

/** Who hears of what goes wrong. */
export interface SessionHooks {
  /** A message arrived that the contract does not allow. */
  onInvalid(error: ContractError, conn: ContractConnection, core: ConnectionCore): unknown;
  /** A handler threw. */
  onError(error: unknown, conn: ContractConnection, core: ConnectionCore): unknown;
}

/** Says which of some messages a payload is, where nothing in it does; no guard has seen it yet. */
export type ClassifyMessage = (payload: unknown, among: readonly string[], conn: ContractConnection) => string | undefined;

/** What went wrong with a message, for a function that says it in the contract's own words. */
export interface Problem {
  readonly code: "invalid_message" | "unknown_message" | "invalid_json" | "unsupported_data" | "internal_error";
  /** One sentence for whoever wrote the client; it quotes no more than 40 characters of what was sent. */
  readonly detail: string;
  /** Name of the message, as far as it is known. */
  readonly message: string | undefined;
  /** What was sent, as far as it could be read. No guard has accepted it. */
  readonly payload: unknown;
}

/** Gives the contract's error message for a problem; its constants and the id of the request are filled in. */
export type ToError = (problem: Problem, conn: ContractConnection) => unknown;

/** What all connections of one endpoint share. */
export interface Endpoint extends Facilities {
  readonly contract: EndpointContract;
  readonly handler: EndpointHandler | EndpointPrimitive;
  /** What surrounds it, if anything. */
  readonly receive: ReceiveFilter | undefined;
  readonly decoder: Decoder;
  /** What becomes of each message that arrives, by its name. */
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly encoders: ReadonlyMap<string, Encode>;
  readonly classify: ClassifyMessage | undefined;
  readonly toError: ToError | undefined;
  /** Makes the table of open requests of one connection; `undefined` when the server asks nothing. */
  readonly createRequests: (() => Requests) | undefined;
}

/** What becomes of a message that arrives. */
export interface Receiver {
  /** Absent for replies, and where the endpoint's handler reads its messages itself. */
  readonly handle: ((payload: unknown, conn: ContractConnection) => unknown) | undefined;
  /** What its handler returns. */
  readonly reply: ReplyContract | undefined;
}

/** What of an endpoint is a function, beside its handler. */
export interface EndpointFunctions {
  readonly receive?: ReceiveFilter;
  readonly send?: SendFilter;
  readonly classify?: ClassifyMessage | undefined;
  readonly toError?: ToError | undefined;
  /** By content type. */
  readonly codecs?: object | undefined;
  /** Joins its rooms with those of other processes. */
  readonly connect?: ((deliver: Deliver, recheck: Recheck) => Relay) | undefined;
}

/** Makes an endpoint ready. Throws WSGEN_USAGE when a handler, a codec, `classify` or `toError` is missing, naming it. */
export function prepareEndpoint(
  label: string,
  contract: EndpointContract,
  given: EndpointHandler | EndpointPrimitive,
  { receive, send, classify, toError, connect, ...functions }: EndpointFunctions = {},
): Endpoint {
  const handler = typeof given === "function" ? given : gatherTopics(given, Object.keys(contract.receives.messages));
  const codecs = prepareCodecs(label, contract, functions.codecs);
  const decoder = createDecoder(contract.receives, codecs);
  const plain = createEncoders(contract.sends, codecs);
  const encoders = send === undefined ? plain : filterSent(send, plain);
  if (typeof handler !== "function") assertHandlers(label, contract, handler);
  if (toError === undefined && contract.error?.toError) {
    throw new WsgenError(
      "WSGEN_USAGE",
      `${label} says errors with "${contract.error.message}": add a function to \`toError\` that makes it.`,
    );
  }
  if (classify === undefined && asksToClassify(contract)) {
    throw new WsgenError("WSGEN_USAGE", `${label} has messages that nothing tells apart: add a function to \`classify\` that does.`);
  }

  const answers = new Set(Object.values(contract.receives.messages).flatMap(({ reply }) => reply?.messages ?? []));
  const keyOf = (name: string) => (answers.has(name) ? undefined : name); // Whoever asked waits for his own answer, not for the last one.
  const Send = prepareCalls<Addressee, (payload: unknown) => unknown>(encoders.keys(), (name) => {
    const encode = encoders.get(name)!; // The names are the map's own.
    const key = keyOf(name);
    return (addressee) => (payload) => addressee.push(outgoing(encode(payload)), key);
  });
  const Publish = prepareCalls<Audience, (payload: unknown) => unknown>(encoders.keys(), (name) => {
    const encode = encoders.get(name)!; // As above.
    return (audience) => (payload) => audience.publish(frameOf(outgoing(encode(payload))), name, keyOf(name));
  });
  const asked = Object.entries(contract.sends).filter(([, { reply }]) => reply !== undefined);
  const Request = prepareCalls<Asker, (payload: unknown, options?: RequestOptions) => Promise<unknown>>(
    asked.map(([name]) => name),
    (name) => (asker) => (payload, options) => asker.request(name, payload, options),
  );
  const createRequests = asked.length === 0 ? undefined : prepareRequests(contract, encoders, decoder);
  const rooms = createRooms(Publish, connect && ((deliver) => connect(deliver, createRecheck(contract.sends, codecs))));
  const receivers = prepareReceivers(contract, handler);
  return { contract, handler, receive, decoder, receivers, encoders, rooms, Send, Request, classify, toError, createRequests };
}

function prepareReceivers(contract: EndpointContract, handler: EndpointHandler | EndpointPrimitive): ReadonlyMap<string, Receiver> {
  const messages = (typeof handler === "function" ? undefined : handler.messages) ?? {};
  return new Map(
    Object.entries(contract.receives.messages).map(([name, { reply }]) => {
      const handle = messages[name];
      return [name, { handle: typeof handle === "function" ? handle.bind(messages) : undefined, reply }];
    }),
  );
}

/** TypeScript checks this for everyone who uses it. */
function assertHandlers(label: string, { receives, sends }: EndpointContract, { messages = {} }: EndpointHandler): void {
  const replies = new Set(Object.values(sends).flatMap(({ reply }) => reply?.messages ?? []));
  for (const name of leavesOf(receives.dispatch)) {
    if (replies.has(name) || (Object.hasOwn(receives.messages, name) && typeof messages[name] === "function")) continue;
    const [topic = "messages", method] = splitName(name);
    throw new WsgenError("WSGEN_USAGE", `${label} has no handler for the message "${name}": add ${method}(payload, conn) to its ${topic}.`);
  }
}

/** Whether what an endpoint receives cannot be read without a function of the user's. */
function asksToClassify({ receives }: EndpointContract): boolean {
  return [...endsOf(receives.dispatch)].some((end) => typeof end !== "string" && end.by === "classify");
}

function leavesOf(dispatch: EndpointContract["receives"]["dispatch"]): ReadonlySet<string> {
  return new Set([...endsOf(dispatch)].flatMap((end) => (typeof end === "string" ? end : end.among)));
}

function endsOf({ binary, constants = [], encoded, json, text }: EndpointContract["receives"]["dispatch"]): ReadonlySet<DispatchEnd> {
  const ends = new Set(constants.map(([, end]) => end));
  const walk = (node: DispatchNode | undefined): void => {
    if (node === undefined) return;
    if (typeof node === "string" || "among" in node) {
      ends.add(node);
      return;
    }
    walk(node.absent);
    if ("cases" in node) {
      for (const [, then] of node.cases) walk(then);
      walk(node.other);
    } else if ("kinds" in node) Object.values(node.kinds).forEach(walk);
    else walk(node.present);
  };
  [json, encoded, binary, text].forEach(walk);
  return ends;
}

/** An encoded message as a connection takes it. */
export function outgoing(data: string | Uint8Array): Buffer | string {
  return typeof data === "string" ? data : encodeFrame(opcodes.binary, data);
}
