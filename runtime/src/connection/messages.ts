// The pull side of an inbox: a plain iterator object, because a suspended async generator costs 1.5 KB a connection.

import type { Message } from "./connection.ts";
import type { Arrival, Inbox, Puller } from "./inbox.ts";

type Result = IteratorResult<Message, undefined>;

/** What `conn.messages()` gives. Ends when the connection closes; messages that had arrived before the peer's close frame come first. */
export class MessageReader implements AsyncIterableIterator<Message, undefined>, Puller {
  readonly #inbox: Inbox;
  readonly #maxSize: number;
  readonly #onTooBig: () => void;
  #waiting: ((result: Result) => void)[] = [];
  #done = false;

  constructor(inbox: Inbox, maxSize: number, onTooBig: () => void) {
    this.#inbox = inbox;
    this.#maxSize = maxSize;
    this.#onTooBig = onTooBig;
    inbox.attach(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    while (this.#waiting.length > 0) {
      const arrival = this.#inbox.take();
      if (arrival === undefined) {
        if (this.#inbox.ended) this.#end();
        return;
      }
      if (arrival.data.length > this.#maxSize) {
        this.#onTooBig(); // It arrived before this reader came with its own limit.
        this.#end();
        return;
      }
      this.#waiting.shift()?.({ done: false, value: toMessage(arrival) });
      this.#inbox.taken();
    }
  }

  #end(): void {
    this.#done = true;
    this.#inbox.detach(this);
    for (const resolve of this.#waiting) resolve({ done: true, value: undefined });
    this.#waiting = [];
  }
}

function toMessage({ data, binary }: Arrival): Message {
  return binary ? { type: "binary", data } : { type: "text", data: data.toString() };
}
