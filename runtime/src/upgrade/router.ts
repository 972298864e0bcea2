// Routes and what surrounds them: paths, middleware, and the one primitive every handler is made of.
import {
  type Awaitable,
  assertLimits,
  type CloseCodes,
  type CloseOutcome,
  type Connection,
  type ConnectionCore,
  defaultLimits,
  type Limits,
  type Logger,
  type UpgradeRequest,
} from "../connection/connection.ts";
import { silent } from "../connection/log.ts";
import type { RoomAdapter } from "../contract/adapter.ts";
import { Exchange } from "../contract/exchange.ts";
import { isFarewell, WsgenError } from "../errors.ts";
import { assertLimit, assertProxies, type ConnectionLimits } from "./capacity.ts";
import type { Hooks, Reporter } from "./events.ts";
import { chooseExtensions, type ExtensionChoice, type ExtensionOptions } from "./extensions.ts";
import type { OriginPolicy } from "./handshake.ts";
import { type Accepted, accept, type Decision, type Middleware, type RoutedRequest } from "./middleware.ts";
import { createRouteTable, type ParameterNames, type PathTemplate, parseTemplate, type RouteTable } from "./route.ts";

/** A connection of a hand-written route, with the parameters of its path. */
export type RouteConnection<Path extends string, Context> = Connection<Context> & {
  readonly params: Readonly<Record<ParameterNames<Path>, string>>;
};

/** What a connection is for. Returning closes with 1000; throwing closes with 1011, an empty reason, and calls `onError`. */
export type Handler<Path extends string = string, Context extends object = object> = (
  conn: RouteConnection<Path, Context>,
) => Promise<void>;

/** A hand-written route. */
export interface RouteOptions<Path extends string = string, Context extends object = object> extends ExtensionOptions {
  /** Decides after all middleware whether to accept. Default: `accept()`. */
  readonly upgrade?: (request: RoutedRequest<Context>) => Awaitable<Decision>;
  /** Subprotocols this route speaks. The first that the client offers and that is among them is agreed on. Default: none. */
  readonly protocols?: readonly string[];
  /** Refuse (400) clients that offer none of `protocols`. Default: false, they connect without one. */
  readonly requireProtocol?: boolean;
  /** The most connections this route has at a time; others get 503. Default: no limit but the router's. */
  readonly maxConnections?: number;
  /** Limits of its connections, where they differ from the router's. */
  readonly limits?: Partial<Limits>;
  readonly handler: Handler<Path, Context>;
}

/** Where an error came from. There is no connection yet when middleware or `upgrade` threw. */
export interface ErrorOrigin {
  readonly request: UpgradeRequest;
  readonly connection?: Connection;
}

/** Options of a router. */
export interface RouterOptions extends ExtensionOptions {
  /** A pino-shaped logger. Default: silent. */
  readonly logger?: Logger;
  /** Hear of connections, refusals and mistakes. The same events go to node:diagnostics_channel, see docs/observability.md. */
  readonly hooks?: Hooks;
  /**
   * Pages that may connect: exact origins such as `https://app.example.com`, and `same-origin` for pages of the host the request is for.
   * Clients that send no Origin (all but browsers) pass. Default: `["same-origin"]`; others get 403.
   */
  readonly origins?: readonly string[];
  /** Let every page connect, also with its visitor's cookies. For public data only. Default: false. */
  readonly insecureAllowAnyOrigin?: boolean;
  /** Time for middleware and `upgrade` to decide, in ms, before the client gets 503. Default: 10 000. */
  readonly handshakeTimeout?: number;
  /** Limits of every connection; see {@link Limits} for the defaults. */
  readonly limits?: Partial<Limits>;
  /** The most connections at a time, those that still shake hands included; others get 503 with Retry-After. Default: 20 000. */
  readonly maxConnections?: number;
  /** The most of them from one address; others get 429 with Retry-After. Default: no limit, for behind a proxy all may have one address. */
  readonly maxConnectionsPerAddress?: number;
  /**
   * How many proxies of yours stand in front of the server. Only then X-Forwarded-For (for `remoteAddress`, counted from its right end) and
   * X-Forwarded-Host (for same-origin) are believed. Default: 0.
   */
  readonly trustProxy?: number;
  /** Joins the rooms of the contracts on this router with those of other processes. Default: none, rooms end at this process. */
  readonly adapter?: RoomAdapter;
  /** Called with what middleware, `upgrade` and handlers throw. Nothing of it reaches the client. Default: the logger, or without one `console.error`. */
  readonly onError?: (error: unknown, origin: ErrorOrigin) => void;
}

/** What runs on an open connection, as far as shutting down needs to know. */
export interface Occupant {
  /** Starts nothing new; settles when what is being handled now is done. The connection is closed after that. */
  drain(): Awaitable<void>;
}

