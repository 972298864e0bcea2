// The opening handshake (RFC 6455 section 4.2) as a decision: a raw request in, a refusal or what the layers above need out. No I/O.
import { hash } from "node:crypto";
import { type ExtensionOffer, parseExtensionOffers } from "./extensions.ts";
import type { RouteMatch } from "./route.ts";

/** More header lines than any browser sends. */
const MAX_HEADERS = 100;

/** RFC 6455 section 1.3. */
const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The parts of Node's IncomingMessage that a decision needs. */
export interface RawRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

/** Who may connect from a web page; see `RouterOptions.origins`. */
export interface OriginPolicy {
  readonly origins: readonly string[];
  readonly insecureAllowAnyOrigin: boolean;
}

/** The state of the server that a decision depends on. */
export interface HandshakeContext<Route> {
  find(path: string): RouteMatch<Route> | undefined;
  readonly draining: boolean;
  readonly originPolicy: OriginPolicy;
  /** Whether a proxy of ours wrote X-Forwarded-Host. */
  readonly behindProxy: boolean;
}

/** A refusal, with the line for the log where the reason is the server's configuration. */
export interface Refusal {
  readonly kind: "refuse";
  readonly response: Response;
  readonly hint?: string;
}

/** A handshake that may go on to the middleware. */
export interface Handshake<Route> {
  readonly kind: "proceed";
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  /** Sec-WebSocket-Key, valid. */
  readonly key: string;
  readonly protocols: readonly string[];
  /** What the client offers, in its order. */
  readonly extensions: readonly ExtensionOffer[];
}

/**
 * Decides by the handshake table (docs/wire.md): what is malformed is refused before anything of the application runs.
 * Refusals are short plain text and repeat nothing of the request.
 */
export function decideHandshake<Route>(request: RawRequest, context: HandshakeContext<Route>): Refusal | Handshake<Route> {
  const headers = readHeaders(request.rawHeaders);
  const one = (name: string): string | undefined => {
    const [value, ...more] = headers(name);
    return more.length === 0 ? value : undefined;
  };

  if (request.rawHeaders.length / 2 > MAX_HEADERS) return refuse(431, "Too many header fields.");
  if (request.httpVersion !== "1.1") return refuse(400, "WebSocket needs HTTP/1.1.");
  const host = one("host");
  if (host === undefined || host === "") return refuse(400, "Exactly one Host header is needed.");

  if (context.draining) return refuse(503, "The server is restarting.", { "retry-after": "1" });
  const match = context.find(pathOf(request));
  if (match === undefined) return refuse(404, "There is nothing here.");
  if (match.kind === "bad-parameter") return refuse(400, `The path parameter "${match.name}" is not valid.`);

  if (request.method !== "GET") return refuse(405, "A WebSocket handshake is a GET request.", { allow: "GET" });
  if (one("upgrade")?.toLowerCase() !== "websocket") return refuse(400, "The Upgrade header must say websocket.");
  const key = one("sec-websocket-key");
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key)) return refuse(400, "Sec-WebSocket-Key is missing or not valid.");
  if (one("sec-websocket-version") !== "13")
    return refuse(426, "This server speaks version 13.", { upgrade: "websocket", "sec-websocket-version": "13" });
  const protocols = parseProtocols(headers("sec-websocket-protocol"));
  if (protocols === undefined) return refuse(400, "Sec-WebSocket-Protocol is not valid.");
  const offered = headers("sec-websocket-extensions");
  const extensions = offered.length === 0 ? [] : parseExtensionOffers(offered.join(","));
  if (extensions === undefined) return refuse(400, "Sec-WebSocket-Extensions is not valid.");
  if (headers("transfer-encoding").length > 0 || headers("content-length").some((length) => length !== "0")) {
    return refuse(400, "A WebSocket handshake has no body.");
  }
  const origins = headers("origin");
  const publicHost = (context.behindProxy ? headers("x-forwarded-host").at(-1) : undefined) ?? host;
  if (!originAllowed(origins, publicHost, context.originPolicy)) {
    return { ...refuse(403, "This origin may not connect."), hint: originHint(origins, context.originPolicy) };
  }
  return { kind: "proceed", route: match.route, params: match.params, key, protocols, extensions };
}

/** The part of the request target before the query, exactly as sent. */
export function pathOf({ url = "" }: Pick<RawRequest, "url">): string {
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}

/** A refusal in the form every refusal of ours has. */
export function refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return {
    kind: "refuse",
    response: new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } }),
  };
}

/** The value of Sec-WebSocket-Accept (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return hash("sha1", key + KEY_SUFFIX, "base64");
}

/** Gives the values of a header by its lower-case name, one for each line: Node's own object joins or drops repeated ones. */
function readHeaders(rawHeaders: readonly string[]): (name: string) => readonly string[] {
  const names: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) names.push(rawHeaders[index]!.toLowerCase());
  return (name) => {
    const values: string[] = [];
    for (let at = names.indexOf(name); at !== -1; at = names.indexOf(name, at + 1)) values.push(rawHeaders[2 * at + 1]!.trim());
    return values;
  };
}

/** The offered subprotocols; `undefined` when one is no token or is offered twice (RFC 6455 section 4.1, point 10). */
function parseProtocols(lines: readonly string[]): readonly string[] | undefined {
  if (lines.length === 0) return none;
  const names = lines
    .join(",")
    .split(",")
    .map((name) => name.trim());
  const valid = names.every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) && new Set(names).size === names.length;
  return valid ? names : undefined;
}

const none: readonly string[] = Object.freeze([]);

interface Origin {
  readonly protocol: string;
  readonly host: string;
  /** Scheme, host and port, as browsers write them. */
  readonly serialised: string;
}

/** Browsers always send Origin and other clients need not, so that its absence proves nothing and passes (RFC 6455 section 10.2). */
function originAllowed(sent: readonly string[], host: string, { origins, insecureAllowAnyOrigin }: OriginPolicy): boolean {
  if (insecureAllowAnyOrigin || sent.length === 0) return true;
  const origin = parseOrigin(sent);
  if (origin === undefined) return false;
  return origins.some((allowed) => (allowed === "same-origin" ? isSameHost(origin, host) : allowed === origin.serialised));
}

/** One origin in its serialised form. `null` (sandboxed pages, files) is nobody's origin. */
function parseOrigin([text, ...more]: readonly string[]): Origin | undefined {
  if (text === undefined || more.length > 0 || !URL.canParse(text)) return undefined;
  const { protocol, host, origin } = new URL(text);
  // A scheme the URL standard does not know (capacitor://localhost, in apps) has the origin "null" there.
  const serialised = origin === "null" ? `${protocol}//${host}` : origin;
  return host !== "" && text.toLowerCase() === serialised ? { protocol, host, serialised } : undefined;
}

/** The port may be left out of either where it is the scheme's own. TLS may end at a proxy, so the schemes need not agree. */
function isSameHost(origin: Origin, host: string): boolean {
  const ours = `${origin.protocol}//${host}`;
  return URL.canParse(ours) && new URL(ours).host === origin.host;
}

function originHint(sent: readonly string[], { origins }: OriginPolicy): string {
  const origin = parseOrigin(sent);
  if (origin === undefined) return "The Origin header is null, repeated or malformed; no list of origins allows that.";
  const list = [...origins, origin.serialised].map((name) => JSON.stringify(name)).join(", ");
  return `To let this page connect: createRouter({ origins: [${list}] }).`;
}
