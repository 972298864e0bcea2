// From a contract and its handlers to routes: what a generated `registerX` calls.
import { type Awaitable, assertLimits, type Limits } from "../connection/connection.ts";
import { type ContractError, WsgenError } from "../errors.ts";
import { assertLimit } from "../upgrade/capacity.ts";
import type { Reporter } from "../upgrade/events.ts";
import { accept } from "../upgrade/middleware.ts";
import { type Admission, internals, type Router } from "../upgrade/router.ts";
import { type Gate, prepareGate } from "./authentication.ts";
import type { Contract, EndpointContract } from "./contract.ts";
import type { ContractConnection, EndpointHandle, EndpointHandler, EndpointPrimitive, NamedMessage } from "./contract-connection.ts";
import { type ClassifyMessage, type Endpoint, prepareEndpoint, type SessionHooks, type ToError } from "./endpoint.ts";
import { readHandshake } from "./handshake-values.ts";
import { valueAt } from "./path.ts";
import { problemResponse } from "./problem-details.ts";
import type { Recheck } from "./recheck.ts";
import type { Deliver } from "./rooms.ts";
import { Session } from "./session.ts";
import { checkVersion } from "./version.ts";

/** Options of a generated `registerX`; `Protocol`: the subprotocols that the document names. */
export interface RegisterOptions<
  Protocol extends string = string,
  Received extends NamedMessage = NamedMessage,
  Sent extends NamedMessage = NamedMessage,
> {
  /** Called with every message that the contract does not allow, before the client is told or closed. */
  readonly onInvalid?: (error: ContractError, conn: ContractConnection) => void;
  /** Called with what handlers throw. Nothing of it reaches the client. Default: the router's `onError`. */
  readonly onError?: (error: unknown, conn: ContractConnection) => void;
  /**
   * Subprotocols the endpoints speak: some of the document's, or any where it names none. The first that the client offers and that is among them is
   * agreed on. Default: the document's.
   */
  readonly protocols?: readonly Protocol[];
  /** Refuse (400) clients that offer none of them. Default: false, they connect without one. */
  readonly requireProtocol?: boolean;
  /** The most connections each endpoint has at a time; others get 503. Default: no limit but the router's. */
  readonly maxConnections?: number;
  /** Limits of the endpoints' connections, where they differ from the router's. */
  readonly limits?: Partial<Limits>;
  /**
   * Stands between every message that the contract allows and its handler. Gives back what `next()` gives, or does not call it, and the message
   * goes no further; what it gives instead answers a request. Replies to the server's own requests do not come by. A request that goes no further is
   * not answered; where replies are known by their order (`correlation: order`) that closes the connection, as it would shift all later ones.
   */
  receive?(message: Received, conn: ContractConnection, next: () => Awaitable<unknown>): Awaitable<unknown>;
  /** Stands before the check of everything that is sent, to one or to many, replies and the error message included. Gives the payload to send. */
  send?(message: Sent): unknown;
}

/** Functions that some contracts need; generated code asks for them and gives them their types. */
export interface AskedOptions {
  /** By endpoint: says which message it is where nothing in the message does. */
  readonly classify?: object;
  /** By endpoint: makes the contract's error message. */
  readonly toError?: object;
  /** By security scheme: judges its credentials. */
  readonly authenticate?: object;
  /** By content type: reads and writes what is neither JSON nor text. */
  readonly codecs?: object;
}

/**
 * Registers a route for every endpoint of a contract. Throws WSGEN_CONTRACT_VERSION when this runtime cannot read the contract, WSGEN_USAGE when
 * a handler or a hook is missing or a path is taken.
 */