/** Where the occupants of a route's connections are. */
export interface Place {
  readonly reporter: Reporter;
  /** The route's path template. */
  readonly path: string;
  /** To be called once, when a connection is closed and nothing of the route runs any more. */
  leave(connection: ConnectionCore, outcome: CloseOutcome): void;
}

/** A route as the server sees it: a hand-written one or an endpoint of a contract. */
export interface Route {
  readonly template: PathTemplate;
  /** By parameter: its values with slashes, where its contract lists some. */
  readonly slashes?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Who registered it, for people. */
  readonly label: string;
  readonly protocols: readonly string[];
  readonly requireProtocol: boolean;
  /** `Infinity` for no limit. */
  readonly maxConnections: number;
  /** Its own, the router's and the defaults, in this order. One object for all its connections. */
  readonly limits: Limits;
  /** What its contract calls its own close codes. */
  readonly closeCodes?: CloseCodes | undefined;
  /** What it says about extensions; the rest is the router's. */
  readonly extensions?: ExtensionChoice;
  /** The middleware that surrounds it, outermost first. */
  layers(): readonly Middleware[];
  /** Decides, after all middleware, whether to accept, and if so what will run on the connection. */
  admit(request: RoutedRequest): Awaitable<Admission | Response>;
}

/** A route before it belongs to a router. */
export interface RouteDescription extends Omit<Route, "template" | "layers" | "limits"> {
  /** Checked. */
  readonly limits: Partial<Limits>;
}

/** A route's yes. */
export interface Admission {
  readonly accepted: Accepted;
  /** What the route itself adds to the context. */
  readonly added?: object;
  /** Takes over the connection once it is open. Must not throw. */
  readonly occupy: (connection: ConnectionCore, place: Place) => Occupant;
}

/** What the other files of this package use of a router. */
export interface RouterInternals {
  readonly table: RouteTable<Route>;
  readonly logger: Logger;
  readonly hooks: Hooks;
  readonly originPolicy: OriginPolicy;
  readonly handshakeTimeout: number;
  readonly limits: Limits;
  readonly connectionLimits: ConnectionLimits;
  readonly trustProxy: number;
  readonly extensions: ExtensionChoice;
  readonly onError: (error: unknown, origin: ErrorOrigin) => void;
  /** For mistakes that are neither middleware's nor a handler's. */
  readonly report: (fields: object, message: string) => void;
  readonly exchange: Exchange | undefined;
  /** What all paths of this router begin with. */
  readonly prefix: string;
  /** Registers a route below the router's prefix and inside its middleware. */
  add(route: { readonly path: string } & RouteDescription): void;
}

/** The key under which a router keeps what is not for its users. */
export const internals: unique symbol = Symbol("wsgen.router");

/**
 * Routes with middleware around them. `Context` is what the middleware adds to it, and what handlers find in `conn.context`.
 * (Members are properties rather than methods so that TypeScript checks contexts strictly.)
 */
export interface Router<Context extends object = object> {
  /**
   * Puts a layer around all routes of this router, those registered before included, inside the layers that are there already.
   * Gives the same router back, with the type that now knows what the layer adds.
   */
  readonly use: <Added extends object>(middleware: Middleware<Context, Added>) => Router<Context & Added>;
  /** Registers a route. Throws WSGEN_USAGE when the path is malformed or taken, naming both. */
  readonly ws: <const Path extends string>(path: Path, route: Handler<Path, Context> | RouteOptions<Path, Context>) => void;
  /** A router for the paths below `prefix`: in the same server, inside the same middleware, and with room for its own. */
  readonly group: (prefix: string) => Router<Context>;
  readonly [internals]: RouterInternals;
}

/** Creates a router. Throws WSGEN_USAGE when an option cannot work. */
export function createRouter(options: RouterOptions = {}): Router {
  const logger = options.logger ?? silent;
  const origins = options.origins ?? ["same-origin"];
  origins.forEach(assertOrigin);
  return createScope("", () => [], {
    report: (fields, message) => report(options.logger, fields, message),
    table: createRouteTable<Route>(),
    logger,
    hooks: options.hooks ?? {},
    originPolicy: { origins, insecureAllowAnyOrigin: options.insecureAllowAnyOrigin ?? false },
    handshakeTimeout: options.handshakeTimeout ?? 10_000,
    limits: { ...defaultLimits, ...assertLimits(options.limits ?? {}) },
    connectionLimits: {
      total: assertLimit("maxConnections", options.maxConnections ?? 20_000),
      perAddress: assertLimit("maxConnectionsPerAddress", options.maxConnectionsPerAddress ?? Infinity),
    },
    trustProxy: assertProxies(options.trustProxy ?? 0),
    extensions: chooseExtensions(options),
    exchange:
      options.adapter === undefined
        ? undefined
        : new Exchange(options.adapter, (fields, message) => report(options.logger, fields, message)),
    onError: (error, origin) => tell(options, error, origin),
  });
}

