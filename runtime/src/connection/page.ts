// The texts that one connection sends in a row, encoded side by side: a Buffer for each would cost more than its text.

import { Buffer } from "node:buffer";
import { encodeFrame, opcodes, writeText } from "./wire.ts";

/** Whose texts lie on the page. */
export interface TextWriter {
  /** Takes them, as frames in one Buffer: something else follows them, or somebody else writes. */
  takeFrames(frames: Buffer): void;
}

/** In UTF-16 units. A longer text goes out in a Buffer of its own. */
export const LONGEST_TEXT = 16 * 1024;

/** One page for all connections: what it holds is copied before anybody else writes. A unit is at most three bytes, the header of what lies here four. */
const SIZE = 64 * 1024;
const page = Buffer.allocUnsafeSlow(SIZE);
let writer: TextWriter | undefined;
let used = 0;
/** The only text so far: mostly no other follows, and it need not be copied then. */
let single: Buffer | undefined;

/** Adds a text, and gives the number of bytes it takes. */
export function addText(from: TextWriter, text: string): number {
  if (writer !== from || used + 4 + 3 * text.length > SIZE) {
    if (writer !== undefined) handOverTexts(writer);
    writer = from;
    single = encodeFrame(opcodes.text, text);
    used = single.length;
    return used;
  }
  if (single !== undefined) {
    page.set(single);
    single = undefined;
  }
  const start = used;
  used = writeText(page, start, text);
  return used - start;
}

/** Has `from` take what it has written. */
export function handOverTexts(from: TextWriter): void {
  if (writer !== from) return;
  const frames = single ?? copyOfPage();
  dropTexts(from);
  from.takeFrames(frames);
}

/** Forgets what `from` has written. */
export function dropTexts(from: TextWriter): void {
  if (writer !== from) return;
  writer = undefined;
  single = undefined;
}

function copyOfPage(): Buffer {
  const copy = Buffer.allocUnsafe(used);
  copy.set(page.subarray(0, used));
  return copy;
}
