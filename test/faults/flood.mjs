// R17: one client sends as much as it can, another asks something fifty times a second.
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { percentile } from "./figures.mjs";
import { codeOf, frameReader, handshake, openPeer } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const PATH = "/rooms/lobby?username=ada";
const PER_SECOND = 50;
const LASTS = 3000;

export const subjects = {
  async wsgen({ inboundRate }) {
    const registerChat = await importChat();
    const router = createRouter({ limits: { inboundRate } });
    registerChat(router, { room: { messages: { postMessage() {}, history: () => ({ posts: [] }) } } });
    return { port: (await serve(router, { host: "127.0.0.1" })).port };
  },
  /** By hand, with JSON.parse. */
  async bare() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.on("message", (data) => {
        try {
          const { type, requestId } = JSON.parse(data.toString());
          if (type === "history") socket.send(JSON.stringify({ type: "historyPage", requestId, posts: [] }));
        } catch {
          socket.send('{"type":"problem"}');
        }
      });
    });
    return { port: server.address().port };
  },
  /** The flooder is a process of its own, so that it takes nothing from whoever measures. When it is closed it comes back at once. */
  async flooder({ port, text }) {
    const one = frame(1, text);
    const batch = Buffer.concat(Array.from({ length: Math.ceil(65_536 / one.length) }, () => one));
    const seen = { code: "none", after: undefined, visits: 0 };
    const flood = async () => {
      const until = performance.now() + LASTS;
      while (performance.now() < until) {
        const socket = connect({ port, host: "127.0.0.1" });
        let began;
        const read = frameReader(({ opcode, payload }) => {
          if (opcode !== 8 || seen.after !== undefined) return;
          seen.code = codeOf(payload);
          seen.after = performance.now() - began;
        });
        try {
          await handshake(socket, { path: PATH, read });
        } catch {
          continue;
        }
        began = performance.now();
        seen.visits++;
        socket.on("end", () => socket.destroy());
        const pour = () => {
          while (!socket.destroyed && socket.write(batch)); // Until the kernel takes no more; "drain" goes on.
        };
        socket.on("drain", pour);
        pour();
        await Promise.race([new Promise((resolve) => socket.once("close", resolve)), pause(until - performance.now())]);
        socket.destroy();
      }
      return seen;
    };
    return { port, answers: { flood } };
  },
};

const floods = [
  {
    name: "valid, messages limited to 500 a second",
    text: '{"type":"postMessage","text":"again"}',
    inboundRate: { messages: 500 },
    ends: true,
  },
  { name: "malformed", text: "{ no json", inboundRate: false, ends: true },
  { name: "valid, no rate limit set", text: '{"type":"postMessage","text":"again"}', inboundRate: false, ends: false },
];

export async function* measure() {
  for (const { name, text, inboundRate, ends } of floods) {
    const found = await run("wsgen", { inboundRate }, text);
    const bare = await run("bare", {}, text);
    yield { what: `${name}: p99 of the victim`, measured: found.p99, unit: "ms", atMost: 20, bare: bare.p99, kind: "time" };
    yield {
      what: `${name}: p99 of the event loop's delay`,
      measured: found.loop.p99,
      unit: "ms",
      atMost: 30,
      bare: bare.loop.p99,
      kind: "time",
    };
    yield { what: `${name}: answers the victim waits for still`, measured: found.missing, equals: 0, bare: bare.missing, kind: "time" };
    if (!ends) continue;
    yield { what: `${name}: the flooder's end`, measured: found.code, equals: 1008, bare: bare.code };
    yield {
      what: `${name}: the flooder is closed after`,
      measured: found.after,
      unit: "ms",
      atMost: 1000,
      bare: bare.after ?? "never",
      kind: "time",
    };
  }
}

async function run(name, options, text) {
  const subject = await startSubject(import.meta.url, name, options);
  const flooder = await startSubject(import.meta.url, "flooder", { port: subject.port, text });
  const asked = new Map();
  const latencies = [];
  const victim = await openPeer({
    port: subject.port,
    path: PATH,
    onFrame({ payload }) {
      const id = /"requestId":"(?<id>\d+)"/.exec(payload.toString())?.groups.id;
      latencies.push(performance.now() - asked.get(id));
      asked.delete(id);
    },
  });
  let number = 0;
  const ask = () => {
    asked.set(String(++number), performance.now());
    victim.socket.write(frame(1, JSON.stringify({ type: "history", requestId: String(number) })));
  };
  try {
    for (let i = 0; i < 25; i++) {
      ask();
      await pause(20);
    }
    latencies.length = 0;
    await subject.ask("watchLoop");
    const timer = setInterval(ask, 1000 / PER_SECOND);
    const seen = await flooder.ask("flood");
    clearInterval(timer);
    const loop = await subject.ask("loop");
    await pause(500);
    return { ...seen, loop, p99: percentile(latencies, 99), missing: asked.size };
  } finally {
    victim.socket.destroy();
    await flooder.stop();
    await subject.stop();
  }
}
