// The client of one contract: a method per endpoint, which validates the handshake, opens a socket and gives the connection.
import type { Awaitable } from "../connection/outcome.ts";
import type { Contract } from "../contract/contract.ts";
import { checkVersion } from "../contract/version.ts";
import { type ContractError, WsgenError } from "../errors.ts";
import { type ClientConnection, type Feature, prepareConnection, table } from "./connection.ts";
import type { HandshakeRequest, ShowingOptions } from "./credentials.ts";
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
}

/**
 * A connection that is being opened. Awaited, it is the open connection, or rejects when the first attempt fails. Whoever cannot wait, as
 * a page that shows its state, takes `connection` at once: then a first attempt that fails is tried again like every later one.
 */
export interface Opening<Connection> extends Promise<Connection> {
  readonly connection: Connection;
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
        { signal, query, headers, protocols = endpoint.protocols ?? [] }: Details = {},
        params?: object,
      ): Opening<ClientConnection<unknown>> => {
        const [connection, close, ready, insist] = connect(
          async (tell, fill) => {
            const own = await ask(headers);
            const address = addressOf(server);
            const path = fill(address, { params, query: await ask(query), headers: own });
            // `/` is where the server's own address is, with or without a slash behind it.
            if (path.length > 1) address.pathname = address.pathname.replace(/\/?$/, () => path);
            tell(address.href);
            const request: HandshakeRequest = [address.href, [protocols].flat(), { ...(await ask(always)), ...own }];
            // What it adds is a secret, and no part of the address that is told to anybody.
            await show?.(request, endpoint);
            return open(...request, options);
          },
          reconnect === false ? undefined : Object(reconnect),
          onInvalid,
          onError,
        );
        const leave = () => void close(1000, "", signal?.reason);
        signal?.addEventListener("abort", leave, { signal: connection.signal });
        if (signal?.aborted) leave();
        const opened = ready.then(() => connection);
        return Object.defineProperty(opened, "connection", {
          get() {
            insist();
            opened.catch(() => {});
            return connection;
          },
        }) as Opening<ClientConnection<unknown>>;
      };
      // Endpoints without path parameters take their options first.
      return endpoint.parameters
        ? (params: object, given?: ConnectOptions) => connectTo(given, params)
        : (given?: ConnectOptions) => connectTo(given);
    });
    // The contract's endpoints are the API's methods: both are printed from one document.
    return api as Api;
  };
}

/** The address of the server, for a WebSocket to open; a platform need not know `http:` there. */
function addressOf(server: string | URL): URL {
  // In a page, an address may be relative to it.
  const base = globalThis.location?.href;
  const url = URL.canParse(server, base) && new URL(server, base);
  if (!url || !/^(ws|http)s?:/.test(url.href)) throw new WsgenError("WSGEN_USAGE", `${server} is no ws:// or wss:// address.`);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url;
}

/** What is given now. */
function ask<T extends object>(given: Given<T> | undefined): Awaitable<T | undefined> {
  return typeof given === "function" ? given() : given;
}

function warnOncePerName(): (error: ContractError) => void {
  const warned = new Set<string | undefined>();
  return ({ messageName, message }) => {
    if (warned.has(messageName)) return;
    warned.add(messageName);
    console.warn(`wsgen: ${message} It was dropped.`);
  };
}
