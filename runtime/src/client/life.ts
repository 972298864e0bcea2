// The life of one connection: one socket after another, from the first attempt to the end, and what is sent meanwhile.
import type { CloseOutcome, Sent } from "../connection/outcome.ts";
import { ConnectionClosedError, OutboundOverflowError, UpgradeRejectedError } from "../errors.ts";
import { createListeners, type Listeners } from "./listeners.ts";
import { type ReconnectOptions, retryDelay } from "./retry.ts";
import type { Attempt, Refusal, WebSocketLike } from "./socket.ts";

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

/** What its user sees of a life. */
export interface Life {
  /** The address of the last attempt. */
  readonly url: string;
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  readonly closed: Promise<CloseOutcome>;
  /** Aborts when it is closed for good, with a ConnectionClosedError. */
  readonly signal: AbortSignal;
  getSnapshot(): ConnectionState;
  /** Listeners are called at once when the state changes; what they send goes before what waited for the connection. */
  readonly subscribe: Listeners<ConnectionState>["add"];
  /** `why`: what `opened` rejects with. */
  close(code?: number, reason?: string, why?: unknown): Promise<CloseOutcome>;
}

/** A life, and how it is led. */
export type Led = readonly [
  life: Life,
  /** Sends, or keeps it until there is a connection, unless it is `stale` by then. */
  transmit: (data: string | Uint8Array, stale?: () => boolean) => Sent,
  /** Settles when it is open for the first time, rejects when that does not come. */
  opened: Promise<void>,
  /** From now on a failed first attempt is tried again. */
  insist: () => void,
];

/** Ready state of the standard. */
const OPEN = 1;
/** Bytes under way above which `send` gives a promise; so many are kept while there is no connection. How often it is looked whether they have left, in ms. */
const HIGH_WATER_MARK = 1_048_576;
const DRAIN_POLL = 20;
/** How long an attempt may take, in ms. */
const ATTEMPT = 10_000;
/** A connection that was open for so long, in ms, has overcome what kept it away. */
const STABLE = 5_000;
/** A clock that jumps so far, in ms, has slept for longer than any peer waits. Browsers look at the clock of a hidden page once a minute. */
const ASLEEP = 120_000;
const TICK = 30_000;

/** How one socket ended. */
type Ending = Omit<CloseOutcome, "meaning">;
/** Of a socket without a close frame. */
const noGoodbye: Ending = { code: 1006, reason: "", wasClean: false };

type Settlers = [resolve: (value?: never) => void, reject: (error: unknown) => void];

/**
 * Begins a life with its first attempt.
 *
 * Parameters and result are lists, as here and there in this folder: names of properties stay as long as they are in what a page loads.
 *
 * @param attempt Opens a socket, having told its address. Rejects with a WsgenError when there is no use in trying again.
 * @param reconnect `undefined`: every end is the end.
 * @param meaningOf What the application calls a close code, where it says so.
 * @param onOpen The connection is open, for the first time or again; what is sent now leaves before what waited.
 * @param onLost The connection was open and is not any more, or it is closed for good.
 */