export function register<Api>(router: Router, contract: Contract, handlers: object, options: RegisterOptions & AskedOptions = {}): Api {
  checkVersion(contract);
  const handles: [string, EndpointHandle<object>][] = [];
  for (const [name, endpoint] of Object.entries(contract.endpoints)) {
    const label = `${contract.title}, endpoint "${name}"`;
    // The generated code types what is asked for by name.
    const handler = valueAt(handlers, [name]) as EndpointHandler | EndpointPrimitive | undefined;
    if (handler === undefined) throw new WsgenError("WSGEN_USAGE", `${label} has no handler: add ${name} to the handlers.`);
    const { exchange, prefix } = router[internals];
    const ours = `wsgen:${encodeURIComponent(contract.title)}:${prefix}${endpoint.address} `;
    const connect = exchange && ((deliver: Deliver, recheck: Recheck) => exchange.relay(ours, deliver, recheck));
    const prepared = prepareEndpoint(label, endpoint, handler, {
      ...options,
      connect,
      classify: valueAt(options.classify, [name]) as ClassifyMessage | undefined,
      toError: valueAt(options.toError, [name]) as ToError | undefined,
    });
    const gate = prepareGate(label, contract, endpoint.security, options.authenticate);
    addRoute(router, label, endpoint, prepared, gate, options);
    const { rooms } = prepared;
    handles.push([name, { to: (room) => rooms.to(room), presence: (room, options) => rooms.presence(room, options) }]);
  }
  return Object.fromEntries(handles) as Api; // The generated code knows its own contract.
}

/** The hooks of an endpoint on each server that it is open on. */
function prepareHooks(router: Router, options: RegisterOptions): (reporter: Reporter, route: string) => SessionHooks {
  const prepared = new WeakMap<Reporter, SessionHooks>();
  return (reporter, route) => {
    const hooks: SessionHooks = prepared.get(reporter) ?? {
      onInvalid(error, conn, { id }) {
        const { messageName, path, message } = error;
        reporter.invalid(() => ({ connection: id, route, message: messageName, pointer: path, problem: message }));
        return options.onInvalid?.(error, conn);
      },
      onError(error, conn, core) {
        reporter.failed({ connection: core.id, route, error });
        if (options.onError !== undefined) return options.onError(error, conn);
        return router[internals].onError(error, { request: core.handshake, connection: core });
      },
    };
    prepared.set(reporter, hooks);
    return hooks;
  };
}

function addRoute(
  router: Router,
  label: string,
  contract: EndpointContract,
  prepared: Endpoint,
  gate: Gate | undefined,
  options: RegisterOptions,
): void {
  const hooksOf = prepareHooks(router, options);
  const { requireProtocol = false } = options;
  // Endpoints of one document may speak different ones.
  const spoken = options.protocols?.filter((name) => contract.protocols?.includes(name) ?? true);
  const protocols = spoken ?? contract.protocols ?? [];
  router[internals].add({
    path: contract.address,
    slashes: contract.parameters?.slashes,
    label,
    protocols,
    requireProtocol,
    closeCodes: contract.closeCodes,
    maxConnections: assertLimit("maxConnections", options.maxConnections ?? Infinity),
    limits: { ...assertLimits(options.limits ?? {}), ...(answersInOrder(contract) && { concurrency: 1 }) },
    admit(request) {
      const reading = readHandshake(request, contract, gate?.secrets);
      if (reading.kind === "problem") return problemResponse(400, "The handshake does not match the contract.", reading.problem);
      const occupy: Admission["occupy"] = (connection, place) => {
        const session = new Session(connection, prepared, reading.values, hooksOf(place.reporter, place.path), place);
        session.start();
        return session;
      };
      if (gate === undefined) return { accepted: accept(), occupy };
      return gate.judge(request).then((verdict) => {
        if (verdict instanceof Response) return verdict;
        const { context, protocol } = verdict;
        const agreed = requireProtocol || request.protocols.some((name) => protocols.includes(name));
        // Browsers want one of what they offer, and the one that holds the credentials is not for showing around.
        const named = !agreed && protocol !== undefined && request.protocols.includes(protocol);
        return { accepted: accept(named ? { protocol } : {}), added: context, occupy };
      });
    },
  });
}

/** Handlers that run beside each other would answer in the order they are done in. */
function answersInOrder({ receives }: EndpointContract): boolean {
  return Object.values(receives.messages).some(({ reply }) => reply?.id === "order");
}
