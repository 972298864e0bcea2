// What arrived and has to reach its consumers: listeners by name, and at most one reader that iterates.
//
// Until the first consumer is there, everything is kept. The first listener or reader opens the inbox, one microtask later, so that
// those who attach in the same breath miss nothing. From then on a message is kept only for a reader: while one iterates, or while
// nobody listens at all.
import { InboundOverflowError, WsgenError } from "../errors.ts";

/** One message that arrived. */
export interface Arrival {
  readonly name: string;
  readonly payload: unknown;
}

/** How much is kept for a reader: so many messages, or so many characters and bytes. */
const MAX_MESSAGES = 1_000;
const MAX_SIZE = 1_048_576;

/** Stops what was started: a listener, an answerer. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** The inbox of one connection. */
export interface Inbox {
  /** Takes a message in; `size` in characters or bytes. */
  push(arrival: Arrival, size: number): void;
  listen(name: string, listener: (payload: unknown) => void): Unsubscribe;
  /** The one reader. Throws WsgenError `WSGEN_USAGE` while there is another. */
  read(): AsyncIterableIterator<Arrival>;
  /** Takes out what is kept under one name. */
  take(name: string): readonly Arrival[];
  /** Nothing comes after this; readers end, with `error` if there is one, when they have read what is kept. */
  end(error: Error | undefined): void;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<Arrival, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

export function createInbox(onError: (error: unknown) => void): Inbox {
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  let kept: { readonly arrival: Arrival; readonly size: number }[] = [];
  let first = 0;
  let size = 0;
  let state: "waiting" | "opening" | "open" = "waiting";
  let listened = false;
  let reading = false;
  const waiters: Waiter[] = [];
  let judging = false;
  let overflow: InboundOverflowError | undefined;
  let ended: { readonly error: Error | undefined } | undefined;

  function keep(arrival: Arrival, added: number): void {
    if (overflow !== undefined) return;
    kept.push({ arrival, size: added });
    size += added;
    if (judging || !isFull()) return;
    // A burst may come in one turn of the event loop; a reader that keeps up has emptied the inbox in the next.
    judging = true;
    setTimeout(() => {
      judging = false;
      if (!isFull()) return;
      overflow = new InboundOverflowError(`${kept.length - first} messages (${size} characters and bytes)`);
      drop();
    }, 0);
  }

  function isFull(): boolean {
    return kept.length - first > MAX_MESSAGES || size > MAX_SIZE;
  }

  function drop(): void {
    kept = [];
    first = 0;
    size = 0;
  }

  function shift(): Arrival | undefined {
    const item = kept[first];
    if (item === undefined) return undefined;
    first++;
    size -= item.size;
    if (first === kept.length) drop();
    return item.arrival;
  }

  function attach(): void {
    if (state !== "waiting") return;
    state = "opening";
    queueMicrotask(() => {
      state = "open";
      const held = kept;
      drop();
      for (const { arrival, size } of held) deliver(arrival, size);
      // Listeners have no other way to learn of it.
      if (overflow !== undefined && !reading) console.warn(`wsgen: ${overflow.message}`);
      if (!reading) overflow = undefined;
      settle();
    });
  }

  function deliver(arrival: Arrival, size: number): void {
    for (const listener of listeners.get(arrival.name) ?? []) {
      try {
        listener(arrival.payload);
      } catch (error) {
        onError(error);
      }
    }
    if (!reading && listened) return;
    const waiter = waiters.shift();
    if (waiter === undefined) keep(arrival, size);
    else waiter.resolve({ done: false, value: arrival });
  }

  /** Gives those who wait what there is to give. */
  function settle(): void {
    if (state !== "open") return;
    while (waiters.length > 0) {
      const arrival = shift();
      if (arrival === undefined && overflow === undefined && ended === undefined) return;
      const waiter = waiters.shift();
      if (arrival !== undefined) {
        waiter?.resolve({ done: false, value: arrival });
        continue;
      }
      const error = overflow ?? ended?.error;
      overflow = undefined;
      reading = false;
      if (error === undefined) waiter?.resolve({ done: true, value: undefined });
      else waiter?.reject(error);
      for (const rest of waiters.splice(0)) rest.resolve({ done: true, value: undefined });
    }
  }

  return {
    push(arrival, size) {
      if (state === "open") deliver(arrival, size);
      else keep(arrival, size);
    },

    listen(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set);
      // A wrapper of its own, so that one function may listen twice.
      const own = (payload: unknown) => listener(payload);
      set.add(own);
      listened = true;
      attach();
      return () => void set.delete(own);
    },

    read() {
      if (reading) throw new WsgenError("WSGEN_USAGE", "The connection is being read already: one reader at a time.");
      reading = true;
      let done = false;
      attach();
      return {
        next() {
          if (done) return Promise.resolve({ done: true, value: undefined });
          return new Promise<IteratorResult<Arrival, undefined>>((resolve, reject) => {
            waiters.push({
              resolve(result) {
                done = result.done === true;
                resolve(result);
              },
              reject(error) {
                done = true;
                reject(error);
              },
            });
            settle();
          });
        },
        return() {
          if (!done) {
            done = true;
            reading = false;
            for (const waiter of waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
            if (listened) drop();
          }
          return Promise.resolve({ done: true, value: undefined });
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },

    take(name) {
      const taken = kept.slice(first).filter(({ arrival }) => arrival.name === name);
      if (taken.length > 0) {
        kept = kept.slice(first).filter(({ arrival }) => arrival.name !== name);
        first = 0;
        size -= taken.reduce((sum, item) => sum + item.size, 0);
      }
      return taken.map(({ arrival }) => arrival);
    },

    end(error) {
      ended = { error };
      settle();
    },
  };
}
