// What an upgrade request says: path parameters, and the query and headers of the `ws` binding, as types.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { constantValues, readQuery, withQuery } from "./address-query.ts";
import { parametersOf } from "./addresses.ts";
import type { Resolve } from "./alternatives.ts";
import { type CoercionProblem, coercionsOf } from "./coercions.ts";
import type { Socket } from "./endpoints.ts";
import type { Findings } from "./findings.ts";
import { isCredential, leftOut, placeOfName, withoutNames } from "./handshake-names.ts";
import { emptyObject, type Schema } from "./keywords.ts";
import type { HandshakePart, SecurityScheme } from "./model.ts";
import { defaultsOf } from "./parameter-defaults.ts";
import type { Types } from "./schemas.ts";
import { shapeOf } from "./shape.ts";
import { isObject, joinPointer, type ObjectPlace, type Place, property, type Tree } from "./tree.ts";
import { reportAddress } from "./unreachable.ts";

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
