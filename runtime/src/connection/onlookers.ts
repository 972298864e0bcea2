// Who waits for something of a connection: for its end, for pongs, for the kernel to take what was sent.

import type { CloseOutcome } from "./outcome.ts";
import { Pings } from "./pings.ts";
import { createWaiter, type Waiter } from "./waiter.ts";

/** Those of one connection. What they wait with is made for the first of each kind; errors are as well, because one with its stack is dear. */
export class Onlookers {
  #abort: AbortController | undefined;
  #closed: { readonly promise: Promise<CloseOutcome>; readonly resolve: (outcome: CloseOutcome) => void } | undefined;
  #pings: Pings | undefined;
  #flushes: Set<Waiter> | undefined;

  /** See `Connection.signal`. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** See `Connection.closed`. */
  get closed(): Promise<CloseOutcome> {
    if (this.#closed === undefined) {
      let resolve!: (outcome: CloseOutcome) => void; // Assigned by the executor, which runs before the constructor returns.
      const promise = new Promise<CloseOutcome>((onResolve) => {
        resolve = onResolve;
      });
      this.#closed = { promise, resolve };
    }
    return this.#closed.promise;
  }

  get pings(): Pings {
    this.#pings ??= new Pings();
    return this.#pings;
  }

  onPong(data: Buffer): void {
    this.#pings?.onPong(data);
  }

  /** Somebody waits for the kernel; to be told of what becomes of it by `onFlush`. */
  addFlush(): Waiter {
    const flush = createWaiter();
    this.#flushes ??= new Set();
    this.#flushes.add(flush);
    return flush;
  }

  onFlush(flush: Waiter, error: Error | undefined): void {
    this.#flushes?.delete(flush);
    if (error === undefined) flush.resolve();
    else flush.reject(error);
  }

  /** Closing has begun. */
  onClosing(error: () => Error): void {
    if (this.#abort?.signal.aborted === false) this.#abort.abort(error());
  }

  /** The connection is closed. */
  onClosed(outcome: CloseOutcome, error: () => Error): void {
    this.#pings?.fail(error);
    for (const flush of this.#flushes ?? []) flush.reject(error());
    this.#pings = undefined;
    this.#flushes = undefined;
    this.onClosing(error);
    this.#closed?.resolve(outcome);
  }
}
