// From a loaded document to the model. Every step has a file of its own; this one is the order in which they are taken.
import { basename } from "node:path";
import { type Diagnostic, nearest, sortDiagnostics } from "../diagnostics.ts";
import type { Document } from "../document/document.ts";
import { legible } from "../letters.ts";
import { literalSegments, wordsOfAddress } from "./addresses.ts";
import { assemble, type EndpointDraft } from "./assemble.ts";
import { buildCloseCodes } from "./close-codes.ts";
import { buildDirections, relateChannels } from "./directions.ts";
import { groupSockets, type Socket } from "./endpoints.ts";
import { type RootExtension, readRootExtension } from "./extensions.ts";
import { createFindings, type Findings } from "./findings.ts";
import { readFramings } from "./framing.ts";
import { buildHandshake } from "./handshake.ts";
import { reportMisplaced, reportReservedNames } from "./misplaced.ts";
import type { Model, Perspective } from "./model.ts";
import { apiName, assignVariableNames, pascalCase, wordsOf } from "./names.ts";
import { reportOneSocket } from "./one-socket.ts";
import { applyOverrides, type Override, unusedOverrides } from "./overrides.ts";
import { createPayloads, type Payloads } from "./payloads.ts";
import { contradicts, decidePerspective, readWords } from "./perspective.ts";
import { reportEndlessRecursion } from "./recursion.ts";
import { createTypes } from "./schemas.ts";
import { buildSecurity } from "./security.ts";
import type { Source, SourceChannel } from "./source.ts";
import { createTree, docsOf, property, stringAt, type Tree } from "./tree.ts";
import { readV2 } from "./v2.ts";
import { readV3 } from "./v3.ts";

export interface BuildOptions {
  /** Which side the document describes; wins over `x-wsgen: { perspective }` and everything that is read from the document. */
  readonly perspective?: "server" | "client";
  /** The document's path as printed in headers; default: its file name. */
  readonly source?: string;
  /** What `x-wsgen` would say in a document that is not one's own. */
  readonly overrides?: readonly Override[];
}

