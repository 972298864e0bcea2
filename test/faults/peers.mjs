// Clients over raw sockets: nothing of ours or of ws stands between a fault and what the server makes of it.

import { connect } from "node:net";

/** A handshake as text. */
export function upgradeRequest(path = "/", headers = {}) {
  const all = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** Shakes hands on a socket that is connecting, and gives what comes behind to `read`. Rejects when the server does not switch. */
export function handshake(socket, { path, headers, read }) {
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (error) => {
      socket.off("data", onData);
      socket.off("error", settle);
      socket.off("close", onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = () => settle(new Error("TCP ended during the handshake"));
    const onData = (chunk) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!text.startsWith("HTTP/1.1 101 ")) return settle(new Error(text.split("\r\n", 1)[0]));
      settle();
      socket.on("error", () => {}); // "close" tells.
      socket.on("data", read);
      if (text.length > end + 4) read(Buffer.from(text.slice(end + 4), "latin1"));
    };
    socket.on("data", onData);
    socket.once("error", settle);
    socket.once("close", onClose);
    socket.write(upgradeRequest(path, headers));
  });
}

const EMPTY = Buffer.alloc(0);

/** Takes what a server sends apart, as it comes: calls `onFrame({ opcode, payload })` for every frame. */
export function frameReader(onFrame) {
  let rest = EMPTY;
  return (chunk) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const end = frameEnd(bytes);
      if (end === undefined || end > bytes.length) break;
      const start = bytes[1] < 126 ? 2 : bytes[1] === 126 ? 4 : 10;
      onFrame({ opcode: bytes[0] & 15, payload: bytes.subarray(start, end) });
      bytes = bytes.subarray(end);
    }
    rest = bytes;
  };
}

function frameEnd(bytes) {
  if (bytes.length < 2) return undefined;
  if (bytes[1] < 126) return 2 + bytes[1];
  if (bytes[1] === 126) return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? undefined : 10 + Number(bytes.readBigUInt64BE(2));
}

/** The code in a close frame's payload. */
export function codeOf(payload) {
  return payload.length < 2 ? 1005 : payload.readUInt16BE(0);
}

/**
 * Opens a WebSocket whose every frame goes to `onFrame`. Settles with `{ socket, ended }`; `ended` settles with the code of the server's close frame,
 * 1006 without one. It answers nothing by itself.
 */
export async function openPeer({ port, path, headers, onFrame = () => {} }) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let code = 1006;
  const ended = new Promise((resolve) => socket.once("close", () => resolve(code)));
  const read = frameReader((frame) => {
    if (frame.opcode === 8) code = codeOf(frame.payload);
    onFrame(frame);
  });
  await handshake(socket, { path, headers, read });
  return { socket, ended };
}

/** Does `work` with 0 … count − 1, so many at a time. Gives what it gave, in order. */
export async function inParallel(count, parallel, work) {
  const results = [];
  let next = 0;
  const some = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, some));
  return results;
}
