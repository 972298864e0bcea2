// What leaves: frames are gathered per connection and written once per turn of the event loop, for all connections together.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { Backlog } from "./backlog.ts";
import type { Overflow, Sent } from "./connection.ts";

/** Bytes one connection may queue in a turn before `push` gives a promise, so that a loop which awaits its sends yields. */
const TURN_LIMIT = 64 * 1024;
/** A turn that has lasted longer than this, in ms, is flushed early … */
const TURN_TIME = 2;
/** … which is looked at every so many messages. A power of two. */
const LOOK_EVERY = 8;
/** Batches below this size are copied into one Buffer; above it they go out as one writev. */
const CONCAT_LIMIT = 64 * 1024;

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

/** What sends give that were made while the mark waited: knows whether anybody waits for it. Whoever does adds no more. */
class LateSend extends Promise<void> {
  static override readonly [Symbol.species] = Promise;
  awaited = false;

  // biome-ignore lint/suspicious/noThenProperty: `await` and all who wait call it.
  override then<Done = void, Failed = never>(
    onDone?: ((value: void) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.awaited = true;
    return super.then(onDone, onFailed);
  }
}

interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Messages that wait for the end of another, and whoever waits with them: they are lost where that never ends. */
interface Behind {
  readonly backlog: Backlog;
  waiter: Waiter | undefined;
}

/** The outgoing frames of one connection, in program order, whoever sends them. */
export class Outbox {
  /** Messages that were dropped because the peer is slow. */
  dropped = 0;
  readonly #socket: Duplex;
  readonly #owner: OutboxOwner;
  readonly #mark: number;
  readonly #overflow: Overflow;
  #frames: Buffer[] | undefined;
  #bytes = 0;
  /** Of what was sent this turn although the mark waited. */
  #late: LateSend | undefined;
  #waiter: Waiter | undefined;
  #dirty = false;
  /** Messages that wait for the socket to drain, where some of them may be dropped. */
  #backlog: Backlog | undefined;
  /** Present as long as a message is being sent in fragments. */
  #behind: Behind | undefined;
  /** Whoever sends that one, waiting for room. */
  #streamer: Waiter | undefined;

  constructor(socket: Duplex, owner: OutboxOwner, highWaterMark: number, overflow: Overflow) {
    this.#socket = socket;
    this.#owner = owner;
    this.#mark = Math.max(highWaterMark, socket.writableHighWaterMark); // Below its own mark a stream says nothing when it drains.
    this.#overflow = overflow;
  }

  /** Whether as much waits to be taken by the kernel as may. */
  get full(): boolean {
    return this.#bytes + this.#socket.writableLength + this.#kept >= this.#mark;
  }

  /** Whether a message would wait here for the peer, who has not taken what was sent before. */
  get slow(): boolean {
    return this.#behind !== undefined || this.#backlog !== undefined || this.#socket.writableNeedDrain || this.full;
  }

  get #kept(): number {
    return (this.#backlog === undefined ? 0 : this.#backlog.bytes) + (this.#behind === undefined ? 0 : this.#behind.backlog.bytes);
  }

