// The pull side of an inbox: plain iterator objects, because a suspended async generator costs 1.5 KB a connection.

import type { Inbox, Puller } from "./inbox.ts";

/** What a reader needs of its connection. */
export interface ReaderOwner {
  /** Largest message at this moment, in bytes, for readers that have no limit of their own. */
  readonly maxMessageSize: number;
  /** A message over `maxSize` had arrived before this reader came with its own limit. */
  onTooBig(): void;
  /** The loop was left, or the connection has ended. */
  onReaderLeft(): void;
}

/** One loop over what arrives. Ends when the connection closes; what had arrived before the peer's close frame comes first. */
export abstract class InboxReader<T> implements AsyncIterableIterator<T, undefined>, Puller {
  protected readonly inbox: Inbox;
  protected readonly owner: ReaderOwner;
  readonly #maxSize: number | undefined;
  #waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  #done = false;

  constructor(inbox: Inbox, call: string, owner: ReaderOwner, maxSize: number | undefined) {
    this.#maxSize = maxSize;
    this.inbox = inbox;
    this.owner = owner;
    inbox.attach(this, call);
  }

  protected get maxSize(): number {
    return this.#maxSize ?? this.owner.maxMessageSize;
  }

  /** The next item, as far as it is there. */
  protected abstract read(): T | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    while (this.#waiting.length > 0) {
      const value = this.read();
      if (value === undefined) {
        if (this.inbox.ended) this.end();
        else this.inbox.skipped(); // What one left unread may have been all that held the wire.
        return;
      }
      this.#waiting.shift()?.({ done: false, value });
      this.inbox.taken();
    }
  }

  protected end(): void {
    if (this.#done) return;
    this.#done = true;
    this.inbox.detach(this);
    this.owner.onReaderLeft();
    for (const resolve of this.#waiting) resolve({ done: true, value: undefined });
    this.#waiting = [];
  }
}
