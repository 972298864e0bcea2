// R5 and R6: one member of a room stops reading until 8 MiB are due to it, while the others go on.
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { importChat } from "./contract.mjs";
import { percentile } from "./figures.mjs";
import { handshake } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const MARK = 2 ** 20;
/** Payload of every message, so that its place in the stream of bytes is known without parsing. */
const SIZE = 16 * 1024;
const FRAME = SIZE + 4;
const DUE = (8 * 2 ** 20) / SIZE;
/** Messages before the paused one comes: half of them warm up, half are measured. */
const WARM_UP = 256;
/** Messages a second: 240 MiB for 1,000 clients. */
const PER_SECOND = 15;
const PATH = "/rooms/lobby?username=ada";

/** One message: its number and the time it left, in ms, and nothing of interest behind. */
function post(number) {
  const id = String(number).padStart(6, "0");
  const by = now().toFixed(3).padStart(20, "0");
  const frame = { type: "messagePosted", post: { id, by, text: "", at: "2026-01-01T00:00:00Z" } };
  frame.post.text = "x".repeat(SIZE - JSON.stringify(frame).length);
  return frame;
}

/** In ms, of the clock that all processes of a machine share. */
function now() {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

export const subjects = {
  async wsgen({ overflow }) {
    const registerChat = await importChat();
    const router = createRouter({ limits: { overflow, highWaterMark: MARK, heartbeat: false } });
    let newest;
    const room = {
      open(conn) {
        conn.join("lobby");
        const member = { closing: undefined, code: "none" };
        newest = member;
        conn.signal.addEventListener("abort", () => {
          member.closing = now();
        });
        conn.closed.then(({ code }) => {
          member.code = code;
        });
      },
      messages: { postMessage() {}, history: () => ({ posts: [] }) },
    };
    const chat = registerChat(router, { room });
    const server = await serve(router, { host: "127.0.0.1" });
    return publisher({
      port: server.port,
      server: server.server,
      send: (number) => chat.room.to("lobby").send.messagePosted({ post: post(number).post }),
      watched: () => newest,
      dropped: () => server.metrics().dropped,
    });
  },
  async bare() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    return publisher({
      port: server.address().port,
      server: server._server,
      send(number) {
        const text = JSON.stringify(post(number));
        for (const client of server.clients) client.send(text);
      },
      watched: () => ({}),
      dropped: () => 0,
    });
  },
};

/** Publishes at a steady pace, and watches what the connection that came last keeps. */
function publisher({ port, server, send, watched, dropped }) {
  let last;
  server.on("connection", (socket) => {
    last = socket;
  });
  let next = 0;
  const publish = async ({ count, perSecond }) => {
    const socket = last;
    const seen = { kept: 0, crossed: undefined, gone: undefined };
    socket.once("close", () => {
      seen.gone = now();
    });
    const look = () => {
      seen.kept = Math.max(seen.kept, socket.writableLength);
      if (socket.writableLength >= MARK) seen.crossed ??= now();
    };
    const started = now();
    for (let i = 0; i < count; i++) {
      await pause(Math.max(0, started + (i * 1000) / perSecond - now()));
      look();
      send(next++);
      setImmediate(() => setImmediate(look)); // Behind the turn's writes.
    }
    await pause(2500); // Longer than a slow consumer is given to take its close frame.
    look();
    const { crossed, gone, kept } = seen;
    return { kept, crossed, gone, ...watched() };
  };
  return { port, answers: { publish, dropped } };
}

export async function* measure({ id, clients = 1000, bareClients = 200, perSecond = PER_SECOND } = {}) {
  yield* id === "R5" ? measureClose(clients, bareClients, perSecond) : measureDrops(clients, perSecond);
}