export interface BuildResult {
  /** `undefined` when something is wrong that stands in the way of generation: `diagnostics` has an error then. */
  readonly model: Model | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Builds the model of a document. Pure: what it finds wrong are values, never exceptions. */
export function buildModel(document: Document, options: BuildOptions = {}): BuildResult {
  const overridden = applyOverrides(document, options.overrides ?? []);
  const findings = createFindings(overridden.document);
  const { model, source } = build(overridden.document, options, findings);
  const unused = source === undefined ? [] : unusedOverrides(overridden, source);
  const diagnostics = sortDiagnostics([...overridden.diagnostics, ...unused, ...findings.sorted()]);
  return { model: diagnostics.some(({ severity }) => severity === "error") ? undefined : model, diagnostics };
}

interface Built {
  readonly model?: Model;
  readonly source?: Source;
}

function build(document: Document, options: BuildOptions, findings: Findings): Built {
  const tree = createTree(document);
  const asyncapi = stringAt(tree.root.value, "asyncapi") ?? String(property(tree.root.value, "asyncapi") ?? "");
  const version = asyncapi.startsWith("3.") ? 3 : asyncapi.startsWith("2.") ? 2 : undefined;
  if (version === undefined) {
    reportVersion(asyncapi, findings);
    return {};
  }
  const extension = readRootExtension(tree, findings);
  reportMisplaced(tree, findings);
  reportReservedNames(tree, findings);
  const { defaults } = extension;
  const source = version === 3 ? readV3(tree, defaults, findings) : readV2(tree, defaults, findings);
  const grouped = groupSockets(source, { findings, multiplex: extension.multiplex ?? "auto", misspelt: misspeltChannels(tree) });
  if (grouped.sockets.length === 0) return { source };
  if (extension.multiplex === undefined) reportOneSocket(grouped.sockets, tree, findings);

  const types = createTypes(tree, findings);
  const byKey = new Map(source.channels.map((channel) => [channel.key, channel]));
  const payloads = createPayloads({
    tree,
    types,
    findings,
    defaultContentType: extension.contentType ?? stringAt(tree.root.value, "defaultContentType"),
    framings: readFramings(source.channels, findings),
    channelWords: (key) => wordsOfChannel(byKey.get(key)) || key,
  });
  const title = stringAt(property(tree.root.value, "info"), "title") ?? "";
  const perspective = readPerspective({ version, source, title, payloads, options, extension, findings });
  const security = buildSecurity(grouped.sockets, findings);
  const closeCodes = buildCloseCodes(extension.closeCodes, grouped.sockets, findings);

  const names = nameEndpoints(grouped.sockets, findings);
  const channels = relateChannels(source.channels);
  const drafts = grouped.sockets.map((socket): EndpointDraft => {
    const name = names.get(socket) ?? "socket";
    const typeName = pascalCase(name.replace(/_[0-9a-f]{4,}$/, "")) + (/_[0-9a-f]{4,}$/.exec(name)?.[0] ?? "");
    const context = { side: perspective.side, payloads, findings };
    const directions = buildDirections(socket, channels, context);
    const handshake = buildHandshake(socket, { tree, types, findings, schemes: security.schemesOf(socket), typeName, channelWords: name });
    return { socket, name, typeName, directions, handshake };
  });
  reportEndlessRecursion(types.drafts, findings);
  if (findings.sorted().some(({ code }) => code === "endless-schema")) return { source };

  const parts = { security: security.of, closeCodes: closeCodes.of };
  const { servers, endpoints, types: finished } = assemble({ tree, types, drafts, grouped, ...parts, findings });
  const apiVersion = property(property(tree.root.value, "info"), "version");
  const model = {
    title,
    ...(apiVersion !== undefined && { version: String(apiVersion) }),
    name: nameOfModel(document, tree, extension),
    docs: docsOf(property(tree.root.value, "info")),
    asyncapi,
    source: options.source ?? basename(document.file),
    perspective,
    servers,
    schemes: security.schemes,
    closeCodes: closeCodes.shared,
    endpoints,
    types: finished,
    omitted: [...grouped.omitted, ...unnamedMessages(grouped.sockets, source)],
  };
  return { model, source };
}

/** A key at the root that was meant to be `channels`. */
function misspeltChannels(tree: Tree): string | undefined {
  return Object.keys(tree.root.value).find((key) => nearest(key, ["channels"]) !== undefined);
}

/** Messages that a channel declares and no operation sends or receives. */
function unnamedMessages(sockets: readonly Socket[], { channels }: Source): Model["omitted"] {
  const named = new Set(
    channels.flatMap(({ operations }) =>
      operations.flatMap(({ messages, replies }) => [...messages, ...replies.flatMap((reply) => reply.messages)]),
    ),
  );
  return sockets
    .flatMap((socket) => socket.channels)
    .filter(({ operations }) => operations.length > 0)
    .flatMap((channel) => channel.messages.filter((message) => !named.has(message) && message.extension.direction === undefined))
    .map(({ pointer }) => ({ pointer, why: "no operation sends or receives it" }));
}

function reportVersion(asyncapi: string, findings: Findings): void {
  findings.error({
    code: "version",
    message:
      asyncapi === ""
        ? "This is not an AsyncAPI document: it has no `asyncapi` version."
        : `AsyncAPI ${asyncapi} is not read; 2.0 to 2.6 and 3.x are.`,
    fix: asyncapi === "" ? "Begin it with `asyncapi: 3.1.0`." : "Convert the document, for example with `npx @asyncapi/cli convert`.",
    pointer: "/asyncapi",
  });
}

interface PerspectiveContext {
  readonly version: 2 | 3;
  readonly source: Source;
  readonly title: string;
  readonly payloads: Payloads;
  readonly options: BuildOptions;
  readonly extension: RootExtension;
  readonly findings: Findings;
}

function readPerspective({ version, source, title, payloads, options, extension, findings }: PerspectiveContext): Perspective {
  const words = readWords(source, title, (message) => {
    const { shape } = payloads.draft(message);
    const constants = [...shape.members].flatMap(([name, member]) => {
      const [only, ...others] = member.shape.values ?? [];
      return typeof name === "string" && typeof only === "string" && others.length === 0 ? [[name, only] as const] : [];
    });
    return { message, constants: new Map(constants) };
  });
  const perspective = decidePerspective({ version, option: options.perspective, extension: extension.perspective, words });
  if (contradicts(perspective, words)) {
    const other = perspective.side === "server" ? "client" : "server";
    findings.hint({
      code: "perspective",
      message: `The names of the messages read as if the document was written from the ${other}'s side; it is taken as the ${perspective.side}'s.`,
      fix: `If they are right, say so: \`x-wsgen: { perspective: ${other} }\`.`,
      pointer: "/asyncapi",
      at: "key",
    });
  }
  return perspective;
}

function wordsOfChannel(channel: SourceChannel | undefined): string {
  if (channel === undefined) return "";
  if (channel.extension.name !== undefined) return channel.extension.name;
  return channel.namedBy === "key" ? channel.key : wordsOfAddress(channel.address ?? "");
}

/** A channel's key or address words; several channels share the last literal segment of their path, and their own names are those of the topics. */
function wordsOfSocket({ address, channels }: Socket): string {
  const [only, ...others] = channels;
  // A version names nothing.
  const segments = literalSegments(address).filter((segment) => !/^v\d+([._-]\d+)*$/i.test(segment));
  const words = others.length === 0 ? wordsOfChannel(only) : (segments.at(-1) ?? "");
  return wordsOf(words).length === 0 ? "socket" : words;
}

function nameEndpoints(sockets: readonly Socket[], findings: Findings): ReadonlyMap<Socket, string> {
  const identity = ({ address, servers, channels }: Socket): string =>
    [address, ...servers.map(({ source }) => source.key), ...channels.map(({ key }) => key)].join(" ");
  const assigned = assignVariableNames(
    sockets.map((socket) => ({
      base: wordsOfSocket(socket),
      identity: identity(socket),
      channel: socket.servers[0]?.source.key,
      suffix: { text: "Socket", always: false },
      chosen: socket.channels.length === 1 && socket.channels.some(({ extension }) => extension.name !== undefined),
    })),
  );
  return new Map(
    sockets.map((socket) => {
      const { name, clash } = assigned.get(identity(socket)) ?? { name: "socket", clash: [] };
      if (clash.length > 0) {
        findings.hint({
          code: "name-clash",
          message: `Another endpoint would have the same name; this one is \`${name}\`.`,
          fix: "Choose its name on a channel: `x-wsgen: { name: … }`.",
          pointer: socket.channels[0]?.pointer ?? "/channels",
          at: "key",
        });
      }
      return [socket, name];
    }),
  );
}

/** File names that name nothing; the title does then. */
const GENERIC = new Set(
  "api apis app async asyncapi def definition doc docs document index main openapi schema schemas socket spec specification v1 v2 v3 websocket websockets ws yaml yml json".split(
    " ",
  ),
);

/** `chat.yaml` → `Chat`; a file with a name like any other's is named by its title. */
function nameOfModel(document: Document, tree: Tree, extension: RootExtension): string {
  if (extension.name !== undefined) return apiName(extension.name);
  const file = basename(document.file).replace(/\.[^.]*$/, "");
  const words = wordsOf(file).filter((word) => word.toLowerCase() !== "asyncapi");
  const title = stringAt(property(tree.root.value, "info"), "title") ?? "";
  const generic =
    words.every((word) => GENERIC.has(word.toLowerCase()) || /^\p{Nd}+$/u.test(word)) || /async[-_ ]?api/i.test(words.join(" "));
  const base = generic && wordsOf(title).length > 0 ? legible(title) : words.join(" ");
  return apiName(withoutKind(base), file);
}

/** `TickDB WebSocket API` → `TickDB`: what kind of thing a document is about is said by what is generated (`createTickDBClient`). */
function withoutKind(title: string): string {
  const shorter = title.trim().replace(KIND, "");
  return shorter === title || wordsOf(shorter).every((word) => GENERIC.has(word.toLowerCase())) ? title : withoutKind(shorter);
}
const KIND =
  /[^\p{L}\p{N}]+(async ?apis?|apis?|web ?sockets?|ws|client|server|docs?|documentation|spec|specification|v\d+(\.\d+)*)[^\p{L}\p{N}]*$/iu;
