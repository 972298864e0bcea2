// The server around the upgrades: its port, its plain HTTP, its signals.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { answer } from "./answer.ts";
import { pathOf, refuse } from "./handshake.ts";

/** Time for plain HTTP that is still being answered when all connections are closed, in ms. */
const GRACE = 2_000;

/** Opens a port; rejects when that is not possible, with Node's error or one of its `code` that says what to do. */
export async function listen(
  server: Server | HttpsServer,
  { port = 0, host }: { readonly port?: number; readonly host?: string },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(error.code === "EADDRINUSE" ? taken(port, error) : error);
    server.once("error", refuse);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

function taken(port: number, cause: NodeJS.ErrnoException): Error {
  const { code } = cause;
  const message = `Port ${port} is taken (${code}): something else listens there. End it, or choose another port; \`port: 0\` finds a free one.`;
  return Object.assign(new Error(message, { cause }), { code });
}

/** Everyone has left; what still holds the listener is plain HTTP, or somebody who does not take a refusal. */
export async function stopListening(server: Server | HttpsServer, cutVisitors: () => void): Promise<void> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
    cutVisitors();
  }, GRACE);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(timer);
}

/** What is still being answered on the connections of a server. */
export interface Unanswered {
  /** Calls back once everything that was asked on a socket before is answered; at once, and before it returns, when it is. */
  whenAnswered(socket: Duplex, next: () => void): void;
  stop(): void;
}

/** A client may ask for something else and for an upgrade in one breath (RFC 9112 section 9.3.2): an answer that comes later would lie among our frames. */
export function watchAnswers(server: Server | HttpsServer): Unanswered {
  const latest = new WeakMap<Duplex, ServerResponse>();
  const watch = (request: IncomingMessage, response: ServerResponse): void => void latest.set(request.socket, response);
  server.prependListener("request", watch);
  return {
    whenAnswered(socket, next) {
      const response = latest.get(socket);
      if (response === undefined || response.writableFinished || socket.destroyed) next();
      else response.once("close", next);
    },
    stop: () => void server.off("request", watch),
  };
}

/** The answer to plain HTTP where the user has none. */
export function answerHttp(isRoute: (path: string) => boolean): RequestListener {
  return (request, response) => {
    const found = isRoute(pathOf(request));
    const get = request.method === "GET" || request.method === "HEAD";
    const { response: refusal } = !found
      ? refuse(404, "There is nothing here.")
      : get
        ? refuse(426, "This is a WebSocket address.", { upgrade: "websocket" })
        : refuse(405, "A WebSocket handshake is a GET request.", { allow: "GET" });
    response.writeHead(refusal.status, { ...Object.fromEntries(refusal.headers), connection: found && get ? "close, Upgrade" : "close" });
    void refusal.text().then((text) => response.end(text));
  };
}

/** The answer to what is not HTTP. Node has its own, which is lost on a client that is still sending. */
export function answerClientErrors(): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  const answered = new WeakSet<Duplex>();
  return (error, socket) => {
    if (answered.has(socket)) return; // The parser goes on complaining.
    answered.add(socket);
    const { response } =
      error.code === "HPE_HEADER_OVERFLOW"
        ? refuse(431, "The header is too large.")
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? refuse(408, "The request took too long.")
          : refuse(400, "This is not HTTP/1.1.");
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else void answer(socket, response);
  };
}

/**
 * Shuts down on the first signal and cuts on the second. Then the process ends, unless somebody else listens to the signal too: with exit code 0
 * (or `process.exitCode`) when everyone has been sent home or the time was up, by the signal after a second one.
 */
export function obeySignals(signals: readonly NodeJS.Signals[], close: () => Promise<void>, cutNow: () => void): () => void {
  let received = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    received++;
    if (received > 1) {
      cutNow();
      return;
    }
    void close().then(() => {
      if (process.listenerCount(signal) > 0) return;
      if (received === 1) process.exit();
      process.kill(process.pid, signal);
    });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

export function urlOf(server: Server | HttpsServer, host: string | undefined, port: number): string {
  const name = host === undefined || host === "::" || host === "0.0.0.0" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${server instanceof TlsServer ? "wss" : "ws"}://${name}:${port}`;
}
