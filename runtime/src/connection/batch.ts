// Frames as one write.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/** Batches below this size are copied into one Buffer; above it they go out as one writev. */
const CONCAT_LIMIT = 64 * 1024;

/** The batch written last and its bytes: the members of a room mostly have the same one. */
let lastFrames: readonly Buffer[] | undefined;
let lastBatch: Buffer | undefined;

/** `bytes`: of all frames together. */
export function writeBatch(socket: Duplex, frames: readonly Buffer[], bytes: number): void {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) {
    socket.write(first);
  } else if (bytes < CONCAT_LIMIT) {
    if (lastBatch === undefined || lastFrames === undefined || !equal(frames, lastFrames)) {
      lastBatch = Buffer.concat(frames, bytes);
      lastFrames = frames;
    }
    socket.write(lastBatch);
  } else {
    socket.cork();
    for (const frame of frames) socket.write(frame);
    socket.uncork();
  }
}

/** To be called at the end of a turn, so that no batch stays in memory. */
export function forgetBatch(): void {
  lastFrames = undefined;
  lastBatch = undefined;
}

function equal(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
