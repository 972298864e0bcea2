// Who is in a room: somebody with two connections is there once, and gone when both are.

/** What has changed since the last time. Who came and went meanwhile is in neither. */
export interface PresenceChange {
  readonly joins: readonly string[];
  readonly leaves: readonly string[];
}

/** Who is in a room, of those that joined it `as` somebody, in this process. */
export interface Presence extends AsyncIterable<PresenceChange> {
  /** Who is there now, and with how many connections. */
  readonly members: ReadonlyMap<string, number>;
  /**
   * Begins with those who are there, then tells of every change, those of one turn of the event loop together. However slow the reader, what waits for
   * it is never more than one change. Ends with `signal`.
   */
  [Symbol.asyncIterator](): AsyncIterator<PresenceChange, undefined>;
}

export interface PresenceOptions {
  /** Ends all loops over it. `conn.signal` in a handler. */
  readonly signal?: AbortSignal;
}

/** The presence of all rooms of one endpoint. */
export interface Presences {
  enter(room: string, who: string): void;
  leave(room: string, who: string): void;
  of(room: string, options?: PresenceOptions): Presence;
}

const nobody: ReadonlyMap<string, number> = new Map();

export function createPresences(): Presences {
  const people = new Map<string, Map<string, number>>();
  const watchers = new Map<string, Set<Watcher>>();

  const tell = (room: string, who: string, present: boolean): void => {
    for (const watcher of watchers.get(room) ?? []) watcher.note(who, present);
  };

  const watch = (room: string, signal: AbortSignal | undefined): Watcher => {
    const watcher = new Watcher(people.get(room)?.keys() ?? [], () => {
      const others = watchers.get(room);
      others?.delete(watcher);
      if (others?.size === 0) watchers.delete(room);
    });
    const others = watchers.get(room);
    if (others === undefined) watchers.set(room, new Set([watcher]));
    else others.add(watcher);
    watcher.obey(signal);
    return watcher;
  };

  return {
    enter(room, who) {
      let counts = people.get(room);
      if (counts === undefined) {
        counts = new Map();
        people.set(room, counts);
      }
      const count = counts.get(who) ?? 0;
      counts.set(who, count + 1);
      if (count === 0) tell(room, who, true);
    },
    leave(room, who) {
      const counts = people.get(room);
      const count = counts?.get(who) ?? 0;
      if (counts === undefined || count === 0) return;
      if (count > 1) {
        counts.set(who, count - 1);
        return;
      }
      counts.delete(who);
      if (counts.size === 0) people.delete(room);
      tell(room, who, false);
    },
    of: (room, { signal } = {}) => ({
      get members() {
        return people.get(room) ?? nobody;
      },
      [Symbol.asyncIterator]: () => watch(room, signal),
    }),
  };
}

/** One loop over the changes of one room. */
class Watcher implements AsyncIterator<PresenceChange, undefined> {
  /** What the reader has not been told: who is there now and was not, and the other way round. */
  readonly #changes = new Map<string, boolean>();
  readonly #onEnd: () => void;
  #waiting: ((result: IteratorResult<PresenceChange, undefined>) => void)[] = [];
  #scheduled = false;
  #ended = false;
  #release: (() => void) | undefined;

  constructor(present: Iterable<string>, onEnd: () => void) {
    for (const who of present) this.#changes.set(who, true);
    this.#onEnd = onEnd;
  }

  obey(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const end = (): void => this.#end();
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    this.#release = () => signal.removeEventListener("abort", end);
  }

  note(who: string, present: boolean): void {
    if (!this.#changes.delete(who)) this.#changes.set(who, present);
    this.#schedule();
  }

  next(): Promise<IteratorResult<PresenceChange, undefined>> {
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  return(): Promise<IteratorResult<PresenceChange, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#changes.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#scheduled = false;
    const resolve = this.#changes.size === 0 ? undefined : this.#waiting.shift();
    if (resolve === undefined) return;
    const joins: string[] = [];
    const leaves: string[] = [];
    for (const [who, present] of this.#changes) (present ? joins : leaves).push(who);
    this.#changes.clear();
    resolve({ done: false, value: { joins, leaves } });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#changes.clear();
    this.#release?.();
    this.#onEnd();
    for (const resolve of this.#waiting) resolve({ done: true, value: undefined });
    this.#waiting = [];
  }
}
