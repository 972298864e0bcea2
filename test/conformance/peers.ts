import { setTimeout as pause } from "node:timers/promises";
import { WebSocketServer } from "ws";

/** A server that knows nothing of wsgen. */
async function listen(): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  return server;
}

/** Waits for something that is on its way; throws when it does not come. */
export async function until(condition: () => boolean, milliseconds = 3_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it did not come");
    await pause(2);
  }
}
