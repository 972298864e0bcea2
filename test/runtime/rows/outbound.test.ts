// Rows 36–40 and 61–63 of the checklist, each by its acceptance test, over TCP and in memory.
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type Connection, createRouter, defineExtension, type Limits, type RouteOptions } from "@wsgen/runtime";
import { describe, expect, it } from "vitest";
import { type RawClient, type RawFrame, rawFrame, textFrame } from "../raw-client.ts";
import { carriers, open } from "./carrier.ts";

const echo = async (conn: Connection): Promise<void> => {
  for await (const message of conn.messages()) await conn.send(message);
};
const xor = (data: Uint8Array): Buffer => Buffer.from(data.map((byte) => byte ^ 0x55));
const inflated = (data: Buffer, windowBits = 15): Buffer =>
  inflateRawSync(Buffer.concat([data, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: 2, windowBits });

/** The frames of one message, and what they say. */
async function whole(client: RawClient): Promise<{ readonly frames: readonly RawFrame[]; readonly data: Buffer }> {
  const frames: RawFrame[] = [];
  while (frames.at(-1)?.fin !== true) frames.push(await client.next());
  return { frames, data: Buffer.concat(frames.map(({ payload }) => payload)) };
}

describe.each(carriers)("what goes out %s", (_carrier, tcp) => {
  const serve = async (handler: (conn: Connection) => Promise<void>, limits: Partial<Limits> = {}, more: Partial<RouteOptions> = {}) => {
    const router = createRouter({ onError() {} });
    router.ws("/", { limits: { heartbeat: false, ...limits }, ...more, handler });
    return open(tcp, router);
  };

  it("row 36: an awaited send waits for a peer that does not read, and goes on when it does", async () => {
    let sent = 0;
    const place = await serve(async (conn) => {
      for (; sent < 400; sent++) await conn.send(Buffer.alloc(64 * 1024));
    });
    const client = await place.dial();
    client.socket.pause();
    for (let before = -1; before !== sent || sent === 0; await pause(100)) before = sent; // Until it stands still.
    expect(sent).toBeLessThan(400);
    client.socket.resume();
    expect((await client.closed).code).toBe(1000);
    expect(client.messages).toHaveLength(400);
  });

  it.each(["close", "drop-oldest", "drop-newest"] as const)(
    "row 37: sends that do not wait for a slow peer meet the policy %s, in bounded memory",
    async (overflow) => {
      const connections: Connection[] = [];
      const count = 2_000;
      const place = await serve(
        async (conn) => {
          connections.push(conn);
          await pause(20);
          for (let i = 0; i < count && !conn.signal.aborted; i++) {
            void conn.send(String(i).padEnd(16 * 1024));
            if (i % 50 === 0) await pause(1);
          }
          await conn.flushed().catch(() => {});
          await conn.closed;
        },
        { overflow, highWaterMark: 256 * 1024, closeTimeout: 1_000 },
      );
      const client = await place.dial();
      client.socket.pause();
      const before = process.memoryUsage().arrayBuffers;
      await expect.poll(() => (overflow === "close" ? connections[0]?.signal.aborted : (connections[0]?.dropped ?? 0) > 100)).toBe(true);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20);
      if (overflow === "close") {
        expect(connections[0]?.signal.reason).toMatchObject({ closeCode: 1013, reason: "slow consumer" });
        return;
      }
      await pause(100);
      client.socket.resume();
      const last = overflow === "drop-oldest" ? count - 1 : 0;
      await expect.poll(() => client.messages.some((text) => Number.parseInt(String(text), 10) === last)).toBe(true);
      const numbers = client.messages.map((text) => Number.parseInt(String(text), 10));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      await expect.poll(() => client.messages.length + (connections[0]?.dropped ?? 0)).toBe(count);
      expect(place.sockets.metrics()).toMatchObject({ dropped: connections[0]?.dropped });
    },
  );

  it("row 38: a message in parts is one message, nothing comes between, and one that breaks off is 1011", async () => {
    const place = await serve(async (conn) => {
      const message = conn.message("text");
      await message.write("a");
      void conn.send("between?");
      await message.write("b");
      await message.close();
      await new Blob(["from ", "a stream"]).stream().pipeTo(new WritableStream(conn.message("binary")));
      await using cut = conn.message("text");
      await cut.write("never ");
      throw new Error("secret");
    });
    const client = await place.raw();
    const first = await whole(client);
    expect(first.frames.map(({ opcode, fin }) => [opcode, fin])).toEqual([
      [1, false],
      [0, false],
      [0, true],
    ]);
    expect(first.data.toString()).toBe("ab");
    expect((await whole(client)).data.toString()).toBe("between?");
    const streamed = await whole(client);
    expect([streamed.frames[0]?.opcode, streamed.data.toString()]).toEqual([2, "from a stream"]);
    expect(await client.next()).toMatchObject({ opcode: 1, fin: false });
    expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
  });

  it("row 39: large messages leave in fragments of the size that was asked for", async () => {
    const text = "aé🌍".repeat(1000);
    const place = await serve(
      async (conn) => {
        await conn.send(Buffer.alloc(7000, 7));
        await conn.send(text);
        await using parts = conn.message("text");
        for (const half of ["\ud83c", "\udf0d"]) await parts.write(half);
        await parts.close();
      },
      { fragmentSize: 2048 },
    );
    const client = await place.raw();
    const binary = await whole(client);
    expect(binary.frames.map(({ payload }) => payload.length)).toEqual([2048, 2048, 2048, 856]);
    expect(binary.data.equals(Buffer.alloc(7000, 7))).toBe(true);
    expect((await whole(client)).data.toString()).toBe(text);
    expect((await whole(client)).data.toString()).toBe("🌍");
  });

  it("row 40: a ping gives its round-trip time, and holds 125 bytes", async () => {
    const times: number[] = [];
    let refusal: unknown;
    const place = await serve(async (conn) => {
      times.push(await conn.ping(), await conn.ping(Buffer.alloc(125)));
      try {
        await conn.ping(Buffer.alloc(126));
      } catch (error) {
        refusal = error;
      }
    });
    const client = await place.dial();
    expect((await client.closed).code).toBe(1000);
    expect(times.every((time) => time >= 0 && time < 5_000)).toBe(true);
    expect(times).toHaveLength(2);
    expect(refusal).toMatchObject({ code: "WSGEN_USAGE" });
  });

  it("row 61: permessage-deflate is what both sides agreed on, and short messages go as they are, with takeover too", async () => {
    const deflate = { serverMaxWindowBits: 10, serverNoContextTakeover: false, clientNoContextTakeover: false, minSize: 1024 };
    const place = await serve(echo, {}, { deflate });
    const offer = "permessage-deflate; client_max_window_bits; server_max_window_bits=12";
    const answer = (await place
      .dial("/", [], { perMessageDeflate: false, headers: { "Sec-WebSocket-Extensions": offer } })
      .catch((error: Error) => error)) as Error; // ws did not offer it itself, and says what it was answered.
    expect(String(answer)).toMatch(/Sec-WebSocket-Extensions/);
    const client = await place.raw("/", { "Sec-WebSocket-Extensions": offer });
    const long = JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ i, name: `name ${i}` })));
    client.write(textFrame(long), textFrame("short"));
    const { rsv, payload } = await client.next();
    expect(rsv).toBe(4);
    expect(inflated(payload, 10).toString()).toBe(long);
    expect(await client.next()).toMatchObject({ rsv: 0, payload: Buffer.from("short") });
  });

  it("row 62: a gigabyte of zeros in a megabyte is 1009, and needs no memory", async () => {
    const unit = deflateRawSync(Buffer.alloc(64 * 2 ** 20), { finishFlush: 3 }); // A full flush: each stands for itself.
    const bomb = Buffer.concat(Array.from({ length: 16 }, () => unit));
    expect(bomb.length).toBeLessThan(1.1 * 2 ** 20);
    const place = await serve(echo, { maxMessageSize: 2 * 2 ** 20 }, { deflate: true });
    const client = await place.raw("/", { "Sec-WebSocket-Extensions": "permessage-deflate" });
    const before = process.memoryUsage().rss;
    client.write(rawFrame({ opcode: 2, rsv: 4, payload: bomb }));
    expect((await client.nextClose()).code).toBe(1009);
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * 2 ** 20);
  });

  it("row 63: XOR behind deflate is undone before it, and one that is not negotiated needs no header", async () => {
    const scramble = {
      encode: ({ data }: { data: Uint8Array }) => ({ data: xor(data), rsv: 0 }),
      decode: ({ data }: { data: Uint8Array }) => xor(data),
    };
    const negotiated = defineExtension({ name: "x-xor", accept: () => scramble });
    const silent = defineExtension({ name: "x-silent", negotiated: false, accept: () => scramble });
    const text = "again and again ".repeat(100);
    const stacked = await (await serve(echo, {}, { deflate: { minSize: 100 }, extensions: [negotiated] })).raw("/", {
      "Sec-WebSocket-Extensions": "permessage-deflate, x-xor",
    });
    stacked.write(rawFrame({ opcode: 1, rsv: 4, payload: xor(deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4)) }));
    const { rsv, payload } = await stacked.next();
    expect([rsv, inflated(xor(payload)).toString()]).toEqual([4, text]);
    const plain = await (await serve(echo, {}, { extensions: [silent] })).raw();
    plain.write(rawFrame({ opcode: 1, payload: xor(Buffer.from("hello")) }));
    expect(xor((await plain.next()).payload).toString()).toBe("hello");
  });
});
