// The way of an upgrade, from a socket that wants to be a WebSocket to a connection that a route occupies, and back to a server without any.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionCore, openConnection } from "../connection/connection.ts";
import { answer, switchProtocols, watchVisitor } from "./answer.ts";
import { clientAddress, createCapacity } from "./capacity.ts";
import { cut, type DrainOptions, defaultDrain, drain } from "./drain.ts";
import { type Metrics, Reporter } from "./events.ts";
import { type Floor, placeOf } from "./floor.ts";
import { handOver, takeBack } from "./hand-over.ts";
import { decideHandshake, type Handshake, pathOf, refuse } from "./handshake.ts";
import { answerClientErrors, answerHttp, listen, obeySignals, stopListening, urlOf, watchAnswers } from "./listener.ts";
import { meetNeighbours } from "./neighbours.ts";
import { VisitorRequest } from "./request.ts";
import type { RouteMatch } from "./route.ts";
import { type Admission, describeRoute, type Handler, internals, type Route, type RouteOptions, type Router } from "./router.ts";
import { agree, decide } from "./verdict.ts";

/** Options of {@link attach}. */
export interface AttachOptions {
  readonly drain?: Partial<DrainOptions>;
  /**
   * Give upgrades for paths that no route has to the server's HTTP handlers, where {@link Attachment.upgrade} accepts them. Any other answer of
   * theirs is a refusal, and closes TCP. Default: false, such upgrades are left to the server's other "upgrade" listeners; they get 404 when
   * there are none, or when none of them has said anything by the end of the handshake timeout.
   */
  readonly passUpgrades?: boolean;
}

/** Options of {@link serve}. */
export interface ServeOptions extends AttachOptions {
  /** Default: 0, any free port (see `url`). */
  readonly port?: number;
  /** Address to listen on. Default: all of this machine's. */
  readonly host?: string;
  /** A server of your own, for example `https.createServer({ key, cert })`. It is started here, and stopped by `close()`. */
  readonly server?: Server | HttpsServer;
  /** Answers what is no upgrade. Default: 426 on the paths of WebSocket routes, else 404. */
  readonly http?: RequestListener;
  /** Signals that shut the server down. Default: SIGTERM and SIGINT; a second one cuts what is left. `[]` leaves them to you. */
  readonly signals?: readonly NodeJS.Signals[];
}

/** A router at work on a server that is not ours. */
export interface Attachment extends AsyncDisposable {
  /** Number of open connections. */
  readonly connections: number;
  /** Counters since the beginning. */
  metrics(): Metrics;
  /**
   * Turns the request of an ordinary HTTP handler into a connection, with the server's limits and origins and without the router's middleware:
   * what that would decide, the HTTP handler has decided. Needs `passUpgrades`. A request that is no upgrade gets 426. Settles with the answer.
   *
   * ```ts
   * app.get("/rooms/:id", async (request, response) => {
   *   if (!(await mayEnter(request))) return response.status(403).end();
   *   await sockets.upgrade(request, response, async (conn) => { … });
   * });
   * ```
   */
  upgrade(request: IncomingMessage, response: ServerResponse, route: Handler | Omit<RouteOptions, "maxConnections">): Promise<void>;
  /**
   * Refuses new upgrades with 503, closes all connections with 1012, batch by batch, waits for the handlers that are running, and cuts them after
   * the time `drain.timeout` allows. Later calls wait for the first.
   */
  close(): Promise<void>;
}

/** A running server. `close()` and `await using` also stop the listener. */
export interface RunningServer extends Attachment {
  /** For example `ws://localhost:3000`. */
  readonly url: string;
  readonly port: number;
  readonly server: Server | HttpsServer;
}

