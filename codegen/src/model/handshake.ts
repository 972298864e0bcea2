// What an upgrade request says: path parameters, and the query and headers of the `ws` binding, as types.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { TOKEN } from "../grammar.ts";
import { constantValues, readQuery, withQuery } from "./address-query.ts";
import { literalSegments, parametersOf } from "./addresses.ts";
import { type CoercionProblem, coercionsOf } from "./coercions.ts";
import type { Socket } from "./endpoints.ts";
import type { Findings } from "./findings.ts";
import { emptyObject, type Schema } from "./keywords.ts";
import type { HandshakePart, SecurityScheme } from "./model.ts";
import { defaultsOf } from "./parameter-defaults.ts";
import type { Types } from "./schemas.ts";
import { type Resolve, shapeOf } from "./shape.ts";
import { isObject, joinPointer, type ObjectPlace, type Place, property, type Tree } from "./tree.ts";

/** The parts of one endpoint's handshake; `type` is still the type's id. */
export interface Handshake {
  readonly parameters?: HandshakePart;
  readonly query?: HandshakePart;
  readonly headers?: HandshakePart;
}

interface Context {
  readonly tree: Tree;
  readonly types: Types;
  readonly findings: Findings;
  /** The schemes whose credentials clients show on this socket. */
  readonly schemes: readonly SecurityScheme[];
  /** PascalCase name of the endpoint: the types are `<Endpoint>Parameters` and so on. */
  readonly typeName: string;
  readonly channelWords: string;
}

/** Builds the handshake types of a socket and adds them to `types`. */
export function buildHandshake(socket: Socket, context: Context): Handshake {
  reportAddress(socket, context.findings);
  reportMethod(socket, context);
  const parameters = buildParameters(socket, context);
  const query = buildPart(socket, "query", context);
  const headers = buildPart(socket, "headers", context);
  return { ...(parameters && { parameters }), ...(query && { query }), ...(headers && { headers }) };
}

function buildParameters(socket: Socket, context: Context): HandshakePart | undefined {
  const { types, findings, typeName, channelWords } = context;
  const names = parametersOf(socket.address);
  const properties = emptyObject();
  for (const name of names) properties[name] = parameterSchema(socket, name, context);
  reportUnused(socket, names, findings);
  const [channel] = socket.channels;
  if (names.length === 0 || channel === undefined) return undefined;
  const schema = { type: "object", required: names, properties };
  const id = `parameters ${channel.pointer} ${socket.address}`;
  types.add({
    id,
    pointer: channel.pointer,
    base: `${typeName}Parameters`,
    role: "handshake",
    channel: channelWords,
    docs: { description: `Path parameters of \`${socket.address}\`.` },
    schema,
  });
  const { coerce, problems } = coercionsOf(schema, (ref) => types.drafts.get(ref)?.schema);
  reportProblems(problems, "path parameter", { pointer: channel.pointer, value: null }, findings);
  const defaults = defaultsOf(socket.channels, properties, findings);
  const given = Object.keys(defaults).length;
  const slashes = slashesOf(properties, (ref) => types.drafts.get(ref)?.schema);
  return {
    type: id,
    optional: given === names.length,
    coerce,
    ...(given > 0 && { defaults }),
    ...(Object.keys(slashes).length > 0 && { slashes }),
  };
}

/** The listed values of path parameters that are several segments, unless they are sent as one. */
function slashesOf(properties: JsonObject, resolve: Resolve): { readonly [name: string]: readonly string[] } {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) => {
      const { values = [] } = shapeOf(isObject(schema) ? schema : true, resolve);
      const found = values.flatMap((value) => (typeof value === "string" && value.includes("/") ? [value] : []));
      return found.length === 0 ? [] : [[name, found]];
    }),
  );
}

