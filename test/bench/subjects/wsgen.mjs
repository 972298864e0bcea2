// wsgen: generated code, validation both ways, handlers as a user writes them.
import { pathToFileURL } from "node:url";
import { messages, wideName } from "../messages.mjs";
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

/** Groups of ten who talk, in the order in which they come, and rooms in which nobody does. */
function rooms(silent) {
  const rooms = new WeakMap();
  let seats = 0;
  return {
    open(conn) {
      const room = `talking-${Math.floor(seats / 10)}`;
      rooms.set(conn, room);
      conn.join(room);
      for (let number = seats; number < silent; number += 1000) conn.join(`silent-${number}`);
      seats++;
    },
    messages: { chat: (payload, conn) => void conn.to(rooms.get(conn)).send.chat(payload) },
  };
}

/** What a connection costs that says nothing: a context, the default heartbeat, and a room that all are in. */
const idle = { open: (conn) => conn.join("all"), messages: {} };

/** A loop that awaits its sends and never ends. */
const endless = {
  messages: {
    async publish(_payload, conn) {
      while (!conn.signal.aborted) await conn.send.chat(messages["154 B"]);
    },
  },
};

export async function start({ build, behaviour, deflate, wide, silentRooms }) {
  const { createRouter, serve } = await import(pathToFileURL(`${build}/node_modules/@wsgen/runtime/dist/index.js`).href);
  const router = createRouter({
    // The load answers no pings; what keeps the default is idle.
    ...(behaviour === "idle" ? {} : { limits: { heartbeat: { interval: 3_600_000, timeout: 3_600_000 } } }),
    ...(deflate ? { deflate: { minSize: 0 } } : {}),
  });
  if (behaviour === "idle") router.use(async (request, next) => next({ user: { name: request.path } }));
  if (behaviour === "wide") await registerWide(router, build, wide);
  else await registerMeasured(router, build, { idle, endless, "fan-in": fanIn(), rooms: rooms(silentRooms), ...handlers }[behaviour]);
  const { port } = await serve(router, { host: "127.0.0.1", signals: [] });
  return { port };
}

async function registerMeasured(router, build, handler) {
  const { registerHall } = await import(pathToFileURL(`${build}/hall/server.js`).href);
  const unused = () => {
    throw new Error("not measured here");
  };
  const hall =
    typeof handler === "function"
      ? handler
      : { ...handler, messages: { chat: unused, book: unused, blob: unused, ask: unused, publish: unused, ...handler.messages } };
  registerHall(router, { hall });
}

/** An echo for each message of a contract that has many. */
async function registerWide(router, build, count) {
  const api = await import(pathToFileURL(`${build}/wide${count}/server.js`).href);
  const names = Array.from({ length: count }, (_, index) => wideName(index));
  const handlers = Object.fromEntries(names.map((name) => [name, (payload, conn) => void conn.send[name](payload)]));
  api[`registerWide${count}`](router, { hall: { messages: handlers } });
}
