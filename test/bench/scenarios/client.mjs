// What the client costs for a message that arrives: from the WebSocket's event to the listener, beside JSON.parse and a switch by hand.
import { pathToFileURL } from "node:url";
import { messages } from "../messages.mjs";
import { median, quantile, rounded } from "../rounds.mjs";
import { targetOf } from "../targets.mjs";

/** A WebSocket whose server is the benchmark: no bytes, only events. */
class SilentSocket {
  binaryType = "blob";
  readyState = 0;
  bufferedAmount = 0;
  protocol = "";
  static last;
  #listeners = { open: [], message: [], error: [], close: [] };

  constructor() {
    SilentSocket.last = this;
    setImmediate(() => {
      this.readyState = 1;
      this.emit("open", {});
    });
  }

  addEventListener(type, listener) {
    this.#listeners[type]?.push(listener);
  }

  removeEventListener() {}

  emit(type, event) {
    for (const listener of this.#listeners[type]) listener(event);
  }

  send() {}

  close(code, reason) {
    this.readyState = 3;
    this.emit("close", { code, reason, wasClean: true });
  }
}

export async function measure({ build, rounds, quick }) {
  const { createHallClient } = await import(pathToFileURL(`${build}/hall/client.js`).href);
  let heard = 0;
  const count = () => {
    heard++;
  };

  const hall = await createHallClient("ws://localhost", { WebSocket: SilentSocket }).hall();
  hall.on.chat(count);
  hall.on.book(count);
  await new Promise(setImmediate); // The client listens from the next microtask on.
  const generated = SilentSocket.last;
  const byHand = new SilentSocket();
  const listeners = { chat: count, book: count };
  byHand.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    listeners[message.type]?.(message);
  });

  const figures = ["154 B", "2.7 kB text", "2.7 kB book"].flatMap((size) => {
    const event = { data: JSON.stringify(messages[size]) };
    const subjects = { "JSON.parse and a listener": byHand, "wsgen's client": generated };
    const times = new Map(Object.keys(subjects).map((name) => [name, []]));
    for (let round = -3; round < rounds * 3; round++) {
      for (const [name, socket] of Object.entries(subjects)) {
        const before = heard;
        const from = process.hrtime.bigint();
        const until = performance.now() + (quick ? 5 : 40);
        let sent = 0;
        for (; performance.now() < until; sent += 100) for (let index = 0; index < 100; index++) socket.emit("message", event);
        const took = Number(process.hrtime.bigint() - from);
        if (heard - before !== sent) throw new Error(`${name}: ${heard - before} of ${sent} messages were heard`);
        if (round >= 0) times.get(name).push(took / sent);
      }
    }
    const scenario = `client, receiving ${size}`;
    return [...times].map(([name, values]) => ({
      name: `${scenario}: ${name}`,
      scenario,
      subject: name,
      unit: "ns",
      value: rounded(median(values)),
      spread: [rounded(quantile(values, 0.25)), rounded(quantile(values, 0.75))],
      ...(name === "wsgen's client"
        ? {
            peer: "JSON.parse and a listener",
            ratio: rounded(median(values.map((value, round) => value / times.get("JSON.parse and a listener")[round]))),
            target: targetOf(scenario, "client", "JSON.parse")?.ratio,
          }
        : {}),
    }));
  });
  await hall.close();
  return figures;
}
