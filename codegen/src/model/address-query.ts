// The query that an address or a server's URL is written with (`/stream?streams={streams}&v=1`), as a schema of what clients send.
import type { Coercion } from "@wsgen/runtime/generated/server";
import type { JsonObject } from "../document/document.ts";
import { parametersOf, queryOfChannel } from "./addresses.ts";
import type { Socket } from "./endpoints.ts";
import type { Findings } from "./findings.ts";
import { constantOf, emptyObject, type Schema } from "./keywords.ts";
import { isObject, property, stringsAt } from "./tree.ts";

export interface WrittenQuery {
  /** Schemas by their names on the wire. */
  readonly properties: JsonObject;
  /** Names that every address of the socket has. */
  readonly required: readonly string[];
  /** Values that the addresses give themselves. */
  readonly constants: ReadonlyMap<string, string>;
}

type Pairs = ReadonlyMap<string, string>;

/**
 * Reads the query of a socket's addresses and of its servers' URLs; `undefined` where none has one. What a channel says counts, where its
 * server says the name too. `parameterOf` gives the schema of a parameter in it.
 */
export function readQuery(
  { address, channels, servers }: Socket,
  parameterOf: (name: string) => Schema,
  findings: Findings,
): WrittenQuery | undefined {
  const ofServers = servers.map(({ query, source }) => readPairs(query, source.pointer, findings));
  const ofChannels = channels.map((channel) => readPairs(queryOfChannel(channel, address), channel.pointer, findings));
  reportServers(servers, ofServers, findings);
  const alternatives = ofServers.length === 0 ? [new Map<string, string>()] : ofServers;
  const queries = ofChannels.flatMap((own) => alternatives.map((shared): Pairs => new Map([...shared, ...own])));
  const names = [...new Set(queries.flatMap((query) => [...query.keys()]))];
  if (names.length === 0) return undefined;
  const properties = emptyObject();
  const constants = new Map<string, string>();
  const required = names.filter((name) => queries.every((query) => query.has(name)));
  for (const name of names) {
    const values = [...new Set(queries.flatMap((query) => query.get(name) ?? []))];
    const [value = ""] = values;
    const isConstant = values.every((one) => parametersOf(one).length === 0);
    const parameter = values.find((one) => /^\{[^{}]+\}$/.test(one));
    if (isConstant) properties[name] = constantOf(values);
    else if (parameter !== undefined) properties[name] = parameterOf(parameter.slice(1, -1));
    else properties[name] = { type: "string", description: `Written as \`${value}\`.` };
    if (isConstant && values.length === 1 && required.includes(name)) constants.set(name, value);
  }
  return { properties, required, constants };
}

/** Names and values of a query as it was written at `pointer`. */
function readPairs(query: string, pointer: string, findings: Findings): Pairs {
  const read = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (read.has(name) || parametersOf(name).length > 0) {
      findings.warning({
        code: "address-query",
        message: `\`${name}=${value}\` of the query in the address is left out: ${read.has(name) ? "it says the name again" : "its name is none"}.`,
        fix: "Describe it under the channel's `bindings.ws.query`.",
        pointer,
        at: "key",
      });
    } else read.set(name, value);
  }
  return read;
}

/** Servers that carry the same channels, each with a query of its own: which of them a client means is known to its caller alone. */
function reportServers(servers: Socket["servers"], queries: readonly Pairs[], findings: Findings): void {
  const names = new Set(queries.flatMap((query) => [...query.keys()]));
  const differing = [...names].filter((name) => new Set(queries.map((query) => query.get(name))).size > 1);
  const other = queries.findIndex((query) => differing.some((name) => query.get(name) !== queries[0]?.get(name)));
  const [first, second] = [servers[0]?.source, servers[other]?.source];
  if (first === undefined || second === undefined || other === -1) return;
  findings.warning({
    code: "server-query",
    message: `The servers \`${first.key}\` and \`${second.key}\` carry the same channels, but not with the same ${differing.map((name) => `\`${name}\``).join(", ")} in the query of their URLs: whoever connects has to say it.`,
    fix: "Write the same query on both, or let each channel list its `servers`.",
    pointer: second.pointer,
    at: "key",
  });
}

/** A schema of the query with what the addresses say of it; where both speak of a name, the schema is closer. */
export function withQuery(schema: JsonObject, { properties, required }: WrittenQuery): JsonObject {
  const declared = property(schema, "properties");
  return {
    ...schema,
    required: [...new Set([...stringsAt(schema, "required"), ...required])],
    properties: Object.assign(emptyObject(), properties, isObject(declared) ? declared : {}),
  };
}

/** What stands for the constants of an address, as the schema says it; none where that wants a list. */
export function constantValues(
  { constants }: WrittenQuery,
  coerce: { readonly [name: string]: Coercion },
): { readonly [name: string]: string | number | boolean } {
  const values = emptyObject() as Record<string, string | number | boolean>;
  for (const [name, text] of constants) {
    const coercion = coerce[name];
    if (coercion === undefined) values[name] = text;
    else if (coercion === "integer" || coercion === "number") values[name] = Number(text);
    else if (coercion === "boolean") values[name] = text === "true";
  }
  return values;
}
