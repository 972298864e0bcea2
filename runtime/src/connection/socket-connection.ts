// The life of one upgraded socket: reader, inbox, outbox and heartbeat wired together, and the closing handshake.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { ConnectionClosedError, WsgenError } from "../errors.ts";
import { assertUserClose, type Closure, closePayload, closures, cutReason, isWireCode } from "./close.ts";
import type { CloseOutcome, ConnectionCore, ConnectionDetails, Limits, Logger, Message, Sent, Sink, UpgradeRequest } from "./connection.ts";
import { type Beating, type Heartbeat, heartbeatOf } from "./heartbeat.ts";
import { Inbox, type InboxOwner } from "./inbox.ts";
import { MessageReader } from "./messages.ts";
import { listen, type SocketOwner, unlisten } from "./socket-listeners.ts";
import { encodeFrame, FrameReader, type FrameReceiver, opcodes } from "./wire.ts";
import { ignore, Outbox, type OutboxOwner } from "./writer.ts";

/** How long, in ms, a slow consumer may take to read its close frame. */
const SLOW_CONSUMER_TIMEOUT = 2000;

const EMPTY = Buffer.alloc(0);
const HEARTBEAT_PING = encodeFrame(opcodes.ping, EMPTY);

interface PendingPing {
  readonly data: Buffer;
  readonly sentAt: number;
  readonly resolve: (milliseconds: number) => void;
  readonly reject: (error: Error) => void;
}

