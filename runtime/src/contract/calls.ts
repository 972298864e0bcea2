// Objects with one method per message: `conn.send`, `conn.request`, `to(room).send`.

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

    static define(name: string): void {
      const bind = callOf(name);
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
  for (const name of names) Calls.define(name);
  return Calls;
}
