// oRPC over ws: a procedure whose input and output are validated by zod.
import { os } from "@orpc/server";
import { RPCHandler } from "@orpc/server/ws";
import { WebSocketServer } from "ws";
import { chat } from "./zod-schema.mjs";

export async function start() {
  const handler = new RPCHandler({
    chat: os
      .input(chat)
      .output(chat)
      .handler(({ input }) => input),
  });
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => void handler.upgrade(socket, { context: {} }));
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: server.address().port };
}
