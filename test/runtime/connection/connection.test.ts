import { Buffer } from "node:buffer";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { meaningOf } from "../../../runtime/src/connection/close-meaning.ts";
import type { CloseOutcome, Message } from "../../../runtime/src/connection/connection.ts";
import { ConnectionClosedError, WsgenError } from "../../../runtime/src/errors.ts";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { delay, openPair, startEcho, startRecorder, until } from "./socket-server.ts";

describe("delivery", () => {
  test("keeps the order of 10,000 messages, to a sink that answers at once and to one that waits", async () => {
    for (const wait of [false, true]) {
      const { conn, client } = await openPair();
      const seen: number[] = [];
      conn.start({
        message: (data) => {
          seen.push(Number(data));
          return wait && seen.length % 3 === 0 ? Promise.resolve() : undefined;
        },
      });
      for (let i = 0; i < 10_000; i += 100) client.write(...Array.from({ length: 100 }, (_, k) => textFrame(String(i + k))));
      await until(() => seen.length === 10_000, "10,000 messages");
      expect(seen.every((value, index) => value === index)).toBe(true);
    }
  });

  test("gives a sink one message at a time", async () => {
    const { conn, client } = await openPair();
    let running = 0;
    let done = 0;
    let most = 0;
    conn.start({
      message: async () => {
        most = Math.max(most, ++running);
        await delay(1);
        running--;
        done++;
      },
    });
    client.write(
      ...Array<Buffer>(40)
        .fill(textFrame("x"))
        .map((frame) => Buffer.from(frame)),
    );
    await until(() => done === 40, "40 messages");
    expect(most).toBe(1);
  });

  test("keeps what arrives before anybody listens", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("early"));
    await delay(20);
    const { messages } = startRecorder(conn);
    expect(messages).toEqual(["early"]);
  });

  test("closes 1011 when a sink throws or rejects, logs the error, and tells the peer nothing of it", async () => {
    for (const message of [
      () => {
        throw new Error("secret");
      },
      () => Promise.reject(new Error("secret")),
    ]) {
      const { conn, client, logged } = await openPair();
      conn.start({ message });
      client.write(textFrame("x"));
      expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
      expect(logged.map(({ level }) => level)).toContain("error");
    }
  });

  test("delivers what came before the peer's close frame, and tells the end behind it", async () => {
    const { conn, client } = await openPair();
    const events: string[] = [];
    conn.start({
      message: async (data) => {
        events.push(data.toString());
        await delay(5);
      },
      closed: ({ code }) => void events.push(`closed ${code}`),
    });
    client.write(textFrame("a"), textFrame("b"), textFrame("c"), closeFrame(1000));
    await client.ended;
    await until(() => events.length === 4, "the end");
    expect(events).toEqual(["a", "b", "c", "closed 1000"]);
  });

  test("delivers nothing more once we have closed", async () => {
    const { conn, client } = await openPair();
    const { messages, outcomes } = startRecorder(conn);
    client.write(textFrame("a"));
    await until(() => messages.length === 1, "a message");
    void conn.close();
    client.write(textFrame("b"), closeFrame(1000));
    await conn.closed;
    expect(messages).toEqual(["a"]);
    expect(outcomes).toEqual([{ code: 1000, reason: "", wasClean: true, meaning: "normal" }]);
  });

  test("refuses a second sink, and a reader beside a sink", async () => {
    const { conn } = await openPair();
    startEcho(conn);
    expect(() => startEcho(conn)).toThrow(WsgenError);
    expect(() => conn.messages()).toThrow(WsgenError);
  });
});

