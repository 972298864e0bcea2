// Who may connect: the security schemes of servers and operations, as what clients show at the handshake. 2.x names schemes, 3.x lists them.
import type { SchemeContract } from "@wsgen/runtime/generated/server";
import type { JsonValue } from "../document/document.ts";
import { TOKEN } from "../grammar.ts";
import { capitalized } from "../letters.ts";
import { OPTIONS_KEY } from "../options.ts";
import type { Socket } from "./endpoints.ts";
import { readSchemeExtension } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { Endpoint, SecurityScheme } from "./model.ts";
import { assignPropertyNames } from "./names.ts";
import type { SourceRequirement, SourceScheme } from "./source.ts";
import { type TraitRule, withTraits } from "./traits.ts";
import { docsOf, isObject, joinPointer, nameOfPointer, type ObjectPlace, stringAt, stringsAt, type Tree } from "./tree.ts";

/** The requirements of a server or, with its traits, of an operation, one of which is enough. */
export function readSecurity(tree: Tree, owner: ObjectPlace, traits: TraitRule = "complete"): SourceRequirement[] {
  const said = withTraits(tree, owner, traits)("security");
  const list = said && tree.follow(said);
  if (list === undefined || !Array.isArray(list.value)) return [];
  return list.value.flatMap((value: JsonValue, index): SourceRequirement[] => {
    const item = { pointer: joinPointer(list.pointer, String(index)), value };
    const place = tree.follow(item);
    if (place === undefined || !isObject(place.value)) return [];
    if (stringAt(place.value, "type") !== undefined) {
      const key = place.pointer === item.pointer ? undefined : nameOfPointer(place.pointer);
      return [[{ key, pointer: place.pointer, value: place.value, scopes: stringsAt(place.value, "scopes") }]];
    }
    const components = tree.child(tree.root, "components");
    const schemes = components === undefined ? undefined : tree.child(components, "securitySchemes");
    const together = Object.keys(place.value).flatMap((key): SourceScheme[] => {
      const scheme = schemes === undefined ? undefined : tree.object(schemes, key);
      return scheme === undefined ? [] : [{ key, ...scheme, scopes: stringsAt(place.value, key) }];
    });
    // A name that leads nowhere is an error of the official check, and opens no door.
    return together.length === Object.keys(place.value).length ? [together] : [];
  });
}

export interface Security {
  /** Those that sockets ask for, in source order. */
  readonly schemes: readonly SecurityScheme[];
  of(socket: Socket): Endpoint["security"];
  /** Those that a socket asks for. */
  schemesOf(socket: Socket): readonly SecurityScheme[];
}

/** Builds what the sockets of a document ask for. */
export function buildSecurity(sockets: readonly Socket[], findings: Findings): Security {
  const asked = new Map(sockets.map((socket) => [socket, requirementsOf(socket, findings)]));
  const scopes = new Map<string, Set<string>>();
  const found = new Map<string, SourceScheme>();
  for (const scheme of [...asked.values()].flat(2)) {
    found.set(scheme.pointer, scheme);
    scopes.set(scheme.pointer, new Set([...(scopes.get(scheme.pointer) ?? []), ...scheme.scopes]));
  }
  const carried = new Map([...found].map(([pointer, scheme]) => [pointer, carrierOf(scheme, findings)]));
  const inHandshake = [...found.values()].filter(({ pointer }) => typeof carried.get(pointer) === "object");
  const names = assignPropertyNames(
    inHandshake.map((scheme) => ({ base: wordsOfScheme(scheme), identity: scheme.pointer, suffix: { text: "Scheme", always: false } })),
  );
  const nameOf = (pointer: string): string => names.get(pointer)?.name ?? "scheme";
  const schemes = inHandshake.flatMap((scheme): SecurityScheme[] => {
    const { pointer, value } = scheme;
    const carrier = carried.get(pointer);
    if (typeof carrier !== "object") return [];
    const name = nameOf(pointer);
    const contract = carrier.in === "protocol" ? spelledAsToken(carrier, name) : carrier;
    const place = placeOf(contract, name);
    return [
      {
        name,
        typeName: capitalized(name),
        docs: docsOf(value),
        place,
        scopes: [...(scopes.get(pointer) ?? [])],
        contract,
        pointer,
      },
    ];
  });

  const alternativesOf = (socket: Socket): Endpoint["security"] => {
    const requirements = asked.get(socket) ?? [];
    // What comes in messages is no concern of the handshake; what cannot be asked for lets nobody in by itself.
    const possible = requirements.filter((together) => together.every(({ pointer }) => carried.get(pointer) !== "nowhere"));
    const alternatives = possible.map((together) =>
      together.flatMap(({ pointer }) => (typeof carried.get(pointer) === "object" ? [nameOf(pointer)] : [])),
    );
    const distinct = [...new Map(alternatives.map((names) => [[...names].sort().join(" "), names])).values()];
    for (const names of distinct) reportSamePlace(names, schemes, findings);
    return distinct.some(({ length }) => length > 0) ? distinct : undefined;
  };
  const built = new Map(sockets.map((socket) => [socket, alternativesOf(socket)]));
  return {
    schemes,
    of: (socket) => built.get(socket),
    schemesOf(socket) {
      const asked = new Set(built.get(socket)?.flat());
      return schemes.filter(({ name }) => asked.has(name));
    },
  };
}

