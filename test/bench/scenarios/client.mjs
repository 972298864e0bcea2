// What the client costs for a message that arrives: from the WebSocket's event to the listener, beside JSON.parse and a switch by hand.
import { pathToFileURL } from "node:url";
import { measureBlocks } from "../blocks.mjs";
import { messages } from "../messages.mjs";
import { targetOf } from "../targets.mjs";

const BY_HAND = "JSON.parse and a listener";

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
    const scenario = `client, receiving ${size}`;
    const event = { data: JSON.stringify(messages[size]) };
    const receive = (socket) => (ms) => {
      const before = heard;
      const from = process.hrtime.bigint();
      const until = performance.now() + ms;
      let sent = 0;
      for (; performance.now() < until; sent += 100) for (let index = 0; index < 100; index++) socket.emit("message", event);
      const took = Number(process.hrtime.bigint() - from);
      if (heard - before !== sent) throw new Error(`${scenario}: ${heard - before} of ${sent} messages were heard`);
      return took / sent;
    };
    const subjects = new Map([
      [BY_HAND, receive(byHand)],
      ["wsgen's client", receive(generated)],
    ]);
    const target = targetOf(scenario, "client", "JSON.parse")?.ratio;
    return measureBlocks(scenario, subjects, BY_HAND, { rounds, quick }).map((figure) => (figure.peer ? { ...figure, target } : figure));
  });
  await hall.close();
  return figures;
}
