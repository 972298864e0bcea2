// Row 60: ten thousand connections come, say something and go, and nothing of them is left.
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { leave, openCrowd } from "./crowd.mjs";
import { startSubject } from "./process.mjs";

const CONNECTIONS = 10_000;
/** At a time. */
const CROWD = 500;
const PATH = "/rooms/lobby?username=ada";

export const subjects = {
  async wsgen() {
    const registerChat = await importChat();
    const router = createRouter({ limits: { idleTimeout: 60_000, maxLifetime: 600_000, inboundRate: { messages: 100 } } });
    const room = {
      open: (conn) => conn.join("lobby", { as: conn.query.username }),
      messages: {
        postMessage(_payload, conn) {
          conn.signal.addEventListener("abort", () => {});
          void conn.closed;
          conn.send.memberJoined({ name: conn.id });
        },
        history: () => ({ posts: [] }),
      },
    };
    registerChat(router, { room });
    const server = await serve(router, { host: "127.0.0.1" });
    return { port: server.port, answers: { listeners: () => listenersOf(server.server), connections: () => server.connections } };
  },
  async bare() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket) => socket.on("message", () => socket.send("joined")));
    await new Promise((resolve) => server.once("listening", resolve));
    return {
      port: server.address().port,
      answers: { listeners: () => listenersOf(server._server), connections: () => server.clients.size },
    };
  },
};

/** On what outlives a connection. */
function listenersOf(server) {
  const count = (emitter) => emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
  return count(server) + count(process);
}

export async function* measure({ connections = CONNECTIONS } = {}) {
  const found = await run("wsgen", connections);
  const bare = await run("bare", connections);
  const label = `${connections.toLocaleString("en")} have come, sent a message and gone`;
  for (const what of ["connections", "sockets", "timers", "listeners"]) {
    yield { what: `${label}: ${what} left`, measured: found[what], equals: 0, bare: bare[what] };
  }
  yield { what: `${label}: JS heap over the base`, measured: found.heap, unit: "MB", atMost: 1, bare: bare.heap, kind: "memory" };
  yield { what: `${label}: RSS over the base`, measured: found.rss, unit: "MB", bare: bare.rss, kind: "memory" };
}

async function run(name, connections) {
  const subject = await startSubject(import.meta.url, name);
  const visit = async (count) => {
    for (let gone = 0; gone < count; gone += CROWD) {
      const sockets = await openCrowd({ port: subject.port, path: PATH, count: Math.min(CROWD, count - gone) });
      await Promise.all(sockets.map(say));
      await leave(sockets);
    }
  };
  try {
    await visit(2 * CROWD); // Code and pools are warm then.
    const base = await look(subject);
    await visit(connections);
    const rest = await look(subject);
    const left = (key) => rest[key] - base[key];
    return {
      connections: rest.connections,
      sockets: left("sockets"),
      timers: left("timers"),
      listeners: left("listeners"),
      heap: left("heap") / 2 ** 20,
      rss: left("rss") / 2 ** 20,
    };
  } finally {
    await subject.stop();
  }
}

function say(socket) {
  return new Promise((resolve) => {
    socket.once("data", resolve); // The answer.
    socket.write(frame(1, '{"type":"postMessage","text":"hello"}'));
  });
}

async function look(subject) {
  const { rss, heap } = await subject.ask("memory");
  const { TCPSocketWrap: sockets = 0, Timeout: timers = 0 } = await subject.ask("resources");
  return { rss, heap, sockets, timers, listeners: await subject.ask("listeners"), connections: await subject.ask("connections") };
}