describe("messages()", () => {
  test("yields every message in order, text and binary told apart, and ends with the connection", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("hé"), rawFrame({ opcode: 2, payload: Buffer.from([1, 2]) }), textFrame(""), closeFrame(1000));
    const messages: Message[] = [];
    for await (const message of conn.messages()) messages.push(message);
    expect(messages).toEqual([
      { type: "text", data: "hé" },
      { type: "binary", data: Buffer.from([1, 2]) },
      { type: "text", data: "" },
    ]);
  });

  test("has one reader at a time; the next one goes on where the loop was left", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("1"), textFrame("2"), textFrame("3"), closeFrame());
    const seen: unknown[] = [];
    for await (const { data } of conn.messages()) {
      seen.push(data);
      expect(() => conn.messages()).toThrow("already");
      break;
    }
    for await (const { data } of conn.messages()) seen.push(data);
    expect(seen).toEqual(["1", "2", "3"]);
  });

  test("closes 1009 on a message over its maxSize, first frame included, and whether or not it had arrived already", async () => {
    for (const early of [true, false]) {
      const { conn, client } = await openPair();
      if (early) client.write(textFrame("x".repeat(11)));
      await delay(10);
      const reader = conn.messages({ maxSize: 10 })[Symbol.asyncIterator]();
      const next = reader.next();
      if (!early) client.write(textFrame("x".repeat(10)), textFrame("x".repeat(11)));
      if (!early) expect(await next).toMatchObject({ done: false });
      expect((await client.nextClose()).code).toBe(1009);
      expect(await (early ? next : reader.next())).toMatchObject({ done: true });
    }
  });

  test("allows a reader more than the route's limit", async () => {
    const { conn, client } = await openPair({ maxMessageSize: 4 });
    const next = conn.messages({ maxSize: 1000 })[Symbol.asyncIterator]().next();
    client.write(textFrame("more than four"));
    expect(await next).toMatchObject({ value: { data: "more than four" } });
  });

  test("answers several next() calls in order, and all of them at the end", async () => {
    const { conn, client } = await openPair();
    const reader = conn.messages()[Symbol.asyncIterator]();
    const results = Promise.all([reader.next(), reader.next(), reader.next()]);
    client.write(textFrame("1"), textFrame("2"), closeFrame());
    expect((await results).map(({ done, value }) => (done ? "end" : value.data))).toEqual(["1", "2", "end"]);
  });

  test("ends at once when we close, although the peer does not answer", async () => {
    const { conn } = await openPair({ closeTimeout: 50 });
    const next = conn.messages()[Symbol.asyncIterator]().next();
    void conn.close();
    expect(await next).toMatchObject({ done: true });
  });
});

