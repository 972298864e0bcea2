// The life of one connection: one socket after another, from the first attempt to the end, and what is sent meanwhile.
import type { CloseOutcome, Sent } from "../connection/outcome.ts";
import { ConnectionClosedError, OutboundOverflowError, UpgradeRejectedError } from "../errors.ts";
import type { Ask } from "./feature.ts";
import { ASLEEP, ATTEMPT, DRAIN_POLL, HIGH_WATER_MARK, STABLE, TICK } from "./limits.ts";
import { createListeners, type Listeners } from "./listeners.ts";
import { newChances, type ReconnectOptions, retryDelay } from "./retry.ts";
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
  /** When the next attempt comes, in ms since 1970; absent while one is under way, in the past while it waits for a network or for the page to be shown. */
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
  /** Aborts when it begins to close for good, with a ConnectionClosedError. */
  readonly signal: AbortSignal;
  getSnapshot(): ConnectionState;
  /** Listeners are called at once when the state changes; what they send goes before what waited for the connection. */
  readonly subscribe: Listeners<ConnectionState>[1];
  /** `why`: what `opened` rejects with. */
  close(code?: number, reason?: string, why?: unknown): Promise<CloseOutcome>;
}

/**
 * A connection that is being opened. Awaited, it is the open connection, or rejects when the first attempt fails. Whoever cannot wait, as
 * a page that shows its state, takes `connection` at once: then a first attempt that fails is tried again like every later one.
 */
export interface Opening<Connection> extends Promise<Connection> {
  readonly connection: Connection;
}

/** A life, and how it is led. */
export type Led = readonly [
  life: Life,
  /** Sends, or keeps it until there is a connection, unless it is `stale` by then. */
  transmit: (data: string | Uint8Array, stale?: () => boolean) => Sent,
  opening: Opening<Life>,
];

/** A send that waits for room, or with its data for a connection. */
type Waiting = [
  resolve: (value?: never) => void,
  reject: (error: unknown) => void,
  data?: string | Uint8Array | undefined,
  stale?: (() => boolean) | undefined,
];

/**
 * Begins a life with its first attempt.
 *
 * Parameters and result are lists, as here and there in this folder: names of properties stay as long as they are in what a page loads.
 *
 * @param attempt Opens a socket, having told its address. Rejects with a WsgenError when there is no use in trying again.
 * @param ask Tells the features of `opened` and `lost`, and asks for the `meaningOf` a code.
 */
