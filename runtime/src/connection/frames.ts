// `conn.frames()`: data frames as they come, before the message they belong to has ended.

import { bytesOf } from "./arrivals.ts";
import type { Frame } from "./connection.ts";
import type { Inbox } from "./inbox.ts";
import { InboxReader, type ReaderOwner } from "./reader.ts";

export class FrameSequence extends InboxReader<Frame> {
  /** Bytes of the message so far, for those that had arrived before this reader came. */
  #size = 0;

  constructor(inbox: Inbox, owner: ReaderOwner, maxSize: number | undefined) {
    super(inbox, "frames()", owner, maxSize);
  }

  protected override read(): Frame | undefined {
    const arrival = this.inbox.take();
    if (arrival === undefined) return undefined;
    const { size, binary, first, final } = arrival;
    this.#size = (first ? 0 : this.#size) + size;
    if (this.#size <= this.maxSize) return { type: binary ? "binary" : "text", data: bytesOf(arrival), fin: final };
    this.owner.onTooBig();
    this.end();
    return undefined;
  }
}
