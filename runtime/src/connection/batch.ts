// Frames as one write. The members of a room mostly get the same ones in a turn, and share one list of them and one batch.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/** Batches below this size are copied into one Buffer; above it they go out as one writev. */
const CONCAT_LIMIT = 64 * 1024;

/** The list begun last. */
let begun: Buffer[] | undefined;
/** The batch made last: so many of a list. */
let batch: Buffer | undefined;
let batchList: readonly Buffer[] | undefined;
let batchCount = 0;

/** A list of frames that begins with this one. Others have it as well: it only grows, and whoever has one counts how many are his. */
export function beginFrames(frame: Buffer): Buffer[] {
  if (begun === undefined || begun[0] !== frame) begun = [frame];
  return begun;
}

/** The list with one more frame behind the first `count`: the same one, unless somebody has put another there. */
export function addFrame(frames: Buffer[], count: number, frame: Buffer): Buffer[] {
  if (count < frames.length) return frames[count] === frame ? frames : [...firstOf(frames, count), frame];
  frames.push(frame);
  return frames;
}

/** Writes the first `count` frames of a list, `bytes` in all. Whoever has the same ones gets the same batch, as long as the turn lasts. */
export function writeShared(socket: Duplex, frames: readonly Buffer[], count: number, bytes: number): void {
  if (count === 1 || bytes >= CONCAT_LIMIT) {
    writeFrames(socket, firstOf(frames, count), bytes);
    return;
  }
  if (batch === undefined || batchList !== frames || batchCount !== count) {
    batch = Buffer.concat(firstOf(frames, count), bytes);
    batchList = frames;
    batchCount = count;
  }
  socket.write(batch);
}

/** Writes frames that nobody else has, `bytes` in all: at any time, for nothing of them is kept. */
export function writeFrames(socket: Duplex, frames: readonly Buffer[], bytes: number): void {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) {
    socket.write(first);
  } else if (bytes < CONCAT_LIMIT) {
    socket.write(Buffer.concat(frames, bytes));
  } else {
    socket.cork();
    for (const frame of frames) socket.write(frame);
    socket.uncork();
  }
}

/** To be called at the end of a turn, so that nothing of it stays in memory. */
export function forgetBatch(): void {
  begun = undefined;
  batch = undefined;
  batchList = undefined;
}

function firstOf(frames: readonly Buffer[], count: number): readonly Buffer[] {
  return count === frames.length ? frames : frames.slice(0, count);
}