export function startLife(
  attempt: (tell: (address: string) => void) => Promise<Attempt>,
  reconnect: ReconnectOptions | undefined,
  receive: (data: unknown) => void,
  onOpen: () => void,
  onLost: (error: unknown) => void,
  meaningOf: (code: number) => string | undefined,
  onError: (error: unknown) => void,
): Led {
  let url = "";
  const closedError = ({ code, reason }: Ending) => new ConnectionClosedError(code, reason, meaningOf(code));
  const { call, add } = createListeners<ConnectionState>(onError);
  const over = new AbortController();
  const { signal } = over;
  let state: ConnectionState = { status: "connecting", failures: 0 };
  let socket: WebSocketLike | undefined;
  /** Counts attempts: what the sockets of earlier ones say is not heard. */
  let turn = 0;
  let failures = 0;
  let insisting = false;
  let closing: Ending | undefined;
  /** When it was opened, and lost. */
  let since = 0;
  let lostAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** What is to be sent when there is a connection, and its size. */
  let waiting: (readonly [data: string | Uint8Array, stale: (() => boolean) | undefined])[] = [];
  let size = 0;
  /** Of the sends that wait for room. */
  const senders: Settlers[] = [];
  let settleOpened!: Settlers;
  let settleClosed!: (outcome: CloseOutcome) => void;
  const opened = new Promise<void>((...settlers) => {
    settleOpened = settlers;
  });
  const closed = new Promise<CloseOutcome>((resolve) => {
    settleClosed = resolve;
  });

  function change(next: ConnectionState): void {
    state = next;
    call(next);
  }

  function begin(): void {
    clearTimeout(timer);
    const mine = ++turn;
    if (state.retryAt) change({ ...state, retryAt: undefined });
    if (mine !== turn) return; // A listener has closed it.
    const refused = (details: Refusal | { readonly cause?: unknown }) => {
      // The query may hold secrets, and errors end up in logs.
      if (mine === turn && state.status !== "open") lost(noGoodbye, new UpgradeRejectedError(url.replace(/\?.*/, ""), details));
    };
    timer = setTimeout(() => refused({}), ATTEMPT);

    attempt((address) => {
      url = address;
    }).then(
      ({ socket: next, refusal }) => {
        let cause: unknown;
        const on = (type: string, react: (event: SocketEvent) => void) =>
          next.addEventListener(type as "close", (event) => mine === turn && react(event as SocketEvent));
        on("open", open);
        on("message", ({ data }) => receive(data));
        on("error", ({ error }) => {
          cause = error;
          // The "close" that the standard wants behind it never comes from the WebSocket of Node 22.
          setTimeout(() => refused(refusal?.() ?? { cause }));
        });
        on("close", ({ code, reason, wasClean }) => {
          // Deno says 0 of a connection that was lost, where the standard has 1006.
          code ||= 1006;
          refused(refusal?.() ?? { cause });
          if (mine === turn) lost({ code, reason, wasClean });
        });
        if (mine !== turn) return next.close();
        socket = next;
        next.binaryType = "arraybuffer";
        // An injected socket may be open already.
        if (next.readyState === OPEN) open();
      },
      (error: unknown) => mine === turn && lost(noGoodbye, error),
    );
  }

  function open(): void {
    if (state.status === "open") return;
    clearTimeout(timer);
    since = Date.now();
    const reconnected = lostAt ? ({ continuity: "unknown", attempts: failures, away: since - lostAt } as const) : undefined;
    state = { status: "open", failures: 0, reconnected };
    onOpen();
    change(state);
    settleOpened[0]();
    const held = waiting;
    waiting = [];
    size = 0;
    if (closing) return; // By a listener: what waits is rejected when the socket is gone.
    for (const [data, stale] of held) if (!stale?.()) transmit(data);
    drain();
  }

  function lost(ending: Ending, error: unknown = closedError(ending)): void {
    const left = socket;
    socket = undefined;
    turn++;
    clearTimeout(timer);
    if (state.status === "open") {
      lostAt = Date.now();
      if (lostAt - since > STABLE) failures = 0;
      drop(error);
    }
    const delay = reconnect && !closing && (insisting || lostAt) ? retryDelay(error, failures, reconnect) : undefined;
    if (delay !== undefined) {
      failures++;
      timer = setTimeout(() => globalThis.navigator?.onLine === false || begin(), delay);
      change({ status: lostAt ? "reconnecting" : "connecting", failures, error, retryAt: Date.now() + delay });
    } else {
      clearInterval(ticker);
      const { code, wasClean } = ending;
      over.abort(closedError(ending));
      drop(signal.reason);
      change({ status: "closed", failures, error: closing || (wasClean && [1000, 1001, 1005].includes(code)) ? undefined : error });
      settleOpened[1](error);
      settleClosed({ ...ending, meaning: meaningOf(code) });
    }
    left?.close();
  }

  function drop(error: unknown): void {
    for (const [, reject] of senders.splice(0)) reject(error);
    onLost(error);
  }

  /** Looks again and again whether there is room. */
  function drain(): void {
    if (!socket || state.status !== "open") return;
    if (socket.bufferedAmount > HIGH_WATER_MARK) setTimeout(drain, DRAIN_POLL);
    else for (const [resolve] of senders.splice(0)) resolve();
  }

  function transmit(data: string | Uint8Array, stale?: () => boolean): Sent {
    let refusal: unknown;
    if (closing || signal.aborted) refusal = signal.reason ?? closedError(closing!);
    else if (state.status === "open" && socket?.readyState === OPEN) {
      // Payloads in shared memory are no use of ours; the standard's type excludes them.
      socket.send(data as string | Uint8Array<ArrayBuffer>);
      if (!(socket.bufferedAmount > HIGH_WATER_MARK)) return;
    } else if (size && size + data.length > HIGH_WATER_MARK) refusal = new OutboundOverflowError();
    else {
      waiting.push([data, stale]);
      size += data.length;
    }
    const sent = new Promise<void>((...settlers) => {
      if (refusal) settlers[1](refusal);
      else if (senders.push(settlers) < 2) drain();
    });
    sent.catch(() => {}); // Not awaiting it is safe.
    return sent;
  }

  /** Drops the socket, without waiting for anybody's goodbye. */
  const leave = () => socket && !closing && lost(noGoodbye);

  let clock = Date.now();
  const ticker = setInterval(() => {
    const slept = Date.now() - clock > ASLEEP;
    clock = Date.now();
    if (slept) leave();
  }, TICK) as ReturnType<typeof setInterval> & { unref?(): void };
  ticker.unref?.();

  const onPage = (type: string, react: () => void) => globalThis.addEventListener?.(type, react, { signal });
  const again = () => state.retryAt && begin();
  // A browser keeps no page whose connection is open for when its user comes back.
  onPage("pagehide", () => {
    leave();
    clearTimeout(timer);
  });
  onPage("pageshow", again);
  onPage("online", again);
  begin();

  const life: Life = {
    closed,
    signal,
    get url() {
      return url;
    },
    get protocol() {
      return socket?.protocol ?? "";
    },
    getSnapshot: () => state,
    subscribe: add,
    close(code = 1000, reason = "", why?) {
      socket?.close(code, reason); // Throws for codes and reasons that cannot be.
      closing ??= { code, reason, wasClean: false };
      if (state.status !== "open" && !signal.aborted) lost(closing, why);
      return closed;
    },
  };
  const insist = () => {
    insisting = true;
  };
  return [life, transmit, opened, insist];
}

/** What a socket says; which of it, depends on the kind of event. Browsers' errors say nothing. */
interface SocketEvent extends CloseOutcome {
  readonly data: unknown;
  readonly error: unknown;
}
