import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { ConnectionClosedError, WsgenError } from "../../../runtime/src/errors.ts";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { delay, openPair, startEcho, startRecorder, until } from "./socket-server.ts";

const heartbeat = { interval: 40, timeout: 40 };

/** Answers every ping until told to stop. */
function answerPings(client: Awaited<ReturnType<typeof openPair>>["client"]): { pings: number } {
  const seen = { pings: 0 };
  void (async () => {
    for (;;) {
      const { opcode, payload } = await client.next();
      if (opcode !== 9) continue;
      seen.pings++;
      client.write(rawFrame({ opcode: 10, payload }));
    }
  })().catch(() => {}); // TCP has ended.
  return seen;
}

describe("heartbeat", () => {
  test("closes 1001 within two periods when nothing comes from the peer", async () => {
    const started = performance.now();
    const { conn, client } = await openPair({ heartbeat, closeTimeout: 20 });
    startEcho(conn);
    expect((await client.next()).opcode).toBe(9);
    expect(await client.nextClose()).toEqual({ code: 1001, reason: "ping timeout" });
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(70);
    expect(took).toBeLessThan(10_000); // 80 and what a busy machine adds.
    expect(await conn.closed).toEqual({ code: 1001, reason: "ping timeout", wasClean: false, meaning: "goingAway" });
  });

  test("keeps a peer that answers", async () => {
    const { conn, client } = await openPair({ heartbeat });
    startEcho(conn);
    const seen = answerPings(client);
    await delay(300);
    expect(conn.signal.aborted).toBe(false);
    expect(seen.pings).toBeGreaterThanOrEqual(4);
  });

  test("takes any byte for life, even of half a frame", async () => {
    // Longer than what a busy machine takes a nap for, and all of it longer than both.
    const { conn, client } = await openPair({ heartbeat: { interval: 150, timeout: 150 } });
    startRecorder(conn);
    for (const byte of textFrame("0123456789")) {
      client.socket.write(Buffer.from([byte]));
      await delay(40);
    }
    expect(conn.signal.aborted).toBe(false);
  });

  test("pings on while a handler is slow and the inbox is full, and does not hold the silence behind it against the peer", async () => {
    const { conn, client } = await openPair({ heartbeat });
    let done = 0;
    let finish: (() => void) | undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    conn.start({
      message: async () => {
        await slow;
        done++;
      },
    });
    client.write(...Array.from({ length: 200 }, () => textFrame("x")));
    const seen = answerPings(client);
    await until(() => seen.pings >= 3, "three pings while the first message is handled");
    expect(done).toBe(0);
    finish?.();
    await until(() => done === 200, "all messages");
    expect(conn.signal.aborted).toBe(false);
  });

  test("does not give up on one whose pong lies unread, because the last message before it is taken while another is given up", async () => {
    const mute = await openPair({ heartbeat: { interval: 200, timeout: 200 }, closeTimeout: 20 });
    const { conn, client } = await openPair({ heartbeat: { interval: 200, timeout: 200 } });
    const seen = answerPings(client);
    client.write(...Array.from({ length: 16 }, () => textFrame("fills the inbox")));
    await until(() => seen.pings >= 1, "a ping");
    const reader = conn.messages()[Symbol.asyncIterator]();
    mute.conn.signal.addEventListener("abort", () => void reader.next());
    await mute.conn.closed;
    await delay(20);
    expect(conn.signal.aborted).toBe(false);
  });

  test("survives a turn that blocks longer than the timeout", async () => {
    const { conn, client } = await openPair({ heartbeat: { interval: 30, timeout: 100 } });
    startEcho(conn);
    await client.next(); // A ping left. Its pong lies in the kernel while we block.
    client.write(rawFrame({ opcode: 10 }));
    const end = performance.now() + 150;
    while (performance.now() < end);
    client.write(rawFrame({ opcode: 10 }));
    await delay(60);
    expect(conn.signal.aborted).toBe(false);
  });

  test("works with a timeout longer than the interval", async () => {
    const { conn, client } = await openPair({ heartbeat: { interval: 50, timeout: 1_000 }, closeTimeout: 10 });
    startEcho(conn);
    for (let i = 0; i < 2; i++) expect((await client.next()).opcode).toBe(9); // Unanswered, and not yet held against it.
    expect((await client.nextClose()).code).toBe(1001);
  });

  test("is silent when switched off, and after the close", async () => {
    const off = await openPair({ heartbeat: false });
    const closing = await openPair({ heartbeat: { interval: 10, timeout: 1000 } });
    void closing.conn.close();
    await closing.client.nextClose();
    await delay(60);
    expect(off.client.pending).toEqual([]);
    expect(closing.client.pending).toEqual([]);
    closing.client.write(closeFrame(1000));
    expect(await closing.conn.closed).toMatchObject({ code: 1000 });
  });
});

describe("ping", () => {
  test("gives the round-trip time, whichever of several pings is answered first", async () => {
    const { conn, client } = await openPair();
    const pings = [conn.ping(), conn.ping(Buffer.from("mine")), conn.ping()];
    const frames = [await client.next(), await client.next(), await client.next()];
    expect(frames[1]?.payload.toString()).toBe("mine");
    client.write(rawFrame({ opcode: 10, payload: "of nothing" }));
    await delay(20);
    client.write(rawFrame({ opcode: 10, payload: frames[1]?.payload ?? "" }));
    expect(await pings[0]).toBeGreaterThanOrEqual(15);
    expect(await pings[1]).toBeLessThan(2000);
    client.write(rawFrame({ opcode: 10, payload: frames[2]?.payload ?? "" }));
    expect(await pings[2]).toBeGreaterThan(0);
  });

  test("throws on more than 125 bytes and rejects when the connection closes", async () => {
    const { conn, client } = await openPair();
    expect(() => conn.ping(new Uint8Array(126))).toThrow(WsgenError);
    const ping = conn.ping(new Uint8Array(125));
    expect((await client.next()).payload.length).toBe(125);
    client.reset();
    await expect(ping).rejects.toThrow(ConnectionClosedError);
    await expect(conn.ping()).rejects.toThrow(ConnectionClosedError);
  });

  test("of the peer is answered byte for byte, empty ones as well", async () => {
    const { conn, client } = await openPair();
    startEcho(conn);
    for (const size of [0, 1, 125]) {
      const payload = Buffer.alloc(size, 0xf0);
      client.write(rawFrame({ opcode: 9, payload }));
      expect(await client.next()).toMatchObject({ opcode: 10, fin: true, payload });
    }
    client.write(rawFrame({ opcode: 10, payload: "unasked" }), textFrame("still here"));
    expect(await client.nextText()).toBe("still here");
  });
});
