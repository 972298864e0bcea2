// The credentials of a client, shown at each attempt as the document's security schemes say.
import type { Contract, EndpointContract, SchemeContract } from "../contract/contract.ts";
import { valueAt } from "../contract/path.ts";
import { WsgenError } from "../errors.ts";
import type { ClientOptions, Given } from "./create.ts";

/** A user name and a password (HTTP Basic, RFC 7617). */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** What goes out in a handshake. */
export type HandshakeRequest = [url: string, protocols: string[], headers: Record<string, string>];

/** Options of a client that shows something at the handshake. */
export interface ShowingOptions extends ClientOptions {
  /** Adds to the request what the endpoint asks for. */
  show?(request: HandshakeRequest, endpoint: EndpointContract): Promise<void>;
}

type Credentials = string | BasicCredentials;

/** Makes the options of a client that shows its credentials. Generated code calls it. */
export type ShowCredentials = (
  contract: Contract,
  options?: ClientOptions & { readonly credentials?: object | undefined },
) => ShowingOptions;

/**
 * Has a client show its credentials: at each endpoint the first list of schemes of which it has them all, asked for anew before every attempt.
 * `headless`: the platform sends no headers, which is an error where only they would do.
 */
export function showCredentials(
  { schemes = {} }: Contract,
  options: Parameters<ShowCredentials>[1] = {},
  headless = false,
): ShowingOptions {
  // The generated code types them.
  const givenFor = (name: string) => valueAt(options.credentials, [name]) as Given<Credentials> | undefined;
  return {
    ...options,
    async show(request, { security = [] }) {
      const names = security.find((list) => list.length && list.every(givenFor));
      for (const name of names ?? []) {
        const one = givenFor(name);
        const scheme = schemes[name];
        if (!scheme || !one) continue;
        if (headless && (scheme.in === "header" || scheme.in === "cookie")) throw unsendable(name, scheme);
        put(request, name, scheme, typeof one === "function" ? await one() : one);
      }
    },
  };
}

const unsendable = (name: string, { in: where, name: key }: SchemeContract) =>
  new WsgenError(
    "WSGEN_USAGE",
    where === "cookie"
      ? `"${name}" is the cookie "${key}", which this platform sends by itself or not at all: give no credentials for it.`
      : `"${name}" travels in the header "${key}", which this WebSocket cannot send: choose \`x-wsgen: { carrier: query }\` or \`protocol\` for the scheme, or give a WebSocket that takes headers.`,
  );

function put(
  request: HandshakeRequest,
  name: string,
  { in: where, name: key = "", scheme, carries }: SchemeContract,
  credentials: Credentials,
): void {
  const [url, protocols, headers] = request;
  const pair = typeof credentials === "object" && `${credentials.username}:${credentials.password}`;
  const text = pair || (carries === "username" ? `${credentials}:` : carries === "password" ? `:${credentials}` : (credentials as string));
  if (where === "query") {
    const address = new URL(url);
    address.searchParams.set(key, text);
    request[0] = address.href;
  } else if (where === "protocol") {
    const encoded = base64(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    request[1] = [...protocols, key || name, `${key || name}.${encoded}`];
  } else if (where === "cookie") {
    const { cookie } = headers;
    request[2] = { ...headers, cookie: `${cookie ? `${cookie}; ` : ""}${key}=${text}` };
  } else request[2] = { ...headers, [key]: scheme ? `${scheme} ${carries === "key" ? text : base64(text)}` : text };
}

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
