// R13: messages that are wrong in every way there is, as many connections as it takes, and what is answered to each.
import { connect } from "node:net";
import { createRouter, serve } from "@wsgen/runtime";
import { WebSocketServer } from "ws";
import { closing, frame } from "../conformance/protocol-peer.mjs";
import { importChat } from "./contract.mjs";
import { codeOf, frameReader, inParallel, upgradeRequest } from "./peers.mjs";
import { startSubject } from "./process.mjs";
import { letters, pick, seeded } from "./random.mjs";

const MESSAGES = 50_000;
/** Connections at a time, and how long one waits for its answers, in ms. */
const PARALLEL = 64;
const PATIENCE = 20_000;
/** Of every kind so many different ones are made. */
const VARIANTS = 64;
/** The runtime closes a connection with 1008 at its twentieth invalid message. */
const TOO_MANY = 20;
/** The same without what ends a connection at once, one message fewer on each. */
const staying = { kindsThat: (kind) => typeof kind.answer === "string", perConnection: TOO_MANY - 1 };
const mixed = { kindsThat: () => true, perConnection: TOO_MANY };

export const subjects = {
  async wsgen() {
    const registerChat = await importChat();
    const router = createRouter();
    let handled = 0;
    const room = {
      messages: {
        postMessage() {
          handled++;
        },
        history() {
          handled++;
          return { posts: [] };
        },
      },
    };
    registerChat(router, { room });
    const { port } = await serve(router, { host: "127.0.0.1" });
    return { port, answers: { handled: () => handled } };
  },
  /** By hand: what is JSON gets an answer, what is not another one. */
  async bare() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", maxPayload: 2 ** 20 });
    await new Promise((resolve) => server.once("listening", resolve));
    server.on("connection", (socket) => {
      socket.on("error", () => {}); // ws reports every broken frame, and closes.
      socket.on("message", (data) => {
        try {
          JSON.parse(data.toString());
          socket.send('{"type":"problem","code":"json"}');
        } catch {
          socket.send('{"type":"problem","code":"no json"}');
        }
      });
    });
    return { port: server.address().port };
  },
};

/** Kinds of messages: their share in %, how one is made, and the answer: a code of the contract's error message, or a close code. */
const kinds = [
  { share: 40, answer: "invalid_json", make: notJson },
  { share: 20, answer: "invalid_message", make: violating },
  { share: 10, answer: "unknown_message", make: unknown },
  { share: 10, answer: 1007, make: (random) => frame(1, Buffer.concat([Buffer.from('{"type":"'), pick(random, badUtf8)])) },
  { share: 10, answer: 1009, make: (random) => frame(1, "", { length: 2 ** 20 + 1 + Math.floor(random() * 2 ** 30) }) },
  { share: 5, answer: "invalid_message", make: deep },
  { share: 5, answer: 1002, make: garbage },
];

const badUtf8 = ["ff", "c0af", "e28028", "eda080", "f4908080", "80", "c3"].map((hex) => Buffer.from(hex, "hex"));

function notJson(random) {
  const text = JSON.stringify({ type: "postMessage", text: letters(random) });
  const cut = text.slice(0, 1 + Math.floor(random() * (text.length - 1)));
  return frame(1, pick(random, [cut, `${text},`, letters(random), "", "undefined", "{'type':1}", "NaN", "[1,]", `${text}${text}`]));
}

function violating(random) {
  const wrong = [
    { type: "postMessage" },
    { type: "postMessage", text: Math.floor(random() * 1e9) },
    { type: "postMessage", text: "" },
    { type: "postMessage", text: "a".repeat(2001) },
    { type: "postMessage", text: letters(random), [letters(random)]: 1 },
    { type: "history", requestId: null },
    { type: "history", requestId: letters(random), limit: 101 },
    { type: "history", requestId: letters(random), limit: 1.5 },
  ];
  return frame(1, JSON.stringify(pick(random, wrong)));
}

function unknown(random) {
  const strange = [
    {},
    { type: letters(random) },
    { type: 1 },
    { type: "__proto__" },
    { type: "constructor" },
    [],
    [letters(random)],
    null,
    1,
    "postMessage",
  ];
  return frame(1, JSON.stringify(pick(random, strange)));
}

function deep(random) {
  const [open, close] = pick(random, [
    ["[", "]"],
    ['{"a":', "}"],
  ]);
  return frame(1, `${open.repeat(100_000)}1${close.repeat(100_000)}`);
}

function garbage(random) {
  return pick(random, [
    frame(3 + Math.floor(random() * 5), letters(random)),
    frame(11 + Math.floor(random() * 5), letters(random)),
    frame(1, letters(random), { rsv: 1 + Math.floor(random() * 7) }),
    frame(1, letters(random), { mask: false }),
    frame(9, "a".repeat(126)),
    frame(9, letters(random), { fin: false }),
    frame(0, letters(random)),
    frame(8, Buffer.from([3])),
    closing(1005),
  ]);
}

