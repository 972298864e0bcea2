// What is open on one server, and whether more may come.

import type { Duplex } from "node:stream";
import { closures } from "../connection/close.ts";
import type { CloseOutcome, ConnectionCore, ConnectionTerms } from "../connection/connection.ts";
import type { Capacity } from "./capacity.ts";
import type { Reporter } from "./events.ts";
import type { Admission, Occupant, Place, Route, RouterInternals } from "./router.ts";

export interface Floor {
  readonly router: RouterInternals;
  /** Open connections and what runs on them, from the handshake to the last of their handlers. */
  readonly stays: Map<ConnectionCore, Occupant>;
  /** Where they are: of each route that somebody came to. */
  readonly places: WeakMap<Route, RoutePlace>;
  /** Sockets that are still shaking hands. */
  readonly visitors: Set<Duplex>;
  readonly capacity: Capacity;
  readonly reporter: Reporter;
  draining: boolean;
  /** While it empties: who waits for a connection's stay to end. */
  readonly departures: WeakMap<ConnectionCore, () => void>;
}

/** The place of a route on a server. */
export function placeOf(floor: Floor, route: Route): RoutePlace {
  let place = floor.places.get(route);
  if (place === undefined) {
    place = new RoutePlace(floor, route);
    floor.places.set(route, place);
  }
  return place;
}

/** One route on one server: what all of its connections share. */
export class RoutePlace implements Place {
  readonly terms: ConnectionTerms;
  readonly #floor: Floor;
  readonly #route: Route;

  constructor(floor: Floor, route: Route) {
    this.#floor = floor;
    this.#route = route;
    const { closeCodes, limits, template } = route;
    this.terms = { logger: floor.router.logger, route: template.source, closeCodes, limits };
  }

  get reporter(): Reporter {
    return this.#floor.reporter;
  }

  get path(): string {
    return this.#route.template.source;
  }

  /** `duration` of its handshake, in ms. */
  enter(connection: ConnectionCore, occupy: Admission["occupy"], duration: number): void {
    const { reporter, stays } = this.#floor;
    reporter.opened(connection, this.path, duration);
    stays.set(connection, arriving);
    const occupant = occupy(connection, this);
    if (stays.has(connection)) stays.set(connection, occupant);
  }

  leave(connection: ConnectionCore, outcome: CloseOutcome): void {
    const { stays, capacity, reporter, departures } = this.#floor;
    stays.delete(connection);
    capacity.leave(this.#route, connection.handshake.remoteAddress);
    reporter.closed(connection, this.path, outcome, performance.now() - connection.openedAt);
    departures.get(connection)?.();
  }
}

/** While whoever is to run on a connection takes over. */
const arriving: Occupant = { drain() {} };

/** Lets what runs on a connection end, and closes it. */
export async function dismiss({ stays, departures }: Floor, connection: ConnectionCore): Promise<void> {
  const occupant = stays.get(connection);
  if (occupant === undefined) return;
  const ended = new Promise<void>((resolve) => departures.set(connection, resolve));
  await occupant.drain();
  await connection.shut(closures.serviceRestart.code, closures.serviceRestart.reason);
  await ended;
}
