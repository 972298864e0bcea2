// The way of an upgrade, from a socket that wants to be a WebSocket to a connection that a route occupies, and back to a server without any.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { closures } from "../connection/close.ts";
import { type ConnectionCore, defaultLimits, openConnection, type UpgradeRequest } from "../connection/connection.ts";
import { WsgenError } from "../errors.ts";
import { answer, switchProtocols, watchVisitor } from "./answer.ts";
import { buildUpgradeRequest, decideHandshake, type Handshake, pathOf, refuse } from "./handshake.ts";
import { answerHttp, listen, obeySignals, stopListening, urlOf } from "./listener.ts";
import { bindLogger } from "./log.ts";
import { assertAcceptHeaders, type Outcome, runMiddleware } from "./middleware.ts";
import { type Admission, internals, type Occupant, type Route, type Router, type RouterInternals } from "./router.ts";

/** How connections are closed when the server shuts down. */
export interface DrainOptions {
  /** Connections closed at a time, so that not all of them come back in the same moment. Default: 200. */
  readonly batch: number;
  /** Time between two batches, in ms. Default: 100. */
  readonly interval: number;
  /** Time for everything, in ms, before what is left is cut. Default: 20 000. */
  readonly timeout: number;
}

const defaultDrain: DrainOptions = Object.freeze({ batch: 200, interval: 100, timeout: 20_000 });

const retrySoon = Object.freeze({ "retry-after": "1" });

/** Options of {@link attach}. */
export interface AttachOptions {
  readonly drain?: Partial<DrainOptions>;
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
  const isRoute = (path: string): boolean => router[internals].table.find(path) !== undefined;
  if (options.http !== undefined) server.on("request", options.http);
  else if (server.listenerCount("request") === 0) server.on("request", answerHttp(isRoute));
  const sockets = attachTo(router, server, options);
  if (!server.listening) await listen(server, options);

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
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Answers the upgrades of a server that is yours: you start it, you stop it, and plain HTTP stays with you. `close()` leaves the listener alone. */
export function attach(router: Router, server: Server | HttpsServer, options: AttachOptions = {}): Attachment {
  return attachTo(router, server, options);
}

/** What is open on one server, and whether more may come. */
interface Floor {
  readonly router: RouterInternals;
  readonly occupants: Map<ConnectionCore, Occupant>;
  /** Sockets that are still shaking hands. */
  readonly visitors: Set<Duplex>;
  draining: boolean;
}

function attachTo(router: Router, server: Server | HttpsServer, options: AttachOptions): Attachment & { readonly cut: () => void } {
  const floor: Floor = { router: router[internals], occupants: new Map(), visitors: new Set(), draining: false };
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", leave); // First of all: a client that resets now would otherwise be an uncaught exception.
    upgrade(floor, request, socket, head).catch((error: unknown) => {
      floor.router.logger.error({ err: error }, "An upgrade failed.");
      socket.destroy();
    });
  };
  server.on("upgrade", onUpgrade);

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= drain(floor, { ...defaultDrain, ...options.drain }, cutting.signal).finally(() => server.off("upgrade", onUpgrade));
    return closing;
  };
  const cutting = new AbortController();
  return {
    get connections() {
      return floor.occupants.size;
    },
    close,
    [Symbol.asyncDispose]: close,
    cut: () => {
      cutting.abort();
      cut(floor);
    },
  };
}

/** One upgrade, from the request to the open connection or the refusal. */
async function upgrade(floor: Floor, raw: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { router, visitors } = floor;
  const forget = (): boolean => visitors.delete(socket);
  visitors.add(socket);
  socket.once("close", forget);
  const log = bindLogger(router.logger, { path: pathOf(raw) });

  const handshake = decideHandshake(raw, {
    find: (path) => router.table.find(path),
    draining: floor.draining,
    originPolicy: router.originPolicy,
  });
  if (handshake.kind === "refuse") {
    const { status } = handshake.response;
    if (handshake.hint !== undefined) log.warn({ status, origin: raw.headers.origin }, `Upgrade refused. ${handshake.hint}`);
    return answer(socket, handshake.response);
  }

  const watch = watchVisitor(socket, router.handshakeTimeout);
  const { params, protocols } = handshake;
  const request = buildUpgradeRequest(raw, {
    params,
    protocols,
    remoteAddress: (socket as Socket).remoteAddress ?? "",
    signal: watch.signal,
  });
  const verdict = await Promise.race([decide(floor, handshake, request), watch.aborted]);
  const early = watch.stop();
  const late = verdict === "aborted" || watch.signal.aborted;
  if (late) return answer(socket, refuse(503, "The server took too long to decide.", retrySoon).response);
  if (floor.draining) return answer(socket, refuse(503, "The server is restarting.", retrySoon).response);
  if (verdict.kind === "refuse") return answer(socket, verdict.response);

  switchProtocols(socket, handshake.key, verdict.protocol, verdict.headers);
  socket.off("close", forget);
  forget();
  const id = randomUUID();
  const connection = openConnection({
    socket,
    head: early.length === 0 ? head : Buffer.concat([head, early]),
    id,
    context: verdict.context,
    handshake: request,
    params,
    protocol: verdict.protocol,
    log: bindLogger(router.logger, { connection: id, route: handshake.route.template.source }),
    limits: { ...defaultLimits, ...router.limits },
  });
  socket.off("error", leave); // The connection has its own.
  settleIn(floor, connection, verdict.occupy);
}

