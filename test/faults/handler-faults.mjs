// R22: what people write goes wrong: handlers, middleware and hooks that throw, reject or never end.
import { setTimeout as pause } from "node:timers/promises";
import { createRouter, serve } from "@wsgen/runtime";
import { closing, frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { codeOf, inParallel, openPeer } from "./peers.mjs";
import { startSubject } from "./process.mjs";

const CLIENTS = 20;

/** Faults of what joins rooms to other processes, by the beginning of the room's name. */
const brokerFaults = {
  "broker throws": () => {
    throw new Error("a broker's fault");
  },
  "broker rejects": () => Promise.reject(new Error("a broker's fault")),
  "broker never settles": () => new Promise(() => {}),
};

const broker = {
  publish: (topic) => faultOf(topic)(),
  subscribe(topic, receive) {
    receive(Buffer.from("no message of ours"));
    return faultOf(topic)();
  },
  unsubscribe: (topic) => faultOf(topic)(),
  close: () => Promise.reject(new Error("a broker's fault")),
};

function faultOf(topic) {
  return Object.entries(brokerFaults).find(([name]) => topic.includes(name))[1];
}

/** A room of its own for each, so that nobody hears the others. */
function sendToRoom(_payload, conn) {
  const name = `${conn.query.username} ${conn.id}`;
  conn.join(name);
  conn.to(name).send.memberLeft({ name: "ada" });
}

/** Faults of a contract's handler, by the name that the client gives as `username`. */
const contractFaults = {
  "throws at once": () => {
    throw new Error("fault");
  },
  "throws null": () => {
    throw null;
  },
  rejects: async () => {
    await pause(1);
    throw new Error("fault");
  },
  "rejects with undefined": () => Promise.reject(),
  "rejects after the close": async (_payload, conn) => {
    await conn.closed;
    throw new Error("fault");
  },
  "never settles": () => new Promise(() => {}),
  ...Object.fromEntries(Object.keys(brokerFaults).map((name) => [name, sendToRoom])),
};

/** Faults of a hand-written handler, by its path. */
const handlerFaults = {
  "/throws": () => {
    throw new Error("fault");
  },
  "/null": () => {
    throw null;
  },
  "/rejects": async () => {
    await pause(1);
    throw new Error("fault");
  },
  "/late": async (conn) => {
    await conn.closed;
    throw new Error("fault");
  },
  "/unawaited": async (conn) => {
    await conn.closed;
    for (let i = 0; i < 10; i++) void conn.send("nobody hears this");
    void conn.ping();
    void conn.flushed();
  },
};

export const subjects = {
  async wsgen() {
    const registerChat = await importChat();
    let unhandled = 0;
    let errors = 0;
    let invalid = 0;
    process.on("unhandledRejection", () => unhandled++);
    const hook = () => {
      throw new Error("a hook's fault");
    };
    const onError = () => {
      errors++;
      throw new Error("the fault of who hears of faults");
    };
    const router = createRouter({
      onError,
      adapter: broker,
      hooks: { open: hook, close: hook, refused: hook, error: hook, invalid: hook },
    });
    const room = {
      open({ query }) {
        if (query.username === "open throws") throw new Error("fault");
        if (query.username === "open rejects") return Promise.reject(new Error("fault"));
      },
      messages: {
        postMessage: (payload, conn) => contractFaults[conn.query.username]?.(payload, conn),
        history: () => ({ posts: [] }),
      },
      close({ query }) {
        if (query.username === "close throws") throw new Error("fault");
        if (query.username === "close rejects") return Promise.reject(new Error("fault"));
      },
    };
    const onInvalid = () => {
      invalid++;
      throw new Error("the fault of who hears of invalid messages");
    };
    registerChat(router, { room }, { onInvalid });
    for (const [path, handler] of Object.entries(handlerFaults)) router.ws(path, handler);
    const echo = async (conn) => {
      for await (const message of conn.messages()) await conn.send(message);
    };
    router.ws("/echo", echo);
    const decided = (path, upgrade) => router.ws(path, { upgrade, handler: echo });
    decided("/upgrade-throws", () => {
      throw new Error("fault");
    });
    decided("/upgrade-rejects", () => Promise.reject(null));
    decided("/upgrade-nonsense", () => 42);
    router.use((request, next) => {
      if (request.path === "/middleware-throws") throw new Error("fault");
      if (request.path === "/middleware-rejects") return Promise.reject(new Error("fault"));
      return next({});
    });
    decided("/middleware-throws", () => undefined);
    decided("/middleware-rejects", () => undefined);
    const server = await serve(router, { host: "127.0.0.1" });
    return { port: server.port, answers: { counts: () => ({ unhandled, errors, invalid, metrics: server.metrics() }) } };
  },
};

const post = frame(1, '{"type":"postMessage","text":"go"}');
const chat = (username) => `/rooms/lobby?username=${encodeURIComponent(username)}`;
const reply = "internal_error";
const LEFT = '{"type":"memberLeft","name":"ada"}';

/** What each client has to see: one reply or one close frame. `leaves`: it closes first. `errors`: how often `onError` hears of it. */
const cases = [
  { path: chat("throws at once"), says: post, sees: reply, errors: 1 },
  { path: chat("throws null"), says: post, sees: reply, errors: 1 },
  { path: chat("rejects"), says: post, sees: reply, errors: 1 },
  { path: chat("rejects with undefined"), says: post, sees: reply, errors: 1 },
  { path: chat("rejects after the close"), says: post, leaves: true, sees: "1000", errors: 1 },
  { path: chat("never settles"), says: post, leaves: true, sees: "1000", errors: 0, stays: true },
  ...Object.keys(brokerFaults).map((name) => ({ path: chat(name), says: post, sees: LEFT, errors: 0 })),
  { path: chat("open throws"), sees: "1011", errors: 1 },
  { path: chat("open rejects"), sees: "1011", errors: 1 },
  { path: chat("close throws"), leaves: true, sees: "1000", errors: 1 },
  { path: chat("close rejects"), leaves: true, sees: "1000", errors: 1 },
  { path: chat("an invalid message"), says: frame(1, "{}"), sees: "unknown_message", errors: 0 },
  { path: "/throws", sees: "1011", errors: 1 },
  { path: "/null", sees: "1011", errors: 1 },
  { path: "/rejects", sees: "1011", errors: 1 },
  { path: "/late", leaves: true, sees: "1000", errors: 1 },
  { path: "/unawaited", leaves: true, sees: "1000", errors: 0 },
  { path: "/upgrade-throws", sees: "HTTP/1.1 500 Internal Server Error", errors: 1 },
  { path: "/upgrade-rejects", sees: "HTTP/1.1 500 Internal Server Error", errors: 1 },
  { path: "/upgrade-nonsense", sees: "HTTP/1.1 500 Internal Server Error", errors: 1 },
  { path: "/middleware-throws", sees: "HTTP/1.1 500 Internal Server Error", errors: 1 },
  { path: "/middleware-rejects", sees: "HTTP/1.1 500 Internal Server Error", errors: 1 },
];

export async function* measure({ clients = CLIENTS } = {}) {
  const subject = await startSubject(import.meta.url, "wsgen");
  const wrong = [];
  let alive = true;
  void subject.exited.then(() => {
    alive = false;
  });
  try {
    for (const one of cases) {
      const seen = await inParallel(clients, clients, () => meet(subject.port, one));
      for (const text of seen) if (text !== one.sees) wrong.push(`${one.path}: ${text || "nothing"} instead of ${one.sees}`);
    }
    await pause(300);
    const { metrics, errors, unhandled, invalid } = await subject.ask("counts");
    const echoed = await meet(subject.port, { path: "/echo", says: frame(1, "as usual") });
    const refused = cases.filter(({ sees }) => sees.startsWith("HTTP")).length * clients;
    const opened = cases.length * clients - refused;
    const staying = cases.filter(({ stays }) => stays).length * clients;
    const closed = Object.values(metrics.closed).reduce((sum, count) => sum + count, 0);
    yield {
      what: "alive, and answers as usual",
      measured: alive && echoed === "as usual",
      equals: true,
      bare: "exit 1 at the first reject",
    };
    const what = `not exactly one reply or close, of ${cases.length * clients} (${cases.length} faults)`;
    yield { what, measured: wrong.length, equals: 0 };
    if (wrong.length > 0) yield { what: "the first of them", measured: wrong[0] };
    yield { what: "unhandled rejections", measured: unhandled, equals: 0 };
    yield { what: "onError is called", measured: errors, equals: cases.reduce((sum, one) => sum + one.errors, 0) * clients };
    yield { what: "onInvalid is called", measured: invalid, equals: clients };
    yield { what: "counter: opened", measured: metrics.opened, equals: opened };
    yield { what: "counter: closed", measured: closed, equals: opened - staying };
    yield { what: "counter: refused with 500", measured: metrics.refused[500] ?? 0, equals: refused };
    yield { what: "counter: connections whose handlers never end", measured: metrics.connections, equals: staying };
  } finally {
    await subject.stop();
  }
}

/** Everything one client sees, in words: replies by their code, the close frame by its code. */
async function meet(port, { path, says, leaves = false }) {
  const seen = [];
  let peer;
  const onFrame = ({ opcode, payload }) => {
    if (opcode === 8) seen.push(String(codeOf(payload)));
    else if (opcode === 1) seen.push(/"code":"(?<code>\w+)"/.exec(payload.toString())?.groups.code ?? payload.toString());
  };
  try {
    peer = await openPeer({ port, path, onFrame });
  } catch (error) {
    return error.message;
  }
  if (says !== undefined) peer.socket.write(says);
  await pause(50);
  if (leaves) peer.socket.write(closing(1000));
  for (let i = 0; i < 100 && seen.length === 0; i++) await pause(20);
  await pause(50); // In which nothing more may come.
  const text = seen.join(", ");
  peer.socket.end(closing(1000));
  return text;
}
