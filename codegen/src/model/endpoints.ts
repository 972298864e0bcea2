// Which channels share a socket: servers that carry the same channels are alternatives, a path is an endpoint, and everything else on those
// servers is a topic of one socket.
import {
  addressOfServer,
  type BasePath,
  bindsOtherProtocols,
  expand,
  fitsSegment,
  pathOfChannel,
  type ServerAddress,
} from "./addresses.ts";
import type { Findings } from "./findings.ts";
import type { Source, SourceChannel } from "./source.ts";
import { joinPointer } from "./tree.ts";

/** A socket before it has a name: one path of one set of servers. */
export interface Socket {
  readonly address: string;
  readonly channels: readonly SourceChannel[];
  readonly servers: readonly ServerAddress[];
}

export interface Sockets {
  readonly sockets: readonly Socket[];
  /** Servers that carry a socket; `origin` may hold a path in front of the sockets' own. */
  readonly servers: readonly ServerAddress[];
  readonly omitted: readonly { readonly pointer: string; readonly why: string }[];
}

type Multiplex = "auto" | "channel" | "socket";

export interface GroupOptions {
  readonly findings: Findings;
  /** What the document says for all channels; each may say something else. */
  readonly multiplex: Multiplex;
  /** A key that was meant to be `channels`. */
  readonly misspelt: string | undefined;
}

/** Groups the WebSocket channels of a document; none at all is an error that says what to do. */
export function groupSockets(source: Source, { findings, multiplex, misspelt }: GroupOptions): Sockets {
  const omitted: { pointer: string; why: string }[] = [];
  if (source.channels.length === 0) {
    findings.error({
      code: "no-channels",
      message: "This document has no channels, so there is nothing to connect to.",
      fix:
        misspelt === undefined
          ? "Describe a channel under `channels`; `wsgen init` prints a document to start from."
          : `\`${misspelt}\` is no field of AsyncAPI: did you mean \`channels\`?`,
      pointer: joinPointer("", misspelt ?? "channels"),
      ...(misspelt !== undefined && { at: "key" }),
    });
    return { sockets: [], servers: [], omitted };
  }

  const addresses = source.servers.map(addressOfServer);
  const servers = socketServers(addresses);
  for (const { source: server } of servers.filter(({ socketIo }) => socketIo)) {
    findings.warning({
      code: "socket-io",
      message: `The server \`${server.key}\` speaks Socket.IO, which is more than WebSocket: its own clients cannot talk to the generated code.`,
      fix: "Use `protocol: ws` when plain WebSocket messages are meant.",
      pointer: server.pointer,
      at: "key",
    });
  }
  reportFixedVariables(servers, findings);
  const carried = source.channels.filter((channel) => {
    const why = whyNot(channel, source, servers);
    if (why !== undefined) omitted.push({ pointer: channel.pointer, why });
    return why === undefined;
  });
  for (const { source: server, speaks } of addresses) {
    if (speaks === "other") omitted.push({ pointer: server.pointer, why: `it speaks ${server.protocol || "no protocol"}` });
  }
  if (carried.length === 0) {
    const protocols = [...new Set(source.servers.map(({ protocol }) => protocol).filter((protocol) => protocol !== ""))];
    findings.error({
      code: "no-websocket-channel",
      message: `No channel of this document is for WebSocket${protocols.length === 0 ? "" : `; its servers speak ${protocols.join(", ")}`}.`,
      fix: "Give a server `protocol: ws` or `wss`, and list it under the channel's `servers` when the channel has any.",
      pointer: source.servers.length === 0 ? "/channels" : "/servers",
      at: "key",
    });
    return { sockets: [], servers: [], omitted };
  }

  const sockets = new Map<string, { address: string; channels: SourceChannel[]; servers: ServerAddress[] }>();
  const used = new Map<string, ServerAddress>();
  for (const { alternatives, channels } of groupServers(servers, carried)) {
    const base = baseOf(alternatives);
    reportPaths(alternatives, base.path, findings);
    const reachable = alternatives.map((server) => below(server, base.path));
    for (const server of reachable) used.set(server.source.key, server);
    const own = new Map<string, { address: string; channels: SourceChannel[] }>();
    const modeOf = ({ extension }: SourceChannel): Multiplex => extension.multiplex ?? multiplex;
    const shared = socketPath([...channels.filter((channel) => modeOf(channel) !== "socket"), ...channels], base);
    for (const channel of channels) {
      const mode = modeOf(channel);
      const address = mode === "socket" ? shared : (pathOfChannel(channel, base, mode) ?? (base.path === "" ? "/" : base.path));
      const socket = own.get(address);
      if (socket === undefined) own.set(address, { address, channels: [channel] });
      else socket.channels.push(channel);
    }
    for (const { address, channels: members } of own.values()) {
      reportSamePath(
        address,
        members.filter((channel) => modeOf(channel) === "channel"),
        members,
        findings,
      );
    }
    // The same channels at the same path of several groups of servers are one endpoint.
    for (const { address, channels: members } of own.values()) {
      const key = [address, ...members.map((channel) => channel.pointer)].join("\n");
      const socket = sockets.get(key);
      if (socket === undefined) sockets.set(key, { address, channels: members, servers: [...reachable] });
      else socket.servers.push(...reachable);
    }
  }
  reportTakenPaths([...sockets.values()], findings);
  return { sockets: [...sockets.values()], servers: [...used.values()], omitted };
}

