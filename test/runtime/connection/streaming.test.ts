import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { Frame, StreamedMessage } from "../../../runtime/src/connection/connection.ts";
import { ConnectionClosedError, WsgenError } from "../../../runtime/src/errors.ts";
import { createRouter } from "../../../runtime/src/index.ts";
import { testServer } from "../../../runtime/src/testing/index.ts";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { delay, openPair, until } from "./socket-server.ts";

const text = ({ type, data, fin }: Frame): string => `${type} ${Buffer.from(data).toString()}${fin ? " end" : ""}`;

async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("frames()", () => {
  test("gives the first fragment while the peer still holds the second", async () => {
    const { conn, client } = await openPair();
    const frames = conn.frames()[Symbol.asyncIterator]();
    client.write(rawFrame({ opcode: 2, payload: "one", fin: false }));
    expect((await frames.next()).value).toEqual({ type: "binary", data: Buffer.from("one"), fin: false });
    client.write(rawFrame({ opcode: 9 }), rawFrame({ opcode: 0, payload: "two" }), textFrame("three"));
    expect((await frames.next()).value).toEqual({ type: "binary", data: Buffer.from("two"), fin: true });
    expect((await frames.next()).value).toEqual({ type: "text", data: Buffer.from("three"), fin: true });
    expect((await client.next()).opcode).toBe(10);
  });

  test("begins with what has been gathered, when it is asked for in the middle of a message", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("whole"), rawFrame({ opcode: 1, payload: "a", fin: false }), rawFrame({ opcode: 0, payload: "b", fin: false }));
    await delay(20);
    const frames = conn.frames()[Symbol.asyncIterator]();
    const seen = [(await frames.next()).value, (await frames.next()).value];
    client.write(rawFrame({ opcode: 0, payload: "c" }), closeFrame());
    seen.push((await frames.next()).value);
    expect(seen.map((frame) => frame && text(frame))).toEqual(["text whole end", "text ab", "text c end"]);
    expect(await frames.next()).toMatchObject({ done: true });
  });

  test("holds TCP back frame by frame, also in the middle of a message", async () => {
    const { conn, client, socket } = await openPair({ maxMessageSize: 100_000 });
    const frames = conn.frames({ maxSize: 2 ** 40 })[Symbol.asyncIterator]();
    const count = 300; // 30 MB in one message: more than both kernels' buffers hold.
    for (let i = 0; i < count; i++)
      client.write(rawFrame({ opcode: i === 0 ? 2 : 0, payload: Buffer.alloc(100_000, i), fin: i === count - 1 }));
    await delay(60);
    expect(socket.bytesRead).toBeLessThan(700_000);
    for (let i = 0; i < count; i++) {
      const { value } = await frames.next();
      expect([value?.data[0], value?.data.length, value?.fin]).toEqual([i & 0xff, 100_000, i === count - 1]);
    }
  });

  test("reads sixteen frames ahead, not one more", async () => {
    const { conn, client } = await openPair();
    conn.frames();
    for (let i = 0; i < 40; i++) {
      client.write(rawFrame({ opcode: i === 0 ? 2 : 0, payload: "x", fin: false }), rawFrame({ opcode: 9, payload: String(i) }));
    }
    await until(() => client.pending.length >= 15, "pongs");
    await delay(20);
    expect(client.pending.length).toBe(15); // The sixteenth frame is the one that holds.
  });

  test("checks text as it comes: a character may be cut, an impossible byte closes 1007 before the message has ended", async () => {
    const { conn, client } = await openPair();
    const frames = conn.frames()[Symbol.asyncIterator]();
    const globe = Buffer.from("🌍é");
    for (const [index, byte] of [...globe].entries()) {
      client.write(rawFrame({ opcode: index === 0 ? 1 : 0, payload: Buffer.from([byte]), fin: index === globe.length - 1 }));
      expect((await frames.next()).value?.data).toEqual(Buffer.from([byte]));
    }
    client.write(rawFrame({ opcode: 1, payload: globe.subarray(0, 2), fin: false }), rawFrame({ opcode: 0, payload: "x", fin: false }));
    expect((await client.nextClose()).code).toBe(1007);
  });

  test.each([
    ["an end inside a character", [0xf0, 0x9f, 0x8c], true],
    ["a lone continuation byte", [0x8c], false],
    ["a surrogate", [0xed, 0xa0, 0x80], false],
    ["an overlong form", [0xc0, 0xaf], false],
  ])("closes 1007 on %s", async (_what, bytes, fin) => {
    const { conn, client } = await openPair();
    conn.frames();
    client.write(rawFrame({ opcode: 1, payload: Buffer.from(bytes), fin }));
    expect((await client.nextClose()).code).toBe(1007);
  });

  test("ends without a last fragment when the connection does, and breaks no rule of fragments", async () => {
    const { conn, client } = await openPair();
    client.write(rawFrame({ opcode: 1, payload: "half", fin: false }), textFrame("another"));
    const seen: string[] = [];
    for await (const frame of conn.frames()) seen.push(text(frame));
    expect(seen).toEqual(["text half"]);
    expect((await client.nextClose()).code).toBe(1002);
  });

  test("shares the one place of a reader with messages(), and hands over between messages and inside one", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("1"), rawFrame({ opcode: 1, payload: "2", fin: false }), rawFrame({ opcode: 0, payload: "3", fin: false }));
    const seen: string[] = [];
    for await (const frame of conn.frames()) {
      expect(() => conn.messages()).toThrow(WsgenError);
      expect(() => conn.frames()).toThrow("already");
      seen.push(text(frame));
      if (!frame.fin) break;
    }
    expect(seen).toEqual(["text 1 end", "text 2"]);
    client.write(rawFrame({ opcode: 0, payload: "of 2" }), textFrame("4"), rawFrame({ opcode: 1, payload: "5", fin: false }));
    const messages = conn.messages()[Symbol.asyncIterator]();
    expect((await messages.next()).value).toEqual({ type: "text", data: "4" }); // The rest of what frames() began is skipped.
    client.write(rawFrame({ opcode: 0, payload: "6" }));
    expect((await messages.next()).value).toEqual({ type: "text", data: "56" });
  });

  test("leaves whole messages to the next reader, although they had come in fragments", async () => {
    const { conn, client } = await openPair();
    const frames = conn.frames()[Symbol.asyncIterator]();
    client.write(textFrame("1"), rawFrame({ opcode: 1, payload: "2", fin: false }), rawFrame({ opcode: 0, payload: "3", fin: false }));
    await frames.next();
    await delay(10);
    await frames.return?.();
    client.write(rawFrame({ opcode: 0, payload: "4" }));
    for await (const message of conn.messages()) {
      expect(message).toEqual({ type: "text", data: "234" });
      break;
    }
  });

  test("closes 1009 on a frame over the route's limit and on a message over maxSize, from the header alone", async () => {
    for (const header of [
      rawFrame({ opcode: 2, declaredLength: 1001, fin: false }),
      rawFrame({ opcode: 0, declaredLength: 501, fin: false }),
    ]) {
      const { conn, client } = await openPair({ maxMessageSize: 1000 });
      const frames = conn.frames({ maxSize: 1500 })[Symbol.asyncIterator]();
      if (header[0] === 0) {
        client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(1000), fin: false }));
        await frames.next();
      }
      client.write(header.subarray(0, 8));
      expect((await client.nextClose()).code).toBe(1009);
      expect(await frames.next()).toMatchObject({ done: true });
    }
  });
});

