import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { encodeFrame, opcodes } from "../../../runtime/src/connection/wire.ts";
import { ConnectionClosedError } from "../../../runtime/src/errors.ts";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { countWrites } from "./count-writes.ts";
import { delay, openPair, startEcho, until } from "./socket-server.ts";

const TURN = 64 * 1024;
const MARK = 1024 * 1024;

describe("the turn", () => {
  test("writes once what is sent in one turn of the event loop, in order", async () => {
    const { conn, client, socket } = await openPair();
    const writes = countWrites(socket);
    for (let i = 0; i < 10; i++) expect(conn.send(String(i))).toBeUndefined();
    conn.push(encodeFrame(opcodes.text, "pushed"));
    await Promise.resolve(); // Microtasks belong to the same turn.
    void conn.send("last");
    expect(writes.count).toBe(0);
    for (let i = 0; i < 10; i++) expect(await client.nextText()).toBe(String(i));
    expect([await client.nextText(), await client.nextText()]).toEqual(["pushed", "last"]);
    expect(writes.count).toBe(1);
  });

  test("writes once when it is more than 64 KiB, too", async () => {
    const { conn, client, socket } = await openPair();
    const writes = countWrites(socket);
    for (let i = 0; i < 5; i++) void conn.send(Buffer.alloc(30_000, i));
    for (let i = 0; i < 5; i++) expect((await client.next()).payload[0]).toBe(i);
    expect(writes.count).toBe(1);
  });

  test("answers a burst of messages with few writes", async () => {
    const { conn, client, socket } = await openPair();
    startEcho(conn);
    const writes = countWrites(socket);
    client.write(...Array.from({ length: 50 }, (_, i) => textFrame(String(i))));
    for (let i = 0; i < 50; i++) expect(await client.nextText()).toBe(String(i));
    expect(writes.count).toBeLessThanOrEqual(7); // One, unless the machine is so slow that the turn is cut every eight.
  });

  test("writes once what is sent in parts, and the pong and the message that come between", async () => {
    const { conn, client, socket } = await openPair();
    const writes = countWrites(socket);
    const message = conn.message("text");
    conn.start({
      message: async () => {
        await message.write("one ");
        void conn.send("behind it");
        await message.write("message");
        await message.close();
      },
    });
    client.write(textFrame("go"), rawFrame({ opcode: 9, payload: "?" }));
    const frames = [];
    for (let i = 0; i < 5; i++) frames.push(await client.next());
    expect(frames.filter(({ opcode }) => opcode !== 10).map(({ payload }) => payload.toString())).toEqual([
      "one ",
      "message",
      "",
      "behind it",
    ]);
    expect(writes.count).toBe(1);
  });

  test("ends early when handlers make it last long", async () => {
    const { conn, client, socket } = await openPair();
    const writes = countWrites(socket);
    conn.start({
      message: (data) => {
        const end = performance.now() + 1;
        while (performance.now() < end);
        void conn.send(data.toString());
      },
    });
    client.write(...Array.from({ length: 32 }, (_, i) => textFrame(String(i))));
    for (let i = 0; i < 32; i++) expect(await client.nextText()).toBe(String(i));
    expect(writes.count).toBeGreaterThanOrEqual(3);
    expect(writes.count).toBeLessThanOrEqual(6);
  });

  test("ends early when a loop over messages makes it last long, too", async () => {
    const { conn, client, socket } = await openPair();
    const writes = countWrites(socket);
    void (async () => {
      for await (const { data } of conn.messages()) {
        const end = performance.now() + 1;
        while (performance.now() < end);
        void conn.send(data);
      }
    })();
    client.write(...Array.from({ length: 16 }, (_, i) => textFrame(String(i))));
    for (let i = 0; i < 16; i++) expect(await client.nextText()).toBe(String(i));
    expect(writes.count).toBeGreaterThanOrEqual(2);
  });

  test("gives each connection its own, also where another's are of the same length", async () => {
    const pairs = [await openPair(), await openPair()];
    for (const what of ["first", "other"]) for (const [index, { conn }] of pairs.entries()) void conn.send(`${what} of ${index}`);
    for (const [index, { client }] of pairs.entries()) {
      expect([await client.nextText(), await client.nextText()]).toEqual([`first of ${index}`, `other of ${index}`]);
    }
  });

  test("makes the bytes of an equal batch once for all connections", async () => {
    const pairs = [await openPair(), await openPair(), await openPair()];
    const writes = pairs.map(({ socket }) => countWrites(socket));
    const frames = ["a", "b", "c"].map((text) => encodeFrame(opcodes.text, text));
    for (const frame of frames) for (const { conn } of pairs) conn.push(frame);
    pairs[2]?.conn.send("of its own");
    for (const { client } of pairs)
      expect([await client.nextText(), await client.nextText(), await client.nextText()]).toEqual(["a", "b", "c"]);
    expect(await pairs[2]?.client.nextText()).toBe("of its own");
    expect(writes[0]?.chunks[0]).toBe(writes[1]?.chunks[0]);
    expect(writes[0]?.chunks[0]).not.toBe(writes[2]?.chunks[0]);
  });

  test("comes to an end although a loop awaits its sends: another connection gets its pong", async () => {
    const { conn: busy, client: reader } = await openPair();
    const { client: other } = await openPair();
    reader.socket.on("data", () => reader.pending.slice(0, 0)); // Reads on.
    let answered = false;
    other.write(rawFrame({ opcode: 9, payload: "?" }));
    void other.next().then(() => {
      answered = true;
    });
    let sends = 0;
    while (!answered && sends < 200_000) {
      await busy.send("x".repeat(100));
      sends++;
    }
    expect(answered).toBe(true);
    expect(sends).toBeLessThan((20 * TURN) / 100);
    busy.terminate();
  });
});

