// Both sides ask, both count their ids from 1, and their replies have few rules, as those of JSON-RPC: who asks is told from who answers.
import { createRouter } from "@wsgen/runtime";
import { register, type Contract as ServerContract } from "@wsgen/runtime/generated/server";
import { testServer } from "@wsgen/runtime/testing";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { answers, type ClientConnection, constants, createClient, guards, requests } from "../../../runtime/src/client/node.ts";
import type { Contract, EndpointContract, MessageContract } from "../../../runtime/src/contract/contract.ts";
import type { ContractError } from "../../../runtime/src/errors.ts";
import { guardOf } from "../contract/guards.ts";
import { startVendor, until } from "./vendor.ts";

const id = { type: "integer" };
const jsonrpc = { const: "2.0" };
const asks = (method: string, reply: string): MessageContract => ({
  format: "json",
  guard: guardOf({
    type: "object",
    required: ["jsonrpc", "id", "method"],
    properties: { jsonrpc, id, method: { const: method }, at: { type: "integer" } },
  }),
  constants: { jsonrpc: "2.0", method },
  reply: { messages: [reply], request: ["id"], reply: ["id"], id: "integer" },
});
const replies: MessageContract = {
  format: "json",
  guard: guardOf({ type: "object", required: ["jsonrpc", "id"], properties: { jsonrpc, id, result: { type: "string" } } }),
  constants: { jsonrpc: "2.0" },
  unlike: [{ path: ["method"] }],
};
const bare = ({ constants: _, ...message }: MessageContract): MessageContract => message;

const server = { hover: asks("hover", "hovered"), edited: replies };
const client = { edit: asks("edit", "edited"), hovered: replies };
const side = (receives: Readonly<Record<string, MessageContract>>, json: string, sends: EndpointContract["sends"]): Contract => ({
  version: 1,
  generator: "0.0.0",
  title: "Lsp",
  endpoints: {
    rpc: {
      address: "/rpc",
      receives: { dispatch: { json }, messages: Object.fromEntries(Object.entries(receives).map(([name, one]) => [name, bare(one)])) },
      sends,
    },
  },
});

type Ask = (payload?: object, options?: { timeout?: number }) => Promise<{ readonly result?: string }>;
interface Peer {
  readonly request: { edit: Ask };
}
interface Rpc extends ClientConnection<unknown> {
  readonly request: { hover: Ask };
  readonly answer: { edit(answerer: (payload: object) => object): void };
}

async function start(hover: (payload: unknown, conn: Peer) => unknown) {
  const router = createRouter();
  const peers: Peer[] = [];
  const handlers = { rpc: { open: (conn: Peer) => void peers.push(conn), messages: { hover } } };
  register(router, side(server, "hover", client) as ServerContract, handlers);
  const running = await testServer(router, { tcp: true });
  return { running, peers };
}

const connectTo = (url: string, invalid: ContractError[] = []) =>
  createClient<{ rpc(): Promise<Rpc> }>(
    side(client, "edit", server),
    url,
    { reconnect: false, onInvalid: (error) => void invalid.push(error) },
    [guards, constants, requests, answers],
  ).rpc();

it("gives a request of the server to the answerer, though the client has a request open with the same id", async () => {
  const { running } = await start(async (_payload, conn) => {
    const { result } = await conn.request.edit({ at: 7 }, { timeout: 1_000 });
    return { result: `hovered, ${result}` };
  });
  await using _server = running;
  const rpc = await connectTo(running.url);
  rpc.answer.edit((payload) => ({ result: `edited at ${(payload as { at: number }).at}` }));
  await expect(rpc.request.hover()).resolves.toMatchObject({ result: "hovered, edited at 7" });
  await rpc.close();
});

it("gives a request of a client to the handler, though the server has a request open with the same id", async () => {
  const { running, peers } = await start(() => ({ result: "hovered" }));
  await using _server = running;
  const socket = new WebSocket(`${running.url}/rpc`);
  const said: string[] = [];
  socket.on("message", (data) => void said.push(String(data)));
  await until(() => peers.length === 1);
  const edited = peers[0]?.request.edit({});
  await until(() => said.length === 1);
  socket.send('{"jsonrpc":"2.0","id":1,"method":"hover"}');
  await until(() => said.length === 2);
  expect(JSON.parse(said[1] ?? "")).toEqual({ jsonrpc: "2.0", id: 1, result: "hovered" });
  socket.send('{"jsonrpc":"2.0","id":1,"result":"done"}');
  await expect(edited).resolves.toMatchObject({ result: "done" });
  socket.close();
});

it.each([
  ["is invalid", { method: "edit", at: "nowhere" }],
  ["the document does not have", { method: "show" }],
])("takes no request of the server that %s for a reply, and waits on", async (_which, body) => {
  const vendor = await startVendor();
  const invalid: ContractError[] = [];
  const rpc = await connectTo(vendor.url, invalid);
  const peer = await vendor.peer();
  const hover = rpc.request.hover();
  await until(() => peer.said.length === 1);
  peer.socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }));
  await until(() => invalid.length === 1);
  peer.socket.send('{"jsonrpc":"2.0","id":1,"result":"hovered"}');
  await expect(hover).resolves.toMatchObject({ result: "hovered" });
  await rpc.close();
  await vendor.stop();
});

it("rejects with what is wrong with the reply, by the reply's own name", async () => {
  const vendor = await startVendor();
  const rpc = await connectTo(vendor.url);
  const peer = await vendor.peer();
  const hover = rpc.request.hover();
  await until(() => peer.said.length === 1);
  peer.socket.send('{"jsonrpc":"2.0","id":1,"result":5}');
  await expect(hover).rejects.toMatchObject({ name: "ContractError", messageName: "hovered", path: "/result" });
  await rpc.close();
  await vendor.stop();
});
