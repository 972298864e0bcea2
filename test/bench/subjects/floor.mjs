// The least a server on node:http can do: no limit, no fragment, no extension, no close handshake, nothing checked and nothing looked up. It is no
// server to use; it says how much of a figure nobody can save here.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { handleText } from "./by-hand.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export async function start({ behaviour }) {
  const handle = handleText({ behaviour });
  const sockets = new Set();
  /** Texts of this turn: for single sockets, and for all of them. */
  let answers = new Map();
  let published = [];

  function endTurn() {
    for (const [socket, texts] of answers) socket.write(together(texts));
    answers = new Map();
    if (published.length === 0) return;
    const batch = together(published);
    published = [];
    for (const socket of sockets) socket.write(batch);
  }
  function atEndOfTurn() {
    if (answers.size === 0 && published.length === 0) setImmediate(endTurn);
  }

  function accept(request, socket) {
    const accepted = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${GUID}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n`,
    );
    socket.setNoDelay(true);
    sockets.add(socket);
    const peer = {
      send(text) {
        atEndOfTurn();
        const texts = answers.get(socket);
        if (texts === undefined) answers.set(socket, [text]);
        else texts.push(text);
      },
      broadcast(make) {
        atEndOfTurn();
        published.push(make());
      },
    };
    let kept;
    socket.on("data", (chunk) => {
      const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk]);
      const rest = readFrames(bytes, (text) => handle(text, peer));
      kept = rest < bytes.length ? bytes.subarray(rest) : undefined;
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  }

  const server = createServer().on("upgrade", accept);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port };
}

/** Masked text frames of up to 64 KiB, each given to `handle`; tells where the first one begins that has not come whole. */
function readFrames(bytes, handle) {
  for (let at = 0; ; ) {
    if (at + 8 > bytes.length) return at;
    const long = (bytes[at + 1] & 127) === 126;
    const start = at + (long ? 8 : 6);
    const end = start + (long ? bytes.readUInt16BE(at + 2) : bytes[at + 1] & 127);
    if (end > bytes.length) return at;
    for (let index = start, mask = start - 4; index < end; index++) bytes[index] ^= bytes[mask + ((index - start) & 3)];
    handle(bytes.latin1Slice(start, end));
    at = end;
  }
}

const page = Buffer.allocUnsafeSlow(1024 * 1024);

/** Texts as frames in one Buffer. */
function together(texts) {
  let at = 0;
  for (const text of texts) {
    const header = text.length < 126 ? 2 : 4; // ASCII, which is all that is measured.
    const length = page.utf8Write(text, at + header);
    page[at] = 0x81;
    if (header === 2) page[at + 1] = length;
    else {
      page[at + 1] = 126;
      page[at + 2] = length >> 8;
      page[at + 3] = length & 255;
    }
    at += header + length;
  }
  const frames = Buffer.allocUnsafe(at);
  frames.set(page.subarray(0, at));
  return frames;
}
