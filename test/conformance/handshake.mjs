// The handshake corpus: raw requests and what the server must answer, over real sockets, whole and byte by byte. `node test/conformance/handshake.mjs`
// runs it on the built package and prints `handshake: passed/total`. Written from RFC 6455 section 4, RFC 9112, RFC 7692 section 7.1 and docs/wire.md.
import { connect } from "node:net";
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createRouter, serve } from "@wsgen/runtime";

/** No answer may hold this word, which is in every request that is to be refused. */
const NEEDLE = "needle";

/** A handshake as text; `changes` replace headers, remove them (undefined) or repeat them (array). */
function request(path, changes = {}, { method = "GET", version = "HTTP/1.1" } = {}) {
  const headers = {
    Host: "localhost",
    "X-Needle": NEEDLE,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`),
  );
  return `${method} ${path} ${version}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const many = (count, value) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, value]));
const refused = (status, name, bytes, headers = {}) => ({ name, bytes, status, headers });
const accepted = (name, bytes, headers = {}, behind = "") => ({ name, bytes, status: 101, headers, behind });
const retry = { "retry-after": /^\d+$/ };
/** A masked text frame "hi", and the server's echo of it. */
const frame = "\x81\x82\x01\x02\x03\x04\x69\x6b";
const echo = "\x81\x02hi";

