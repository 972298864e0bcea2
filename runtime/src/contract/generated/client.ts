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
export { answers, choices, createClient, requests, serverUrl, subscriptions, topics } from "../../client/index.ts";
export type { Contract, Guard } from "../contract.ts";