function parameterSchema(socket: Socket, name: string, { types, findings }: Context): Schema {
  for (const channel of socket.channels) {
    const declared = channel.parameters.find((parameter) => parameter.name === name);
    if (declared !== undefined) return types.normalise(declared.schema);
  }
  for (const { source } of socket.servers) {
    const variable = source.variables.find((candidate) => candidate.name === name);
    if (variable === undefined) continue;
    return {
      type: "string",
      ...(variable.enum && { enum: variable.enum }),
      ...(variable.default !== undefined && { default: variable.default }),
      ...(variable.docs.description !== undefined && { description: variable.docs.description }),
    };
  }
  const [channel] = socket.channels;
  const server = socket.servers.find(({ source }) => parametersOf(source.url).includes(name))?.source;
  if (server !== undefined && !socket.channels.some(({ address = "" }) => parametersOf(address).includes(name))) {
    findings.warning({
      code: "parameter-undeclared",
      message: `The URL of the server \`${server.key}\` has the variable \`${name}\`, which is not declared; it is taken as a string.`,
      fix: "Describe it under the server's `variables`.",
      pointer: server.pointer,
      at: "key",
    });
    return { type: "string" };
  }
  // In 2.x the address is the channel's key.
  const holder = socket.channels.find(({ namedBy, address }) => namedBy === "key" && parametersOf(address ?? "").includes(name));
  findings.warning({
    code: "parameter-undeclared",
    message: `The address \`${socket.address}\` has the parameter \`${name}\`, which is not declared; it is taken as a string.`,
    fix: `Describe it under the channel's \`parameters\`.`,
    ...(holder === undefined
      ? { pointer: channel?.pointer ?? "/channels", at: "key" }
      : { pointer: joinPointer(holder.pointer, "address"), at: "value" }),
  });
  return { type: "string" };
}

function reportUnused(socket: Socket, names: readonly string[], findings: Findings): void {
  for (const channel of socket.channels) {
    const inTopic = parametersOf(channel.address ?? "");
    for (const { name, pointer } of channel.parameters) {
      if (names.includes(name) || inTopic.includes(name)) continue;
      findings.warning({
        code: "parameter-unused",
        message: `The parameter \`${name}\` is declared, but the address \`${channel.address ?? ""}\` does not have it; it is ignored.`,
        fix: "Put it into the address in braces; if it travels in the query or in a header, describe it under the channel's `bindings.ws`.",
        pointer,
        at: "key",
      });
    }
  }
}

/** What the bindings say of the query or the headers, and of the query also the addresses and the servers' URLs. */
function buildPart(socket: Socket, part: "query" | "headers", context: Context): HandshakePart | undefined {
  const { types, findings, typeName } = context;
  const [channel] = socket.channels;
  const bound = readBinding(socket, part, context);
  const written = part === "query" ? readQuery(socket, (name) => parameterSchema(socket, name, context), findings) : undefined;
  if (channel === undefined || (bound === undefined && written === undefined)) return undefined;
  const place = bound?.place ?? { pointer: channel.pointer, value: null };
  const whole = bound?.schema ?? emptyObject();
  const declared = written === undefined ? whole : withQuery(whole, written);
  const normalised = withoutNames(declared, leftOut(part, context, place));
  // All there was are credentials, which have a place of their own.
  if (Object.keys(property(declared, "properties") ?? {}).every((name) => isCredential(name, part, context.schemes))) return undefined;
  const schema: JsonObject = { ...(part === "headers" ? opened(lowerCased(normalised)) : normalised), type: "object" };
  const id = `${part} ${place.pointer}${written === undefined ? "" : ` ${socket.address}`}`;
  const described = normalised["description"];
  const what = `${part === "query" ? "Query parameters" : "Headers"} of \`${socket.address}\`.`;
  types.add({
    id,
    pointer: place.pointer,
    base: `${typeName}${part === "query" ? "Query" : "Headers"}`,
    role: "handshake",
    channel: context.channelWords,
    docs: { description: typeof described === "string" ? `${what}\n\n${described}` : what },
    schema,
  });
  const { coerce, problems, names } = coercionsOf(schema, (ref) => types.drafts.get(ref)?.schema);
  reportProblems(problems, part === "query" ? "query parameter" : "header", place, findings);
  const found = written && { ...constantValues(written, coerce), ...defaultsOf(socket.channels, written.properties, findings) };
  const defaults = Object.fromEntries(Object.entries(found ?? {}).filter(([name]) => names.includes(name)));
  const required = property(schema, "required");
  return {
    type: id,
    optional: !Array.isArray(required) || required.every((name: JsonValue) => Object.hasOwn(defaults, String(name))),
    coerce,
    ...(Object.keys(defaults).length > 0 && { defaults }),
    ...(part === "headers" && { names }),
  };
}

