// Frames that wait for a slow peer to read, or for a message in parts to end.

/** A frame and the key by which a newer one may take its place. */
export type Waiting = readonly [key: string | number, frame: Buffer];

/** A queue of frames in the order they were added. */
export class Backlog {
  bytes = 0;
  /** In order of insertion. A frame that nothing may replace has a number for a key. */
  readonly #frames = new Map<string | number, Buffer>();
  #serial = 0;

  get size(): number {
    return this.#frames.size;
  }

  get frames(): Iterable<Buffer> {
    return this.#frames.values();
  }

  get entries(): Iterable<Waiting> {
    return this.#frames.entries();
  }

  /** Adds a frame at the end; true when one with the same key went for it. */
  add(frame: Buffer, key: string | undefined): boolean {
    const replaced = key !== undefined && this.#remove(key);
    this.#frames.set(key ?? this.#serial++, frame);
    this.bytes += frame.length;
    return replaced;
  }

  dropOldest(): void {
    for (const key of this.#frames.keys()) {
      this.#remove(key);
      return;
    }
  }

  #remove(key: string | number): boolean {
    const frame = this.#frames.get(key);
    if (frame === undefined) return false;
    this.bytes -= frame.length;
    return this.#frames.delete(key);
  }
}
