import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { expect, it } from "vitest";
import { open, parseAnswer } from "./raw-client.ts";

it.each([
  ["what is not HTTP", "GET /ws HTTP/1.1\nHost : x\n\n", 400],
  ["a header without an end", "GET /ws HTTP/1.1\r\nX: ", 431],
])("%s is answered also when the client goes on sending", async (_what, head, status) => {
  const router = createRouter();
  router.ws("/ws", async () => {});
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  for (let round = 0; round < 5; round++) {
    const socket = await open(server.port);
    socket.on("error", () => {});
    socket.write(head);
    // It does not read before it has said all it has to say: a reset would take the answer from it.
    for (let count = 0; count < 5; count++) {
      await pause(4);
      socket.write("a".repeat(20_000));
    }
    let text = "";
    for await (const chunk of socket) text += (chunk as Buffer).toString("latin1");
    expect(parseAnswer(text).status).toBe(status);
  }
  await server.close();
});