describe("A logger that throws about one peer, where the process lives on,", () => {
  const full = (): never => {
    throw new Error("the log is full");
  };

  /** What nobody caught while `talk` ran. */
  async function uncaught(talk: (thrown: readonly unknown[]) => Promise<void>): Promise<readonly unknown[]> {
    const thrown: unknown[] = [];
    const ours = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => void thrown.push(error));
    try {
      await talk(thrown);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of ours) process.on("uncaughtException", listener);
    }
    return thrown;
  }

  test("keeps nothing from the others", async () => {
    const slow = await openPair({ overflow: "close" }, (conn) => {
      conn.log.warn = full;
    });
    const healthy = await openPair();
    slow.client.socket.pause();
    const thrown = await uncaught(async (soFar) => {
      let sent = 0;
      for (; soFar.length === 0 && sent < 1000; sent++) {
        void slow.conn.send(Buffer.alloc(100_000));
        void healthy.conn.send(String(sent));
        await new Promise(setImmediate);
      }
      for (let i = 0; i < sent; i++) expect(await healthy.client.nextText()).toBe(String(i));
      void healthy.conn.send("and what comes later");
      expect(await healthy.client.nextText()).toBe("and what comes later");
    });
    expect(thrown).toMatchObject([{ message: "the log is full" }]);
    expect(slow.conn.signal.aborted).toBe(true);
  });

  test("does not stop the reading of another whose many messages have the turn end early", async () => {
    const failing = await openPair({ highWaterMark: 20_000 }, (conn) => {
      conn.log.error = full;
    });
    failing.conn.start({
      // What answers the first is more than may wait, so that the second is not handled before it was written.
      message: (data) => (data === "fail" ? full() : void failing.conn.send(Buffer.alloc(30_000))),
    });
    const talking = await openPair();
    let handled = 0;
    talking.conn.start({
      message: () => {
        const end = performance.now() + 1;
        while (performance.now() < end);
        handled++;
      },
    });
    const thrown = await uncaught(async () => {
      failing.client.write(textFrame("answer"), textFrame("fail"));
      talking.client.write(...Array.from({ length: 64 }, (_, i) => textFrame(String(i))));
      await until(() => handled === 64, "all messages");
    });
    expect(thrown).toMatchObject([{ message: "the log is full" }]);
  });
});

