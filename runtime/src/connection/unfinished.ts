// A message that comes in fragments and has not come to its end (RFC 6455 section 5.4).

import { Buffer, isUtf8 } from "node:buffer";
import type { Gathering } from "./gathering.ts";

export class Unfinished {
  readonly opcode: number;
  readonly rsv: number;
  /** Whether its fragments are told as they come. */
  streamed: boolean;
  /** The limit it began with, where that holds for no other message any more. */
  limit: number | undefined;
  /** Those that are put together first. */
  gathered: Gathering | undefined;
  fragments = 0;
  /** Bytes so far. */
  size = 0;
  text: Utf8Check | undefined;

  constructor(opcode: number, rsv: number, streamed: boolean) {
    this.opcode = opcode;
    this.rsv = rsv;
    this.streamed = streamed;
  }
}

/** Checks text that comes in parts, which may be cut inside a character. */
export class Utf8Check {
  /** The beginning of a character whose end has not come. */
  #cut: Buffer = Buffer.alloc(0);

  accepts(part: Buffer, final: boolean): boolean {
    const bytes = this.#cut.length === 0 ? part : Buffer.concat([this.#cut, part]);
    const end = bytes.length - (final ? 0 : cutLength(bytes));
    this.#cut = Buffer.from(bytes.subarray(end));
    return isUtf8(bytes.subarray(0, end));
  }
}

/** How many bytes at the end of some UTF-8 are the beginning of a character and not its end. */
function cutLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes.readUInt8(bytes.length - back);
    if (byte >= 0x80 && byte < 0xc0) continue;
    return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1) ? back : 0;
  }
  return 0;
}
