// R15: clients that reset TCP while the server is still deciding whether to let them in.
import { createServer } from "node:http";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { inParallel, upgradeRequest } from "./peers.mjs";
import { startSubject } from "./process.mjs";

/** What authentication takes, and the latest reset, in ms. */
const DECISION = 100;

export const subjects = {
  async wsgen() {
    const router = createRouter().use(async (_request, next) => {
      await pause(DECISION);
      return next({});
    });
    router.ws("/", async (conn) => {
      for await (const message of conn.messages()) await conn.send(message);
    });
    const server = await serve(router, { host: "127.0.0.1" });
    return { port: server.port, answers: { connections: () => server.connections } };
  },
  /** As ws's README shows authentication, without the error listener that it also shows. */
  async bare() {
    const sockets = new WebSocketServer({ noServer: true });
    const server = createServer().listen(0, "127.0.0.1");
    server.on("upgrade", async (request, socket, head) => {
      await pause(DECISION);
      sockets.handleUpgrade(request, socket, head, (client) => client.on("message", (data) => client.send(data)));
    });
    await new Promise((resolve) => server.once("listening", resolve));
    return { port: server.address().port, answers: { connections: () => sockets.clients.size } };
  },
};

export async function* measure({ upgrades = 10_000 } = {}) {
  const { alive, survived, sockets, connections } = await run("wsgen", upgrades);
  const bare = await run("bare", Math.min(upgrades, 500));
  const count = `${upgrades.toLocaleString("en")} upgrades reset at 0–${DECISION} ms`;
  yield { what: `${count}: alive`, measured: alive, equals: true, bare: bare.alive ? "alive" : `dead after at most ${bare.survived}` };
  yield { what: "resets survived", measured: survived, equals: upgrades, bare: bare.survived };
  yield { what: "sockets left after 1 s", measured: sockets, equals: 0 };
  yield { what: "connections left after 1 s", measured: connections, equals: 0 };
}

async function run(name, upgrades) {
  const subject = await startSubject(import.meta.url, name);
  let alive = true;
  let survived = 0;
  void subject.exited.then(() => {
    alive = false;
  });
  try {
    await inParallel(upgrades, 500, async () => {
      if (!alive) return;
      await knockAndReset(subject.port, Math.random() * DECISION);
      if (alive) survived++;
    });
    await pause(1000);
    if (!alive) return { alive, survived };
    const { TCPSocketWrap = 0 } = await subject.ask("resources");
    return { alive, survived, sockets: TCPSocketWrap, connections: await subject.ask("connections") };
  } finally {
    await subject.stop();
  }
}

function knockAndReset(port, delay) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {}); // "close" tells.
    socket.on("close", resolve);
    socket.on("connect", () => {
      socket.write(upgradeRequest());
      setTimeout(() => socket.resetAndDestroy(), delay);
    });
  });
}
