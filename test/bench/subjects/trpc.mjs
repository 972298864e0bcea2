// tRPC over ws: a mutation whose input and output are validated by zod.
import { initTRPC } from "@trpc/server";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { WebSocketServer } from "ws";
import { chat } from "./zod-schema.mjs";

export async function start() {
  const t = initTRPC.create();
  const router = t.router({
    chat: t.procedure
      .input(chat)
      .output(chat)
      .mutation(({ input }) => input),
  });
  const wss = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  applyWSSHandler({ wss, router });
  await new Promise((resolve) => wss.once("listening", resolve));
  return { port: wss.address().port };
}
