// Which names of a query or of headers clients can be asked for: not credentials, not what the handshake has itself, and none twice.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { TOKEN } from "../grammar.ts";
import type { Findings } from "./findings.ts";
import { emptyObject } from "./keywords.ts";
import type { SecurityScheme } from "./model.ts";
import { isObject, joinPointer, type Place, property } from "./tree.ts";

/** Headers that every handshake has and the runtime checks, or that HTTP itself is written in (RFC 6455 section 4.1, RFC 9110 section 7). */
const handshakesOwn = new Set(
  "host connection upgrade content-length transfer-encoding trailer te sec-websocket-key sec-websocket-version sec-websocket-accept sec-websocket-extensions".split(
    " ",
  ),
);

/** What is no part of a query or of headers: credentials, and what cannot be asked for. Each is looked at once. */
export function leftOut(
  part: "query" | "headers",
  { findings, schemes }: { readonly findings: Findings; readonly schemes: readonly SecurityScheme[] },
  place: Place,
): (name: string) => boolean {
  const seen = new Set<string>();
  return (name) => {
    const pointer = placeOfName(place, name);
    const what = `The ${part === "headers" ? "header" : "query parameter"} \`${name}\``;
    const scheme = schemeOf(name, part, schemes);
    if (scheme !== undefined) {
      findings.hint({
        code: "handshake-credentials",
        message: `${what} carries the credentials of \`${scheme.name}\`: clients give it as such, \`authenticate\` is given it, and it is not among the ${part === "headers" ? "headers" : "query parameters"}.`,
        fix: "Describe it in the security scheme alone.",
        pointer,
        at: "key",
      });
      return true;
    }
    if (!canBeAsked(name, part, pointer, findings)) return true;
    if (part === "query" || !seen.has(name.toLowerCase())) {
      seen.add(name.toLowerCase());
      return false;
    }
    findings.warning({
      code: "handshake-name",
      message: `${what} is there already, in other letters: header names are compared without case; this one is left out.`,
      fix: "Take one of them away.",
      pointer,
      at: "key",
    });
    return true;
  };
}

function schemeOf(name: string, part: "query" | "headers", schemes: readonly SecurityScheme[]): SecurityScheme | undefined {
  return schemes.find(({ contract }) =>
    part === "query"
      ? contract.in === "query" && contract.name === name
      : contract.in === "header" && contract.name?.toLowerCase() === name.toLowerCase(),
  );
}

export const isCredential = (name: string, part: "query" | "headers", schemes: readonly SecurityScheme[]): boolean =>
  schemeOf(name, part, schemes) !== undefined;

/** Whether clients can be asked for it: the rest is left out, with a warning. */
function canBeAsked(name: string, part: "query" | "headers", pointer: string, findings: Findings): boolean {
  const own = part === "headers" && handshakesOwn.has(name.toLowerCase());
  const unreadable = name === "__proto__" || (part === "headers" && !TOKEN.test(name));
  if (!own && !unreadable) return true;
  const what = `The ${part === "headers" ? "header" : "query parameter"} \`${name}\``;
  findings.warning({
    code: "handshake-name",
    message: own
      ? `${what} belongs to the handshake itself, which the runtime checks; it is left out.`
      : `${what} cannot be sent under that name; it is left out.`,
    fix: own ? "Take it away." : "Name it with letters, digits and hyphens.",
    pointer,
    at: "key",
  });
  return false;
}

/** A schema of an object that neither declares nor requires some names. */
export function withoutNames(schema: JsonObject, leavesOut: (name: string) => boolean): JsonObject {
  const properties = property(schema, "properties");
  const required = property(schema, "required");
  if (!isObject(properties)) return schema;
  const left = new Set(Object.keys(properties).filter(leavesOut));
  if (left.size === 0) return schema;
  const kept = emptyObject();
  for (const [name, inner] of Object.entries(properties)) if (!left.has(name)) kept[name] = inner;
  return {
    ...schema,
    properties: kept,
    ...(Array.isArray(required) && { required: required.filter((name: JsonValue) => typeof name !== "string" || !left.has(name)) }),
  };
}

/** Where a schema declares a name; the schema itself where it does not. */
export function placeOfName({ pointer, value }: Place, name: string): string {
  return property(property(value, "properties"), name) === undefined ? pointer : joinPointer(pointer, "properties", name);
}
