// Path parameters, query and headers of an upgrade request, as the values that the document speaks of.
import type { UpgradeRequest } from "../connection/connection.ts";
import type { Coercion, EndpointContract, GuardError, HandshakeContract } from "./contract.ts";
import type { HandshakeValues } from "./contract-connection.ts";
import { refusalOf } from "./dispatch.ts";

/** Why a handshake does not match its contract. */
export interface HandshakeProblem {
  readonly in: "path" | "query" | "header";
  /** The parameter that is wrong, where it can be told. */
  readonly name: string | undefined;
  /** One sentence for the client. */
  readonly detail: string;
}

/** What the handshake said, or why it is refused. */
export type HandshakeReading =
  | { readonly kind: "values"; readonly values: HandshakeValues }
  | { readonly kind: "problem"; readonly problem: HandshakeProblem };

/**
 * Reads what the contract says about the handshake, and nothing else. A query parameter that is given twice where one value is due stays a list,
 * for the guard to refuse. Header names are compared in lower case, and the items of a list are parted by commas, as a header that is sent twice is
 * joined (RFC 9110 section 5.3).
 *
 * @param secrets Query parameters that are credentials: they are no part of the query, which may be closed to them.
 */
export function readHandshake(
  request: UpgradeRequest,
  { parameters, query, headers }: EndpointContract,
  secrets: ReadonlySet<string> = none,
): HandshakeReading {
  const values = {
    params:
      parameters === undefined
        ? nothing
        : parameters.coerce === undefined
          ? request.params
          : readStrings(Object.entries(request.params), parameters),
    query:
      query === undefined
        ? nothing
        : readStrings(secrets.size === 0 ? request.query : [...request.query].filter(([name]) => !secrets.has(name)), query),
    headers: headers === undefined ? nothing : readStrings(headerItems(request.headers, headers), headers),
  };
  const problem =
    check("path", values.params, parameters) ?? check("query", values.query, query) ?? check("header", values.headers, headers);
  return problem === undefined ? { kind: "values", values } : { kind: "problem", problem };
}

const nothing: object = Object.freeze({});
const none: ReadonlySet<string> = new Set();

/** The headers that the document names, item by item. */
function headerItems(headers: Headers, { names = [], coerce = {} }: HandshakeContract): readonly (readonly [string, string])[] {
  return names.flatMap((name) => {
    const text = headers.get(name);
    if (text === null) return [];
    const isList = Object.hasOwn(coerce, name) && items[coerce[name]!] !== undefined;
    return isList ? text.split(",").map((item) => [name, item.trim()] as const) : [[name, text] as const];
  });
}

function readStrings(pairs: Iterable<readonly [string, string]>, { coerce = {} }: HandshakeContract): object {
  const lists = new Map<string, string[]>();
  for (const [name, text] of pairs) {
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [text]);
    else list.push(text);
  }
  return Object.fromEntries(
    [...lists].map(([name, list]) => [name, coerceValues(list, Object.hasOwn(coerce, name) ? coerce[name] : undefined)]),
  );
}

function coerceValues(list: readonly string[], coercion: Coercion | undefined): unknown {
  const [text, ...more] = list;
  const single = coercion === undefined ? undefined : (items[coercion] ?? coercion);
  if (text === undefined || more.length > 0 || single !== coercion) return list.map((item) => coerceValue(item, single));
  return coerceValue(text, coercion);
}

/** What the items of a list are read as. */
const items: Readonly<Partial<Record<Coercion, Coercion | "string">>> = {
  strings: "string",
  integers: "integer",
  numbers: "number",
  booleans: "boolean",
  numbersOrBooleans: "numberOrBoolean",
};

function coerceValue(text: string, coercion: Coercion | "string" | undefined): unknown {
  if (coercion === "boolean" || coercion === "numberOrBoolean") {
    if (text === "true") return true;
    if (text === "false") return false;
  }
  // A number that would be another one than was sent stays text.
  if (coercion === "integer") return /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (coercion === "number" || coercion === "numberOrBoolean") {
    return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
  }
  return text;
}

const kinds = { path: "path parameter", query: "query parameter", header: "header" } as const;

function check(where: HandshakeProblem["in"], value: object, contract: HandshakeContract | undefined): HandshakeProblem | undefined {
  const { guard } = contract ?? {};
  const refusal = guard === undefined ? undefined : refusalOf(guard, value);
  if (refusal === undefined) return undefined;
  const error = guard?.errors?.[0];
  const name = error === undefined ? undefined : nameIn(error);
  const what = name === undefined ? kinds[where] : `${kinds[where]} ${JSON.stringify(name)}`;
  const wrong = error?.keyword === "required" ? "is missing" : error?.keyword === "additionalProperties" ? "is not known" : refusal.reason;
  return { detail: `The ${what} ${wrong}.`, in: where, name };
}

function nameIn({ keyword, instancePath, params }: GuardError): string | undefined {
  const named =
    keyword === "required" ? params["missingProperty"] : keyword === "additionalProperties" ? params["additionalProperty"] : undefined;
  const first = instancePath.split("/")[1]?.replaceAll("~1", "/").replaceAll("~0", "~");
  return (first ?? (typeof named === "string" ? named : undefined))?.slice(0, 40);
}
