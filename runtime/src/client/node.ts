// The same client on Node, on `ws`: Node 20 has no WebSocket, that of Node 22 does not say when it was refused, and none shows the HTTP answer.
import type { IncomingMessage } from "node:http";
import { createClientOn } from "./create.ts";
import type { Attempt, WebSocketLike } from "./socket.ts";

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

/** How much of a refusal's body is read, in bytes, and how long it may take, in ms. */
const MAX_REFUSAL = 4_096;
const REFUSAL_TIMEOUT = 2_000;

/**
 * Creates a client of a contract, on `ws` unless a WebSocket is given. Generated code calls it and gives it its type.
 *
 * Each of its methods rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export const createClient = /* @__PURE__ */ createClientOn(async (url, protocols, headers, given) => {
  const Socket = given ?? (await import("ws")).WebSocket;
  const plain = Object.keys(headers).length === 0;
  return watchRefusal(plain ? new Socket(url, protocols) : new Socket(url, protocols, { headers }));
});

/** `ws` shows the HTTP answer of a refused handshake; the platform's WebSocket hides it. */
function watchRefusal(socket: WebSocketLike): Attempt {
  if (!isWs(socket)) return { socket };
  let refusal: { readonly status: number; readonly body: string } | undefined;
  socket.on("unexpected-response", (_request, response) => {
    let body = "";
    const done = () => {
      clearTimeout(timer);
      refusal = { status: response.statusCode ?? 0, body: body.trim() };
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

interface Ws extends WebSocketLike {
  on(event: "unexpected-response", listener: (request: unknown, response: IncomingMessage) => void): unknown;
  terminate(): void;
}

function isWs(socket: WebSocketLike): socket is Ws {
  return "on" in socket && "terminate" in socket;
}
