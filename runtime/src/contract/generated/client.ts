// Everything a generated client may import. Hand-written and versioned: names are added, never changed.
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
} from "../../client/index.ts";
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
} from "../../client/index.ts";
export type { Contract, Guard } from "../contract.ts";
