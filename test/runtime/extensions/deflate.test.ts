import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { DeflateOptions } from "../../../runtime/src/index.ts";
import { processorTime } from "../../processor-time.mjs";
import { closeFrame, rawFrame, textFrame } from "../raw-client.ts";
import { connectRaw, connectWs, deflated, deflatedFrame, inflated, json, serveExtended } from "./extended-server.ts";

const taking = { serverNoContextTakeover: false, clientNoContextTakeover: false } as const;

describe("a compressed message", () => {
  test("is read and answered compressed when it is long enough, and in RSV1 alone", async () => {
    const client = await connectRaw(await serveExtended({ deflate: { minSize: 100 } }));
    const [long, small] = [json(1000), json(20)];
    client.write(deflatedFrame(long), deflatedFrame(small));
    const first = await client.next();
    expect([first.fin, first.rsv, first.opcode]).toEqual([true, 4, 1]);
    expect(inflated(first.payload).toString()).toBe(long);
    expect(first.payload.length).toBeLessThan(long.length / 2);
    const second = await client.next();
    expect([second.rsv, second.payload.toString()]).toEqual([0, small]);
  });

  test("may be the RFC's own examples (RFC 7692 section 7.2.3)", async () => {
    const client = await connectRaw(await serveExtended({ deflate: taking }));
    const examples = [
      "f248cdc9c90700", // one block
      "f248050000 00ffffcac9c90700", // two blocks
      "000500faff48656c6c6f00", // not compressed
      "f348cdc9c9070000", // its block is the last
      "f200110000", // refers to the message before it
    ].map((hex) => Buffer.from(hex.replace(" ", ""), "hex"));
    for (const payload of examples) {
      client.write(rawFrame({ opcode: 1, rsv: 4, payload }));
      expect(await client.nextText()).toBe("Hello");
    }
  });

  test("may come in fragments, of which only the first bears RSV1, with pings between them", async () => {
    const client = await connectRaw(await serveExtended({ deflate: true }));
    const payload = deflated("x".repeat(300) + json(200));
    client.write(
      rawFrame({ opcode: 1, rsv: 4, fin: false, payload: payload.subarray(0, 3) }),
      rawFrame({ opcode: 9, payload: "p" }),
      rawFrame({ opcode: 0, fin: false, payload: payload.subarray(3, 9) }),
      rawFrame({ opcode: 0, fin: false }),
      rawFrame({ opcode: 0, payload: payload.subarray(9) }),
    );
    expect((await client.next()).opcode).toBe(0xa);
    expect(await client.nextText()).toBe("x".repeat(300) + json(200));
  });

  test("may be empty, in both ways of writing that", async () => {
    const client = await connectRaw(await serveExtended({ deflate: { ...taking, minSize: 0 } }));
    for (const payload of [Buffer.from([0]), Buffer.alloc(0)]) {
      client.write(rawFrame({ opcode: 2, rsv: 4, payload }));
      const { opcode, payload: answer } = await client.next();
      expect([opcode, answer.length]).toEqual([2, 0]);
    }
  });

  test("that does not get smaller goes as it is, and the context goes on without it", async () => {
    const wsServer = await serveExtended({ deflate: { ...taking, minSize: 0 } });
    const client = await connectWs(wsServer, true);
    for (const message of [json(300), randomBytes(4000), json(300), randomBytes(40_000), json(300), "", ""]) {
      client.send(message);
      const [answer] = (await once(client, "message")) as [Buffer];
      expect(answer.equals(Buffer.from(message))).toBe(true);
    }
  });

  test("is split behind the compression, with RSV1 on its first frame alone", async () => {
    const text = json(40_000);
    const client = await connectRaw(await serveExtended({ deflate: true, limits: { fragmentSize: 1024 } }));
    client.write(textFrame(text));
    const frames = [await client.next()];
    while (frames.at(-1)?.fin === false) frames.push(await client.next());
    expect(frames.length).toBeGreaterThan(3);
    expect(frames.map(({ rsv, opcode }) => [rsv, opcode])).toEqual([[4, 1], ...frames.slice(1).map(() => [0, 0])]);
    expect(inflated(Buffer.concat(frames.map(({ payload }) => payload))).toString()).toBe(text);
  });

  test("refers to what was sent before with context takeover, and to nothing without", async () => {
    for (const [options, again] of [
      [taking, true],
      [{}, false],
      [{ clientNoContextTakeover: false }, false],
    ] as const) {
      const client = await connectRaw(await serveExtended({ deflate: { ...options, minSize: 100 } }));
      const text = json(600);
      const small = "small ".repeat(16); // 96 bytes that would shrink.
      client.write(textFrame(text), textFrame(small), textFrame(text));
      const first = (await client.next()).payload;
      expect(inflated(first).toString()).toBe(text);
      expect(await client.nextText()).toBe(small); // minSize holds with takeover too, and it leaves the context alone.
      const second = (await client.next()).payload;
      expect(second.length < first.length / 4).toBe(again);
      expect(inflated(second, again ? { dictionary: Buffer.from(text) } : {}).toString()).toBe(text);
    }
  });

  test("that refers to one before it is refused where that was not agreed on", async () => {
    const client = await connectRaw(await serveExtended({ deflate: true }));
    client.write(deflatedFrame("Hello"));
    expect(await client.nextText()).toBe("Hello");
    client.write(rawFrame({ opcode: 1, rsv: 4, payload: Buffer.from("f200110000", "hex") }));
    expect((await client.nextClose()).code).toBe(1007);
  });

  test("stays within the windows agreed on", async () => {
    const far = randomBytes(700).toString("hex");
    const message = far + "-".repeat(300) + far; // The repetition lies 1,700 bytes back: out of sight of a window of 1,024.
    const size = async (serverMaxWindowBits: number): Promise<number> => {
      const client = await connectRaw(await serveExtended({ deflate: { serverMaxWindowBits } }));
      client.write(textFrame(message));
      const { payload } = await client.next();
      expect(inflated(payload, { windowBits: serverMaxWindowBits }).toString()).toBe(message);
      return payload.length;
    };
    expect(await size(10)).toBeGreaterThan((await size(12)) + 500);
    expect(await size(8)).toBeGreaterThan((await size(12)) + 500);

    const limited = await connectRaw(
      await serveExtended({ deflate: { clientMaxWindowBits: 10 } }),
      "permessage-deflate; client_max_window_bits",
    );
    limited.write(rawFrame({ opcode: 1, rsv: 4, payload: deflated(message, { windowBits: 10 }) }));
    expect(inflated((await limited.next()).payload).toString()).toBe(message);
    limited.write(rawFrame({ opcode: 1, rsv: 4, payload: deflated(message) }));
    expect((await limited.nextClose()).code).toBe(1007);
  });
});

