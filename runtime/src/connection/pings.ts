// The pings that handlers send, from their leaving to their pongs (RFC 6455 section 5.5.2).

import { Buffer } from "node:buffer";
import { ignore } from "./waiter.ts";

/** A ping on its way. */
export interface Ping {
  readonly data: Buffer;
  /** Settles with the round-trip time, in ms. */
  readonly answered: Promise<number>;
}

interface PendingPing extends Ping {
  readonly sentAt: number;
  readonly resolve: (milliseconds: number) => void;
  readonly reject: (error: Error) => void;
}

/** Those of one connection that nobody has answered yet. */
export class Pings {
  #pending: PendingPing[] = [];

  /** `data`: told apart from the others by a number where it is absent. */
  begin(data: Uint8Array | undefined): Ping {
    let resolve!: PendingPing["resolve"]; // Assigned by the executor, which runs before the constructor returns.
    let reject!: PendingPing["reject"];
    const answered = new Promise<number>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    answered.catch(ignore);
    const ping = { data: data === undefined ? nextData() : Buffer.from(data), answered, sentAt: performance.now(), resolve, reject };
    this.#pending.push(ping);
    return ping;
  }

  /** A pong answers the pings before it as well (RFC 6455 section 5.5.3). */
  onPong(data: Buffer): void {
    const index = this.#pending.findIndex((ping) => ping.data.equals(data));
    for (const ping of this.#pending.splice(0, index + 1)) ping.resolve(performance.now() - ping.sentAt);
  }

  /** No pong will come any more. */
  fail(error: () => Error): void {
    for (const ping of this.#pending) ping.reject(error());
  }
}

let count = 0;

function nextData(): Buffer {
  const data = Buffer.allocUnsafe(4);
  count = (count + 1) >>> 0;
  data.writeUInt32BE(count);
  return data;
}
