// The end of a turn of the event loop, in which all connections write what they have: one list for all of them.

import { forgetBatch } from "./batch.ts";
import type { Sent } from "./connection.ts";

/** Bytes one connection may queue in a turn before `push` gives a promise, so that a loop which awaits its sends yields. */
export const TURN_LIMIT = 64 * 1024;
/** A turn that has lasted longer than this, in ms, is flushed early … */
const TURN_TIME = 2;
/** … which is looked at every so many messages. A power of two. */
const LOOK_EVERY = 8;

/** Who has something to write. */
export interface Flushable {
  flushTurn(early: boolean): void;
}

let dirty: Flushable[] = [];
let scheduled = false;
let flushing = false;
let turnStart = 0;
let messages = 0;

/** Has `outbox` flushed at the end of this turn. */
export function markDirty(outbox: Flushable): void {
  dirty.push(outbox);
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
  for (const outbox of outboxes) {
    try {
      outbox.flushTurn(early);
    } catch (error) {
      setImmediate(raise, error); // A logger threw: those behind have done nothing wrong, nor has whoever's message is being read.
    }
  }
  forgetBatch();
  flushing = false;
}

function raise(error: unknown): never {
  throw error;
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