describe("what breaks the rules", () => {
  test.each<[what: string, frames: readonly Buffer[], code: number]>([
    [
      "RSV1 on a continuation",
      [rawFrame({ opcode: 1, rsv: 4, fin: false, payload: "a" }), rawFrame({ opcode: 0, rsv: 4, payload: "b" })],
      1002,
    ],
    ["RSV1 on a ping", [rawFrame({ opcode: 9, rsv: 4 })], 1002],
    ["RSV1 on a close frame", [rawFrame({ opcode: 8, rsv: 4 })], 1002],
    ["RSV2", [rawFrame({ opcode: 1, rsv: 2, payload: deflated("x") })], 1002],
    ["RSV1 and RSV3", [rawFrame({ opcode: 1, rsv: 5, payload: deflated("x") })], 1002],
    ["bytes that are not deflate", [rawFrame({ opcode: 1, rsv: 4, payload: Buffer.from("ffffffff", "hex") })], 1007],
    ["a message that ends inside a block", [rawFrame({ opcode: 1, rsv: 4, payload: deflated(json(500)).subarray(0, 90) })], 1007],
    ["compressed text that is not UTF-8", [rawFrame({ opcode: 1, rsv: 4, payload: deflated(Buffer.alloc(16, 0xff)) })], 1007],
    ["a compressed frame that is too large by itself", [rawFrame({ opcode: 1, rsv: 4, payload: "", declaredLength: 1001 })], 1009],
    ["a message that gets too large", [deflatedFrame("x".repeat(1001))], 1009],
    ["the same in fragments", fragmented(deflated("x".repeat(1001))), 1009],
  ])("%s closes with its code", async (_what, frames, code) => {
    const client = await connectRaw(await serveExtended({ deflate: true, limits: { maxMessageSize: 1000 } }));
    client.write(deflatedFrame("y".repeat(1000)));
    expect((await client.next()).payload.length).toBe(1000); // The limit itself, and less than minSize.
    client.write(...frames.map((frame) => Buffer.from(frame)));
    expect((await client.nextClose()).code).toBe(code);
    await client.ended;
  });

  test("RSV1 where compression was not agreed on closes with 1002", async () => {
    const client = await connectRaw(await serveExtended({}));
    client.write(deflatedFrame("x"));
    expect((await client.nextClose()).code).toBe(1002);
  });
});

