// The client of one contract: a method per endpoint, which validates the handshake, opens a socket and gives the connection.
import type { Awaitable } from "../connection/outcome.ts";
import type { Contract } from "../contract/contract.ts";
import { checkVersion } from "../contract/version.ts";
import { type ContractError, WsgenError } from "../errors.ts";
import { tried } from "./codec.ts";
import { type ClientConnection, prepareConnection, table } from "./connection.ts";
import type { HandshakeRequest, ShowingOptions } from "./credentials.ts";
import type { Feature } from "./feature.ts";
import type { Opening } from "./life.ts";
import type { Login } from "./login.ts";
import type { ReconnectOptions } from "./retry.ts";
import type { NodeOptions, OpenSocket, WebSocketConstructor } from "./socket.ts";

/** A value, or a function that is asked for it before every attempt: for what expires, such as a token. */
export type Given<T> = T | (() => Awaitable<T>);

/** What holds for all connections of a client. */
export interface ClientOptions extends NodeOptions {
  /** The constructor to use instead of the platform's: `testServer`'s, or `ws` with options of your own bound to it. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Headers of every handshake, for example `authorization`. Not in browsers, which cannot send any. */
  readonly headers?: Given<Readonly<Record<string, string>>> | undefined;
  /** How a lost connection is opened again; `false`: it is not. Default: by the table of close codes and statuses, with full jitter up to 30 s. */
  readonly reconnect?: boolean | ReconnectOptions | undefined;
  /**
   * Told of every message that arrives and that the contract does not allow; it reaches nobody else, and the connection stays open.
   * Throwing it closes the connection, and loops end with it. Default: one `console.warn` for each message name.
   */
  readonly onInvalid?: ((error: ContractError) => void) | undefined;
  /** Told of what a listener or an answerer throws, and of an answer the contract does not allow. Default: `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What holds for one connection. Generated code adds the endpoint's typed `query` and `headers`, and knows the document's subprotocols. */
export interface ConnectOptions<Protocol extends string = string> {
  /** Gives the attempt up, which rejects with the signal's reason; closes the connection with 1000 once it is open. */
  readonly signal?: AbortSignal | undefined;
  /** Subprotocols to offer, best first. Default: the document's. */
  readonly protocols?: Protocol | readonly Protocol[] | undefined;
  /** Headers of this handshake, added to those of the client. Not in browsers. */
  readonly headers?: Given<object> | undefined;
  /** What is said first on every connection, before it is open to anybody else: `login(async (connection) => { … })`. */
  readonly login?: Login | undefined;
}

/**
 * Creates a client of a contract. Generated code calls it, gives it its type, and names the features that the contract needs.
 *
 * Each method rejects with ContractError (parameters or query), UpgradeRejectedError (no connection), or the signal's reason.
 */
export type CreateClient = <Api>(contract: Contract, url: string | URL, options?: ClientOptions, features?: readonly Feature[]) => Api;

type Details = ConnectOptions & { readonly query?: Given<object> };

/** `createClient` on a platform. */
export function createClientOn(open: OpenSocket): CreateClient {
  return <Api>(contract: Contract, server: string | URL, options: ShowingOptions = {}, features: readonly Feature[] = []) => {
    checkVersion(contract);
    const { headers: always, reconnect, onInvalid = warnOncePerName(), onError = console.error, show } = options;
    const api = table(contract.endpoints, (_, endpoint) => {
      const connect = prepareConnection(endpoint, features);
      const connectTo = (
        { signal, query, headers, protocols = endpoint.protocols ?? [], login }: Details = {},
        params?: object,
      ): Opening<ClientConnection<unknown>> => {
        const [connection, opening] = connect(
          async (tell, ask) => {
            // Before anything of the user's is asked for.
            signal?.throwIfAborted();
            const own = await now(headers);
            const address = addressOf(server);
            const path = ask("handshake", address, { params, query: await now(query), headers: own }) ?? endpoint.address;
            // `/` is where the server's own address is, with or without a slash behind it.
            if (path[1]) address.pathname = address.pathname.replace(/\/?$/, () => path);
            tell(address.href);
            // JSON knows no `undefined`.
            const all = JSON.parse(JSON.stringify({ ...(await now(always)), ...own })) as Record<string, string>;
            const request: HandshakeRequest = [address.href, [protocols].flat(), all];
            // What it adds is a secret, and no part of the address that is told to anybody.
            await show?.(request, endpoint);
            const begun = open(...request, options);
            return login?.(begun, endpoint, features, onInvalid, onError) ?? begun;
          },
          reconnect,
          onInvalid,
          onError,
        );
        const leave = () => void connection.close(1000, "", signal?.reason);
        signal?.addEventListener("abort", leave, { signal: connection.signal });
        if (signal?.aborted) leave();
        return opening;
      };
      // Endpoints without path parameters take their options first.
      return endpoint.parameters ? (params: object, given?: ConnectOptions) => connectTo(given, params) : connectTo;
    });
    // The contract's endpoints are the API's methods: both are printed from one document.
    return api as Api;
  };
}

/** The address of the server, for a WebSocket to open; a platform need not know `http:` there. */
function addressOf(server: string | URL): URL {
  // In a page, an address may be relative to it.
  const url = tried(() => new URL(server, globalThis.location?.href));
  if (!url || !/^(ws|http)/.test(url.protocol)) throw new WsgenError("WSGEN_USAGE", `${server} is no ws:// address.`);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url;
}

/** What is given now. */
function now<T extends object>(given: Given<T> | undefined): Awaitable<T | undefined> {
  return typeof given === "function" ? given() : given;
}

function warnOncePerName(): (error: ContractError) => void {
  const warned = new Set<string | undefined>();
  return ({ messageName, message }) => {
    if (warned.size < warned.add(messageName).size) console.warn(`wsgen: ${message} Dropped.`);
  };
}
