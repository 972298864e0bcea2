// R23: both ends close, each in its own way, a moment apart.
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { closing, frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { inParallel, openPeer } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const TIMINGS = 1000;
/** The latest that either end acts, in ms. */
const SPREAD = 4;

const text = frame(1, '{"type":"postMessage","text":"hello"}');
const burst = Buffer.concat(Array.from({ length: 20 }, () => text));

/** What the client does, and what the server does. */
const orders = [
  { client: (socket) => socket.write(closing(1000)), server: "close" },
  { client: (socket) => socket.write(closing(1000)), server: "throw" },
  { client: (socket) => socket.write(closing(1000)), server: "terminate" },
  { client: (socket) => socket.write(closing(1000)), server: "nothing" },
  { client: (socket) => socket.write(closing()), server: "send and close" },
  { client: (socket) => socket.write(Buffer.concat([burst, closing(4000, "bye")])), server: "close" },
  { client: (socket) => socket.write(Buffer.concat([closing(1000), burst, closing(1000)])), server: "send and close" },
  { client: (socket) => socket.write(Buffer.concat([frame(1, '{"type"', { fin: false }), closing(1000)])), server: "close" },
  { client: (socket) => socket.write(frame(3, "no such opcode")), server: "close" },
  { client: (socket) => socket.end(), server: "close" },
  { client: (socket) => socket.resetAndDestroy(), server: "send and close" },
  { client: (socket) => socket.destroy(), server: "throw" },
];

/** Counts what happens on each connection. */
function createLedger() {
  const tally = { opened: 0, closed: 0, twice: 0, late: 0, lateErrors: 0 };
  return {
    answers: { tally: () => tally },
    open() {
      tally.opened++;
      let closed = 0;
      return {
        message() {
          if (closed > 0) tally.late++;
        },
        close() {
          tally.closed++;
          if (++closed > 1) tally.twice++;
        },
      };
    },
  };
}

/** What the name of a client asks for. */
function wishOf(name) {
  const [order, delay] = name.split(":"); // And a number, so that every client has a name of its own.
  return { wish: orders[Number(order)].server, delay: Number(delay) };
}

export const subjects = {
  async wsgen() {
    const registerChat = await importChat();
    const ledger = createLedger();
    const entries = new Map();
    /** TCP, by the client's name. */
    const sockets = new Map();
    const router = createRouter({ onError() {}, limits: { closeTimeout: 1000 } });
    const chat = { api: undefined };
    const room = {
      open(conn) {
        conn.join("lobby");
        entries.set(conn.id, ledger.open());
        const { wish, delay } = wishOf(conn.query.username);
        if (wish === "nothing") return undefined;
        return pause(delay).then(() => act(conn, wish));
      },
      messages: {
        postMessage(_payload, conn) {
          entries.get(conn.id).message();
          conn.send.memberJoined({ name: "an answer" });
        },
        history: () => ({ posts: [] }),
      },
      close(conn) {
        entries.get(conn.id).close();
      },
    };
    const act = (conn, wish) => {
      if (wish.startsWith("send")) for (let i = 0; i < 20; i++) chat.api.room.to("lobby").send.memberLeft({ name: "x".repeat(500) });
      if (wish === "throw") throw new Error("what open() rejects with closes the connection with 1011");
      if (wish === "terminate") sockets.get(conn.query.username)?.destroy();
      else void conn.close();
    };
    chat.api = registerChat(router, { room });
    const server = await serve(router, { host: "127.0.0.1" });
    server.server.prependListener("upgrade", ({ url }, socket) => {
      const name = new URL(url, "ws://x").searchParams.get("username");
      sockets.set(name, socket);
      socket.once("close", () => sockets.delete(name));
    });
    return { port: server.port, answers: { ...ledger.answers, connections: () => server.connections } };
  },
  async bare() {
    const ledger = createLedger();
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (socket, request) => {
      const entry = ledger.open();
      const { wish, delay } = wishOf(new URL(request.url, "ws://x").searchParams.get("username"));
      socket.on("error", () => {});
      socket.on("message", () => {
        entry.message();
        socket.send("an answer");
      });
      socket.on("close", () => entry.close());
      if (wish === "nothing") return;
      setTimeout(() => {
        if (wish.startsWith("send")) for (let i = 0; i < 20; i++) socket.send("x".repeat(500));
        if (wish === "terminate") socket.terminate();
        else if (wish === "throw") socket.close(1011);
        else socket.close();
      }, delay);
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return { port: server.address().port, answers: { ...ledger.answers, connections: () => server.clients.size } };
  },
};

export async function* measure({ timings = TIMINGS } = {}) {
  const found = await run("wsgen", timings);
  const bare = await run("bare", timings);
  const total = orders.length * timings;
  yield {
    what: `close events, of ${total.toLocaleString("en")} connections (${orders.length} orders)`,
    measured: found.closed,
    equals: total,
    bare: bare.closed,
  };
  yield { what: "connections closed more than once", measured: found.twice, equals: 0, bare: bare.twice };
  yield { what: "handler calls after the close event", measured: found.late, equals: 0, bare: bare.late };
  yield { what: "close frames a client saw beyond its one", measured: found.surplus, equals: 0, bare: bare.surplus };
  yield { what: "connections left", measured: found.connections, equals: 0, bare: bare.connections };
  yield { what: "sockets left", measured: found.sockets, equals: 0, bare: bare.sockets };
  yield { what: "timers left over the base", measured: found.timers, atMost: 0, bare: bare.timers };
}

async function run(name, timings) {
  const subject = await startSubject(import.meta.url, name);
  try {
    const before = await subject.ask("resources");
    let surplus = 0;
    const jobs = orders.flatMap((order, index) => Array.from({ length: timings }, () => ({ order, index })));
    await inParallel(jobs.length, 60, async (job) => {
      const { order, index } = jobs[job];
      let closes = 0;
      const username = `${index}:${(Math.random() * SPREAD).toFixed(2)}:${job}`;
      const peer = openPeer({
        port: subject.port,
        path: `/rooms/lobby?username=${username}`,
        onFrame({ opcode }) {
          if (opcode !== 8) return;
          if (++closes > 1) surplus++;
          else void peer.then(({ socket }) => socket.writable && socket.end(closing(1000)));
        },
      });
      const { socket, ended } = await peer;
      setTimeout(() => {
        if (!socket.destroyed && socket.writable) order.client(socket);
      }, Math.random() * SPREAD);
      await ended;
    });
    await pause(1500); // Longer than the close timeout.
    const after = await subject.ask("resources");
    const { opened, closed, twice, late } = await subject.ask("tally");
    const timers = (after.Timeout ?? 0) - (before.Timeout ?? 0);
    return {
      opened,
      closed,
      twice,
      late,
      surplus,
      connections: await subject.ask("connections"),
      sockets: after.TCPSocketWrap ?? 0,
      timers,
    };
  } finally {
    await subject.stop();
  }
}
