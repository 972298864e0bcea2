// wsgen: generated code, validation both ways, handlers as a user writes them.
import { pathToFileURL } from "node:url";
import { messages } from "../messages.mjs";
import { FAN_IN } from "./by-hand.mjs";

/** Handlers of the endpoint, by what is measured. */
const handlers = {
  echo: {
    messages: {
      chat: (payload, conn) => void conn.send.chat(payload),
      book: (payload, conn) => void conn.send.book(payload),
      blob: (payload, conn) => void conn.send.blob(payload),
    },
  },
  "echo, async": {
    messages: {
      chat: async (payload, conn) => {
        await conn.send.chat(payload);
      },
    },
  },
  "echo, iterated": async (conn) => {
    for await (const { payload } of conn.messages()) await conn.send.chat(payload);
  },
  request: { messages: { ask: ({ question }) => ({ answer: question }) } },
  broadcast: {
    open: (conn) => conn.join("all"),
    messages: {
      publish({ times, what }, conn) {
        const message = messages[what === "chat" ? "154 B" : "2.7 kB text"];
        for (let count = 0; count < times; count++) conn.to("all").send.chat(message);
      },
    },
  },
  room: {
    open: (conn) => conn.join("all"),
    messages: { chat: (payload, conn) => void conn.to("all").send.chat(payload) },
  },
};

/** Counts per connection, in the closure that `open` has no place for. */
function fanIn() {
  const counts = new WeakMap();
  return {
    messages: {
      chat(_payload, conn) {
        const count = (counts.get(conn) ?? 0) + 1;
        counts.set(conn, count);
        if (count % FAN_IN === 0) conn.send.ack({ count: FAN_IN });
      },
    },
  };
}

export async function start({ build, behaviour, deflate }) {
  const { createRouter, serve } = await import(pathToFileURL(`${build}/node_modules/@wsgen/runtime/dist/index.js`).href);
  const { registerHall } = await import(pathToFileURL(`${build}/hall/server.js`).href);
  const router = createRouter({
    limits: { heartbeat: { interval: 3_600_000, timeout: 3_600_000 } }, // The load answers no pings; the idle scenario keeps the default.
    ...(deflate ? { deflate: { minSize: 0 } } : {}),
  });
  const handler = behaviour === "fan-in" ? fanIn() : handlers[behaviour];
  const unused = () => {
    throw new Error("not measured here");
  };
  const hall =
    typeof handler === "function"
      ? handler
      : { ...handler, messages: { chat: unused, book: unused, blob: unused, ask: unused, publish: unused, ...handler.messages } };
  registerHall(router, { hall });
  const { port } = await serve(router, { host: "127.0.0.1", signals: [] });
  return { port };
}
