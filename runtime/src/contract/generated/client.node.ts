// The same on Node, by export condition: what client.ts exports, with `ws` behind it where the platform has no WebSocket.
export type {
  Awaitable,
  ClientConnection,
  ClientOptions,
  ConnectOptions,
  Optional,
  RequestOptions,
  Sent,
  Unsubscribe,
} from "../../client/node.ts";
export { createClient, serverUrl } from "../../client/node.ts";
export type { Contract, Guard } from "../contract.ts";
