// Delays of seconds and minutes for many connections: one timer for all that have the same setting.

/** A wheel turns once in twice its delay, and a delay ends at most this part of it late. */
const PART = 32;

class Wheel {
  /** How many ticks there were. */
  now = 0;
  readonly #tick: number;
  readonly #slots: readonly Set<Countdown>[] = Array.from({ length: 2 * PART }, () => new Set<Countdown>());
  #members = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(delay: number) {
    this.#tick = Math.max(1, delay / PART);
  }

  /** Gives the slot where it stands. */
  add(countdown: Countdown, ticks: number): Set<Countdown> {
    this.#members++;
    this.#timer ??= setInterval(() => this.#turn(), this.#tick).unref();
    const slot = this.#slotAt(this.now + ticks);
    slot.add(countdown);
    return slot;
  }

  delete(countdown: Countdown, slot: Set<Countdown>): void {
    if (!slot.delete(countdown)) return;
    this.#members--;
    if (this.#members > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    this.now++;
    // Who comes back to a slot does so one tick away at least, never to this one.
    for (const countdown of this.#slotAt(this.now)) countdown.look();
  }

  #slotAt(tick: number): Set<Countdown> {
    return this.#slots[tick % (2 * PART)]!; // The remainder is an index.
  }
}

const wheels = new Map<number, Wheel>();

/** One delay of one connection. */
export class Countdown {
  readonly #wheel: Wheel;
  readonly #ticks: number;
  readonly #onOver: () => void;
  #slot: Set<Countdown> | undefined;
  #since = 0;

  /** `delay` in ms; `factor`, from 0 to 1.5, makes this one shorter or longer than the others. */
  constructor(delay: number, onOver: () => void, factor = 1) {
    let wheel = wheels.get(delay);
    if (wheel === undefined) {
      wheel = new Wheel(delay);
      wheels.set(delay, wheel);
    }
    this.#wheel = wheel;
    this.#ticks = Math.max(1, Math.ceil(PART * factor)) + 1; // The tick under way may be over at once.
    this.#onOver = onOver;
  }

  /** Begins; does nothing when it runs. */
  start(): void {
    if (this.#slot !== undefined) return;
    this.#since = this.#wheel.now;
    this.#slot = this.#wheel.add(this, this.#ticks);
  }

  /** Begins again, at the cost of one assignment. */
  restart(): void {
    this.#since = this.#wheel.now;
  }

  stop(): void {
    if (this.#slot === undefined) return;
    this.#wheel.delete(this, this.#slot);
    this.#slot = undefined;
  }

  /** Called by the wheel. */
  look(): void {
    this.stop();
    const left = this.#since + this.#ticks - this.#wheel.now;
    if (left <= 0) this.#onOver();
    else this.#slot = this.#wheel.add(this, left);
  }
}
