// A raw WebSocket peer for the conformance suite: writes any bytes, reads frames, knows no rule but the layout of a frame (RFC 6455 section 5.2).

import { connect } from "node:net";

/** One masked frame, right or wrong. */
export function frame(opcode, payload = "", { fin = true, rsv = 0, mask = true, length } = {}) {
  const data = Buffer.from(payload);
  const declared = BigInt(length ?? data.length);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const bit = mask ? 0x80 : 0;
  let header;
  if (declared < 126n) {
    header = Buffer.from([first, bit | Number(declared)]);
  } else if (declared < 65_536n) {
    header = Buffer.from([first, bit | 126, 0, 0]);
    header.writeUInt16BE(Number(declared), 2);
  } else {
    header = Buffer.from([first, bit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeBigUInt64BE(declared, 2);
  }
  if (!mask) return Buffer.concat([header, data]);
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  for (let i = 0; i < data.length; i++) data[i] ^= key[i & 3];
  return Buffer.concat([header, key, data]);
}

/** A close frame. */
export function closing(code, reason = "") {
  if (code === undefined) return frame(8);
  return frame(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
}

/**
 * Opens a WebSocket on 127.0.0.1. `onFrame` is told { fin, rsv, opcode, payload } for every frame, `onEnd` once when TCP is over.
 * Settles with { socket, extensions } when the server has switched protocols, rejects when it has not.
 */
export function open({ port, offer, onFrame, onEnd }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let pieces = [];
    let size = 0;
    let wanted = 0;
    let open = false;
    socket.on("error", reject); // Once settled this does nothing; "close" tells.
    socket.on("close", () => {
      reject(new Error("TCP ended during the handshake"));
      onEnd();
    });
    socket.on("data", (chunk) => {
      pieces.push(chunk);
      size += chunk.length;
      if (size < wanted) return; // So that a large frame is not copied for each of its pieces.
      let bytes = pieces.length === 1 ? chunk : Buffer.concat(pieces);
      if (!open) {
        const end = bytes.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = bytes.toString("latin1", 0, end);
        bytes = bytes.subarray(end + 4);
        if (!head.startsWith("HTTP/1.1 101 ")) {
          reject(new Error(`the server answered ${head.split("\r\n", 1)[0]}`));
          socket.destroy();
          return;
        }
        open = true;
        resolve({ socket, extensions: /^sec-websocket-extensions: *(.*)$/im.exec(head)?.[1] ?? "" });
      }
      for (;;) {
        const parsed = parse(bytes);
        if (typeof parsed === "number") {
          wanted = parsed;
          break;
        }
        bytes = bytes.subarray(parsed.end);
        onFrame(parsed);
      }
      pieces = [bytes];
      size = bytes.length;
    });
    const lines = ["GET / HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    lines.push("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...(offer === undefined ? [] : [`Sec-WebSocket-Extensions: ${offer}`]));
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  });
}

/** The frame at the beginning, or how many bytes there must be to know more. */
function parse(bytes) {
  if (bytes.length < 2) return 2;
  const short = bytes[1] & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return start;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return end;
  const masked = (bytes[1] & 0x80) !== 0;
  return {
    fin: (bytes[0] & 0x80) !== 0,
    rsv: (bytes[0] >> 4) & 7,
    opcode: bytes[0] & 0xf,
    masked,
    payload: Buffer.from(bytes.subarray(start, end)),
    end,
  };
}
