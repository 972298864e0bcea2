// The load: a process of its own that writes prebuilt masked frames and counts the bytes that come back, so that what it costs is little
// and the same for every subject. Replies are calibrated once, by their size; nothing is parsed while it is measured.
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** One buffer for everything that is read: it is counted at once and never kept. */
const scratch = Buffer.alloc(256 * 1024);
const QUIET = 200; // ms without a byte, after which a reply is taken to be complete
const DRAIN = 20_000; // ms in which the last replies must come

/** @type {Peer[]} */
let peers = [];
/** Connections that ended although nobody asked. */
let lost = 0;

class Peer {
  /** Bytes of the reply that is not complete. */
  got = 0;
  /** Messages sent; in a room also the rounds heard. */
  sent = 0;
  heard = 0;
  /** Called with every chunk. */
  onBytes = (_count) => {};
}

/** What can be asked of this process, by name. */
const commands = {
  /** Opens so many connections. */
  async open({ port, path, headers, connections, hello, replies, batch = 100 }) {
    for (let from = 0; from < connections; from += batch) {
      const some = Array.from({ length: Math.min(batch, connections - from) }, () => open({ port, path, headers, hello, replies }));
      peers.push(...(await Promise.all(some)));
    }
    await pause(QUIET);
    return { connections: peers.length };
  },

  /**
   * Sends one frame on the first connection and waits until it, or everyone, has been answered. Tells how many bytes each connection got,
   * and shows the beginning of what the first one got.
   */
  async calibrate({ payload, times = 1, everyone = false }) {
    const until = performance.now() + DRAIN;
    let quietAt = performance.now() + QUIET;
    const sample = [];
    for (const peer of peers) {
      peer.got = 0;
      peer.onBytes = (count) => {
        if (peer === peers[0] && sample.length < 8) sample.push(Buffer.from(scratch.subarray(0, count)));
        peer.got += count;
        quietAt = performance.now() + QUIET;
      };
    }
    const asked = everyone ? peers : peers.slice(0, 1);
    const message = frame(payload);
    for (let count = 0; count < times; count++) peers[0].socket.write(message);
    while (performance.now() < until && (performance.now() < quietAt || asked.some(({ got }) => got === 0))) await pause(10);
    return { sizes: [...new Set(asked.map(({ got }) => got))], first: peers[0].got, sample: Buffer.concat(sample) };
  },

  /** The same with batches: one reply for so many messages, which leave together. */
  batches: ({ payloads, batch, replySize, ms }) =>
    commands.echo({
      frames: [Buffer.concat(Array.from({ length: batch }, () => frame(payloads[0])))],
      inFlight: 1,
      replySize,
      ms,
      units: batch,
    }),

  /** Every connection has `inFlight` messages open for `ms`; each reply is answered with the next message. */
  async echo({ payloads, frames = payloads.map((payload) => frame(payload)), inFlight, replySize, ms, units = 1 }) {
    const size = frames[0].length;
    if (frames.some(({ length }) => length !== size)) throw new Error("the payloads of one scenario must have one size");
    // A ring of frames, long enough that any run of them is one slice.
    const ring = Buffer.concat(Array.from({ length: Math.ceil(inFlight / frames.length) + 1 }, () => frames).flat());
    let running = true;
    let open = 0;
    let messages = 0;
    const finished = withResolvers();
    const send = (peer, count) => {
      const from = peer.sent % frames.length;
      peer.sent += count;
      open += count;
      peer.socket.write(ring.subarray(from * size, (from + count) * size));
    };
    for (const [index, peer] of peers.entries()) {
      peer.got = 0;
      peer.sent = index * 7; // Where there are many messages, not everyone sends the same at the same time.
      peer.onBytes = (count) => {
        peer.got += count;
        if (peer.got < replySize) return;
        const replies = Math.floor(peer.got / replySize);
        peer.got -= replies * replySize;
        messages += replies;
        open -= replies;
        if (running) send(peer, replies);
        else if (open === 0) finished.resolve();
      };
    }
    return timed(async () => {
      for (const peer of peers) send(peer, inFlight);
      await pause(ms);
      running = false;
      if (open > 0) await within(finished.promise, () => `${open} replies never came`);
      return messages * units;
    });
  },

  /** Asks for a turn of broadcasts, waits until everyone has read all of it, and asks for the next. Counts deliveries. */
  async turns({ payload, turnSize, perTurn, ms }) {
    const request = frame(payload);
    const wanted = turnSize * peers.length;
    let running = true;
    let got = 0;
    let deliveries = 0;
    const finished = withResolvers();
    const onBytes = (count) => {
      got += count;
      if (got < wanted) return;
      if (got > wanted) finished.reject(new Error(`${got - wanted} bytes more than were asked for`));
      got = 0;
      deliveries += peers.length * perTurn;
      if (running) peers[0].socket.write(request);
      else finished.resolve();
    };
    for (const peer of peers) peer.onBytes = onBytes;
    return timed(async () => {
      peers[0].socket.write(request);
      await pause(ms);
      running = false;
      await within(finished.promise, () => `${wanted - got} bytes of a turn never came`);
      return deliveries;
    });
  },

  /** Everyone talks: a connection says its next message when it has heard as many as its room has members. Counts messages that went in. */
  async room({ payload, size, members = peers.length, inFlight, ms }) {
    const message = frame(payload);
    const round = size * members;
    let last = Number.POSITIVE_INFINITY;
    let silent = 0;
    const finished = withResolvers();
    for (const peer of peers) {
      peer.got = 0;
      peer.sent = 0;
      peer.heard = 0;
      peer.onBytes = (count) => {
        peer.got += count;
        while (peer.got >= round) {
          peer.got -= round;
          peer.heard++;
          if (peer.sent < last) {
            peer.sent++;
            peer.socket.write(message);
          } else if (peer.heard === last && ++silent === peers.length) finished.resolve();
        }
      };
    }
    return timed(async () => {
      for (const peer of peers) {
        peer.sent = inFlight;
        for (let count = 0; count < inFlight; count++) peer.socket.write(message);
      }
      await pause(ms);
      last = Math.max(...peers.map(({ sent }) => sent)); // Everyone says as much as who said most, or nobody could come to an end.
      await within(finished.promise, () => `the room fell silent: ${silent} of ${peers.length} members came to the end`);
      return peers.reduce((sum, { sent }) => sum + sent, 0);
    });
  },

  /** Sends one message and counts the bytes that it sets free, for so long. */
  async flood({ payload, ms }) {
    let bytes = 0;
    for (const peer of peers) {
      peer.onBytes = (count) => {
        bytes += count;
      };
    }
    peers[0].socket.write(frame(payload));
    await pause(ms);
    return { bytes, ms };
  },

  /** Opens and closes connections, `at once` of them at a time. Counts handshakes. */
  async connects({ port, path, headers, hello, replies, atOnce, ms }) {
    let messages = 0;
    const until = performance.now() + ms;
    return timed(async () => {
      const one = async () => {
        while (performance.now() < until) {
          const { socket } = await open({ port, path, headers, hello, replies });
          const closed = new Promise((resolve) => socket.once("close", resolve));
          socket.write(frame(Buffer.from([0x03, 0xe8]), 0x8));
          await within(closed, () => "a connection did not close");
          messages++;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, one));
      return messages;
    });
  },

  async close() {
    const closed = peers.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
    for (const { socket } of peers) socket.destroy();
    peers = [];
    await Promise.all(closed);
  },
};

