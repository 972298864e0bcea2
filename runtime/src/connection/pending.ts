// What of a connection's sends could not leave at once, and who waits for room.

import type { Buffer } from "node:buffer";
import { Backlog } from "./backlog.ts";
import { createWaiter, type LateSend, type Waiter } from "./waiter.ts";

/** Messages that wait for the end of another, and whoever waits with them: they are lost where that never ends. */
export interface Behind {
  readonly backlog: Backlog;
  waiter: Waiter | undefined;
}

/** Of one connection; made when something first has to wait. */
export class Pending {
  /** Messages that were dropped because the peer is slow. */
  dropped = 0;
  /** Data of the latest ping that was not answered because the peer does not read. */
  ping: Buffer | undefined;
  /** Messages that wait for the socket to drain, where some of them may be dropped. */
  backlog: Backlog | undefined;
  /** Present as long as a message is being sent in fragments. */
  behind: Behind | undefined;
  /** Whoever sends that one, waiting for room. */
  streamer: Waiter | undefined;
  /** Whoever waits with the other messages. */
  waiter: Waiter | undefined;
  /** Of what was sent this turn although the mark waited. */
  late: LateSend | undefined;

  /** Bytes of the messages that wait here. */
  get bytes(): number {
    return (this.backlog === undefined ? 0 : this.backlog.bytes) + (this.behind === undefined ? 0 : this.behind.backlog.bytes);
  }

  /** Waits for room, with what was pushed last. */
  wait(): Promise<void> {
    const { behind } = this;
    if (behind === undefined) {
      this.waiter ??= createWaiter();
      return this.waiter.promise;
    }
    behind.waiter ??= createWaiter();
    return behind.waiter.promise;
  }

  /** From here on messages queue behind the one whose fragments come. */
  beginMessage(): void {
    this.behind = { backlog: new Backlog(), waiter: undefined };
    this.late = undefined; // There was room since.
  }

  /** The message has ended: who waited behind it waits with the others. Gives what queued. */
  endMessage(): Backlog | undefined {
    const { behind } = this;
    if (behind === undefined) return undefined;
    this.behind = undefined;
    const { waiter } = behind;
    if (this.waiter === undefined) this.waiter = waiter;
    else if (waiter !== undefined) void this.waiter.promise.then(waiter.resolve, waiter.reject);
    return behind.backlog;
  }

  /** There is room again. */
  resolve(): void {
    this.waiter?.resolve();
    this.waiter = undefined;
    this.behind?.waiter?.resolve();
    if (this.behind !== undefined) this.behind.waiter = undefined;
  }

  /** The connection is gone. */
  reject(error: () => Error): void {
    for (const waiter of [this.waiter, this.behind?.waiter, this.streamer]) waiter?.reject(error());
    this.waiter = undefined;
    this.streamer = undefined;
    this.discard();
  }

  /** Drops what waits, and whoever waits behind a message. */
  discard(): void {
    this.late = undefined;
    this.ping = undefined;
    this.backlog = undefined;
    if (this.behind !== undefined) this.behind = { backlog: new Backlog(), waiter: undefined };
  }
}
