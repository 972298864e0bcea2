// The client for browsers and for every platform with a WebSocket of its own. Node has an entry beside this one (node.ts).
import { WsgenError } from "../errors.ts";
import { createClientOn } from "./create.ts";

export type { Awaitable, CloseOutcome, Sent } from "../connection/outcome.ts";
export type { Contract } from "../contract/contract.ts";
export type { Optional } from "../contract/encode.ts";
export type { RequestOptions } from "../contract/requests.ts";
export {
  ConnectionClosedError,
  ContractError,
  InboundOverflowError,
  RequestFailedError,
  RequestTimeoutError,
  UpgradeRejectedError,
  WsgenError,
} from "../errors.ts";
export { serverUrl } from "./address.ts";
export type { ClientConnection } from "./connection.ts";
export type { ClientOptions, ConnectOptions } from "./create.ts";
export type { Unsubscribe } from "./inbox.ts";
export type { WebSocketConstructor, WebSocketLike } from "./socket.ts";

/**
 * Creates a client of a contract on the standard WebSocket. Generated code calls it and gives it its type.
 *
 * Each of its methods rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export const createClient = /* @__PURE__ */ createClientOn((url, protocols, headers, given = globalThis.WebSocket) => {
  if (Object.keys(headers).length === 0) return { socket: new given(url, protocols) };
  if (given !== globalThis.WebSocket) return { socket: new given(url, protocols, { headers }) };
  throw new WsgenError("WSGEN_USAGE", "This platform's WebSocket cannot send headers: use a cookie, the query or a subprotocol.");
});
