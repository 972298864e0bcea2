// The life of one upgraded socket: reader, inbox, outbox and heartbeat wired together, and the closing handshake.

import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { ConnectionClosedError, WsgenError } from "../errors.ts";
import { assertUserClose, type Closure, closePayload, closures, cutReason, isPeersFault, isWireCode } from "./close.ts";
import { meaningOf } from "./close-meaning.ts";
import type {
  CloseOutcome,
  ConnectionCore,
  ConnectionDetails,
  ConnectionLimits,
  ConnectionTerms,
  Frame,
  Logger,
  Manner,
  Message,
  OutgoingMessage,
  SendOptions,
  Sent,
  Sink,
  StreamedMessage,
  UpgradeRequest,
} from "./connection.ts";
import { Ending } from "./ending.ts";
import type { ExtensionStack } from "./extension.ts";
import { FrameReader, type FrameReceiver } from "./frame-reader.ts";
import { FrameSequence } from "./frames.ts";
import { type Beating, heartbeatOf, type Slot } from "./heartbeat.ts";
import { Inbox, type InboxOwner } from "./inbox.ts";
import { bindLogger, silent } from "./log.ts";
import { MessageReader } from "./messages.ts";
import { Onlookers } from "./onlookers.ts";
import { MessageWriter } from "./outgoing.ts";
import { RateLimit } from "./rate.ts";
import type { ReaderOwner } from "./reader.ts";
import { listen, type SocketOwner, unlisten } from "./socket-listeners.ts";
import { StreamReader } from "./streamed.ts";
import { startTimeouts, type Timeouts, type TimeoutsOwner } from "./timeouts.ts";
import { restAfter } from "./turn.ts";
import { rejected } from "./waiter.ts";
import { encodeFrame, frameOf, opcodes, splitFrame } from "./wire.ts";
import { Outbox, type OutboxOwner } from "./writer.ts";

/** How long, in ms, a slow consumer may take to read its close frame. */
const SLOW_CONSUMER_TIMEOUT = 2000;

/** What a write of its own costs a turn, as so many bytes more to send. */
const FLUSH_COST = 1024;

/** The key of messages that have none. */
const ANY = "";

const EMPTY = Buffer.alloc(0);
const HEARTBEAT_PING = encodeFrame(opcodes.ping, EMPTY);

