// From a contract and its handlers to routes: what a generated `registerX` calls.
import { type ContractError, WsgenError } from "../errors.ts";
import { accept } from "../upgrade/middleware.ts";
import { internals, type Router } from "../upgrade/router.ts";
import type { Contract, EndpointContract } from "./contract.ts";
import type { ContractConnection, EndpointHandle, EndpointHandler } from "./contract-connection.ts";
import { type Endpoint, prepareEndpoint, type SessionHooks } from "./endpoint.ts";
import { type HandshakeProblem, readHandshake } from "./handshake-values.ts";
import { Session } from "./session.ts";
import { checkVersion } from "./version.ts";

/** Options of a generated `registerX`. */
export interface RegisterOptions {
  /** Called with every message that the contract does not allow, before the client is told or closed. */
  readonly onInvalid?: (error: ContractError, conn: ContractConnection) => void;
  /** Called with what handlers throw. Nothing of it reaches the client. Default: the router's `onError`. */
  readonly onError?: (error: unknown, conn: ContractConnection) => void;
}

/**
 * Registers a route for every endpoint of a contract. Throws WSGEN_CONTRACT_VERSION when this runtime cannot read the contract, WSGEN_USAGE when
 * a handler is missing or a path is taken.
 */
export function register<Api>(router: Router, contract: Contract, handlers: object, options: RegisterOptions = {}): Api {
  checkVersion(contract);
  const { onError } = router[internals];
  const hooks: SessionHooks = {
    onInvalid: (error, conn) => options.onInvalid?.(error, conn),
    onError: (error, conn, core) => (options.onError ?? (() => onError(error, { request: core.handshake, connection: core })))(error, conn),
  };
  const handles: [string, EndpointHandle<object>][] = [];
  for (const [name, endpoint] of Object.entries(contract.endpoints)) {
    const label = `${contract.title}, endpoint "${name}"`;
    const handler = Object.hasOwn(handlers, name) ? (handlers as Readonly<Record<string, EndpointHandler | undefined>>)[name] : undefined;
    if (handler === undefined) throw new WsgenError("WSGEN_USAGE", `${label} has no handler: add ${name} to the handlers.`);
    const prepared = prepareEndpoint(label, endpoint, handler, hooks);
    addRoute(router, label, endpoint, prepared);
    handles.push([name, { to: (room) => prepared.rooms.to(room) }]);
  }
  return Object.fromEntries(handles) as Api; // The generated code knows its own contract.
}

function addRoute(router: Router, label: string, contract: EndpointContract, prepared: Endpoint): void {
  router[internals].add({
    path: contract.address,
    label,
    protocols: [],
    requireProtocol: false,
    admit(request) {
      const reading = readHandshake(request, contract);
      if (reading.kind === "problem") return refusal(reading.problem);
      return {
        accepted: accept(),
        occupy: (connection) => {
          const session = new Session(connection, prepared, reading.values);
          session.start();
          return session;
        },
      };
    },
  });
}

/** RFC 9457. */
function refusal({ in: where, name, detail }: HandshakeProblem): Response {
  const problem = {
    title: "The handshake does not match the contract.",
    status: 400,
    detail,
    in: where,
    ...(name === undefined ? {} : { name }),
  };
  return new Response(`${JSON.stringify(problem)}\n`, { status: 400, headers: { "content-type": "application/problem+json" } });
}
