// The loads that are measured as server CPU per message, in interleaved rounds.
import { buildDocument } from "../build.mjs";
import { messages, wideName, writeWide } from "../messages.mjs";
import { FAN_IN } from "../subjects/by-hand.mjs";
import { subjects } from "../subjects.mjs";

const byHand = ["ws-json", "ws-ajv", "uws-ajv", "wsgen", "before"];
const rpc = ["socket.io", "trpc", "orpc", "nest"];

/** One message back for each that is sent. */
function echo({ scenario, message, inFlight, connections = 50, names, subject = "wsgen", options = { behaviour: "echo" } }) {
  return {
    scenario,
    unit: "µs CPU/message",
    subject,
    names,
    options,
    async prepare(pair, { subject: { speak } }, count = connections) {
      await pair.open(count);
      // Where the protocol numbers its messages, each slot has its own.
      const payloads = Array.from({ length: speak.numbered ? inFlight : 1 }, (_, slot) => speak.encode(messages[message], slot));
      const { first, sample } = await pair.load("calibrate", { payload: payloads[0] });
      expectReply(sample, messages[message]);
      return { payloads, replySize: first };
    },
    round: (pair, prepared, ms) => pair.load("echo", { ...prepared, inFlight, ms }),
  };
}

/** Connections that come, are accepted and go. */
function connects() {
  return {
    scenario: "connect and close",
    unit: "µs CPU/connection",
    subject: "wsgen",
    names: ["ws-json", "ws-once", "uws-ajv", "wsgen", "before"],
    options: { behaviour: "echo" },
    prepare: () => ({}),
    round: (pair, _prepared, ms) => pair.load("connects", { atOnce: 20, ms }),
  };
}

/** What came back holds what was sent, or it is no echo that was measured. */
function expectReply(sample, message) {
  const marker = Buffer.isBuffer(message) ? message.subarray(0, 100) : (message.text ?? message.bids[0][0]).slice(0, 100);
  if (!sample.includes(marker)) throw new Error(`no echo: ${JSON.stringify(sample.toString("latin1").slice(0, 200))}`);
}

function request(inFlight) {
  const scenario = `request and reply, ${inFlight} in flight`;
  const variant = echo({ scenario, inFlight, names: byHand, options: { behaviour: "request" } });
  return {
    ...variant,
    async prepare(pair) {
      await pair.open(50);
      const ask = (slot) => JSON.stringify({ type: "ask", requestId: `request-${10 + slot}`, question: messages["154 B"] });
      const payloads = Array.from({ length: inFlight }, (_, slot) => ask(slot));
      const { first, sample } = await pair.load("calibrate", { payload: payloads[0] });
      if (!sample.includes('"requestId":"request-10"')) throw new Error(`no answer: ${sample.toString("latin1").slice(0, 200)}`);
      return { payloads, replySize: first };
    },
  };
}

/** One connection asks, and a thousand hear it: the next turn begins when all have read. */
function broadcast({ size, perTurn, deflate = false, connections = 1000 }) {
  return {
    scenario: `broadcast ${size}, ${perTurn} per turn${deflate ? ", deflated" : ""}`,
    unit: "µs CPU/delivery",
    subject: "wsgen",
    names: ["ws-json", "ws-once", "uws-ajv", ...(deflate ? [] : ["floor"]), "wsgen", "before"],
    options: { behaviour: "broadcast", deflate },
    async prepare(pair) {
      await pair.open(connections);
      const payload = JSON.stringify({ type: "publish", times: perTurn, what: size === "154 B" ? "chat" : "text" });
      return { payload, turnSize: await heardByAll(pair, payload), perTurn };
    },
    round: (pair, prepared, ms) => pair.load("turns", { ...prepared, ms }),
  };
}

/** Bytes that every connection gets for one message; all must get the same. */
async function heardByAll(pair, payload) {
  const { sizes, first } = await pair.load("calibrate", { payload, everyone: true });
  if (sizes.length !== 1 || first === 0) throw new Error(`not everyone heard the same: ${sizes.join(", ")} bytes`);
  return first;
}

function room(inFlight) {
  return {
    scenario: `room of 50 who all talk${inFlight === 1 ? "" : `, ${inFlight} in flight each`}`,
    unit: "µs CPU/message in",
    subject: "wsgen",
    names: ["ws-json", "ws-once", "uws-ajv", "floor", "wsgen", "before"],
    options: { behaviour: "room" },
    async prepare(pair) {
      await pair.open(50);
      const payload = JSON.stringify(messages["154 B"]);
      return { payload, size: await heardByAll(pair, payload) };
    },
    round: (pair, prepared, ms) => pair.load("room", { ...prepared, inFlight, ms }),
  };
}

/** A thousand connections tell, and the server says nothing but that it has heard sixteen. */
function fanIn() {
  return {
    scenario: "fan-in from 1,000",
    unit: "µs CPU/message",
    subject: "wsgen",
    names: byHand,
    options: { behaviour: "fan-in" },
    async prepare(pair) {
      await pair.open(1000);
      const payload = JSON.stringify(messages["154 B"]);
      const { first } = await pair.load("calibrate", { payload, times: FAN_IN });
      return { payloads: [payload], replySize: first };
    },
    round: (pair, { payloads, replySize }, ms) => pair.load("batches", { payloads, batch: FAN_IN, replySize, ms }),
  };
}

