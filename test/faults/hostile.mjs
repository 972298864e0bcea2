// Forty clients that do anything at all, for twenty seconds, beside one that behaves.
import { randomInt } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { deflateRawSync } from "node:zlib";
import { createRouter, defineExtension, serve } from "@wsgen/runtime";
import { frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { openPeer, upgradeRequest } from "./peers.mjs";
import { startSubject } from "./process.mjs";
import { letters, pick, seeded } from "./random.mjs";

const CLIENTS = 40;
const SECONDS = 20;
const KEY = 0x5a;

/** Turns every byte around, and says so with RSV2. */
const xor = defineExtension({
  name: "x-xor",
  rsv: 2,
  accept: () => ({
    encode: ({ data }) => ({ data: data.map((byte) => byte ^ KEY), rsv: 2 }),
    decode: ({ data, rsv }) => (rsv === 0 ? data : data.map((byte) => byte ^ KEY)),
  }),
});

export const subjects = {
  async wsgen() {
    const registerChat = await importChat();
    let unhandled = 0;
    const errors = [];
    process.on("unhandledRejection", () => unhandled++);
    const router = createRouter({
      deflate: { clientNoContextTakeover: false, serverNoContextTakeover: false },
      extensions: [xor],
      limits: { maxMessageSize: 2 ** 18, highWaterMark: 2 ** 18, closeTimeout: 500, heartbeat: { interval: 500, timeout: 1000 } },
      handshakeTimeout: 1000,
      onError: (error) => errors.push(String(error?.stack ?? error)),
    });
    const room = {
      open: (conn) => conn.join("lobby"),
      messages: { postMessage: (_payload, conn) => void conn.to("lobby").send.memberLeft({ name: "ada" }), history: () => ({ posts: [] }) },
    };
    registerChat(router, { room });
    const echo = async (conn) => {
      for await (const message of conn.messages()) await conn.send(message);
    };
    router.ws("/echo", echo);
    router.ws("/careless", {
      limits: { overflow: "drop-oldest" },
      handler: async (conn) => {
        for await (const message of conn.messages()) for (let i = 0; i < 20; i++) void conn.send(message);
      },
    });
    router.ws("/frames", async (conn) => {
      for await (const { data } of conn.frames()) if (data.length % 2 === 1) await conn.send(data);
    });
    router.ws("/parts", async (conn) => {
      for await (const message of conn.messages({ stream: true })) {
        const out = conn.message("binary");
        for await (const part of message.stream()) await out.write(typeof part === "string" ? Buffer.from(part) : part);
        await out.close();
      }
    });
    const server = await serve(router, { host: "127.0.0.1" });
    return {
      port: server.port,
      answers: {
        state: () => ({
          unhandled,
          errors: errors.length,
          first: errors[0],
          connections: server.connections,
          opened: server.metrics().opened,
        }),
      },
    };
  },
};

const paths = ["/rooms/lobby?username=ada", "/echo", "/careless", "/frames", "/parts", "/nowhere"];
const offers = [
  "permessage-deflate",
  "permessage-deflate; client_max_window_bits",
  "x-xor",
  "permessage-deflate, x-xor",
  "x-xor; a=1, nonsense",
  "",
  ";",
];

export async function* measure({ seed = randomInt(2 ** 31), seconds = SECONDS, clients = CLIENTS } = {}) {
  yield { what: "seed", measured: seed };
  const subject = await startSubject(import.meta.url, "wsgen");
  let alive = true;
  void subject.exited.then(() => {
    alive = false;
  });
  try {
    const until = performance.now() + seconds * 1000;
    const tally = { visits: 0, writes: 0 };
    const [good] = await Promise.all([
      behave(subject.port, until, () => alive),
      ...Array.from({ length: clients }, (_, client) => misbehave(subject.port, seeded(seed + client), until, tally)),
    ]);
    await pause(3000); // Longer than a mute peer, or one that does not read, is given.
    const state = alive ? await subject.ask("state") : {};
    const { TCPSocketWrap: sockets = 0 } = alive ? await subject.ask("resources") : {};
    const what = `${tally.visits.toLocaleString("en")} visits of ${clients} clients, ${tally.writes.toLocaleString("en")} writes, ${state.opened} opened, ${seconds} s`;
    yield { what: `${what}: alive`, measured: alive, equals: true };
    yield { what: "unhandled rejections", measured: state.unhandled, equals: 0 };
    yield { what: "errors in handlers", measured: state.errors, equals: 0 };
    if (state.errors > 0) yield { what: "the first of them", measured: state.first };
    yield { what: `one who behaves: echoes missing or wrong, of ${good.asked}`, measured: good.wrong, equals: 0 };
    yield { what: "connections left", measured: state.connections, equals: 0 };
    yield { what: "sockets left", measured: sockets, equals: 0 };
  } finally {
    await subject.stop();
  }
}

/** Asks for one echo after the other. */
async function behave(port, until, isAlive) {
  const counts = { asked: 0, wrong: 0 };
  let hear = () => {};
  const peer = await openPeer({
    port,
    path: "/echo",
    onFrame: ({ opcode, payload }) => {
      if (opcode === 9) peer.socket.write(frame(10, payload));
      else hear(payload.toString());
    },
  });
  while (performance.now() < until && isAlive()) {
    const text = `number ${++counts.asked}`;
    const heard = new Promise((resolve) => {
      hear = resolve;
    });
    peer.socket.write(frame(1, text));
    if ((await Promise.race([heard, pause(10_000)])) !== text) counts.wrong++;
    await pause(5);
  }
  peer.socket.end(frame(8));
  return counts;
}

async function misbehave(port, random, until, tally) {
  while (performance.now() < until) {
    tally.visits++;
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    if (random() < 0.7) socket.resume(); // The others never read.
    const extensions = pick(random, offers);
    const request = Buffer.from(upgradeRequest(pick(random, paths), extensions === "" ? {} : { "Sec-WebSocket-Extensions": extensions }));
    const bytes = [random() < 0.05 ? spoilt(random, request) : request];
    for (let i = 0; i < random() * 30; i++) bytes.push(anything(random));
    for (const piece of cut(random, Buffer.concat(bytes))) {
      if (socket.destroyed) break;
      tally.writes++;
      socket.write(piece);
      if (random() < 0.3) await pause(random() * 10);
    }
    await pause(random() * 40);
    const end = random();
    if (end < 0.3) socket.resetAndDestroy();
    else if (end < 0.6) socket.end();
    else if (end < 0.7) socket.end(frame(8));
    else if (end < 0.8) socket.destroy();
    await Promise.race([closed, pause(random() * 500)]); // The rest is left lying for a while.
    socket.destroy();
    await closed;
  }
}

function anything(random) {
  const binary = random() < 0.5 ? 2 : 1;
  return pick(random, [
    () => frame(1, '{"type":"postMessage","text":"hello"}'),
    () => frame(1, `{"type":"history","requestId":"${letters(random)}"}`),
    () => frame(binary, letters(random).repeat(1 + random() * 2000)),
    () => frame(2, deflated(Buffer.from(letters(random).repeat(1 + random() * 5000))), { rsv: 4 }),
    () => frame(2, deflated(Buffer.alloc(random() * 2 ** 20)), { rsv: 4 }),
    () => frame(2, spoilt(random, deflated(Buffer.from(letters(random).repeat(50)))), { rsv: 4 }),
    () =>
      frame(
        2,
        Buffer.from(letters(random)).map((byte) => byte ^ KEY),
        { rsv: 2 },
      ),
    () =>
      frame(
        2,
        deflated(Buffer.from(letters(random))).map((byte) => byte ^ KEY),
        { rsv: 6 },
      ),
    () =>
      Buffer.concat([frame(binary, letters(random), { fin: false }), frame(9, "?"), frame(0, letters(random), { fin: random() < 0.8 })]),
    () => frame(9, letters(random)),
    () => frame(10, letters(random)),
    () => (random() < 0.2 ? spoilt(random, frame(binary, letters(random))) : frame(binary, "")),
    () => (random() < 0.2 ? frame(8, Buffer.from([3, 232])) : frame(1, "x")),
    () => (random() < 0.1 ? frame(binary, "", { length: random() * 2 ** 40 }) : frame(2, "y")),
  ])();
}

function deflated(data) {
  return deflateRawSync(data, { finishFlush: 2 }).subarray(0, -4);
}

function spoilt(random, bytes) {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[Math.floor(random() * copy.length)] = random() * 256;
  return copy;
}

function cut(random, bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; ) {
    const size = random() < 0.3 ? 1 + Math.floor(random() * 5) : Math.ceil(random() * 65_536);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