/** Cases by the state of the server they are for. */
export const corpus = {
  open: [
    accepted("RFC 6455 section 1.3, with its accept key", request("/ws"), {
      "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-protocol": null,
      "sec-websocket-extensions": null,
    }),
    accepted("Upgrade and Connection in other letters", request("/ws", { Upgrade: "WebSocket", Connection: "keep-alive, UPGRADE" })),
    accepted("a frame right behind the request, which is answered", request("/ws") + frame, {}, echo),
    accepted("a frame behind a request that is still being decided", request("/later") + frame, {}, echo),
    accepted("a query", request("/ws?a=%zz&b")),
    accepted("a decoded parameter", request("/rooms/caf%C3%A9%20au")),
    accepted("the rest of a path", request("/files/a/b%20c")),
    accepted("its own origin", request("/ws", { Origin: "http://localhost" })),
    accepted("its own origin, the port being the scheme's", request("/ws", { Host: "localhost:443", Origin: "https://localhost" })),
    accepted("no subprotocol where some are spoken", request("/chat"), { "sec-websocket-protocol": null }),
    accepted("subprotocols that nobody speaks", request("/chat", { "Sec-WebSocket-Protocol": "v9" }), { "sec-websocket-protocol": null }),
    accepted("the client's preference among subprotocols", request("/chat", { "Sec-WebSocket-Protocol": "v9, v1, v2" }), {
      "sec-websocket-protocol": "v1",
    }),
    accepted("subprotocols in two lines", request("/chat", { "Sec-WebSocket-Protocol": ["v9", "v2"] }), { "sec-websocket-protocol": "v2" }),
    accepted(
      "a deflate offer like a browser's",
      request("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }),
    ),
    accepted("extensions nobody knows", request("/ws", { "Sec-WebSocket-Extensions": 'x-a; b="c", x-d' }), {
      "sec-websocket-extensions": null,
    }),
    accepted("100 header fields", request("/ws", many(94, "1"))),

    refused(426, "no Upgrade", request("/ws", { Upgrade: undefined, Connection: undefined }), { upgrade: "websocket" }),
    refused(426, "no Connection: Upgrade", request("/ws", { Connection: "close" }), { upgrade: "websocket" }),
    refused(404, "a plain GET of no route", request(`/${NEEDLE}`, { Upgrade: undefined, Connection: "close" })),
    refused(405, "POST", request("/ws", {}, { method: "POST" }), { allow: "GET" }),
    refused(405, "HEAD", request("/ws", {}, { method: "HEAD" }), { allow: "GET" }),
    refused(405, "a plain POST", request("/ws", { Upgrade: undefined, Connection: "close", "Content-Length": "0" }, { method: "POST" }), {
      allow: "GET",
    }),
    refused(400, "no key", request("/ws", { "Sec-WebSocket-Key": undefined })),
    refused(400, "a short key", request("/ws", { "Sec-WebSocket-Key": NEEDLE })),
    refused(400, "a key that is not base64", request("/ws", { "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" })),
    refused(400, "two keys", request("/ws", { "Sec-WebSocket-Key": [key, key] })),
    refused(400, "Upgrade: h2c", request("/ws", { Upgrade: "h2c" })),
    refused(400, "two Upgrades", request("/ws", { Upgrade: ["websocket", "h2c"] })),
    refused(426, "version 12", request("/ws", { "Sec-WebSocket-Version": "12" }), { "sec-websocket-version": "13" }),
    refused(426, "version 013", request("/ws", { "Sec-WebSocket-Version": "013" }), { "sec-websocket-version": "13" }),
    refused(426, "no version", request("/ws", { "Sec-WebSocket-Version": undefined }), { "sec-websocket-version": "13" }),
    refused(426, "two versions", request("/ws", { "Sec-WebSocket-Version": ["13", "8"] }), { "sec-websocket-version": "13" }),
    refused(400, "HTTP/1.0", request("/ws", {}, { version: "HTTP/1.0" })),
    refused(400, "no Host", request("/ws", { Host: undefined })),
    refused(400, "an empty Host", request("/ws", { Host: "" })),
    refused(400, "two Hosts", request("/ws", { Host: ["localhost", NEEDLE] })),
    refused(404, "an unknown path", request(`/${NEEDLE}`)),
    refused(404, "two slashes", request("//ws")),
    refused(404, "a slash behind", request("/ws/")),
    refused(404, "an escaped letter", request("/%77s")),
    refused(404, "dots", request("/x/../ws")),
    refused(404, "an absolute URL", request("http://localhost/ws")),
    refused(404, "another case", request("/WS")),
    refused(404, "an empty parameter", request("/rooms/")),
    refused(400, "a stray % in a parameter", request(`/rooms/${NEEDLE}%`)),
    refused(400, "%00 in a parameter", request(`/rooms/${NEEDLE}%00`)),
    refused(400, "%2F in a parameter", request(`/rooms/${NEEDLE}%2F`)),
    refused(400, "bad UTF-8 in a parameter", request(`/rooms/${NEEDLE}%ff`)),
    refused(400, "a parameter of 5,000 bytes", request(`/rooms/${"a".repeat(5000)}`)),
    refused(400, "dots in the rest of a path", request("/files/../../etc/passwd")),
    refused(400, "escaped dots in the rest of a path", request("/files/a/%2e%2e")),
    refused(400, "an empty subprotocol", request("/chat", { "Sec-WebSocket-Protocol": "v1,,v2" })),
    refused(400, "a subprotocol that is no token", request("/chat", { "Sec-WebSocket-Protocol": `v1 ${NEEDLE}` })),
    refused(400, "a subprotocol twice", request("/chat", { "Sec-WebSocket-Protocol": ["v1", "v1"] })),
    refused(400, "none of the subprotocols a route requires", request("/strict", { "Sec-WebSocket-Protocol": NEEDLE })),
    refused(400, "no subprotocol where one is required", request("/strict")),
    refused(400, "a parameter without a name", request("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; =" })),
    refused(400, "an extension without a name", request("/ws", { "Sec-WebSocket-Extensions": "x-a, ,x-b" })),
    refused(400, "a parameter twice", request("/ws", { "Sec-WebSocket-Extensions": "x-a; b; b" })),
    refused(400, "window bits 99", request("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=99" })),
    refused(
      400,
      "server window bits without a value",
      request("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits" }),
    ),
    refused(431, "a 17 KiB header", request("/ws", { "X-Big": "a".repeat(17 * 1024) })),
    refused(431, "101 header fields", request("/ws", many(95, "1"))),
    refused(431, "2,100 header fields", request("/ws", many(2100, ""))),
    refused(400, "Content-Length and Transfer-Encoding", request("/ws", { "Content-Length": "5", "Transfer-Encoding": "chunked" })),
    refused(400, "two Content-Lengths", request("/ws", { "Content-Length": ["5", "6"] })),
    refused(400, "a body", `${request("/ws", { "Content-Length": "5" })}hello`),
    refused(400, "a chunked body", `${request("/ws", { "Transfer-Encoding": "chunked" })}0\r\n\r\n`),
    refused(400, "bare LF", request("/ws").replaceAll("\r\n", "\n")),
    refused(400, "NUL in a header", request("/ws", { "X-A": `${NEEDLE}\0` })),
    refused(400, "a space before the colon", request("/ws").replace("Upgrade:", "Upgrade :")),
    refused(400, "a folded header", request("/ws", { "X-A": `a\r\n ${NEEDLE}` })),
    refused(400, "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    refused(403, "a foreign origin", request("/ws", { Origin: `https://${NEEDLE}.example` })),
    refused(403, "an origin that ends alike", request("/ws", { Origin: "http://evil-localhost" })),
    refused(403, "an origin that begins alike", request("/ws", { Origin: "http://localhost.evil.example" })),
    refused(403, "another port", request("/ws", { Origin: "http://localhost:81" })),
    refused(403, "the origin null", request("/ws", { Origin: "null" })),
    refused(403, "an empty origin", request("/ws", { Origin: "" })),
    refused(403, "two origins", request("/ws", { Origin: ["http://localhost", "http://localhost"] })),
    refused(403, "an origin with a path", request("/ws", { Origin: "http://localhost/path" })),
    refused(403, "an origin that is no URL", request("/ws", { Origin: `http://[${NEEDLE}` })),
    refused(401, "no credentials", request("/private"), { "www-authenticate": "Bearer" }),
    refused(403, "wrong credentials", request("/private", { Authorization: NEEDLE })),
    refused(500, "middleware that throws", request("/throws")),
    refused(503, "a decision that takes too long", request("/never"), retry),
    refused(404, "a second request behind a refused one", request(`/${NEEDLE}`) + request("/ws")),
  ],
  draining: [refused(503, "while the server drains", request("/ws"), retry)],
  full: [
    refused(503, "over maxConnections", request("/ws"), retry),
    refused(503, "over a route's maxConnections", request("/single"), retry),
  ],
  crowded: [refused(429, "over maxConnectionsPerAddress", request("/ws"), retry)],
};