  /**
   * Queues a message for this turn's write. Where it has to wait for the peer, and `conflated` or the policy says so, it replaces the one that
   * waits with the same key.
   */
  push(frame: Buffer, key?: string, conflated = false): Sent {
    if (this.#behind !== undefined) {
      const late = this.#keep(this.#behind.backlog, frame, key, conflated);
      this.#markDirty(); // Who waits is let go at the end of the turn, as long as it is below the mark.
      if (late) return this.#pushedLate();
      if (this.#kept < TURN_LIMIT && restAfter(frame.length) === undefined) return undefined;
    } else if (this.#backlog !== undefined || (conflated && this.slow) || (this.#overflow !== "close" && this.full)) {
      this.#backlog ??= new Backlog();
      if (this.#keep(this.#backlog, frame, key, conflated)) {
        this.#markDirty();
        return this.#pushedLate();
      }
      if (!this.full) return restAfter(frame.length);
    } else {
      this.pushAhead(frame);
      if (this.#socket.writableLength >= this.#mark) return this.#pushedLate();
      if (this.#bytes < TURN_LIMIT && !this.full) return undefined;
    }
    return this.#wait();
  }

  /** Waits for room, with what was pushed last. */
  #wait(): Promise<void> {
    const behind = this.#behind;
    if (behind === undefined) {
      this.#waiter ??= createWaiter();
      return this.#waiter.promise;
    }
    behind.waiter ??= createWaiter();
    return behind.waiter.promise;
  }

  #pushedLate(): LateSend {
    if (this.#late !== undefined) return this.#late;
    const promise = this.#wait();
    const late = new LateSend((resolve, reject) => void promise.then(resolve, reject));
    late.catch(ignore);
    late.awaited = false; // By nobody but the line above.
    this.#late = late;
    return late;
  }

  /** Drops a message that was not even pushed. */
  pass(frame: Buffer): Sent {
    this.drop();
    return restAfter(frame.length);
  }

  /** Counts a message that was dropped. */
  drop(): void {
    if (++this.dropped === 1) this.#owner.onFirstDrop();
  }

  /** Queues what waits for no message: control frames, and the fragments of the message that is being sent. */
  pushAhead(frame: Buffer): void {
    if (this.#frames === undefined) {
      this.#frames = [frame];
      this.#markDirty();
    } else {
      this.#frames.push(frame);
    }
    this.#bytes += frame.length;
  }

  /** Gives a promise while there is no room for a fragment. */
  waitForRoom(): Sent {
    if (this.#hasRoom) return undefined;
    this.#streamer ??= createWaiter();
    return this.#streamer.promise;
  }

  /** From here on messages queue behind the one whose fragments come through `pushAhead`. */
  beginMessage(): void {
    this.#behind = { backlog: new Backlog(), waiter: undefined };
    this.#late = undefined; // There was room since.
  }

  endMessage(): void {
    const behind = this.#behind;
    if (behind === undefined) return;
    this.#behind = undefined;
    const { waiter } = behind;
    if (this.#waiter === undefined) this.#waiter = waiter;
    else if (waiter !== undefined) void this.#waiter.promise.then(waiter.resolve, waiter.reject);
    for (const [key, frame] of behind.backlog.entries) {
      if (typeof key === "string") void this.push(frame, key, true);
      else void this.push(frame);
    }
  }

  /** Called by the writer at the end of a turn, or earlier. */
  flushTurn(early: boolean): void {
    if (early && this.#late !== undefined) {
      dirty.push(this); // Whether it is awaited shows when the code that sends has come to its `await`.
      return;
    }
    this.#dirty = false;
    const late = this.#late;
    this.#late = undefined;
    if (late?.awaited === false && (this.#socket.writableLength >= this.#mark || this.#kept >= this.#mark)) this.#overflown();
    else if (this.#frames === undefined) this.settle();
    else this.flush();
  }

  /** Writes what is queued, in one write. */
  flush(): void {
    const frames = this.#frames;
    if (frames === undefined) return;
    const bytes = this.#bytes;
    this.#clear();
    writeBatch(this.#socket, frames, bytes);
    this.settle();
  }

  /** Writes the last frame, behind everything queued and whatever the socket holds. A message that has not ended stays cut off. */
  end(frame: Buffer): void {
    const frames = [...(this.#frames ?? []), ...(this.#backlog?.frames ?? []), frame];
    const unsent = this.#behind?.waiter;
    this.#discard();
    writeBatch(
      this.#socket,
      frames,
      frames.reduce((bytes, { length }) => bytes + length, 0),
    );
    unsent?.reject(this.#owner.closedError());
    this.settle();
  }

  /** Called when the socket has drained, too: lets go those who wait for room, if there is. */
  settle(): void {
    if (this.#backlog !== undefined && !this.#socket.writableNeedDrain) {
      if (this.#frames !== undefined) {
        this.flush(); // What was sent before goes first, and comes back here.
        return;
      }
      const { frames, bytes } = this.#backlog;
      this.#backlog = undefined;
      writeBatch(this.#socket, [...frames], bytes);
    }
    const behind = this.#behind;
    if ((this.#waiter ?? behind?.waiter) !== undefined && this.#socket.writableLength + this.#kept < this.#mark) {
      this.#waiter?.resolve();
      this.#waiter = undefined;
      behind?.waiter?.resolve();
      if (behind !== undefined) behind.waiter = undefined;
    }
    if (this.#streamer !== undefined && this.#hasRoom) {
      this.#streamer.resolve();
      this.#streamer = undefined;
    }
    this.#owner.onFlushed();
  }

  /** The connection is gone: drops everything and tells those who wait. */
  fail(): void {
    for (const waiter of [this.#waiter, this.#behind?.waiter, this.#streamer]) waiter?.reject(this.#owner.closedError());
    this.#waiter = undefined;
    this.#streamer = undefined;
    this.#discard();
  }

  get #hasRoom(): boolean {
    return this.#bytes < TURN_LIMIT && this.#backlog === undefined && this.#bytes + this.#socket.writableLength < this.#mark;
  }

  #markDirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    markDirty(this);
  }

  /** Drops what is queued and not written, and whoever waits behind a message. */
  #discard(): void {
    this.#clear();
    this.#backlog = undefined;
    if (this.#behind !== undefined) this.#behind = { backlog: new Backlog(), waiter: undefined };
  }

  #clear(): void {
    this.#frames = undefined;
    this.#bytes = 0;
    this.#late = undefined;
  }

  /** Nothing of what waits may be dropped, so there is no use in keeping it. */
  #overflown(): void {
    const waiters = [this.#waiter, this.#behind?.waiter];
    this.#waiter = undefined; // What it waits with is not sent: there is no room to be told of.
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

function createWaiter(): Waiter {
  let resolve!: () => void; // Assigned by the executor, which runs before the constructor returns.
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(ignore);
  return { promise, resolve, reject };
}

/** Marks a promise as handled: whoever does not await it must not bring the process down. */
export function ignore(): void {}

// ---- One list for all connections ---------------------------------------------------------------------------------

let dirty: Outbox[] = [];
let scheduled = false;
let flushing = false;
let turnStart = 0;
let messages = 0;
/** The batch written last and its bytes: the members of a room mostly have the same one. */
let lastFrames: readonly Buffer[] | undefined;
let lastBatch: Buffer | undefined;

function markDirty(outbox: Outbox): void {
  dirty.push(outbox);
  schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  turnStart = performance.now();
  setImmediate(endTurn);
}

function endTurn(): void {
  scheduled = false;
  flushAll(false);
}

function flushAll(early: boolean): void {
  if (flushing) return;
  flushing = true;
  const outboxes = dirty;
  dirty = []; // What is pushed from here on belongs to the next turn.
  let reached = 0;
  try {
    for (const outbox of outboxes) {
      reached++;
      outbox.flushTurn(early);
    }
  } finally {
    lastFrames = undefined;
    lastBatch = undefined;
    flushing = false;
    // A logger threw: those behind have done nothing wrong, where the process lives on.
    if (reached < outboxes.length) {
      dirty = [...outboxes.slice(reached), ...dirty];
      schedule();
    }
  }
}

/** Bytes that were sent and took no room in a turn's write, and the end of the turn in which they became too many. */
let roomless = 0;
let rest: Promise<void> | undefined;

/**
 * What sends give that no room bounds, because their message is dropped, replaces another or was written at once: a promise, settled in the next
 * turn, as soon as a turn's worth of bytes was sent so. Without it a loop that awaits them would never let anybody else run.
 */
export function restAfter(bytes: number): Sent {
  roomless += bytes;
  if (roomless < TURN_LIMIT) return undefined;
  rest ??= new Promise((resolve) => {
    setImmediate(() => {
      roomless = 0;
      rest = undefined;
      resolve();
    });
  });
  return rest;
}

/** To be called after every message handled: answers leave early when a turn of many messages lasts long. */
export function noteMessage(): void {
  messages = (messages + 1) & (LOOK_EVERY - 1);
  if (messages !== 0 || dirty.length === 0) return;
  const now = performance.now();
  if (now - turnStart < TURN_TIME) return;
  turnStart = now;
  flushAll(true);
}

function writeBatch(socket: Duplex, frames: readonly Buffer[], bytes: number): void {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) {
    socket.write(first);
  } else if (bytes < CONCAT_LIMIT) {
    if (lastBatch === undefined || lastFrames === undefined || !equal(frames, lastFrames)) {
      lastBatch = Buffer.concat(frames, bytes);
      lastFrames = frames;
    }
    socket.write(lastBatch);
  } else {
    socket.cork();
    for (const frame of frames) socket.write(frame);
    socket.uncork();
  }
}

function equal(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
