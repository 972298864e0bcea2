// R12: SIGTERM while requests are being answered.
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { closing, frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { inParallel, openPeer, upgradeRequest } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const PATH = "/rooms/lobby?username=ada";

export const subjects = {
  /** Answers a request after as many ms as its `before` says; never, when it says "never". */
  async wsgen() {
    const registerChat = await importChat();
    const router = createRouter();
    let begun = 0;
    const history = async ({ before }) => {
      begun++;
      await (before === "never" ? new Promise(() => {}) : pause(Number(before)));
      return { posts: [] };
    };
    registerChat(router, { room: { messages: { postMessage() {}, history } } });
    const { port } = await serve(router, { host: "127.0.0.1" });
    return { port, endsByItself: true, answers: { begun: () => begun } };
  },
};

export async function* measure({ requests = 500, idle = 1000 } = {}) {
  yield* measureDrain(requests, idle);
  yield* measureSecondSignal();
}

async function* measureDrain(requests, idle) {
  const subject = await startSubject(import.meta.url, "wsgen");
  let answered = 0;
  const onFrame = ({ opcode, payload }) => {
    if (opcode === 1 && payload.includes('"historyPage"')) answered++;
  };
  const peers = await inParallel(requests + idle, 100, () => openWith(subject.port, onFrame));
  for (const [index, { socket }] of peers.slice(0, requests).entries()) {
    const before = String(Math.floor((2000 * index) / requests));
    socket.write(frame(1, JSON.stringify({ type: "history", requestId: String(index), before })));
  }
  while ((await subject.ask("begun")) < requests) await pause(1);

  const signalled = performance.now();
  subject.signal("SIGTERM");
  const newcomers = knock(subject);
  const codes = await Promise.all(peers.map(({ ended }) => ended));
  const { code, at } = await subject.exited;
  const statuses = await newcomers;

  yield { what: `requests answered, of ${requests} in flight`, measured: answered, equals: requests };
  yield { what: `closed with 1012, of ${peers.length}`, measured: codes.filter((code) => code === 1012).length, equals: peers.length };
  // Who comes before the signal has arrived is let in.
  const late = statuses.slice(statuses.findIndex((status) => status !== "101"));
  const wrong = late.filter((status) => status !== "503").length;
  yield { what: `new upgrades answered with anything but 503, of ${late.length}`, measured: wrong, equals: 0 };
  yield { what: "new upgrades answered with 503", measured: late.length - wrong, atLeast: 1 };
  yield { what: "exit code", measured: code, equals: 0 };
  yield { what: "from SIGTERM to the exit", measured: at - signalled, unit: "ms", atMost: 10_000, kind: "time" };
}

async function* measureSecondSignal() {
  const subject = await startSubject(import.meta.url, "wsgen");
  const peers = await inParallel(100, 100, () => openWith(subject.port, () => {}));
  for (const { socket } of peers) socket.write(frame(1, JSON.stringify({ type: "history", requestId: "1", before: "never" })));
  while ((await subject.ask("begun")) < peers.length) await pause(1);
  subject.signal("SIGTERM");
  await pause(500);
  const patient = await subject.ask("begun").then(() => true);
  const signalled = performance.now();
  subject.signal("SIGTERM");
  const { at, signal } = await subject.exited;
  yield { what: "handlers that never end: still there 500 ms after SIGTERM", measured: patient, equals: true };
  yield { what: "… what a second SIGTERM ends it with", measured: signal, equals: "SIGTERM" };
  yield { what: "… from the second SIGTERM to the exit", measured: at - signalled, unit: "ms", atMost: 500, kind: "time" };
}

/** A peer that answers the close frame, as every client does. */
function openWith(port, onFrame) {
  const peer = openPeer({
    port,
    path: PATH,
    onFrame(received) {
      if (received.opcode === 8) void peer.then(({ socket }) => socket.end(closing(1012)));
      onFrame(received);
    },
  });
  return peer;
}

/** Tries to come in until nobody listens any more; gives the statuses. */
async function knock({ port }) {
  const statuses = [];
  for (;;) {
    const status = await new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => resolve(undefined));
      socket.on("close", () => resolve(undefined));
      socket.on("data", (chunk) => {
        resolve(chunk.toString("latin1").split(" ")[1]);
        socket.destroy();
      });
      socket.write(upgradeRequest(PATH));
    });
    if (status === undefined) return statuses;
    statuses.push(status);
    await pause(20);
  }
}
