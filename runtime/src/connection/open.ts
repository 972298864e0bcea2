// Where a connection comes from: an upgraded socket and the limits it lives by.

import type { OpenConnection } from "./connection.ts";
import { SocketConnection } from "./socket-connection.ts";

/**
 * Opens a connection on an upgraded socket. Reading begins at once, so that pings are answered and a leaving peer is noticed
 * whatever the route does; messages wait, bounded, for `start` or `messages()`.
 */
export const openConnection: OpenConnection = (details) => new SocketConnection(details);
