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
export { answers, choices, createClient, requests, serverUrl, subscriptions, topics } from "../../client/node.ts";
export type { Contract, Guard } from "../contract.ts";
