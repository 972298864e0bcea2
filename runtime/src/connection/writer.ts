// What leaves one connection: frames in order, written once per turn of the event loop. Who sends more than a slow peer takes has to wait.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Backlog } from "./backlog.ts";
import { addFrame, beginFrames, writeFrames, writeShared } from "./batch.ts";
import type { Overflow, Sent } from "./connection.ts";
import { addText, dropTexts, handOverTexts, LONGEST_TEXT } from "./page.ts";
import { type Behind, Pending } from "./pending.ts";
import { markDirty, restAfter, TURN_LIMIT } from "./turn.ts";
import { createWaiter, ignore, LateSend } from "./waiter.ts";
import { encodeFrame, frameOf, opcodes } from "./wire.ts";

/** What an Outbox tells its connection. */
export interface OutboxOwner {
  /** Something was written, or the socket drained: there may be room again. */
  onFlushed(): void;
  /** The peer does not read and the sends do not wait: the high-water mark is there and nobody awaits what was sent since. */
  onOverflow(): void;
  /** A message was dropped for the same reason, the first of perhaps many. */
  onFirstDrop(): void;
  /** What those hear who wait for a connection that is gone. */
  closedError(): Error;
}

/** The outgoing frames of one connection, in program order, whoever sends them. */
export class Outbox {
  readonly #socket: Duplex;
  readonly #owner: OutboxOwner;
  readonly #mark: number;
  readonly #overflow: Overflow;
  /** What this turn's write begins with: so many of a list that is shared with others. Behind it come the texts on the page. */
  #frames: Buffer[] | undefined;
  #count = 0;
  #bytes = 0;
  #dirty = false;
  #pending: Pending | undefined;

  constructor(socket: Duplex, owner: OutboxOwner, highWaterMark: number, overflow: Overflow) {
    this.#socket = socket;
    this.#owner = owner;
    this.#mark = Math.max(highWaterMark, socket.writableHighWaterMark); // Below its own mark a stream says nothing when it drains.
    this.#overflow = overflow;
  }

  /** Messages that were dropped because the peer is slow. */
  get dropped(): number {
    return this.#pending === undefined ? 0 : this.#pending.dropped;
  }

  /** Whether as much waits to be taken by the kernel as may. */
  get full(): boolean {
    return this.#bytes + this.#socket.writableLength + this.#kept() >= this.#mark;
  }

  /** Whether a message would wait here for the peer, who has not taken what was sent before. */
  get slow(): boolean {
    const pending = this.#pending;
    const waits = pending !== undefined && (pending.behind !== undefined || pending.backlog !== undefined);
    return waits || this.#socket.writableNeedDrain || this.full;
  }