describe("send", () => {
  test("gives nothing to wait for below 64 KiB a turn, one promise for all above", async () => {
    const { conn, client } = await openPair();
    expect(conn.send(Buffer.alloc(60_000))).toBeUndefined();
    const first = conn.send(Buffer.alloc(6000));
    const second = conn.send("x");
    expect(first).toBeInstanceOf(Promise);
    expect(second).toBe(first);
    await first;
    expect(conn.send("next turn")).toBeUndefined();
    for (let i = 0; i < 4; i++) await client.next();
  });

  test("waits while the peer does not read, and goes on when it does; nothing is lost", async () => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    let sent = 0;
    let waiting = false;
    const sending = (async () => {
      for (; sent < 400; sent++) {
        waiting = true;
        await conn.send(Buffer.alloc(50_000, sent & 0xff));
        waiting = false;
      }
    })();
    await until(() => socket.writableLength >= MARK, "outbound at its mark");
    await delay(20);
    const before = sent;
    expect(waiting).toBe(true);
    expect(socket.writableLength).toBeLessThan(MARK + TURN + 50_010);
    await delay(50);
    expect(sent).toBe(before);
    client.socket.resume();
    await sending;
    for (let i = 0; i < 400; i++) expect((await client.next()).payload[0]).toBe(i & 0xff);
    expect(conn.signal.aborted).toBe(false);
  });

  test("rejects who waits when the connection closes, and harms nobody who does not wait", async () => {
    const { conn, client } = await openPair();
    client.socket.pause();
    let waiting = conn.send(Buffer.alloc(MARK));
    for (let taken = true; taken; ) {
      taken = (await Promise.race([waiting?.then(() => true), delay(50).then(() => false)])) === true;
      if (taken) waiting = conn.send(Buffer.alloc(MARK));
    }
    client.reset();
    await expect(waiting).rejects.toThrow(ConnectionClosedError);
    void conn.send("never awaited"); // An unhandled rejection would fail this run.
    await expect(conn.send("late")).rejects.toMatchObject({ code: "WSGEN_CONNECTION_CLOSED", closeCode: 1006 });
    await delay(5);
  });

  test("refuses frames made elsewhere once the connection is closing: nothing goes behind its close frame", async () => {
    const { conn, client } = await openPair();
    void conn.close(4000);
    for (const manner of [undefined, "volatile", "conflated"] as const) {
      await expect(conn.push(encodeFrame(opcodes.text, "late"), "key", manner)).rejects.toThrow(ConnectionClosedError);
    }
    expect(conn.messagesOut).toBe(0);
    expect((await client.next()).opcode).toBe(opcodes.close);
    client.write(closeFrame(4000));
    await conn.closed;
    expect(client.pending).toEqual([]);
  });

  test("copies nothing of the caller's after it has returned: later changes do not show", async () => {
    const { conn, client } = await openPair();
    const data = new Uint8Array([1, 2, 3]);
    void conn.send(data);
    data.fill(9);
    expect([...(await client.next()).payload]).toEqual([1, 2, 3]);
  });
});

describe("flushed", () => {
  test("settles when the kernel has everything, and not before", async () => {
    const { conn, client, socket } = await openPair();
    await conn.flushed();
    void conn.send("x");
    await conn.flushed();
    expect(socket.writableLength).toBe(0);
    expect(socket.bytesWritten).toBe(3);
    client.socket.pause();
    for (let i = 0; i < 8 && socket.writableLength === 0; i++) {
      void conn.send(Buffer.alloc(1_000_000));
      await delay(5);
    }
    let settled = false;
    const flushed = conn.flushed().then(() => {
      settled = true;
    });
    await delay(30);
    expect(settled).toBe(false);
    client.socket.resume();
    await flushed;
    expect(socket.writableLength).toBe(0);
  });

  test("rejects when the connection closes first", async () => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    for (let i = 0; i < 8 && socket.writableLength === 0; i++) {
      void conn.send(Buffer.alloc(1_000_000));
      await delay(5);
    }
    const flushed = conn.flushed();
    conn.terminate();
    await expect(flushed).rejects.toThrow(ConnectionClosedError);
    await expect(conn.flushed()).rejects.toThrow(ConnectionClosedError);
  });
});

