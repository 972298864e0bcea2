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

/** The shorter of interval and timeout has so many ticks. */
const TICKS = 16;

/** Those who are pinged at the same tick of every interval. */
export class Slot {
  readonly members = new Set<Beating>();
  /** The tick at which who has been silent is given up; absent while nobody's silence counts. */
  judgedAt: number | undefined;
  readonly #heartbeat: Heartbeat;

  constructor(heartbeat: Heartbeat) {
    this.#heartbeat = heartbeat;
  }

  delete(member: Beating): void {
    if (this.members.delete(member)) this.#heartbeat.onLeave();
  }
}

/** Pings every `interval` ms; gives up on who sends not a single byte in the `timeout` ms after a ping. A tick costs only what is due. */
export class Heartbeat {
  readonly #tick: number;
  /** In ticks. */
  readonly #timeout: number;
  /** One for every tick of an interval; made when first used. */
  readonly #slots: (Slot | undefined)[];
  /** In the order of their `judgedAt`. */
  readonly #toJudge: Slot[] = [];
  readonly #began = performance.now();
  /** The last tick that was looked at. */
  #now = 0;
  #members = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(interval: number, timeout: number) {
    this.#tick = Math.max(1, Math.min(interval, timeout) / TICKS);
    this.#timeout = Math.ceil(timeout / this.#tick);
    this.#slots = Array.from({ length: Math.ceil(interval / this.#tick) });
  }

  /** Gives the slot to leave. */
  add(member: Beating): Slot {
    this.#members++;
    if (this.#timer === undefined) {
      this.#now = this.#clock();
      this.#timer = setInterval(() => this.#onTimer(), this.#tick).unref();
    }
    const at = this.#now % this.#slots.length; // The slot whose turn was last.
    const slot = this.#slots[at] ?? new Slot(this);
    this.#slots[at] = slot;
    slot.members.add(member);
    return slot;
  }

  onLeave(): void {
    if (--this.#members > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** In ticks. */
  #clock(): number {
    return Math.floor((performance.now() - this.#began) / this.#tick);
  }

  /** After a long blocking turn pongs lie unread in the kernel: what is due now is looked at behind the poll that reads them. */
  #onTimer(): void {
    const now = this.#clock();
    setImmediate(() => this.#look(now));
  }

  #look(now: number): void {
    this.#judge(now);
    // A busy process misses ticks. None is pinged twice for that.
    for (let tick = Math.max(this.#now, now - this.#slots.length) + 1; tick <= now; tick++)
      this.#ping(this.#slots[tick % this.#slots.length], now);
    this.#now = now;
  }

  #judge(now: number): void {
    for (let slot = this.#toJudge[0]; slot?.judgedAt !== undefined && slot.judgedAt <= now; slot = this.#toJudge[0]) {
      this.#toJudge.shift();
      slot.judgedAt = undefined;
      for (const member of slot.members) if (!member.heard && !member.deaf) member.onPingTimeout();
    }
  }

  #ping(slot: Slot | undefined, now: number): void {
    if (slot === undefined || slot.members.size === 0) return;
    const counts = slot.judgedAt === undefined;
    for (const member of slot.members) {
      if (counts) member.heard = false;
      member.sendPing();
    }
    if (!counts) return;
    slot.judgedAt = now + this.#timeout;
    this.#toJudge.push(slot);
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
