import { createRoomBus, createRouter, defineExtension, type RoomAdapter } from "@wsgen/runtime";
import { testServer } from "@wsgen/runtime/testing";
import { describe, expect, test, vi } from "vitest";
import { type QuizServer, serveQuiz, until } from "./quiz-rooms.ts";

/** A logger that keeps what is an error. */
function createLog() {
  const errors: { readonly fields: object; readonly message: string }[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (fields: object, message: string) => void errors.push({ fields, message }) };
  return { errors, logger };
}

/** An adapter that does what another does, but for what the test says. */
function changed(adapter: RoomAdapter, changes: Partial<RoomAdapter>): RoomAdapter {
  return {
    publish: (topic, message) => adapter.publish(topic, message),
    subscribe: (topic, receive) => adapter.subscribe(topic, receive),
    unsubscribe: (topic) => adapter.unsubscribe(topic),
    close: () => adapter.close(),
    ...changes,
  };
}

async function hear(servers: readonly QuizServer[], room: string) {
  return Promise.all(servers.map(({ join }) => join((conn) => conn.join(room))));
}

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("two servers that an adapter joins, %s,", (_where, tcp) => {
  test("share their rooms: a message on one arrives at the members of both, once, with exceptions and manners", async () => {
    const bus = createRoomBus();
    const servers = [await serveQuiz(tcp, { adapter: bus() }), await serveQuiz(tcp, { adapter: bus() })] as const;
    const [here, there] = servers;
    const [ada, bob] = [await here.join((conn) => conn.join("a")), await there.join((conn) => conn.join("a"))];
    const [eve] = [await there.join((conn) => conn.join("b"))];
    ada.socket.send('{"type":"ask","text":"a"}');
    await bob.heard("a");
    here.quiz.to("a").send.asked({ text: "from anywhere – ünïcode" });
    here.quiz.to("a").local.send.asked({ text: "here alone" });
    here.quiz.to("a").except(bob.conn).send.asked({ text: "not for bob" });
    there.quiz.to("a").except(ada.conn).send.asked({ text: "not for ada" });
    there.quiz.to("a").volatile.send.asked({ text: "volatile" });
    there.quiz.to("a").conflate("k").send.asked({ text: "conflated" });
    here.quiz.to("b").send.asked({ text: "for eve, who is there" });
    here.quiz.to("a").send.asked({ text: "end" });
    await Promise.all([ada.heard("end"), bob.heard("end"), eve?.heard("for eve, who is there")]);
    expect(ada.texts).toEqual(["a", "from anywhere – ünïcode", "here alone", "not for bob", "volatile", "conflated", "end"]);
    expect(bob.texts).toEqual(["a", "from anywhere – ünïcode", "not for ada", "volatile", "conflated", "end"]);
    expect(eve?.texts).toEqual(["for eve, who is there"]);
  });

  test("keep one order, also of what is said while a message is handed out", async () => {
    let connections = 0;
    const breaking = defineExtension({
      name: "breaking",
      negotiated: false,
      accept: () => {
        const breaks = ++connections === 1;
        return {
          encode({ data }) {
            if (breaks) throw new Error("broken");
            return { data, rsv: 0 };
          },
          decode: ({ data }) => data,
        };
      },
    });
    const bus = createRoomBus();
    const here = await serveQuiz(tcp, { adapter: bus(), extensions: [breaking] });
    const there = await serveQuiz(tcp, { adapter: bus() });
    await here.join((conn) => {
      conn.join("a");
      conn.signal.addEventListener("abort", () => void here.quiz.to("a").send.asked({ text: "somebody left" }));
    });
    const members = await hear([here, there], "a");
    here.quiz.to("a").send.asked({ text: "hello" });
    for (const { heard, texts } of members) {
      await heard("somebody left");
      expect(texts).toEqual(["hello", "somebody left"]);
    }
  });

  test("keep the policies: a member there that is slow misses what is volatile and conflated here", async () => {
    const bus = createRoomBus();
    const [here, there] = [await serveQuiz(tcp, { adapter: bus() }), await serveQuiz(tcp, { adapter: bus() })];
    const slow = await there.join((conn) => conn.join("a"));
    slow.socket.pause();
    const big = "x".repeat(16 * 1024);
    for (let i = 0; slow.conn.dropped === 0 && i < 2000; i++) {
      here.quiz.to("a").volatile.send.asked({ text: `${i} ${big}` });
      await new Promise(setImmediate);
    }
    const missed = slow.conn.dropped;
    for (let i = 0; i < 10; i++)
      here.quiz
        .to("a")
        .conflate("x")
        .send.asked({ text: `x${i}` });
    expect(slow.conn.dropped).toBe(missed + 9);
    slow.socket.resume();
    await slow.heard("x9");
  });
});