function createRoutes(options) {
  const router = createRouter({ ...options, handshakeTimeout: 150, onError() {} });
  const handler = async (conn) => {
    for await (const { data } of conn.messages()) await conn.send(data);
  };
  for (const path of ["/ws", "/rooms/{roomId}", "/files/*"]) router.ws(path, handler);
  router.ws("/single", { maxConnections: 1, handler });
  router.ws("/chat", { protocols: ["v2", "v1"], handler });
  router.ws("/strict", { protocols: ["v1"], requireProtocol: true, handler });
  const decided = (path, decide) => router.ws(path, { handler, upgrade: decide });
  decided("/later", () => pause(30).then(() => undefined));
  decided("/never", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined))));
  decided("/throws", () => {
    throw new Error(NEEDLE);
  });
  decided("/private", ({ headers }) =>
    headers.has("authorization")
      ? new Response("You may not.\n", { status: 403 })
      : new Response("Who are you?\n", { status: 401, headers: { "www-authenticate": "Bearer" } }),
  );
  return router;
}

/** A server in one of the states of the corpus. */
export async function start(state) {
  const options = state === "full" ? { maxConnections: 2 } : state === "crowded" ? { maxConnectionsPerAddress: 1 } : {};
  const server = await serve(createRoutes(options), { host: "127.0.0.1", signals: [], drain: { timeout: 1_000 } });
  const { port } = server;
  const guests = [];
  const seat = async (path) => {
    const guest = connect(port, "127.0.0.1");
    guest.on("error", () => {});
    guest.write(request(path));
    await new Promise((resolve) => guest.once("data", resolve));
    guests.push(guest);
  };
  if (state !== "open") await seat("/ws");
  if (state === "full") await seat("/single");
  const drained = state === "draining" ? server.close() : undefined;
  return {
    port,
    async stop() {
      for (const guest of guests) guest.destroy();
      await (drained ?? server.close());
    },
  };
}

