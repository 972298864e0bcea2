// How much a peer may say: token buckets that hold what is allowed in one second.

/** What a peer may send per second; what is left out is not limited. A second's worth may come at once. */
export interface InboundRate {
  /** Data messages, pings and pongs. */
  readonly messages?: number;
  /** Bytes of their payloads, after decompression. */
  readonly bytes?: number;
}

export class RateLimit {
  readonly #messages: Bucket | undefined;
  readonly #bytes: Bucket | undefined;

  constructor({ messages, bytes }: InboundRate) {
    const now = performance.now();
    this.#messages = messages === undefined ? undefined : new Bucket(messages, now);
    this.#bytes = bytes === undefined ? undefined : new Bucket(bytes, now);
  }

  /** Counts; false when it is too much. */
  allows(messages: number, bytes: number): boolean {
    const now = performance.now();
    const few = this.#messages?.take(messages, now) ?? true;
    return (this.#bytes?.take(bytes, now) ?? true) && few;
  }

  /** We have not read since the last message. What piled up meanwhile was allowed when it was sent, however much comes at once now. */
  resume(): void {
    const now = performance.now();
    this.#messages?.overfill(now);
    this.#bytes?.overfill(now);
  }
}

class Bucket {
  readonly #perSecond: number;
  #level: number;
  #filledAt: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#level = perSecond;
    this.#filledAt = now;
  }

  /** Fills beyond what it holds. */
  overfill(now: number): void {
    this.#level += ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#filledAt = now;
  }

  take(amount: number, now: number): boolean {
    const most = Math.max(this.#level, this.#perSecond);
    this.overfill(now);
    this.#level = Math.min(this.#level, most) - amount;
    return this.#level >= 0;
  }
}
