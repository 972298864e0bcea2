// Who is measured, and how each of them is spoken to.

const text = (message) => (Buffer.isBuffer(message) ? message : JSON.stringify(message));
const plain = { path: "/", encode: text };

/** `label` is the name in the table; `options` go to the subject's `start`; `speak` says how the load opens a connection and wraps a message. */
export const subjects = {
  ws: { label: "ws, no JSON", file: "ws.mjs", options: {}, speak: plain },
  "ws-json": { label: "ws + JSON", file: "ws.mjs", options: { json: true }, speak: plain },
  "ws-once": { label: "ws + JSON, once for all", file: "ws.mjs", options: { json: true, once: true }, speak: plain },
  "ws-ajv": { label: "ws + JSON + AJV", file: "ws.mjs", options: { json: true, validate: true }, speak: plain },
  uws: { label: "uWebSockets.js, no JSON", file: "uws.mjs", options: {}, speak: plain },
  "uws-ajv": { label: "uWebSockets.js + JSON + AJV", file: "uws.mjs", options: { json: true, validate: true }, speak: plain },
  floor: { label: "floor, no checks", file: "floor.mjs", options: {}, speak: plain },
  wsgen: { label: "wsgen", file: "wsgen.mjs", options: {}, speak: plain },
  "socket.io": {
    label: "Socket.IO",
    file: "socket.io.mjs",
    options: {},
    speak: {
      path: "/socket.io/?EIO=4&transport=websocket",
      hello: ["40"],
      replies: 2,
      encode: (message) => `42${JSON.stringify(["chat", message])}`,
    },
  },
  trpc: {
    label: "tRPC + zod",
    file: "trpc.mjs",
    options: {},
    speak: {
      path: "/",
      numbered: true,
      encode: (input, slot) => JSON.stringify({ id: 10 + slot, method: "mutation", params: { path: "chat", input } }),
    },
  },
  orpc: {
    label: "oRPC + zod",
    file: "orpc.mjs",
    options: {},
    speak: {
      path: "/",
      numbered: true,
      encode: (json, slot) => JSON.stringify({ i: String(10 + slot), p: { u: "/chat", b: { json } } }),
    },
  },
  nest: {
    label: "NestJS + ValidationPipe",
    file: "nest.mjs",
    options: {},
    speak: { path: "/", encode: (data) => JSON.stringify({ event: "chat", data }) },
  },
  "wsgen-async": { label: "wsgen, async handler", file: "wsgen.mjs", options: { behaviour: "echo, async" }, speak: plain },
  "wsgen-iterate": { label: "wsgen, for await", file: "wsgen.mjs", options: { behaviour: "echo, iterated" }, speak: plain },
  // Another checkout's wsgen, beside this one in the same rounds: `--against DIR`.
  before: { label: "wsgen (other checkout)", file: "wsgen.mjs", options: {}, speak: plain },
};
