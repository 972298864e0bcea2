// From a server's address, an endpoint's template and their values to the URL of one connection.
import type { EndpointContract, Guard } from "../contract/contract.ts";
import { refusalOf } from "../contract/dispatch.ts";
import { ContractError, WsgenError } from "../errors.ts";

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

/** What is put into the URL, as the caller gives it. */
export interface AddressValues {
  readonly params?: object | undefined;
  readonly query?: object | undefined;
}

/**
 * The URL of one connection, its path parameters and query checked against the contract.
 *
 * @throws ContractError (outbound, without message name) when they do not match, WsgenError `WSGEN_USAGE` when the server's address is none.
 */
export function connectionUrl(server: string | URL, { address, parameters, query }: EndpointContract, values: AddressValues): string {
  checkPart(parameters?.guard, values.params ?? {}, "path parameters", address);
  checkPart(query?.guard, values.query ?? {}, "query", address);

  // In a page, an address may be relative to it.
  const base = globalThis.location?.href;
  const url = URL.canParse(server, base) ? new URL(server, base) : undefined;
  const protocol = url?.protocol.replace("http", "ws");
  if (url === undefined || (protocol !== "ws:" && protocol !== "wss:"))
    throw new WsgenError("WSGEN_USAGE", `${server} is no ws:// or wss:// address.`);
  url.protocol = protocol;
  url.hash = "";
  const params: Record<string, unknown> = { ...values.params };
  const path = address.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(params, name) ? String(params[name] ?? "") : "";
    if (value === "") throw refused(address, "path parameters", "must not be empty", `/${name}`);
    return encodeURIComponent(value);
  });
  // URLs know no way to write these as the name of something.
  if (path.split("/").some((segment) => segment === "." || segment === "..")) {
    throw refused(address, "path parameters", 'must not make a segment "." or ".." of the path', "");
  }
  if (path !== "") url.pathname = url.pathname.replace(/\/$/, "") + (path.startsWith("/") ? path : `/${path}`);

  for (const [name, value] of Object.entries(values.query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === undefined) continue;
      if (typeof item === "object" && item !== null) throw refused(address, "query", "cannot be written in a query", `/${name}`);
      url.searchParams.append(name, String(item));
    }
  }
  return url.href;
}

/** Checks one part of the handshake. */
export function checkPart(guard: Guard<unknown> | undefined, values: object, part: string, address: string): void {
  const refusal = guard === undefined ? undefined : refusalOf(guard, values);
  if (refusal !== undefined) throw refused(address, part, refusal.reason, refusal.path);
}

function refused(address: string, part: string, reason: string, path: string): ContractError {
  const message = `Not connected to ${address}: ${part}${path && ` ${path}`} ${reason}.`;
  return new ContractError({ message, messageName: undefined, direction: "outbound", path });
}
