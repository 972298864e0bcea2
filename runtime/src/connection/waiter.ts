// What sends give that have to wait.

/** A promise that somebody was given, and how it settles. Nobody need await it. */
export interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createWaiter(): Waiter {
  let resolve!: () => void; // Assigned by the executor, which runs before the constructor returns.
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(ignore);
  return { promise, resolve, reject };
}

/** What sends give that were made while the mark waited: knows whether anybody waits for it. Whoever does adds no more. */
export class LateSend extends Promise<void> {
  static override readonly [Symbol.species] = Promise;
  awaited = false;

  // biome-ignore lint/suspicious/noThenProperty: `await` and all who wait call it.
  override then<Done = void, Failed = never>(
    onDone?: ((value: void) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.awaited = true;
    return super.then(onDone, onFailed);
  }
}

/** For who comes when it is too late; handled, for a send that nobody awaits must not end the process. */
export function rejected(error: Error): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

/** Marks a promise as handled: whoever does not await it must not bring the process down. */
export function ignore(): void {}