const counts = new Intl.NumberFormat("en");

/** The same echo while more and more connections are open. */
function growingConnections() {
  const steps = [100, 1000, 3000, 9000];
  const variant = echo({ scenario: "growth: connections", message: "154 B", inFlight: 1, names: [] });
  return {
    ...variant,
    entries: ["ws-json", "floor", "wsgen"].flatMap((name) =>
      steps.map((count) => ({ key: `${name}-${count}`, name, label: `${subjects[name].label}, ${counts.format(count)}`, count })),
    ),
    pairs: steps.slice(1).flatMap((count) => ["ws-json", "floor", "wsgen"].map((name) => [`${name}-${count}`, `${name}-100`])),
    prepare: (pair, entry) => variant.prepare(pair, entry, entry.count),
  };
}

/** A hundred rooms of ten who talk, while more and more rooms are there. */
function growingRooms() {
  const steps = [100, 1000, 10_000];
  return {
    scenario: "growth: rooms",
    unit: "µs CPU/message in",
    options: { behaviour: "rooms" },
    entries: steps.map((count) => ({
      key: `wsgen-${count}`,
      name: "wsgen",
      label: `wsgen, ${counts.format(count)}`,
      options: { silentRooms: count - 100 },
    })),
    pairs: steps.slice(1).map((count) => [`wsgen-${count}`, "wsgen-100"]),
    async prepare(pair) {
      await pair.open(1000, { batch: 1 }); // In order, so that the server seats them as the load counts them.
      const payload = JSON.stringify(messages["154 B"]);
      const { first } = await pair.load("calibrate", { payload });
      return { payload, size: first, members: 10 };
    },
    round: (pair, prepared, ms) => pair.load("room", { ...prepared, inFlight: 1, ms }),
  };
}

/** Calls of each guard after which V8 has optimised all of 500. Before that a server's processor time is the compiler's. */
const CALLS = 3000;

/** The same echo under contracts with more and more messages: one of them in use, then all. */
function growingContract({ build, quick }) {
  const steps = quick ? [1, 20] : [1, 50, 500];
  for (const count of steps) buildDocument(build, writeWide(build, count), `wide${count}`);
  const wide = (count, used, name = "wsgen") => ({
    key: `${name}-${count}-${used}`,
    name,
    label: `${subjects[name].label}, ${used === 1 ? "one" : `all ${used}`} of ${count}`,
    options: name === "wsgen" ? { behaviour: "wide", wide: count } : {},
    used,
    ...(used === 1 ? {} : { warmUp: used * CALLS }),
  });
  const most = steps.at(-1);
  return {
    scenario: "growth: messages in the contract",
    unit: "µs CPU/message",
    options: { behaviour: "echo" },
    entries: [...steps.map((count) => wide(count, 1)), ...steps.slice(1).map((count) => wide(count, count)), wide(most, most, "ws-json")],
    pairs: [...steps.slice(1).map((count) => [`wsgen-${count}-1`, "wsgen-1-1"]), [`wsgen-${most}-${most}`, `ws-json-${most}-${most}`]],
    async prepare(pair, { used }) {
      await pair.open(50);
      const payloads = Array.from({ length: used }, (_, index) => JSON.stringify({ ...messages["154 B"], type: wideName(index) }));
      const { first, sample } = await pair.load("calibrate", { payload: payloads[0] });
      expectReply(sample, messages["154 B"]);
      return { payloads, replySize: first };
    },
    round: (pair, prepared, ms) => pair.load("echo", { ...prepared, inFlight: 16, ms }),
  };
}

export const traffic = {
  echo: () => [
    ...[1, 16].map((inFlight) =>
      echo({ scenario: `echo 154 B, ${inFlight} in flight`, message: "154 B", inFlight, names: ["ws", ...byHand, "floor", ...rpc, "uws"] }),
    ),
    ...["2.7 kB text", "2.7 kB book"].flatMap((message) =>
      [1, 16].map((inFlight) =>
        echo({ scenario: `echo ${message}, ${inFlight} in flight`, message, inFlight, names: [...byHand, "floor"] }),
      ),
    ),
    echo({ scenario: "echo 64 kB binary, 1 in flight", message: "64 kB binary", inFlight: 1, names: ["ws", "uws", "wsgen", "before"] }),
    ...[1, 16].map((inFlight) =>
      echo({
        scenario: `echo 154 B, ${inFlight} in flight, 2,000 connections`,
        message: "154 B",
        inFlight,
        connections: 2000,
        names: byHand,
      }),
    ),
  ],
  request: () => [request(1), request(16)],
  async: () =>
    [1, 16].map((inFlight) =>
      echo({
        scenario: `async handler, ${inFlight} in flight`,
        message: "154 B",
        inFlight,
        names: ["wsgen", "wsgen-async", "wsgen-iterate"],
        subject: "wsgen-async",
      }),
    ),
  broadcast: () =>
    [false, true].flatMap((deflate) =>
      ["154 B", "2.7 kB"].flatMap((size) => [1, 10].map((perTurn) => broadcast({ size, perTurn, deflate }))),
    ),
  room: () => [room(1), room(4)],
  "fan-in": () => [fanIn()],
  connect: () => [connects()],
  growth: (settings) => [growingConnections(), growingRooms(), growingContract(settings)],
};
