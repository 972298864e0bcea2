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
  readonly #waiting: ((result: IteratorResult<Item, undefined>) => void)[] = [];
  #reader: AsyncIterableIterator<Item, undefined> | undefined;
  #over = false;

  /** Gives an item to the reader, or keeps it; settles when it was taken. */
  offer(item: Item): Awaitable<void> {
    if (this.#over) return undefined;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting({ done: false, value: item });
      return undefined;
    }
    return new Promise((taken) => void this.#offered.push({ item, taken }));
  }

  /** Nothing more comes: the reader ends behind what is here. */
  end(): void {
    this.#over = true;
    this.#letGo();
  }

  /** Nobody will read any more: what is here, and what still comes, is let go. */
  discard(): void {
    this.end();
    for (const { taken } of this.#offered.splice(0)) taken();
  }

  /** Everything in order. One reader at a time; another may follow once a loop was left. */
  read(): AsyncIterableIterator<Item, undefined> {
    if (this.#reader !== undefined) {
      throw new WsgenError("WSGEN_USAGE", "messages(): somebody is reading this connection already; end that loop first.");
    }
    const leave = (): IteratorResult<Item, undefined> => {
      if (this.#reader === reader) {
        this.#reader = undefined;
        this.#letGo();
      }
      return { done: true, value: undefined };
    };
    const reader: AsyncIterableIterator<Item, undefined> = {
      [Symbol.asyncIterator]: () => reader,
      next: async () => {
        if (this.#reader !== reader) return leave();
        const offered = this.#offered.shift();
        if (offered !== undefined) {
          offered.taken();
          return { done: false, value: offered.item };
        }
        if (this.#over) return leave();
        return new Promise((resolve) => void this.#waiting.push(resolve));
      },
      return: async () => leave(),
    };
    this.#reader = reader;
    return reader;
  }

  #letGo(): void {
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }
}
