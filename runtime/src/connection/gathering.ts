// Where bytes are put together that come in pieces.

import { Buffer } from "node:buffer";

/** Bytes copied together. Views would pin every 64 KiB chunk they lie in, which a peer could use to fill the memory. */
export class Gathering {
  /** Holds `length` bytes, and room for more behind them. */
  bytes: Buffer = Buffer.alloc(0);
  length = 0;

  /** `most`: how many bytes there will be at the end, as far as is known. */
  add(part: Buffer, most: number): void {
    const length = this.length + part.length;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, Math.min(most, 2 * this.bytes.length)));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(part, this.length);
    this.length = length;
  }
}
