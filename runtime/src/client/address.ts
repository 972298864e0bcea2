// From a server's address, an endpoint's template and their values to the URL of one connection.
import type { EndpointContract, Guard } from "../contract/contract.ts";
import { WsgenError } from "../errors.ts";
import { refusalOf, refuse, type Subject } from "./check.ts";

/**
 * Makes a function that fills the variables of a server's address (AsyncAPI Server Object: `host`, `pathname`, `variables`).
 * Variables without a default must be given.
 */
export function serverUrl<Variables extends object = object>(
  template: string,
  defaults: Readonly<Record<string, string>> = {},
): object extends Variables ? (variables?: Variables) => string : (variables: Variables) => string {
  return (variables?: object) => {
    const values: Record<string, unknown> = { ...defaults, ...variables };
    return template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
      if (!Object.hasOwn(values, name) || values[name] === undefined)
        throw new WsgenError("WSGEN_USAGE", `${template} needs a value for "${name}".`);
      return String(values[name]);
    });
  };
}

/**
 * The URL of one connection, its path parameters and query checked against the contract.
 *
 * @throws ContractError (outbound, without message name) when they do not match, WsgenError `WSGEN_USAGE` when the server's address is none.
 */
export function connectionUrl(
  server: string | URL,
  { address, parameters, query }: EndpointContract,
  params: object = {},
  values: object = {},
): string {
  checkPart(parameters?.guard, params, "path parameters", address);
  checkPart(query?.guard, values, "query", address);

  // In a page, an address may be relative to it.
  const base = globalThis.location?.href;
  const url = URL.canParse(server, base) && new URL(server, base);
  if (!url || !/^(ws|http)s?:/.test(url.href)) throw new WsgenError("WSGEN_USAGE", `${server} is no ws:// or wss:// address.`);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const given = new Map(Object.entries(params));
  const path = address.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = String(given.get(name) ?? "");
    // URLs know no way to write these as the name of something.
    if (/^\.{0,2}$/.test(value)) throw refuse(subject(address, "path parameters"), 'must not be empty, "." or ".."', `/${name}`);
    return encodeURIComponent(value);
  });
  // `/` is where the server's own address is, with or without a slash behind it.
  if (path.length > 1) url.pathname = url.pathname.replace(/\/?$/, () => path);

  for (const [name, value] of Object.entries(values)) {
    for (const item of [value].flat()) {
      if (Object(item) === item) throw refuse(subject(address, "query"), "cannot be written in a query", `/${name}`);
      if (item !== undefined) url.searchParams.append(name, String(item));
    }
  }
  return url.href;
}

/** Checks one part of the handshake. */
export function checkPart(guard: Guard<unknown> | undefined, values: object, part: string, address: string): void {
  const refusal = refusalOf(guard, values, subject(address, part));
  if (refusal) throw refusal;
}

const subject = (address: string, part: string): Subject => [`Not connected to ${address}: ${part}`, "outbound"];
