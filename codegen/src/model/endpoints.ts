// Which channels share a socket: servers that carry the same channels are alternatives, a path is an endpoint, and everything else on those
// servers is a topic of one socket.
import { addressOfServer, bindsOtherProtocols, pathOfChannel, type ServerAddress } from "./addresses.ts";
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

/** Groups the WebSocket channels of a document; none at all is an error that says what to do. `misspelt` is a key that was meant to be `channels`. */
export function groupSockets(source: Source, findings: Findings, misspelt?: string): Sockets {
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
  const carried = source.channels.filter((channel) => {
    const why = whyNot(channel, source, servers);
    if (why !== undefined) omitted.push({ pointer: channel.pointer, why });
    return why === undefined;
  });
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
    const [first] = alternatives;
    const base = { path: first?.path ?? "", socketIo: first?.socketIo ?? false };
    const reachable = alternatives.flatMap((server) => below(server, base.path) ?? []);
    for (const server of alternatives.filter((candidate) => below(candidate, base.path) === undefined)) {
      findings.warning({
        code: "server-path",
        message: `The server \`${server.source.key}\` has another path (\`${server.path || "/"}\`) than \`${first?.source.key}\` (\`${base.path || "/"}\`) for the same channels; it is left out.`,
        fix: "Give both the same path, or list the channels of each under the channel's `servers`.",
        pointer: server.source.pointer,
        at: "key",
      });
    }
    for (const server of reachable) used.set(server.source.key, server);
    const own = new Map<string, { address: string; channels: SourceChannel[] }>();
    for (const channel of channels) {
      const path = pathOfChannel(channel, base);
      const address = path ?? (base.path === "" ? "/" : base.path);
      const socket = own.get(address);
      if (socket === undefined) own.set(address, { address, channels: [channel] });
      else socket.channels.push(channel);
    }
    // The same channels at the same path of several groups of servers are one endpoint.
    for (const { address, channels: members } of own.values()) {
      const key = [address, ...members.map((channel) => channel.pointer)].join("\n");
      const socket = sockets.get(key);
      if (socket === undefined) sockets.set(key, { address, channels: members, servers: [...reachable] });
      else socket.servers.push(...reachable);
    }
  }
  return { sockets: [...sockets.values()], servers: [...used.values()], omitted };
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

/** A server as seen from sockets below `path`: what its own path has in front of that belongs to its URL. */
function below(server: ServerAddress, path: string): ServerAddress | undefined {
  if (!server.path.endsWith(path)) return undefined;
  const front = server.path.slice(0, server.path.length - path.length);
  return { ...server, origin: `${server.origin}${front}` };
}
