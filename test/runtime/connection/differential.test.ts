// ws is the judge: the same bytes, cut at random, must mean the same to its Receiver and to our FrameReader.

import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader } from "../../../runtime/src/connection/frame-reader.ts";
import { rawFrame } from "../raw-client.ts";
import { createJudge, LIMIT, type Reading } from "./ws-judge.ts";

// Intended differences: none. What is the same only as far as it is looked at here:
// - ws reports a close frame and then wants `end()`; both read nothing behind it.
// - ws leaves extensions to an option that is not given here, as nothing is negotiated.

function readWithWs(chunks: readonly Buffer[]): Reading {
  const judge = createJudge();
  for (const chunk of chunks) judge.read(chunk);
  return judge.reading;
}

/**
 * `holdEvery`: after how many messages to hold each time; what is held is released when the next chunk has come, or at the end.
 * `stream`: have the messages in fragments, put together here.
 */
function readWithOurs(chunks: readonly Buffer[], holdEvery: number, stream = false): Reading {
  let fragments: string[] = [];
  const reading: [string, ...(string | number)[]][] = [];
  let messages = 0;
  const reader: FrameReader = new FrameReader(
    {
      onMessage: (data, size) => {
        const bytes = typeof data === "string" ? Buffer.from(data) : data;
        expect(size).toBe(bytes.length);
        reading.push([typeof data === "string" ? "text" : "binary", bytes.toString("hex")]);
        if (holdEvery > 0 && ++messages % holdEvery === 0) reader.hold();
      },
      onFragment: (data, binary, first, final) => {
        expect(first).toBe(fragments.length === 0);
        fragments.push(data.toString("hex"));
        if (!final) return;
        reading.push([binary ? "binary" : "text", fragments.join("")]);
        fragments = [];
        if (holdEvery > 0 && ++messages % holdEvery === 0) reader.hold();
      },
      onLongTurn: () => reader.wake(),
      onDecodeFailure: (error) => {
        throw error; // There are no extensions.
      },
      onPing: (data) => reading.push(["ping", data.toString("hex")]),
      onPong: (data) => reading.push(["pong", data.toString("hex")]),
      onClose: (code, reason) => reading.push(["close", code, reason]),
      onViolation: ({ code }) => reading.push(["violation", code]),
    },
    { maxMessageSize: LIMIT, maxFrameSize: false, maxFragments: 16_384 },
  );
  if (stream) reader.expect(true);
  for (const chunk of chunks) {
    reader.read(Buffer.from(chunk));
    if (reader.held) {
      const length = reading.length;
      reader.read(Buffer.alloc(0));
      expect(reading.length).toBe(length); // Held means held.
      if (messages % 2 === 0) reader.release();
    }
  }
  while (reader.held) reader.release();
  return reading;
}

const payload = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 140 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 900 }).map((length) => Buffer.alloc(length, 0x61)) },
);
const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });
const controlFrame = fc
  .tuple(fc.constantFrom(9, 10), fc.uint8Array({ maxLength: 125 }), mask)
  .map(([opcode, data, key]) => rawFrame({ opcode, payload: data, mask: key }));

/** A message in fragments, controls in between. */
const message = fc
  .tuple(fc.constantFrom(1, 1, 2), payload, fc.array(fc.nat(1000), { maxLength: 4 }), fc.array(controlFrame, { maxLength: 2 }), mask)
  .map(([opcode, data, cuts, controls, key]) => {
    const edges = [0, ...cuts.map((cut) => Math.floor((cut / 1001) * data.length)).sort((a, b) => a - b), data.length];
    return edges.slice(1).flatMap((edge, index) => {
      const frame = rawFrame({
        opcode: index === 0 ? opcode : 0,
        fin: index === edges.length - 2,
        payload: data.subarray(edges[index], edge),
        mask: key,
      });
      const control = controls[index];
      return control === undefined ? [frame] : [frame, control];
    });
  });

