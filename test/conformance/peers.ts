import { setTimeout as pause } from "node:timers/promises";

/** Waits for something that is on its way; throws when it does not come. */
export async function until(condition: () => boolean, milliseconds = 3_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it did not come");
    await pause(2);
  }
}
