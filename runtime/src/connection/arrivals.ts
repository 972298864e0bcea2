// What has arrived on a connection and waits for somebody to take it.

import { Buffer } from "node:buffer";

/** One message as it lies here, or one fragment of it. */
export interface Arrival {
  /** A whole text is a string, unless it came in fragments. */
  readonly data: string | Buffer;
  /** In bytes. */
  readonly size: number;
  readonly binary: boolean;
  /** Whether it begins a message, and whether it ends one. */
  readonly first: boolean;
  readonly final: boolean;
}

/** Arrivals in their order. */
export class Arrivals {
  /** Of those that lie here. */
  bytes = 0;
  /** Whether reading has stopped because there are too many. */
  held = false;
  /** When the share of this turn ends, where there is far more than usual to deliver. */
  shareEnds: number | undefined;
  readonly #queue: Arrival[] = [];
  /** The fragments of a message that is put together here. */
  #parts: Buffer[] | undefined;
  #partBytes = 0;

  get length(): number {
    return this.#queue.length;
  }

  add(arrival: Arrival): void {
    this.#queue.push(arrival);
    this.bytes += arrival.size;
  }

  shift(): Arrival | undefined {
    const arrival = this.#queue.shift();
    if (arrival !== undefined) this.bytes -= arrival.size;
    return arrival;
  }

  /**
   * The next whole message, or the beginning of one that has more than `maxSize` bytes. Fragments lie here when a puller was streaming; what is left
   * of a message that it left in its middle is skipped.
   */
  shiftMessage(maxSize: number): Arrival | undefined {
    for (let arrival = this.shift(); arrival !== undefined; arrival = this.shift()) {
      if (arrival.first && arrival.final) return arrival;
      if (arrival.first) this.#parts = [];
      this.#parts?.push(bytesOf(arrival));
      this.#partBytes = (arrival.first ? 0 : this.#partBytes) + arrival.size;
      if (this.#parts === undefined || (!arrival.final && this.#partBytes <= maxSize)) continue;
      const data = Buffer.concat(this.#parts);
      this.#parts = undefined;
      return { data, size: data.length, binary: arrival.binary, first: true, final: true };
    }
    return undefined;
  }
}

/** The text of an arrival that is not binary. */
export function textOf({ data }: Arrival): string {
  return typeof data === "string" ? data : data.toString();
}

export function bytesOf({ data }: Arrival): Buffer {
  return typeof data === "string" ? Buffer.from(data) : data;
}
