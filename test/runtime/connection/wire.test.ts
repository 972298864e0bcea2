import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { encodeFrame, opcodes } from "../../../runtime/src/connection/wire.ts";
import { closeFrame, parseFrame, rawFrame, textFrame } from "../raw-client.ts";
import { delay, openPair, startEcho, startRecorder, until } from "./socket-server.ts";

describe("encodeFrame", () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])("writes %i bytes as one unmasked final frame", (size) => {
    const payload = Buffer.alloc(size, 0x61);
    for (const frame of [encodeFrame(opcodes.text, payload.toString()), encodeFrame(opcodes.text, new Uint8Array(payload))]) {
      const parsed = parseFrame(frame);
      expect(parsed?.end).toBe(frame.length);
      expect(parsed?.frame).toMatchObject({ fin: true, rsv: 0, opcode: 1, masked: false });
      expect(parsed?.frame.payload.equals(payload)).toBe(true);
    }
  });

  test("writes text in UTF-8, a lone surrogate as U+FFFD", () => {
    expect(parseFrame(encodeFrame(opcodes.text, "aé🌍\ud83d!"))?.frame.payload.toString()).toBe("aé🌍\ufffd!");
  });
});

describe("reading", () => {
  test.each([0, 1, 125, 126, 127, 128, 65_535, 65_536])("echoes %i bytes, text and binary", async (size) => {
    const { conn, client } = await openPair();
    startEcho(conn);
    const payload = Buffer.from("*".repeat(size));
    client.write(rawFrame({ opcode: 1, payload }), rawFrame({ opcode: 2, payload }));
    const text = await client.next();
    const binary = await client.next();
    expect([text.opcode, binary.opcode]).toEqual([1, 2]);
    expect(text.payload.equals(payload) && binary.payload.equals(payload)).toBe(true);
  });

  test.each([1, 2, 3, 7, 997])("reads frames that arrive %i bytes at a time", async (piece) => {
    const { conn, client } = await openPair();
    startEcho(conn);
    const sizes = piece < 10 ? [0, 5, 125, 126, 700] : [0, 125, 126, 65_535, 65_536];
    const bytes = Buffer.concat(sizes.map((size) => rawFrame({ opcode: 2, payload: Buffer.alloc(size, size & 0xff) })));
    for (let at = 0; at < bytes.length; at += piece) {
      client.socket.write(bytes.subarray(at, at + piece));
      if (at % (piece * 20) === 0) await new Promise(setImmediate); // So that the pieces really arrive apart.
    }
    for (const size of sizes) expect((await client.next()).payload.equals(Buffer.alloc(size, size & 0xff))).toBe(true);
  });

  test("unmasks payloads of every size around a word, wherever they lie in what TCP delivers", async () => {
    const { conn, client } = await openPair();
    startEcho(conn);
    const payloads = Array.from({ length: 60 }, (_, index) => randomBytes(240 + index));
    client.write(...payloads.map((payload) => rawFrame({ opcode: 2, payload, mask: randomBytes(4) })));
    for (const payload of payloads) expect((await client.next()).payload.equals(payload)).toBe(true);
  });

  test("puts fragments together, with a ping answered in the middle", async () => {
    const { conn, client } = await openPair();
    startEcho(conn);
    client.write(
      rawFrame({ opcode: 1, payload: "one ", fin: false }),
      rawFrame({ opcode: 0, payload: "", fin: false }),
      rawFrame({ opcode: 9, payload: "now" }),
      rawFrame({ opcode: 0, payload: "two", fin: true }),
      rawFrame({ opcode: 2, payload: "next" }),
    );
    expect(await client.next()).toMatchObject({ opcode: 10, payload: Buffer.from("now") });
    expect(await client.next()).toMatchObject({ opcode: 1, payload: Buffer.from("one two") });
    expect(await client.next()).toMatchObject({ opcode: 2, payload: Buffer.from("next") });
  });

  test("accepts a character of UTF-8 split over fragments, and over TCP chunks", async () => {
    const { conn, client } = await openPair();
    startEcho(conn);
    const globe = Buffer.from("🌍");
    client.write(rawFrame({ opcode: 1, payload: globe.subarray(0, 1), fin: false }));
    await delay(5);
    client.write(rawFrame({ opcode: 0, payload: globe.subarray(1, 3), fin: false }), rawFrame({ opcode: 0, payload: globe.subarray(3) }));
    expect(await client.nextText()).toBe("🌍");
  });

  test("accepts U+FFFD where a text holds it, and not where bytes that are no UTF-8 would become it", async () => {
    const { conn, client } = await openPair();
    startEcho(conn);
    client.write(rawFrame({ opcode: 1, payload: "\uFFFD" }));
    expect(await client.nextText()).toBe("\uFFFD");
    client.write(rawFrame({ opcode: 1, payload: Buffer.concat([Buffer.from("\uFFFD"), Buffer.of(0xff)]) }));
    expect((await client.nextClose()).code).toBe(1007);
  });

  test("gives each message its own bytes, whatever comes after it", async () => {
    const { conn, client } = await openPair();
    const kept: Buffer[] = [];
    conn.start({ message: (data) => void kept.push(Buffer.isBuffer(data) ? data : expect.unreachable()) });
    for (let i = 0; i < 50; i++) client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(3000, i) }));
    await until(() => kept.length === 50, "50 messages");
    for (const [index, data] of kept.entries()) expect(data.equals(Buffer.alloc(3000, index))).toBe(true);
  });
});