/** Nothing to do: the socket destroys itself, and `close` says so. */
function leave(): void {}

/** Gives the connection to its route. A function of its own, so that an open connection does not keep its handshake alive. */
function settleIn({ occupants }: Floor, connection: ConnectionCore, occupy: Admission["occupy"]): void {
  connection.log.debug({}, "connected");
  const occupant = occupy(connection);
  occupants.set(connection, occupant);
  void occupant.done.then(() => {
    occupants.delete(connection);
    connection.log.debug({}, "disconnected");
  });
}

/** The decision on an upgrade once everybody has been asked. */
type Verdict =
  | { readonly kind: "refuse"; readonly response: Response }
  | {
      readonly kind: "accept";
      readonly headers: Headers;
      readonly protocol: string;
      readonly context: object;
      readonly occupy: Admission["occupy"];
    };

/** Asks the middleware and the route. What they throw becomes a 500 that says nothing. */
async function decide({ router }: Floor, { route, protocols }: Handshake<Route>, request: UpgradeRequest): Promise<Verdict> {
  try {
    const outcome = await runMiddleware(route.layers(), request, (routed) => route.admit(routed));
    return judge(outcome, route, protocols);
  } catch (error) {
    // The client that left, or waited too long, took `request.signal` with it: what that broke is no error of the application.
    if (!request.signal.aborted) router.onError(error, { request });
    return { kind: "refuse", response: refuse(500, "The server made a mistake.").response };
  }
}

function judge(outcome: Outcome<Admission>, route: Route, offered: readonly string[]): Verdict {
  if (outcome.kind === "refuse") return outcome;
  const { accepted, admission, context } = outcome;
  assertAcceptHeaders(accepted.headers);
  const protocol = accepted.protocol ?? offered.find((name) => route.protocols.includes(name)) ?? "";
  if (protocol !== "" && !offered.includes(protocol)) {
    throw new WsgenError("WSGEN_USAGE", `accept({ protocol: ${JSON.stringify(protocol)} }): the client does not offer that.`);
  }
  if (protocol === "" && route.requireProtocol) return refuse(400, "None of the subprotocols you offer is spoken here.");
  return { kind: "accept", headers: accepted.headers, protocol, context, occupy: admission.occupy };
}

/** Sends everyone home: batch by batch, each when what it is handling is done; who is not gone in time is cut. */
async function drain(floor: Floor, { batch, interval, timeout }: DrainOptions, cutting: AbortSignal): Promise<void> {
  floor.draining = true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), timeout);
  const impatient = AbortSignal.any([cutting, patience.signal]);
  const outOfTime = new Promise<void>((resolve) => impatient.addEventListener("abort", () => resolve(), { once: true }));

  const everyone = [...floor.occupants];
  const leaving: Promise<void>[] = [];
  for (let from = 0; from < everyone.length && !impatient.aborted; from += batch) {
    if (from > 0) await Promise.race([pause(interval), outOfTime]);
    for (const [connection, occupant] of everyone.slice(from, from + batch)) leaving.push(dismiss(connection, occupant));
  }
  await Promise.race([Promise.all(leaving), outOfTime]);
  clearTimeout(timer);
  if (impatient.aborted) cut(floor);
}

async function dismiss(connection: ConnectionCore, occupant: Occupant): Promise<void> {
  await occupant.drain();
  await connection.shut(closures.serviceRestart.code, closures.serviceRestart.reason);
  await occupant.done;
}

/** Drops what is left. */
function cut({ occupants, visitors }: Floor): void {
  for (const connection of occupants.keys()) connection.terminate();
  for (const socket of visitors) socket.destroy();
}
