// R18: a server with many clients is killed, and is back after 300 ms.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { createClient } from "@wsgen/runtime/client";
import { startSubject } from "./process.mjs";

const AWAY = 300;
/** Within so many ms after it lost its connection a client tries again. */
const WINDOW = 3_000;

const contract = {
  version: 1,
  generator: "",
  title: "Storm",
  endpoints: { feed: { address: "/", receives: { dispatch: { json: "tick" }, messages: { tick: { format: "json" } } }, sends: {} } },
};

export const subjects = {
  /** Listens when it is told to, so that the time to start a process is not measured. */
  async wsgen() {
    const router = createRouter();
    router.ws("/", (conn) => conn.closed);
    return { port: 0, answers: { listen: async (port) => (await serve(router, { host: "127.0.0.1", port })).port } };
  },
};

export async function* measure({ connections = 5_000 } = {}) {
  const first = await startSubject(import.meta.url, "wsgen");
  const second = await startSubject(import.meta.url, "wsgen");
  const port = await first.ask("listen", 0);
  const client = createClient(contract, `ws://127.0.0.1:${port}`);
  const feeds = [];
  while (feeds.length < connections) feeds.push(...(await Promise.all(Array.from({ length: 100 }, () => client.feed()))));

  const back = [];
  const planned = [];
  const attempts = [];
  const killed = performance.now();
  const all = feeds.map(
    (feed) =>
      new Promise((resolve) => {
        feed.subscribe(({ reconnected, retryAt, failures }) => {
          if (retryAt !== undefined && failures === 1) planned.push(retryAt);
          if (reconnected === undefined) return;
          back.push(performance.now() - killed);
          attempts.push(reconnected.attempts);
          resolve();
        });
      }),
  );
  const ours = monitorEventLoopDelay({ resolution: 1 });
  ours.enable();
  await first.stop();
  await pause(AWAY);
  await second.ask("listen", port);
  const backAt = performance.now();
  await second.ask("watchLoop");
  await Promise.race([Promise.all(all), pause(60_000)]);
  const loop = await second.ask("loop");

  const count = feeds.length;
  yield { what: `clients that are back, of ${count}`, measured: back.length, equals: count };
  yield { what: "attempts per client", measured: attempts.reduce((sum, value) => sum + value, 0) / count, atMost: 1.3, kind: "time" };
  yield { what: "until the last is back", measured: Math.max(...back), unit: "ms", atMost: 2 * WINDOW, kind: "time" };
  yield {
    what: "of all clients, back in the busiest 100 ms",
    measured: busiest(back, count),
    unit: "%",
    atMost: 5,
    kind: "time",
  };
  yield { what: "event loop of the server, p99", measured: loop.p99, unit: "ms", atMost: 200, kind: "time" };
  yield {
    what: "of all clients, first attempt planned for the busiest 100 ms",
    measured: busiest(planned, count),
    unit: "%",
    atMost: 5,
    kind: "time",
  };
  // All clients live in one process: what holds it up bunches them, which in the world they would not be.
  yield { what: "event loop of all the clients, longest", measured: ours.max / 1e6, unit: "ms", kind: "time" };
  yield { what: "server away", measured: backAt - killed, unit: "ms", kind: "time" };
  await Promise.all(feeds.map((feed) => feed.close()));
  await second.stop();
}

/** How many of `count` fall into the fullest 100 ms, in per cent. */
function busiest(times, count) {
  const buckets = new Map();
  for (const time of times) buckets.set(Math.floor(time / 100), (buckets.get(Math.floor(time / 100)) ?? 0) + 1);
  return (100 * Math.max(...buckets.values())) / count;
}
