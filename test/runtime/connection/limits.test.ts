import { Buffer } from "node:buffer";
import { describe, expect, test, vi } from "vitest";
import { defaultLimits, type Limits } from "../../../runtime/src/connection/connection.ts";
import { WsgenError } from "../../../runtime/src/errors.ts";
import { createRouter } from "../../../runtime/src/index.ts";
import { rawFrame, textFrame } from "../raw-client.ts";
import { delay, openPair, startEcho, startRecorder, until } from "./socket-server.ts";

describe("maxFrameSize and maxFragments", () => {
  test("close 1009 on a frame over the limit, from its header, whatever a message may hold", async () => {
    const { conn, client } = await openPair({ maxFrameSize: 8192 });
    const { messages } = startRecorder(conn);
    const half = Buffer.alloc(8192, 97);
    client.write(rawFrame({ opcode: 1, payload: half, fin: false }), rawFrame({ opcode: 0, payload: half }));
    await until(() => messages.length === 1, "a message of two frames");
    client.write(rawFrame({ opcode: 2, declaredLength: 8193 }).subarray(0, 4));
    expect(await client.nextClose()).toEqual({ code: 1009, reason: "message too big" });
  });

  test("close 1008 on one fragment too many", async () => {
    const { conn, client } = await openPair({ maxFragments: 3 });
    const { messages } = startRecorder(conn);
    const fragments = (count: number): Buffer[] =>
      Array.from({ length: count }, (_, i) => rawFrame({ opcode: i === 0 ? 1 : 0, payload: "x", fin: i === count - 1 }));
    client.write(...fragments(3), ...fragments(5));
    expect(await client.nextClose()).toEqual({ code: 1008, reason: "too many fragments" });
    expect(messages).toEqual(["xxx"]);
  });

  test("bound the frames of streamed messages, and not their number", async () => {
    const { conn, client } = await openPair({ maxFrameSize: 4096, maxMessageSize: 100, maxFragments: 3 });
    const frames = conn.frames({ maxSize: 10_000 })[Symbol.asyncIterator]();
    for (let i = 0; i < 6; i++) client.write(rawFrame({ opcode: i === 0 ? 2 : 0, payload: Buffer.alloc(1500), fin: false }));
    for (let i = 0; i < 6; i++) expect((await frames.next()).value?.data.length).toBe(1500);
    client.write(rawFrame({ opcode: 0, declaredLength: 1001 }).subarray(0, 4));
    expect((await client.nextClose()).code).toBe(1009);
  });
});

describe("idleTimeout", () => {
  test("closes 1001 when no message goes either way, pings or not", async () => {
    const started = performance.now();
    const { conn, client } = await openPair({ idleTimeout: 100, heartbeat: { interval: 20, timeout: 10_000 } });
    startEcho(conn);
    const pinging = setInterval(() => client.write(rawFrame({ opcode: 9 }), rawFrame({ opcode: 10 })), 10);
    expect(await client.nextClose()).toEqual({ code: 1001, reason: "idle timeout" });
    clearInterval(pinging);
    expect(performance.now() - started).toBeGreaterThan(90);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test.each(["in", "out"])("starts again with every message %s", async (way) => {
    const { conn, client } = await openPair({ idleTimeout: 250 });
    startRecorder(conn);
    for (let i = 0; i < 12; i++) {
      await delay(30);
      if (way === "in") client.write(textFrame("x"));
      else void conn.send("x");
    }
    expect(conn.signal.aborted).toBe(false);
    expect((await client.nextClose()).code).toBe(1001);
  });

  test("does not run while a handler does", async () => {
    const { conn, client } = await openPair({ idleTimeout: 50 });
    conn.start({ message: () => delay(500) });
    client.write(textFrame("x"));
    await delay(150);
    expect(conn.signal.aborted).toBe(false);
    expect((await client.nextClose()).code).toBe(1001);
  });
});

describe("maxLifetime", () => {
  test("closes 1001 at that age, more or less, however busy the connection is", async () => {
    const ages: number[] = [];
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        const started = performance.now();
        const { conn, client } = await openPair({ maxLifetime: 200 });
        startRecorder(conn);
        const talking = setInterval(() => client.write(textFrame("x")), 10);
        expect(await client.nextClose()).toEqual({ code: 1001, reason: "lifetime over" });
        clearInterval(talking);
        ages.push(performance.now() - started);
      }),
    );
    for (const age of ages) expect(age).toBeGreaterThan(170);
    for (const age of ages) expect(age).toBeLessThan(10_000);
  });
});

