// The listeners on a connection's socket: module functions that all sockets share, because closures would cost each connection a few hundred bytes.

import type { Duplex } from "node:stream";

/** Who is told what happens on a socket. */
export interface SocketOwner {
  onData(chunk: Buffer): void;
  onDrain(): void;
  /** The peer has ended its side of TCP. */
  onEnd(): void;
  /** TCP is gone. May be told twice. */
  onSocketClosed(): void;
  onSocketError(error: Error): void;
}

/** Where the listeners find the connection. */
const ownerOf = Symbol("wsgen.owner");

type OwnedSocket = Duplex & { [ownerOf]?: SocketOwner | undefined };

/** Starts to read, `head` first. */
export function listen(socket: OwnedSocket, head: Uint8Array, owner: SocketOwner): void {
  socket[ownerOf] = owner;
  prepare(socket);
  socket.on("error", onError).on("close", onClose).on("end", onEnd).on("drain", onDrain);
  if (head.length > 0) socket.unshift(head);
  socket.on("data", onData);
  socket.resume();
  if (socket.destroyed) setImmediate(() => owner.onSocketClosed()); // Lost before we came: its "close" may have been told already.
}

/** Lets go of the owner. The error listener stays, so that no late error is an uncaught one. */
export function unlisten(socket: OwnedSocket): void {
  socket.off("data", onData).off("drain", onDrain).off("end", onEnd).off("close", onClose);
  socket[ownerOf] = undefined;
}

/** TCP and TLS sockets come with HTTP's idle timeout and with Nagle's delay. */
function prepare(socket: Duplex & { setTimeout?: (ms: number) => void; setNoDelay?: (on: boolean) => void }): void {
  socket.setTimeout?.(0);
  socket.setNoDelay?.(true);
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[ownerOf]?.onData(chunk);
}

function onDrain(this: OwnedSocket): void {
  this[ownerOf]?.onDrain();
}

function onEnd(this: OwnedSocket): void {
  this[ownerOf]?.onEnd();
}

function onClose(this: OwnedSocket): void {
  this[ownerOf]?.onSocketClosed();
}

function onError(this: OwnedSocket, error: Error): void {
  this[ownerOf]?.onSocketError(error);
}
