// One peer's bytes keep the event loop for a few milliseconds at most; then it is the others' turn.
import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import { createRouter } from "@wsgen/runtime";
import { describe, expect, it } from "vitest";
import { rawFrame } from "../raw-client.ts";
import { carriers, open } from "../rows/carrier.ts";
import { openPair, until } from "./socket-server.ts";

const COUNT = 400;

/** Keeps the processor for a millisecond. */
function work(): void {
  const end = performance.now() + 1;
  while (performance.now() < end);
}

/** Counts, in every turn of the event loop, how often `one` is called. */
function countTurns(): { one(): void; stop(): number } {
  let now = 0;
  let most = 0;
  let going = true;
  const turn = (): void => {
    most = Math.max(most, now);
    now = 0;
    if (going) setImmediate(turn);
  };
  turn();
  return {
    one: () => void now++,
    stop: () => {
      going = false;
      return Math.max(most, now);
    },
  };
}

describe("a peer that sends much at a time", () => {
  it.each(["sink", "reader"])("has its messages handled in order, some in each turn of the event loop (%s)", async (mode) => {
    const { conn, client } = await openPair();
    const turns = countTurns();
    const seen: number[] = [];
    const take = (data: Buffer): void => {
      turns.one();
      seen.push(data.readUInt16BE(0));
      work();
    };
    if (mode === "sink") conn.start({ message: take });
    else
      void (async () => {
        for await (const { data } of conn.messages()) take(data as Buffer);
      })();
    client.write(
      Buffer.concat(Array.from({ length: COUNT }, (_, i) => rawFrame({ opcode: 2, payload: Buffer.from([i >> 8, i, ...Array(20)]) }))),
    );
    await until(() => seen.length === COUNT, "all handled");
    expect(turns.stop()).toBeLessThan(50);
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  });

  it.each(carriers)("does not keep another waiting until all of it is handled %s", async (_carrier, tcp) => {
    const router = createRouter();
    let handled = 0;
    let before: number | undefined;
    router.ws("/flood", async (conn) => {
      for await (const _message of conn.messages()) {
        handled++;
        work();
      }
    });
    router.ws("/other", async (conn) => {
      for await (const _message of conn.messages()) before = handled;
    });
    const server = await open(tcp, router);
    const flooder = await server.raw("/flood");
    const other = await server.raw("/other");
    flooder.write(Buffer.concat(Array.from({ length: COUNT }, () => rawFrame({ opcode: 2, payload: Buffer.alloc(20) }))));
    await until(() => handled > 0, "the first handled");
    other.write(rawFrame({ opcode: 2, payload: "me" }));
    await until(() => handled === COUNT, "all handled");
    expect(before).toBeLessThan(COUNT / 2);
  });

  it("has its bombs below the limit inflated a few in each turn, in order", async () => {
    const router = createRouter({ deflate: true });
    const turns = countTurns();
    const seen: number[] = [];
    router.ws("/", async (conn) => {
      for await (const { data } of conn.messages()) {
        turns.one();
        seen.push((data as Buffer).readUInt8(0));
      }
    });
    const client = await (await open(true, router)).raw("/", { "Sec-WebSocket-Extensions": "permessage-deflate" });
    const bombs = Array.from({ length: 60 }, (_, i) => {
      const deflated = deflateRawSync(Buffer.alloc(2 ** 20, i), { finishFlush: constants.Z_SYNC_FLUSH });
      return rawFrame({ opcode: 2, rsv: 4, payload: deflated.subarray(0, -4) });
    });
    client.write(Buffer.concat(bombs));
    await until(() => seen.length === 60, "all inflated");
    expect(turns.stop()).toBeLessThan(30);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });
});
