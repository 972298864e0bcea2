import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { encodeFrame, opcodes, splitFrame } from "../../../runtime/src/connection/wire.ts";
import { ConnectionClosedError, WsgenError } from "../../../runtime/src/errors.ts";
import { createRouter } from "../../../runtime/src/index.ts";
import { testServer } from "../../../runtime/src/testing/index.ts";
import { parseFrame, type RawFrame, rawFrame } from "../raw-client.ts";
import { delay, openPair, startEcho, until } from "./socket-server.ts";

const MARK = 1024 * 1024;

const describeFrame = ({ opcode, fin, payload }: RawFrame): string => `${opcode}${fin ? " fin" : ""} ${payload.toString()}`;

describe("message()", () => {
  test("writes each part as a frame of its own at once, and the end as the last", async () => {
    const { conn, client } = await openPair();
    const message = conn.message("text");
    await message.write("one");
    expect(describeFrame(await client.next())).toBe("1 one");
    await message.write("two");
    expect(describeFrame(await client.next())).toBe("0 two");
    await message.close();
    expect(describeFrame(await client.next())).toBe("0 fin ");
  });

  test("lets nothing come between: what others send goes out behind it, in order, and pongs and pings in the middle", async () => {
    const { conn, client } = await openPair();
    startEcho(conn);
    void conn.send("before");
    const message = conn.message("binary");
    await message.write(Buffer.from("a"));
    void conn.send("1");
    conn.push(encodeFrame(opcodes.text, "2"));
    await conn.send("3"); // Not a deadlock, although this very message must end first.
    client.write(rawFrame({ opcode: 9, payload: "ping" }));
    void conn.ping(Buffer.from("ours"));
    for (const expected of ["1 fin before", "2 a", "9 fin ours", "10 fin ping"]) expect(describeFrame(await client.next())).toBe(expected);
    await message.write(Buffer.from("b"));
    await message.close();
    void conn.send("4");
    for (const expected of ["0 b", "0 fin ", "1 fin 1", "1 fin 2", "1 fin 3", "1 fin 4"]) {
      expect(describeFrame(await client.next())).toBe(expected);
    }
  });

  test.each(["drop-oldest", "conflate"] as const)(
    "is not torn by messages that are sent while its first part waits for room, with %s",
    async (overflow) => {
      const { conn, client } = await openPair({ overflow, highWaterMark: 100_000 });
      const message = conn.message("text");
      const first = message.write("first");
      for (let i = 0; i < 6; i++) void conn.send("between".padEnd(30_000), { conflate: String(i % 2) });
      await first;
      await message.close();
      await conn.flushed();
      void conn.send("end");
      for (let open = false, text = ""; text !== "end"; ) {
        const { opcode, fin, payload } = await client.next();
        expect(opcode === 0).toBe(open);
        open = !fin;
        text = payload.toString();
      }
    },
  );

  test("is refused like any other when the connection is closed, although one before it was not ended", async () => {
    const { conn, client } = await openPair();
    await conn.message("text").write("begun");
    client.reset();
    await conn.closed;
    await expect(conn.message("text").write("late")).rejects.toThrow(ConnectionClosedError);
  });

  test.each(["close", "conflate"] as const)(
    "makes awaited sends behind it wait, however large, and loses none, with %s",
    async (overflow) => {
      const { conn, client } = await openPair({ overflow });
      const message = conn.message("text");
      await message.write("part");
      let sent = 0;
      const sending = (async () => {
        for (; sent < 4; sent++) await conn.send(Buffer.alloc(700_000, sent), { conflate: String(sent) });
      })();
      await delay(20);
      expect(sent).toBe(1);
      await message.close();
      await sending;
      for (const expected of ["1 part", "0 fin "]) expect(describeFrame(await client.next())).toBe(expected);
      for (let i = 0; i < 4; i++) expect((await client.next()).payload.equals(Buffer.alloc(700_000, i))).toBe(true);
    },
  );

  test("closes 1013 when more than the mark is sent behind it and nobody awaits it, and says so to whoever waits", async () => {
    const { conn, client } = await openPair();
    await conn.message("text").write("part");
    const first = conn.send(Buffer.alloc(MARK));
    void conn.send("one too many");
    await expect(first).rejects.toThrow(ConnectionClosedError);
    expect(await client.nextClose()).toEqual({ code: 1013, reason: expect.any(String) });
  });

  test("is an empty message when nothing was written, and nothing when it was given up before", async () => {
    const { conn, client } = await openPair();
    await conn.message("binary").close();
    conn.message("text").abort();
    {
      await using _unused = conn.message("text");
    }
    void conn.send("next");
    expect(describeFrame(await client.next())).toBe("2 fin ");
    expect(describeFrame(await client.next())).toBe("1 fin next");
  });

  test("keeps characters whole that strings were cut in, and says U+FFFD for half ones", async () => {
    const { conn, client } = await openPair();
    const message = conn.message("text");
    for (const unit of "a🌍\ud83d") for (const half of unit.split("")) await message.write(half);
    await message.close();
    const frames: RawFrame[] = [];
    do frames.push(await client.next());
    while (frames.at(-1)?.fin === false);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).toString()).toBe("a🌍\ufffd");
    for (const { payload } of frames) expect(payload.length).not.toBe(2);
  });

  test("closes 1011 when an error leaves its block, and the peer never sees an end", async () => {
    const { conn, client, logged } = await openPair();
    const failing = (async () => {
      await using message = conn.message("text");
      await message.write("part");
      throw new Error("secret");
    })();
    await expect(failing).rejects.toThrow("secret");
    expect(describeFrame(await client.next())).toBe("1 part");
    expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
    expect(client.pending).toEqual([]);
    expect(logged.map(({ message }) => message)).toContain("closing: a message that had begun was given up");
  });

  test("changes nothing by leaving its block after close()", async () => {
    const { conn, client } = await openPair();
    {
      await using message = conn.message("text");
      await message.write("part");
      await message.close();
    }
    void conn.send("next");
    for (const expected of ["1 part", "0 fin ", "1 fin next"]) expect(describeFrame(await client.next())).toBe(expected);
  });

  test("waits for a peer that does not read, through bounded memory, and sends everything in the end", async () => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    const message = conn.message("binary");
    let sent = 0;
    const sending = (async () => {
      for (; sent < 300; sent++) await message.write(Buffer.alloc(50_000, sent));
      await message.close();
    })();
    await until(() => socket.writableLength >= MARK, "outbound at its mark");
    await delay(20);
    const before = sent;
    expect(socket.writableLength).toBeLessThan(MARK + 200_000);
    await delay(30);
    expect(sent).toBe(before);
    client.socket.resume();
    await sending;
    for (let i = 0; i < 300; i++) expect((await client.next()).payload[0]).toBe(i & 0xff);
    expect(describeFrame(await client.next())).toBe("0 fin ");
  });

  test("yields to the event loop in a loop that only awaits its writes", async () => {
    const { conn, client } = await openPair();
    client.socket.resume();
    const message = conn.message("binary");
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    let writes = 0;
    while (!turned && writes++ < 100_000) await message.write(Buffer.alloc(100));
    expect(turned).toBe(true);
    conn.terminate();
  });

  test("refuses misuse, in words: two at a time, parts of the wrong kind, parts that are not awaited, parts behind the end", async () => {
    const { conn, client } = await openPair();
    const message = conn.message("text");
    expect(() => conn.message("binary")).toThrow("close() that one first");
    // @ts-expect-error: text takes strings.
    await expect(message.write(Buffer.from("x"))).rejects.toThrow("takes strings alone");
    client.socket.pause();
    while (conn.send(Buffer.alloc(100_000)) === undefined || conn.signal.aborted);
    await delay(5);
    void conn.send(Buffer.alloc(5 * MARK));
    await delay(5);
    const waiting = message.write("a");
    await expect(message.write("b")).rejects.toThrow("await each write()");
    message.abort();
    client.socket.resume();
    await expect(waiting).rejects.toThrow("was given up");
    await expect(message.close()).rejects.toThrow(WsgenError);
    expect(conn.signal.aborted).toBe(false); // Nothing of it had been written.
  });

  test("rejects parts when the connection closes, whether or not they are awaited, and a close frame ends it", async () => {
    const { conn, client } = await openPair();
    const message = conn.message("text");
    await message.write("part");
    void conn.send("behind a message that never ends");
    void conn.close(4000);
    expect(describeFrame(await client.next())).toBe("1 part");
    expect((await client.next()).opcode).toBe(8);
    await expect(message.write("more")).rejects.toThrow(ConnectionClosedError);
    void message.close(); // An unhandled rejection would fail this run.
    message.abort();
    expect(client.pending).toEqual([]);
    const other = await openPair();
    other.client.socket.pause();
    const stuck = other.conn.message("binary");
    const writing = (async () => {
      for (;;) await stuck.write(Buffer.alloc(60_000));
    })();
    await until(() => other.socket.writableLength >= MARK, "outbound at its mark");
    other.client.reset();
    await expect(writing).rejects.toThrow(ConnectionClosedError);
  });

  test("never ends when we close: sends that wait behind it are rejected with that close, whether they wait for the turn or for room", async () => {
    const { conn, client } = await openPair();
    await conn.message("text").write("part");
    const forRoom = [conn.send(Buffer.alloc(MARK)), conn.send("late")];
    for (const send of forRoom) void send?.catch(() => {});
    await delay(20);
    const forTheTurn = conn.send("over the mark as well");
    void conn.close(4000, "enough");
    const closed = { name: "ConnectionClosedError", closeCode: 4000, reason: "enough" };
    for (const send of [...forRoom, forTheTurn]) await expect(send).rejects.toMatchObject(closed);
    expect((await client.next()).payload.toString()).toBe("part");
    expect(await client.nextClose()).toEqual({ code: 4000, reason: "enough" });

    const other = await openPair();
    await other.conn.message("text").write("part");
    const first = other.conn.send(Buffer.alloc(70_000));
    void other.conn.close(4000, "enough");
    await expect(first).rejects.toMatchObject(closed);
  });

  test("never ends when we close: conflated sends behind it that outlast the turn are rejected as well", async () => {
    const { conn } = await openPair();
    await conn.message("text").write("part");
    const sends = Array.from({ length: 10 }, () => conn.send(Buffer.alloc(30_000), { conflate: "one key" }));
    expect(sends.some((send) => send !== undefined)).toBe(true);
    void conn.close(4000);
    for (const send of sends) if (send !== undefined) await expect(send).rejects.toThrow(ConnectionClosedError);
  });

  test("never ends when we close: sends before it have left, and are not rejected", async () => {
    const highWaterMark = 16 * MARK; // More than the kernel takes at a time.
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const { conn, client, socket } = await openPair({ highWaterMark });
    client.socket.pause();
    let before: Promise<void> | undefined;
    while (socket.writableLength < highWaterMark) {
      before = conn.send(Buffer.alloc(MARK)) ?? before;
      await turn();
    }
    client.socket.resume();
    while (socket.writableLength >= highWaterMark) await turn();
    const writing = conn.message("text").write("part");
    expect(socket.writableLength).toBeGreaterThan(0); // There is room, and nobody has been told.
    const behind = conn.send(Buffer.alloc(70_000));
    void conn.close(4000);
    await expect(behind).rejects.toThrow(ConnectionClosedError);
    expect([await writing, await before]).toEqual([undefined, undefined]);
  });

  test("closes 1013 when more than the mark queues behind it", async () => {
    const { conn, client } = await openPair();
    const message = conn.message("text");
    await message.write("part");
    for (let i = 0; i < 30 && !conn.signal.aborted; i++) void conn.send(Buffer.alloc(50_000));
    expect(await client.nextClose()).toEqual({ code: 1013, reason: "slow consumer" });
  });
});

