// What people import from "@wsgen/runtime". A hand-written list of names.
export type { Awaitable, CloseOutcome, Connection, Limits, Logger, Message, Sent, UpgradeRequest } from "./connection/connection.ts";
export {
  ConnectionClosedError,
  ContractError,
  type ErrorCode,
  errorCodes,
  RequestFailedError,
  RequestTimeoutError,
  WsgenError,
} from "./errors.ts";
export {
  type Accepted,
  type AcceptHeaders,
  accept,
  type Decision,
  type Middleware,
  type Next,
  type RoutedRequest,
} from "./upgrade/middleware.ts";
export {
  createRouter,
  type ErrorOrigin,
  type Handler,
  type RouteConnection,
  type RouteOptions,
  type Router,
  type RouterOptions,
} from "./upgrade/router.ts";
export {
  type Attachment,
  type AttachOptions,
  attach,
  type DrainOptions,
  type RunningServer,
  type ServeOptions,
  serve,
} from "./upgrade/server.ts";
