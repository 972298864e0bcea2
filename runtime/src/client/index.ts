// The client for browsers and for every platform with a WebSocket of its own. Node has an entry beside this one (node.ts).
import { WsgenError } from "../errors.ts";
import { createClientOn } from "./create.ts";
import { type ShowCredentials, showCredentials } from "./credentials.ts";

export type { Awaitable, CloseOutcome, Sent } from "../connection/outcome.ts";
export type { Codec } from "../contract/codec.ts";
export type { Contract } from "../contract/contract.ts";
export type { Optional } from "../contract/encode.ts";
export type { RequestOptions } from "../contract/requests.ts";
export {
  ConnectionClosedError,
  ContractError,
  InboundOverflowError,
  OutboundOverflowError,
  RequestFailedError,
  RequestTimeoutError,
  UpgradeRejectedError,
  WsgenError,
} from "../errors.ts";
export { handshake, serverUrl } from "./address.ts";
export { answers } from "./answers.ts";
export { catchAlls } from "./catch-alls.ts";
export { choices } from "./choices.ts";
export { closings } from "./closings.ts";
export { codecs } from "./codecs.ts";
export type { ClientConnection } from "./connection.ts";
export { constants } from "./constants.ts";
export type { ClientOptions, ConnectOptions, Given } from "./create.ts";
export type { BasicCredentials } from "./credentials.ts";
export { dispatch } from "./dispatch.ts";
export type { Feature } from "./feature.ts";
export { formats } from "./formats.ts";
export { guards } from "./guards.ts";
export type { ConnectionState, Opening, Reconnected } from "./life.ts";
export type { Unsubscribe } from "./listeners.ts";
export { type Login, login } from "./login.ts";
export { requests } from "./requests.ts";
export type { ReconnectOptions } from "./retry.ts";
export type { WebSocketConstructor, WebSocketLike } from "./socket.ts";
export { subscriptions } from "./subscriptions.ts";
export { type ClientTopic, topics } from "./topics.ts";

/**
 * Creates a client of a contract on the standard WebSocket. Generated code calls it, gives it its type and names the features it needs.
 *
 * Each of its methods rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export const createClient = /* @__PURE__ */ createClientOn((url, protocols, headers, { WebSocket: Given, agent, tls }) => {
  if (Given) return { socket: new Given(url, protocols, { ...tls, agent, headers }) };
  if (agent || tls || Object.keys(headers).length) throw new WsgenError("WSGEN_USAGE", "WebSocket takes no headers, agent or tls.");
  return { socket: new WebSocket(url, protocols) };
});

/** Has a client show its credentials: what only headers can carry needs a WebSocket that takes them. */
export const credentials: ShowCredentials = (contract, options) => showCredentials(contract, options, !options?.WebSocket);
