// Memory: 9,000 idle connections that one process holds, with a context and a heartbeat, and what is left of them when all have gone.
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { leave, openCrowd } from "./crowd.mjs";
import { startSubject } from "./process.mjs";

export const id = "memory";

/** Come and go before anything is measured, so that code and pools are warm in every subject alike; few at a time, for what they leave is used again. */
const WARM_UP = { rounds: 20, connections: 100 };
const CONNECTIONS = 9000;
/** How often at most memory is looked at, once a second, until it no longer falls. */
const LOOKS = 15;

export const subjects = {
  /** Handlers of a contract, called for each message. */
  async contract() {
    const registerChat = await importChat();
    const router = createRouter().use(authenticate);
    registerChat(router, { room: { messages: { postMessage() {}, history: () => ({ posts: [] }) } } });
    return { port: (await serve(router, { host: "127.0.0.1" })).port };
  },
  /** A handler of one's own that reads in a loop. */
  async loop() {
    const router = createRouter().use(authenticate);
    router.ws("/rooms/{roomId}", async (conn) => {
      for await (const message of conn.messages()) if (message.type === "binary") await conn.send(message);
    });
    return { port: (await serve(router, { host: "127.0.0.1" })).port };
  },
  /** What one writes with ws alone: one listener. */
  bare: () => listen((socket) => socket.on("message", ignore)),
  /** The same with what the other subjects have: a context, and the heartbeat of ws's README. */
  async equipped() {
    const alive = new Set();
    const server = await listen((socket, request) => {
      socket.context = { user: { name: request.url } };
      socket.on("message", ignore);
      socket.on("pong", () => alive.add(socket));
      socket.on("close", () => alive.delete(socket));
      alive.add(socket);
    });
    setInterval(() => {
      for (const socket of server.clients) {
        if (!alive.delete(socket)) socket.terminate();
        else socket.ping();
      }
    }, 30_000).unref();
    return server;
  },
};

function authenticate(request, next) {
  return next({ user: { name: request.path } });
}

function ignore() {}

async function listen(onConnection) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", onConnection);
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: server.address().port, clients: server.clients };
}

export async function* measure({ connections = CONNECTIONS, looks = LOOKS } = {}) {
  const bare = await weigh("bare", connections, looks);
  const equipped = await weigh("equipped", connections, looks);
  const contract = await weigh("contract", connections, looks);
  const loop = await weigh("loop", connections, looks);
  const label = `${connections} idle`;
  for (const [name, found] of [
    ["contract handlers", contract],
    ["for await … of messages()", loop],
  ]) {
    yield { what: `${label}, ${name}: RSS each`, measured: found.rss, unit: "KB", atMost: 14, bare: bare.rss, kind: "memory" };
    yield { what: `${label}, ${name}: JS heap each`, measured: found.heap, unit: "KB", bare: bare.heap, kind: "memory" };
    yield {
      what: `${label}, ${name}: RSS each after a message each`,
      measured: found.spoken,
      unit: "KB",
      bare: bare.spoken,
      kind: "memory",
    };
    yield {
      what: `all have left, ${name}: RSS over the base`,
      measured: found.restRss,
      unit: "MB",
      atMost: 60,
      bare: bare.restRss,
      kind: "memory",
    };
    yield {
      what: `all have left, ${name}: JS heap over the base`,
      measured: found.restHeap,
      unit: "MB",
      bare: bare.restHeap,
      kind: "memory",
    };
    yield { what: `all have left, ${name}: sockets`, measured: found.sockets, equals: 0, bare: bare.sockets };
    yield { what: `all have left, ${name}: timers over the base`, measured: found.timers, atMost: 0, bare: bare.timers };
  }
  yield {
    what: `${label}: bare ws with context and heartbeat, RSS each`,
    measured: equipped.rss,
    unit: "KB",
    bare: bare.rss,
    kind: "memory",
  };
  yield {
    what: `${label}: bare ws with context and heartbeat, heap each`,
    measured: equipped.heap,
    unit: "KB",
    bare: bare.heap,
    kind: "memory",
  };
}

/** KB for each connection, MB for what is left. */
async function weigh(name, count, looks) {
  const subject = await startSubject(import.meta.url, name);
  const path = "/rooms/lobby?username=ada";
  try {
    for (let round = 0; round < WARM_UP.rounds; round++) {
      await leave(await openCrowd({ port: subject.port, path, count: WARM_UP.connections }));
    }
    const base = await settled(subject, looks);
    const idle = await subject.ask("resources");
    const sockets = await openCrowd({ port: subject.port, path, count });
    const full = await settled(subject, looks);
    for (const socket of sockets) socket.write(frame(1, '{"type":"postMessage","text":"hello"}'));
    const spoken = await settled(subject, looks);
    await leave(sockets);
    const rest = await settled(subject, looks);
    const left = await subject.ask("resources");
    const each = (now, key) => (now[key] - base[key]) / count / 1024;
    return {
      rss: each(full, "rss"),
      heap: each(full, "heap"),
      spoken: each(spoken, "rss"),
      restRss: (rest.rss - base.rss) / 2 ** 20,
      restHeap: (rest.heap - base.heap) / 2 ** 20,
      sockets: left.TCPSocketWrap ?? 0,
      timers: (left.Timeout ?? 0) - (idle.Timeout ?? 0),
    };
  } finally {
    await subject.stop();
  }
}

/** Memory once it no longer falls: V8 and the allocator give pages back seconds after they are free. */
async function settled(subject, looks) {
  let now = await subject.ask("memory");
  for (let still = 0, look = 0; still < 3 && look < looks; look++) {
    await pause(1000);
    const next = await subject.ask("memory");
    still = now.rss - next.rss < 2 ** 19 ? still + 1 : 0;
    now = next;
  }
  return now;
}