describe("back pressure", () => {
  test("stops reading TCP when nobody takes the messages, and loses none of them", async () => {
    const { conn, client, socket } = await openPair();
    const count = 12_000; // 12 MB: more than both kernels' buffers hold.
    for (let i = 0; i < count; i++) client.write(rawFrame({ opcode: 1, payload: String(i).padEnd(1000, ".") }));
    await delay(100);
    const read = socket.bytesRead;
    expect(read).toBeLessThan(512 * 1024);
    await delay(50);
    expect(socket.bytesRead).toBe(read);
    expect(client.socket.writableLength).toBeGreaterThan(1_000_000);
    let expected = 0;
    for await (const { data } of conn.messages()) {
      expect(Number.parseInt(String(data), 10)).toBe(expected);
      if (++expected === count) break;
    }
    expect(expected).toBe(count);
  });

  test("shows a waiting sink one message and reads sixteen ahead, not one more", async () => {
    const { conn, client } = await openPair();
    const delivered: string[] = [];
    let letGo = () => {};
    conn.start({
      message: (data) => {
        delivered.push(data.toString());
        return new Promise((resolve) => {
          letGo = resolve;
        });
      },
    });
    for (let i = 0; i < 40; i++) client.write(rawFrame({ opcode: 1, payload: String(i) }), rawFrame({ opcode: 9, payload: String(i) }));
    await until(() => client.pending.length >= 16, "pongs");
    await delay(20);
    // A ping behind the hold is not read: the first message and sixteen more were, and the pings between them.
    expect(client.pending.map(({ payload }) => payload.toString())).toEqual(Array.from({ length: 16 }, (_, i) => String(i)));
    expect(delivered).toEqual(["0"]);
    for (let i = 1; i < 40; i++) {
      letGo();
      await until(() => delivered.length === i + 1, `message ${i}`);
    }
    await until(() => client.pending.length === 40, "all pongs");
    expect(delivered.at(-1)).toBe("39");
  });

  test("holds back by bytes as well", async () => {
    const { conn, client, socket } = await openPair();
    conn.start({ message: () => new Promise(() => {}) });
    for (let i = 0; i < 40; i++) client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(100_000) }));
    await delay(60);
    expect(socket.bytesRead).toBeLessThan(700_000); // One delivered, three waiting, and what the stream had read.
  });

  test("does not keep a close from our side waiting, however much lies unread", async () => {
    const { conn, client } = await openPair();
    conn.start({ message: () => new Promise(() => {}) });
    for (let i = 0; i < 2000; i++) client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(1000) }));
    await delay(20);
    const closed = conn.close(4000);
    expect((await client.nextClose()).code).toBe(4000);
    client.write(closeFrame(4000));
    expect(await closed).toEqual({ code: 4000, reason: "", wasClean: true });
  });

  test("shows peek a reply behind 1,000 other messages while the handler waits for it", async () => {
    const { conn, client } = await openPair();
    const delivered: string[] = [];
    let answer = (_text: string) => {};
    let asking = false;
    conn.start({
      get peeking() {
        return asking;
      },
      peek(data) {
        const text = data.toString();
        if (!text.startsWith("reply")) return false;
        answer(text);
        return true;
      },
      async message(data) {
        delivered.push(data.toString());
        if (delivered.length > 1) return;
        // The inbox is full and held before the question is asked.
        await until(() => conn.signal.aborted || client.socket.bytesWritten > 1000, "a full inbox");
        await delay(20);
        asking = true;
        const reply = new Promise<string>((resolve) => {
          answer = resolve;
        });
        void conn.send("question");
        delivered.push(await reply);
        asking = false;
      },
    });
    client.write(textFrame("first"), ...Array.from({ length: 1000 }, (_, i) => textFrame(`other ${i}`)));
    expect(await client.nextText()).toBe("question");
    client.write(textFrame("reply!"));
    await until(() => delivered.length === 1002, "everything");
    expect(delivered.slice(0, 3)).toEqual(["first", "reply!", "other 0"]);
    expect(delivered.at(-1)).toBe("other 999");
  });

  test("bounds how far peek reads ahead", async () => {
    const { conn, client, socket } = await openPair();
    conn.start({ peeking: true, peek: () => false, message: () => new Promise(() => {}) });
    for (let i = 0; i < 120; i++) client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(100_000) }));
    await delay(100);
    expect(socket.bytesRead).toBeLessThan(1_500_000);
    expect(client.socket.writableLength).toBeGreaterThan(0);
  });
});