test("messages in parts and in fragments arrive whole at a client that ws wrote, compressed or not, in memory and over TCP", async () => {
  for (const deflate of [false, true]) {
    for (const tcp of [false, true]) {
      const router = createRouter({ deflate, limits: { fragmentSize: 1000 } });
      router.ws("/", async (conn) => {
        await using message = conn.message("text");
        for (let i = 0; i < 5; i++) await message.write("é".repeat(1100));
        void conn.send("behind".repeat(500));
        await message.close();
        await conn.closed;
      });
      await using server = await testServer(router, { tcp, drain: { timeout: 50 } });
      const socket = new server.WebSocket(server.url);
      const messages: string[] = [];
      socket.on("message", (data) => void messages.push(String(data)));
      await until(() => messages.length === 2, "two messages");
      expect(messages).toEqual(["é".repeat(5500), "behind".repeat(500)]);
      socket.terminate();
    }
  }
});

describe("fragmentSize", () => {
  const sizes = { whole: 2048, short: 2049, long: 7000 };

  test.each(Object.values(sizes))("sends %i bytes in frames of at most 2,048", async (size) => {
    const { conn, client } = await openPair({ fragmentSize: 2048 });
    const payload = Buffer.from(Array.from({ length: size }, (_, i) => i & 0xff));
    void conn.send(payload);
    void conn.send("next");
    const frames: RawFrame[] = [];
    do frames.push(await client.next());
    while (frames.at(-1)?.fin === false);
    expect(frames.map(({ opcode }) => opcode)).toEqual([2, ...Array<number>(Math.ceil(size / 2048) - 1).fill(0)]);
    expect(frames.every((frame) => frame.payload.length <= 2048)).toBe(true);
    expect(Buffer.concat(frames.map((frame) => frame.payload)).equals(payload)).toBe(true);
    expect(describeFrame(await client.next())).toBe("1 fin next");
  });

  test("cuts text anywhere, what rooms push and long parts as well", async () => {
    const { conn, client } = await openPair({ fragmentSize: 3 });
    void conn.send("aé🌍");
    conn.push(encodeFrame(opcodes.text, "pushed"));
    const message = conn.message("text");
    await message.write("parts");
    await message.close();
    const messages: string[] = [];
    for (let parts: Buffer[] = []; messages.length < 3; ) {
      const frame = await client.next();
      expect(frame.payload.length).toBeLessThanOrEqual(3);
      expect(frame.opcode).toBe(parts.length === 0 ? 1 : 0);
      parts.push(frame.payload);
      if (!frame.fin) continue;
      messages.push(Buffer.concat(parts).toString());
      parts = [];
    }
    expect(messages).toEqual(["aé🌍", "pushed", "parts"]);
  });

  test("leaves reserved bits to the first frame", () => {
    const frame = encodeFrame(opcodes.text, "x".repeat(300));
    frame.writeUInt8(0xc1, 0);
    let bytes = splitFrame(frame, 128);
    const seen: string[] = [];
    for (let parsed = parseFrame(bytes); parsed !== undefined; parsed = parseFrame(bytes)) {
      seen.push(`${parsed.frame.opcode} ${parsed.frame.rsv} ${parsed.frame.fin} ${parsed.frame.payload.length}`);
      bytes = bytes.subarray(parsed.end);
    }
    expect(seen).toEqual(["1 4 false 128", "0 0 false 128", "0 0 true 44"]);
    expect(splitFrame(frame, 300)).toBe(frame);
  });
});
