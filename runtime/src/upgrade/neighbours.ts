// Others who listen for upgrades on the same server, as development servers and other libraries do: a path that is not ours may be theirs.
import type { IncomingMessage, Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { answer } from "./answer.ts";
import { pathOf, refuse } from "./handshake.ts";

type Listener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** The routers attached to a server, in the order they came, and the paths they have. */
const attached = new WeakMap<Server | HttpsServer, Map<unknown, (path: string) => boolean>>();

export interface Neighbours {
  /** True when the upgrade is for a path of somebody else's, or may be. */
  leave(request: IncomingMessage, socket: Duplex): boolean;
  forget(): void;
}

/** `patience`: time, in ms, until what nobody has answered is refused with 404. */
export function meetNeighbours(
  server: Server | HttpsServer,
  listener: Listener,
  isOurs: (path: string) => boolean,
  patience: number,
): Neighbours {
  const routers = attached.get(server) ?? new Map<unknown, (path: string) => boolean>();
  attached.set(server, routers.set(listener, isOurs));

  return {
    leave(request, socket) {
      if (server.listenerCount("upgrade") === 1) return false;
      const path = pathOf(request);
      if (isOurs(path)) return false;
      const listeners = server.listeners("upgrade");
      const [first] = routers.keys();
      if (listeners.some((other) => !routers.has(other))) {
        if (first === listener) refuseLater(socket, patience);
        return true;
      }
      // Among routers of ours it is certain that a path is nobody's, and the first says so.
      return first !== listener || [...routers.values()].some((isTheirs) => isTheirs(path));
    },
    forget: () => void routers.delete(listener),
  };
}

/** Whoever takes an upgrade answers it, or reads. */
function refuseLater(socket: Duplex, patience: number): void {
  const { bytesWritten } = socket as Partial<Socket>;
  socket.on("error", ignoreUntilTaken);
  const timer = setTimeout(() => {
    const taken =
      (socket as Partial<Socket>).bytesWritten !== bytesWritten || socket.listenerCount("data") + socket.listenerCount("readable") > 0;
    if (!taken && socket.writable) void answer(socket, refuse(404, "There is nothing here.").response);
  }, patience).unref();
  socket.once("close", () => clearTimeout(timer));
}

/** A reset before anybody has taken it must not end the process. */
function ignoreUntilTaken(): void {}
