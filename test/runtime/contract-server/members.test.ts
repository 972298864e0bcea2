import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import type { Socket } from "node:net";
import zlib from "node:zlib";
import { createRouter, serve } from "@wsgen/runtime";
import { type EndpointHandle, register } from "@wsgen/runtime/generated/server";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { contract, type QuizConnection, type QuizSend } from "./quiz.ts";
import { serveQuiz, until } from "./quiz-rooms.ts";

const BIG = "x".repeat(16 * 1024);

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a room of a contract, %s,", (_where, tcp) => {
  test("gives a message to each member once, the sender included, and to nobody else", async () => {
    const { quiz, join } = await serveQuiz(tcp);
    const [ada, bob] = [await join((conn) => conn.join("a")), await join((conn) => conn.join("a"))];
    const eve = await join((conn) => conn.join("b"));
    ada.socket.send('{"type":"ask","text":"a"}');
    await bob.heard("a");
    quiz.to("a").send.asked({ text: "from anywhere" });
    quiz.to("a").except(ada.conn).send.asked({ text: "not for ada" });
    ada.conn.to("a").except(ada.conn).except(bob.conn).send.asked({ text: "for nobody" });
    quiz.to("nowhere").send.asked({ text: "nobody is there" });
    quiz.to("b").send.asked({ text: "end" });
    quiz.to("a").local.send.asked({ text: "end" });
    await Promise.all([ada.heard("end"), bob.heard("end"), eve.heard("end")]);
    expect(ada.texts).toEqual(["a", "from anywhere", "end"]);
    expect(bob.texts).toEqual(["a", "from anywhere", "not for ada", "end"]);
    expect(eve.texts).toEqual(["end"]);
  });

  test("checks a message before anybody gets it, also when nobody is there", async () => {
    const { quiz, join } = await serveQuiz(tcp);
    const { conn, texts, heard } = await join((conn) => conn.join("a"));
    for (const room of ["a", "nowhere"]) {
      // @ts-expect-error: text is a string
      expect(() => quiz.to(room).send.asked({ text: 1 })).toThrow(/"asked" was not sent/);
      // @ts-expect-error: text is a string
      expect(() => conn.to(room).volatile.send.asked({ text: 1 })).toThrow(/"asked" was not sent/);
    }
    quiz.to("a").send.asked({ text: "end" });
    await heard("end");
    expect(texts).toEqual(["end"]);
  });

  test("is left by a connection that closes, for good, before the handler's close runs", async () => {
    const { quiz, join } = await serveQuiz(tcp);
    const [ada, bob] = [await join((conn) => conn.join("a", { as: "ada" })), await join((conn) => conn.join("a", { as: "bob" }))];
    expect([...quiz.presence("a").members]).toEqual([
      ["ada", 1],
      ["bob", 1],
    ]);
    await bob.leave();
    expect([...quiz.presence("a").members.keys()]).toEqual(["ada"]);
    bob.conn.join("a", { as: "bob" });
    expect([...ada.conn.presence("a").members.keys()]).toEqual(["ada"]);
    quiz.to("a").send.asked({ text: "end" });
    await ada.heard("end");
    expect(bob.texts).toEqual([]);
  });

  test("keeps one order of everything for each of 200 members", async () => {
    const { quiz, join, connections } = await serveQuiz(tcp);
    const clients = await Promise.all(Array.from({ length: 200 }, () => join((conn) => conn.join("a"))));
    for (let i = 0; i < 50; i++) {
      quiz.to("a").send.asked({ text: `${i}` });
      if (i % 10 === 0) for (const conn of connections) void conn.send.asked({ text: `${i} to you` });
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    quiz.to("a").send.asked({ text: "end" });
    await Promise.all(clients.map(({ heard }) => heard("end")));
    const all = Array.from({ length: 50 }, (_, i) => (i % 10 === 0 ? [`${i}`, `${i} to you`] : [`${i}`])).flat();
    for (const { texts } of clients) expect(texts).toEqual([...all, "end"]);
  });

  test("closes a member that does not read with 1013, and delivers everything to the others, in order", async () => {
    const { quiz, join } = await serveQuiz(tcp, { limits: { highWaterMark: 128 * 1024 } });
    const [slow, fast] = [await join((conn) => conn.join("a")), await join((conn) => conn.join("a"))];
    slow.socket.pause();
    let sent = 0;
    for (; !slow.conn.signal.aborted; sent++) {
      quiz.to("a").send.asked({ text: `${sent} ${BIG}` });
      await fast.heard(`${sent} ${BIG}`);
      if (sent > 2000) throw new Error("never closed");
    }
    expect(slow.conn.signal.reason).toMatchObject({ closeCode: 1013 });
    quiz.to("a").send.asked({ text: "end" });
    await fast.heard("end");
    expect(fast.texts.length).toBe(sent + 1);
    expect(fast.conn.dropped).toBe(0);
  });

  test("conflates by the messages' names where the policy says so, and never an answer to a request", async () => {
    const { quiz, join } = await serveQuiz(tcp, { limits: { overflow: "conflate", highWaterMark: 128 * 1024 } });
    const { conn, socket, texts, heard } = await join((conn) => conn.join("a"));
    socket.pause();
    for (let sent = 0; conn.dropped === 0; sent++) {
      quiz.to("a").send.asked({ text: `${sent} ${BIG}` });
      await new Promise(setImmediate);
      if (sent > 2000) throw new Error("never dropped");
    }
    for (let i = 0; i < 100; i++) void conn.send.problem({ code: `${i}`, detail: "once" });
    for (let i = 0; i < 100; i++) void conn.send.asked({ text: i === 99 ? "end" : `${i}` });
    const { page } = conn.send as unknown as { page(payload: { id: string }): void }; // As a function that reads its messages has it.
    for (let i = 0; i < 100; i++) page({ id: `${i}` });
    void conn.send.asked({ text: "end" });
    expect(conn.dropped).toBe(1 + 99 + 100 + 1);
    socket.resume();
    await heard("end");
    expect(texts.filter((text) => text.includes('"page"'))).toHaveLength(100);
    expect(texts.filter((text) => !text.includes('"page"')).slice(-2)).toEqual(['{"type":"problem","code":"99","detail":"once"}', "end"]);
  });

  test("drops what is volatile, and conflates by name and key, for the slow alone", async () => {
    const { quiz, join } = await serveQuiz(tcp);
    const [slow, fast] = [await join((conn) => conn.join("a")), await join((conn) => conn.join("a"))];
    slow.socket.pause();
    for (let sent = 0; slow.conn.dropped === 0; sent++) {
      quiz.to("a").volatile.send.asked({ text: `${sent} ${BIG}` });
      await fast.heard(`${sent} ${BIG}`);
      if (sent > 2000) throw new Error("never dropped");
    }
    const missed = slow.conn.dropped;
    for (let i = 0; i < 10; i++) {
      quiz
        .to("a")
        .conflate("x")
        .send.asked({ text: `x${i}` });
      quiz
        .to("a")
        .conflate("y")
        .send.asked({ text: `y${i}` });
      quiz
        .to("a")
        .conflate()
        .send.asked({ text: `z${i}` });
      void slow.conn.volatile.send.asked({ text: "missed" });
      void slow.conn.conflate("x").send.problem({ code: "a name of its own", detail: "is no x" });
    }
    quiz.to("a").send.asked({ text: "end" });
    expect(slow.conn.dropped).toBe(missed + 3 * 9 + 10 + 9);
    await fast.heard("end");
    expect(fast.texts.slice(-31)).toEqual([...Array.from({ length: 10 }, (_, i) => [`x${i}`, `y${i}`, `z${i}`]).flat(), "end"]);
    slow.socket.resume();
    await slow.heard("end");
    expect(slow.texts.slice(-5)).toEqual(["x9", "y9", "z9", '{"type":"problem","code":"a name of its own","detail":"is no x"}', "end"]);
    expect(slow.texts).not.toContain("missed");
  });
});