/** The schema of a `ws` binding of the socket's channels. */
function readBinding(
  socket: Socket,
  part: "query" | "headers",
  { tree, types, findings }: Context,
): { readonly place: Place; readonly schema: JsonObject } | undefined {
  const bound = socket.channels.flatMap((channel) => {
    const place = channel.bindings === undefined ? undefined : tree.object(channel.bindings, "ws");
    const found = place === undefined ? undefined : tree.child(place, part);
    return place === undefined || found === undefined ? [] : [{ channel, place: found, written: placeOf(place, part) }];
  });
  const [first, ...others] = bound;
  if (first === undefined) return undefined;
  for (const other of others) {
    if (JSON.stringify(other.place.value) === JSON.stringify(first.place.value)) continue;
    findings.warning({
      code: "binding-differs",
      message: `The channels \`${first.channel.key}\` and \`${other.channel.key}\` share the socket \`${socket.address}\`, but ask for another ${part === "query" ? "query" : "set of headers"}; the first one counts.`,
      fix: "Write the same binding on both, once under `components` and with a `$ref`.",
      pointer: other.written.pointer,
      at: "key",
    });
  }
  if (!isObject(first.place.value) || !isObject(property(first.place.value, "properties"))) {
    findings.warning({
      code: "binding",
      message: `\`bindings.ws.${part}\` must be a schema of an object with \`properties\`; it is ignored.`,
      fix: `Write \`${part}: { type: object, properties: { … } }\`.`,
      pointer: first.written.pointer,
      at: "key",
    });
    return undefined;
  }
  const schema = types.normalise(first.place);
  return typeof schema === "boolean" ? undefined : { place: first.place, schema };
}

/** Headers that every handshake has and the runtime checks, or that HTTP itself is written in (RFC 6455 section 4.1, RFC 9110 section 7). */
const handshakesOwn = new Set(
  "host connection upgrade content-length transfer-encoding trailer te sec-websocket-key sec-websocket-version sec-websocket-accept sec-websocket-extensions".split(
    " ",
  ),
);

