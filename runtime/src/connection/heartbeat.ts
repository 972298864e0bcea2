// Liveness: pings on a schedule, for all connections of one setting together. No connection has a timer of its own.

/** A connection as the heartbeat sees it. */
export interface Beating {
  /** Set by the connection on any received byte; cleared here when a ping leaves. */
  heard: boolean;
  /** Whether bytes may lie unread because the handler is slow: silence then proves nothing. */
  readonly deaf: boolean;
  sendPing(): void;
  onPingTimeout(): void;
}

/** The timer looks this often in the shorter of interval and timeout. */
const LOOKS = 16;

/**
 * Pings every `interval` ms; gives up on who sends not a single byte in the `timeout` ms after a ping. Both delays are the same for
 * all members, so each of the two lists is in order of its due times by construction, and a look costs only what is due.
 */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #toPing = new Map<Beating, number>();
  readonly #toJudge = new Map<Beating, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(interval: number, timeout: number) {
    this.#interval = interval;
    this.#timeout = timeout;
  }

  add(member: Beating): void {
    this.#toPing.set(member, performance.now() + this.#interval);
    this.#timer ??= setInterval(() => this.#look(), Math.max(1, Math.min(this.#interval, this.#timeout) / LOOKS)).unref();
  }

  delete(member: Beating): void {
    this.#toPing.delete(member);
    this.#toJudge.delete(member);
    if (this.#toPing.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const [member, due] of this.#toPing) {
      if (due > now) break;
      this.#toPing.delete(member);
      this.#toPing.set(member, now + this.#interval);
      if (!this.#toJudge.has(member)) {
        member.heard = false;
        this.#toJudge.set(member, now + this.#timeout);
      }
      member.sendPing();
    }
    // After a long blocking turn pongs lie unread in the kernel: judge behind the poll that reads them.
    setImmediate(() => this.#judge(now));
  }

  #judge(now: number): void {
    for (const [member, due] of this.#toJudge) {
      if (due > now) break;
      this.#toJudge.delete(member);
      if (!member.heard && !member.deaf) member.onPingTimeout();
    }
  }
}

const heartbeats = new Map<string, Heartbeat>();

/** The one heartbeat of a setting; both in ms. */
export function heartbeatOf(interval: number, timeout: number): Heartbeat {
  const key = `${interval}/${timeout}`;
  let heartbeat = heartbeats.get(key);
  if (heartbeat === undefined) {
    heartbeat = new Heartbeat(interval, timeout);
    heartbeats.set(key, heartbeat);
  }
  return heartbeat;
}
