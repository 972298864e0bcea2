// Who listens to one thing: to the states of a connection, to one kind of message.

/** Stops what was started: a listener, an answerer. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** The listeners of one thing. */
export type Listeners<Value> = readonly [
  /** Calls those who listen now; what one throws goes to `onError`, and keeps no other from hearing. */
  call: (value: Value) => void,
  add: (listener: (value: Value) => void) => Unsubscribe,
];

export function createListeners<Value>(onError: (error: unknown) => void): Listeners<Value> {
  const listeners = new Set<(value: Value) => void>();
  return [
    (value) => {
      for (const listener of [...listeners]) {
        try {
          // One of them may have stopped another, or itself to begin anew.
          if (listeners.has(listener)) listener(value);
        } catch (error) {
          onError(error);
        }
      }
    },
    (listener) => {
      // A wrapper of its own, so that one function may listen twice.
      const own = (value: Value) => listener(value);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  ];
}
