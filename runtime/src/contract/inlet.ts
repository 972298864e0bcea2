// From push to pull: what a contract's connection gives to a handler that reads its own messages.
import type { Awaitable } from "../connection/connection.ts";
import { WsgenError } from "../errors.ts";

interface Offered<Item> {
  readonly item: Item;
  /** Lets go of who offered it. */
  taken(): void;
}

/** Holds items for their reader; whoever offers one that has to wait is told when it was taken. */
export class Inlet<Item extends object> {
  /** As many as may be offered at a time (`limits.concurrency`). */
  #offered: Offered<Item>[] = [];
  #waiting: ((result: IteratorResult<Item, undefined>) => void) | undefined;
  #reading = false;
  #over = false;

  /** Gives an item to the reader, or keeps it; settles when it was taken. */
  offer(item: Item): Awaitable<void> {
    if (this.#over) return undefined;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting({ done: false, value: item });
      return undefined;
    }
    return new Promise((taken) => void this.#offered.push({ item, taken }));
  }

  /** Nothing more comes: the reader ends behind what is here. */
  end(): void {
    this.#over = true;
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** Nobody will read any more: what is here, and what still comes, is let go. */
  discard(): void {
    this.end();
    for (const { taken } of this.#offered.splice(0)) taken();
  }

  /** Everything in order. One reader at a time; another may follow once a loop was left. */
  read(): AsyncIterableIterator<Item, undefined> {
    if (this.#reading) throw new WsgenError("WSGEN_USAGE", "messages(): somebody is reading this connection already; end that loop first.");
    this.#reading = true;
    const leave = (): IteratorResult<Item, undefined> => {
      this.#reading = false;
      return { done: true, value: undefined };
    };
    const reader: AsyncIterableIterator<Item, undefined> = {
      [Symbol.asyncIterator]: () => reader,
      next: async () => {
        const offered = this.#offered.shift();
        if (offered !== undefined) {
          offered.taken();
          return { done: false, value: offered.item };
        }
        if (this.#over) return leave();
        return new Promise((resolve) => {
          this.#waiting = resolve;
        });
      },
      return: async () => leave(),
    };
    return reader;
  }
}
