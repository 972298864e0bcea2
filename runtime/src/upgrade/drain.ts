// How a server empties itself.

import { setTimeout as pause } from "node:timers/promises";
import { dismiss, type Floor } from "./floor.ts";

/** How connections are closed when the server shuts down. */
export interface DrainOptions {
  /** Connections closed at a time, so that not all of them come back in the same moment. Default: 200. */
  readonly batch: number;
  /** Time between two batches, in ms. Default: 100. */
  readonly interval: number;
  /** Time for everything, in ms, before what is left is cut. Default: 20 000. */
  readonly timeout: number;
}

export const defaultDrain: DrainOptions = Object.freeze({ batch: 200, interval: 100, timeout: 20_000 });

/** Sends everyone home: batch by batch, each when what it is handling is done; who is not gone in time is cut. */
export async function drain(floor: Floor, { batch, interval, timeout }: DrainOptions, cutting: AbortSignal): Promise<void> {
  floor.draining = true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), timeout);
  const impatient = AbortSignal.any([cutting, patience.signal]);
  const outOfTime = new Promise<void>((resolve) => impatient.addEventListener("abort", () => resolve(), { once: true }));

  const everyone = [...floor.stays.keys()];
  const leaving: Promise<void>[] = [];
  for (let from = 0; from < everyone.length && !impatient.aborted; from += batch) {
    if (from > 0) await Promise.race([pause(interval), outOfTime]);
    for (const connection of everyone.slice(from, from + batch)) leaving.push(dismiss(floor, connection));
  }
  await Promise.race([Promise.all(leaving), outOfTime]);
  clearTimeout(timer);
  if (impatient.aborted) cut(floor);
}

/** Drops what is left. */
export function cut({ stays, visitors }: Floor): void {
  for (const connection of stays.keys()) connection.terminate();
  for (const socket of visitors) socket.destroy();
}
