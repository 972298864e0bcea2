// The client of one contract: a method per endpoint, which validates the handshake, opens a socket and gives the connection.
import type { Contract, EndpointContract } from "../contract/contract.ts";
import { checkVersion } from "../contract/version.ts";
import { type ContractError, UpgradeRejectedError } from "../errors.ts";
import { type AddressValues, checkPart, connectionUrl } from "./address.ts";
import { type ClientConnection, type Hooks, prepareConnection } from "./connection.ts";
import type { OpenSocket, WebSocketConstructor } from "./socket.ts";

/** What holds for all connections of a client. */
export interface ClientOptions {
  /** The constructor to use instead of the platform's: `testServer`'s, or `ws` with options of your own bound to it. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Headers of every handshake, for example `authorization`. Not in browsers, which cannot send any. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Told of every message that arrives and that the contract does not allow; it reaches nobody else, and the connection stays open.
   * Default: one `console.warn` for each message name.
   */
  readonly onInvalid?: ((error: ContractError) => void) | undefined;
  /** Told of what a listener or an answerer throws, and of an answer the contract does not allow. Default: `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What holds for one connection. Generated code adds the endpoint's typed `query` and `headers`. */
export interface ConnectOptions {
  /** Gives the attempt up; it rejects with the signal's reason. Once the connection is open the signal has no effect. */
  readonly signal?: AbortSignal | undefined;
  /** Subprotocols to offer, best first. */
  readonly protocols?: string | readonly string[] | undefined;
  /** Headers of this handshake, added to those of the client. Not in browsers. */
  readonly headers?: object | undefined;
}

/**
 * Creates a client of a contract. Generated code calls it and gives it its type.
 *
 * Each method rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export type CreateClient = <Api>(contract: Contract, url: string | URL, options?: ClientOptions) => Api;

/** `createClient` on a platform. */
export function createClientOn(open: OpenSocket): CreateClient {
  return <Api>(contract: Contract, url: string | URL, options: ClientOptions = {}) => {
    checkVersion(contract);
    const hooks: Hooks = { onInvalid: options.onInvalid ?? warnOncePerName(), onError: options.onError ?? console.error };
    const methods = Object.entries(contract.endpoints).map(([name, endpoint]) => {
      let prepared: ReturnType<typeof prepareConnection> | undefined;
      const connectTo = (given: ConnectOptions & AddressValues) => {
        prepared ??= prepareConnection(endpoint);
        return connect(open, { endpoint, prepared, url, options, hooks, given });
      };
      // Endpoints without path parameters take their options first.
      const method =
        endpoint.parameters === undefined
          ? (given?: ConnectOptions) => connectTo({ ...given })
          : (params: object, given?: ConnectOptions) => connectTo({ ...given, params });
      return [name, method];
    });
    // The contract's endpoints are the API's methods: both are printed from one document.
    return Object.fromEntries(methods) as Api;
  };
}

interface Connecting {
  readonly endpoint: EndpointContract;
  readonly prepared: ReturnType<typeof prepareConnection>;
  readonly url: string | URL;
  readonly options: ClientOptions;
  readonly hooks: Hooks;
  readonly given: ConnectOptions & AddressValues;
}

async function connect(
  open: OpenSocket,
  { endpoint, prepared, url, options, hooks, given }: Connecting,
): Promise<ClientConnection<unknown>> {
  const { signal, protocols = [] } = given;
  const target = connectionUrl(url, endpoint, given);
  if (given.headers !== undefined) checkPart(endpoint.headers?.guard, given.headers, "headers", endpoint.address);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...options.headers, ...given.headers })) {
    if (value !== undefined) headers[name] = String(value);
  }

  signal?.throwIfAborted();
  const { socket, refusal } = await open(target, typeof protocols === "string" ? [protocols] : [...protocols], headers, options.WebSocket);
  socket.binaryType = "arraybuffer";
  const live = prepared(socket, target, hooks);

  return new Promise((resolve, reject) => {
    let isOpen = false;
    let cause: unknown;
    const giveUp = () => {
      reject(signal?.reason);
      socket.close();
    };
    const refuse = () => {
      if (isOpen) return;
      signal?.removeEventListener("abort", giveUp);
      const refused = refusal?.();
      // The query may hold secrets, and errors end up in logs.
      reject(new UpgradeRejectedError(target.replace(/\?.*/, ""), refused?.status, refused?.body, refused ? undefined : cause));
    };
    const opened = () => {
      isOpen = true;
      signal?.removeEventListener("abort", giveUp);
      resolve(live.connection);
    };
    socket.addEventListener("open", opened);
    socket.addEventListener("message", ({ data }) => live.receive(data));
    socket.addEventListener("error", (event) => {
      // Browsers give no error here; ws and undici do.
      cause = "error" in event ? event.error : undefined;
      // The "close" that the standard wants behind it never comes from the WebSocket of Node 22.
      setTimeout(refuse);
    });
    socket.addEventListener("close", ({ code, reason, wasClean }) => {
      refuse();
      live.end({ code, reason, wasClean });
    });
    if (signal?.aborted) giveUp();
    else signal?.addEventListener("abort", giveUp);
    // An injected socket may be open already.
    if (socket.readyState === 1) opened();
  });
}

function warnOncePerName(): (error: ContractError) => void {
  const warned = new Set<string | undefined>();
  return ({ messageName, message }) => {
    if (warned.has(messageName)) return;
    warned.add(messageName);
    console.warn(`wsgen: ${message} It was dropped; more of its kind are dropped in silence unless onInvalid is set.`);
  };
}
