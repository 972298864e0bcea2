// Who is measured, and how each of them is spoken to.

const text = (message) => (Buffer.isBuffer(message) ? message : JSON.stringify(message));
const plain = { path: "/", encode: text };

/** `label` is the name in the table; `options` go to the subject's `start`; `speak` says how the load opens a connection and wraps a message. */
export const subjects = {
  ws: { label: "ws, no JSON", file: "ws.mjs", options: {}, speak: plain },
  "ws-json": { label: "ws + JSON", file: "ws.mjs", options: { json: true }, speak: plain },
  "ws-ajv": { label: "ws + JSON + AJV", file: "ws.mjs", options: { json: true, validate: true }, speak: plain },
  uws: { label: "uWebSockets.js, no JSON", file: "uws.mjs", options: {}, speak: plain },
  "uws-ajv": { label: "uWebSockets.js + JSON + AJV", file: "uws.mjs", options: { json: true, validate: true }, speak: plain },
  wsgen: { label: "wsgen", file: "wsgen.mjs", options: {}, speak: plain },
  "wsgen-async": { label: "wsgen, async handler", file: "wsgen.mjs", options: { behaviour: "echo, async" }, speak: plain },
  "wsgen-iterate": { label: "wsgen, for await", file: "wsgen.mjs", options: { behaviour: "echo, iterated" }, speak: plain },
  // Another checkout's wsgen, beside this one in the same rounds: `--against DIR`.
  before: { label: "wsgen (other checkout)", file: "wsgen.mjs", options: {}, speak: plain },
};
