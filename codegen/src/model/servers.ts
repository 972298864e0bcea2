// Server variables and security, which 2.x and 3.x write alike.
import type { JsonValue } from "../document/document.ts";
import type { Findings } from "./findings.ts";
import type { ServerVariable } from "./model.ts";
import type { SourceServer } from "./source.ts";
import { docsOf, isObject, type ObjectPlace, type Place, property, stringAt, type Tree } from "./tree.ts";

/** Reads the servers of a document; `urlOf` gives the URL as written, which may lack its scheme. */
export function readServers(tree: Tree, urlOf: (server: JsonValue) => string): SourceServer[] {
  return tree.objects(tree.root, "servers").map(([key, server]) => ({
    key,
    pointer: server.pointer,
    docs: docsOf(server.value),
    protocol: stringAt(server.value, "protocol") ?? "",
    url: urlOf(server.value),
    variables: readVariables(tree, server),
    security: securityOf(tree, server),
  }));
}

/** Reads the variables of a Server Object. */
function readVariables(tree: Tree, server: Place): ServerVariable[] {
  return tree.entries(server, "variables").flatMap(([name, place]) => {
    const variable = tree.follow(place);
    if (variable === undefined || !isObject(variable.value)) return [];
    const fallback = scalarText(property(variable.value, "default"));
    const allowed = tree.items(variable, "enum").flatMap((item) => scalarText(item.value) ?? []);
    return [
      {
        name,
        docs: docsOf(variable.value),
        ...(fallback !== undefined && { default: fallback }),
        ...(allowed.length > 0 && { enum: allowed }),
      },
    ];
  });
}

/** The security schemes that a server asks for: 3.x lists them, 2.x names them. */
function securityOf(tree: Tree, server: Place): ObjectPlace[] {
  return tree.items(server, "security").flatMap((item) => {
    const requirement = tree.follow(item);
    if (requirement === undefined || !isObject(requirement.value)) return [];
    if (stringAt(requirement.value, "type") !== undefined) return [{ pointer: requirement.pointer, value: requirement.value }];
    const components = tree.child(tree.root, "components");
    const schemes = components === undefined ? undefined : tree.child(components, "securitySchemes");
    return Object.keys(requirement.value).flatMap((name) => (schemes === undefined ? [] : (tree.object(schemes, name) ?? [])));
  });
}

/** YAML writes `default: 8080` where AsyncAPI means "8080". */
function scalarText(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** Names the security schemes that nothing enforces yet: whoever wrote them believes the door to be locked. */
export function reportSecurity(servers: readonly SourceServer[], findings: Findings): void {
  for (const { key, security } of servers) {
    for (const { pointer, value } of security) {
      const type = stringAt(value, "type") ?? "";
      const where = [stringAt(value, "in"), stringAt(value, "name")].filter((part) => part !== undefined).join(" ");
      findings.warning({
        code: "security",
        message: `The security scheme \`${type}\`${where === "" ? "" : ` (${where})`} of the server \`${key}\` is not checked by wsgen yet: everyone may connect.`,
        fix: "Check it in a middleware (`router.use`), and describe what clients send for it in the channel's `bindings.ws` (`query` or `headers`).",
        pointer,
        at: "key",
      });
    }
  }
}
