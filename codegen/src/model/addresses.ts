// URLs and paths: from what a server and a channel say to the path a socket is opened on.
import { runsOf } from "../letters.ts";
import type { ServerVariable } from "./model.ts";
import type { SourceChannel, SourceServer } from "./source.ts";
import { property } from "./tree.ts";

/** A server's URL, taken apart. */
export interface ServerAddress {
  readonly source: SourceServer;
  /** Scheme and authority: `wss://{region}.example.com`. */
  readonly origin: string;
  /** Path as written, without the last slash: `/v1`; empty for `/`. */
  readonly path: string;
  /** Query as written, without its question mark: `streams={streams}&v=1`; empty where there is none. */
  readonly query: string;
  readonly speaks: "websocket" | "http" | "other";
  /** Socket.IO is a protocol of its own on top of WebSocket, which plain clients do not speak. */
  readonly socketIo: boolean;
}

const ORIGIN = /^wss?:\/\/[^/]*/i;
const SCHEME = /^([a-z][a-z0-9+.-]*|\{[^{}]*\}):\/\//i;

/** Takes a server's URL apart; a scheme that is missing is its protocol. */
export function addressOfServer(source: SourceServer): ServerAddress {
  const protocol = source.protocol.trim().toLowerCase();
  const written = source.url.trim();
  const found = SCHEME.exec(written);
  const expanded = expand(found?.[1] ?? written, source.variables);
  // `{server}:{port}/x` may hold its scheme in a variable's default.
  const hidden = found === null ? SCHEME.exec(expanded) : null;
  const scheme = (found === null ? (hidden?.[1] ?? protocol) : expanded).toLowerCase();
  const rest = found === null ? written : written.slice(found[0].length);
  const slash = rest.search(/[/?#]/);
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const tail = slash === -1 ? "" : rest.slice(slash);
  const path = withoutQuery(tail);
  const socketIo = /^socket[.-]?io$/.test(protocol);
  const isWebSocket = isSocketScheme(protocol) || isSocketScheme(scheme) || socketIo;
  return {
    source,
    origin: hidden === null ? `${printedScheme(found?.[1], scheme, protocol)}://${authority}` : authority,
    path: trimSlash(expandFixed(path, source.variables)),
    query: pathAndQuery(tail)[1] ?? "",
    speaks: isWebSocket ? "websocket" : /^https?$/.test(protocol) || /^https?$/.test(scheme) ? "http" : "other",
    socketIo,
  };
}

function printedScheme(written: string | undefined, scheme: string, protocol: string): string {
  if (written?.startsWith("{") === true) return written;
  if (isSocketScheme(scheme)) return scheme;
  if (isSocketScheme(protocol)) return protocol;
  return scheme === "https" ? "wss" : "ws";
}

function isSocketScheme(scheme: string): boolean {
  return scheme === "ws" || scheme === "wss";
}

/** Where the channels of some servers are. */
export interface BasePath {
  readonly path: string;
  /** The same with the defaults of its variables: channels that repeat the server's path have these. */
  readonly usual: string;
  readonly socketIo: boolean;
}

/** How a channel's address names its place: a path of its own (with `channel` always), or a topic on the server's one socket (`undefined`). */
export function pathOfChannel(
  channel: SourceChannel,
  server: BasePath,
  multiplex: "auto" | "channel" | "socket" = "auto",
): string | undefined {
  const address = channel.address === undefined ? "" : withoutQuery(channel.address.trim().replace(ORIGIN, ""));
  if (address === "") return undefined;
  if (address === "/") return server.path === "" ? "/" : server.path;
  const isPath =
    address.startsWith("/") ||
    hasQuery(channel) ||
    hasHandshake(channel) ||
    (server.path === "" && address.includes("/") && !server.socketIo);
  if (multiplex !== "channel" && !isPath) return undefined;
  const path = `/${address.replace(/^\/+/, "")}`.replaceAll(/\/{2,}/g, "/");
  const complete = [server.path, server.usual].some((base) => path === base || path.startsWith(`${base}/`));
  return complete ? path : `${server.path}${path}`;
}

/** Names in braces, in order, each once. */
export function parametersOf(template: string): string[] {
  return [...new Set([...template.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name ?? ""))];
}

/** The words of an address or a key that are no parameters; the parameters' names where there are no others. */
export function literalWords(text: string): string {
  const words = text.replaceAll(/\{[^{}]*\}/g, " ").trim();
  return runsOf(words).length > 0 ? words : parametersOf(text).join(" ");
}

/** Segments of a path that are no parameters. */
export function literalSegments(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && !segment.includes("{"));
}

/** The query that a channel's address ends with, where that is a socket's and no topic's; empty where there is none. */
export function queryOfChannel({ address = "" }: SourceChannel, socket: string): string {
  const [path = "", query = ""] = pathAndQuery(address);
  return socket.endsWith(path) ? query : "";
}

function pathAndQuery(address: string): readonly string[] {
  const [, path = "", query = ""] = /^([^?#]*)(?:\?([^#]*))?/.exec(address.trim().replace(ORIGIN, "")) ?? [];
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  return [trimmed === "" ? "" : `/${trimmed}`, query];
}

/** Names of topics have question marks too, but nothing that reads as a query. */
const hasQuery = ({ address = "" }: SourceChannel): boolean => /^[^=]+=/.test(pathAndQuery(address)[1] ?? "");

function hasHandshake(channel: SourceChannel): boolean {
  const ws = channel.bindings === undefined ? undefined : property(channel.bindings.value, "ws");
  return ["query", "headers", "method"].some((key) => property(ws, key) !== undefined);
}

/** Whether a channel's bindings are all for other protocols; an empty list says nothing. */
export function bindsOtherProtocols(channel: SourceChannel): readonly string[] | undefined {
  const names =
    channel.bindings === undefined ? [] : Object.keys(channel.bindings.value).filter((name) => !name.startsWith("x-") && name !== "$ref");
  return names.length > 0 && !names.includes("ws") ? names : undefined;
}

function withoutQuery(address: string): string {
  return address.replace(/[?#].*$/s, "");
}

function trimSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

/** A template with the defaults of its variables, where they have one. */
export function expand(template: string, variables: readonly ServerVariable[]): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (all, name: string) => variables.find((variable) => variable.name === name)?.default ?? all);
}

/** Variables of the path that can have one value only are that value; the others stay, as parameters of the path. */
function expandFixed(path: string, variables: readonly ServerVariable[]): string {
  return expand(
    path,
    variables.flatMap(({ name, docs, default: value, enum: [first, ...others] = [] }) => {
      const isOnly = first !== undefined && others.length === 0;
      return isOnly || (value !== undefined && !fitsSegment(value)) ? [{ name, docs, default: value ?? first ?? "" }] : [];
    }),
  );
}

/** Whether a path parameter can have a value: it stands for one segment, or a part of one. */
export const fitsSegment = (value: string): boolean => value !== "" && !value.includes("/");

/** Literal words of a path, for names; of its parameters where there are none. */
export function wordsOfAddress(address: string): string {
  const [path = ""] = address.split(/[?#]/);
  const literal = literalSegments(path);
  return (literal.length > 0 ? literal : parametersOf(path)).join(" ");
}
