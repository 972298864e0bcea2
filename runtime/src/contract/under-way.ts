// What a connection's handlers have begun and not finished.

/** Of one connection; made for the first that does not settle at once. */
export class UnderWay {
  /** `open`, while it has not settled. */
  opening: Promise<void> | undefined;
  /** Nothing new begins. */
  draining = false;
  /** Message handlers that have not settled, more than one with `limits.concurrency` … */
  #running = 0;
  /** … and who waits until there is none. */
  #waiting: (() => void)[] = [];

  get running(): boolean {
    return this.#running > 0;
  }

  begin(): void {
    this.#running++;
  }

  settle(): void {
    this.#running--;
    if (this.#running > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }

  /** Until no message handler runs. */
  async untilQuiet(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
