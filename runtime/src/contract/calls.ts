// Objects with one method per message: `conn.send`, `conn.request`, `to(room).send`. Those of a topic are in an object of its name: `send.ticker.update`.

import { splitName } from "./topics.ts";

/** Makes the methods of one object from what that object is about. */
export type CallsOf<Target> = new (target: Target) => object;

/**
 * Prepares a class whose instances have a method for every name. The methods are made when they are asked for and need no `this`, so that they can
 * be passed around, and an instance holds nothing but its target.
 */
export function prepareCalls<Target, Call>(names: Iterable<string>, callOf: (name: string) => (target: Target) => Call): CallsOf<Target> {
  class Calls {
    readonly #target: Target;

    constructor(target: Target) {
      this.#target = target;
    }

    static define(name: string, bind: (target: Target) => unknown): void {
      Object.defineProperty(Calls.prototype, name, {
        configurable: true,
        enumerable: true,
        get(this: Calls) {
          return bind(this.#target);
        },
      });
    }
  }
  // Names come from a document: `toString` and `constructor` are messages if it says so, and nothing otherwise.
  Object.setPrototypeOf(Calls.prototype, null);
  Reflect.deleteProperty(Calls.prototype, "constructor");
  const topics = new Map<string, string[]>();
  for (const name of names) {
    const [topic, method] = splitName(name);
    if (topic === undefined) Calls.define(name, callOf(name));
    else topics.set(topic, [...(topics.get(topic) ?? []), method]);
  }
  for (const [topic, methods] of topics) {
    const Topic = prepareCalls<Target, Call>(methods, (method) => callOf(`${topic}.${method}`));
    Calls.define(topic, (target) => new Topic(target));
  }
  return Calls;
}