async function* measureClose(clients, bareClients, perSecond) {
  const found = await run("wsgen", { overflow: "close" }, clients, perSecond);
  const bare = await run("bare", {}, bareClients, perSecond);
  const { slow, fast, alone } = found;
  yield {
    what: `${clients - 1} fast, 1 paused: kept for the paused; the mark is 1 MiB, crossed by one message and a close frame at most`,
    measured: slow.kept / 2 ** 20,
    unit: "MiB",
    atMost: (MARK + FRAME + 125) / 2 ** 20,
    bare: bare.slow.kept / 2 ** 20,
  };
  yield {
    what: "the paused, from crossing the mark to its close frame",
    measured: slow.closing - slow.crossed,
    unit: "ms",
    atMost: 1000,
    kind: "time",
    bare: "never",
  };
  yield {
    what: "the paused, from its close frame to the end of TCP",
    measured: slow.gone - slow.closing,
    unit: "ms",
    atMost: 2500,
    kind: "time",
    bare: "never",
  };
  yield { what: "the paused: code of its end, at the server", measured: slow.code, equals: 1013, bare: "none" };
  yield { what: "lost by the fast", measured: fast.lost, equals: 0, bare: bare.fast.lost };
  yield { what: "p99 of the fast", measured: fast.p99, unit: "ms", atMost: 2 * alone.p99, kind: "time", bare: bare.fast.p99 };
  yield { what: "p99 of the fast without the paused", measured: alone.p99, unit: "ms", kind: "time", bare: bare.alone.p99 };
}

async function* measureDrops(clients, perSecond) {
  for (const overflow of ["drop-oldest", "conflate"]) {
    const { slow, fast } = await run("wsgen", { overflow }, clients, perSecond);
    yield { what: `${overflow}: the paused one has the last value`, measured: slow.last === slow.sent - 1, equals: true };
    yield { what: `${overflow}: sent − received − drops, the paused one`, measured: slow.sent - slow.received - slow.dropped, equals: 0 };
    yield { what: `${overflow}: drops`, measured: slow.dropped, atLeast: 1 };
    yield { what: `${overflow}: kept for the paused`, measured: slow.kept / 2 ** 20, unit: "MiB", atMost: 2 };
    yield { what: `${overflow}: lost by the fast`, measured: fast.lost, equals: 0 };
  }
}

async function run(name, options, clients, perSecond) {
  const subject = await startSubject(import.meta.url, name, options);
  try {
    const fast = [];
    while (fast.length < clients - 1)
      fast.push(...(await Promise.all(Array.from({ length: Math.min(50, clients - 1 - fast.length) }, () => listen(subject.port)))));
    await subject.ask("publish", { count: WARM_UP / 2, perSecond });
    for (const listener of fast) listener.latencies.length = 0;
    await subject.ask("publish", { count: WARM_UP / 2, perSecond });
    const alone = {
      p99: percentile(
        fast.flatMap(({ latencies }) => latencies),
        99,
      ),
    };
    for (const listener of fast) listener.latencies.length = 0;

    const paused = await listen(subject.port, WARM_UP);
    paused.socket.pause();
    const report = await subject.ask("publish", { count: DUE, perSecond });
    const p99 = percentile(
      fast.flatMap(({ latencies }) => latencies),
      99,
    );
    const lost =
      fast.reduce((sum, { received }) => sum + (DUE + WARM_UP - received), 0) + fast.reduce((sum, { disorder }) => sum + disorder, 0);
    paused.socket.resume();
    await pause(1000);
    for (const { socket } of fast) socket.destroy();
    const { received, last, closeCode } = paused;
    const dropped = await subject.ask("dropped"); // By the paused one alone, where the others have lost nothing.
    paused.socket.destroy();
    return { alone, fast: { p99, lost }, slow: { ...report, dropped, sent: DUE, received, last: last - WARM_UP, closeCode } };
  } finally {
    await subject.stop();
  }
}

/** A member that counts what it hears, by position alone. */
async function listen(port, first = 0) {
  const socket = connect({ port, host: "127.0.0.1" });
  const listener = { socket, received: 0, last: -1, disorder: 0, latencies: [], closeCode: "none" };
  let at = 0;
  let head = "";
  const read = (chunk) => {
    const time = now();
    for (let offset = 0; offset < chunk.length; ) {
      const within = at % FRAME;
      const size = Math.min(FRAME - within, chunk.length - offset);
      if (within < 128) head += chunk.latin1Slice(offset, Math.min(offset + 128 - within, chunk.length));
      if (within === 0 && chunk[offset] === 0x88) {
        listener.closeCode = String(chunk.readUInt16BE(offset + 2));
        return;
      }
      at += size;
      offset += size;
      if (at % FRAME !== 0) break;
      const { id, by } = /"id":"(?<id>\d+)","by":"(?<by>[\d.]+)"/.exec(head).groups;
      head = "";
      if (Number(id) <= listener.last || Number(id) < first) listener.disorder++;
      listener.last = Number(id);
      listener.received++;
      listener.latencies.push(time - Number(by));
    }
  };
  await handshake(socket, { path: PATH, read });
  return listener;
}