  #kept(): number {
    return this.#pending === undefined ? 0 : this.#pending.bytes;
  }

  #waiting(): Pending {
    this.#pending ??= new Pending();
    return this.#pending;
  }

  /**
   * Queues a message for this turn's write: its frame, or its text. Where it has to wait for the peer, and `conflated` or the policy says so, it
   * replaces the one that waits with the same key.
   */
  push(message: Buffer | string, key?: string, conflated = false): Sent {
    const pending = this.#pending;
    if (pending?.behind !== undefined) return this.#pushBehind(pending.behind, frameOf(message), key, conflated);
    if (pending?.backlog !== undefined || (conflated && this.slow) || (this.#overflow !== "close" && this.full)) {
      return this.#pushLater(frameOf(message), key, conflated);
    }
    if (typeof message === "string" && message.length <= LONGEST_TEXT) this.#pushText(message);
    else this.pushAhead(frameOf(message));
    if (this.#socket.writableLength >= this.#mark) return this.#pushedLate();
    return this.#bytes < TURN_LIMIT && !this.full ? undefined : this.#wait();
  }

  #pushBehind({ backlog }: Behind, frame: Buffer, key: string | undefined, conflated: boolean): Sent {
    const late = this.#keep(backlog, frame, key, conflated);
    this.#markDirty(); // Who waits is let go at the end of the turn, as long as it is below the mark.
    if (late) return this.#pushedLate();
    return this.#kept() < TURN_LIMIT && restAfter(frame.length) === undefined ? undefined : this.#wait();
  }

  #pushLater(frame: Buffer, key: string | undefined, conflated: boolean): Sent {
    const pending = this.#waiting();
    pending.backlog ??= new Backlog();
    if (this.#keep(pending.backlog, frame, key, conflated)) {
      this.#markDirty();
      return this.#pushedLate();
    }
    return this.full ? this.#wait() : restAfter(frame.length);
  }

  /** For whoever waits for room, with what was pushed last. */
  #wait(): Promise<void> {
    return this.#waiting().wait();
  }

  #pushedLate(): LateSend {
    const pending = this.#waiting();
    if (pending.late !== undefined) return pending.late;
    const promise = pending.wait();
    const late = new LateSend((resolve, reject) => void promise.then(resolve, reject));
    late.catch(ignore);
    late.awaited = false; // By nobody but the line above.
    pending.late = late;
    return late;
  }

  /** Drops a message that was not even pushed. */
  pass(frame: Buffer): Sent {
    this.drop();
    return restAfter(frame.length);
  }

  /** Counts a message that was dropped. */
  drop(): void {
    if (++this.#waiting().dropped === 1) this.#owner.onFirstDrop();
  }

  /** Queues what waits for no message: control frames, and the fragments of the message that is being sent. */
  pushAhead(frame: Buffer): void {
    handOverTexts(this);
    this.takeFrames(frame);
    this.#bytes += frame.length;
    this.#markDirty();
  }

  /** Answers a ping. One that pings and does not read must not fill the memory: the latest ping is the one to answer (RFC 6455 section 5.5.3). */
  pushPong(data: Buffer): void {
    if (this.full) this.#waiting().ping = Buffer.from(data);
    else this.pushAhead(encodeFrame(opcodes.pong, data));
  }

  /** Most texts are not worth a Buffer each: they lie on the page of this turn until something else follows. */
  #pushText(text: string): void {
    this.#bytes += addText(this, text);
    this.#markDirty();
  }

  /** Puts frames behind those of this turn; the page calls it, too, with the texts that lie there. */
  takeFrames(frames: Buffer): void {
    this.#frames = this.#frames === undefined ? beginFrames(frames) : addFrame(this.#frames, this.#count, frames);
    this.#count++;
  }

  /** Gives a promise while there is no room for a fragment. */
  waitForRoom(): Sent {
    if (this.#hasRoom()) return undefined;
    const pending = this.#waiting();
    pending.streamer ??= createWaiter();
    return pending.streamer.promise;
  }

  /** From here on messages queue behind the one whose fragments come through `pushAhead`. */
  beginMessage(): void {
    this.#waiting().beginMessage();
  }

  endMessage(): void {
    for (const [key, frame] of this.#pending?.endMessage()?.entries ?? []) {
      if (typeof key === "string") void this.push(frame, key, true);
      else void this.push(frame);
    }
  }

  /** Called by the writer at the end of a turn, or earlier. */
  flushTurn(early: boolean): void {
    const pending = this.#pending;
    const late = pending?.late;
    if (early && late !== undefined) {
      markDirty(this); // Whether it is awaited shows when the code that sends has come to its `await`.
      return;
    }
    this.#dirty = false;
    if (pending !== undefined) pending.late = undefined;
    if (late?.awaited === false && (this.#socket.writableLength >= this.#mark || this.#kept() >= this.#mark)) this.#overflown();
    else if (this.#bytes === 0) this.settle();
    else this.flush();
  }

  /** Writes what is queued, in one write. */
  flush(): void {
    handOverTexts(this);
    const frames = this.#frames;
    if (frames === undefined) return;
    const count = this.#count;
    const bytes = this.#bytes;
    this.#clear();
    writeShared(this.#socket, frames, count, bytes);
    this.settle();
  }

  /** Writes the last frame, behind everything queued and whatever the socket holds. A message that has not ended stays cut off. */
  end(frame: Buffer): void {
    handOverTexts(this);
    const frames = [...(this.#frames ?? []).slice(0, this.#count), ...(this.#pending?.backlog?.frames ?? []), frame];
    const unsent = this.#pending?.behind?.waiter;
    this.#discard();
    writeFrames(
      this.#socket,
      frames,
      frames.reduce((bytes, { length }) => bytes + length, 0),
    );
    unsent?.reject(this.#owner.closedError());
    this.settle();
  }

  /** Called when the socket has drained, too: lets go those who wait for room, if there is. */
  settle(): void {
    const pending = this.#pending;
    if (pending !== undefined) {
      if (pending.backlog !== undefined && !this.#socket.writableNeedDrain) {
        if (this.#bytes > 0) {
          this.flush(); // What was sent before goes first, and comes back here.
          return;
        }
        const { frames, bytes } = pending.backlog;
        pending.backlog = undefined;
        writeFrames(this.#socket, [...frames], bytes);
      }
      if (this.#socket.writableLength + pending.bytes < this.#mark) pending.resolve();
      if (pending.streamer !== undefined && this.#hasRoom()) {
        pending.streamer.resolve();
        pending.streamer = undefined;
      }
      const { ping } = pending;
      if (ping !== undefined && !this.full) {
        pending.ping = undefined;
        this.pushPong(ping);
      }
    }
    this.#owner.onFlushed();
  }

  /** The connection is gone: drops everything and tells those who wait. */
  fail(): void {
    this.#pending?.reject(() => this.#owner.closedError());
    this.#clear();
  }

  #hasRoom(): boolean {
    return this.#bytes < TURN_LIMIT && this.#pending?.backlog === undefined && this.#bytes + this.#socket.writableLength < this.#mark;
  }

  #markDirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    markDirty(this);
  }

  /** Drops what is queued and not written, and whoever waits behind a message. */
  #discard(): void {
    this.#clear();
    this.#pending?.discard();
  }

  #clear(): void {
    dropTexts(this);
    this.#frames = undefined;
    this.#count = 0;
    this.#bytes = 0;
    if (this.#pending !== undefined) this.#pending.late = undefined;
  }

  /** Nothing of what waits may be dropped, so there is no use in keeping it. */
  #overflown(): void {
    const pending = this.#pending;
    const waiters = [pending?.waiter, pending?.behind?.waiter];
    if (pending !== undefined) pending.waiter = undefined; // What it waits with is not sent: there is no room to be told of.
    this.#discard();
    try {
      this.#owner.onOverflow();
    } finally {
      for (const waiter of waiters) waiter?.reject(this.#owner.closedError());
    }
  }

  /** Keeps a message for later. True when the mark of them waited before, and none may be dropped for it: its sender has to wait. */
  #keep(backlog: Backlog, frame: Buffer, key: string | undefined, conflated: boolean): boolean {
    const late = backlog.bytes >= this.#mark;
    if (this.#overflow === "drop-newest" && backlog.bytes > 0 && backlog.bytes + frame.length > this.#mark) {
      this.drop();
      return false;
    }
    if (backlog.add(frame, conflated || this.#overflow === "conflate" ? key : undefined)) this.drop();
    if (this.#overflow === "close" || this.#overflow === "conflate") return late;
    while (backlog.bytes > this.#mark && backlog.size > 1) {
      backlog.dropOldest();
      this.drop();
    }
    return false;
  }
}
