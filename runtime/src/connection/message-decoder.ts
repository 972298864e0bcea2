// Where extensions take part in reading.

import type { Closure } from "./close.ts";

/** What stands between the messages on the wire and those that are told: the extensions. */
export interface MessageDecoder {
  /** The reserved bits that the first frame of a data message may have, as a number from 0 to 7. */
  readonly rsv: number;
  /** Whether a message without any of these bits is as it was sent. */
  readonly optional: boolean;
  /** Gives at most `maxSize` bytes. Throws MessageRefused when the peer is at fault, anything else when we are. */
  decode(data: Buffer, binary: boolean, rsv: number, maxSize: number): Buffer;
}

/** Thrown by a decoder when the connection must end like this. */
export class MessageRefused extends Error {
  readonly closure: Closure;

  constructor(closure: Closure) {
    super(closure.when);
    this.closure = closure;
  }
}