function fragmented(payload: Buffer): Buffer[] {
  return [
    rawFrame({ opcode: 1, rsv: 4, fin: false, payload: payload.subarray(0, 4) }),
    rawFrame({ opcode: 0, payload: payload.subarray(4) }),
  ];
}

describe("bombs", () => {
  test("are stopped at the limit: 256 MiB of zeros close with 1009, soon, and need no memory", async () => {
    const bomb = rawFrame({ opcode: 2, rsv: 4, payload: deflated(Buffer.alloc(256 * 1024 * 1024)) });
    for (const options of [{}, taking]) {
      const client = await connectRaw(await serveExtended({ deflate: options }));
      const before = process.memoryUsage.rss();
      const started = processorTime();
      client.write(Buffer.from(bomb));
      expect(await client.nextClose()).toEqual({ code: 1009, reason: "message too big" });
      expect(processorTime() - started).toBeLessThan(500);
      expect(process.memoryUsage.rss() - before).toBeLessThan(24 * 1024 * 1024);
    }
  });

  test("below the limit meet exact back pressure: inflated bytes are what the inbox counts", async () => {
    const extended = await serveExtended({ deflate: true }, () => new Promise(() => {}));
    const client = await connectRaw(extended);
    const one = rawFrame({ opcode: 2, rsv: 4, payload: deflated(Buffer.alloc(1024 * 1024)) });
    const before = process.memoryUsage();
    client.write(...Array.from({ length: 500 }, () => Buffer.from(one)));
    client.write(rawFrame({ opcode: 9, payload: "behind" }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    // The inbox is full with the first; the other 499 wait compressed.
    expect(client.pending).toEqual([]);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(16 * 1024 * 1024);
  });
});

describe("limits of what comes in", () => {
  test("count inflated bytes: 500 bombs below the message limit close with 1008, and those behind the close are not inflated", async () => {
    const client = await connectRaw(await serveExtended({ deflate: true, limits: { inboundRate: { bytes: 8 * 1024 * 1024 } } }));
    const one = rawFrame({ opcode: 2, rsv: 4, payload: deflated(Buffer.alloc(1024 * 1024)) });
    const bytes = Buffer.concat(Array.from({ length: 500 }, () => one));
    const before = process.cpuUsage();
    client.write(bytes);
    expect(await client.nextClose()).toEqual({ code: 1008, reason: "rate limit" });
    client.write(closeFrame(1008));
    await client.ended;
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(280); // ms: about 100, and above 400 for all of them.
  });

  test("hold for frames() as well: a compressed message is one frame, others come as they are sent", async () => {
    const seen: string[] = [];
    const extended = await serveExtended({ deflate: true, limits: { maxMessageSize: 1000 } }, async (conn) => {
      for await (const { type, data, fin } of conn.frames({ maxSize: 5000 })) {
        seen.push(`${type} ${data.length} ${fin}`);
        await conn.send("next");
      }
    });
    const client = await connectRaw(extended);
    client.write(...fragmented(deflated("x".repeat(900))));
    await client.next();
    client.write(rawFrame({ opcode: 2, fin: false, payload: "part" }));
    await client.next();
    client.write(rawFrame({ opcode: 0, payload: "rest" }));
    await client.next();
    expect(seen).toEqual(["text 900 true", "binary 4 false", "binary 4 true"]);
    client.write(deflatedFrame("x".repeat(1001))); // What is needed whole is bounded by the route's limit.
    expect((await client.nextClose()).code).toBe(1009);
  });
});

/** Every text that a client is sent; `ended` settles with the text "end". */
function listen(client: WebSocket): { readonly texts: string[]; readonly ended: Promise<void> } {
  const texts: string[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    client.on("error", reject);
    client.on("message", (data: Buffer) => {
      texts.push(data.toString());
      if (data.toString() === "end") resolve();
    });
  });
  return { texts, ended };
}

describe("beside ws's client", () => {
  const bits = [8, 9, 10, 15];
  const combinations: [server: DeflateOptions, client: object][] = [];
  for (const serverNoContextTakeover of [true, false]) {
    for (const clientNoContextTakeover of [true, false]) {
      const takeover = { serverNoContextTakeover, clientNoContextTakeover, minSize: 64 };
      for (const windowBits of bits) {
        combinations.push([{ ...takeover, serverMaxWindowBits: windowBits, clientMaxWindowBits: windowBits === 8 ? 9 : windowBits }, {}]);
        combinations.push([takeover, { serverMaxWindowBits: windowBits, clientMaxWindowBits: Math.max(9, windowBits) }]);
      }
      combinations.push([takeover, { serverNoContextTakeover: true }], [takeover, { clientNoContextTakeover: true }]);
      combinations.push(
        [{ ...takeover, level: 1, memLevel: 1 }, {}],
        [{ ...takeover, level: 9, memLevel: 9, minSize: 0 }, { threshold: 0 }],
      );
      combinations.push([{ ...takeover, level: 0 }, {}]);
    }
  }

  test.each(combinations)("server %j, client %j", async (server, options) => {
    const client = await connectWs(await serveExtended({ deflate: server }), options);
    expect(client.extensions).toMatch(/^permessage-deflate/);
    const messages = [json(500), "ä€🌍".repeat(200), json(3000), "", "x", json(500), json(90_000, 7), randomBytes(2000), json(500)];
    const answers: Buffer[] = [];
    client.on("message", (data: Buffer) => void answers.push(data));
    for (const message of messages) client.send(message);
    client.send("end");
    while (answers.length <= messages.length) await once(client, "message");
    for (const [index, message] of messages.entries()) expect(answers[index]?.equals(Buffer.from(message))).toBe(true);
    client.close(4000);
    expect((await once(client, "close"))[0]).toBe(4000);
  });

  test("fragments of ws, and of what is streamed to it, are put together", async () => {
    const client = await connectWs(await serveExtended({ deflate: { ...taking, minSize: 0 } }), { threshold: 0 });
    for (let round = 0; round < 3; round++) {
      client.send("one ".repeat(50), { fin: false });
      client.send("two ".repeat(50), { fin: false });
      client.send("three", { fin: true });
      const [answer] = (await once(client, "message")) as [Buffer];
      expect(answer.toString()).toBe(`${"one ".repeat(50)}${"two ".repeat(50)}three`);
    }
  });

  test("contexts survive messages that are dropped for a slow consumer: there is none to take over then", async () => {
    for (const overflow of ["drop-oldest", "drop-newest", "conflate"] as const) {
      const extended = await serveExtended(
        { deflate: { ...taking, minSize: 0 }, limits: { overflow, highWaterMark: 64 * 1024 } },
        async (conn) => {
          for await (const _ of conn.messages()) {
            for (let i = 0; i < 3000; i++) void conn.send(`${i} ${noise.slice(i % 500)}`);
            await conn.flushed();
            void conn.send(`0 ${noise}`);
            void conn.send("end");
          }
        },
      );
      const noise = randomBytes(3000).toString("base64");
      const client = await connectWs(extended, true);
      const { texts, ended } = listen(client);
      client.send("go");
      await ended;
      expect(extended.connections[0]?.dropped).toBeGreaterThan(100);
      for (const text of texts.slice(0, -1)) expect(text).toBe(`${parseInt(text, 10)} ${noise.slice(parseInt(text, 10) % 500)}`);
    }
  });

  test("contexts survive messages that their sender lets go: a slow peer gets those uncompressed", async () => {
    const extended = await serveExtended({ deflate: { ...taking, minSize: 0 } }, async (conn) => {
      for await (const _ of conn.messages()) {
        for (let i = 0; i < 3000; i++) {
          const text = `${i} ${randomBytes(3000).toString("base64")} ${"and so on ".repeat(20)}`;
          sent.push(text);
          void conn.send(text, i % 2 === 0 ? { volatile: true } : { conflate: `${i % 7}` });
          if (i % 10 === 0) await new Promise(setImmediate);
          if (i % 100 === 0) void conn.send(text);
        }
        await conn.flushed();
        void conn.send("end");
      }
    });
    const sent: string[] = [];
    const client = await connectWs(extended, true);
    const { texts, ended } = listen(client);
    client.send("go");
    client.pause();
    while ((extended.connections[0]?.dropped ?? 0) < 300) await new Promise((resolve) => setTimeout(resolve, 5));
    client.resume();
    await ended;
    const dropped = extended.connections[0]?.dropped ?? 0;
    expect(dropped).toBeGreaterThan(100);
    expect(texts.length).toBe(3031 - dropped);
    for (const text of texts.slice(0, -1)) expect(text).toBe(sent[parseInt(text, 10)]);
    for (let last = 2987; last <= 2999; last += 2) expect(texts.some((text) => text.startsWith(`${last} `))).toBe(true);
  });

  test("a message in parts goes uncompressed, and what is sent meanwhile comes compressed behind it", async () => {
    const extended = await serveExtended({ deflate: { ...taking, minSize: 0 } }, async (conn) => {
      for await (const _ of conn.messages()) {
        const message = conn.message("text");
        await message.write("begin ");
        void conn.send(json(500));
        await message.write("middle ");
        void conn.send(json(500));
        await message.write("end");
        await message.close();
        void conn.send(json(500));
      }
    });
    const client = await connectWs(extended, true);
    const texts: string[] = [];
    client.on("message", (data: Buffer) => void texts.push(data.toString()));
    for (let round = 1; round <= 3; round++) {
      client.send("go");
      while (texts.length < 4 * round) await once(client, "message");
    }
    expect(texts).toEqual(Array.from({ length: 3 }, () => ["begin middle end", json(500), json(500), json(500)]).flat());
  });

  test("5,000 messages of all sizes keep their order among those that are not compressed", async () => {
    const client = await connectWs(await serveExtended({ deflate: { ...taking, minSize: 200 } }), true);
    let next = 0;
    const done = new Promise<void>((resolve, reject) => {
      client.on("message", (data: Buffer) => {
        if (Number(data.toString().split(" ")[0]) !== next) reject(new Error(`${data.toString().slice(0, 20)} instead of ${next}`));
        if (++next === 5000) resolve();
      });
    });
    for (let i = 0; i < 5000; i++) client.send(`${i} ${"a".repeat((i * 37) % 400)}`, { compress: i % 3 === 0 });
    await done;
  });
});

/** Bytes outside of the heap after a collection; after more of them, for two seconds, as long as they are too many. */
async function collected(most = Number.POSITIVE_INFINITY): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; ; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
    const { arrayBuffers } = process.memoryUsage();
    if (i === 40 || (i > 0 && arrayBuffers < most)) return arrayBuffers;
  }
}

