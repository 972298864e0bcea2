// What arrived and has to reach its consumers: listeners by name, and at most one reader that iterates.
//
// Until the first consumer is there, everything is kept. The first listener or reader opens the inbox, one microtask later, so that
// those who attach in the same breath miss nothing. From then on a message is kept only for a reader: while one iterates, or while
// nobody listens at all.
import { InboundOverflowError, WsgenError } from "../errors.ts";
import { INBOX_MESSAGES, INBOX_SIZE } from "./limits.ts";
import { createListeners, type Listeners, type Unsubscribe } from "./listeners.ts";

/** One message that arrived. */
export interface Arrival {
  readonly name: string;
  readonly payload: unknown;
}

/** The inbox of one connection. */
export interface Inbox {
  /** Takes a message in; `size` in characters or bytes. */
  push(arrival: Arrival, size: number): void;
  listen(name: string, listener: (payload: unknown) => void): Unsubscribe;
  /** The one reader. Throws WsgenError `WSGEN_USAGE` while there is another. */
  read(): AsyncIterator<Arrival, undefined>;
  /** Takes out what no consumer has had yet, as far as it is wanted; all of it unless told. */
  extract(isWanted?: (arrival: Arrival) => unknown): readonly (readonly [arrival: Arrival, size: number])[];
  /** Nothing comes after this; readers end, with `error` if there is one, when they have read what is kept. */
  end(error: unknown): void;
}

export function createInbox(onError: (error: unknown) => void): Inbox {
  const listeners = new Map<string, Listeners<unknown>>();
  const kept: (readonly [arrival: Arrival, size: number])[] = [];
  let total = 0;
  let attached: Promise<void> | undefined;
  let open = false;
  let reading = false;
  let overflow: InboundOverflowError | undefined;
  let ended: readonly [error: unknown] | undefined;
  /** Of those who wait for the next message. */
  const wakers: (() => void)[] = [];

  function wake(): void {
    for (const one of wakers.splice(0)) one();
  }

  function extract(isWanted: (arrival: Arrival) => unknown = () => true) {
    return kept.splice(0).filter((item) => {
      const wanted = isWanted(item[0]);
      if (wanted) total -= item[1];
      else kept.push(item);
      return wanted;
    });
  }

  function push(arrival: Arrival, size: number): void {
    if (open) {
      listeners.get(arrival.name)?.[0](arrival.payload);
      if (!reading && listeners.size) return;
    }
    if (overflow) return;
    kept.push([arrival, size]);
    total += size;
    wake();
    const isFull = () => kept.length > INBOX_MESSAGES || total > INBOX_SIZE;
    // A burst may come in one turn of the event loop; a reader that keeps up has emptied the inbox in the next.
    if (!isFull()) return;
    setTimeout(() => {
      if (!isFull()) return;
      overflow = new InboundOverflowError(extract().length);
      wake();
    });
  }

  function attach(): Promise<void> {
    attached ??= Promise.resolve().then(() => {
      open = true;
      for (const item of extract()) push(...item);
      // Listeners have no other way to learn of it.
      if (overflow && !reading) {
        onError(overflow);
        overflow = undefined;
      }
    });
    return attached;
  }

  return {
    push,
    extract,

    listen(name, listener) {
      const those = listeners.get(name) ?? createListeners(onError);
      listeners.set(name, those);
      void attach();
      return those[1](listener);
    },

    read() {
      if (reading) throw new WsgenError("WSGEN_USAGE", "One reader at a time.");
      reading = true;
      const opened = attach();
      let left = false;
      const leave = async () => {
        if (!left) {
          left = true;
          reading = false;
          if (listeners.size) extract();
          wake();
        }
        return { value: undefined, done: true } as const;
      };
      return {
        async next() {
          await opened;
          while (!left) {
            const next = kept.shift();
            if (next) {
              total -= next[1];
              return { value: next[0], done: false };
            }
            const end = overflow ? [overflow] : ended;
            if (end) {
              overflow = undefined;
              void leave();
              if (end[0]) throw end[0];
            } else await new Promise<void>((resolve) => void wakers.push(resolve));
          }
          return leave();
        },
        return: leave,
      };
    },

    end(error) {
      ended ??= [error];
      wake();
    },
  };
}
