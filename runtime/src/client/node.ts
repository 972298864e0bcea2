// The same client on Node, on `ws`, which shows what Node's own WebSocket hides: the HTTP answer of a refused handshake, which decides whether trying again
// makes sense and when, and the pings of the server, without which nobody knows a silent connection from a dead one.
import type { IncomingMessage } from "node:http";
import { ConnectionClosedError, UpgradeRejectedError, WsgenError } from "../errors.ts";
import { createClientOn } from "./create.ts";
import type { Attempt, WebSocketConstructor, WebSocketLike } from "./socket.ts";
import { violations } from "./violations.ts";

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
export { type BasicCredentials, showCredentials as credentials } from "./credentials.ts";
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

/** How much of a refusal's body is read, in bytes, and how long it may take, in ms. */
const MAX_REFUSAL = 4_096;
const REFUSAL_TIMEOUT = 2_000;
/** So many characters of it are in the error's sentence. */
const MAX_SAID = 200;

/** The largest message that is taken unless told otherwise, in bytes: snapshots of order books are large, and memory is not endless. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** The longest Retry-After that is waited for, in ms. */
const MAX_ASKED = 3_600_000;

/** How long a server may take to answer a close, in ms. */
const CLOSE_TIMEOUT = 15_000;

/** After half as long without a frame, in ms, the server is asked for a pong; after twice as long it is given up. */
const SILENCE = 30_000;

/**
 * Creates a client of a contract, on `ws` unless a WebSocket is given. Generated code calls it, gives it its type and names the features it needs.
 *
 * Each of its methods rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export const createClient = /* @__PURE__ */ createClientOn(
  async (url, protocols, headers, { WebSocket: given, agent, tls, maxMessageSize = MAX_MESSAGE }) => {
    const Socket: WebSocketConstructor = given ?? (await import("ws")).WebSocket;
    let socket: WebSocketLike;
    try {
      socket = new Socket(url, protocols, { ...tls, agent, maxPayload: maxMessageSize, closeTimeout: CLOSE_TIMEOUT, headers });
    } catch (error) {
      // ws tells such errors from others by their class alone.
      throw error instanceof SyntaxError ? new WsgenError("WSGEN_USAGE", error.message, { cause: error }) : error;
    }
    if (!isWs(socket)) return { socket };
    watchSilence(socket);
    return watchVerdict(socket, url);
  },
);

/** `ws` shows the HTTP answer of a refused handshake, and what it could not read; the platform's WebSocket hides both. */
function watchVerdict(socket: Ws, url: string): Attempt {
  let verdict: UpgradeRejectedError | ConnectionClosedError | undefined;
  socket.on("error", ({ code, message }) => {
    const closeCode = violations.get(code);
    // The server need not answer the close frame: without this, a message that is too large would be asked for again and again.
    if (closeCode) verdict = new ConnectionClosedError(closeCode, message);
  });
  socket.on("unexpected-response", (_request, response: IncomingMessage) => {
    let body = "";
    const done = () => {
      clearTimeout(timer);
      verdict = refusalOf(url, response, body.trim());
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
  return { socket, verdict: () => verdict };
}

function refusalOf(url: string, { statusCode: status = 0, headers: lines }: IncomingMessage, body: string): UpgradeRejectedError {
  const headers = new Headers();
  for (const [name, value] of Object.entries(lines)) headers.set(name, String(value));
  // RFC 9110 section 10.2.3: seconds, or a date.
  const asked = headers.get("retry-after") ?? "";
  const retryAfter = Math.min(MAX_ASKED, Math.max(0, Number(asked) * 1_000 || Date.parse(asked) - Date.now() || 0)) || undefined;
  const location = status >= 300 && status < 400 && headers.get("location");
  // No platform follows them: headers and tokens would go where nobody sent them.
  const why = location
    ? `${status}, it moved to ${withoutQuery(location)}. Redirects are not followed: connect there`
    : `${status} ${body.slice(0, MAX_SAID)}`.trim();
  return new UpgradeRejectedError(withoutQuery(url), why, { status, body, headers, retryAfter });
}

/** The query may hold secrets, and errors end up in logs. */
const withoutQuery = (url: string): string => url.replace(/\?.*/s, "");

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
  on(event: "error", listener: (error: { readonly code?: unknown; readonly message: string }) => void): unknown;
  on(event: "open" | "message" | "ping" | "pong" | "close", listener: () => void): unknown;
  ping(): void;
  terminate(): void;
}

function isWs(socket: WebSocketLike): socket is Ws {
  return "on" in socket && "terminate" in socket;
}