/** Starts a server for a router. Rejects when the port cannot be listened on. */
export async function serve(router: Router, options: ServeOptions = {}): Promise<RunningServer> {
  // A client that sends half a handshake and waits is gone after ten seconds, not after Node's sixty.
  const server = options.server ?? createServer({ headersTimeout: 10_000, connectionsCheckingInterval: 1_000 });
  // First, so that a server which cannot listen keeps nothing of ours; no connection is told of before this function goes on.
  if (!server.listening) await listen(server, options);
  const isRoute = (path: string): boolean => router[internals].table.find(path) !== undefined;
  if (options.http !== undefined) server.on("request", options.http);
  else if (server.listenerCount("request") === 0) server.on("request", answerHttp(isRoute));
  if (server.listenerCount("clientError") === 0) server.on("clientError", answerClientErrors());
  const sockets = attachTo(router, server, options);

  const shut = async (): Promise<void> => {
    await sockets.close();
    await stopListening(server, sockets.cut);
    ignoreSignals();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= shut();
    return closing;
  };
  const ignoreSignals = obeySignals(options.signals ?? ["SIGTERM", "SIGINT"], close, sockets.cut);
  const { port } = server.address() as AddressInfo; // Pipes have no port, and `listen` above opens none.
  return {
    url: urlOf(server, options.host, port),
    port,
    server,
    get connections() {
      return sockets.connections;
    },
    metrics: sockets.metrics,
    upgrade: sockets.upgrade,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Answers the upgrades of a server that is yours: you start it, you stop it, and plain HTTP stays with you. `close()` leaves the listener alone. */
export function attach(router: Router, server: Server | HttpsServer, options: AttachOptions = {}): Attachment {
  return attachTo(router, server, options);
}

function attachTo(router: Router, server: Server | HttpsServer, options: AttachOptions): Attachment & { readonly cut: () => void } {
  const { table, onError, limits, connectionLimits, hooks, logger } = router[internals];
  const capacity = createCapacity(connectionLimits);
  const reporter = new Reporter(hooks, logger);
  const floor: Floor = {
    router: router[internals],
    stays: new Map(),
    places: new WeakMap(),
    visitors: new Set(),
    capacity,
    reporter,
    draining: false,
    departures: new WeakMap(),
  };
  const unanswered = watchAnswers(server);
  const find: Visit["find"] = (path) => table.find(path);
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (options.passUpgrades !== true && neighbours.leave(request, socket)) return;
    socket.on("error", leave); // First of all: a client that resets now would otherwise be an uncaught exception.
    unanswered.whenAnswered(socket, () => onTurn(request, socket, head));
  };
  const onTurn = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!socket.writable) return; // The answer before was the last.
    (socket as Partial<Socket>).setTimeout?.(0); // HTTP waits so long for another request.
    if (options.passUpgrades === true && !floor.draining && find(pathOf(request)) === undefined) {
      floor.visitors.add(socket);
      socket.once("close", () => floor.visitors.delete(socket));
      handOver(server, request, socket, head, floor.router.handshakeTimeout);
    } else void receive(floor, { raw: request, socket, head, find });
  };
  const isOurs = (path: string): boolean => find(path) !== undefined;
  const { exchange } = router[internals];
  exchange?.serverOpened();
  const neighbours = meetNeighbours(server, onUpgrade, isOurs, floor.router.handshakeTimeout);
  server.on("upgrade", onUpgrade);

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= drain(floor, { ...defaultDrain, ...options.drain }, cutting.signal)
      .finally(() => {
        server.off("upgrade", onUpgrade);
        neighbours.forget();
        unanswered.stop();
      })
      .then(() => exchange?.serverClosed());
    return closing;
  };
  const cutting = new AbortController();
  return {
    get connections() {
      return floor.stays.size;
    },
    metrics: () => reporter.metrics(floor.stays.keys()),
    async upgrade(raw, response, given) {
      const path = pathOf(raw);
      const options = typeof given === "function" ? { handler: given } : given;
      const described = describeRoute("upgrade()", path, options, onError);
      const route: Route = {
        ...described,
        limits: { ...limits, ...described.limits },
        template: { source: path, segments: [], open: false },
        layers: () => [],
      };
      const visitor = takeBack(response);
      if (visitor !== undefined) await receive(floor, { raw, ...visitor, find: () => ({ kind: "found", route, params: {} }) });
      else if (!response.headersSent) answerHttp(() => true)(raw, response);
    },
    close,
    [Symbol.asyncDispose]: close,
    cut: () => {
      cutting.abort();
      cut(floor);
    },
  };
}

/** Somebody at the door. */
interface Visit {
  readonly raw: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that came behind the request. */
  readonly head: Buffer;
  find(path: string): RouteMatch<Route> | undefined;
}