describe("maxStall", () => {
  test("closes 1013 when what the peer sent waits too long, and not before", async () => {
    const { conn, client } = await openPair({ maxStall: 100 });
    conn.start({ message: () => new Promise(() => {}) });
    for (let i = 0; i < 10; i++) client.write(textFrame("x"));
    await delay(150);
    expect(conn.signal.aborted).toBe(false); // They wait in the inbox, and the wire is read.
    for (let i = 0; i < 10; i++) client.write(textFrame("x"));
    expect(await client.nextClose()).toEqual({ code: 1013, reason: "try again later" });
  });

  test("lets a handler be slow that gets on", async () => {
    const { conn, client } = await openPair({ maxStall: 200 });
    let done = 0;
    conn.start({
      message: async () => {
        await delay(5);
        done++;
      },
    });
    client.write(...Array.from({ length: 60 }, () => textFrame("x")));
    await until(() => done === 60, "all messages");
    expect(conn.signal.aborted).toBe(false);
  });
});

describe("inboundRate", () => {
  test("closes 1008 on more messages a second than allowed, and delivers those that were", async () => {
    const { conn, client } = await openPair({ inboundRate: { messages: 20 } });
    const { messages } = startRecorder(conn);
    client.write(...Array.from({ length: 30 }, (_, i) => textFrame(String(i))));
    expect(await client.nextClose()).toEqual({ code: 1008, reason: "rate limit" });
    expect(messages).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  test("ends TCP behind the close frame, for who sends too much may never read it", async () => {
    const { conn, client } = await openPair({ inboundRate: { messages: 20 }, closeTimeout: 60_000 });
    startRecorder(conn);
    client.write(...Array.from({ length: 30 }, (_, i) => textFrame(String(i))));
    expect(await client.nextClose()).toEqual({ code: 1008, reason: "rate limit" });
    await client.ended; // Long before closeTimeout.
    expect(await conn.closed).toMatchObject({ code: 1008, wasClean: false });
  });

  test("counts bytes, of fragments that are streamed as well, and pings", async () => {
    const limits = [{ bytes: 10_000 }, { bytes: 10_000 }, { messages: 10 }];
    const floods = [
      rawFrame({ opcode: 2, payload: Buffer.alloc(3000) }),
      rawFrame({ opcode: 0, payload: Buffer.alloc(3000), fin: false }),
      rawFrame({ opcode: 9 }),
    ];
    for (const [index, inboundRate] of limits.entries()) {
      const { conn, client } = await openPair({ inboundRate });
      if (index === 1) conn.frames();
      else startEcho(conn);
      if (index === 1) client.write(rawFrame({ opcode: 2, fin: false }));
      for (let i = 0; i < 12; i++) client.write(floods[index] ?? Buffer.alloc(0));
      expect(await client.nextClose()).toEqual({ code: 1008, reason: "rate limit" });
    }
  });

  test("lets a steady peer below it go on, and fills up again", async () => {
    const { conn, client } = await openPair({ inboundRate: { messages: 200, bytes: 2000 } });
    const { messages } = startRecorder(conn);
    for (let round = 0; round < 4; round++) {
      client.write(...Array.from({ length: 40 }, () => textFrame("x".repeat(10))));
      await delay(230);
    }
    expect(messages.length).toBe(160);
    expect(conn.signal.aborted).toBe(false);
  });

  test("does not hold against the peer what piled up while we did not read", async () => {
    const { conn, client } = await openPair({ inboundRate: { messages: 100 } });
    let done = 0;
    conn.start({ message: () => (done++ === 0 ? delay(1400) : undefined) });
    let written = 0;
    const began = performance.now();
    const writing = setInterval(() => {
      // 95 a second, however often a busy machine comes here.
      for (const due = (performance.now() - began) * 0.095; written < due; written++) client.write(textFrame("x"));
    }, 21);
    await delay(1450);
    clearInterval(writing);
    await until(() => done === written, "all of them");
    expect(done).toBeGreaterThan(60);
    expect(conn.signal.aborted).toBe(false);
  });
});

test("a rate is the same whether or not its peer is held back again and again", async () => {
  const { conn, client } = await openPair({ inboundRate: { messages: 200 } });
  let handled = 0;
  conn.start({
    message: async () => {
      handled++;
      await delay(1);
    },
  });
  const started = performance.now();
  const flooding = setInterval(() => client.write(...Array.from({ length: 40 }, () => textFrame("x"))), 5);
  expect((await client.nextClose()).code).toBe(1008);
  clearInterval(flooding);
  expect(handled).toBeLessThanOrEqual(200 + ((performance.now() - started) / 1000) * 200 + 20);
});

describe("concurrency", () => {
  test.each([1, 4])("lets %i handlers of a connection run at a time, begun in order", async (concurrency) => {
    const { conn, client } = await openPair({ concurrency });
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    conn.start({
      message: async (data) => {
        begun.push(Number(data));
        most = Math.max(most, ++running);
        await delay((Number(data) % 3) + 1);
        running--;
      },
    });
    client.write(...Array.from({ length: 40 }, (_, i) => textFrame(String(i))));
    await until(() => begun.length === 40 && running === 0, "all handlers");
    expect(most).toBe(concurrency);
    expect(begun).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  test("tells the end behind the last message that waits", async () => {
    const { conn, client } = await openPair({ concurrency: 2 });
    const events: string[] = [];
    conn.start({
      message: async (data) => {
        events.push(data.toString());
        await delay(10);
      },
      closed: () => void events.push("closed"),
    });
    client.write(textFrame("a"), textFrame("b"), textFrame("c"));
    await delay(2);
    client.reset();
    await until(() => events.includes("closed"), "the end");
    expect(events).toEqual(["a", "b", "c", "closed"]);
  });
});

describe("limits that cannot work", () => {
  test.each([
    [{ fragmentSize: 0 }, "limits: fragmentSize is 0; it must be a number from 1, or false."],
    [{ maxMessageSize: Number.NaN }, "maxMessageSize is null"],
    [{ maxMessageSize: false }, "it must be a number from 1."],
    [{ idleTimeout: 2 ** 31 }, "idleTimeout is 2147483648"],
    [{ concurrency: 0 }, "concurrency"],
    [{ overflow: "drop" }, "one of close, drop-oldest, drop-newest, conflate"],
    [{ heartbeat: { interval: 0, timeout: 1 } }, "heartbeat.interval is 0"],
    [{ inboundRate: { bytes: -1 } }, "inboundRate.bytes is -1"],
    [{ maxSize: 1 }, "limits: maxSize is 1; it must be one of maxMessageSize, "],
    [{ inboundRate: undefined }, "limits: inboundRate is undefined; it must be left out, or set to something."],
  ])("are refused in words when the router is made: %j", (limits, message) => {
    expect(() => createRouter({ limits: limits as Partial<Limits> })).toThrow(message);
  });

  test("are not those that are off, the defaults, and what suites raise", () => {
    const off = { maxFrameSize: false, inboundRate: false, heartbeat: false, fragmentSize: false } as const;
    expect(() => createRouter({ limits: { ...defaultLimits, ...off, maxMessageSize: 2 ** 40, maxFragments: Infinity } })).not.toThrow();
  });
});

describe("conn.limits", () => {
  test("allow a larger message only after the change, and a smaller one again", async () => {
    const { conn, client } = await openPair({ maxMessageSize: 10 });
    conn.start({
      message: (data) => {
        const text = data.toString();
        if (text === "login") conn.limits.maxMessageSize = 1000;
        if (text === "logout") conn.limits.maxMessageSize = 10;
        void conn.send(String(data.length));
      },
    });
    client.write(textFrame("login"), textFrame("x".repeat(1000)), textFrame("logout"), textFrame("x".repeat(11)));
    expect([await client.nextText(), await client.nextText(), await client.nextText()]).toEqual(["5", "1000", "6"]);
    expect((await client.nextClose()).code).toBe(1009);
    expect(conn.limits.maxMessageSize).toBe(10);
  });

  test("are followed by a reader without a limit of its own, in the middle of a message too, and not by one with", async () => {
    const { conn, client } = await openPair({ maxMessageSize: 10 });
    const messages = conn.messages()[Symbol.asyncIterator]();
    client.write(rawFrame({ opcode: 1, payload: "0123456789", fin: false }));
    await delay(10);
    conn.limits.maxMessageSize = 20;
    client.write(rawFrame({ opcode: 0, payload: "0123456789" }));
    expect((await messages.next()).value?.data).toBe("01234567890123456789");
    await messages.return?.();
    const frames = conn.frames({ maxSize: 30 })[Symbol.asyncIterator]();
    conn.limits.maxMessageSize = 100;
    client.write(textFrame("x".repeat(30)));
    expect((await frames.next()).value?.data.length).toBe(30);
    client.write(textFrame("x".repeat(31)));
    expect((await client.nextClose()).code).toBe(1009);
  });

  test("throw on what is no size", async () => {
    const { conn } = await openPair();
    for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => {
        conn.limits.maxMessageSize = size;
      }).toThrow(WsgenError);
    }
  });
});

test("limits that are switched off make no timer, and those of closed connections stop theirs", async () => {
  const made = vi.spyOn(globalThis, "setInterval");
  const stopped = vi.spyOn(globalThis, "clearInterval");
  const off = await openPair();
  expect(made).not.toHaveBeenCalled();
  const on = [
    await openPair({ idleTimeout: 5001, maxLifetime: 6001, maxStall: 7001 }),
    await openPair({ idleTimeout: 5001, maxLifetime: 6001 }),
  ];
  expect(made).toHaveBeenCalledTimes(2); // One for each delay that runs, whoever has it.
  for (const { conn } of [off, ...on]) conn.terminate();
  await Promise.all([off, ...on].map(({ conn }) => conn.closed));
  expect(stopped).toHaveBeenCalledTimes(2);
  vi.restoreAllMocks();
});
