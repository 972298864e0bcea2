// The life of one connection: one socket after another, from the first attempt to the end, and what is sent meanwhile.
import type { CloseOutcome, Sent } from "../connection/outcome.ts";
import { ConnectionClosedError, OutboundOverflowError, UpgradeRejectedError } from "../errors.ts";
import type { Unsubscribe } from "./inbox.ts";
import { type ReconnectOptions, retryDelay } from "./retry.ts";
import type { Attempt, WebSocketLike } from "./socket.ts";

/** What the peer may have sent between two sockets, and what was on its way to it, nobody can know. */
export interface Reconnected {
  /** Messages of either side may be lost: ask again for what has to be complete. */
  readonly continuity: "unknown";
  /** Attempts it took. */
  readonly attempts: number;
  /** How long the connection was away, in ms. */
  readonly away: number;
}

/** Where a connection is in its life. A new object for each change, so that it can be compared. */
export interface ConnectionState {
  /**
   * - `connecting`: not open yet, for the first time
   * - `open`
   * - `reconnecting`: it was open, and will be again
   * - `closed`: for good
   */
  readonly status: "connecting" | "open" | "reconnecting" | "closed";
  /** Failed attempts in a row. */
  readonly failures: number;
  /** Why it is not open: ConnectionClosedError, UpgradeRejectedError, or what a function among the options threw. */
  readonly error?: unknown;
  /** When the next attempt comes, in ms since 1970; absent while one is under way, and while it waits for a network or for the page to be shown. */
  readonly retryAt?: number | undefined;
  /** With `open`, unless it is the first time. */
  readonly reconnected?: Reconnected | undefined;
}

/** What a life is made of. */
export interface LifeOptions {
  /** Opens a socket. Rejects with a WsgenError when there is no use in trying again. */
  attempt(): Promise<Attempt>;
  /** `undefined`: every end is the end. */
  readonly reconnect: ReconnectOptions | undefined;
  /** Whether credentials are functions, so that a refusal may be over when they are asked again. */
  readonly renewable: boolean;
  /** Of the last attempt. */
  url(): string;
  receive(data: unknown): void;
  onError(error: unknown): void;
}

/** One connection, whatever sockets it is on. */
export interface Life {
  /** Aborts when it is closed for good, with a ConnectionClosedError. */
  readonly signal: AbortSignal;
  readonly state: ConnectionState;
  readonly protocol: string;
  readonly closed: Promise<CloseOutcome>;
  /** Listeners are called at once when the state changes; what they send goes before what waited for the connection. */
  subscribe(listener: (state: ConnectionState) => void): Unsubscribe;
  /** Sends, or keeps it until there is a connection, unless it is `stale` by then. */
  transmit(data: string | Uint8Array, stale?: () => boolean): Sent;
  /** From now on a failed first attempt is tried again. */
  insist(): void;
  close(code: number, reason: string): Promise<CloseOutcome>;
}

/** Ready state of the standard. */
const OPEN = 1;
/** Outbound bytes above which `send` gives a promise; so many are kept while there is no connection. How often it is looked whether they have left, in ms. */
const HIGH_WATER_MARK = 1_048_576;
const DRAIN_POLL = 20;
/** How long an attempt may take, in ms. */
const ATTEMPT = 10_000;
/** A connection that was open for so long, in ms, has overcome what kept it away. */
const STABLE = 5_000;
/** A clock that jumps so far, in ms, has slept for longer than any peer waits. Browsers look at the clock of a hidden page once a minute. */
const ASLEEP = 120_000;
const TICK = 30_000;