export function startLife(
  attempt: (tell: (address: string) => void) => Promise<Attempt>,
  reconnect: boolean | ReconnectOptions | undefined,
  receive: (data: unknown) => void,
  ask: Ask,
  onError: (error: unknown) => void,
): Led {
  /** How one socket ended: without a close frame, unless told. */
  const ending = (code = 1006, reason = "", wasClean = false): CloseOutcome => ({
    code,
    reason,
    wasClean,
    meaning: ask("meaningOf", code),
  });
  const closedError = ({ code, reason, meaning }: CloseOutcome) => new ConnectionClosedError(code, reason, meaning);
  const [call, subscribe] = createListeners<ConnectionState>(onError);
  const over = new AbortController();
  const { signal } = over;
  let state: ConnectionState = { status: "connecting", failures: 0 };
  let socket: WebSocketLike | undefined;
  /** Counts attempts: what the sockets of earlier ones say is not heard. */
  let turn = 0;
  let failures = 0;
  let chances = newChances();
  let insisting = false;
  /** What `closed` says when the peer never answers our close frame. */
  let closing: CloseOutcome | undefined;
  /** When it was opened, and lost. */
  let since = 0;
  let lostAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let queue: Waiting[] = [];
  /** Of what waits for a connection. */
  let size = 0;
  let settleOpened!: readonly [(life: Life) => void, (error: unknown) => void];
  let settleClosed!: (outcome: CloseOutcome) => void;
  const opened = new Promise<Life>((...settlers) => {
    settleOpened = settlers;
  });
  const closed = new Promise<CloseOutcome>((resolve) => {
    settleClosed = resolve;
  });

  const isOpen = () => state.status === "open";

  /** A socket that is closing takes messages and forgets them. */
  const takes = () => isOpen() && socket!.readyState === 1; // Open, it has one.

  function change(next: ConnectionState): void {
    state = next;
    call(next);
  }

  function begin(): void {
    clearTimeout(timer);
    const mine = ++turn;
    change({ ...state, retryAt: undefined });
    if (mine !== turn) return; // A listener has closed it.
    let started: Attempt | undefined;
    let cause: unknown;
    const end = (event?: CloseOutcome) => {
      if (mine !== turn) return;
      lost(
        // Deno says 0 of a connection that was lost, where the standard has 1006.
        closing && !event?.wasClean ? closing : ending(event?.code || undefined, event?.reason, event?.wasClean),
        started?.verdict?.() ??
          (isOpen()
            ? undefined
            : // The query may hold secrets, and errors end up in logs.
              new UpgradeRejectedError(life.url.replace(/\?.*/, ""), Object(cause).message || "no answer shown", { cause })),
      );
    };
    timer = setTimeout(() => end(), ATTEMPT);

    attempt((address) => {
      life.url = address;
    }).then(
      (begun) => {
        started = begun;
        const next = begun.socket;
        const on = (type: string, react: (event: SocketEvent) => void) =>
          next.addEventListener(type as "close", (event) => mine === turn && react(event as SocketEvent));
        on("open", open);
        // What comes after our goodbye browsers do not tell either.
        on("message", ({ data }) => signal.aborted || receive(data));
        on("error", ({ error }) => {
          cause = error;
          // The "close" that the standard wants behind it never comes from the WebSocket of Node 22.
          setTimeout(() => isOpen() || end());
        });
        on("close", end);
        if (mine !== turn) return next.close();
        socket = next;
        next.binaryType = "arraybuffer";
        // An injected socket may be open already.
        if (next.readyState === 1) open();
      },
      (error: unknown) => mine === turn && lost(ending(), error),
    );
  }

  function open(): void {
    if (isOpen()) return;
    clearTimeout(timer);
    since = Date.now();
    const reconnected = lostAt ? ({ continuity: "unknown", attempts: failures, away: since - lostAt } as const) : undefined;
    state = { status: "open", failures: 0, reconnected };
    life.protocol = socket!.protocol;
    ask("opened");
    change(state);
    settleOpened[0](life);
    if (signal.aborted) return; // By a listener: what waits is rejected when the socket is gone.
    size = 0;
    for (const one of queue) {
      if (one[2] !== undefined && !one[3]?.()) put(one[2]);
      one[2] = undefined;
    }
    drain();
  }

  function lost(outcome: CloseOutcome, error: unknown = closedError(outcome)): void {
    const left = socket;
    socket = undefined;
    turn++;
    clearTimeout(timer);
    if (isOpen()) {
      lostAt = Date.now();
      if (lostAt - since > STABLE) {
        failures = 0;
        chances = newChances();
      }
      drop(error);
    }
    const delay =
      reconnect !== false && !signal.aborted && (insisting || lostAt) ? retryDelay(error, failures, Object(reconnect), chances) : undefined;
    if (delay !== undefined) {
      failures++;
      timer = setTimeout(() => globalThis.navigator?.onLine === false || begin(), delay);
      change({ status: lostAt ? "reconnecting" : "connecting", failures, error, retryAt: Date.now() + delay });
    } else {
      clearInterval(ticker);
      const inPeace = signal.aborted || /100[015]/.test(`${outcome.code}`);
      over.abort(closedError(outcome));
      drop(signal.reason);
      change({ status: "closed", failures, error: inPeace ? undefined : error });
      settleOpened[1](error);
      settleClosed(outcome);
    }
    left?.close();
  }

  /** What has left is answered no more; what waits for a connection waits on while there may be one. */
  function drop(error: unknown): void {
    queue = queue.filter((one) => (one[2] !== undefined && !signal.aborted) || one[1](error));
    ask("lost", error);
  }

  /** Looks again and again whether there is room. */
  function drain(): void {
    if (!takes()) return;
    if (socket!.bufferedAmount > HIGH_WATER_MARK) setTimeout(drain, DRAIN_POLL);
    else for (const [resolve] of queue.splice(0)) resolve();
  }

  function transmit(data: string | Uint8Array, stale?: () => boolean): Sent {
    let refusal: unknown = signal.reason;
    let kept: typeof data | undefined;
    if (!refusal) {
      if (takes()) {
        put(data);
        if (!(socket!.bufferedAmount > HIGH_WATER_MARK)) return;
      } else if (size && size + data.length > HIGH_WATER_MARK) refusal = new OutboundOverflowError();
      else {
        kept = data;
        size += data.length;
      }
    }
    const sent = new Promise<void>((resolve, reject) => {
      if (refusal) reject(refusal);
      else if (queue.push([resolve, reject, kept, stale]) < 2) drain();
    });
    sent.catch(() => {}); // Not awaiting it is safe.
    return sent;
  }

  /** Payloads in shared memory are no use of ours; the standard's type excludes them. */
  const put = (data: string | Uint8Array) => socket?.send(data as string | Uint8Array<ArrayBuffer>);

  /** Drops the socket, or what is to become one, without waiting for anybody's goodbye. */
  const leave = () => state.retryAt || signal.aborted || lost(ending());

  let clock = Date.now();
  const ticker = setInterval(() => {
    if (Date.now() - clock > ASLEEP) leave();
    clock = Date.now();
  }, TICK);

  const onPage = (type: string, react: () => void) => globalThis.addEventListener?.(type, react, { signal });
  const again = () => state.retryAt && begin();
  // A browser keeps no page whose connection is open for when its user comes back.
  onPage("pagehide", () => {
    leave();
    clearTimeout(timer);
  });
  onPage("pageshow", again);
  onPage("online", again);

  const life: { -readonly [Key in keyof Life]: Life[Key] } = {
    closed,
    signal,
    url: "",
    protocol: "",
    getSnapshot: () => state,
    subscribe,
    close(code = 1000, reason = "", why?) {
      socket?.close(code, reason); // Throws for codes and reasons that cannot be.
      if (!signal.aborted) {
        closing = ending(code, reason);
        over.abort(closedError(closing));
        if (!isOpen()) lost(closing, why);
      }
      return closed;
    },
  };
  const opening = Object.defineProperty(opened, "connection", {
    get() {
      insisting = true;
      opened.catch(() => {});
      return life;
    },
  }) as Opening<Life>;
  begin();
  return [life, transmit, opening];
}

/** What a socket says; which of it, depends on the kind of event. Browsers' errors say nothing. */
interface SocketEvent extends CloseOutcome {
  readonly data: unknown;
  readonly error: unknown;
}
