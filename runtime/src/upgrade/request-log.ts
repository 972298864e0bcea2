// Ready-made middleware that logs who comes.
import type { Middleware } from "./middleware.ts";

/**
 * One line of level info for every upgrade that a route decides on, to the router's logger: path (without the query, which may hold
 * credentials), address, status, and how long it took in ms. Put it first, so that it sees what later layers refuse. What never reaches a route
 * (404, 403 for a foreign origin, …) is not its business: see the hook `refused`.
 */
export function requestLog(): Middleware {
  return async (request, next) => {
    const started = performance.now();
    let status = 500;
    try {
      const decision = await next();
      status = decision instanceof Response ? decision.status : 101;
      return decision;
    } finally {
      const duration = Math.round((performance.now() - started) * 10) / 10;
      request.log.info({ remoteAddress: request.remoteAddress, status, duration }, status === 101 ? "upgrade accepted" : "upgrade refused");
    }
  };
}
