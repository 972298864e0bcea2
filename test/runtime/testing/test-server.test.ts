import { once } from "node:events";
import { createRouter } from "@wsgen/runtime";
import { testServer } from "@wsgen/runtime/testing";
import { describe, expect, it } from "vitest";
import { createChatClient } from "../../../generated/chat/client.ts";
import { registerChat } from "../../../generated/chat/server.ts";

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a test server %s", (_where, tcp) => {
  it("echoes a megabyte, text and binary", async () => {
    const router = createRouter();
    router.ws("/echo", async (conn) => {
      for await (const message of conn.messages()) await conn.send(message.data);
    });
    await using server = await testServer(router, { tcp });
    const socket = new server.WebSocket(`${server.url}/echo`);
    await once(socket, "open");
    for (const sent of ["aé🌍".repeat(100_000), Buffer.alloc(1024 * 1024, 7)]) {
      socket.send(sent);
      const [received, isBinary] = (await once(socket, "message")) as [Buffer, boolean];
      expect(isBinary).toBe(typeof sent !== "string");
      expect(received.equals(Buffer.from(sent as string))).toBe(true);
    }
    expect(server.connections).toBe(1);
    socket.close(1000);
    expect((await once(socket, "close"))[0]).toBe(1000);
  });

  it("shows back pressure: sends wait for a client that does not read", async () => {
    const router = createRouter();
    let waited = 0;
    let sent = 0;
    router.ws("/", async (conn) => {
      for (; sent < 300; sent++) {
        const full = conn.send(Buffer.alloc(64 * 1024));
        if (full !== undefined && !conn.signal.aborted) waited++;
        await full;
      }
    });
    await using server = await testServer(router, { tcp });
    const socket = new server.WebSocket(server.url);
    await once(socket, "open");
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sent).toBeLessThan(300);
    socket.resume();
    expect((await once(socket, "close"))[0]).toBe(1000);
    expect(sent).toBe(300);
    expect(waited).toBeGreaterThan(0);
  });

  it("refuses like production, and tells a client that vanishes from one that says goodbye", async () => {
    const outcomes: unknown[] = [];
    const router = createRouter();
    router.ws("/", async (conn) => void outcomes.push(await conn.closed));
    await using server = await testServer(router, { tcp });
    const refused = new server.WebSocket(`${server.url}/nowhere`);
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, { statusCode: number; resume(): void }];
    expect(response.statusCode).toBe(404);
    response.resume();
    for (const leave of ["close", "terminate"] as const) {
      const socket = new server.WebSocket(server.url);
      await once(socket, "open");
      socket[leave]();
      await once(socket, "close");
      await expect.poll(() => server.connections).toBe(0);
    }
    expect(outcomes).toMatchObject([
      { code: 1005, wasClean: true },
      { code: 1006, wasClean: false },
    ]);
  });

  it("notices a client that gives up during a slow decision", async () => {
    let aborted = false;
    const router = createRouter().use(async ({ signal }, next) => {
      await once(signal, "abort");
      aborted = true;
      return next();
    });
    router.ws("/", async () => {});
    await using server = await testServer(router, { tcp });
    const socket = new server.WebSocket(server.url);
    socket.on("error", () => {});
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.terminate();
    await expect.poll(() => aborted).toBe(true);
  });

  it("lets generated clients give up when it is over, so that a test's process ends", async () => {
    const router = createRouter();
    registerChat(router, { room: { messages: { postMessage() {}, history: () => ({ posts: [] }) } } });
    const server = await testServer(router, { tcp });
    const chat = createChatClient(server.url, { WebSocket: server.WebSocket });
    const room = await chat.room({ roomId: "lobby" }, { query: { username: "ada" } });
    await server.close();
    await expect.poll(() => room.getSnapshot().status).toBe("closed");
  });

  it("closes whoever is still there with 1012", async () => {
    const router = createRouter();
    router.ws("/", async (conn) => void (await conn.closed));
    const server = await testServer(router, { tcp });
    const socket = new server.WebSocket(server.url);
    await once(socket, "open");
    const closed = once(socket, "close");
    await server.close();
    expect((await closed)[0]).toBe(1012);
  });
});