/** What is no part of a query or of headers: credentials, and what cannot be asked for. Each is looked at once. */
function leftOut(part: "query" | "headers", { findings, schemes }: Context, place: Place): (name: string) => boolean {
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

const isCredential = (name: string, part: "query" | "headers", schemes: readonly SecurityScheme[]): boolean =>
  schemeOf(name, part, schemes) !== undefined;

/** RFC 6455 section 4.1: the method of an upgrade is GET. */
function reportMethod({ channels }: Socket, { tree, findings }: Context): void {
  for (const { bindings } of channels) {
    const place = bindings && tree.object(bindings, "ws");
    const method = place && property(place.value, "method");
    if (place === undefined || method === undefined || (typeof method === "string" && method.toUpperCase() === "GET")) continue;
    findings.warning({
      code: "binding",
      message: `A WebSocket is opened with GET, whatever \`bindings.ws.method\` says (\`${String(method)}\`).`,
      fix: "Write `method: GET`, or leave it out.",
      pointer: joinPointer(place.pointer, "method"),
      at: "key",
    });
  }
}

/** What nobody can connect to, or not as its author means it. */
function reportAddress({ address, channels }: Socket, findings: Findings): void {
  const [channel] = channels;
  const at = { pointer: channel?.pointer ?? "/channels", at: "key" } as const;
  const names = [...address.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? "");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    findings.error({
      code: "address",
      message: `The address \`${address}\` has the parameter \`${twice}\` twice.`,
      fix: "Give one of them another name.",
      ...at,
    });
  }
  const adjacent = /\{[^{}]*\}\{[^{}]*\}/.exec(address)?.[0];
  if (adjacent !== undefined) {
    findings.error({
      code: "address",
      message: `Nothing stands between the parameters \`${adjacent}\` of the address \`${address}\`, so that nobody can tell where one ends.`,
      fix: "Put a character between them, or make them one parameter.",
      ...at,
    });
  }
  if (/[{}]/.test(address.replaceAll(/\{[^{}]+\}/g, ""))) {
    findings.error({
      code: "address",
      message: `The address \`${address}\` has braces that hold no name.`,
      fix: "Write parameters as `{name}`, and braces that are meant as `%7B` and `%7D`.",
      ...at,
    });
  }
  const segments = address.slice(1).split("/");
  if (address.includes("\\")) {
    findings.warning({
      code: "address",
      message: `The address \`${address}\` has a backslash, which clients turn into a slash, and servers do not.`,
      fix: "Write `/`, or `%5C` for a backslash that is meant.",
      ...at,
    });
  }
  if (segments.some((segment) => /^(\.|%2e){1,2}$/i.test(segment))) {
    findings.warning({
      code: "address",
      message: `The address \`${address}\` has \`.\` or \`..\` in its path, which clients resolve before they connect, and servers do not.`,
      fix: "Write the path that is meant.",
      ...at,
    });
  }
  if (segments.at(-1) === "*") {
    findings.warning({
      code: "address",
      message: `AsyncAPI has no wildcards: a generated server takes every path below \`${address}\`, a generated client connects to that very address.`,
      fix: "Write a parameter for what varies, such as `{path}`.",
      ...at,
    });
  }
}

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
function withoutNames(schema: JsonObject, leavesOut: (name: string) => boolean): JsonObject {
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

function reportProblems(problems: readonly CoercionProblem[], what: string, owner: Place, findings: Findings): void {
  for (const { name, why } of problems) {
    findings.warning({
      code: "handshake-value",
      message: `The ${what} \`${name}\` ${why}.`,
      fix: "Take strings, numbers, booleans, or lists of one of these.",
      pointer: placeOfName(owner, name),
      at: "key",
    });
  }
}

/** Where a schema declares a name; the schema itself where it does not. */
function placeOfName({ pointer, value }: Place, name: string): string {
  return property(property(value, "properties"), name) === undefined ? pointer : joinPointer(pointer, "properties", name);
}

function placeOf(owner: ObjectPlace, key: string): Place {
  return { pointer: `${owner.pointer}/${key}`, value: property(owner.value, key) ?? null };
}

/** Every request has headers that no document declares, so a schema of headers cannot be closed. */
function opened(schema: JsonObject): JsonObject {
  const copy = emptyObject();
  for (const [key, value] of Object.entries(schema)) {
    if (["additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"].includes(key)) continue;
    const inner = ["allOf", "anyOf", "oneOf"].includes(key) && Array.isArray(value);
    copy[key] = inner ? value.map((one: JsonValue) => (isObject(one) ? opened(one) : one)) : value;
  }
  return copy;
}

/** Header names are compared without case (RFC 9110 section 5.1), and Node gives them in small letters. */
function lowerCased(schema: JsonObject): JsonObject {
  const properties = property(schema, "properties");
  const required = property(schema, "required");
  const copy = emptyObject();
  if (isObject(properties)) for (const [name, inner] of Object.entries(properties)) copy[name.toLowerCase()] = inner;
  return {
    ...schema,
    properties: copy,
    ...(Array.isArray(required) && { required: required.map((name: JsonValue) => (typeof name === "string" ? name.toLowerCase() : name)) }),
  };
}

/** Literal words of a path, for names; of its parameters where there are none. */
export function wordsOfAddress(address: string): string {
  const [path = ""] = address.split(/[?#]/);
  const literal = literalSegments(path);
  return (literal.length > 0 ? literal : parametersOf(path)).join(" ");
}
