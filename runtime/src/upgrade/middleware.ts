// The onion around every upgrade: what a route needs to know about who is calling, and who may not.
import type { Awaitable, Logger, UpgradeRequest } from "../connection/connection.ts";
import { WsgenError } from "../errors.ts";
import { LayerRequest } from "./request.ts";

/** Headers of the 101 that belong to the handshake itself (RFC 6455 section 4.2.2). */
const reserved = [
  "connection",
  "content-length",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "transfer-encoding",
  "upgrade",
] as const;

type Reserved =
  | "Connection"
  | "Upgrade"
  | "Sec-WebSocket-Accept"
  | "Sec-WebSocket-Extensions"
  | "Sec-WebSocket-Protocol"
  | (typeof reserved)[number];

/** Headers for the 101 response, those of the handshake itself excepted. */
export type AcceptHeaders =
  | Headers
  | readonly (readonly [name: string, value: string])[]
  | (Readonly<Record<string, string>> & { readonly [Name in Reserved]?: never });

declare const addedContext: unique symbol;

/** The decision to accept an upgrade. A middleware may add headers to it on the way out. */
export interface Accepted<Added extends object = object> {
  readonly kind: "accept";
  /** Headers that the 101 response carries beside those of the handshake. */
  readonly headers: Headers;
  /** The subprotocol to agree on; `undefined` leaves it to the route's `protocols`. */
  readonly protocol: string | undefined;
  /** What middleware added to the context: for types alone. */
  readonly [addedContext]?: Added;
}

/** What becomes of an upgrade: it is accepted, or refused with an HTTP response that really reaches the client. */
export type Decision<Added extends object = object> = Accepted<Added> | Response;

/** An upgrade request on its way in, with what the middleware so far has found out. */
export interface RoutedRequest<Context extends object = object> extends UpgradeRequest {
  readonly context: Context;
  /** The router's logger, bound to the path. */
  readonly log: Logger;
}

/** Asks the next layer, and adds to the context. Must be called once at most; not calling it means to return a Response. */
export type Next = <Added extends object = object>(added?: Added) => Promise<Decision<Added>>;

/**
 * A layer around the routes of a router. Returns what `next` gave it, or a `Response` of its own to refuse. What it gives to `next` is added to
 * the context that later layers and the handler see, with its type. Throwing answers 500 and calls `onError`.
 *
 * ```ts
 * router.use(async (request, next) => {
 *   const user = await authenticate(request);
 *   return user === undefined ? new Response("Log in first.\n", { status: 401 }) : next({ user });
 * });
 * ```
 */
export type Middleware<Context extends object = object, Added extends object = object> = (
  request: RoutedRequest<Context>,
  next: Next,
) => Awaitable<Decision<Added>>;

/** Accepts an upgrade, with headers for the 101 response and, where the route leaves it open, the subprotocol. */
export function accept(details: { readonly headers?: AcceptHeaders; readonly protocol?: string } = {}): Accepted {
  const headers = new Headers(details.headers as HeadersInit | undefined); // Readonly tuples are fine: Headers only reads them.
  assertAcceptHeaders(headers);
  return { kind: "accept", headers, protocol: details.protocol };
}

/** Throws when a header is set that belongs to the handshake itself. */
export function assertAcceptHeaders(headers: Headers): void {
  for (const taken of headers.keys()) {
    if (!reserved.some((name) => name === taken)) continue;
    const instead = taken === "sec-websocket-protocol" ? "use accept({ protocol })" : "the handshake sets it";
    throw new WsgenError("WSGEN_USAGE", `The header "${taken}" cannot be added to an accepted upgrade: ${instead}.`);
  }
}

/** What the onion and the route inside it decided. */
export type Outcome<Admission> =
  | { readonly kind: "refuse"; readonly response: Response }
  | {
      readonly kind: "accept";
      readonly accepted: Accepted;
      readonly admission: Admission;
      /** Everything the layers gave to `next`, and what the route added. */
      readonly context: object;
    };

/**
 * Runs the layers from the outside in, then the route, and lets the decision travel back out. `onLost` hears of what a layer threw after the one
 * around it had decided without waiting for it.
 */
export async function runMiddleware<Admission extends { readonly accepted: Accepted; readonly added?: object }>(
  layers: readonly Middleware[],
  request: UpgradeRequest,
  log: Logger,
  admit: (request: RoutedRequest) => Awaitable<Admission | Response>,
  onLost: (error: unknown) => void,
): Promise<Outcome<Admission>> {
  let gathered: object = Object.freeze({});
  const admissions: Admission[] = [];

  const enter = async (index: number): Promise<Decision> => {
    const context = gathered;
    const routed = new LayerRequest(request, context, log);
    const layer = layers[index];
    if (layer === undefined) {
      const admission = await admit(routed);
      if (admission instanceof Response) return admission;
      admissions.push(admission);
      return admission.accepted;
    }
    let called = false;
    let decided = false;
    const proceed = async <Added extends object>(added?: Added): Promise<Decision<Added>> => {
      if (called) throw new WsgenError("WSGEN_USAGE", "A middleware called next() twice for one upgrade.");
      called = true;
      gathered = Object.freeze(Object.assign({}, context, added)); // Spread, every connection would have a shape of its own.
      return (await enter(index + 1)) as Decision<Added>; // The symbol that carries the type exists in types alone.
    };
    const next: Next = (added) => {
      const decision = proceed(added);
      decision.catch((error: unknown) => {
        if (decided) onLost(error);
      });
      return decision;
    };
    try {
      return await layer(routed, next);
    } finally {
      decided = true;
    }
  };

  const decision = await enter(0);
  if (decision instanceof Response) return { kind: "refuse", response: decision };
  if (decision?.kind !== "accept") {
    throw new WsgenError("WSGEN_USAGE", "A middleware must return what next() gave it, or a Response; it returned neither.");
  }
  const [admission] = admissions;
  // Accepting past the route would skip its own checks, the contract's among them.
  if (admission === undefined)
    throw new WsgenError("WSGEN_USAGE", "A middleware accepted an upgrade that the route did not: return what next() gave it.");
  const context = admission.added === undefined ? gathered : Object.freeze({ ...gathered, ...admission.added });
  return { kind: "accept", accepted: decision, admission, context };
}
