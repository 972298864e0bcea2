// Where a connection comes from: an upgraded socket and the limits it lives by.

import type { Limits, OpenConnection } from "./connection.ts";
import { SocketConnection } from "./socket-connection.ts";

/** What a route gets that says nothing else. */
export const defaultLimits: Limits = Object.freeze({
  maxMessageSize: 1024 * 1024, // bytes: larger than any sane JSON message, small enough to hold 16 of them
  heartbeat: Object.freeze({ interval: 30_000, timeout: 30_000 }), // ms: below the usual idle timeout of proxies, 60 s
  closeTimeout: 15_000, // ms: several round trips of a bad mobile network
  highWaterMark: 1024 * 1024, // bytes: what a healthy peer drains in well under a second
});

/**
 * Opens a connection on an upgraded socket. Reading begins at once, so that pings are answered and a leaving peer is noticed
 * whatever the route does; messages wait, bounded, for `start` or `messages()`.
 */
export const openConnection: OpenConnection = (details) => new SocketConnection(details);