/** What servers and operations ask for is multiplied; no API has so many ways in. */
const MOST_COMBINATIONS = 64;

/** One requirement of a server and one of the operations: both have to be met (AsyncAPI 2.4, Operation Object). */
function requirementsOf({ address, servers, channels }: Socket, findings: Findings): readonly SourceRequirement[] {
  const secured = servers.filter(({ source }) => source.security.length > 0);
  const open = servers.find(({ source }) => source.security.length === 0);
  if (secured.length > 0 && open !== undefined) {
    findings.hint({
      code: "security-differs",
      message: `The server \`${open.source.key}\` asks clients of \`${address}\` for nothing, others do; the generated server asks wherever it runs.`,
      fix: "Give it the same `security`.",
      pointer: open.source.pointer,
      at: "key",
    });
  }
  const ofServers = secured.flatMap(({ source }) => source.security);
  const operations = channels.flatMap((channel) => channel.operations);
  const restricted = operations.filter(({ security }) => security.length > 0);
  const [first] = restricted;
  if (first !== undefined && restricted.length < operations.length) {
    findings.warning({
      code: "operation-security",
      message: `${restricted.length} of the ${operations.length} operations of \`${address}\` ask for \`security\`: a socket is opened for all of them, so the handshake does not ask for it.`,
      fix: "Check it where these messages are handled; or ask for it on the server.",
      pointer: joinPointer(first.pointer, "security"),
      at: "key",
    });
  }
  if (first === undefined || restricted.length < operations.length) return ofServers;
  const ofOperations = distinctRequirements(restricted.flatMap(({ security }) => security));
  const different = restricted.find(({ security }) => distinctRequirements(security).length < ofOperations.length);
  if (different !== undefined) {
    findings.warning({
      code: "operation-security",
      message: `The operations of \`${address}\` ask for different \`security\`: a socket is opened for all of them, so the handshake takes what any of them asks for.`,
      fix: "Check the rest where their messages are handled; or ask for the same on all of them.",
      pointer: joinPointer(different.pointer, "security"),
      at: "key",
    });
  }
  const distinct = distinctRequirements(ofServers);
  if (distinct.length === 0) return ofOperations;
  if (distinct.length * ofOperations.length > MOST_COMBINATIONS) {
    findings.error({
      code: "security-combinations",
      message: `\`${address}\` takes any of ${distinct.length} combinations of schemes from its servers together with any of ${ofOperations.length} from its operations: more than ${MOST_COMBINATIONS} ways to be let in.`,
      fix: "Ask for fewer alternatives, on the servers or on the operations.",
      pointer: joinPointer(first.pointer, "security"),
      at: "key",
    });
    return ofOperations;
  }
  return distinct.flatMap((one) => ofOperations.map((other) => [...one, ...other.filter((scheme) => !includes(one, scheme))]));
}

function distinctRequirements(requirements: readonly SourceRequirement[]): readonly SourceRequirement[] {
  const identity = (together: SourceRequirement): string => JSON.stringify(together.map(({ pointer }) => pointer).sort());
  return [...new Map(requirements.map((together) => [identity(together), together])).values()];
}

const includes = (schemes: SourceRequirement, { pointer }: SourceScheme): boolean => schemes.some((scheme) => scheme.pointer === pointer);

/** Words to name a scheme by: its key, else what it is. */
function wordsOfScheme({ key, value }: SourceScheme): string {
  return key ?? stringAt(value, "scheme") ?? stringAt(value, "type") ?? "scheme";
}

