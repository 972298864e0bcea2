// Texts of one turn lie side by side on one page for all connections: what each gets must be its own, whole and in order.
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, opcodes } from "../../../runtime/src/connection/wire.ts";
import { delay, openPair } from "./socket-server.ts";

/** Lengths around those where a header grows, a text has a Buffer of its own, or the page is full. */
const lengths = [0, 1, 40, 41, 42, 62, 63, 125, 126, 127, 5_000, 16_384, 16_385, 21_845, 21_846, 65_535, 65_536];
const text = fc
  .tuple(fc.constantFrom("a", "é", "€", "😀", "\ud800"), fc.constantFrom(...lengths))
  .map(([character, length]) => character.repeat(length).slice(0, length));
const forAll = ["to all", "to all but one".repeat(30)].map((payload) => encodeFrame(opcodes.text, payload));
const step = fc.tuple(
  fc.nat(2),
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ texts: fc.array(text, { maxLength: 5 }), how: fc.constantFrom("send", "volatile", "conflated", "push") }),
    },
    { weight: 2, arbitrary: fc.record({ frame: fc.constantFrom(...forAll) }) },
    { weight: 2, arbitrary: fc.constantFrom("bytes" as const, "ping" as const, "flush" as const, "turn" as const) },
  ),
);

test("Everyone gets his own texts, whole and in order, whatever their length and whoever else sends", async () => {
  const pairs = await Promise.all([openPair(), openPair(), openPair()]);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const sent: string[][] = pairs.map(() => []);
      for (const [to, what] of steps) {
        const { conn } = pairs[to]!; // `to` is below 3.
        const note = (opcode: number, payload: string) => sent[to]?.push(shown(opcode, Buffer.from(payload)));
        if (what === "flush") {
          await conn.flushed();
        } else if (what === "turn") {
          await new Promise(setImmediate);
        } else if (what === "bytes") {
          void conn.send(Buffer.from("bytes"));
          note(opcodes.binary, "bytes");
        } else if (what === "ping") {
          void conn.ping(Buffer.from("ping"));
          note(opcodes.ping, "ping");
        } else if ("texts" in what) {
          for (const text of what.texts) {
            if (what.how === "push") conn.push(text);
            else void conn.send(text, { send: {}, volatile: { volatile: true }, conflated: { conflate: "a" } }[what.how]);
            note(opcodes.text, text);
          }
        } else {
          for (const [index, other] of pairs.entries()) {
            if (index === to) continue;
            other.conn.push(what.frame);
            sent[index]?.push(shown(opcodes.text, what.frame.subarray(what.frame.length < 126 ? 2 : 4)));
          }
        }
      }
      for (const [index, { client }] of pairs.entries()) {
        const received: string[] = [];
        for (let count = sent[index]?.length ?? 0; count > 0; count--) {
          const { opcode, payload } = await client.next();
          received.push(shown(opcode, payload));
        }
        expect(received).toEqual(sent[index]);
      }
    }),
    { numRuns: 200 },
  );
});

function shown(opcode: number, payload: Buffer): string {
  return `${opcode} ${payload.length} ${payload.toString().slice(0, 20)} ${createHash("sha1").update(payload).digest("hex")}`;
}

test("A connection that closes has sent what was pushed to it, and nothing more of a list that it shares", async () => {
  const [closing, other] = [await openPair(), await openPair()];
  for (const { conn } of [closing, other]) conn.push(forAll[0]!); // There are two.
  other.conn.push(forAll[1]!);
  void closing.conn.close();
  expect((await closing.client.next()).payload.toString()).toBe("to all");
  expect((await closing.client.next()).opcode).toBe(opcodes.close);
  expect((await other.client.next()).payload.toString()).toBe("to all");
  expect((await other.client.next()).payload.length).toBe("to all but one".length * 30);
});

test("Nothing of what was sent to a slow consumer in the turn in which it is closed goes out", async () => {
  const { conn, client, socket } = await openPair({ highWaterMark: 70_000 });
  client.socket.pause();
  while (socket.writableLength < 70_000) {
    void conn.send("x".repeat(1_000));
    await new Promise(setImmediate);
  }
  for (const text of ["late", "later"]) void conn.send(text);
  await new Promise(setImmediate);
  client.socket.resume();
  let frame = await client.next();
  for (; frame.opcode === opcodes.text; frame = await client.next()) expect(frame.payload.length).toBe(1_000);
  expect(frame.payload.readUInt16BE(0)).toBe(1013);
});

test("What a connection had on the page when it was lost goes to nobody", async () => {
  const [lost, other] = [await openPair(), await openPair()];
  for (const text of ["one", "two"]) void lost.conn.send(text);
  lost.conn.terminate();
  await lost.conn.closed;
  for (const text of ["three", "four"]) void other.conn.send(text);
  expect([await other.client.nextText(), await other.client.nextText()]).toEqual(["three", "four"]);
});

test.each(["read", "closed"])("Frames that waited for a slow peer are in nobody's memory once it has %s", async (how) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // V8 gives no types for it.
  const { conn, client, socket } = await openPair({ overflow: "drop-oldest", highWaterMark: 100_000 });
  client.socket.pause();
  while (socket.writableLength < 100_000) {
    void conn.send(Buffer.alloc(50_000));
    await new Promise(setImmediate);
  }
  const refs = ["a", "b"].map((letter) => {
    const frame = encodeFrame(opcodes.text, letter.repeat(20_000));
    conn.push(frame);
    return new WeakRef(frame);
  });
  await new Promise(setImmediate); // From here on nothing is sent in a turn that we end.
  if (how === "closed") void conn.close();
  client.socket.resume();
  for (let last = await client.next(); last.payload.length > 20_000 || last.payload[0] !== 0x62; ) last = await client.next();
  for (let i = 0; i < 20 && refs.some((ref) => ref.deref() !== undefined); i++) {
    await delay(5);
    collect();
  }
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});