/** Runs a load and tells what it did, in which time, and how much of it this process was busy. */
async function timed(run) {
  const started = performance.now();
  const before = process.cpuUsage();
  const messages = await run();
  const { user, system } = process.cpuUsage(before);
  const ms = performance.now() - started;
  return { messages, ms, busy: (user + system) / 1000 / ms };
}

async function within(promise, describe) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${describe()} (${lost} connections were lost)`)), DRAIN);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function withResolvers() {
  const out = {};
  out.promise = new Promise((resolve, reject) => {
    out.resolve = resolve;
    out.reject = reject;
  });
  out.promise.catch(() => {});
  return out;
}

/** Opens one connection, says hello where the protocol has one, and waits for as many frames as the server then sends. */
function open({ port, path, headers = {}, hello = [], replies = 0 }) {
  return new Promise((resolve, reject) => {
    const peer = new Peer();
    let head = Buffer.alloc(0);
    peer.onBytes = (count) => {
      head = Buffer.concat([head, scratch.subarray(0, count)]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!head.toString("latin1").startsWith("HTTP/1.1 101")) return reject(new Error(head.toString("latin1").slice(0, 300)));
      if (peer.sent === 0) for (const text of hello) peer.socket.write(frame(text));
      peer.sent = 1;
      if (countFrames(head.subarray(end + 4)) < replies) return;
      peer.onBytes = () => {};
      resolve(peer);
    };
    peer.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: scratch,
        callback(count) {
          peer.onBytes(count);
          return true;
        },
      },
    });
    peer.socket.on("error", reject);
    peer.socket.on("close", () => lost++);
    const lines = {
      host: `127.0.0.1:${port}`,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      "sec-websocket-version": 13,
      ...headers,
    };
    peer.socket.write(
      `GET ${path} HTTP/1.1\r\n${Object.entries(lines)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("")}\r\n`,
    );
  });
}

/** Whole unmasked frames in these bytes. */
function countFrames(bytes) {
  let count = 0;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes[at + 1] & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    at = start + (short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2)));
    if (at <= bytes.length) count++;
  }
  return count;
}

/** One masked frame: text for a string, binary for bytes. */
function frame(given, opcode = typeof given === "string" ? 0x1 : 0x2) {
  const payload = Buffer.from(given);
  const size = payload.length;
  const header = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  const out = Buffer.alloc(header + 4 + size);
  out[0] = 0x80 | opcode;
  out[1] = 0x80 | (size < 126 ? size : size < 65_536 ? 126 : 127);
  if (header === 4) out.writeUInt16BE(size, 2);
  if (header === 10) out.writeBigUInt64BE(BigInt(size), 2);
  const mask = [0x5a, 0x13, 0xc7, 0x38];
  for (let index = 0; index < 4; index++) out[header + index] = mask[index];
  for (let index = 0; index < size; index++) out[header + 4 + index] = payload[index] ^ mask[index & 3];
  return out;
}

process.on("message", async ({ command, ...options }) => {
  try {
    process.send({ result: await commands[command](options) });
  } catch (error) {
    process.send({ error: error.message });
  }
});
process.on("disconnect", () => process.exit(0));
