// The same client on Node, on `ws`, which shows what Node's own WebSocket hides: the HTTP answer of a refused handshake, which decides whether trying again
// makes sense and when, and the pings of the server, without which nobody knows a silent connection from a dead one.
import type { IncomingMessage } from "node:http";
import { createClientOn } from "./create.ts";
import type { Attempt, Refusal, WebSocketConstructor, WebSocketLike } from "./socket.ts";

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
export { choices } from "./choices.ts";
export { closings } from "./closings.ts";
export { codecs } from "./codecs.ts";
export type { ClientConnection, Feature } from "./connection.ts";
export type { ClientOptions, ConnectOptions, Given, Opening } from "./create.ts";
export { type BasicCredentials, showCredentials as credentials } from "./credentials.ts";
export { dispatch } from "./dispatch.ts";
export { formats } from "./formats.ts";
export type { ConnectionState, Reconnected } from "./life.ts";
export type { Unsubscribe } from "./listeners.ts";
export { requests } from "./requests.ts";
export type { ReconnectOptions } from "./retry.ts";
export type { WebSocketConstructor, WebSocketLike } from "./socket.ts";
export { subscriptions } from "./subscriptions.ts";
export { type ClientTopic, topics } from "./topics.ts";

/** How much of a refusal's body is read, in bytes, and how long it may take, in ms. */
const MAX_REFUSAL = 4_096;
const REFUSAL_TIMEOUT = 2_000;

/** The largest message that is taken unless told otherwise, in bytes: snapshots of order books are large, and memory is not endless. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** After so long without a frame, in ms, the server is asked for a pong; after twice the time it is given up. */
const SILENCE = 30_000;

/**
 * Creates a client of a contract, on `ws` unless a WebSocket is given. Generated code calls it, gives it its type and names the features it needs.
 *
 * Each of its methods rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export const createClient = /* @__PURE__ */ createClientOn(
  async (url, protocols, headers, { WebSocket: given, agent, tls, maxMessageSize = MAX_MESSAGE }) => {
    const Socket: WebSocketConstructor = given ?? (await import("ws")).WebSocket;
    const present = Object.entries(headers).filter(([, value]) => value !== undefined);
    const socket = new Socket(url, protocols, {
      ...tls,
      agent,
      maxPayload: maxMessageSize,
      headers: Object.fromEntries(present) as Record<string, string>,
    });
    if (!isWs(socket)) return { socket };
    watchSilence(socket);
    return watchRefusal(socket);
  },
);

/** `ws` shows the HTTP answer of a refused handshake; the platform's WebSocket hides it. */
function watchRefusal(socket: Ws): Attempt {
  let refusal: Refusal | undefined;
  socket.on("unexpected-response", (_request, response: IncomingMessage) => {
    let body = "";
    const done = () => {
      clearTimeout(timer);
      const headers = new Headers();
      for (const [name, value] of Object.entries(response.headers)) headers.set(name, String(value));
      refusal = { status: response.statusCode ?? 0, body: body.trim(), headers };
      socket.terminate();
    };
    const timer = setTimeout(done, REFUSAL_TIMEOUT);
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body = (body + chunk).slice(0, MAX_REFUSAL);
      if (body.length === MAX_REFUSAL) done();
    });
    response.once("end", done);
    response.once("error", done);
  });
  return { socket, refusal: () => refusal };
}

/** A connection that is half open says nothing, not even that it is lost. */
function watchSilence(socket: Ws): void {
  let heard = Date.now();
  const hear = () => {
    heard = Date.now();
  };
  for (const event of ["open", "message", "ping", "pong"] as const) socket.on(event, hear);
  const timer = setInterval(() => {
    const silence = Date.now() - heard;
    if (silence >= 2 * SILENCE) socket.terminate();
    else if (silence >= SILENCE / 2 && socket.readyState === socket.OPEN) socket.ping();
  }, SILENCE / 2);
  socket.on("close", () => clearInterval(timer));
}

interface Ws extends WebSocketLike {
  readonly OPEN: number;
  on(event: "unexpected-response", listener: (request: unknown, response: IncomingMessage) => void): unknown;
  on(event: "open" | "message" | "ping" | "pong" | "close", listener: () => void): unknown;
  ping(): void;
  terminate(): void;
}

function isWs(socket: WebSocketLike): socket is Ws {
  return "on" in socket && "terminate" in socket;
}