describe("a peer that breaks the protocol", () => {
  const big = 2 ** 20 + 1;
  const table: readonly (readonly [what: string, code: number, ...frames: Buffer[]])[] = [
    ["an unmasked frame", 1002, rawFrame({ opcode: 1, payload: "x", mask: false })],
    ["a set RSV1 bit", 1002, rawFrame({ opcode: 1, payload: "x", rsv: 4 })],
    ["a set RSV2 bit", 1002, rawFrame({ opcode: 1, payload: "x", rsv: 2 })],
    ["a set RSV3 bit", 1002, rawFrame({ opcode: 2, payload: "x", rsv: 1 })],
    ["an RSV bit on a ping", 1002, rawFrame({ opcode: 9, rsv: 4 })],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`the reserved opcode ${opcode}`, 1002, rawFrame({ opcode })] as const),
    ["a reserved opcode in the middle of a message", 1002, rawFrame({ opcode: 1, fin: false }), rawFrame({ opcode: 3 })],
    ["a fragmented ping", 1002, rawFrame({ opcode: 9, fin: false })],
    ["a fragmented pong", 1002, rawFrame({ opcode: 10, fin: false })],
    ["a fragmented close", 1002, rawFrame({ opcode: 8, fin: false })],
    ["a ping of 126 bytes", 1002, rawFrame({ opcode: 9, payload: Buffer.alloc(126) })],
    ["a pong of 126 bytes", 1002, rawFrame({ opcode: 10, payload: Buffer.alloc(126) })],
    ["a close of 126 bytes", 1002, rawFrame({ opcode: 8, payload: Buffer.alloc(126, 0x0b) })],
    ["a ping of 65,536 bytes", 1002, rawFrame({ opcode: 9, payload: Buffer.alloc(65_536) })],
    ["a continuation of nothing", 1002, rawFrame({ opcode: 0, payload: "x" })],
    ["a continuation behind a whole message", 1002, textFrame("whole"), rawFrame({ opcode: 0, payload: "x" })],
    ["text in the middle of a message", 1002, rawFrame({ opcode: 1, fin: false }), textFrame("x")],
    ["binary in the middle of a text", 1002, rawFrame({ opcode: 1, fin: false }), rawFrame({ opcode: 2, fin: false })],
    ["a close of one byte", 1002, rawFrame({ opcode: 8, payload: "x" })],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
      (code) => [`the close code ${code}`, 1002, closeFrame(code)] as const,
    ),
    ["a close reason that is not UTF-8", 1007, rawFrame({ opcode: 8, payload: Buffer.from([0x03, 0xe8, 0xff]) })],
    ["text that is not UTF-8", 1007, rawFrame({ opcode: 1, payload: Buffer.alloc(16, 0xff) })],
    ["text that ends inside a character", 1007, rawFrame({ opcode: 1, payload: Buffer.from("é").subarray(0, 1) })],
    ["a surrogate in UTF-8", 1007, rawFrame({ opcode: 1, payload: Buffer.from([0xed, 0xa0, 0x80]) })],
    [
      "fragments that are not UTF-8 together",
      1007,
      rawFrame({ opcode: 1, payload: Buffer.from([0xe2, 0x82]), fin: false }),
      rawFrame({ opcode: 0, payload: "x" }),
    ],
    ["a message over the limit", 1009, rawFrame({ opcode: 2, declaredLength: big })],
    ["a length of 2^63", 1009, rawFrame({ opcode: 2, declaredLength: 2 ** 63 })],
    [
      "fragments over the limit together",
      1009,
      rawFrame({ opcode: 2, payload: Buffer.alloc(2 ** 19), fin: false }),
      rawFrame({ opcode: 0, declaredLength: 2 ** 19 + 1 }),
    ],
  ];

  const cases = table.map(([what, code, ...frames]) => ({ what, code, frames }));
  test.each(cases)("$what closes $code", async ({ code, frames }) => {
    const { conn, client } = await openPair();
    startRecorder(conn);
    client.write(...frames);
    expect((await client.nextClose()).code).toBe(code);
    await client.ended; // The server ends TCP without waiting for an answer.
    expect(await conn.closed).toMatchObject({ code, wasClean: false });
  });

  test("is told so from the header alone, before the bytes are buffered", async () => {
    const { conn, client, socket } = await openPair({ maxMessageSize: 1024 });
    startRecorder(conn);
    client.write(rawFrame({ opcode: 2, declaredLength: 1025 }).subarray(0, 4));
    expect(await client.nextClose()).toEqual({ code: 1009, reason: "message too big" });
    expect(socket.bytesRead).toBe(4);
  });

  test("may send exactly the limit, in one frame and in two", async () => {
    const { conn, client } = await openPair({ maxMessageSize: 1024 });
    startEcho(conn);
    const half = Buffer.alloc(512, 7);
    client.write(
      rawFrame({ opcode: 2, payload: Buffer.alloc(1024) }),
      rawFrame({ opcode: 2, payload: half, fin: false }),
      rawFrame({ opcode: 0, payload: half }),
      rawFrame({ opcode: 2, payload: Buffer.alloc(1025), fin: false }),
    );
    expect((await client.next()).payload.length).toBe(1024);
    expect((await client.next()).payload.length).toBe(1024);
    expect((await client.nextClose()).code).toBe(1009);
  });

  test("closes 1008 with the 16,385th fragment, and not before", async () => {
    const { conn, client } = await openPair();
    const { messages } = startRecorder(conn);
    const fragment = rawFrame({ opcode: 0, fin: false });
    client.write(rawFrame({ opcode: 1, fin: false }), ...Array<Buffer>(16_382).fill(fragment), rawFrame({ opcode: 0, payload: "end" }));
    await until(() => messages.length === 1, "a message of 16,384 fragments");
    client.write(rawFrame({ opcode: 1, fin: false }), ...Array<Buffer>(16_384).fill(fragment));
    expect(await client.nextClose()).toEqual({ code: 1008, reason: "too many fragments" });
  });

  test("gets nothing more delivered: what came before its fault was, what comes behind it is not", async () => {
    const { conn, client } = await openPair();
    const { messages } = startRecorder(conn);
    client.write(textFrame("before"), rawFrame({ opcode: 3 }), textFrame("behind"));
    await client.nextClose();
    client.write(textFrame("later"));
    await conn.closed;
    expect(messages).toEqual(["before"]);
  });
});