/** Its `on…` methods belong to the parts below it; what people see is `Connection`. */
export class SocketConnection<Context extends object>
  implements ConnectionCore<Context>, SocketOwner, FrameReceiver, InboxOwner, OutboxOwner, Beating
{
  readonly id: string;
  readonly context: Context;
  readonly handshake: UpgradeRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly protocol: string;
  readonly log: Logger;
  heard = true;
  readonly #socket: Duplex;
  readonly #limits: Limits;
  readonly #reader: FrameReader;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #heartbeat: Heartbeat | undefined;
  /** open, then closing from the moment our close frame is written, then closed with the socket. */
  #state: "open" | "closing" | "closed" = "open";
  /** What our close frame said, and what the peer's said. */
  #ours: { readonly code: number; readonly reason: string } | undefined;
  #theirs: { readonly code: number; readonly reason: string } | undefined;
  #outcome: CloseOutcome | undefined;
  #deadline: NodeJS.Timeout | undefined;
  /** The latest ping that was not answered because the peer does not read. */
  #owedPong: Buffer | undefined;

  // Made when first asked for.
  #abort: AbortController | undefined;
  #closed: { readonly promise: Promise<CloseOutcome>; readonly resolve: (outcome: CloseOutcome) => void } | undefined;
  #refused: Promise<void> | undefined;
  #pings: PendingPing[] | undefined;
  #flushes: Set<(error: Error) => void> | undefined;

  constructor(details: ConnectionDetails<Context>) {
    this.id = details.id;
    this.context = details.context;
    this.handshake = details.handshake;
    this.params = details.params;
    this.protocol = details.protocol;
    this.log = details.log;
    this.#limits = details.limits;
    this.#socket = details.socket;
    this.#reader = new FrameReader(this, details.limits.maxMessageSize);
    this.#inbox = new Inbox(this);
    this.#outbox = new Outbox(details.socket, this, details.limits.highWaterMark);
    const { heartbeat } = details.limits;
    this.#heartbeat = heartbeat === false ? undefined : heartbeatOf(heartbeat.interval, heartbeat.timeout);
    this.#heartbeat?.add(this);

    listen(details.socket, details.head, this);
  }

  // ---- The public face --------------------------------------------------------------------------------------------

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#state !== "open") this.#abort.abort(this.#closedError());
    }
    return this.#abort.signal;
  }

  get closed(): Promise<CloseOutcome> {
    if (this.#closed === undefined) {
      let resolve!: (outcome: CloseOutcome) => void; // Assigned by the executor, which runs before the constructor returns.
      const promise = new Promise<CloseOutcome>((onResolve) => {
        resolve = onResolve;
      });
      this.#closed = { promise, resolve };
      if (this.#outcome !== undefined) resolve(this.#outcome);
    }
    return this.#closed.promise;
  }

  send(data: string | Uint8Array): Sent {
    if (this.#state !== "open") return this.#refuse();
    return this.#outbox.push(encodeFrame(typeof data === "string" ? opcodes.text : opcodes.binary, data));
  }

  push(frame: Buffer): Sent {
    return this.#state === "open" ? this.#outbox.push(frame) : this.#refuse();
  }

  flushed(): Promise<void> {
    if (this.#socket.destroyed) return this.#refuse();
    this.#outbox.flush();
    if (this.#socket.writableLength === 0) return Promise.resolve();
    if (!this.#socket.writable) return this.#refuse(); // Our last word is on its way; nothing can be queued behind it to wait for.
    const promise = new Promise<void>((resolve, reject) => {
      this.#flushes ??= new Set();
      this.#flushes.add(reject);
      this.#socket.write(EMPTY, (error) => {
        this.#flushes?.delete(reject);
        if (error) reject(this.#closedError());
        else resolve();
      });
    });
    promise.catch(ignore);
    return promise;
  }

  ping(data?: Uint8Array): Promise<number> {
    if (data !== undefined && data.length > 125) {
      throw new WsgenError("WSGEN_USAGE", `ping(): ${data.length} bytes of data; a ping holds 125 (RFC 6455 section 5.5).`);
    }
    const promise = new Promise<number>((resolve, reject) => {
      if (this.#state !== "open") {
        reject(this.#closedError());
        return;
      }
      const payload = data === undefined ? nextPingData() : Buffer.from(data);
      this.#pings ??= [];
      this.#pings.push({ data: payload, sentAt: performance.now(), resolve, reject });
      this.#outbox.push(encodeFrame(opcodes.ping, payload));
    });
    promise.catch(ignore);
    return promise;
  }

  close(code: number = closures.normal.code, reason = ""): Promise<CloseOutcome> {
    assertUserClose(code, reason);
    this.#close(code, reason);
    return this.closed;
  }

  shut(code: number, reason: string): Promise<CloseOutcome> {
    if (!isWireCode(code)) throw new WsgenError("WSGEN_USAGE", `shut(${code}): no close frame may carry this code (RFC 6455 section 7.4).`);
    this.#close(code, reason);
    return this.closed;
  }

  terminate(): void {
    this.#inbox.drop();
    this.#destroy();
  }

  start(sink: Sink): void {
    this.#inbox.start(sink);
  }

  messages(options?: { readonly maxSize?: number }): AsyncIterable<Message> {
    const maxSize = options?.maxSize ?? this.#limits.maxMessageSize;
    const reader = new MessageReader(this.#inbox, maxSize, () => this.#close(closures.messageTooBig.code, closures.messageTooBig.reason));
    this.#reader.maxMessageSize = maxSize;
    return reader;
  }

  // ---- Inbound ----------------------------------------------------------------------------------------------------

  onData(chunk: Buffer): void {
    this.heard = true;
    this.#reader.read(chunk);
  }

  onMessage(data: Buffer, binary: boolean): void {
    if (this.#state === "open") this.#inbox.offer(data, binary);
  }

  onPing(data: Buffer): void {
    if (this.#state !== "open") return;
    // A peer that pings and does not read must not fill the memory; the latest ping is the one to answer (RFC 6455 section 5.5.3).
    if (this.#outbox.full) this.#owedPong = Buffer.from(data);
    else this.#outbox.push(encodeFrame(opcodes.pong, data));
  }

  onPong(data: Buffer): void {
    const index = this.#pings?.findIndex((ping) => ping.data.equals(data)) ?? -1;
    if (index < 0) return;
    // A pong answers the pings before it as well (RFC 6455 section 5.5.3).
    for (const ping of this.#pings?.splice(0, index + 1) ?? []) ping.resolve(performance.now() - ping.sentAt);
  }

  onClose(code: number, reason: string): void {
    this.#theirs = { code, reason };
    this.#inbox.complete(); // What came before the close frame is delivered still.
    this.#beginClose(code, "", this.#limits.closeTimeout);
    this.#socket.end();
  }

  onViolation(closure: Closure): void {
    if (this.#state !== "open") {
      this.#destroy();
      return;
    }
    this.log.debug({ connection: this.id, code: closure.code }, "closing: the peer broke the protocol");
    this.#close(closure.code, closure.reason);
    this.#socket.end();
  }

  onFailure(error: unknown): void {
    if (this.#state !== "open" && error instanceof ConnectionClosedError) return; // It has met the close that everybody knows of.
    this.log.error({ connection: this.id, error }, "a message handler failed");
    this.#close(closures.internalError.code, closures.internalError.reason);
  }

  hold(): void {
    this.#reader.hold();
    this.#socket.pause();
  }

  release(): void {
    this.heard = true; // What lay unread behind the hold is a sign of life not yet seen.
    this.#reader.release();
    if (!this.#reader.held) this.#socket.resume();
  }

  // ---- Outbound ---------------------------------------------------------------------------------------------------

  get congested(): boolean {
    return this.#state === "open" && this.#outbox.full;
  }

  onDrain(): void {
    this.#outbox.settle();
  }

  onFlushed(): void {
    if (this.#owedPong !== undefined && this.#state === "open" && !this.#outbox.full) {
      const data = this.#owedPong;
      this.#owedPong = undefined;
      this.onPing(data);
    }
    this.#inbox.pump();
  }

  onOverflow(): void {
    const { code, reason } = closures.slowConsumer;
    this.log.warn({ connection: this.id, queued: this.#socket.writableLength }, "closing: slow consumer");
    this.#inbox.drop();
    this.#beginClose(code, reason, Math.min(SLOW_CONSUMER_TIMEOUT, this.#limits.closeTimeout));
  }

  // ---- Liveness ---------------------------------------------------------------------------------------------------

  get deaf(): boolean {
    return this.#reader.held;
  }

  sendPing(): void {
    this.#outbox.push(HEARTBEAT_PING);
  }

  onPingTimeout(): void {
    this.#close(closures.pingTimeout.code, closures.pingTimeout.reason);
  }

  // ---- The end ----------------------------------------------------------------------------------------------------

  /** Closes from our side: what has arrived and waits is dropped. */
  #close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#inbox.drop();
    this.#beginClose(code, reason, this.#limits.closeTimeout);
  }

  /** Writes the close frame behind everything sent, and gives the peer until the deadline to answer it and go. */
  #beginClose(code: number, reason: string, timeout: number): void {
    if (this.#state !== "open") return;
    if (this.#socket.destroyed) {
      this.#destroy(); // TCP was lost before: nothing was said, and 1006 it is.
      return;
    }
    this.#state = "closing";
    this.#ours = { code, reason: cutReason(reason) };
    this.#heartbeat?.delete(this);
    this.#deadline = setTimeout(onDeadline, timeout, this).unref();
    this.#outbox.end(encodeFrame(opcodes.close, closePayload(code, reason)));
    if (this.#reader.held) this.release(); // The peer's close frame may lie behind what nobody will read.
    this.#abort?.abort(this.#closedError());
  }

  onDeadline(): void {
    this.#deadline = undefined;
    this.terminate();
  }

  /** TCP has ended from the peer's side. */
  onEnd(): void {
    if (this.#ours === undefined) this.#destroy();
    else this.#socket.end(); // Lets what is written leave; the deadline runs.
  }

  onSocketError(error: Error): void {
    this.log.debug({ connection: this.id, error }, "socket error");
    this.#destroy();
  }

  /** Drops TCP; what has arrived is delivered still. The socket's "close" event does the rest. */
  #destroy(): void {
    if (this.#state === "open") this.#state = "closing";
    this.#socket.destroy();
    this.#abort?.abort(this.#closedError());
  }

  /** TCP is gone. */
  onSocketClosed(): void {
    if (this.#state === "closed") return;
    const { code, reason } = this.#theirs ?? this.#ours ?? closures.lost;
    const outcome: CloseOutcome = { code, reason, wasClean: this.#theirs !== undefined && this.#ours !== undefined };
    this.#state = "closed";
    this.#outcome = outcome;
    this.#heartbeat?.delete(this);
    unlisten(this.#socket);
    this.#deadline ??= setTimeout(onDeadline, this.#limits.closeTimeout, this).unref(); // Until what had arrived is delivered.
    const error = this.#closedError();
    this.#outbox.fail(error);
    for (const ping of this.#pings ?? []) ping.reject(error);
    for (const reject of this.#flushes ?? []) reject(error);
    this.#pings = undefined;
    this.#flushes = undefined;
    this.#abort?.abort(error);
    this.#closed?.resolve(outcome);
    this.#inbox.close(outcome);
  }

  onEmptied(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #closedError(): ConnectionClosedError {
    const { code, reason } = this.#outcome ?? this.#theirs ?? this.#ours ?? closures.lost;
    return new ConnectionClosedError(code, reason);
  }

  /** One rejected promise for all later sends; handled, for a send that nobody awaits must not end the process. */
  #refuse(): Promise<void> {
    if (this.#refused === undefined) {
      this.#refused = Promise.reject(this.#closedError());
      this.#refused.catch(ignore);
    }
    return this.#refused;
  }
}

function onDeadline(connection: { onDeadline(): void }): void {
  connection.onDeadline();
}

let pings = 0;

function nextPingData(): Buffer {
  const data = Buffer.allocUnsafe(4);
  pings = (pings + 1) >>> 0;
  data.writeUInt32BE(pings);
  return data;
}
