// Servers and their variables, which 2.x and 3.x write alike: read from the document, and built for the clients that choose among them.
import type { JsonValue } from "../document/document.ts";
import type { Sockets } from "./endpoints.ts";
import type { Server, ServerVariable } from "./model.ts";
import { assignPropertyNames } from "./names.ts";
import { readSecurity } from "./security.ts";
import type { SourceServer } from "./source.ts";
import { docsOf, type Place, property, stringAt, type Tree } from "./tree.ts";

/** Reads the servers of a document; `urlOf` gives the URL as written, which may lack its scheme. */
export function readServers(tree: Tree, urlOf: (server: JsonValue) => string): SourceServer[] {
  return tree.objects(tree.root, "servers").map(([key, server]) => ({
    key,
    pointer: server.pointer,
    docs: docsOf(server.value),
    protocol: stringAt(server.value, "protocol") ?? "",
    url: urlOf(server.value),
    variables: readVariables(tree, server),
    security: readSecurity(tree, server),
  }));
}

/** Reads the variables of a Server Object. */
function readVariables(tree: Tree, server: Place): ServerVariable[] {
  return tree.objects(server, "variables").map(([name, variable]) => {
    const fallback = scalarText(property(variable.value, "default"));
    const allowed = tree.items(variable, "enum").flatMap((item) => scalarText(item.value) ?? []);
    return {
      name,
      docs: docsOf(variable.value),
      ...(fallback !== undefined && { default: fallback }),
      ...(allowed.length > 0 && { enum: allowed }),
    };
  });
}

/** YAML writes `default: 8080` where AsyncAPI means "8080". */
function scalarText(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** Names by key: properties of the generated `servers`. */
export function nameServers({ servers }: Sockets): ReadonlyMap<string, string> {
  const assigned = assignPropertyNames(
    servers.map(({ source }) => ({ base: source.key, identity: source.pointer, suffix: { text: "Server", always: false } })),
  );
  return new Map(servers.map(({ source }) => [source.key, assigned.get(source.pointer)?.name ?? source.key]));
}

/** Builds the servers that clients choose from, with the variables that their URLs have. */
export function buildServers({ servers }: Sockets, names: ReadonlyMap<string, string>): Server[] {
  return servers.map(({ source, origin }) => {
    const inUrl = new Set([...origin.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name));
    return {
      name: names.get(source.key) ?? source.key,
      docs: source.docs,
      url: origin,
      variables: [
        ...source.variables.filter(({ name }) => inUrl.has(name)),
        ...[...inUrl].flatMap((name) =>
          name === undefined || source.variables.some((variable) => variable.name === name) ? [] : [{ name, docs: {} }],
        ),
      ],
      pointer: source.pointer,
    };
  });
}
