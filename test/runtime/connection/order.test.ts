// Whatever is sent, however, to a peer of whatever speed: what arrives is in order and whole, and what does not was counted.
import { setTimeout as pause } from "node:timers/promises";
import { type Connection, ConnectionClosedError, createRouter, type Limits } from "@wsgen/runtime";
import { describe, expect, test } from "vitest";
import { carriers, open } from "../rows/carrier.ts";

/** Random numbers that are the same each time. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Sends numbered messages in every way there is, those in parts without a number; gives how many. */
async function talk(conn: Connection, random: (below: number) => number): Promise<number> {
  let sent = 0;
  const next = (): string => `#${sent++} `.padEnd(10 + random([50, 3_000, 40_000][random(3)] ?? 1));
  const inParts = async (): Promise<void> => {
    sent++;
    const message = conn.message("text");
    for (let part = 0; part < 1 + random(5); part++) {
      const written = message.write("~".repeat(1 + random(8_000)));
      if (random(3) === 0) void conn.send(next(), random(2) === 0 ? {} : { conflate: "a" });
      await written;
    }
    await message.close();
  };
  while (sent < 300 && !conn.signal.aborted) {
    for (let burst = random(20); burst >= 0; burst--) {
      const way = random(20);
      if (way < 11) void conn.send(next());
      else if (way < 13) void conn.send(next(), { volatile: true });
      else if (way < 15) void conn.send(next(), { conflate: String(way) });
      else if (way < 17) await conn.send(next());
      else if (way < 19) void conn.ping();
      else await inParts();
    }
    const rest = random(4);
    if (rest === 0) await new Promise(setImmediate);
    else if (rest === 1) await pause(random(4));
    else if (rest === 2) await conn.flushed();
  }
  return sent;
}

describe.each(carriers)("what is sent %s", (_carrier, tcp) => {
  test.each<Limits["overflow"]>(["close", "drop-oldest", "drop-newest", "conflate"])(
    "arrives in order and whole, or was dropped and counted, with the policy %s",
    async (overflow) => {
      const counts = new Map<string, { readonly sent: number; readonly dropped: number }>();
      const router = createRouter({ onError: (error) => expect(error).toBeInstanceOf(ConnectionClosedError) });
      for (const fragmentSize of [false, 700] as const) {
        router.ws(`/${fragmentSize}/{seed}`, {
          limits: { overflow, fragmentSize, highWaterMark: 70_000, closeTimeout: 2_000 },
          handler: async (conn) => {
            const sent = await talk(conn, randomly(Number(conn.params.seed)));
            counts.set(conn.handshake.path, { sent, dropped: conn.dropped });
            await conn.flushed();
          },
        });
      }
      const place = await open(tcp, router);
      const visit = async (path: string, seed: number): Promise<void> => {
        const random = randomly(seed);
        const { socket, messages, closed } = await place.dial(path);
        const slow = setInterval(() => {
          if (random(3) === 0) socket.pause();
          else socket.resume();
        }, 5);
        const { code } = await closed;
        clearInterval(slow);
        expect([1000, 1013]).toContain(code);
        const numbers = messages.flatMap((text) => (String(text).startsWith("#") ? [Number.parseInt(String(text).slice(1), 10)] : []));
        expect(numbers, path).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        expect(messages.filter((text) => !/^(#\d+ *|~+)$/.test(String(text)))).toEqual([]);
        const { sent, dropped } = counts.get(path) ?? { sent: 0, dropped: 0 };
        if (code === 1000) expect([path, messages.length]).toEqual([path, sent - dropped]);
      };
      const seeds = [1, 2, 3, 4, 5, 6];
      await Promise.all(seeds.flatMap((seed) => [visit(`/false/${seed}`, seed), visit(`/700/${seed}`, seed)]));
    },
  );
});
