import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter } from "@wsgen/runtime";
import { type RegisterOptions, register, type Sent } from "@wsgen/runtime/generated/server";
import { testServer } from "@wsgen/runtime/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { contract, type QuizConnection } from "./quiz.ts";

/** As the generator will print it. */
type QuizMessage =
  | { readonly name: "ask"; readonly payload: { readonly type: "ask"; readonly text: string } }
  | { readonly name: "list"; readonly payload: { readonly type: "list"; readonly id: string } }
  | { readonly name: "blob"; readonly payload: Uint8Array };
interface QuizReader extends Omit<QuizConnection, "send"> {
  readonly send: QuizConnection["send"] & { page(payload: { id: string; items: string[] }): Sent };
  messages(): AsyncIterable<QuizMessage>;
}

const servers: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a function as the handler of a contract's endpoint %s", (_where, tcp) => {
  async function start(quiz: (conn: QuizReader) => Promise<void>, options: RegisterOptions = {}) {
    const router = createRouter({ onError() {} });
    register(router, contract, { quiz, strict: { messages: { ask() {} } } }, options);
    const server = await testServer(router, { tcp, drain: { timeout: 3_000 } });
    servers.push(server);
    const socket = new server.WebSocket(`${server.url}/quiz/7?username=ada`);
    const heard: unknown[] = [];
    socket.on("message", (data) => void heard.push(JSON.parse(String(data))));
    const closed = new Promise<number>((resolve) => socket.on("close", resolve));
    await once(socket, "open");
    return { server, socket, heard, closed, say: (message: unknown) => socket.send(JSON.stringify(message)) };
  }

  it("reads typed, valid messages told apart by name, and answers", async () => {
    const { socket, say, heard, closed } = await start(async (conn) => {
      for await (const message of conn.messages()) {
        if (message.name === "ask") conn.send.asked({ text: message.payload.text.toUpperCase() });
        else if (message.name === "list") conn.send.page({ id: message.payload.id, items: [String(conn.params.quizId)] });
        else return;
      }
    });
    say({ type: "ask", text: "why" });
    say({ type: "list", id: "x" });
    socket.send(new Uint8Array([1]));
    expect(await closed).toBe(1000);
    expect(heard).toEqual([
      { type: "asked", text: "WHY" },
      { type: "page", id: "x", items: ["7"] },
    ]);
  });

  it("never sees what the contract does not allow: that is answered as everywhere", async () => {
    const onInvalid = vi.fn();
    const seen: string[] = [];
    const { say, heard } = await start(
      async (conn) => {
        for await (const { name } of conn.messages()) seen.push(name);
      },
      { onInvalid },
    );
    say({ type: "ask" });
    say({ type: "nonsense" });
    say({ type: "ask", text: "a" });
    await expect.poll(() => seen).toEqual(["ask"]);
    expect(heard).toMatchObject([
      { type: "problem", code: "invalid_message" },
      { type: "problem", code: "unknown_message" },
    ]);
    expect(onInvalid).toHaveBeenCalledTimes(2);
  });

  it("closes with 1011 and tells onError when it throws, also before it reads", async () => {
    const onError = vi.fn();
    const { closed } = await start(
      async () => {
        throw new Error("no");
      },
      { onError },
    );
    expect(await closed).toBe(1011);
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it("loses nothing and keeps the order while it is slow, and ends behind the last message", async () => {
    const seen: string[] = [];
    let ended = false;
    const { socket, say } = await start(async (conn) => {
      await pause(30);
      for await (const message of conn.messages()) if (message.name === "ask") seen.push(message.payload.text);
      ended = true;
    });
    for (let index = 0; index < 500; index++) say({ type: "ask", text: String(index) });
    socket.close();
    await expect.poll(() => ended).toBe(true);
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
  });

  it("loses nothing where messages may be handled beside each other, and is gone with its client", async () => {
    const seen: string[] = [];
    const { server, socket, say } = await start(
      async (conn) => {
        for await (const message of conn.messages()) {
          if (message.name === "ask") seen.push(message.payload.text);
          await pause(2);
        }
      },
      { limits: { concurrency: 4 } },
    );
    for (let index = 0; index < 20; index++) say({ type: "ask", text: String(index) });
    await expect.poll(() => seen).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    socket.close();
    await expect.poll(() => server.connections).toBe(0);
  });

  it("may await the client while 500 other messages come first", async () => {
    const seen: string[] = [];
    let confirmed: unknown;
    const { heard, say } = await start(async (conn) => {
      confirmed = await conn.request.confirm({ text: "sure?" });
      for await (const message of conn.messages()) if (message.name === "ask") seen.push(message.payload.text);
    });
    await expect.poll(() => heard.length).toBe(1);
    for (let index = 0; index < 500; index++) say({ type: "ask", text: String(index) });
    say({ type: "confirmed", id: (heard[0] as { id: string }).id, yes: "yes" });
    await expect.poll(() => seen.length).toBe(500);
    expect(confirmed).toMatchObject({ yes: "yes" });
    expect(seen[499]).toBe("499");
  });

  it("is given a reply that nobody waits for where the document has it as a message as well", async () => {
    const seen: string[] = [];
    const { say, closed } = await start(async (conn) => {
      for await (const { name } of conn.messages()) if (seen.push(name) === 2) return;
    });
    say({ type: "confirmed", id: "7", yes: "yes" });
    say({ type: "ask", text: "a" });
    expect(await closed).toBe(1000);
    expect(seen).toEqual(["confirmed", "ask"]);
  });

  it("hears a shutdown by its signal, and leaves nothing behind when it never reads", async () => {
    let aborted = false;
    const { server, say, closed } = await start(async (conn) => {
      await once(conn.signal, "abort");
      aborted = true;
    });
    for (let index = 0; index < 50; index++) say({ type: "ask", text: "unread" });
    await pause(20);
    const from = performance.now();
    await server.close();
    expect(performance.now() - from).toBeLessThan(2_500);
    expect(await closed).toBe(1012);
    expect(aborted).toBe(true);
    expect(server.connections).toBe(0);
  });

  it("is gone as soon as its client and it have ended, whatever was not read", async () => {
    const { server, socket, say } = await start(async (conn) => void (await conn.closed));
    for (let index = 0; index < 3; index++) say({ type: "ask", text: "unread" });
    socket.close();
    await expect.poll(() => server.connections, { timeout: 2_000 }).toBe(0);
  });

  it("loses nothing to a reader that was left while it waited, or that waits twice", async () => {
    const seen: unknown[] = [];
    const abandoned: unknown[] = [];
    const { heard, say, closed } = await start(async (conn) => {
      const first = conn.messages()[Symbol.asyncIterator]();
      const pending = [first.next(), first.next()];
      await first.return?.();
      for (const result of await Promise.all([...pending, first.next()])) abandoned.push(result.done);
      const second = conn.messages()[Symbol.asyncIterator]();
      await first.return?.(); // Left long ago: the one that reads now goes on.
      expect(() => conn.messages()).toThrow(/somebody is reading/);
      conn.send.asked({ text: "reading" });
      for (const { value } of await Promise.all([second.next(), second.next(), second.next()])) seen.push(value?.payload);
    });
    await expect.poll(() => heard.length).toBe(1);
    for (const text of ["1", "2", "3"]) say({ type: "ask", text });
    expect(await closed).toBe(1000);
    expect(abandoned).toEqual([true, true, true]);
    expect(seen).toMatchObject([{ text: "1" }, { text: "2" }, { text: "3" }]);
  });

  it("has one reader at a time", async () => {
    const { closed } = await start(async (conn) => {
      conn.messages();
      expect(() => conn.messages()).toThrow(/somebody is reading/);
    });
    expect(await closed).toBe(1000);
  });
});
