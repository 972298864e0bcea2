// Upgrades that an ordinary HTTP handler decides on: Node gives a server's upgrades to "upgrade" listeners alone, so we pass them on.
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { dropLater, type Watch, watchVisitor } from "./answer.ts";

/** An upgrade that is with an HTTP handler now. */
interface HandedOver {
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly watch: Watch;
}

const handedOver = new WeakMap<ServerResponse, HandedOver>();

/**
 * Gives an upgrade to the server's "request" listeners, as a request whose response is written to the same socket. Whatever they answer, the
 * socket is closed behind it: what lies behind an upgrade request must not become another request.
 */
export function handOver(server: Server | HttpsServer, request: IncomingMessage, socket: Duplex, head: Buffer, timeout: number): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket); // Of a Duplex it uses what every Duplex has.
  const watch = watchVisitor(socket, timeout);
  handedOver.set(response, { socket, head, watch });
  response.once("finish", () => {
    watch.stop();
    socket.end();
    socket.resume();
    dropLater(socket);
  });
  void watch.aborted.then(() => {
    watch.stop();
    if (!handedOver.delete(response) || socket.destroyed || response.writableEnded) return;
    if (response.headersSent) socket.destroy();
    else
      response
        .writeHead(503, { "content-type": "text/plain; charset=utf-8", "retry-after": "1" })
        .end("The server took too long to decide.\n");
  });
  server.emit("request", request, response);
}

/** Takes an upgrade back from an HTTP handler; `undefined` when its request is none, or has been answered. */
export function takeBack(response: ServerResponse): { readonly socket: Duplex; readonly head: Buffer } | undefined {
  const found = handedOver.get(response);
  if (found === undefined || response.headersSent) return undefined;
  handedOver.delete(response);
  const { socket, head, watch } = found;
  const early = watch.stop();
  response.detachSocket(socket as Socket);
  return { socket, head: early.length === 0 ? head : Buffer.concat([head, early]) };
}
