// Frames as bytes (RFC 6455 section 5), and how they are written. frame-reader.ts reads them.

import { Buffer } from "node:buffer";

/** RFC 6455 section 5.2. */
export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** One final, unmasked frame, header and payload in a single Buffer. Lone surrogates of a string become U+FFFD. */
export function encodeFrame(opcode: number, payload: string | Uint8Array): Buffer {
  const length = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
  const start = headerSize(length);
  const frame = Buffer.allocUnsafe(start + length);
  writeHeader(frame, 0, FIN | opcode, length);
  if (typeof payload === "string") frame.write(payload, start);
  else frame.set(payload, start);
  return frame;
}

/** The same for a part of a message that is not its last. */
export function encodeFragment(opcode: number, payload: string | Uint8Array): Buffer {
  const frame = encodeFrame(opcode, payload);
  frame[0] = opcode;
  return frame;
}

/** A message as a frame, which it may be already. */
export function frameOf(message: Buffer | string): Buffer {
  return typeof message === "string" ? encodeFrame(opcodes.text, message) : message;
}

/** Writes a text frame where there is room for three bytes a UTF-16 unit and the header, and gives where it ends. */
export function writeText(to: Buffer, at: number, text: string): number {
  const guess = at + headerSize(text.length);
  const length = to.write(text, guess);
  const start = at + headerSize(length);
  if (start !== guess) to.copyWithin(start, guess, guess + length);
  writeHeader(to, at, FIN | opcodes.text, length);
  return start + length;
}

/** An unmasked frame of ours as several with at most `size` bytes of payload, in a single Buffer, so that no message comes between. */
export function splitFrame(frame: Buffer, size: number): Buffer {
  const start = payloadStart(frame);
  const length = frame.length - start;
  if (length <= size) return frame;
  const first = frame.readUInt8(0);
  const whole = Math.ceil(length / size) - 1;
  const rest = length - whole * size;
  const fragments = Buffer.allocUnsafe(whole * (headerSize(size) + size) + headerSize(rest) + rest);
  let to = 0;
  for (let from = start; from < frame.length; from += size) {
    const part = Math.min(size, frame.length - from);
    const begin = from === start ? first & ~FIN : opcodes.continuation; // Reserved bits belong to the first.
    to = writeHeader(fragments, to, from + part === frame.length ? begin | (first & FIN) : begin, part);
    to += frame.copy(fragments, to, from, from + part);
  }
  return fragments;
}

/** The bit that ends a message. */
export const FIN = 0x80;

function headerSize(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** Writes an unmasked header and gives where it ends. */
function writeHeader(to: Buffer, at: number, first: number, length: number): number {
  to[at] = first;
  if (length < 126) {
    to[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    to[at + 1] = 126;
    return to.writeUInt16BE(length, at + 2);
  }
  to[at + 1] = 127;
  to.writeUInt16BE(0, at + 2);
  return to.writeUIntBE(length, at + 4, 6);
}

/** Where the payload begins in an unmasked frame of ours. */
export function payloadStart(frame: Buffer): number {
  const short = frame.readUInt8(1);
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}