describe("an adapter", () => {
  test("is asked for a room from its first member to its last, and closed behind the last server", async () => {
    const calls: string[] = [];
    const adapter: RoomAdapter = {
      publish: (topic) => void calls.push(`publish ${topic}`),
      subscribe: (topic) => void calls.push(`subscribe ${topic}`),
      unsubscribe: (topic) => void calls.push(`unsubscribe ${topic}`),
      close: () => void calls.push("close"),
    };
    const { join, quiz, server } = await serveQuiz(false, { adapter });
    const [ada, bob] = [await join((conn) => conn.join("a")), await join((conn) => conn.join("a"))];
    await ada.leave();
    quiz.to("a").send.asked({ text: "hello" });
    quiz.to("nobody is here, but perhaps there").send.asked({ text: "hello" });
    await bob.leave();
    await join((conn) => conn.join("b"));
    await server.close();
    const topic = "wsgen:Quiz:/quiz/{quizId} ";
    expect(calls).toEqual([
      `subscribe ${topic}a`,
      `publish ${topic}a`,
      `publish ${topic}nobody is here, but perhaps there`,
      `unsubscribe ${topic}a`,
      `subscribe ${topic}b`,
      `unsubscribe ${topic}b`,
      "close",
    ]);
  });

  test("that is slow has done what it was asked before it is closed", async () => {
    const calls: string[] = [];
    const slowly = async (call: string): Promise<void> => {
      calls.push(`${call} …`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      calls.push(call);
    };
    const adapter: RoomAdapter = {
      publish() {},
      subscribe: () => slowly("subscribe"),
      unsubscribe: () => slowly("unsubscribe"),
      close: () => slowly("close"),
    };
    const { join, server } = await serveQuiz(false, { adapter });
    await join((conn) => conn.join("a"));
    await server.close();
    expect(calls).toEqual(["subscribe …", "subscribe", "unsubscribe …", "unsubscribe", "close …", "close"]);
  });

  test("that was closed behind the last server is not used again: its router is not served a second time", async () => {
    const router = createRouter({ adapter: createRoomBus()() });
    const [one, two] = [await testServer(router), await testServer(router)];
    await one.close();
    await (await testServer(router)).close();
    await two.close();
    await expect(testServer(router)).rejects.toMatchObject({
      code: "WSGEN_USAGE",
      message: expect.stringContaining("closed with its last server"),
    });
    const plain = createRouter();
    for (let time = 0; time < 2; time++) await (await testServer(plain)).close();
  });

  test("may bring a message back to who published it", async () => {
    const receivers: ((message: Uint8Array) => void)[] = [];
    const adapter: RoomAdapter = {
      publish: async (_topic, message) => {
        for (const receive of receivers) receive(message);
      },
      subscribe: async (_topic, receive) => void receivers.push(receive),
      async unsubscribe() {},
      async close() {},
    };
    const { join, quiz } = await serveQuiz(false, { adapter });
    const { texts, heard } = await join((conn) => conn.join("a"));
    quiz.to("a").send.asked({ text: "once" });
    quiz.to("a").send.asked({ text: "end" });
    await heard("end");
    expect(texts).toEqual(["once", "end"]);
  });

  test("whose publish rejects or throws harms nobody: members here get everything, and the log says so once, and when it works again", async () => {
    for (const fail of [
      () => Promise.reject(new Error("gone")),
      () => {
        throw new Error("gone");
      },
    ]) {
      const bus = createRoomBus();
      let broken = true;
      const inner = bus();
      const { logger, errors } = createLog();
      const publish: RoomAdapter["publish"] = (topic, message) => (broken ? fail() : inner.publish(topic, message));
      const here = await serveQuiz(false, { logger, adapter: changed(inner, { publish }) });
      const there = await serveQuiz(false, { adapter: bus() });
      const [ada, bob] = await hear([here, there], "a");
      for (let i = 0; i < 10; i++) here.quiz.to("a").send.asked({ text: `${i}` });
      await ada?.heard("9");
      broken = false;
      here.quiz.to("a").send.asked({ text: "end" });
      await bob?.heard("end");
      expect(ada?.texts.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
      expect(bob?.texts).toEqual(["end"]);
      await until(() => errors.length === 2, "both lines are written");
      expect(errors).toEqual([
        { fields: { err: new Error("gone") }, message: "The room adapter failed; until it works, rooms end at this process." },
        { fields: { failures: 10 }, message: "The room adapter works again." },
      ]);
    }
  });

  test("that cannot subscribe is asked again, as long as somebody is in the room", async () => {
    const bus = createRoomBus();
    const inner = bus();
    let attempts = 0;
    const subscribe: RoomAdapter["subscribe"] = (topic, receive) =>
      attempts++ === 0 ? Promise.reject(new Error("not yet")) : inner.subscribe(topic, receive);
    const { logger } = createLog();
    const [here, there] = [
      await serveQuiz(false, { logger, adapter: changed(inner, { subscribe }) }),
      await serveQuiz(false, { adapter: bus() }),
    ];
    const [ada] = await hear([here], "a");
    await vi.waitFor(() => expect(attempts).toBe(2), 2000);
    there.quiz.to("a").send.asked({ text: "at last" });
    await ada?.heard("at last");
  });

  test("that is slow is asked one thing at a time for a room, however often it is entered and left", async () => {
    const calls: string[] = [];
    let asked = 0;
    const slowly = async (call: string): Promise<void> => {
      if (++asked > 1) calls.push("two at a time");
      calls.push(call);
      await new Promise((resolve) => setTimeout(resolve, 20));
      asked--;
    };
    const adapter: RoomAdapter = {
      publish() {},
      subscribe: () => slowly("subscribe"),
      unsubscribe: () => slowly("unsubscribe"),
      close() {},
    };
    const { join } = await serveQuiz(false, { adapter });
    const { conn } = await join();
    for (let i = 0; i < 5; i++) {
      conn.join("a");
      conn.leave("a");
    }
    await until(() => calls.length === 2, "it has settled");
    conn.join("a");
    await until(() => calls.length === 3, "it has settled again");
    expect(calls).toEqual(["subscribe", "unsubscribe", "subscribe"]);
  });

  test("that never answers does not fill the memory, and does not keep a server from closing", async () => {
    const never = new Promise<void>(() => {});
    let bytes = 0;
    const publish: RoomAdapter["publish"] = (_topic, message) => {
      bytes += message.length;
      return never;
    };
    const { logger, errors } = createLog();
    const adapter: RoomAdapter = { publish, subscribe: () => never, unsubscribe: () => never, close: () => never };
    const { join, quiz, server } = await serveQuiz(false, { logger, adapter });
    const { heard } = await join((conn) => conn.join("a"));
    for (let i = 0; i < 400; i++) quiz.to("empty").send.asked({ text: "x".repeat(100_000) });
    expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(errors).toHaveLength(1);
    quiz.to("a").send.asked({ text: "still here" });
    await heard("still here");
    await server.close();
  });

  test("that brings nonsense, or the message of another version, is logged", async () => {
    const { logger, errors } = createLog();
    let receive: (message: Uint8Array) => void = () => {};
    const adapter = changed(createRoomBus()(), {
      subscribe(_topic, given) {
        receive = given;
      },
    });
    const { join, quiz } = await serveQuiz(false, { logger, adapter });
    const { texts, heard } = await join((conn) => conn.join("a"));
    for (const nonsense of ["", "{", "null\n", '{"version":2}\n{}', "\n\n"]) receive(Buffer.from(nonsense));
    quiz.to("a").send.asked({ text: "end" });
    await heard("end");
    expect(texts).toEqual(["end"]);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("What the room adapter brought was not sent on")]);
  });

  test("that brings what the contract does not allow reaches nobody with it: another process may run another version of the contract", async () => {
    const { logger, errors } = createLog();
    let receive: (message: Uint8Array) => void = () => {};
    let packed: Uint8Array = new Uint8Array();
    const adapter = changed(createRoomBus()(), {
      publish(_topic, message) {
        packed = message;
      },
      subscribe(_topic, given) {
        receive = given;
      },
    });
    const { join, quiz } = await serveQuiz(false, { logger, adapter });
    const { texts, heard } = await join((conn) => conn.join("a"));
    quiz.to("b").send.asked({ text: "good" });
    const [head = "", body = ""] = Buffer.from(packed).toString().split("\n");
    const header = { ...(JSON.parse(head) as object), origin: "another process" };
    const bring = (changes: object, payload: string | Uint8Array): void =>
      receive(Buffer.concat([Buffer.from(`${JSON.stringify({ ...header, ...changes })}\n`), Buffer.from(payload)]));
    bring({}, '{"type":"asked","text":7}');
    bring({}, "no JSON");
    bring({}, Buffer.from([0x22, 0xff, 0x22]));
    bring({ name: "toString" }, "{}");
    bring({ name: "confirmed" }, '{"type":"confirmed","id":"1","ok":true}');
    bring({ name: undefined }, body);
    bring({ binary: true }, body);
    bring({ except: 7, key: 7, manner: "none" }, body);
    await heard("good");
    quiz.to("a").send.asked({ text: "end" });
    await heard("end");
    expect(texts).toEqual(["good", "end"]);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.fields).toMatchObject({ err: { messageName: "asked", direction: "outbound", path: "/text" } });
  });
});
