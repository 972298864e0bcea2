// Where a document's prose says that channels with paths of their own share a socket, which nothing else in a document can say.
import type { Socket } from "./endpoints.ts";
import type { Findings } from "./findings.ts";
import type { SourceChannel } from "./source.ts";
import { docsOf, type Tree } from "./tree.ts";

const SAYS_SO = [
  /\b(?:not?|isn't)\b[^.!]{0,30}\b(?:different|separate|another|own)\b[^.!]{0,20}\b(?:web ?socket|socket|connection|endpoint)/i,
  /\blogical(?:ly)? group(?:ing|ed)?\b/i,
  /\b(?:the same|a single|one|a shared) (?:web ?socket|socket|websocket connection)\b/i,
  /\bmultiplex/i,
];

/** Hints at channels that have an endpoint of their own although their prose says that they share another one's socket. */
export function reportOneSocket(sockets: readonly Socket[], tree: Tree, findings: Findings): void {
  for (const socket of sockets) {
    const [channel, ...others] = socket.channels;
    const beside = sockets.some((other) => other !== socket && other.servers.some((server) => socket.servers.includes(server)));
    if (
      channel === undefined ||
      others.length > 0 ||
      channel.extension.multiplex !== undefined ||
      !(beside || (socket.servers.length === 0 && sockets.length > 1))
    )
      continue;
    const said = proseOf(channel, tree).flatMap((text) => SAYS_SO.flatMap((pattern) => pattern.exec(text)?.[0] ?? []))[0];
    if (said === undefined) continue;
    findings.hint({
      code: "one-socket",
      message: `\`${channel.address ?? channel.key}\` is a connection of its own by its path, but its description says "${said.replaceAll(/\s+/g, " ")}".`,
      fix: "If so, write `x-wsgen: { multiplex: socket }` on the channel, or at the root of the document for all of them.",
      pointer: channel.pointer,
      at: "key",
    });
  }
}

function proseOf({ docs, operations }: SourceChannel, tree: Tree): readonly string[] {
  const said = [docs, ...operations.map(({ pointer }) => docsOf(tree.at(pointer)?.value))];
  return said.flatMap(({ title, summary, description }) => [title, summary, description].filter((text) => text !== undefined));
}