/** Its `on…` methods belong to the parts below it; what people see is `Connection`. */
export class SocketConnection<Context extends object>
  implements ConnectionCore<Context>, SocketOwner, FrameReceiver, InboxOwner, OutboxOwner, ReaderOwner, Beating, TimeoutsOwner
{
  readonly context: Context;
  readonly handshake: UpgradeRequest;
  readonly protocol: string;
  readonly openedAt = Math.floor(performance.now());
  heard = true;
  messagesIn = 0;
  messagesOut = 0;
  readonly #socket: Duplex;
  readonly #terms: ConnectionTerms;
  readonly #reader: FrameReader;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #extensions: ExtensionStack | undefined;
  readonly #beat: Slot | undefined;
  readonly #rate: RateLimit | undefined;
  readonly #timeouts: Timeouts | undefined;
  /** open, then closing from the moment our close frame is written, then closed with the socket. */
  #state: "open" | "closing" | "closed" = "open";
  /** Made at the first sign of it. */
  #ending: Ending | undefined;
  /** Made for the first. */
  #onlookers: Onlookers | undefined;
  /** Made when first asked for. */
  #id: string | undefined;
  #log: Logger | undefined;
  /** The message that is being sent in parts. */
  #outgoing: MessageWriter | undefined;

  constructor({ socket, head, context, handshake, protocol, terms, extensions }: ConnectionDetails<Context>) {
    this.context = context;
    this.handshake = handshake;
    this.protocol = protocol;
    this.#terms = terms;
    this.#socket = socket;
    const { limits } = terms;
    this.#reader = new FrameReader(this, limits, extensions);
    this.#extensions = extensions;
    this.#inbox = new Inbox(this);
    this.#outbox = new Outbox(socket, this, limits.highWaterMark, limits.overflow);
    const { heartbeat, inboundRate } = limits;
    this.#beat = heartbeat === false ? undefined : heartbeatOf(heartbeat.interval, heartbeat.timeout).add(this);
    this.#rate = inboundRate === false ? undefined : new RateLimit(inboundRate);
    this.#timeouts = startTimeouts(limits, this);

    listen(socket, head, this);
  }

  // ---- The public face --------------------------------------------------------------------------------------------

  get id(): string {
    this.#id ??= createId();
    return this.#id;
  }

  get log(): Logger {
    const { logger, route } = this.#terms;
    if (logger === silent) return silent;
    this.#log ??= bindLogger(logger, { connection: this.id, route });
    return this.#log;
  }

  get params(): Readonly<Record<string, string>> {
    return this.handshake.params;
  }

  get signal(): AbortSignal {
    const onlookers = this.#watch();
    const { signal } = onlookers;
    if (this.#state !== "open") onlookers.onClosing(() => this.closedError());
    return signal;
  }

  get closed(): Promise<CloseOutcome> {
    const onlookers = this.#watch();
    const { closed } = onlookers;
    const outcome = this.#ending?.outcome;
    if (outcome !== undefined) onlookers.onClosed(outcome, () => this.closedError());
    return closed;
  }

  #watch(): Onlookers {
    this.#onlookers ??= new Onlookers();
    return this.#onlookers;
  }

  /** Made anew each time, which costs less than to keep one for every connection. */
  get limits(): ConnectionLimits {
    const limits = {
      get: () => this.#reader.maxMessageSize,
      set: (size: number) => {
        if (!Number.isSafeInteger(size) || size < 0) throw new WsgenError("WSGEN_USAGE", `maxMessageSize: ${size} is no number of bytes.`);
        this.#reader.maxMessageSize = size;
      },
    };
    return Object.defineProperty({ maxMessageSize: 0 }, "maxMessageSize", limits);
  }

  send(message: string | Uint8Array | Message, options?: SendOptions): Sent {
    if (this.#state !== "open") return this.#refuse();
    const data = typeof message === "string" || message instanceof Uint8Array ? message : message.data;
    const outgoing = typeof data === "string" ? data : encodeFrame(opcodes.binary, data);
    if (options === undefined) return this.push(outgoing, ANY);
    const { conflate, volatile } = options;
    return this.push(outgoing, conflate ?? ANY, volatile === true ? "volatile" : conflate === undefined ? undefined : "conflated");
  }

  push(message: Buffer | string, key?: string, manner?: Manner): Sent {
    if (this.#state !== "open") return this.#refuse();
    this.messagesOut++;
    this.#timeouts?.onMessage();
    if (manner === "volatile" && this.#outbox.slow) return this.#outbox.pass(frameOf(message));
    if (this.#extensions === undefined && this.#terms.limits.fragmentSize === false)
      return this.#outbox.push(message, key, manner === "conflated");
    return this.#pushPrepared(frameOf(message), key, manner === "conflated");
  }

  #pushPrepared(frame: Buffer, key: string | undefined, conflated: boolean): Sent {
    const extensions = this.#extensions;
    // What comes later must not build on a message that the peer may never see. Where it would, this one goes without extensions, if it may.
    const binding = conflated && extensions !== undefined && !extensions.independent && this.#terms.limits.overflow === "close";
    const bare = binding && extensions.optional && this.#outbox.slow;
    const outgoing = this.#prepare(frame, bare);
    if (outgoing === undefined) return this.#refuseUnlessOpen();
    return this.#outbox.push(outgoing, key, conflated && (bare || !binding));
  }

  message(type: "text"): OutgoingMessage<string>;
  message(type: "binary"): OutgoingMessage<Uint8Array>;
  message(type: "text" | "binary"): OutgoingMessage<string> & OutgoingMessage<Uint8Array> {
    if (this.#outgoing !== undefined && this.#state === "open") {
      throw new WsgenError("WSGEN_USAGE", "message(): another message is being sent in parts; close() that one first.");
    }
    this.#outgoing = new MessageWriter(type, {
      waitForRoom: () => (this.#state === "open" ? this.#outbox.waitForRoom() : this.#refuse()),
      begin: () => {
        this.messagesOut++;
        this.#outbox.beginMessage();
      },
      pushFragment: (frame) => {
        this.#timeouts?.onMessage();
        const outgoing = this.#prepare(frame);
        if (outgoing !== undefined) this.#outbox.pushAhead(outgoing);
      },
      end: () => this.#outbox.endMessage(),
      release: () => {
        this.#outgoing = undefined;
      },
      onAborted: () => {
        this.log.warn({}, "closing: a message that had begun was given up");
        this.#close(closures.internalError.code, closures.internalError.reason);
      },
    });
    return this.#outgoing;
  }

  get dropped(): number {
    return this.#outbox.dropped;
  }

  /** What goes out for a frame; `undefined` when nothing does: an extension waits for the other fragments, or has failed. */
  #prepare(frame: Buffer, bare = false): Buffer | undefined {
    try {
      const { fragmentSize } = this.#terms.limits;
      const extended = this.#extensions === undefined || bare ? frame : this.#extensions.encode(frame, this.#reader.maxMessageSize);
      return extended === undefined || fragmentSize === false ? extended : splitFrame(extended, fragmentSize);
    } catch (error) {
      this.log.error({ error }, "an extension failed");
      this.#close(closures.internalError.code, closures.internalError.reason);
      return undefined;
    }
  }

  #refuseUnlessOpen(): Sent {
    return this.#state === "open" ? undefined : this.#refuse();
  }

  flushed(): Promise<void> {
    if (this.#socket.destroyed) return this.#refuse();
    this.#outbox.flush();
    if (this.#socket.writableLength === 0) return restAfter(FLUSH_COST) ?? Promise.resolve();
    if (!this.#socket.writable) return this.#refuse(); // Our last word is on its way; nothing can be queued behind it to wait for.
    const onlookers = this.#watch();
    const flush = onlookers.addFlush();
    this.#socket.write(EMPTY, (error) => onlookers.onFlush(flush, error ? this.closedError() : undefined));
    return flush.promise;
  }

  ping(data?: Uint8Array): Promise<number> {
    if (data !== undefined && data.length > 125) {
      throw new WsgenError("WSGEN_USAGE", `ping(): ${data.length} bytes of data; a ping holds 125 (RFC 6455 section 5.5).`);
    }
    if (this.#state !== "open") return rejected(this.closedError());
    const ping = this.#watch().pings.begin(data);
    this.#outbox.pushAhead(encodeFrame(opcodes.ping, ping.data));
    return ping.answered;
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

  messages(options?: { readonly maxSize?: number; readonly stream?: false }): AsyncIterable<Message>;
  messages(options: { readonly maxSize?: number; readonly stream: true }): AsyncIterable<StreamedMessage>;
  messages(options: { readonly maxSize?: number; readonly stream?: boolean } = {}): AsyncIterable<Message | StreamedMessage> {
    const { stream = false, maxSize } = options;
    const reader = stream
      ? new StreamReader(this.#inbox, this, maxSize, () => {
          this.answerClose(); // Who is told so by an error meets a connection that is closing.
          return this.closedError();
        })
      : new MessageReader(this.#inbox, this, maxSize);
    this.#reader.expect(stream, maxSize);
    return reader;
  }

  frames(options: { readonly maxSize?: number } = {}): AsyncIterable<Frame> {
    const frames = new FrameSequence(this.#inbox, this, options.maxSize);
    this.#reader.expect(true, options.maxSize);
    return frames;
  }

  get maxMessageSize(): number {
    return this.#reader.maxMessageSize;
  }

  onTooBig(): void {
    this.#closeFor(closures.messageTooBig);
  }

  onReaderLeft(): void {
    this.#reader.expect(false);
  }

  // ---- Inbound ----------------------------------------------------------------------------------------------------

  onData(chunk: Buffer): void {
    this.heard = true;
    this.#reader.read(chunk);
  }

  onMessage(data: string | Buffer, size: number): void {
    this.messagesIn++;
    if (this.#state !== "open" || !this.#admits(1, size)) return;
    this.#timeouts?.onMessage();
    this.#inbox.offer(data, size);
  }

  onFragment(data: Buffer, binary: boolean, first: boolean, final: boolean): void {
    if (final) this.messagesIn++;
    if (this.#state !== "open" || !this.#admits(first ? 1 : 0, data.length)) return;
    this.#timeouts?.onMessage();
    this.#inbox.offerFragment(data, binary, first, final);
  }

  /** Closes and gives false when the peer says too much. */
  #admits(messages: number, size: number): boolean {
    if (this.#rate === undefined || this.#rate.allows(messages, size)) return true;
    this.#closeFor(closures.rateLimit);
    return false;
  }

  onPing(data: Buffer): void {
    if (this.#state === "open" && this.#admits(1, data.length)) this.#outbox.pushPong(data);
  }

  onPong(data: Buffer): void {
    if (this.#state === "open" && !this.#admits(1, data.length)) return;
    this.#onlookers?.onPong(data);
  }

  onClose(code: number, reason: string): void {
    this.#beginEnding().theirs = { code, reason };
    this.#inbox.complete(); // What came before the close frame is delivered still …
    if (this.#state === "open")
      setImmediate(answerClose, this); // … and who answers it within this turn of the event loop is heard.
    else this.#socket.end();
  }

  /** Echoes the peer's close frame (RFC 6455 section 5.5.1). */
  answerClose(): void {
    const theirs = this.#ending?.theirs;
    if (this.#state !== "open" || theirs === undefined) return;
    this.#beginClose(theirs.code, "", this.#terms.limits.closeTimeout);
    this.#socket.end();
  }

  onViolation(closure: Closure): void {
    if (this.#state !== "open") {
      this.#destroy();
      return;
    }
    this.log.debug({ code: closure.code }, "closing: the peer broke the protocol");
    this.#close(closure.code, closure.reason);
    this.#sayNoMore();
  }

  onDecodeFailure(error: unknown): void {
    if (this.#state === "open") this.log.error({ error }, "an extension failed");
    this.onViolation(closures.internalError);
  }

  onFailure(error: unknown): void {
    if (this.#state !== "open" && error instanceof ConnectionClosedError) return; // It has met the close that everybody knows of.
    this.log.error({ error }, "a message handler failed");
    this.#close(closures.internalError.code, closures.internalError.reason);
  }

  onLongTurn(): void {
    this.#socket.pause();
    setImmediate(wake, this);
  }

  wake(): void {
    this.#reader.wake();
    if (!this.#reader.held) this.#socket.resume();
  }

  hold(): void {
    this.#timeouts?.onHold();
    this.#reader.hold();
    this.#socket.pause();
  }

  release(): void {
    this.#timeouts?.onRelease();
    this.#rate?.resume();
    this.heard = true; // What lay unread behind the hold is a sign of life not yet seen.
    this.#reader.release();
    if (!this.#reader.held) this.#socket.resume();
  }

  // ---- Outbound ---------------------------------------------------------------------------------------------------

  get concurrency(): number {
    return this.#terms.limits.concurrency;
  }

  get congested(): boolean {
    return this.#state === "open" && this.#outbox.full;
  }

  onDrain(): void {
    this.#outbox.settle();
  }

  onFlushed(): void {
    this.#inbox.pump();
  }

  onOverflow(): void {
    const { code, reason } = closures.slowConsumer;
    const queued = this.#socket.writableLength;
    this.#beginClose(code, reason, Math.min(SLOW_CONSUMER_TIMEOUT, this.#terms.limits.closeTimeout));
    this.#inbox.drop();
    this.log.warn({ queued }, "closing: slow consumer");
  }

  onFirstDrop(): void {
    this.log.warn({ policy: this.#terms.limits.overflow }, "dropping messages: slow consumer");
  }

  // ---- Liveness ---------------------------------------------------------------------------------------------------

  get deaf(): boolean {
    return this.#reader.held;
  }

  sendPing(): void {
    this.#outbox.pushAhead(HEARTBEAT_PING);
  }

  /** A handler that is at work is no idle peer, and what waits behind it is not seen. */
  get busy(): boolean {
    return this.#reader.held || this.#inbox.busy;
  }

  onTimeout(closure: Closure): void {
    this.#closeFor(closure);
  }

  onPingTimeout(): void {
    this.#close(closures.pingTimeout.code, closures.pingTimeout.reason);
  }

  // ---- The end ----------------------------------------------------------------------------------------------------

  #closeFor({ code, reason }: Closure): void {
    if (this.#state === "open") this.log.info({ code, reason }, "closing: a limit was reached");
    this.#close(code, reason);
  }

  /** Closes from our side: what has arrived and waits is dropped. */
  #close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    if (this.#ending?.theirs === undefined) this.#beginClose(code, reason, this.#terms.limits.closeTimeout);
    else this.answerClose();
    if (isPeersFault(code)) this.#sayNoMore(); // Who does not read the close frame sees the end of TCP.
    this.#inbox.drop();
  }

  /** Writes the close frame behind everything sent, and gives the peer until the deadline to answer it and go. */
  #beginClose(code: number, reason: string, timeout: number): void {
    if (this.#state !== "open") return;
    if (this.#socket.destroyed) {
      this.#destroy(); // TCP was lost before: nothing was said, and 1006 it is.
      return;
    }
    this.#state = "closing";
    this.#reader.discarding = true;
    const ending = this.#beginEnding();
    ending.ours = { code, reason: cutReason(reason) };
    ending.deadline = setTimeout(onDeadline, timeout, this).unref();
    this.#endTimers();
    this.#outbox.end(encodeFrame(opcodes.close, closePayload(code, reason)));
    if (this.#reader.held) this.release(); // The peer's close frame may lie behind what nobody will read.
    this.#onlookers?.onClosing(() => this.closedError());
  }

  /** Ends our side of TCP, behind everything written. */
  #sayNoMore(): void {
    if (!this.#socket.writableEnded) this.#socket.end();
  }

  #beginEnding(): Ending {
    this.#ending ??= new Ending();
    return this.#ending;
  }

  onDeadline(): void {
    this.terminate();
  }

  /** TCP has ended from the peer's side. */
  onEnd(): void {
    this.answerClose();
    if (this.#ending?.ours === undefined) this.#destroy();
    else this.#sayNoMore(); // Lets what is written leave; the deadline runs.
  }

  onSocketError(error: Error): void {
    this.log.debug({ error }, "socket error");
    this.#destroy();
  }

  /** Drops TCP; what has arrived is delivered still. The socket's "close" event does the rest. */
  #destroy(): void {
    if (this.#state === "open") this.#state = "closing";
    this.#socket.destroy();
    this.#onlookers?.onClosing(() => this.closedError());
  }

  /** TCP is gone. */
  onSocketClosed(): void {
    if (this.#state === "closed") return;
    const ending = this.#beginEnding();
    const outcome = ending.conclude(this.#terms.closeCodes);
    this.#state = "closed";
    this.#endTimers();
    unlisten(this.#socket);
    ending.deadline ??= setTimeout(onDeadline, this.#terms.limits.closeTimeout, this).unref(); // Until what had arrived is delivered.
    this.#extensions?.close((error) => this.log.error({ error }, "an extension failed"));
    this.#outbox.fail();
    this.#onlookers?.onClosed(outcome, () => this.closedError());
    this.#inbox.close(outcome);
  }

  #endTimers(): void {
    this.#beat?.delete(this);
    this.#timeouts?.stop();
  }

  onEmptied(): void {
    clearTimeout(this.#ending?.deadline);
  }

  /** Made for whoever waits: an error with its stack costs as much as the rest of a close. */
  closedError(): ConnectionClosedError {
    const { code, reason } = this.#ending?.farewell ?? closures.lost;
    return new ConnectionClosedError(code, reason, meaningOf(code, this.#terms.closeCodes));
  }

  /** One rejected promise for all later sends. */
  #refuse(): Promise<void> {
    const ending = this.#beginEnding();
    ending.refusal ??= rejected(this.closedError());
    return ending.refusal;
  }
}

/** Node joins a UUID from twenty strings and keeps them all; Buffer makes one of them. */
function createId(): string {
  return Buffer.from(randomUUID(), "latin1").toString("latin1");
}

function answerClose(connection: { answerClose(): void }): void {
  connection.answerClose();
}

function wake(connection: { wake(): void }): void {
  connection.wake();
}

function onDeadline(connection: { onDeadline(): void }): void {
  connection.onDeadline();
}