export async function* measure({ messages = MESSAGES, bareMessages = messages } = {}) {
  const found = await run("wsgen", messages, true, mixed);
  const bare = await run("bare", bareMessages, false, mixed);
  const stayed = await run("wsgen", messages, true, staying);
  const bareStayed = await run("bare", bareMessages, false, staying);
  const count = `${messages.toLocaleString("en")} messages`;
  yield { what: `${count}: crashes`, measured: found.crashes, equals: 0, bare: bare.crashes };
  yield { what: `${count}: unanswered`, measured: found.unanswered, equals: 0, bare: bare.unanswered };
  yield { what: `${count}: answered with a wrong code`, measured: found.wrong, equals: 0, bare: "no codes" };
  yield { what: `${count}: came to a handler`, measured: found.handled, equals: 0 };
  yield { what: "peak RSS over the base", measured: found.growth, unit: "MB", atMost: 64, bare: bare.growth, kind: "memory" };
  for (const [mix, ours, theirs] of [
    [`on ${found.connections.toLocaleString("en")} connections that they end`, found, bare],
    [`that end none of ${stayed.connections.toLocaleString("en")} connections`, stayed, bareStayed],
  ]) {
    yield { what: `messages a second, ${mix}`, measured: ours.rate, atLeast: 20_000, bare: theirs.rate, kind: "time" };
    yield { what: "the server's processor time for each", measured: ours.cost, unit: "µs", bare: theirs.cost, kind: "time" };
  }
  yield { what: "messages that end no connection: unanswered", measured: stayed.unanswered, equals: 0, bare: bareStayed.unanswered };
  yield { what: "messages that end no connection: answered with a wrong code", measured: stayed.wrong, equals: 0, bare: "no codes" };
  if (found.examples.length > 0) yield { what: "wrong answers, the first", measured: found.examples.join("; ") };
}

async function run(name, messages, judged, { kindsThat, perConnection }) {
  const random = seeded(13);
  const pools = kinds.filter(kindsThat).map((kind) => ({ ...kind, frames: Array.from({ length: VARIANTS }, () => kind.make(random)) }));
  const subject = await startSubject(import.meta.url, name);
  const conversations = plan(random, pools, messages, perConnection);
  const { rss } = await subject.ask("memory");
  const tally = { unanswered: 0, wrong: 0, examples: [] };
  const before = await subject.ask("cpu");
  const started = performance.now();
  await inParallel(conversations.length, PARALLEL, async (index) => {
    const { answers, closes } = await converse(subject.port, conversations[index]);
    const { expected } = conversations[index];
    // One by one: each message its answer, and at the end a close frame.
    for (const [i, wanted] of expected.entries()) {
      const got = typeof wanted === "number" ? closes : answers[i];
      if (got === undefined) tally.unanswered++;
      else if (judged && got !== wanted) {
        tally.wrong++;
        if (tally.examples.length < 5) tally.examples.push(`${got} instead of ${wanted}`);
      }
    }
  });
  const seconds = (performance.now() - started) / 1000;
  const after = await Promise.race([subject.ask("cpu"), subject.exited.then(() => Number.NaN)]).catch(() => Number.NaN);
  const alive = !Number.isNaN(after);
  const peak = alive ? await subject.ask("peak") : Number.NaN;
  const handled = alive && judged ? await subject.ask("handled") : 0;
  await subject.stop();
  return {
    ...tally,
    crashes: alive ? 0 : 1,
    handled,
    growth: (peak - rss) / 2 ** 20,
    rate: messages / seconds,
    cost: ((after - before) * 1000) / messages,
    connections: conversations.length,
  };
}

/** Who says what on which connection: until something is said that ends it. */
function plan(random, pools, messages, perConnection) {
  const shares = pools.reduce((sum, { share }) => sum + share, 0);
  const conversations = [];
  let current;
  for (let i = 0; i < messages; i++) {
    current ??= { frames: [], expected: [] };
    const { frames, answer } = kindAt(pools, random() * shares);
    current.frames.push(pick(random, frames));
    const last = current.frames.length === perConnection;
    current.expected.push(last && perConnection === TOO_MANY && typeof answer === "string" ? 1008 : answer);
    if (typeof answer !== "number" && !last) continue;
    conversations.push(current);
    current = undefined;
  }
  if (current !== undefined) conversations.push(current);
  return conversations;
}

/** The kind whose share holds this place. */
function kindAt(pools, place) {
  let end = 0;
  return pools.find(({ share }) => {
    end += share;
    return place < end;
  });
}

/** Says everything at once, the handshake included, and listens until the server has closed. */
function converse(port, { frames, expected }) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const answers = [];
    let closes;
    const endsItself = typeof expected.at(-1) === "number";
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    const read = frameReader(({ opcode, payload }) => {
      if (opcode === 8) {
        closes ??= codeOf(payload);
        socket.end(closing(1000));
      } else {
        answers.push(/"code":"(?<code>[^"]*)"/.exec(payload.toString("latin1", 0, 200))?.groups.code);
        if (!endsItself && answers.length === expected.length) socket.end(closing(1000));
      }
    });
    let head = "";
    socket.on("data", (chunk) => {
      if (head === undefined) return read(chunk);
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const rest = Buffer.from(head.slice(end + 4), "latin1");
      head = undefined;
      read(rest);
    });
    socket.on("error", () => {}); // "close" tells.
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({ answers, closes });
    });
    socket.write(upgradeRequest("/rooms/lobby?username=ada"));
    for (const one of frames) socket.write(one);
  });
}
