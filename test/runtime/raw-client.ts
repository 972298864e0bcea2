// A WebSocket peer that obeys nothing: writes any frame, whole or in pieces, and shows every frame that comes back.

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface RawFrame {
  readonly fin: boolean;
  /** The three reserved bits as a number, 0–7. */
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** Unmasked. */
  readonly payload: Buffer;
}

export interface RawFrameOptions {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  readonly fin?: boolean;
  readonly rsv?: number;
  /** `true` (default): a fixed mask; `false`: none. */
  readonly mask?: boolean | Uint8Array;
  /** The length the header declares, when it is to lie. */
  readonly declaredLength?: number;
}

/** One frame as bytes, right or wrong. */
export function rawFrame({ opcode, payload = "", fin = true, rsv = 0, mask = true, declaredLength }: RawFrameOptions): Buffer {
  const data = Buffer.from(payload);
  const length = declaredLength ?? data.length;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const maskBit = mask === false ? 0 : 0x80;
  let header: Buffer;
  if (length < 126) {
    header = Buffer.from([first, maskBit | length]);
  } else if (length < 65_536) {
    header = Buffer.from([first, maskBit | 126, 0, 0]);
    header.writeUInt16BE(length, 2);
  } else {
    header = Buffer.from([first, maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  if (mask === false) return Buffer.concat([header, data]);
  const key = mask === true ? Buffer.from([0x12, 0xa5, 0x5a, 0xe7]) : Buffer.from(mask);
  return Buffer.concat([header, key, data.map((byte, index) => byte ^ (key[index & 3] ?? 0))]);
}

/** A masked text frame. */
export function textFrame(text: string): Buffer {
  return rawFrame({ opcode: 0x1, payload: text });
}

/** A masked close frame. */
export function closeFrame(code?: number, reason = ""): Buffer {
  if (code === undefined) return rawFrame({ opcode: 0x8 });
  return rawFrame({ opcode: 0x8, payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]) });
}

/** The frame at the beginning of some bytes, and where it ends; `undefined` when there is no whole one. */
export function parseFrame(bytes: Buffer): { readonly frame: RawFrame; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const masked = (second & 0x80) !== 0;
  let length = second & 0x7f;
  let start = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    start = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    start = 10;
  }
  const key = masked ? bytes.subarray(start, start + 4) : Buffer.alloc(4);
  if (masked) start += 4;
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length)).map((byte, index) => byte ^ (key[index & 3] ?? 0));
  const frame = { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 0xf, masked, payload: Buffer.from(payload) };
  return { frame, end: start + length };
}

/** One end of a TCP connection that speaks frames and nothing else. */
export class RawClient {
  readonly socket: Socket;
  /** Settles when TCP has ended, however it did. */
  readonly ended: Promise<void>;
  readonly #frames: RawFrame[] = [];
  readonly #waiting: { readonly resolve: (frame: RawFrame) => void; readonly reject: (error: Error) => void }[] = [];
  #pieces: Buffer[] = [];
  #size = 0;
  #over = false;
  /** Bytes received so far. */
  received = 0;

  /** `head`: bytes that were read behind a handshake. */
  constructor(socket: Socket, head: Uint8Array = Buffer.alloc(0)) {
    this.socket = socket;
    socket.on("error", () => {}); // "ended" tells.
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        this.#over = true;
        for (const { reject } of this.#waiting.splice(0)) reject(new Error("TCP ended before a frame came"));
        resolve();
      });
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    if (head.length > 0) this.#read(Buffer.from(head));
  }

  write(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The next frame, in order. */
  next(): Promise<RawFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    if (this.#over) return Promise.reject(new Error("TCP ended before a frame came"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** The next frame's payload as text. */
  async nextText(): Promise<string> {
    return (await this.next()).payload.toString();
  }

  /** Skips to the close frame and gives its code (1005: none) and reason. */
  async nextClose(): Promise<{ readonly code: number; readonly reason: string }> {
    for (;;) {
      const { opcode, payload } = await this.next();
      if (opcode !== 0x8) continue;
      if (payload.length === 0) return { code: 1005, reason: "" };
      return { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
    }
  }

  /** Frames received and not yet asked for. */
  get pending(): readonly RawFrame[] {
    return this.#frames;
  }

  /** Ends with a TCP reset; in memory, where there is none, without a word. */
  reset(): void {
    if ("resetAndDestroy" in this.socket) this.socket.resetAndDestroy();
    else (this.socket as Duplex).destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.received += chunk.length;
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    const first = this.#pieces[0] ?? chunk;
    // Joins the pieces only when a frame may be whole, so that a large one is not copied for each of them.
    if (this.#pieces.length > 1 && first.length >= 14 && declaredSize(first) > this.#size) return;
    let bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    for (let parsed = parseFrame(bytes); parsed !== undefined; parsed = parseFrame(bytes)) {
      bytes = bytes.subarray(parsed.end);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#frames.push(parsed.frame);
      else waiting.resolve(parsed.frame);
    }
    this.#pieces = bytes.length === 0 ? [] : [bytes];
    this.#size = bytes.length;
  }
}

function declaredSize(bytes: Buffer): number {
  const short = bytes.readUInt8(1) & 0x7f;
  if (short < 126) return 2 + short;
  return short === 126 ? 4 + bytes.readUInt16BE(2) : 10 + Number(bytes.readBigUInt64BE(2));
}

/** Connects to a TCP port of this machine; no handshake. */
export function connectRaw(port: number): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: false });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(new RawClient(socket));
    });
  });
}