describe("a peer that reads slowly", () => {
  test("is closed 1013 when sends do not wait for it, with bounded memory", async () => {
    const { conn, client, socket, logged } = await openPair({ closeTimeout: 100 });
    client.socket.pause();
    let most = 0;
    for (let i = 0; i < 2000 && !conn.signal.aborted; i++) {
      void conn.send(Buffer.alloc(20_000));
      await new Promise(setImmediate);
      most = Math.max(most, socket.writableLength);
    }
    expect(most).toBeGreaterThanOrEqual(MARK);
    expect(most).toBeLessThan(MARK + 20_010);
    expect(logged.map(({ level, message }) => `${level}: ${message}`)).toEqual(["warn: closing: slow consumer"]);
    expect(await conn.closed).toEqual({ code: 1013, reason: "slow consumer", wasClean: false, meaning: "tryAgainLater" });
  });

  test("gets the close frame behind what was sent, if it reads in time", async () => {
    const { conn, client } = await openPair();
    client.socket.pause();
    for (let i = 0; i < 2000 && !conn.signal.aborted; i++) {
      void conn.send(Buffer.alloc(20_000));
      await new Promise(setImmediate);
    }
    client.socket.resume();
    expect(await client.nextClose()).toEqual({ code: 1013, reason: "slow consumer" });
    client.write(closeFrame(1013));
    expect(await conn.closed).toMatchObject({ code: 1013, wasClean: true });
  });

  test("is not closed when ten tasks send and each waits for its own sends", async () => {
    const { conn, client } = await openPair();
    client.socket.pause();
    const tasks = Array.from({ length: 10 }, async (_, task) => {
      for (let i = 0; i < 40; i++) await conn.send(Buffer.alloc(40_000, task));
    });
    await delay(100);
    expect(conn.signal.aborted).toBe(false);
    client.socket.resume();
    await Promise.all(tasks);
    for (let i = 0; i < 400; i++) await client.next();
  });

  test("is not closed when others begin to send while it is over the mark already, and wait then", async () => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    while (socket.writableLength < MARK) await Promise.race([conn.send(Buffer.alloc(MARK)), delay(5)]);
    let settled = 0;
    const tasks: Promise<void>[] = [];
    for (let task = 0; task < 5; task++) {
      tasks.push(sendAndCount());
      await delay(2); // Each in a turn of its own.
    }
    expect(settled).toBe(0);
    expect(conn.signal.aborted).toBe(false);
    client.socket.resume();
    await Promise.all(tasks);
    expect(settled).toBe(5);

    async function sendAndCount(): Promise<void> {
      await conn.send(Buffer.alloc(40_000));
      settled++;
    }
  });

  test("is not closed for awaited sends when a long turn is flushed before their await is seen", async () => {
    const { conn, client, socket } = await openPair({ concurrency: 64 });
    client.socket.pause();
    const other = await openPair();
    while (socket.writableLength < MARK) await Promise.race([conn.send(Buffer.alloc(MARK)), delay(5)]);
    // Messages of another connection end the turn early, from within the very call that sends.
    other.conn.start({
      message() {
        waiting().catch(() => undefined); // The test ends before the peer reads.
        const end = performance.now() + 3;
        while (performance.now() < end);
      },
    });
    let sent = 0;
    async function waiting(): Promise<void> {
      sent++;
      await conn.send(Buffer.alloc(1000));
    }
    other.client.write(Buffer.concat(Array.from({ length: 20 }, () => rawFrame({ opcode: 2, payload: "x" }))));
    await until(() => sent === 20, "all sent");
    await delay(10);
    expect(conn.signal.aborted).toBe(false);
  });

  test("is closed for what is sent without waiting once its socket holds the mark, in the same turn", async () => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    while (socket.writableLength < MARK) await Promise.race([conn.send(Buffer.alloc(MARK)), delay(5)]);
    const before = socket.writableLength;
    void conn.send("too much");
    expect(conn.signal.aborted).toBe(false);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(conn.signal.reason).toMatchObject({ closeCode: 1013 });
    expect(socket.writableLength - before).toBeLessThan(30); // The close frame alone.
  });

  test("is dropped two seconds after its close frame, however long others may take to answer theirs", async () => {
    const { conn, client } = await openPair({ closeTimeout: 15_000 });
    client.socket.pause();
    for (let i = 0; i < 2000 && !conn.signal.aborted; i++) {
      void conn.send(Buffer.alloc(20_000));
      await new Promise(setImmediate);
    }
    const started = performance.now();
    expect(await conn.closed).toMatchObject({ code: 1013, wasClean: false });
    expect(performance.now() - started).toBeGreaterThan(1900);
    expect(performance.now() - started).toBeLessThan(12_000);
  });

  test("may be sent one burst of any size when it had caught up", async () => {
    const { conn, client } = await openPair();
    for (let i = 0; i < 100; i++) void conn.send(Buffer.alloc(100_000, i));
    for (let i = 0; i < 100; i++) expect((await client.next()).payload[0]).toBe(i);
    expect(conn.signal.aborted).toBe(false);
  });

  test("is held back, not closed, when it floods an echo that does not wait, and gets every byte once it reads", async () => {
    for (const mode of ["sink", "reader"]) {
      const { conn, client, socket } = await openPair();
      let handled = 0;
      if (mode === "sink") {
        conn.start({
          message: (data) => {
            handled++;
            void conn.send(data);
          },
        });
      } else {
        void (async () => {
          for await (const { data } of conn.messages()) {
            handled++;
            void conn.send(data);
          }
        })();
      }
      client.socket.pause();
      const count = 1500;
      for (let i = 0; i < count; i++) client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(8000, i & 0xff) }));
      await until(() => socket.writableLength >= MARK, "outbound at its mark");
      await delay(50);
      expect(handled).toBeLessThan(count);
      expect(socket.writableLength).toBeLessThan(MARK + 2 * TURN);
      client.socket.resume();
      for (let i = 0; i < count; i++) expect((await client.next()).payload[0]).toBe(i & 0xff);
      expect(conn.signal.aborted).toBe(false);
    }
  });

  test("is answered the latest of its pings when it reads again, and fills no memory with the others", async () => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    while (socket.writableLength < MARK) await Promise.race([conn.send(Buffer.alloc(MARK)), delay(5)]);
    const before = socket.writableLength;
    const pings = Array.from({ length: 5000 }, (_, i) => rawFrame({ opcode: 9, payload: `${i}`.padEnd(100) }));
    client.write(...pings);
    const bytes = Buffer.concat(pings).length;
    await until(() => socket.bytesRead === bytes, "every ping read");
    expect(socket.writableLength).toBe(before);
    client.socket.resume();
    let pong = await client.next();
    while (pong.opcode !== 10) pong = await client.next();
    expect(pong.payload.toString().trim()).toBe("4999");
  });
});
