// R19: a client's process is stopped (SIGSTOP). TCP stays open, and no FIN ever comes.
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { openCrowd } from "./crowd.mjs";
import { startSubject } from "./process.mjs";

/** Between pings, and until the pong, in ms; two of them and a second is what finding out may take. */
const BEAT = 200;
const CONNECTIONS = 50;

export const subjects = {
  async wsgen() {
    const router = createRouter({ limits: { heartbeat: { interval: BEAT, timeout: BEAT }, closeTimeout: 1000 } });
    const noticed = [];
    const codes = [];
    router.ws("/", async (conn) => {
      conn.signal.addEventListener("abort", () => noticed.push(now()));
      for await (const message of conn.messages()) await conn.send(message);
      codes.push((await conn.closed).code);
    });
    const server = await serve(router, { host: "127.0.0.1" });
    return { port: server.port, answers: { noticed: () => noticed, codes: () => codes, connections: () => server.connections } };
  },
  async client({ port }) {
    await openCrowd({ port, count: CONNECTIONS });
    return { port };
  },
};

/** In ms, of the clock that all processes of a machine share. */
function now() {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

export async function* measure() {
  const server = await startSubject(import.meta.url, "wsgen");
  const client = await startSubject(import.meta.url, "client", { port: server.port });
  try {
    await pause(5 * BEAT);
    const early = (await server.ask("noticed")).length;
    client.signal("SIGSTOP");
    const stopped = now();
    await pause(2 * BEAT + 2500); // What finding out may take, and the close timeout.
    const noticed = await server.ask("noticed");
    const codes = await server.ask("codes");
    const { TCPSocketWrap = 0 } = await server.ask("resources");
    yield { what: `closed while ${CONNECTIONS} clients answer pings`, measured: early, equals: 0 };
    yield { what: "frozen clients found out", measured: noticed.length, equals: CONNECTIONS, bare: "none" };
    const slowest = Math.max(...noticed) - stopped;
    yield {
      what: `from SIGSTOP to the close frame, the slowest, pings each ${BEAT} ms`,
      measured: slowest,
      unit: "ms",
      atMost: 2 * BEAT + 1000,
      kind: "time",
      bare: "never",
    };
    yield { what: "closed with 1001", measured: codes.filter((code) => code === 1001).length, equals: CONNECTIONS };
    yield { what: "sockets left behind the close timeout", measured: TCPSocketWrap, equals: 0, bare: CONNECTIONS };
  } finally {
    client.signal("SIGCONT");
    await client.stop();
    await server.stop();
  }
}