/** Variables of a path whose default no parameter of a path can have: they keep it. */
function reportFixedVariables(servers: readonly ServerAddress[], findings: Findings): void {
  for (const { source } of servers) {
    const path = source.url
      .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
      .replace(/^[^/?#]*/, "")
      .replace(/[?#].*$/s, "");
    for (const { name, default: value, enum: values = [] } of source.variables) {
      if (value === undefined || fitsSegment(value) || values.length === 1 || !path.includes(`{${name}}`)) continue;
      findings.warning({
        code: "server-variable",
        message: `The variable \`${name}\` of the server \`${source.key}\` keeps its default \`${value}\`: in a path a parameter is one segment.`,
        fix: "Write the default into the server's path, or a variable for each segment.",
        pointer: source.pointer,
        at: "key",
      });
    }
  }
}

/** Endpoints of one path, on different hosts or with other names for its parameters: clients reach each, one server cannot be both. */
function reportTakenPaths(sockets: readonly Socket[], findings: Findings): void {
  const byShape = new Map<string, Socket>();
  for (const socket of sockets) {
    const shape = socket.address.replaceAll(/\{[^{}]*\}/g, "{}");
    const first = byShape.get(shape);
    const [channel] = socket.channels;
    if (first === undefined || channel === undefined) {
      byShape.set(shape, first ?? socket);
      continue;
    }
    findings.warning({
      code: "taken-path",
      message: `A server cannot listen for \`${channel.key}\` at \`${socket.address}\`, for \`${first.channels[0]?.key}\` at \`${first.address}\` takes the same requests: \`register…\` will throw. Clients connect to either.`,
      fix: "Give one another address, or generate the client alone: `--side client`.",
      pointer: channel.pointer,
      at: "key",
    });
  }
}

/** WebSocket servers; only where there is none, those of http, because the upgrade starts there. */
function socketServers(addresses: readonly ServerAddress[]): readonly ServerAddress[] {
  const sockets = addresses.filter(({ speaks }) => speaks === "websocket");
  return sockets.length > 0 ? sockets : addresses.filter(({ speaks }) => speaks === "http");
}

function whyNot(channel: SourceChannel, source: Source, servers: readonly ServerAddress[]): string | undefined {
  const others = bindsOtherProtocols(channel);
  if (others !== undefined) return `its bindings are for ${others.join(", ")} only`;
  if (source.servers.length === 0) return undefined;
  const own = channel.servers ?? source.servers.map(({ key }) => key);
  if (servers.some((server) => own.includes(server.source.key))) return undefined;
  const protocols = source.servers.filter(({ key }) => own.includes(key)).map(({ protocol }) => protocol);
  return protocols.length === 0 ? "it names no server of this document" : `its servers speak ${[...new Set(protocols)].join(", ")}`;
}

interface ServerGroup {
  readonly alternatives: readonly ServerAddress[];
  readonly channels: readonly SourceChannel[];
}

/** Servers that carry exactly the same channels, together. A document without servers has one group without any. */
function groupServers(servers: readonly ServerAddress[], channels: readonly SourceChannel[]): readonly ServerGroup[] {
  if (servers.length === 0) return [{ alternatives: [], channels }];
  const groups = new Map<string, { alternatives: ServerAddress[]; channels: readonly SourceChannel[] }>();
  for (const server of servers) {
    const own = channels.filter((channel) => channel.servers === undefined || channel.servers.includes(server.source.key));
    if (own.length === 0) continue;
    const key = own.map(({ pointer }) => pointer).join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { alternatives: [server], channels: own });
    else group.alternatives.push(server);
  }
  return [...groups.values()];
}

function baseOf(alternatives: readonly ServerAddress[]): BasePath {
  const path = commonPath(alternatives);
  const [first] = alternatives;
  return { path, usual: expand(path, first?.source.variables ?? []), socketIo: first?.socketIo ?? false };
}

/** What the paths of alternative servers have in common at their end, in whole segments: the rest belongs to each one's URL. */
function commonPath(alternatives: readonly ServerAddress[]): string {
  const [first, ...others] = alternatives.map(({ path }) => path.split("/").filter((segment) => segment !== ""));
  if (first === undefined) return "";
  const ends = first.map((_, index) => first.slice(index));
  const common = ends.find((end) => others.every((path) => end.every((segment, index) => path.at(index - end.length) === segment)));
  return common === undefined ? "" : `/${common.join("/")}`;
}

/** A server as seen from sockets below `path`: what its own path has in front of that belongs to its URL. */
function below(server: ServerAddress, path: string): ServerAddress {
  return { ...server, origin: `${server.origin}${server.path.slice(0, server.path.length - path.length)}` };
}

/** Where everything is when all channels share one socket: at the server's path, else at the first path that a channel names. */
function socketPath(channels: readonly SourceChannel[], base: BasePath): string {
  if (base.path !== "") return base.path;
  return channels.map((channel) => pathOfChannel(channel, base)).find((path) => path !== undefined) ?? "/";
}

/** Servers whose paths differ in more than what stands in front of ours: the same channels, but perhaps not all of them on each. */
function reportPaths(alternatives: readonly ServerAddress[], common: string, findings: Findings): void {
  const [first] = alternatives;
  const other = alternatives.find(({ path }) => path !== first?.path && !path.endsWith(first?.path ?? ""));
  if (first === undefined || other === undefined) return;
  findings.hint({
    code: "server-path",
    message: `The servers \`${first.source.key}\` (\`${first.path || "/"}\`) and \`${other.source.key}\` (\`${other.path || "/"}\`) carry the same channels at different paths: clients connect to either, a generated server listens at \`${common || "/"}\`.`,
    fix: "Let each channel list its `servers`, if not all are on each; mount the generated server with `router.group(path)`.",
    pointer: other.source.pointer,
    at: "key",
  });
}

/** Channels that are to be connections of their own, and are at one path with another one. */
function reportSamePath(address: string, alone: readonly SourceChannel[], members: readonly SourceChannel[], findings: Findings): void {
  const second = alone.at(-1);
  const first = members.find((channel) => channel !== second);
  if (first === undefined || second === undefined) return;
  findings.error({
    code: "multiplex-channel",
    message: `\`multiplex: channel\` asks for a connection for each channel, but \`${first.key}\` and \`${second.key}\` have the same path \`${address}\`.`,
    fix: "Give each an `address` of its own, or leave `multiplex` away: then they share one socket.",
    pointer: second.pointer,
    at: "key",
  });
}
