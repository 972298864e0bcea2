// What has arrived and waits: a bounded queue of raw messages, delivered in order, one at a time, to a sink (push) or a reader (pull).

import { Buffer } from "node:buffer";
import { WsgenError } from "../errors.ts";
import { type Arrival, Arrivals, textOf } from "./arrivals.ts";
import type { CloseOutcome, Sink } from "./connection.ts";
import { isThenable } from "./thenable.ts";
import { noteMessage } from "./turn.ts";

/** Reading stops when this many messages or bytes wait … */
const INBOX = { messages: 16, bytes: 256 * 1024 } as const;
/** … or this many while a handler waits for an answer of the peer, which lies behind them. */
const READ_AHEAD = { messages: 1024, bytes: 1024 * 1024 } as const;

/** How long, in ms, what was read ahead may keep the event loop in one turn, with all that is done about it. */
const SHARE = 4;

/** Who pulls from an inbox. */
export interface Puller {
  /** There may be something to take, or the end. */
  wake(): void;
}

/** What an Inbox asks of its connection. */
export interface InboxOwner {
  /** Whether delivery must wait, because this connection's own outbound is over the mark. */
  readonly congested: boolean;
  /** How many handlers may be at work at a time. */
  readonly concurrency: number;
  hold(): void;
  release(): void;
  /** The sink threw or rejected. */
  onFailure(error: unknown): void;
  /** The connection is closed and everything that had arrived has been delivered. */
  onEmptied(): void;
}

export class Inbox {
  readonly #owner: InboxOwner;
  #sink: Sink | undefined;
  #puller: Puller | undefined;
  /** What waits; made when something first has to. */
  #arrivals: Arrivals | undefined;
  /** Handlers that have not settled, and whether one has not even returned: what arrives then queues behind. */
  #running = 0;
  #calling = false;
  /** Nothing more will arrive. */
  #complete = false;
  #outcome: CloseOutcome | undefined;
  /** Made for the first handler that returns a promise. */
  #callbacks: { readonly next: () => void; readonly failed: (error: unknown) => void } | undefined;

  constructor(owner: InboxOwner) {
    this.#owner = owner;
  }