test("a connection is in the rooms it joined and has not left, one or several, and in none when it is closed", async () => {
  const { quiz, join } = await serveQuiz(false);
  const rooms = ["a", "b", "c"];
  const step = fc.record({ joins: fc.boolean(), room: fc.constantFrom(...rooms) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { conn, texts, heard, leave } = await join();
      const expected = new Set<string>();
      for (const { joins, room } of steps) {
        if (joins) conn.join(room, { as: "ada" });
        else conn.leave(room);
        if (joins) expected.add(room);
        else expected.delete(room);
      }
      for (const room of rooms) quiz.to(room).send.asked({ text: room });
      void conn.send.asked({ text: "end" });
      await heard("end");
      expect(texts).toEqual([...rooms.filter((room) => expected.has(room)), "end"]);
      await leave();
      for (const room of rooms) expect(quiz.presence(room).members.size).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test("a room is reached from an HTTP handler and from a timer, nobody having said anything on a socket", async () => {
  const router = createRouter();
  const { quiz } = register<{ quiz: EndpointHandle<QuizSend> }>(router, contract, {
    quiz: { open: (conn: QuizConnection) => conn.join("a"), messages: { ask() {}, list: () => ({}), blob() {} } },
    strict: { messages: { ask() {} } },
  });
  const server = await serve(router, {
    host: "127.0.0.1",
    signals: [],
    drain: { timeout: 500 },
    http(request, response) {
      quiz.to("a").send.asked({ text: `${request.method} ${request.url}` });
      response.end();
    },
  });
  onTestFinished(() => server.close());
  const client = new WebSocket(`${server.url}/quiz/7?username=ada`);
  onTestFinished(() => client.terminate());
  const texts: string[] = [];
  client.on("message", (data) => void texts.push((JSON.parse(String(data)) as { text: string }).text));
  await once(client, "open");

  await fetch(`${server.url.replace("ws", "http")}/announce`, { method: "POST" });
  setTimeout(() => quiz.to("a").send.asked({ text: "from a timer" }), 1);
  await until(() => texts.length === 2, "both arrive");
  expect(texts).toEqual(["POST /announce", "from a timer"]);
});

test("a message to a room is checked once, deflated once, and written once to each member, with whatever else that turn brings", async () => {
  let checked = 0;
  const { asked } = contract.endpoints.quiz.sends;
  const guard: typeof asked.guard = Object.assign((value: unknown): value is unknown => {
    checked++;
    return asked.guard(value);
  });
  const counting = {
    ...contract,
    endpoints: {
      ...contract.endpoints,
      quiz: { ...contract.endpoints.quiz, sends: { ...contract.endpoints.quiz.sends, asked: { ...asked, guard } } },
    },
  };
  const router = createRouter({ deflate: { minSize: 0 } });
  const connections: QuizConnection[] = [];
  const { quiz } = register<{ quiz: EndpointHandle<QuizSend> }>(router, counting, {
    quiz: {
      open(conn: QuizConnection) {
        connections.push(conn);
        conn.join("a");
      },
      messages: { ask() {}, list: () => ({}), blob() {} },
    },
    strict: { messages: { ask() {} } },
  });
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 500 } });
  onTestFinished(() => server.close());
  let writes = 0;
  server.server.on("connection", (socket: Socket) => {
    const { write } = socket;
    socket.write = ((...args: Parameters<typeof write>) => {
      writes++;
      return write.apply(socket, args);
    }) as typeof write;
  });
  let heard = 0;
  const clients = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = new WebSocket(`${server.url}/quiz/7?username=ada`);
      client.on("message", () => heard++);
      await new Promise((resolve) => client.once("open", resolve));
      return client;
    }),
  );
  onTestFinished(() => {
    for (const client of clients) client.terminate();
  });

  let deflated = 0;
  const { deflateRawSync } = zlib;
  zlib.deflateRawSync = (...args) => {
    deflated++;
    return deflateRawSync(...args);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    zlib.deflateRawSync = deflateRawSync;
    syncBuiltinESMExports();
  });

  writes = 0;
  for (let i = 0; i < 10; i++) quiz.to("a").send.asked({ text: "again and again and again and again" });
  await until(() => heard === 1000, "everything has arrived");
  expect({ checked, deflated, writes }).toEqual({ checked: 10, deflated: 10, writes: 100 });
});
