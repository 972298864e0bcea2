// Who may connect: the credentials that a document's security schemes speak of, read from the upgrade request and judged by the user's hooks.
import type { Awaitable, UpgradeRequest } from "../connection/connection.ts";
import { WsgenError } from "../errors.ts";
import type { RoutedRequest } from "../upgrade/middleware.ts";
import type { Contract, SchemeContract } from "./contract.ts";
import { valueAt } from "./path.ts";
import { problemResponse } from "./problem-details.ts";

/** A user name and a password (HTTP Basic, RFC 7617). */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Judges the credentials of one security scheme, before the connection is accepted. Gives what is to be added to `conn.context`, `undefined` to refuse
 * (403), or a `Response` of its own. Throwing answers 500 and calls `onError`; `request.signal` aborts when the client leaves or the time is over.
 */
export type Authenticate<Credentials, Added extends object = object, Context extends object = object> = (
  credentials: Credentials,
  request: RoutedRequest<Context>,
) => Awaitable<Added | Response | undefined>;

/** What a hook may add to the context: any object but a promise, which is waited for. */
export type AddedContext = object & { readonly then?: never };

/** The same as the handlers see it. Of a hook that gives something else (`true`) the compiler shall complain where it is written, so nothing is asked of them. */
export type Added<Context> = "then" extends keyof Context ? never : Context;

/** A client that may connect. */
export interface Admitted {
  /** What the hooks added. */
  readonly context: object;
  /** The subprotocol to agree on where the client offers no other: the one that its credentials came under. */
  readonly protocol: string | undefined;
}

/** Decides about the clients of one endpoint. */
export interface Gate {
  judge(request: RoutedRequest): Promise<Admitted | Response>;
  /** Query parameters that are credentials. */
  readonly secrets: ReadonlySet<string>;
}

/**
 * Makes the gate of one endpoint; `undefined` where everyone may connect. Throws WSGEN_USAGE when a hook is missing: TypeScript checks it for
 * everyone who uses it.
 */
export function prepareGate(
  label: string,
  { title, schemes = {} }: Contract,
  security: readonly (readonly string[])[] | undefined,
  hooks: object | undefined,
): Gate | undefined {
  if (security === undefined) return undefined;
  const named = new Map(
    [...new Set(security.flat())].map((name) => {
      const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
      const given = valueAt(hooks, [name]);
      if (scheme === undefined || typeof given !== "function")
        throw new WsgenError(
          "WSGEN_USAGE",
          `${label} asks for the security scheme "${name}": add ${name}(credentials, request) to \`authenticate\`.`,
        );
      return [name, { name, scheme, judge: given as Authenticate<unknown> }] as const; // The generated code knows its own schemes.
    }),
  );
  const alternatives = security.map((names) => names.map((name) => named.get(name)!));
  const missing = (): Response => missingCredentials(title, alternatives);

  const inQuery = [...named.values()].flatMap(({ scheme }) => (scheme.in === "query" && scheme.name !== undefined ? [scheme.name] : []));
  const judge: Gate["judge"] = async (request) => {
    const verdicts = new Map<string, object | undefined>();
    let refusal: Response | undefined;
    for (const alternative of alternatives) {
      const shown = alternative.map((asked) => ({ ...asked, credentials: readCredentials(asked.name, asked.scheme, request) }));
      if (shown.length === 0 || shown.some(({ credentials }) => credentials === undefined)) continue;
      const context = {};
      let refused: Response | undefined;
      for (const { name, judge, credentials } of shown) {
        // A hook may ask a database: it is asked once, whatever it says, however many alternatives have its scheme.
        const verdict = verdicts.has(name) ? verdicts.get(name) : await judge(credentials, request);
        verdicts.set(name, verdict);
        if (verdict === undefined) refused = refusedCredentials();
        else if (verdict instanceof Response) refused = verdict;
        else if (typeof verdict === "object" && verdict !== null) Object.assign(context, verdict);
        else throw new WsgenError("WSGEN_USAGE", `${label}: authenticate.${name} gave ${typeNameOf(verdict)}. ${ANSWERS}`);
        if (refused !== undefined) break;
      }
      if (refused === undefined) {
        const offered = shown.find(({ scheme }) => scheme.in === "protocol");
        return { context, protocol: offered && (offered.scheme.name ?? offered.name) };
      }
      refusal ??= refused;
    }
    if (refusal !== undefined) return refusal;
    return alternatives.some(({ length }) => length === 0) ? { context: {}, protocol: undefined } : missing();
  };
  return { judge, secrets: new Set(inQuery) };
}