const closing = fc
  .tuple(fc.oneof(fc.constantFrom(1000, 1001, 1005, 1006, 1012, 1014, 1015, 2999, 3000, 4999, 5000), fc.nat(65_535)), payload)
  .map(([code, reason]) => [
    rawFrame({ opcode: 8, payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), reason.subarray(0, 123)]) }),
  ]);
const shortClosing = fc.nat(1).map((length) => [rawFrame({ opcode: 8, payload: Buffer.alloc(length) })]);

/** Any frame at all, its length sometimes a lie. */
const anything = fc
  .record({
    opcode: fc.nat(15),
    fin: fc.boolean(),
    rsv: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(7) }),
    mask: fc.oneof({ weight: 8, arbitrary: mask }, { weight: 1, arbitrary: fc.constant(false as const) }),
    payload,
    lie: fc.option(fc.constantFrom(0, 1, 125, 126, 127, 2000, 2001, 65_535, 65_536, 2 ** 32, 2 ** 53, 2 ** 63), { freq: 12 }),
  })
  .map(({ lie, ...frame }) => [rawFrame(lie === null ? frame : { ...frame, declaredLength: lie })]);

const stream = fc
  .record({
    frames: fc.array(
      fc.oneof(
        { weight: 12, arbitrary: message },
        { weight: 1, arbitrary: closing },
        { weight: 1, arbitrary: shortClosing },
        { weight: 1, arbitrary: anything },
      ),
      { maxLength: 12 },
    ),
    cuts: fc.array(fc.nat(9999), { maxLength: 30 }),
    flip: fc.option(fc.tuple(fc.nat(9999), fc.nat(7)), { freq: 2 }),
    holdEvery: fc.nat(3),
  })
  .map(({ frames, cuts, flip, holdEvery }) => {
    const bytes = Buffer.concat(frames.flat());
    if (flip !== null && bytes.length > 0) {
      const at = Math.floor((flip[0] / 10_000) * bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << flip[1]), at);
    }
    const edges = [0, ...cuts.map((cut) => Math.floor((cut / 10_000) * bytes.length)).sort((a, b) => a - b), bytes.length];
    const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
    return { chunks: chunks.filter(({ length }) => length > 0), holdEvery };
  });

test("random streams mean the same to ws's Receiver and to our reader", () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(stream, ({ chunks, holdEvery }) => {
      const theirs = readWithWs(chunks);
      const last = theirs.at(-1);
      const end = last?.[0] === "close" || last?.[0] === "violation" ? `${last[0]} ${last[1]}` : "open";
      ends.set(end, (ends.get(end) ?? 0) + 1);
      expect(readWithOurs(chunks, holdEvery)).toEqual(theirs);
    }),
    { numRuns: 3000 },
  );
  // The streams are worth something: each way to end was met.
  for (const end of ["open", "violation 1002", "violation 1007", "violation 1009", "close 1000", "close 1005"]) {
    expect([end, (ends.get(end) ?? 0) > 5]).toEqual([end, true]);
  }
});

test("a stream means the same however it is cut: byte by byte and whole", () => {
  fc.assert(
    fc.property(stream, ({ chunks }) => {
      const bytes = Buffer.concat(chunks);
      const whole = readWithOurs([bytes], 0);
      const single = readWithOurs(
        Array.from(bytes, (byte) => Buffer.from([byte])),
        1,
      );
      expect(single).toEqual(whole);
    }),
    { numRuns: 150 },
  );
});

test("a stream means the same in fragments: the same messages, and the same end unless text is wrong before its message ends", () => {
  fc.assert(
    fc.property(stream, ({ chunks, holdEvery }) => {
      const whole = readWithOurs(chunks, 0);
      const streamed = readWithOurs(chunks, holdEvery, true);
      const [what, code] = streamed.at(-1) ?? [];
      if (what !== "violation" || code !== 1007) expect(streamed).toEqual(whole);
      else expect(whole.slice(0, streamed.length - 1)).toEqual(streamed.slice(0, -1));
    }),
    { numRuns: 500 },
  );
});
