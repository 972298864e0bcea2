// Whether the application lets somebody in: what its middleware and the route say to an upgrade, and what is agreed upon with it.

import type { UpgradeRequest } from "../connection/connection.ts";
import { bindLogger } from "../connection/log.ts";
import { WsgenError } from "../errors.ts";
import { agreeOnExtensions, type ExtensionAgreement } from "./extensions.ts";
import type { Floor } from "./floor.ts";
import { type Handshake, refuse } from "./handshake.ts";
import { assertAcceptHeaders, type Outcome, runMiddleware } from "./middleware.ts";
import type { Admission, Route } from "./router.ts";

/** The decision on an upgrade once everybody has been asked. */
export type Verdict =
  | { readonly kind: "refuse"; readonly response: Response }
  | {
      readonly kind: "accept";
      readonly headers: Headers;
      readonly protocol: string;
      readonly context: object;
      readonly occupy: Admission["occupy"];
    };

/** Asks the middleware and the route. What they throw becomes a 500 that says nothing. */
export async function decide(
  { router, reporter }: Floor,
  { route, protocols }: Handshake<Route>,
  request: UpgradeRequest,
): Promise<Verdict> {
  const fail = (error: unknown): void => {
    // The client that left, or waited too long, took `request.signal` with it: what that broke is no error of the application.
    if (request.signal.aborted) return;
    reporter.failed({ connection: undefined, route: route.template.source, error });
    router.onError(error, { request });
  };
  try {
    const outcome = await runMiddleware(
      route.layers(),
      request,
      bindLogger(router.logger, { path: request.path }),
      (routed) => route.admit(routed),
      fail,
    );
    return judge(outcome, route, protocols);
  } catch (error) {
    fail(error);
    return { kind: "refuse", response: refuse(500, "The server made a mistake.").response };
  }
}

/** Settles the extensions, last of all, because what they begin ends with the connection. `undefined` when one of them threw. */
export function agree(
  { router, reporter }: Floor,
  { route, extensions }: Handshake<Route>,
  request: UpgradeRequest,
): ExtensionAgreement | undefined {
  try {
    const lossy = route.limits.overflow !== "close";
    return agreeOnExtensions(router.extensions, route.extensions ?? {}, extensions, lossy);
  } catch (error) {
    reporter.failed({ connection: undefined, route: route.template.source, error });
    router.onError(error, { request });
    return undefined;
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