const ANSWERS =
  "Return an object to let the client in (what conn.context gets, {} for nothing), undefined to refuse it (403), or a Response of your own.";

/** `true` says more than its type does. */
const typeNameOf = (value: unknown): string => (value === null || typeof value === "boolean" ? String(value) : `a ${typeof value}`);

/** What the request shows for a scheme; `undefined` when that is nothing, or nothing that can be read. */
function readCredentials(name: string, { in: where, name: key = "", scheme, carries }: SchemeContract, request: UpgradeRequest): unknown {
  if (where === "certificate") return request.certificate;
  const text = textOf(name, where, key, request);
  const sent = scheme === undefined ? text : behind(scheme, text);
  if (sent === undefined || sent === "") return undefined;
  if (carries === "key") return sent;
  // A subprotocol is decoded already.
  const pair = where === "protocol" ? sent : decode(sent, "base64");
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon < 0) return undefined;
  const basic: BasicCredentials = { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
  if (carries === "basic") return basic;
  return (carries === "username" ? basic.username : basic.password) || undefined;
}

function textOf(name: string, where: SchemeContract["in"], key: string, request: UpgradeRequest): string | undefined {
  switch (where) {
    case "header":
      return request.headers.get(key) ?? undefined;
    case "query": {
      // Of two, which one counts?
      const [only, ...others] = request.query.getAll(key);
      return others.length === 0 ? only : undefined;
    }
    case "cookie":
      return cookie(request.headers.get("cookie") ?? "", key);
    case "protocol": {
      const own = `${key || name}.`;
      const offered = request.protocols.find((protocol) => protocol.startsWith(own));
      return offered === undefined ? undefined : decode(offered.slice(own.length), "base64url");
    }
    case "certificate":
      return undefined;
  }
}

/** The credentials of an Authorization header (RFC 9110 section 11.4): the scheme is compared without case, and two headers in one are none. */
function behind(scheme: string, header = ""): string | undefined {
  const space = header.indexOf(" ");
  if (space < 0 || header.slice(0, space).toLowerCase() !== scheme.toLowerCase()) return undefined;
  const credentials = header.slice(space).trim();
  return /^(basic|bearer)$/i.test(scheme) && /[\s,]/.test(credentials) ? undefined : credentials;
}

/** The value of a cookie (RFC 6265 section 4.2.1), without the quotes it may be in. */
function cookie(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    return pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decode(text: string, encoding: "base64" | "base64url"): string | undefined {
  if (!/^[\w+/-]*={0,2}$/.test(text)) return undefined;
  try {
    return utf8.decode(Buffer.from(text, encoding));
  } catch {
    return undefined; // Not UTF-8.
  }
}

interface Asked {
  readonly name: string;
  readonly scheme: SchemeContract;
}

/** 401 (RFC 9110 section 15.5.2), with a challenge for each scheme that HTTP knows. */
function missingCredentials(title: string, alternatives: readonly (readonly Asked[])[]): Response {
  const headers = new Headers();
  const realm = title.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
  for (const challenge of new Set(alternatives.flat().flatMap(({ scheme }) => scheme.scheme ?? [])))
    headers.append("www-authenticate", `${challenge} realm="${realm}"`);
  const ways = alternatives.map((alternative) => alternative.map(describe).join(" and ")).join("; or ");
  return problemResponse(401, "Credentials are missing.", { detail: `Send ${ways}.` }, headers);
}

const refusedCredentials = (): Response => problemResponse(403, "The credentials are refused.");

function describe({ name, scheme: { in: where, name: key = "", scheme } }: Asked): string {
  if (where === "certificate") return "a TLS client certificate";
  if (where === "protocol") return `the subprotocols "${key || name}" and "${key || name}.<credentials in base64url>"`;
  const places = { header: "the header", query: "the query parameter", cookie: "the cookie" } as const;
  return `${places[where]} "${key}"${scheme === undefined ? "" : ` with the scheme ${scheme}`}`;
}
