// What a user says before there is a connection: the variables of a server's address, and the parameters of an endpoint's.
import { WsgenError } from "../errors.ts";
import { refuse, type Subject } from "./check.ts";
import { tried } from "./codec.ts";
import type { Feature } from "./feature.ts";
import { filled } from "./filled.ts";

/**
 * Makes a function that fills the variables of a server's address (AsyncAPI Server Object: `host`, `pathname`, `variables`).
 * Variables without a default must be given.
 */
export function serverUrl<Variables extends object = object>(
  template: string,
  defaults: Readonly<Record<string, string>> = {},
): object extends Variables ? (variables?: Variables) => string : (variables: Variables) => string {
  return (variables?: object) => {
    const values = filled(variables, defaults);
    return template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
      if (!Object.hasOwn(values, name) || values[name] === undefined)
        throw new WsgenError("WSGEN_USAGE", `${template} needs a value for "${name}".`);
      return String(values[name]);
    });
  };
}

/**
 * For contracts with path parameters, a query or headers: checks them against the contract, and writes them into the address.
 *
 * Its Part throws ContractError (outbound, without message name) when they do not match.
 */
export const handshake: Feature =
  ({ address, parameters, query, headers }, codec) =>
  () => ({
    handshake(url, given) {
      const params = filled(given.params, parameters?.defaults);
      const queries = filled(given.query, query?.defaults);
      const subject = (part: string): Subject => [`Not connected to ${address}: ${part}`, "outbound"];
      for (const [part, contract, values] of [
        ["path parameters", parameters, params],
        ["query", query, queries],
        // Headers can be the client's own business, so that only those of the endpoint are checked, and only when there are some.
        ["headers", given.headers && headers, given.headers ?? {}],
      ] as const) {
        const refusal = codec.refusalOf(contract?.guard, values, subject(part));
        if (refusal) throw refusal;
      }

      for (const [name, value] of Object.entries(queries)) {
        for (const item of [value].flat()) {
          if (Object(item) === item) throw refuse(subject("query"), "cannot be written in a query", `/${name}`);
          if (item !== undefined) url.searchParams.append(name, String(item));
        }
      }
      const values = new Map(Object.entries(params));
      return address.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
        // What is half of a surrogate pair has no UTF-8, and URLs know no way to write the others as the name of something.
        const written = tried(() => encodeURIComponent(String(values.get(name) ?? ""))) ?? "";
        if (/^\.{0,2}$/.test(written)) throw refuse(subject("path parameters"), "cannot be written in a path", `/${name}`);
        return written;
      });
    },
  });