describe("closing", () => {
  test("sends code and reason behind everything sent before, and nothing after", async () => {
    const { conn, client } = await openPair();
    void conn.send("last words");
    const closed = conn.close(3000, "Because");
    const late = conn.send("too late");
    expect(await client.nextText()).toBe("last words");
    expect(await client.nextClose()).toEqual({ code: 3000, reason: "Because" });
    client.write(closeFrame(3000, "Because"));
    await client.ended;
    expect(await closed).toEqual({ code: 3000, reason: "Because", wasClean: true });
    expect(client.pending).toEqual([]);
    await expect(late).rejects.toThrow(ConnectionClosedError);
  });

  test("changes nothing when asked twice", async () => {
    const { conn, client } = await openPair();
    void conn.close(4001, "one");
    void conn.close(4002, "two");
    expect(await client.nextClose()).toEqual({ code: 4001, reason: "one" });
    client.write(closeFrame(4001));
    expect((await conn.close(4003)).code).toBe(4001);
  });

  test.each([0, 999, 1001, 1002, 1004, 1005, 1006, 1011, 1015, 2999, 5000, 1000.5, Number.NaN])(
    "throws when a handler closes with %d",
    async (code) => {
      const { conn } = await openPair();
      expect(() => conn.close(code)).toThrow(WsgenError);
      expect(conn.signal.aborted).toBe(false);
    },
  );

  test("throws on a reason of 124 bytes and takes one of 123", async () => {
    const { conn, client } = await openPair();
    expect(() => conn.close(1000, "é".repeat(62))).toThrow("124 bytes");
    void conn.close(1000, `${"é".repeat(61)}!`);
    expect((await client.nextClose()).reason).toBe(`${"é".repeat(61)}!`);
  });

  test("cuts the reason of shut() at a character within 123 bytes, and sends any code of the wire contract", async () => {
    const { conn, client } = await openPair();
    expect(() => conn.shut(1005, "")).toThrow(WsgenError);
    void conn.shut(1012, "€".repeat(42));
    expect(await client.nextClose()).toEqual({ code: 1012, reason: "€".repeat(41) });
  });

  test.each([1000, 1001, 1012, 3000, 4321, 4999])("echoes the peer's code %i, and not its reason", async (code) => {
    const { conn, client } = await openPair();
    const { outcomes } = startRecorder(conn);
    client.write(closeFrame(code, "bye"));
    expect(await client.nextClose()).toEqual({ code, reason: "" });
    await client.ended;
    await until(() => outcomes.length > 0, "the end");
    expect(outcomes).toEqual([{ code, reason: "bye", wasClean: true, meaning: meaningOf(code) }]);
  });

  test("sends what handlers answer at once to messages right before the peer's close frame, and echoes its code behind that", async () => {
    for (const mode of ["sink", "reader"]) {
      const { conn, client } = await openPair();
      if (mode === "sink") startEcho(conn);
      else {
        void (async () => {
          for await (const message of conn.messages()) await conn.send(message);
          void conn.close(4999); // The loop is over because the peer closes; it is the peer's code that is echoed.
        })();
      }
      client.write(textFrame("a"), rawFrame({ opcode: 2, payload: "b" }), closeFrame(4321), textFrame("behind"));
      expect([await client.nextText(), await client.nextText()]).toEqual(["a", "b"]);
      expect(await client.nextClose()).toEqual({ code: 4321, reason: "" });
      expect(await conn.closed).toEqual({ code: 4321, reason: "", wasClean: true });
    }
  });

  test("answers a close frame without a code with one without, and reports 1005", async () => {
    const { conn, client } = await openPair();
    client.write(closeFrame());
    expect(await client.nextClose()).toEqual({ code: 1005, reason: "" });
    expect(await conn.closed).toEqual({ code: 1005, reason: "", wasClean: true, meaning: "noStatus" });
  });

  test("answers a peer that writes its close frame and ends TCP at once", async () => {
    const { conn, client } = await openPair();
    client.socket.end(Buffer.concat([textFrame("x"), closeFrame(1000)]));
    expect((await client.nextClose()).code).toBe(1000);
    expect(await conn.closed).toMatchObject({ code: 1000, wasClean: true });
  });

  test("drops TCP when the peer does not answer the close frame in time", async () => {
    const { conn, client } = await openPair({ closeTimeout: 60 });
    startEcho(conn);
    const started = performance.now();
    expect(await conn.close()).toEqual({ code: 1000, reason: "", wasClean: false, meaning: "normal" });
    expect(performance.now() - started).toBeGreaterThan(50);
    await client.ended;
  });

  test("drops TCP when the peer answers the close frame and keeps TCP open", async () => {
    const { conn, client } = await openPair({ closeTimeout: 60 });
    client.socket.allowHalfOpen = true;
    void conn.close();
    client.write(closeFrame(1000));
    expect(await conn.closed).toEqual({ code: 1000, reason: "", wasClean: true, meaning: "normal" });
  });

  test("reports 1006 when TCP is reset: while idle, while a handler runs, while messages wait", async () => {
    for (const waiting of [0, 1, 10, 5000]) {
      // Behind a full inbox and full buffers nobody reads TCP, and only a write can notice.
      const { conn, client } = await openPair({ heartbeat: { interval: 40, timeout: 40 } });
      const outcomes: CloseOutcome[] = [];
      let letGo = () => {};
      let running = false;
      conn.start({
        message: () => {
          running = true;
          return new Promise<void>((resolve) => {
            letGo = resolve;
          });
        },
        closed: (outcome) => void outcomes.push(outcome),
      });
      for (let i = 0; i < waiting; i++) client.write(textFrame(String(i).padEnd(100)));
      if (waiting > 0) await until(() => running, "a running handler");
      const { signal } = conn;
      client.reset();
      expect(await conn.closed).toEqual({ code: 1006, reason: "", wasClean: false, meaning: "lost" });
      expect(signal.aborted).toBe(true);
      while (outcomes.length === 0) {
        letGo();
        await delay(0);
      }
      expect(outcomes).toEqual([{ code: 1006, reason: "", wasClean: false, meaning: "lost" }]);
    }
  });

  test("reports 1006 when TCP ends without a close frame, and when we terminate", async () => {
    const one = await openPair();
    one.client.socket.end();
    expect(await one.conn.closed).toMatchObject({ code: 1006, wasClean: false });
    const other = await openPair();
    other.conn.terminate();
    expect(await other.conn.closed).toMatchObject({ code: 1006, wasClean: false });
  });

  test("aborts the signal with the peer's close frame, whether it was asked for before or after", async () => {
    const { conn, client } = await openPair();
    const { signal } = conn;
    client.write(closeFrame(4000));
    await conn.closed;
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: "WSGEN_CONNECTION_CLOSED", closeCode: 4000 });
    const late = await openPair();
    late.conn.terminate();
    await late.conn.closed;
    expect(late.conn.signal.aborted).toBe(true);
  });

  test("tells a sink that starts after the end", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("a"), closeFrame(1001));
    await conn.closed;
    const { messages, outcomes } = startRecorder(conn);
    expect(messages).toEqual(["a"]);
    expect(outcomes).toEqual([{ code: 1001, reason: "", wasClean: true, meaning: "goingAway" }]);
  });

  test("drops at the close timeout what a stuck handler leaves waiting", async () => {
    const { conn, client } = await openPair({ closeTimeout: 60 });
    const outcomes: CloseOutcome[] = [];
    conn.start({ message: () => new Promise(() => {}), closed: (outcome) => void outcomes.push(outcome) });
    client.write(textFrame("a"), textFrame("b"), closeFrame(1000));
    await conn.closed;
    expect(outcomes).toEqual([]);
    await until(() => outcomes.length === 1, "the end");
  });

  test("leaves nothing behind: no listeners but the one for late errors, and nothing that keeps the connection in memory", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void; // V8 gives no types for it.
    const refs: WeakRef<object>[] = [];
    for (const end of ["peer", "us", "reset", "violation", "mute"]) {
      await (async () => {
        const { conn, client, socket } = await openPair({
          closeTimeout: end === "mute" ? 20 : 60_000,
          heartbeat: { interval: 60_000, timeout: 60_000 },
        });
        startEcho(conn);
        void conn.signal;
        client.write(textFrame("x"));
        await client.next();
        void conn.ping();
        if (end === "peer") client.write(closeFrame(1000));
        if (end === "us" || end === "mute") void conn.close();
        if (end === "us") client.write(closeFrame(1000));
        if (end === "reset") client.reset();
        if (end === "violation") client.write(rawFrame({ opcode: 3 }));
        await conn.closed;
        for (const event of ["data", "end", "close", "drain"]) expect([end, event, ours(socket, event)]).toEqual([end, event, 0]);
        expect(socket.listenerCount("error")).toBe(1);
        refs.push(new WeakRef(conn));
      })();
    }
    for (let i = 0; i < 20 && refs.some((ref) => ref.deref() !== undefined); i++) {
      await delay(10);
      collect();
    }
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });
});

/** Listeners of an event that are named as ours are; Node has some of its own. */
function ours(emitter: NodeJS.EventEmitter, event: string): number {
  return emitter.listeners(event).filter(({ name }) => ["onData", "onEnd", "onClose", "onDrain"].includes(name)).length;
}
