// The upgrade request as middleware and handlers see it. It lives as long as its connection, so that it holds little: the request of Node
// and what was parsed of it on the way in are let go when the connection opens.
import type { Duplex } from "node:stream";
import { type PeerCertificate, TLSSocket } from "node:tls";
import type { Logger, UpgradeRequest } from "../connection/connection.ts";
import type { Watch } from "./answer.ts";
import { pathOf, type RawRequest } from "./handshake.ts";
import type { RoutedRequest } from "./middleware.ts";

/** No value of a header can hold it. */
const SEPARATOR = "\n";

/** Of requests that were decided: nothing of the handshake can end any more. */
const never = new AbortController().signal;

/** What the handshake found out about a request. */
export type RequestFacts = Pick<UpgradeRequest, "params" | "protocols" | "remoteAddress">;

/** One upgrade request. Query and headers are parsed by whoever asks for them. */
export class VisitorRequest implements UpgradeRequest {
  readonly target: string;
  readonly params: Readonly<Record<string, string>>;
  readonly protocols: readonly string[];
  readonly remoteAddress: string;
  /** Names and values in turn. One string is a third of what the list of Node takes. */
  readonly #headers: string;
  /** While the handshake lasts: what ends it, and what was parsed. */
  #visit: { readonly watch: Watch; readonly socket: Duplex; query?: URLSearchParams; headers?: Headers } | undefined;

  constructor(raw: RawRequest, { params, protocols, remoteAddress }: RequestFacts, socket: Duplex, watch: Watch) {
    this.target = raw.url ?? "/";
    this.params = params;
    this.protocols = protocols;
    this.remoteAddress = remoteAddress;
    this.#headers = raw.rawHeaders.join(SEPARATOR);
    this.#visit = { watch, socket };
  }

  /** No handshake has another. */
  get method(): string {
    return "GET";
  }

  get path(): string {
    return decodePath(pathOf({ url: this.target }));
  }

  get query(): URLSearchParams {
    if (this.#visit === undefined) return parseQuery(this.target);
    this.#visit.query ??= parseQuery(this.target);
    return this.#visit.query;
  }

  get headers(): Headers {
    if (this.#visit === undefined) return parseHeaders(this.#headers);
    this.#visit.headers ??= parseHeaders(this.#headers);
    return this.#visit.headers;
  }

  get signal(): AbortSignal {
    return this.#visit === undefined ? never : this.#visit.watch.signal;
  }

  get certificate(): PeerCertificate | undefined {
    const socket = this.#visit?.socket;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const certificate = socket.getPeerCertificate() as PeerCertificate | Record<never, never>;
    return "raw" in certificate ? certificate : undefined; // Without one Node gives an empty object.
  }

  /** The handshake is over. */
  settle(): void {
    this.#visit = undefined;
  }
}

/** The same as one layer of the middleware sees it. */
export class LayerRequest implements RoutedRequest {
  readonly context: object;
  readonly log: Logger;
  readonly #request: UpgradeRequest;

  constructor(request: UpgradeRequest, context: object, log: Logger) {
    this.#request = request;
    this.context = context;
    this.log = log;
  }

  get method(): string {
    return this.#request.method;
  }

  get target(): string {
    return this.#request.target;
  }

  get path(): string {
    return this.#request.path;
  }

  get query(): URLSearchParams {
    return this.#request.query;
  }

  get headers(): Headers {
    return this.#request.headers;
  }

  get remoteAddress(): string {
    return this.#request.remoteAddress;
  }

  get protocols(): readonly string[] {
    return this.#request.protocols;
  }

  get params(): Readonly<Record<string, string>> {
    return this.#request.params;
  }

  get certificate(): PeerCertificate | undefined {
    return this.#request.certificate;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // Parameters were decoded one by one; only a route's own text can still hold a stray "%".
  }
}

function parseQuery(target: string): URLSearchParams {
  return new URLSearchParams(target.slice(pathOf({ url: target }).length));
}

function parseHeaders(text: string): Headers {
  const headers = new Headers();
  const parts = text.split(SEPARATOR);
  for (let index = 0; index + 1 < parts.length; index += 2) headers.append(parts[index]!, parts[index + 1]!);
  return headers;
}