describe("messages({ stream: true })", () => {
  test("gives a message when it begins, and its bytes as they come", async () => {
    const { conn, client } = await openPair();
    const messages = conn.messages({ stream: true })[Symbol.asyncIterator]();
    client.write(rawFrame({ opcode: 1, payload: "one ", fin: false }));
    const { value } = await messages.next();
    expect(value?.type).toBe("text");
    const reader = value?.stream().getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("one ");
    client.write(rawFrame({ opcode: 0, payload: "", fin: false }), rawFrame({ opcode: 0, payload: "two" }), rawFrame({ opcode: 2 }));
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("two");
    expect(await reader?.read()).toMatchObject({ done: true });
    const empty = (await messages.next()).value;
    expect(empty?.type).toBe("binary");
    expect(await collect(empty?.stream() ?? new ReadableStream())).toEqual(Buffer.alloc(0));
  });

  test("takes an upload far over the route's limit through bounded memory", async () => {
    const { conn, client, socket } = await openPair({ maxMessageSize: 64 * 1024 });
    const size = 24 * 2 ** 20;
    const part = rawFrame({ opcode: 0, payload: Buffer.alloc(48 * 1024, 7), fin: false });
    client.write(rawFrame({ opcode: 2, fin: false }));
    for (let sent = 0; sent < size; sent += 48 * 1024) client.write(part);
    client.write(rawFrame({ opcode: 0, payload: "!" }), textFrame("behind"));
    let received = 0;
    let last = 0;
    for await (const message of conn.messages({ stream: true, maxSize: 64 * 2 ** 20 })) {
      if (message.type === "text") break;
      for await (const chunk of message.stream()) {
        received += chunk.length;
        last = chunk[chunk.length - 1] ?? 0;
        // What was read off TCP and not yet handed on: the inbox, and what the stream had read.
        expect(socket.bytesRead - received).toBeLessThan(512 * 1024);
      }
    }
    expect([received, last]).toEqual([Math.ceil(size / (48 * 1024)) * 48 * 1024 + 1, 33]);
  });

  test("stops TCP while nobody reads the stream", async () => {
    const { conn, client, socket } = await openPair();
    const messages = conn.messages({ stream: true, maxSize: 2 ** 40 })[Symbol.asyncIterator]();
    for (let i = 0; i < 200; i++) client.write(rawFrame({ opcode: i === 0 ? 2 : 0, payload: Buffer.alloc(100_000), fin: false }));
    const stream = (await messages.next()).value?.stream();
    await delay(50);
    expect(socket.bytesRead).toBeLessThan(800_000);
    expect(stream?.locked).toBe(false);
  });

  test("skips what one leaves unread: the rest, or all of a message", async () => {
    const { conn, client } = await openPair();
    client.write(textFrame("unread"), rawFrame({ opcode: 2, payload: "a", fin: false }), rawFrame({ opcode: 0, payload: "b", fin: false }));
    const messages = conn.messages({ stream: true })[Symbol.asyncIterator]();
    const unread = (await messages.next()).value;
    const begun = (await messages.next()).value?.stream().getReader();
    await begun?.read();
    const next = messages.next();
    client.write(rawFrame({ opcode: 0, payload: "c" }), textFrame("last"));
    expect(await collect((await next).value?.stream() ?? new ReadableStream())).toEqual(Buffer.from("last"));
    await expect(begun?.read()).rejects.toThrow("the next message was asked for");
    await expect(collect(unread?.stream() ?? new ReadableStream())).rejects.toThrow(WsgenError);
  });

  test.each(["next", "cancel", "frames", "messages"])(
    "reads on although what was left unread had filled the inbox and held the wire: by %s",
    async (way) => {
      const { conn, client } = await openPair();
      client.write(rawFrame({ opcode: 2, payload: "begin", fin: false }));
      for (let i = 0; i < 200; i++) client.write(rawFrame({ opcode: 0, payload: Buffer.alloc(1000), fin: false }));
      client.write(rawFrame({ opcode: 0 }), textFrame("behind"));
      if (way === "frames" || way === "messages") {
        for await (const _ of conn.frames()) break;
        await delay(30);
        const items: AsyncIterable<{ readonly type: string }> = way === "frames" ? conn.frames() : conn.messages();
        for await (const { type } of items) if (type === "text") return;
      }
      for await (const message of conn.messages({ stream: true })) {
        if (message.type === "text") return;
        const reader = message.stream().getReader();
        await reader.read();
        await delay(30);
        if (way === "cancel") await reader.cancel();
      }
      throw new Error("not reached");
    },
  );

  test("keeps no more of a message than the next reader may take, however much the one before was allowed", async () => {
    const { conn, client } = await openPair({ maxMessageSize: 20_000 });
    const frames = conn.frames({ maxSize: 2 ** 30 })[Symbol.asyncIterator]();
    client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(1000), fin: false }));
    await delay(20);
    await frames.return?.();
    const next = conn.messages()[Symbol.asyncIterator]().next();
    for (let i = 0; i < 30; i++) client.write(rawFrame({ opcode: 0, payload: Buffer.alloc(1000), fin: false }));
    expect((await client.nextClose()).code).toBe(1009);
    expect(await next).toMatchObject({ done: true });
  });

  test("goes on behind a stream that was cancelled", async () => {
    const { conn, client } = await openPair();
    client.write(rawFrame({ opcode: 2, payload: "a", fin: false }), rawFrame({ opcode: 0, payload: "b" }), textFrame("next"));
    const types: string[] = [];
    for await (const message of conn.messages({ stream: true })) {
      types.push(message.type);
      if (message.type === "text") break;
      await message.stream().cancel();
      expect(() => message.stream()).toThrow("once");
    }
    expect(types).toEqual(["binary", "text"]);
  });

  test("never ends a message that was cut off: its stream fails when the connection closes, from either side or by a reset", async () => {
    for (const end of ["peer", "us", "reset"]) {
      const { conn, client } = await openPair();
      const messages = conn.messages({ stream: true })[Symbol.asyncIterator]();
      client.write(rawFrame({ opcode: 2, payload: "half", fin: false }));
      const stream = ((await messages.next()).value as StreamedMessage).stream();
      const read = collect(stream);
      await delay(5);
      if (end === "peer") client.write(closeFrame(4001));
      if (end === "us") void conn.close(4002);
      if (end === "reset") client.reset();
      await expect(read).rejects.toBeInstanceOf(ConnectionClosedError);
      await expect(read).rejects.toMatchObject({ closeCode: { peer: 4001, us: 4002, reset: 1006 }[end] });
      expect(await messages.next()).toMatchObject({ done: true });
    }
  });

  test("fails a stream whose loop was left", async () => {
    const { conn, client } = await openPair();
    client.write(rawFrame({ opcode: 2, payload: "half", fin: false }));
    let stream: ReadableStream<Uint8Array> | undefined;
    for await (const message of conn.messages({ stream: true })) {
      stream = message.stream();
      break;
    }
    await expect(collect(stream ?? new ReadableStream())).rejects.toThrow("the loop over the messages was left");
  });

  test("keeps the limit of a message that was left in its middle until its end, and the route's behind it", async () => {
    const { conn, client } = await openPair({ maxMessageSize: 1000 });
    client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(900), fin: false }));
    for await (const _message of conn.messages({ stream: true, maxSize: 5000 })) break;
    client.write(rawFrame({ opcode: 0, payload: Buffer.alloc(900), fin: false }), rawFrame({ opcode: 0 }), textFrame("next"));
    const messages = conn.messages()[Symbol.asyncIterator]();
    expect((await messages.next()).value).toEqual({ type: "text", data: "next" });
    client.write(textFrame("x".repeat(1001)));
    expect((await client.nextClose()).code).toBe(1009);
  });

  test("gets compressed messages whole, within the route's limit however much a streamed one may have", async () => {
    const router = createRouter({ deflate: true, limits: { maxMessageSize: 200_000 } });
    const sizes: number[][] = [];
    router.ws("/upload", async (conn) => {
      for await (const message of conn.messages({ stream: true, maxSize: 10 * 2 ** 20 })) {
        const chunks: number[] = [];
        for await (const chunk of message.stream()) chunks.push(chunk.length);
        sizes.push(chunks);
      }
    });
    await using server = await testServer(router);
    const socket = new (server.WebSocket as unknown as typeof WebSocket)(`${server.url}/upload`, [], {
      perMessageDeflate: { threshold: 0 },
    });
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(Buffer.alloc(100_000), { fin: false });
    socket.send(Buffer.alloc(90_000), { fin: true });
    socket.send(Buffer.alloc(150_000), { fin: false, compress: false });
    socket.send(Buffer.alloc(150_000), { fin: true, compress: false });
    socket.send(Buffer.alloc(300_000));
    expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(1009);
    expect(sizes).toEqual([[190_000], [150_000, 150_000]]);
  });

  test("is no error of the handler when the peer leaves in the middle of a message, and the peer's goodbye is echoed", async () => {
    const errors: unknown[] = [];
    const router = createRouter({ onError: (error) => void errors.push(error) });
    let ended: unknown;
    router.ws("/upload", async (conn) => {
      try {
        for await (const message of conn.messages({ stream: true })) await collect(message.stream());
      } catch (error) {
        ended = error;
        throw error;
      }
    });
    await using server = await testServer(router);
    const socket = new (server.WebSocket as unknown as typeof WebSocket)(`${server.url}/upload`);
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send("a beginning", { fin: false });
    socket.close(4001);
    expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(4001);
    expect(ended).toBeInstanceOf(ConnectionClosedError);
    expect(errors).toEqual([]);
  });

  test("works in memory as it does over TCP", async () => {
    for (const tcp of [false, true]) {
      const router = createRouter();
      router.ws("/upload", async (conn) => {
        for await (const message of conn.messages({ stream: true, maxSize: 10 * 2 ** 20 })) {
          let size = 0;
          for await (const chunk of message.stream()) size += chunk.length;
          await conn.send(String(size));
        }
      });
      await using server = await testServer(router, { tcp });
      const socket = new (server.WebSocket as unknown as typeof WebSocket)(`${server.url}/upload`);
      await new Promise((resolve) => socket.once("open", resolve));
      for (let i = 0; i < 50; i++) socket.send(Buffer.alloc(100_000), { fin: i === 49 });
      expect(String(await new Promise((resolve) => socket.once("message", resolve)))).toBe("5000000");
      socket.terminate();
    }
  });
});
