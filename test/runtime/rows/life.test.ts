// Rows 46–60, 64, 75, 78 and 79 of the checklist, each by its acceptance test, over TCP and in memory.
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { type Connection, createRouter, type Events, type Limits } from "@wsgen/runtime";
import { register } from "@wsgen/runtime/generated/server";
import { testServer } from "@wsgen/runtime/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { createChatClient } from "../../../generated/chat/client.js";
import { registerChat } from "../../../generated/chat/server.js";
import { contract, type QuizConnection } from "../contract-server/quiz.ts";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { handshakeText } from "../upgrade/raw-client.ts";
import { carriers, open, type Place } from "./carrier.ts";

const echo = async (conn: Connection): Promise<void> => {
  for await (const message of conn.messages()) await conn.send(message);
};
const stay = async (conn: Connection): Promise<void> => void (await conn.closed);

describe.each(carriers)("requests, liveness and the end %s", (_carrier, tcp) => {
  const serve = (handler: (conn: Connection) => Promise<void>, limits: Partial<Limits> = {}): Promise<Place> => {
    const router = createRouter({ onError() {} });
    router.ws("/", { limits: { heartbeat: false, ...limits }, handler });
    return open(tcp, router);
  };
  const chat = async (history: (id: string) => Promise<void>) => {
    const router = createRouter({ onError() {} });
    registerChat(router, {
      room: {
        messages: {
          postMessage() {},
          async history({ requestId }) {
            await history(requestId);
            return { posts: [] };
          },
        },
      },
    });
    const place = await open(tcp, router);
    const client = createChatClient(place.url, { WebSocket: place.WebSocket });
    return client.room({ roomId: "a" }, { query: { username: "ada" } });
  };

  it("row 46: replies find their requests out of order; one that is late times out, and comes to nobody", async () => {
    const release = new Map<string, () => void>();
    const room = await chat((id) => (id === "now" ? Promise.resolve() : new Promise((resolve) => void release.set(id, resolve))));
    const late = room.request.history({ requestId: "late" }, { timeout: 30 });
    await expect(late).rejects.toMatchObject({ code: "WSGEN_REQUEST_TIMEOUT" });
    const events: unknown[] = [];
    void (async () => {
      for await (const event of room) events.push(event);
    })();
    await expect.poll(() => release.size).toBe(1);
    release.get("late")?.();
    expect(await room.request.history({ requestId: "now" })).toMatchObject({ requestId: "now" });
    expect(events).toEqual([]);
    await room.close();
  });

  it("row 46: the reply to the second request settles before that to the first, where the server handles two at a time", async () => {
    const router = createRouter({ limits: { concurrency: 2 } });
    const order: string[] = [];
    registerChat(router, {
      room: {
        messages: {
          postMessage() {},
          history: async ({ limit = 0 }) => {
            await pause(limit);
            return { posts: [] };
          },
        },
      },
    });
    const place = await open(tcp, router);
    const room = await createChatClient(place.url, { WebSocket: place.WebSocket }).room({ roomId: "a" }, { query: { username: "ada" } });
    const ask = (name: string, limit: number) =>
      room.request.history({ requestId: name, limit }).then((page) => order.push(page.requestId));
    await Promise.all([ask("slow", 60), ask("quick", 1)]);
    expect(order).toEqual(["quick", "slow"]);
    await room.close();
  });

  const quiz = async (handlers: object): Promise<Place> => {
    const router = createRouter({ onError() {} });
    const messages = { ask() {}, list: () => ({}), blob() {} };
    register(router, contract, { quiz: { messages: { ...messages, ...handlers } }, strict: { messages } });
    return open(tcp, router);
  };

  it("row 47: client and server ask each other on one socket at the same time", async () => {
    const answers: unknown[] = [];
    const place = await quiz({
      ask: async (_payload: unknown, conn: QuizConnection) => void answers.push(await conn.request.confirm({ text: "sure?" })),
      list: () => ({ items: ["a"] }),
    });
    const client = await place.dial("/quiz/7?username=ada");
    const say = (message: object) => client.socket.send(JSON.stringify(message));
    say({ type: "ask", text: "x" });
    say({ type: "list", id: "1" });
    const { id } = JSON.parse(String(await client.next()));
    say({ type: "confirmed", id, yes: "yes" });
    expect(JSON.parse(String(await client.next()))).toEqual({ type: "page", id: "1", items: ["a"] });
    expect(answers).toEqual([{ type: "confirmed", id, yes: "yes" }]);
  });

  it("row 49: five requests that wait are rejected when the connection closes, on either side", async () => {
    const failures: unknown[] = [];
    const place = await quiz({
      ask: (_payload: unknown, conn: QuizConnection) => {
        for (let i = 0; i < 5; i++) void conn.request.confirm({ text: "?" }).catch((error: unknown) => failures.push(error));
      },
    });
    const client = await place.dial("/quiz/7?username=ada");
    client.socket.send('{"type":"ask","text":"x"}');
    await client.next();
    client.socket.close(4000);
    await expect.poll(() => failures).toMatchObject(Array(5).fill({ code: "WSGEN_CONNECTION_CLOSED", closeCode: 4000 }));
    const room = await chat(() => new Promise(() => {}));
    const asked = Array.from({ length: 5 }, () => room.request.history({}).catch((error: unknown) => error));
    await room.close();
    expect(await Promise.all(asked)).toMatchObject(Array(5).fill({ code: "WSGEN_CONNECTION_CLOSED" }));
  });

  it("row 50: a peer that sends nothing is closed with 1001 within two periods, one that answers stays", async () => {
    const place = await serve(echo, { heartbeat: { interval: 60, timeout: 60 } });
    const [mute, alive] = [await place.raw(), await place.dial()];
    const pings: number[] = [];
    for (let frame = await mute.next(); frame.opcode !== 8; frame = await mute.next()) pings.push(frame.opcode);
    expect(pings.length).toBeLessThanOrEqual(2);
    expect(pings.every((opcode) => opcode === 9)).toBe(true);
    alive.socket.send("still here");
    expect(await alive.next()).toBe("still here");
  });

  it("row 51: a ping is answered byte for byte while the handler is idle", async () => {
    const client = await (await serve(stay)).raw();
    const payload = Buffer.from([0, 255, 1, 254]);
    client.write(rawFrame({ opcode: 9, payload }));
    expect(await client.next()).toMatchObject({ opcode: 10, payload });
  });

  it("row 52: silence closes 1001, pings or not, and so does age", async () => {
    const idle = await (await serve(stay, { idleTimeout: 100 })).raw();
    const pinging = setInterval(() => idle.write(rawFrame({ opcode: 9 })), 20);
    onTestFinished(() => clearInterval(pinging));
    expect(await idle.nextClose()).toEqual({ code: 1001, reason: "idle timeout" });
    const old = await (await serve(echo, { maxLifetime: 100 })).raw();
    const talking = setInterval(() => old.write(textFrame("x")), 20);
    onTestFinished(() => clearInterval(talking));
    expect(await old.nextClose()).toEqual({ code: 1001, reason: "lifetime over" });
  });

  it("row 53: close sends code and reason once, and throws on what cannot be sent", async () => {
    const thrown: unknown[] = [];
    const outcomes: unknown[] = [];
    const place = await serve(async (conn) => {
      for (const [code, reason] of [
        [1005, ""],
        [1006, ""],
        [999, ""],
        [3000, "x".repeat(124)],
      ] as const) {
        try {
          void conn.close(code, reason);
        } catch (error) {
          thrown.push(error);
        }
      }
      const first = conn.close(3000, "Because");
      void conn.close(3001, "Again");
      outcomes.push(await first);
    });
    const client = await place.dial();
    expect(await client.closed).toEqual({ code: 3000, reason: "Because" });
    expect(thrown).toMatchObject(Array(4).fill({ code: "WSGEN_USAGE" }));
    await expect.poll(() => outcomes).toEqual([{ code: 3000, reason: "Because", wasClean: true }]);
  });

  it("row 54: the outcome tells a clean end from a lost peer", async () => {
    const outcomes: unknown[] = [];
    const place = await serve(async (conn) => void outcomes.push(await conn.closed));
    const [polite, lost] = [await place.dial(), await place.raw()];
    polite.socket.close(1000);
    await expect.poll(() => outcomes).toEqual([{ code: 1000, reason: "", wasClean: true, meaning: "normal" }]);
    lost.reset();
    await expect.poll(() => outcomes.at(-1)).toEqual({ code: 1006, reason: "", wasClean: false, meaning: "lost" });
  });

  it("row 55: the peer's close code comes back", async () => {
    const client = await (await serve(echo)).raw();
    client.write(closeFrame(4321, "bye"));
    expect((await client.nextClose()).code).toBe(4321);
  });

  it("row 56: a peer that does not answer our close frame is dropped after the close timeout", async () => {
    const outcomes: unknown[] = [];
    const place = await serve(async (conn) => void outcomes.push(await conn.close(4000)), { closeTimeout: 100 });
    const client = await place.raw();
    expect((await client.nextClose()).code).toBe(4000);
    await client.ended;
    await expect.poll(() => outcomes).toEqual([{ code: 4000, reason: "", wasClean: false }]);
  });

  it("row 57: a fetch that was begun with conn.signal ends when the peer leaves", async () => {
    let hanging = 0;
    const http = createServer((request) => {
      hanging++;
      request.socket.on("close", () => hanging--);
    }).listen(0, "127.0.0.1");
    await once(http, "listening");
    onTestFinished(() => void http.close());
    let failure: unknown;
    const place = await serve(async (conn) => {
      const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
      failure = await fetch(url, { signal: conn.signal }).catch((error: unknown) => error);
    });
    const client = await place.dial();
    await expect.poll(() => hanging).toBe(1);
    client.socket.close(1000);
    await expect.poll(() => hanging).toBe(0);
    expect(failure).toMatchObject({ name: "ConnectionClosedError", closeCode: 1000 });
  });

  it("row 58: shutting down refuses newcomers, closes everyone in batches, lets handlers finish and cuts who is stuck", async () => {
    let finished = 0;
    const router = createRouter();
    router.ws("/", async (conn) => {
      await conn.closed;
      await pause(30);
      finished++;
    });
    router.ws("/stuck", () => new Promise(() => {}));
    const place = await open(tcp, router, { drain: { batch: 2, interval: 150, timeout: 1_000 } });
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push(await place.dial());
    const stuck = await place.raw("/stuck");
    const order: number[] = [];
    for (const [index, { closed }] of clients.entries()) void closed.then(() => order.push(index));
    const closing = place.sockets.close();
    const knocked = place.knock(handshakeText("/"));
    await expect.poll(() => order.length, { interval: 1 }).toBe(2);
    await pause(5);
    expect(order).toHaveLength(2);
    expect((await knocked).status).toBe(503);
    for (const { closed } of clients) expect(await closed).toEqual({ code: 1012, reason: "service restart" });
    expect([order.slice(0, 2).sort(), order.slice(2, 4).sort(), order.slice(4)]).toEqual([[0, 1], [2, 3], [4]]);
    await closing;
    await stuck.ended;
    expect(finished).toBe(5);
  });

  it("row 59: what a handler throws is told to onError and to nobody else", async () => {
    const errors: unknown[] = [];
    const router = createRouter({ onError: (error) => void errors.push(error) });
    router.ws("/", async () => {
      throw new Error("secret");
    });
    const client = await (await open(tcp, router)).raw();
    expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
    expect(errors).toEqual([new Error("secret")]);
  });

  it("row 60: connections that are gone leave nothing behind", async () => {
    const place = await serve(echo, { heartbeat: { interval: 1000, timeout: 1000 }, idleTimeout: 10_000, maxLifetime: 100_000 });
    const rest = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const visit = async (i: number): Promise<void> => {
      const client = await place.raw();
      client.write(textFrame("x"));
      await client.next();
      if (i % 2 === 0) client.write(closeFrame(1000));
      else client.reset();
      if (i % 2 === 0) await client.ended;
    };
    for (let i = 0; i < 50; i++) await visit(i);
    await expect.poll(() => place.sockets.connections).toBe(0);
    const before = rest();
    for (let i = 0; i < 500; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => visit(i + k)));
    await expect.poll(() => place.sockets.connections).toBe(0);
    expect(place.sockets.metrics()).toMatchObject({ connections: 0, opened: 550, messagesIn: 550, messagesOut: 550 });
    expect(rest()).toBeLessThanOrEqual(before);
  });

  it("row 78: every event has its connection's id, and counters match what happened", async () => {
    const heard: { readonly name: string; readonly connection: string | undefined }[] = [];
    const ids: string[] = [];
    const hear =
      <Name extends keyof Events>(name: Name) =>
      (event: Events[Name]) =>
        void heard.push({ name, connection: "connection" in event ? event.connection : undefined });
    const router = createRouter({
      onError() {},
      hooks: { open: hear("open"), close: hear("close"), refused: hear("refused"), error: hear("error") },
    });
    router.ws("/", async (conn) => {
      ids.push(conn.id);
      for await (const { data } of conn.messages()) {
        if (data === "throw") throw new Error("x");
        await conn.send(data);
      }
    });
    const place = await open(tcp, router);
    const client = await place.dial();
    client.socket.send("a");
    await client.next();
    client.socket.send("throw");
    await client.closed;
    await place.knock(handshakeText("/nowhere"));
    await expect
      .poll(() => place.sockets.metrics())
      .toMatchObject({
        connections: 0,
        opened: 1,
        closed: { 1011: 1 },
        refused: { 404: 1 },
        messagesIn: 2,
        messagesOut: 1,
        errors: 1,
      });
    const [connection] = ids;
    const own = ["open", "error", "close"].map((name) => ({ name, connection }));
    expect(heard.filter(({ name }) => name !== "refused")).toEqual(own);
    expect(heard.filter(({ name }) => name === "refused")).toHaveLength(1);
  });

  it("row 79: a larger message is allowed only once its limit was raised", async () => {
    const place = await serve(
      async (conn) => {
        for await (const { data } of conn.messages()) {
          if (data === "login") conn.limits.maxMessageSize = 1000;
          await conn.send(String(data.length));
        }
      },
      { maxMessageSize: 100 },
    );
    const [early, late] = [await place.dial(), await place.dial()];
    early.socket.send("x".repeat(101));
    expect((await early.closed).code).toBe(1009);
    late.socket.send("login");
    expect(await late.next()).toBe("5");
    late.socket.send("x".repeat(1000));
    expect(await late.next()).toBe("1000");
  });

  it("rows 64 and 75: a test's client needs no port, and leaving its block closes with 1000", async () => {
    const outcomes: unknown[] = [];
    const router = createRouter();
    router.ws("/", async (conn) => {
      void conn.closed.then((outcome) => outcomes.push(outcome));
      await echo(conn);
    });
    await using server = await testServer(router, { tcp });
    {
      await using connection = await server.connect("/");
      await connection.send("hi");
      for await (const { data } of connection.messages()) {
        expect(data).toBe("hi");
        break;
      }
    }
    await expect.poll(() => outcomes).toEqual([{ code: 1000, reason: "", wasClean: true, meaning: "normal" }]);
  });
});