/** Begins a life with its first attempt. */
export function startLife({ attempt, reconnect, renewable, url, receive, onError }: LifeOptions): Life {
  const listeners = new Set<(state: ConnectionState) => void>();
  const over = new AbortController();
  let state: ConnectionState = { status: "connecting", failures: 0 };
  let socket: WebSocketLike | undefined;
  /** Counts attempts: what the sockets of earlier ones say is not heard. */
  let turn = 0;
  let failures = 0;
  let insisting = false;
  let renewed = false;
  let hidden = false;
  let closing: CloseOutcome | undefined;
  let since = 0;
  let lostAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: (readonly [data: string | Uint8Array, stale: (() => boolean) | undefined])[] = [];
  let waitingSize = 0;
  /** Of the promise that settles when there is room for more. */
  let room: { readonly promise: Promise<void>; resolve(): void; reject(error: unknown): void } | undefined;
  let settle!: (outcome: CloseOutcome) => void;
  const closed = new Promise<CloseOutcome>((resolve) => {
    settle = resolve;
  });

  function change(next: ConnectionState): void {
    state = next;
    for (const listener of [...listeners]) {
      try {
        listener(next);
      } catch (error) {
        onError(error);
      }
    }
  }

  function begin(): void {
    clearTimeout(timer);
    const mine = ++turn;
    if (state.retryAt) change({ ...state, retryAt: undefined });
    let tried: Attempt | undefined;
    let cause: unknown;
    const refused = () => {
      if (mine !== turn || state.status === "open") return;
      const { status, body, headers } = tried?.refusal?.() ?? {};
      // The query may hold secrets, and errors end up in logs.
      lost(new UpgradeRejectedError(url().replace(/\?.*/, ""), status, body, status ? undefined : cause, headers));
      tried?.socket.close();
    };
    timer = setTimeout(() => {
      cause = new Error(`no answer within ${ATTEMPT} ms`);
      refused();
    }, ATTEMPT);

    attempt().then(
      (started) => {
        tried = started;
        const opening = started.socket;
        const opened = () => mine === turn && state.status !== "open" && open();
        opening.addEventListener("open", opened);
        opening.addEventListener("message", ({ data }) => mine === turn && receive(data));
        opening.addEventListener("error", (event) => {
          // Browsers give no error here; ws and undici do.
          cause = "error" in event ? event.error : undefined;
          // The "close" that the standard wants behind it never comes from the WebSocket of Node 22.
          setTimeout(refused);
        });
        opening.addEventListener("close", ({ code, reason, wasClean }) => {
          refused();
          if (mine === turn) lost(new ConnectionClosedError(code, reason), { code, reason, wasClean });
        });
        if (mine !== turn) return opening.close();
        socket = opening;
        opening.binaryType = "arraybuffer";
        // An injected socket may be open already.
        if (opening.readyState === OPEN) opened();
      },
      (error: unknown) => mine === turn && lost(error),
    );
  }

  function open(): void {
    clearTimeout(timer);
    since = Date.now();
    const reconnected: Reconnected | undefined = lostAt ? { continuity: "unknown", attempts: failures, away: since - lostAt } : undefined;
    change({ status: "open", failures: 0, reconnected });
    const held = waiting;
    waiting = [];
    waitingSize = 0;
    for (const [data, stale] of held) if (!stale?.()) write(data);
    drain();
  }

  function lost(error: unknown, outcome: CloseOutcome = { code: 1006, reason: "", wasClean: false }): void {
    clearTimeout(timer);
    turn++;
    socket = undefined;
    if (state.status === "open") {
      lostAt = Date.now();
      if (lostAt - since > STABLE) failures = 0;
      if (!failures) renewed = false;
      room?.reject(error);
      room = undefined;
    }
    let delay: number | undefined;
    if (reconnect && !closing && (insisting || lostAt)) {
      delay = renewable && !renewed && isExpired(error) ? 0 : retryDelay(error, failures, reconnect);
      renewed ||= isExpired(error);
    }
    if (delay === undefined) finish(outcome, error);
    else {
      failures++;
      timer = setTimeout(() => globalThis.navigator?.onLine === false || begin(), delay);
      change({ status: lostAt ? "reconnecting" : "connecting", failures, error, retryAt: Date.now() + delay });
    }
  }

  function finish(outcome: CloseOutcome, error: unknown): void {
    turn++;
    clearTimeout(timer);
    clearInterval(ticker);
    const { code, reason, wasClean } = outcome;
    const farewell = new ConnectionClosedError(code, reason);
    room?.reject(farewell);
    over.abort(farewell);
    change({
      status: "closed",
      failures,
      error: closing || (wasClean && (code === 1000 || code === 1001 || code === 1005)) ? undefined : error,
    });
    settle(outcome);
  }

  function write(data: string | Uint8Array): void {
    // Payloads in shared memory are no use of ours; the standard's type excludes them.
    socket?.send(data as string | Uint8Array<ArrayBuffer>);
  }

  /** Looks again and again whether there is room. */
  function drain(): void {
    if (!socket || !room) return;
    if (socket.bufferedAmount > HIGH_WATER_MARK) setTimeout(drain, DRAIN_POLL);
    else {
      room.resolve();
      room = undefined;
    }
  }

  function transmit(data: string | Uint8Array, stale?: () => boolean): Sent {
    const isOpen = state.status === "open" && socket?.readyState === OPEN;
    if (closing || over.signal.aborted)
      return refuse(over.signal.reason ?? new ConnectionClosedError(1005, "", "The connection is closing."));
    if (isOpen) {
      write(data);
      if (!(socket!.bufferedAmount > HIGH_WATER_MARK)) return;
    } else {
      if (waitingSize && waitingSize + data.length > HIGH_WATER_MARK) return refuse(new OutboundOverflowError());
      waiting.push([data, stale]);
      waitingSize += data.length;
    }
    if (!room) {
      let resolve!: () => void;
      let reject!: (error: unknown) => void;
      const promise = new Promise<void>((...settlers) => {
        [resolve, reject] = settlers;
      });
      promise.catch(() => {});
      room = { promise, resolve, reject };
      if (isOpen) setTimeout(drain, DRAIN_POLL);
    }
    return room.promise;
  }

  /** Drops the socket, without waiting for anybody's goodbye. */
  function leave(): void {
    if (!socket || closing) return;
    const left = socket;
    lost(new ConnectionClosedError(1006, ""));
    left.close();
  }

  let clock = Date.now();
  const ticker = setInterval(() => {
    const slept = Date.now() - clock > ASLEEP;
    clock = Date.now();
    if (slept) leave();
  }, TICK) as ReturnType<typeof setInterval> & { unref?(): void };
  ticker.unref?.();

  const on = (type: string, listener: () => void) => globalThis.addEventListener?.(type, listener, { signal: over.signal });
  // A browser keeps no page whose connection is open for when its user comes back.
  on("pagehide", () => {
    leave();
    clearTimeout(timer);
    hidden = true;
  });
  on("pageshow", () => {
    if (hidden) begin();
    hidden = false;
  });
  on("online", () => state.retryAt && begin());
  begin();

  return {
    get state() {
      return state;
    },
    get protocol() {
      return socket?.protocol ?? "";
    },
    signal: over.signal,
    closed,
    transmit,
    subscribe(listener) {
      // A wrapper of its own, so that one function may listen twice.
      const own = (next: ConnectionState) => listener(next);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    insist() {
      insisting = true;
    },
    close(code, reason) {
      closing ??= { code, reason, wasClean: false };
      socket?.close(code, reason);
      if (state.status !== "open" && state.status !== "closed") finish(closing, undefined);
      return closed;
    },
  };
}

function isExpired(error: unknown): boolean {
  return error instanceof UpgradeRejectedError
    ? error.status === 401
    : error instanceof ConnectionClosedError && error.reason === "auth expired";
}

function refuse(error: unknown): Promise<never> {
  const refused = Promise.reject(error as Error);
  refused.catch(() => {}); // Not awaiting a send is safe.
  return refused;
}