  start(sink: Sink): void {
    if (this.#sink !== undefined) throw new WsgenError("WSGEN_USAGE", "start(): this connection has a sink already.");
    if (this.#puller !== undefined) throw new WsgenError("WSGEN_USAGE", "start(): somebody is reading this connection already.");
    this.#sink = sink;
    this.pump();
    this.#conclude();
  }

  /** `call`: what the puller's user called. */
  attach(puller: Puller, call: string): void {
    if (this.#sink !== undefined) {
      throw new WsgenError("WSGEN_USAGE", `${call}: this route's messages go to its handlers, they cannot be read here as well.`);
    }
    if (this.#puller !== undefined) {
      throw new WsgenError("WSGEN_USAGE", `${call}: somebody is reading this connection already; end that loop first.`);
    }
    this.#puller = puller;
  }

  /** Lets another reader come; what waits goes on waiting. */
  detach(puller: Puller): void {
    if (this.#puller === puller) this.#puller = undefined;
  }

  /** Whether everything has been delivered and nothing will follow. */
  get ended(): boolean {
    return this.#complete && this.#waiting() === 0;
  }

  /** Whether a handler is at work. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Takes a message off the wire. */
  offer(data: string | Buffer, size: number): void {
    const sink = this.#sink;
    if (sink !== undefined) {
      if (sink.peeking === true && this.#peek(sink, data)) return;
      if (!this.#occupied() && this.#waiting() === 0 && !this.#owner.congested) {
        this.#deliver(sink, data);
        return;
      }
    }
    this.#enqueue(data, size, typeof data !== "string", true, true);
  }

  /** Takes a fragment of a message off the wire. */
  offerFragment(data: Buffer, binary: boolean, first: boolean, final: boolean): void {
    const sink = this.#sink;
    if (sink !== undefined && first && final) this.offer(binary ? data : data.toString(), data.length);
    else this.#enqueue(data, data.length, binary, first, final);
  }

  #enqueue(data: string | Buffer, size: number, binary: boolean, first: boolean, final: boolean): void {
    this.#arrivals ??= new Arrivals();
    const arrivals = this.#arrivals;
    // Far ahead, views would pin far more than they show.
    const kept = typeof data === "string" || arrivals.length < INBOX.messages ? data : Buffer.from(data);
    arrivals.add({ data: kept, size, binary, first, final });
    if (!arrivals.held && this.#isFull(arrivals)) {
      arrivals.held = true;
      this.#owner.hold();
    }
    this.#puller?.wake();
  }

  /** Delivers what can be delivered now, and lets the wire go on when there is room. */
  pump(): void {
    if (this.#waiting() === 0) return;
    const sink = this.#sink;
    if (sink === undefined) {
      this.#puller?.wake();
    } else {
      while (!this.#occupied() && !this.#owner.congested && !this.#hadItsShare()) {
        const arrival = this.#arrivals?.shiftMessage(Number.POSITIVE_INFINITY);
        if (arrival === undefined) break;
        this.#deliver(sink, arrival.binary ? arrival.data : textOf(arrival));
      }
    }
    this.#settle();
  }

  /** Whether the rest waits for the next turn, in which it is delivered on. */
  #hadItsShare(): boolean {
    const arrivals = this.#arrivals;
    if (arrivals === undefined || arrivals.length <= INBOX.messages) return false; // The wire has its own share, and this is no more than a little beside it.
    if (arrivals.shareEnds !== undefined) return performance.now() >= arrivals.shareEnds;
    arrivals.shareEnds = performance.now() + SHARE;
    setImmediate(() => {
      arrivals.shareEnds = undefined;
      this.pump();
    });
    return false;
  }

  /** The next message for a puller, or the next fragment of one; `taken` is to be called once it has been handed on. */
  take(): Arrival | undefined {
    return this.#owner.congested ? undefined : this.#arrivals?.shift();
  }

  /**
   * The next whole message for a puller, or the beginning of one that has more than `maxSize` bytes. What is left of one that another puller
   * left in its middle is skipped.
   */
  takeMessage(maxSize: number): Arrival | undefined {
    return this.#owner.congested ? undefined : this.#arrivals?.shiftMessage(maxSize);
  }

  taken(): void {
    noteMessage();
    this.#settle();
  }

  /** To be called when `take` gave nothing, or nothing that was wanted: there may be room again. */
  skipped(): void {
    this.#settle();
  }

  /** Nothing more will arrive: what waits is delivered still. */
  complete(): void {
    this.#complete = true;
    this.#puller?.wake();
  }

  /** Nothing more will be delivered. */
  drop(): void {
    this.#arrivals = undefined;
    this.complete();
    this.#conclude();
  }

  /** The connection is closed; the sink hears of it behind its last message. */
  close(outcome: CloseOutcome): void {
    this.#outcome = outcome;
    this.complete();
    this.pump();
    this.#conclude();
  }

  #waiting(): number {
    return this.#arrivals === undefined ? 0 : this.#arrivals.length;
  }

  #isFull({ length, bytes }: Arrivals): boolean {
    const bound = this.#sink?.peeking === true ? READ_AHEAD : INBOX;
    return length >= bound.messages || bytes >= bound.bytes;
  }

  #occupied(): boolean {
    return this.#calling || (this.#running > 0 && this.#running >= this.#owner.concurrency);
  }

  #settle(): void {
    const arrivals = this.#arrivals;
    if (arrivals?.held === true && !this.#isFull(arrivals)) {
      arrivals.held = false;
      this.#owner.release();
    }
    this.#conclude();
  }

  /** Tells the end, once, behind the last message. */
  #conclude(): void {
    const outcome = this.#outcome;
    if (outcome === undefined || this.#waiting() > 0) return;
    this.#owner.onEmptied();
    const sink = this.#sink;
    if (sink === undefined) return; // One that starts late is told then.
    this.#outcome = undefined;
    try {
      sink.closed?.(outcome);
    } catch (error) {
      this.#owner.onFailure(error);
    }
  }

  #peek(sink: Sink, data: string | Buffer): boolean {
    try {
      return sink.peek?.(data) === true;
    } catch (error) {
      this.#owner.onFailure(error);
      return true;
    }
  }

  #deliver(sink: Sink, data: string | Buffer): void {
    this.#calling = true;
    try {
      const result = sink.message(data);
      if (isThenable(result)) {
        this.#callbacks ??= { next: () => this.#next(), failed: (error) => this.#failed(error) };
        this.#running++;
        result.then(this.#callbacks.next, this.#callbacks.failed);
      }
    } catch (error) {
      this.#owner.onFailure(error);
    }
    this.#calling = false;
    noteMessage();
  }

  #next(): void {
    this.#running--;
    this.pump();
  }

  #failed(error: unknown): void {
    this.#owner.onFailure(error);
    this.#next();
  }
}