describe("the end", () => {
  test("leaves nothing behind after 1,000 connections", async () => {
    const extended = await serveExtended({ deflate: { ...taking, minSize: 0 } });
    const text = json(9000);
    const before = await collected();
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(extended)));
      await Promise.all(
        clients.map(async (client) => {
          client.write(deflatedFrame(text));
          await client.next();
          client.write(closeFrame(1000));
          await client.ended;
        }),
      );
    }
    await Promise.all(extended.connections.map(({ closed }) => closed));
    expect(extended.connections.length).toBe(1000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(extended.server.connections).toBe(0);
    expect(process.getActiveResourcesInfo().filter((name) => /zlib/i.test(name))).toEqual([]);
    // The test itself holds on to the connections; two contexts of 8 KiB and more each would be 17 MB.
    expect(await collected(before + 6_000_000)).toBeLessThan(before + 6_000_000);
  });

  test("needs no zlib stream to be closed in between: a context is 8 KiB out and what was received in, of 32 KiB at most", async () => {
    const extended = await serveExtended({ deflate: { ...taking, minSize: 0 } });
    const clients = await Promise.all(Array.from({ length: 40 }, () => connectRaw(extended)));
    const talk = async (text: string): Promise<void> => {
      for (const client of clients) client.write(deflatedFrame(text));
      await Promise.all(clients.map((client) => client.next()));
    };
    const idle = await collected();
    const expectEach = async (bytes: number): Promise<void> => {
      const most = idle + bytes * clients.length;
      expect(await collected(most)).toBeLessThan(most);
    };
    await talk(json(2000));
    await expectEach(8 * 1024);
    await talk(json(40_000));
    await talk(json(90_000));
    await expectEach(44 * 1024);
  });

  test("may come while a message is being compressed for a peer that has gone", async () => {
    const extended = await serveExtended({ deflate: true }, async (conn) => {
      await conn.closed;
      await expect(conn.send(json(2000))).rejects.toThrow("closed");
    });
    const client = await connectRaw(extended);
    client.reset();
    await extended.connections[0]?.closed;
    expect(extended.errors).toEqual([]);
  });
});
