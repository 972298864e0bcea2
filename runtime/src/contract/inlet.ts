// From push to pull: what a contract's connection gives to a handler that reads its own messages.
import type { Awaitable } from "../connection/connection.ts";
import { WsgenError } from "../errors.ts";

/** Holds one item for its reader; whoever offers the next one waits until it was taken. */
export class Inlet<Item extends object> {
  #item: Item | undefined;
  #taken: (() => void) | undefined;
  #waiting: ((result: IteratorResult<Item, undefined>) => void) | undefined;
  #reading = false;
  #over = false;

  /** Gives an item to the reader, or keeps it; settles when there is room for another. */
  offer(item: Item): Awaitable<void> {
    if (this.#over) return undefined;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting({ done: false, value: item });
      return undefined;
    }
    this.#item = item;
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
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
    this.#take();
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
        const item = this.#take();
        if (item !== undefined) return { done: false, value: item };
        if (this.#over) return leave();
        return new Promise((resolve) => {
          this.#waiting = resolve;
        });
      },
      return: async () => leave(),
    };
    return reader;
  }

  #take(): Item | undefined {
    const item = this.#item;
    const taken = this.#taken;
    this.#item = undefined;
    this.#taken = undefined;
    taken?.();
    return item;
  }
}
