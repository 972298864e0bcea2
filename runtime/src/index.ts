// What people import from "@wsgen/runtime". A hand-written list of names.

export { type ClientConnection, type ConnectOptions, connect } from "./client/connect.ts";
export type {
  Awaitable,
  CloseOutcome,
  Connection,
  ConnectionLimits,
  Frame,
  InboundRate,
  Limits,
  Logger,
  Message,
  OutgoingMessage,
  Overflow,
  SendOptions,
  Sent,
  StreamedMessage,
  UpgradeRequest,
} from "./connection/connection.ts";
export type { DeflateOptions } from "./connection/deflate.ts";
export {
  defineExtension,
  type Extension,
  type ExtensionCodec,
  type ExtensionMessage,
  type ExtensionParameters,
} from "./connection/extension.ts";
export { createRoomBus, type RoomAdapter } from "./contract/adapter.ts";
export type { Codec } from "./contract/codec.ts";
export {
  ConnectError,
  ConnectionClosedError,
  ContractError,
  type ErrorCode,
  errorCodes,
  RequestFailedError,
  RequestTimeoutError,
  UpgradeRejectedError,
  WsgenError,
} from "./errors.ts";
export type { DrainOptions } from "./upgrade/drain.ts";
export type { CloseEvent, ErrorEvent, Events, Hooks, InvalidEvent, Metrics, OpenEvent, RefusedEvent } from "./upgrade/events.ts";
export type { ExtensionOptions } from "./upgrade/extensions.ts";
export {
  type Accepted,
  type AcceptHeaders,
  accept,
  type Decision,
  type Middleware,
  type Next,
  type RoutedRequest,
} from "./upgrade/middleware.ts";
export { requestLog } from "./upgrade/request-log.ts";
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
  type RunningServer,
  type ServeOptions,
  serve,
} from "./upgrade/server.ts";
