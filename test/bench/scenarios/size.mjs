// What a browser loads for a client, min+gzip, beside what it loads for the peers'. Theirs know no schema at run time; ours has its guards, or is unchecked.
import { bundleSize, ownSizes } from "../../../tools/sizes.mjs";

const peers = {
  "socket.io-client": 'import { io } from "socket.io-client"; globalThis.client = io;',
  "@trpc/client + wsLink":
    'import { createTRPCClient, createWSClient, wsLink } from "@trpc/client"; globalThis.client = [createTRPCClient, createWSClient, wsLink];',
  "@orpc/client":
    'import { createORPCClient } from "@orpc/client"; import { RPCLink } from "@orpc/client/websocket"; globalThis.client = [createORPCClient, RPCLink];',
  partysocket: 'import { PartySocket } from "partysocket"; globalThis.client = PartySocket;',
};

export async function measure() {
  const folder = new URL("..", import.meta.url).pathname;
  const figure = (subject, value) => ({ name: `client size: ${subject}`, scenario: "client size", subject, unit: "bytes", value });
  const ours = Object.entries(await ownSizes()).map(([name, size]) => figure(`wsgen (${name})`, size));
  const theirs = Object.entries(peers).map(async ([name, code]) => figure(name, await bundleSize(code, { folder })));
  return [...ours, ...(await Promise.all(theirs))];
}
