// What all connections of one endpoint share, made ready once: decoder, encoders, rooms, the methods of `send` and `request`.
import type { ConnectionCore } from "../connection/connection.ts";
import { encodeFrame, opcodes } from "../connection/wire.ts";
import { type ContractError, WsgenError } from "../errors.ts";
import { type CallsOf, prepareCalls } from "./calls.ts";
import type { EndpointContract } from "./contract.ts";
import type { ContractConnection, EndpointHandler, EndpointPrimitive } from "./contract-connection.ts";
import { createDecoder, type Decoder } from "./dispatch.ts";
import { createEncoders, type Encode } from "./encode.ts";
import { filterSent, type ReceiveFilter, type SendFilter } from "./filters.ts";
import { prepareRequests, type RequestOptions, type Requests } from "./requests.ts";
import { type Addressee, createRooms, type Deliver, type Relay, type Rooms } from "./rooms.ts";
import { gatherTopics, splitName } from "./topics.ts";

/** Who hears of what goes wrong. */
export interface SessionHooks {
  /** A message arrived that the contract does not allow. */
  onInvalid(error: ContractError, conn: ContractConnection, core: ConnectionCore): void;
  /** A handler threw. */
  onError(error: unknown, conn: ContractConnection, core: ConnectionCore): void;
}

/** Whoever can ask its client something. */
export interface Asker {
  request(name: string, payload: unknown, options: RequestOptions | undefined): Promise<unknown>;
}

/** What all connections of one endpoint share. */
export interface Endpoint {
  readonly contract: EndpointContract;
  readonly handler: EndpointHandler | EndpointPrimitive;
  /** What surrounds it, if anything. */
  readonly receive: ReceiveFilter | undefined;
  readonly decoder: Decoder;
  readonly encoders: ReadonlyMap<string, Encode>;
  readonly rooms: Rooms;
  readonly Send: CallsOf<Addressee>;
  readonly Request: CallsOf<Asker>;
  /** Makes the table of open requests of one connection; `undefined` when the server asks nothing. */
  readonly createRequests: (() => Requests) | undefined;
}

/** Makes an endpoint ready. Throws WSGEN_USAGE when a handler is missing, naming it. */
export function prepareEndpoint(
  label: string,
  contract: EndpointContract,
  given: EndpointHandler | EndpointPrimitive,
  around: {
    readonly receive?: ReceiveFilter;
    readonly send?: SendFilter;
    /** Joins its rooms with those of other processes. */
    readonly connect?: ((deliver: Deliver) => Relay) | undefined;
  } = {},
): Endpoint {
  const handler = typeof given === "function" ? given : gatherTopics(given, Object.keys(contract.receives.messages));
  const decoder = createDecoder(contract.receives);
  const plain = createEncoders(contract.sends);
  const encoders = around.send === undefined ? plain : filterSent(around.send, plain);
  if (typeof handler !== "function") assertHandlers(label, contract, handler);

  const Send = prepareCalls<Addressee, (payload: unknown) => unknown>(encoders.keys(), (name) => {
    const encode = encoders.get(name)!; // The names are the map's own.
    return (addressee) => (payload) => addressee.push(frameOf(encode(payload)), name);
  });
  const asked = Object.entries(contract.sends).filter(([, { reply }]) => reply !== undefined);
  const Request = prepareCalls<Asker, (payload: unknown, options?: RequestOptions) => Promise<unknown>>(
    asked.map(([name]) => name),
    (name) => (asker) => (payload, options) => asker.request(name, payload, options),
  );
  const createRequests = asked.length === 0 ? undefined : prepareRequests(contract, encoders, decoder);
  const rooms = createRooms(Send, around.connect);
  return { contract, handler, receive: around.receive, decoder, encoders, rooms, Send, Request, createRequests };
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

function leavesOf({ binary, constants = [], json, text }: EndpointContract["receives"]["dispatch"]): ReadonlySet<string> {
  const leaves = new Set(constants.map(([, name]) => name));
  const walk = (node: typeof json): void => {
    if (node === undefined) return;
    if (typeof node === "string") {
      leaves.add(node);
      return;
    }
    walk(node.absent);
    if ("cases" in node) {
      for (const [, then] of node.cases) walk(then);
      walk(node.other);
    } else if ("kinds" in node) Object.values(node.kinds).forEach(walk);
    else walk(node.present);
  };
  [json, binary, text].forEach(walk);
  return leaves;
}

/** An encoded message as a frame of its kind. */
export function frameOf(data: string | Uint8Array): Buffer {
  return encodeFrame(typeof data === "string" ? opcodes.text : opcodes.binary, data);
}