/** How the credentials travel: in the handshake, in messages of the contract, or in no way that a WebSocket has. */
function carrierOf(scheme: SourceScheme, findings: Findings): SchemeContract | "messages" | "nowhere" {
  const { pointer, value } = scheme;
  const { carrier } = readSchemeExtension(scheme, findings);
  if (carrier === "message") return "messages";
  const own = carrierInDocument(scheme);
  if (own === undefined) {
    findings.warning({
      code: "security",
      message: `The security scheme \`${wordsOfScheme(scheme)}\` (\`${stringAt(value, "type") ?? ""}\`) has no form in a WebSocket handshake, so nothing asks for it.`,
      fix: "Check it in a middleware (`router.use`) or in the handlers, and say so: `x-wsgen: { carrier: message }`.",
      pointer,
      at: "key",
    });
    return "nowhere";
  }
  if (own.in === "query" && carrier === undefined) {
    findings.hint({
      code: "security-query",
      message: `The key of \`${wordsOfScheme(scheme)}\` travels in the query, and addresses end up in logs.`,
      fix: "If the API is yours, ask for it in a header, or write `x-wsgen: { carrier: protocol }` for browsers.",
      pointer,
      at: "key",
    });
  }
  if (carrier === undefined || own.in === "certificate") return own;
  const { carries } = own;
  const key = stringAt(value, "name");
  if (carrier === "protocol") return { carries, in: "protocol" };
  if (carrier === "query" && carries !== "key") {
    findings.error({
      code: "x-wsgen-value",
      message: "A user name and a password cannot travel in the query: addresses end up in logs.",
      fix: "Write `carrier: protocol`, or `carrier: message`.",
      pointer: joinPointer(pointer, OPTIONS_KEY, "carrier"),
    });
    return own;
  }
  // RFC 6750 section 2.3 for tokens.
  if (carrier === "query") return { carries, in: "query", name: key ?? "access_token" };
  return key === undefined || own.scheme !== undefined ? own : { carries, in: "header", name: key };
}

const authorization = (scheme: string, carries: SchemeContract["carries"]): SchemeContract => ({
  carries,
  in: "header",
  name: "Authorization",
  scheme,
});

/** AsyncAPI's Security Scheme Object; what is made for brokers (`apiKey`, `userPassword`, `plain`) is HTTP Basic here. */
function carrierInDocument({ value }: SourceScheme): SchemeContract | undefined {
  const where = stringAt(value, "in");
  const name = stringAt(value, "name");
  switch (stringAt(value, "type")) {
    case "http": {
      const scheme = (stringAt(value, "scheme") ?? "").trim();
      if (!TOKEN.test(scheme)) return undefined;
      if (/^basic$/i.test(scheme)) return authorization("Basic", "basic");
      return authorization(/^bearer$/i.test(scheme) ? "Bearer" : scheme, "key");
    }
    case "httpApiKey":
      if (name === undefined || (where !== "header" && where !== "query" && where !== "cookie")) return undefined;
      if (where !== "query" && !TOKEN.test(name)) return undefined;
      return { carries: "key", in: where, name };
    case "apiKey":
      return authorization("Basic", where === "password" ? "password" : "username");
    case "userPassword":
    case "plain":
      return authorization("Basic", "basic");
    case "oauth2":
    case "openIdConnect":
      return authorization("Bearer", "key");
    case "X509":
      return { carries: "certificate", in: "certificate" };
    default:
      return undefined;
  }
}

/** Credentials that travel at one place cannot be shown together: a request has one `Authorization`. */
function reportSamePlace(together: readonly string[], schemes: readonly SecurityScheme[], findings: Findings): void {
  const places = new Map<string, SecurityScheme>();
  for (const scheme of schemes.filter(({ name }) => together.includes(name))) {
    const { in: where, name = scheme.name } = scheme.contract;
    const place = `${where} ${where === "header" ? name.toLowerCase() : name}`;
    const other = places.get(place);
    places.set(place, scheme);
    if (other === undefined || where === "certificate") continue;
    findings.warning({
      code: "security-clash",
      message: `\`${other.name}\` and \`${scheme.name}\` are asked for together and both travel in ${scheme.place.replace(/ \(.*\)$/, "")}, so nobody can show both.`,
      fix: "Ask for one or the other, or have one of them travel elsewhere: `x-wsgen: { carrier: protocol }`.",
      pointer: scheme.pointer,
      at: "key",
    });
  }
}

/** A subprotocol is a token (RFC 6455 section 4.1), which the name of a scheme need not be. */
function spelledAsToken(contract: SchemeContract, name: string): SchemeContract {
  const token = encodeURIComponent(name);
  return token === name ? contract : { ...contract, name: token };
}

function placeOf({ in: where, name = "", scheme }: SchemeContract, own: string): string {
  const places = {
    header: `the header \`${name}\`${scheme === undefined ? "" : ` (\`${scheme}\`)`}`,
    query: `the query parameter \`${name}\``,
    cookie: `the cookie \`${name}\``,
    protocol: `the subprotocol \`${name || own}.…\``,
    certificate: "the TLS connection",
  };
  return places[where];
}
