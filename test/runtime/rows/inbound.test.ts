// Rows 21–35 of the checklist, each by its acceptance test, over TCP and in memory.
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { deflateRawSync } from "node:zlib";
import { type Connection, createRouter, type Frame, type Limits, type RouteOptions } from "@wsgen/runtime";
import { register } from "@wsgen/runtime/generated/server";
import { describe, expect, it } from "vitest";
import { contract, type QuizConnection } from "../contract-server/quiz.ts";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { carriers, open } from "./carrier.ts";

const echo = async (conn: Connection): Promise<void> => {
  for await (const message of conn.messages()) await conn.send(message);
};

describe.each(carriers)("what comes in %s", (_carrier, tcp) => {
  const serve = async (handler: (conn: Connection) => Promise<void>, limits: Partial<Limits> = {}, more: Partial<RouteOptions> = {}) => {
    const router = createRouter({ onError() {} });
    router.ws("/", { limits: { heartbeat: false, ...limits }, ...more, handler });
    return open(tcp, router);
  };
  const quiz = async (ask: (payload: { text: string }, conn: QuizConnection) => unknown, limits: Partial<Limits> = {}) => {
    const router = createRouter({ onError() {} });
    const handlers = { quiz: { messages: { ask, list: () => ({}), blob() {} } }, strict: { messages: { ask } } };
    register(router, contract, handlers, { limits });
    return open(tcp, router);
  };

  it("row 21: the handler's life is the connection's: returning is 1000, throwing 1011", async () => {
    const place = await serve(async (conn) => {
      if (conn.handshake.query.has("throw")) throw new Error("secret");
    });
    expect(await (await place.raw("/")).nextClose()).toEqual({ code: 1000, reason: "" });
    expect(await (await place.raw("/?throw")).nextClose()).toEqual({ code: 1011, reason: "" });
  });

  it("row 22: 10,000 messages come in order, and a second reader throws", async () => {
    const seen: string[] = [];
    let second: unknown;
    const place = await serve(async (conn) => {
      const messages = conn.messages();
      try {
        conn.messages();
      } catch (error) {
        second = error;
      }
      for await (const { data } of messages) seen.push(String(data));
    });
    const client = await place.raw();
    for (let i = 0; i < 10_000; i += 500) client.write(...Array.from({ length: 500 }, (_, k) => textFrame(String(i + k))));
    client.write(closeFrame(1000));
    await client.nextClose();
    await expect.poll(() => seen.length).toBe(10_000);
    expect(seen.every((text, index) => text === String(index))).toBe(true);
    expect(second).toMatchObject({ code: "WSGEN_USAGE" });
  });

  it("row 23: a header that announces one byte too many closes 1009 before the bytes, and so do two fragments that make it", async () => {
    const place = await serve(async (conn) => {
      for await (const message of conn.messages({ maxSize: 1024 })) await conn.send(message);
    });
    for (const frames of [
      [rawFrame({ opcode: 2, declaredLength: 1025 })],
      [rawFrame({ opcode: 2, payload: Buffer.alloc(1025) })],
      [rawFrame({ opcode: 2, payload: Buffer.alloc(1024), fin: false }), rawFrame({ opcode: 0, payload: "x" })],
    ]) {
      const client = await place.raw();
      client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(1024) }));
      expect((await client.next()).payload.length).toBe(1024);
      client.write(...frames);
      expect(await client.nextClose()).toEqual({ code: 1009, reason: "message too big" });
    }
    const million = await (await serve(echo)).raw();
    million.write(rawFrame({ opcode: 2, declaredLength: 2 ** 20 + 1, payload: Buffer.alloc(1000) }));
    expect((await million.nextClose()).code).toBe(1009);
    expect(million.socket.writableLength).toBe(0);
  });

  it("row 24: the first fragment is seen while the sender still holds the second", async () => {
    const seen: Frame[] = [];
    const place = await serve(async (conn) => {
      for await (const frame of conn.frames()) {
        seen.push(frame);
        await conn.send(frame.data);
      }
    });
    const client = await place.raw();
    client.write(rawFrame({ opcode: 1, payload: "he", fin: false }));
    expect((await client.next()).payload.toString()).toBe("he");
    client.write(rawFrame({ opcode: 0, payload: "llo" }));
    expect((await client.next()).payload.toString()).toBe("llo");
    expect(seen.map(({ type, fin }) => [type, fin])).toEqual([
      ["text", false],
      ["text", true],
    ]);
  });

  it("row 25: a message is read as it comes, far over what is kept in memory", async () => {
    const total = 200 * 2 ** 20;
    let read = 0;
    const place = await serve(async (conn) => {
      for await (const message of conn.messages({ stream: true, maxSize: 2 * total })) {
        for await (const chunk of message.stream()) read += chunk.length;
        await conn.send(String(read));
      }
    });
    const client = await place.raw();
    const part = rawFrame({ opcode: 0, payload: Buffer.alloc(2 ** 16), fin: false });
    client.write(rawFrame({ opcode: 2, fin: false }));
    let most = 0;
    for (let sent = 0; sent < total; sent += 2 ** 16) {
      if (!client.socket.write(Buffer.from(part))) await new Promise((resolve) => client.socket.once("drain", resolve));
      most = Math.max(most, sent - read);
    }
    client.write(rawFrame({ opcode: 0 }));
    expect(await client.nextText()).toBe(String(total));
    expect(most).toBeLessThan(16 * 2 ** 20); // The kernel's buffers, the inbox's 256 KiB and what the streams read ahead.
  });

  it("row 26: a frame may have a smaller limit than a message", async () => {
    const place = await serve(echo, { maxFrameSize: 8192 });
    const client = await place.raw();
    client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(8192), fin: false }), rawFrame({ opcode: 0, payload: Buffer.alloc(8192) }));
    expect((await client.next()).payload.length).toBe(16_384);
    client.write(rawFrame({ opcode: 2, payload: Buffer.alloc(8193) }));
    expect((await client.nextClose()).code).toBe(1009);
  });

  it("row 27: a consumer that stops is given no more than the mark, the sender waits, and compressed messages count inflated", async () => {
    let taken = 0;
    const stopped = async (conn: Connection): Promise<void> => {
      for await (const _ of conn.messages()) {
        taken++;
        await conn.closed;
      }
    };
    const plain = await (await serve(stopped)).raw();
    const ping = rawFrame({ opcode: 9, payload: "behind" });
    for (let i = 0; i < 400; i++) plain.write(rawFrame({ opcode: 2, payload: Buffer.alloc(40_000) }));
    plain.write(Buffer.from(ping));
    const compressed = await (await serve(stopped, {}, { deflate: true })).raw("/", { "Sec-WebSocket-Extensions": "permessage-deflate" });
    const bomb = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: 2 }).subarray(0, -4);
    for (let i = 0; i < 100; i++) compressed.write(rawFrame({ opcode: 2, rsv: 4, payload: bomb }));
    compressed.write(Buffer.from(ping));
    const before = process.memoryUsage().arrayBuffers;
    await pause(150);
    expect(taken).toBe(2);
    expect(plain.socket.writableLength).toBeGreaterThan(1_000_000);
    expect([...plain.pending, ...compressed.pending]).toEqual([]); // Nobody has come as far as the pings.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  });

  it("row 28: a handler may sleep five periods while its peer is alive, and a peer that dies meanwhile is found within two", async () => {
    const slept: unknown[] = [];
    const place = await serve(
      async (conn) => {
        for await (const { data } of conn.messages()) {
          await conn.send("begun");
          slept.push(await pause(Number(data), "whole", { signal: conn.signal }).catch((error: Error) => error.cause));
          await conn.send("awake");
        }
      },
      { heartbeat: { interval: 60, timeout: 60 }, closeTimeout: 20 },
    );
    const alive = await place.dial();
    alive.socket.send("300");
    expect([await alive.next(), await alive.next()]).toEqual(["begun", "awake"]);
    const dying = await place.raw();
    dying.write(textFrame("20000"));
    expect(await dying.nextClose()).toMatchObject({ code: 1001, reason: "ping timeout" }); // It answers no ping.
    await expect.poll(() => slept).toMatchObject(["whole", { closeCode: 1001 }]);
  });

  it("row 29: text and binary stay what they are, and a kind that a route does not speak is 1003", async () => {
    const client = await (await serve(echo)).dial();
    client.socket.send("aé🌍");
    client.socket.send(Buffer.from([0, 255]));
    expect([await client.next(), await client.next()]).toEqual(["aé🌍", Buffer.from([0, 255])]);
    const strict = await (await quiz(() => {})).raw("/strict");
    strict.write(rawFrame({ opcode: 2, payload: "x" }));
    expect(await strict.nextClose()).toEqual({ code: 1003, reason: "unsupported data type" });
  });

  it("row 30: text is UTF-8, wherever fragments cut it", async () => {
    const place = await serve(echo);
    const bad = await place.raw();
    bad.write(rawFrame({ opcode: 1, payload: Buffer.alloc(16, 0xff) }));
    expect((await bad.nextClose()).code).toBe(1007);
    const good = await place.raw();
    const euro = Buffer.from("€");
    good.write(rawFrame({ opcode: 1, payload: euro.subarray(0, 1), fin: false }), rawFrame({ opcode: 0, payload: euro.subarray(1) }));
    expect(await good.nextText()).toBe("€");
  });

  it("row 31: five fragments where three are allowed close 1008", async () => {
    const client = await (await serve(echo, { maxFragments: 3 })).raw();
    const parts = (count: number) =>
      Array.from({ length: count }, (_, i) => rawFrame({ opcode: i === 0 ? 1 : 0, payload: "x", fin: i === count - 1 }));
    client.write(...parts(3));
    expect(await client.nextText()).toBe("xxx");
    client.write(...parts(5));
    expect((await client.nextClose()).code).toBe(1008);
  });

  it("row 32: what breaks the protocol is 1002", async () => {
    const place = await serve(echo);
    const broken = {
      "a reserved opcode": rawFrame({ opcode: 3 }),
      "a reserved bit": rawFrame({ opcode: 1, rsv: 4, payload: "x" }),
      "no mask": rawFrame({ opcode: 1, payload: "x", mask: false }),
      "a ping in fragments": rawFrame({ opcode: 9, fin: false }),
      "a ping of 126 bytes": rawFrame({ opcode: 9, payload: Buffer.alloc(126) }),
      "a continuation of nothing": rawFrame({ opcode: 0, payload: "x" }),
      "a close code of 999": closeFrame(999),
      "half a close code": rawFrame({ opcode: 8, payload: "x" }),
    };
    for (const [what, frame] of Object.entries(broken)) {
      const client = await place.raw();
      client.write(frame);
      expect(await client.nextClose(), what).toEqual({ code: 1002, reason: "" });
    }
  });

  it("row 33: an invalid payload is answered with where and why, and no handler is called", async () => {
    let called = 0;
    const client = await (await quiz(() => void called++)).dial("/quiz/7?username=ada");
    client.socket.send('{"type":"ask","text":5}');
    expect(JSON.parse(String(await client.next()))).toEqual({ type: "problem", code: "invalid_message", detail: "/text must be string" });
    expect(called).toBe(0);
  });

  it("row 35: one handler of a connection runs at a time, or as many as the route allows", async () => {
    for (const concurrency of [1, 4]) {
      let running = 0;
      let most = 0;
      let done = 0;
      const place = await quiz(
        async () => {
          most = Math.max(most, ++running);
          await pause(20);
          running--;
          done++;
        },
        { concurrency },
      );
      const client = await place.dial("/quiz/7?username=ada");
      for (let i = 0; i < 8; i++) client.socket.send('{"type":"ask","text":"x"}');
      await expect.poll(() => done).toBe(8);
      expect(most).toBe(concurrency);
    }
  });
});
