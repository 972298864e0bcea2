// What is open on one server, and whether more may come.

import type { Duplex } from "node:stream";
import { closures } from "../connection/close.ts";
import type { CloseOutcome, ConnectionCore } from "../connection/connection.ts";
import type { Capacity } from "./capacity.ts";
import type { Reporter } from "./events.ts";
import type { Occupant, Place, Route, RouterInternals } from "./router.ts";

export interface Floor {
  readonly router: RouterInternals;
  readonly stays: Set<Stay>;
  /** Sockets that are still shaking hands. */
  readonly visitors: Set<Duplex>;
  readonly capacity: Capacity;
  readonly reporter: Reporter;
  draining: boolean;
}

/** A connection and what runs on it, from the handshake to the last of its handlers. */
export class Stay implements Place {
  readonly connection: ConnectionCore;
  /** Absent while it takes over. */
  occupant: Occupant | undefined;
  readonly #floor: Floor;
  readonly #route: Route;
  /** In whole ms, which take no memory of their own. */
  readonly #since = Math.round(performance.now());
  /** Who waits for the end; made for the first. */
  #ended: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(floor: Floor, route: Route, connection: ConnectionCore) {
    this.#floor = floor;
    this.#route = route;
    this.connection = connection;
  }

  get reporter(): Reporter {
    return this.#floor.reporter;
  }

  get path(): string {
    return this.#route.template.source;
  }

  leave(outcome: CloseOutcome): void {
    const { stays, capacity, reporter } = this.#floor;
    stays.delete(this);
    capacity.leave(this.#route, this.connection.handshake.remoteAddress);
    reporter.closed(this.connection, this.path, outcome, performance.now() - this.#since);
    this.#ended?.resolve();
  }

  /** Lets what runs end, and closes. */
  async dismiss(): Promise<void> {
    if (!this.#floor.stays.has(this)) return;
    const ended = this.#untilEnded();
    await this.occupant?.drain();
    await this.connection.shut(closures.serviceRestart.code, closures.serviceRestart.reason);
    await ended;
  }

  #untilEnded(): Promise<void> {
    if (this.#ended === undefined) {
      let resolve!: () => void; // Assigned by the executor, which runs before the constructor returns.
      const promise = new Promise<void>((onResolve) => {
        resolve = onResolve;
      });
      this.#ended = { promise, resolve };
    }
    return this.#ended.promise;
  }
}