/** Sends a request, whole or byte by byte, and reads what comes back until the server closes, or until all that is expected is there. */
async function exchange(port, { bytes, behind = "" }, bytewise) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let text = "";
  let over = false;
  const closed = new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("close", () => {
      over = true;
      resolve();
    });
  });
  const complete = new Promise((resolve) => {
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (text.startsWith("HTTP/1.1 101") && end >= 0 && text.length >= end + 4 + behind.length) resolve();
    });
  });
  const timer = setTimeout(() => socket.destroy(), 5_000);
  const data = Buffer.from(bytes, "latin1");
  if (!bytewise) socket.write(data);
  else {
    for (const [index] of data.entries()) {
      if (over || (text !== "" && !text.startsWith("HTTP/1.1 101"))) break; // Refused already.
      socket.write(data.subarray(index, index + 1));
      await turn();
    }
  }
  await Promise.race([closed, complete]);
  const ended = over;
  clearTimeout(timer);
  socket.destroy();
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Headers(lines.map((header) => [header.slice(0, header.indexOf(":")), header.slice(header.indexOf(":") + 1).trim()]));
  return { status: Number(line.split(" ")[1]), headers, body: text.slice(end + 4), text, ended };
}

/** What is wrong with an answer; "" when nothing is. */
function judge(expected, answer) {
  if (answer.status !== expected.status) return `status ${answer.status}, not ${expected.status}`;
  for (const [name, value] of Object.entries(expected.headers)) {
    const found = answer.headers.get(name);
    if (value instanceof RegExp ? !value.test(found ?? "") : found !== value) return `${name}: ${found}, not ${value}`;
  }
  if (expected.status === 101) return answer.body === expected.behind ? "" : `${JSON.stringify(answer.body)} behind the 101`;
  if (!/^close\b/.test(answer.headers.get("connection") ?? "")) return "no Connection: close";
  if (!answer.ended) return "TCP stayed open";
  if (/.HTTP\/1\.1 \d{3} /s.test(answer.text)) return "a second answer";
  if (answer.text.toLowerCase().includes(NEEDLE)) return "the answer repeats the request";
  return answer.body.length > 200 ? "a long body" : "";
}

/** Puts cases to whoever listens on a port, whole or byte by byte. Gives what was not answered as it should be, in lines for people. */
export async function examine(port, cases, bytewise) {
  const problems = await Promise.all(cases.map(async (expected) => judge(expected, await exchange(port, expected, bytewise))));
  return cases.flatMap(({ name }, index) =>
    problems[index] === "" ? [] : [`${name}${bytewise ? ", byte by byte" : ""}: ${problems[index]}`],
  );
}

/** Runs the corpus. `failures` are lines for people. */
export async function run() {
  const failures = [];
  let total = 0;
  for (const [state, cases] of Object.entries(corpus)) {
    const server = await start(state);
    for (const bytewise of [false, true]) {
      total += cases.length;
      failures.push(...(await examine(server.port, cases, bytewise)));
    }
    await server.stop();
  }
  return { passed: total - failures.length, total, failures };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, total, failures } = await run();
  for (const failure of failures) console.error(`✗ ${failure}`);
  console.log(`handshake: ${passed}/${total}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
