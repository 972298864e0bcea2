import { Buffer } from "node:buffer";
import { type Connection, createRouter } from "@wsgen/runtime";
import { describe, expect, test } from "vitest";
import { closeFrame, rawFrame } from "../raw-client.ts";
import { carriers, open } from "../rows/carrier.ts";
import { delay, type Opened, openPair, until } from "./socket-server.ts";

const MARK = 256 * 1024;
const SIZE = 10_000;

/** Sends numbered messages to a peer that does not read, a few a turn, awaiting none. */
async function flood({ conn, client, socket }: Opened, count: number): Promise<{ readonly most: number }> {
  client.socket.pause();
  let most = 0;
  for (let i = 0; i < count; i++) {
    const data = Buffer.alloc(SIZE);
    data.writeUInt32BE(i);
    void conn.send(data);
    if (i % 5 === 0) await new Promise(setImmediate);
    most = Math.max(most, socket.writableLength);
  }
  return { most };
}

async function readNumbers({ client }: Opened, until: (number: number, count: number) => boolean): Promise<number[]> {
  client.socket.resume();
  const numbers: number[] = [];
  do numbers.push((await client.next()).payload.readUInt32BE(0));
  while (!until(numbers.at(-1) ?? 0, numbers.length));
  return numbers;
}

describe("a peer that reads too slowly", () => {
  test.each(carriers)(
    "gets in order what was sent in one turn, on both sides of the mark, although the socket drains before it ends %s",
    async (_carrier, tcp) => {
      const router = createRouter();
      const handler = async (conn: Connection): Promise<void> => {
        void conn.send("0".padEnd(150_000));
        await new Promise(setImmediate); // Written, and not taken yet.
        for (const text of ["1", "2", "3", "4"]) void conn.send(text.padEnd(30_000));
        await conn.closed;
      };
      router.ws("/", { limits: { overflow: "drop-oldest", highWaterMark: 200_000 }, handler });
      const client = await (await open(tcp, router)).dial();
      const seen: string[] = [];
      while (seen.length < 5) seen.push(String(await client.next()).trim());
      expect(seen).toEqual(["0", "1", "2", "3", "4"]);
    },
  );

  test("gets the newest messages, in order and without a torn one, with drop-oldest", async () => {
    const opened = await openPair({ overflow: "drop-oldest", highWaterMark: MARK });
    const { conn, socket, logged } = opened;
    const { most } = await flood(opened, 2000);
    expect(most).toBeLessThan(2 * MARK);
    expect(conn.dropped).toBeGreaterThan(100);
    const numbers = await readNumbers(opened, (number) => number === 1999);
    expect(numbers.length).toBe(2000 - conn.dropped);
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
    expect(numbers.slice(-20)).toEqual(Array.from({ length: 20 }, (_, i) => 1980 + i));
    expect(conn.signal.aborted).toBe(false);
    expect(logged.map(({ message }) => message)).toEqual(["dropping messages: slow consumer"]);
    expect(socket.writableLength).toBe(0);
    void conn.send("as usual");
    expect((await opened.client.next()).payload.toString()).toBe("as usual");
  });

  test("gets the oldest messages with drop-newest, and new ones once it has caught up", async () => {
    const opened = await openPair({ overflow: "drop-newest", highWaterMark: MARK });
    const { conn } = opened;
    const { most } = await flood(opened, 2000);
    expect(most).toBeLessThan(2 * MARK);
    const kept = 2000 - conn.dropped;
    expect(kept).toBeLessThan(1900);
    const numbers = await readNumbers(opened, (_number, count) => count === kept);
    expect(numbers).toEqual(Array.from({ length: kept }, (_, i) => i));
    void conn.send("caught up");
    expect((await opened.client.next()).payload.toString()).toBe("caught up");
  });

  test("bounds even what is sent within one turn", async () => {
    for (const overflow of ["drop-oldest", "drop-newest"] as const) {
      const { conn, client } = await openPair({ overflow, highWaterMark: MARK });
      for (let i = 0; i < 1000; i++) void conn.send(Buffer.alloc(SIZE));
      const kept = 1000 - conn.dropped;
      expect(kept * SIZE).toBeLessThan(2 * MARK + SIZE);
      for (let i = 0; i < kept; i++) await client.next();
    }
  });

  test("gets the last value of every key, in the order they were sent, with conflate", async () => {
    const opened = await openPair({ overflow: "conflate", highWaterMark: MARK });
    const { conn, client } = opened;
    client.socket.pause();
    const last = new Map<string, number>();
    let most = 0;
    for (let i = 0; i < 2000; i++) {
      const data = Buffer.alloc(SIZE);
      data.writeUInt32BE(i);
      // Twelve keys in an order that differs each time.
      const key = `k${(i * i + 7 * i) % 12}`;
      last.set(key, i);
      void conn.send(data, { conflate: key });
      if (i % 5 === 0) await new Promise(setImmediate);
      most = Math.max(most, opened.socket.writableLength);
    }
    expect(most).toBeLessThan(2 * MARK);
    const [...lasts] = last.values();
    const numbers = await readNumbers(opened, (number) => number === 1999);
    expect(numbers.length).toBe(2000 - conn.dropped);
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
    expect(numbers).toEqual(expect.arrayContaining(lasts));
    expect(numbers.slice(-lasts.length)).toEqual([...lasts].sort((a, b) => a - b));
    expect(conn.dropped).toBeGreaterThan(1000);
    void conn.send("as usual");
    expect((await client.next()).payload.toString()).toBe("as usual");
  });

  test("gets the last one of all messages without a key with conflate", async () => {
    const opened = await openPair({ overflow: "conflate", highWaterMark: MARK });
    await flood(opened, 1500);
    expect(opened.conn.dropped).toBeGreaterThan(500);
    const numbers = await readNumbers(opened, (number) => number === 1499);
    expect(numbers.length).toBe(1500 - opened.conn.dropped);
    expect(numbers.slice(0, -1)).toEqual(Array.from({ length: numbers.length - 1 }, (_, i) => i));
  });

  test("is closed with 1013 when the last values alone are too much, and none of them is lost in silence", async () => {
    const opened = await openPair({ overflow: "conflate", highWaterMark: MARK });
    const { conn, client, socket } = opened;
    client.socket.pause();
    for (let i = 0; i < 2000 && !conn.signal.aborted; i++) {
      void conn.send(Buffer.alloc(SIZE), { conflate: `k${i}` });
      if (i % 5 === 0) await new Promise(setImmediate);
      expect(socket.writableLength).toBeLessThan(2.5 * MARK);
    }
    expect(conn.dropped).toBe(0);
    expect(conn.signal.reason).toMatchObject({ closeCode: 1013 });
  });

  test("misses what is volatile while it has not taken what was sent before, and nothing else", async () => {
    const opened = await openPair({ highWaterMark: MARK });
    const { conn, client, socket } = opened;
    void conn.send("seen", { volatile: true });
    expect((await client.next()).payload.toString()).toBe("seen");
    client.socket.pause();
    for (let i = 0; !socket.writableNeedDrain; i++) {
      void conn.send(Buffer.alloc(SIZE), { volatile: i % 2 === 0 });
      await new Promise(setImmediate);
    }
    expect(conn.dropped).toBe(0);
    for (let i = 0; i < 5; i++) void conn.send("missed", { volatile: true });
    void conn.send("not volatile");
    expect(conn.dropped).toBe(5);
    client.socket.resume();
    let frame = await client.next();
    while (frame.opcode === 2) frame = await client.next();
    expect(frame.payload.toString()).toBe("not volatile");
    expect(conn.signal.aborted).toBe(false);
  });

  test("gets the last of what its sender conflates, behind what was sent before, whatever the policy", async () => {
    for (const overflow of ["close", "drop-newest", "drop-oldest", "conflate"] as const) {
      const opened = await openPair({ highWaterMark: MARK, overflow });
      const { conn, client, socket } = opened;
      client.socket.pause();
      while (!socket.writableNeedDrain) {
        void conn.send(Buffer.alloc(SIZE));
        await new Promise(setImmediate);
      }
      void conn.send("before");
      for (let i = 0; i < 50_000; i++) {
        void conn.send(`a${i}`, { conflate: "a" });
        void conn.send(`b${i}`, { conflate: "b" });
        if (i % 1000 === 0) await new Promise(setImmediate);
      }
      void conn.send("after");
      expect(conn.dropped).toBe(99_998);
      client.socket.resume();
      let frame = await client.next();
      while (frame.opcode === 2) frame = await client.next();
      const texts = [frame.payload.toString()];
      while (texts.at(-1) !== "after") texts.push((await client.next()).payload.toString());
      expect(texts).toEqual(["before", "a49999", "b49999", "after"]);
    }
  });

  test("loses nothing when the sender waits", async () => {
    const opened = await openPair({ overflow: "drop-oldest", highWaterMark: MARK });
    const { conn, client, socket } = opened;
    client.socket.pause();
    const sending = (async () => {
      for (let i = 0; i < 1500; i++) {
        const data = Buffer.alloc(SIZE);
        data.writeUInt32BE(i);
        await conn.send(data);
      }
    })();
    await until(() => socket.writableLength >= MARK, "outbound at its mark");
    await delay(10);
    expect(await readNumbers(opened, (number) => number === 1499)).toHaveLength(1500);
    await sending;
    expect(conn.dropped).toBe(0);
  });

  test("still gets its pongs, and the close frame behind what was kept", async () => {
    const opened = await openPair({ overflow: "drop-oldest", highWaterMark: MARK });
    const { conn, client } = opened;
    await flood(opened, 1500);
    void conn.close(4000, "enough");
    client.socket.resume();
    let last = 0;
    for (let frame = await client.next(); ; frame = await client.next()) {
      if (frame.opcode === 8) break;
      last = frame.payload.readUInt32BE(0);
    }
    expect(last).toBe(1499);
    client.write(closeFrame(4000));
    expect(await conn.closed).toMatchObject({ code: 4000, wasClean: true });
  });

  test("is told everything of a message in parts, however slow it is, and drops only what queues behind", async () => {
    const opened = await openPair({ overflow: "drop-newest", highWaterMark: MARK });
    const { conn, client } = opened;
    const message = conn.message("binary");
    await message.write(Buffer.from("begun"));
    for (let i = 0; i < 200; i++) void conn.send(Buffer.alloc(SIZE));
    const dropped = conn.dropped;
    expect(dropped).toBeGreaterThan(150);
    await message.write(Buffer.alloc(100_000));
    await message.close();
    expect((await client.next()).payload.toString()).toBe("begun");
    expect((await client.next()).payload.length).toBe(100_000);
    expect(await client.next()).toMatchObject({ opcode: 0, fin: true });
    for (let i = 0; i < 200 - dropped; i++) expect((await client.next()).payload.length).toBe(SIZE);
    client.write(rawFrame({ opcode: 9 }));
    expect((await client.next()).opcode).toBe(10);
  });

  test.each([
    ["volatile", { volatile: true }],
    ["conflated", { conflate: "tick" }],
  ])("does not keep others from running in a loop that awaits its %s messages", async (_what, options) => {
    const { conn, client, socket } = await openPair();
    client.socket.pause();
    while (!socket.writableNeedDrain) {
      void conn.send(Buffer.alloc(SIZE));
      await new Promise(setImmediate);
    }
    expect(await turnsWhile(() => conn.send(Buffer.alloc(1000), options))).toBe(true);
    expect(conn.dropped).toBeGreaterThan(0);
  });

  test("does not keep others from running in a loop that awaits conflated messages behind one in parts", async () => {
    const { conn } = await openPair();
    await conn.message("text").write("part");
    expect(await turnsWhile(() => conn.send("tick", { conflate: "tick" }))).toBe(true);
  });
});

test("A loop that awaits that each message is flushed lets others run, however fast its peer reads", async () => {
  const { conn, client } = await openPair();
  client.socket.on("data", () => {});
  const flushing = async (): Promise<void> => {
    await conn.send("message");
    await conn.flushed();
  };
  expect(await turnsWhile(flushing)).toBe(true);
});

/** Whether the event loop turns while something is awaited again and again. */
async function turnsWhile(act: () => Promise<void> | undefined): Promise<boolean> {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  for (let i = 0; !turned && i < 20_000; i++) await act();
  return turned;
}