function createScope(prefix: string, outer: () => readonly Middleware[], shared: Omit<RouterInternals, "add" | "prefix">): Router {
  const own: Middleware[] = [];
  const layers = (): readonly Middleware[] => [...outer(), ...own];
  const add: RouterInternals["add"] = ({ path, ...route }) =>
    shared.table.add({ ...route, limits: { ...shared.limits, ...route.limits }, template: parseTemplate(prefix + path), layers });

  const router: Router = {
    use: <Added extends object>(middleware: Middleware<object, Added>) => {
      own.push(middleware);
      return router as Router<Added>; // The layer that was just added puts it there.
    },
    ws: (path, given) => {
      // `params` come from this very path.
      const route: RouteOptions = typeof given === "function" ? { handler: given as Handler } : (given as RouteOptions);
      add({ path, ...describeRoute("router.ws", path, route, shared.onError) });
    },
    group: (inner) => createScope(prefix + inner, layers, shared),
    [internals]: { ...shared, prefix, add },
  };
  return router;
}

/** What the server needs to know of a hand-written route. */
export function describeRoute(
  label: string,
  path: string,
  { handler, upgrade, protocols = [], requireProtocol = false, maxConnections = Infinity, limits = {}, ...extensions }: RouteOptions,
  onError: RouterInternals["onError"],
): RouteDescription {
  const occupy: Admission["occupy"] = (connection, place) => {
    void live(connection, handler, (error) => {
      place.reporter.failed({ connection: connection.id, route: place.path, error });
      onError(error, { request: connection.handshake, connection });
    }).then((outcome) => place.leave(connection, outcome));
    return toldBySignal;
  };
  if (typeof handler !== "function") throw new WsgenError("WSGEN_USAGE", `The route "${path}" has no handler.`);
  return {
    label,
    protocols,
    requireProtocol,
    maxConnections: assertLimit("maxConnections", maxConnections),
    limits: assertLimits(limits),
    extensions: chooseExtensions(extensions),
    admit: async (request) => {
      const decision = (await upgrade?.(request)) ?? accept();
      if (decision instanceof Response) return decision;
      return { accepted: decision, occupy };
    },
  };
}

/** A handler hears by `conn.signal` that it shall end. */
const toldBySignal: Occupant = { drain() {} };

/** Lives as long as the handler: the connection closes when the handler ends, and the handler is told by `conn.signal` when the connection does. */
async function live(connection: ConnectionCore, handler: Handler, onError: (error: unknown) => void): Promise<CloseOutcome> {
  try {
    await handler(connection);
    return await connection.shut(1000, "");
  } catch (error) {
    // A handler that was still talking when the peer left has done nothing wrong.
    if (!isFarewell(error, connection.signal)) onError(error);
    return connection.shut(1011, "");
  }
}

function assertOrigin(origin: string): void {
  if (origin === "same-origin") return;
  if (URL.canParse(origin) && (new URL(origin).origin === origin || /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+$/.test(origin))) return;
  throw new WsgenError(
    "WSGEN_USAGE",
    `origins: ${JSON.stringify(origin)} is no origin. Write scheme, host and port alone, as in "https://app.example.com", or "same-origin". ` +
      "To let every page connect, set insecureAllowAnyOrigin.",
  );
}

/** `onError` is the user's as well: what it throws is reported beside what it was told, and keeps no client from its answer. */
function tell({ onError, logger }: RouterOptions, error: unknown, origin: ErrorOrigin): void {
  const failed = (failure: unknown): void => reportError(logger, new AggregateError([error, failure], "onError threw as well."), origin);
  try {
    if (onError === undefined) reportError(logger, error, origin);
    // It may be an async function, whose rejection would end the process.
    else Promise.resolve(onError(error, origin) as unknown).catch(failed);
  } catch (failure) {
    failed(failure);
  }
}

/** Without a logger and without `onError` a bug would leave no trace at all. */
function reportError(logger: Logger | undefined, error: unknown, { request, connection }: ErrorOrigin): void {
  const what = connection === undefined ? "Deciding about a WebSocket (middleware, `upgrade` or a hook)" : "A WebSocket handler";
  const message = `${what} for ${request.path} failed.`;
  if (logger === undefined) console.error(message, error);
  else logger.error({ err: error, path: request.path }, message);
}

function report(logger: Logger | undefined, fields: object, message: string): void {
  if (logger === undefined) console.error(message, fields);
  else logger.error(fields, message);
}
