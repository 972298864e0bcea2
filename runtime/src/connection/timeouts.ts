// How long a connection may be idle, live and be stalled, where a route says so.

import { type Closure, closures } from "./close.ts";
import type { Limits } from "./connection.ts";
import { Countdown } from "./countdown.ts";

/** A connection as its timeouts see it. */
export interface TimeoutsOwner {
  /** Whether silence is its own doing and not the peer's. */
  readonly busy: boolean;
  onTimeout(closure: Closure): void;
}

/** Those of one connection. */
export class Timeouts {
  readonly #owner: TimeoutsOwner;
  readonly #idle: Countdown | undefined;
  readonly #lifetime: Countdown | undefined;
  readonly #stall: Countdown | undefined;

  constructor({ idleTimeout, maxLifetime, maxStall }: Limits, owner: TimeoutsOwner) {
    this.#owner = owner;
    this.#idle = idleTimeout === false ? undefined : new Countdown(idleTimeout, () => this.#onIdle());
    this.#lifetime =
      maxLifetime === false ? undefined : new Countdown(maxLifetime, () => owner.onTimeout(closures.lifetime), 0.9 + Math.random() / 5);
    this.#stall = maxStall === false ? undefined : new Countdown(maxStall, () => owner.onTimeout(closures.stalled));
    this.#idle?.start();
    this.#lifetime?.start();
  }

  /** One went either way. */
  onMessage(): void {
    this.#idle?.restart();
  }

  /** What the peer sends waits from now on. */
  onHold(): void {
    this.#stall?.start();
  }

  onRelease(): void {
    this.#stall?.stop();
  }

  stop(): void {
    this.#idle?.stop();
    this.#lifetime?.stop();
    this.#stall?.stop();
  }

  #onIdle(): void {
    if (this.#owner.busy) this.#idle?.start();
    else this.#owner.onTimeout(closures.idle);
  }
}

/** Gives `undefined` where none is set, which takes no memory. */
export function startTimeouts(limits: Limits, owner: TimeoutsOwner): Timeouts | undefined {
  const none = limits.idleTimeout === false && limits.maxLifetime === false && limits.maxStall === false;
  return none ? undefined : new Timeouts(limits, owner);
}
