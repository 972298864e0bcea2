// The same on Node, by export condition: what client.ts exports, with `ws` behind it.
export type {
  Awaitable,
  ClientConnection,
  ClientOptions,
  ClientTopic,
  ConnectOptions,
  Given,
  Opening,
  Optional,
  RequestOptions,
  Sent,
  Unsubscribe,
} from "../../client/node.ts";
export {
  answers,
  ConnectionClosedError,
  ContractError,
  choices,
  createClient,
  handshake,
  InboundOverflowError,
  OutboundOverflowError,
  RequestFailedError,
  RequestTimeoutError,
  requests,
  serverUrl,
  subscriptions,
  topics,
  UpgradeRejectedError,
  WsgenError,
} from "../../client/node.ts";
export type { Contract, Guard } from "../contract.ts";