async function receive(floor: Floor, visit: Visit): Promise<void> {
  try {
    await upgrade(floor, visit);
  } catch (error) {
    floor.router.report({ err: error }, "An upgrade failed.");
    visit.socket.destroy();
  }
}

/** One upgrade, from the request to the open connection or the refusal. */
async function upgrade(floor: Floor, visit: Visit): Promise<void> {
  const { raw, socket, find } = visit;
  if (socket.destroyed) return;
  const started = performance.now();
  const { router, visitors, capacity } = floor;
  const forget = (): boolean => visitors.delete(socket);
  visitors.add(socket);
  socket.once("close", forget);

  const { draining } = floor;
  const handshake = decideHandshake(raw, { find, draining, originPolicy: router.originPolicy, behindProxy: router.trustProxy > 0 });
  const address = clientAddress((socket as Socket).remoteAddress ?? "", String(raw.headers["x-forwarded-for"] ?? ""), router.trustProxy);
  if (handshake.kind === "refuse") return turnAway(floor, visit, handshake, address);
  const { route } = handshake;
  const full = capacity.take(route, address);
  if (full !== undefined) return turnAway(floor, visit, full, address, route);
  let arrival: Arrival | undefined;
  try {
    arrival = await admit(floor, visit, handshake, address);
  } finally {
    if (arrival === undefined) capacity.leave(route, address);
  }
  if (arrival === undefined) return;
  socket.off("close", forget);
  forget();
  placeOf(floor, route).enter(arrival.connection, arrival.occupy, performance.now() - started);
}

function turnAway(
  { router, reporter }: Floor,
  { raw, socket }: Visit,
  { response, hint }: { readonly response: Response; readonly hint?: string },
  remoteAddress: string,
  route?: Route,
): Promise<void> {
  const path = excerpt(pathOf(raw));
  const { status } = response;
  if (hint !== undefined) router.logger.warn({ path, status, origin: excerpt(raw.headers.origin) }, `Upgrade refused. ${hint}`);
  reporter.refused({ route: route?.template.source, path, remoteAddress, status });
  return answer(socket, response);
}

/** What a stranger sent, as much of it as belongs into a log. */
function excerpt(text = ""): string {
  return text.slice(0, 256);
}

/** A connection and what is to run on it. */
interface Arrival {
  readonly connection: ConnectionCore;
  readonly occupy: Admission["occupy"];
}

/** Has the application decide, and answers; gives the open connection, or `undefined` when there is none. */
async function admit(floor: Floor, visit: Visit, handshake: Handshake<Route>, address: string): Promise<Arrival | undefined> {
  const { router } = floor;
  const { raw, socket, head } = visit;
  const { params, protocols } = handshake;
  const watch = watchVisitor(socket, router.handshakeTimeout);
  const request = new VisitorRequest(raw, { params, protocols, remoteAddress: address }, socket, watch);
  const verdict = await Promise.race([decide(floor, handshake, request), watch.aborted]);
  const early = watch.stop();
  const settled =
    verdict === "aborted" || watch.isAborted
      ? refuse(503, "The server took too long to decide.", { "retry-after": "1" })
      : floor.draining
        ? refuse(503, "The server is restarting.", { "retry-after": "1" })
        : verdict;
  if (settled.kind === "refuse") return void (await turnAway(floor, visit, settled, address, handshake.route));
  const extensions = agree(floor, handshake, request);
  if (extensions === undefined) {
    return void (await turnAway(floor, visit, refuse(500, "The server made a mistake."), address, handshake.route));
  }

  const { protocol, headers, context, occupy } = settled;
  switchProtocols(socket, handshake.key, protocol, extensions.header, headers);
  request.settle();
  const connection = openConnection({
    socket,
    head: early.length === 0 ? head : Buffer.concat([head, early]),
    context,
    handshake: request,
    protocol,
    terms: placeOf(floor, handshake.route).terms,
    extensions: extensions.stack,
  });
  socket.off("error", leave); // The connection has its own.
  return { connection, occupy };
}

/** Nothing to do: the socket destroys itself, and `close` says so. */
function leave(): void {}
