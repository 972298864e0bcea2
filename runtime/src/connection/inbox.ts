// What has arrived and waits: a bounded queue of raw messages, delivered in order, one at a time, to a sink (push) or a reader (pull).

import { Buffer } from "node:buffer";
import { WsgenError } from "../errors.ts";
import type { CloseOutcome, Sink } from "./connection.ts";
import { isThenable } from "./thenable.ts";
import { noteMessage } from "./turn.ts";

/** Reading stops when this many messages or bytes wait … */
const INBOX = { messages: 16, bytes: 256 * 1024 } as const;
/** … or this many while a handler waits for an answer of the peer, which lies behind them. */
const READ_AHEAD = { messages: 1024, bytes: 1024 * 1024 } as const;

/** How long, in ms, what was read ahead may keep the event loop in one turn, with all that is done about it. */
const SHARE = 4;

/** One message as it lies in the inbox, or one fragment of it. */
export interface Arrival {
  /** A whole text is a string, unless it came in fragments. */
  readonly data: string | Buffer;
  /** In bytes. */
  readonly size: number;
  readonly binary: boolean;
  /** Whether it begins a message, and whether it ends one. */
  readonly first: boolean;
  readonly final: boolean;
}

/** Who pulls from an inbox. */
export interface Puller {
  /** There may be something to take, or the end. */
  wake(): void;
}

/** What an Inbox asks of its connection. */
export interface InboxOwner {
  /** Whether delivery must wait, because this connection's own outbound is over the mark. */
  readonly congested: boolean;
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
  /** Made when something first has to wait. */
  #queue: Arrival[] | undefined;
  #bytes = 0;
  /** The fragments of a message that is put together here. */
  #parts: Buffer[] | undefined;
  #partBytes = 0;
  readonly #concurrency: number;
  /** Handlers that have not settled, and whether one has not even returned: what arrives then queues behind. */
  #running = 0;
  #calling = false;
  #held = false;
  /** When the share of this turn ends, where there is far more than usual to deliver. */
  #shareEnds: number | undefined;
  /** Nothing more will arrive. */
  #complete = false;
  #outcome: CloseOutcome | undefined;
  /** Made for the first handler that returns a promise. */
  #callbacks: { readonly next: () => void; readonly failed: (error: unknown) => void } | undefined;

  constructor(owner: InboxOwner, concurrency: number) {
    this.#owner = owner;
    this.#concurrency = concurrency;
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
    this.#queue ??= [];
    // Far ahead, views would pin far more than they show.
    const kept = typeof data === "string" || this.#queue.length < INBOX.messages ? data : Buffer.from(data);
    this.#queue.push({ data: kept, size, binary, first, final });
    this.#bytes += size;
    if (!this.#held && this.#full()) {
      this.#held = true;
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
        const arrival = this.#shiftMessage(Number.POSITIVE_INFINITY);
        if (arrival === undefined) break;
        this.#deliver(sink, arrival.binary ? arrival.data : textOf(arrival));
      }
    }
    this.#settle();
  }

  /** Whether the rest waits for the next turn, in which it is delivered on. */
  #hadItsShare(): boolean {
    if (this.#waiting() <= INBOX.messages) return false; // The wire has its own share, and this is no more than a little beside it.
    if (this.#shareEnds !== undefined) return performance.now() >= this.#shareEnds;
    this.#shareEnds = performance.now() + SHARE;
    setImmediate(() => {
      this.#shareEnds = undefined;
      this.pump();
    });
    return false;
  }

  /** The next message for a puller, or the next fragment of one; `taken` is to be called once it has been handed on. */
  take(): Arrival | undefined {
    return this.#owner.congested ? undefined : this.#shift();
  }

  /**
   * The next whole message for a puller, or the beginning of one that has more than `maxSize` bytes. What is left of one that another puller
   * left in its middle is skipped.
   */
  takeMessage(maxSize: number): Arrival | undefined {
    return this.#owner.congested ? undefined : this.#shiftMessage(maxSize);
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
    this.#queue = undefined;
    this.#parts = undefined;
    this.#bytes = 0;
    this.#held = false;
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
    return this.#queue === undefined ? 0 : this.#queue.length;
  }

  #full(): boolean {
    const bound = this.#sink?.peeking === true ? READ_AHEAD : INBOX;
    return this.#waiting() >= bound.messages || this.#bytes >= bound.bytes;
  }

  #occupied(): boolean {
    return this.#calling || this.#running >= this.#concurrency;
  }

  #shift(): Arrival | undefined {
    const arrival = this.#queue?.shift();
    if (arrival !== undefined) this.#bytes -= arrival.size;
    return arrival;
  }

  /** Fragments lie here when the puller before was streaming. */
  #shiftMessage(maxSize: number): Arrival | undefined {
    for (let arrival = this.#shift(); arrival !== undefined; arrival = this.#shift()) {
      if (arrival.first && arrival.final) return arrival;
      if (arrival.first) this.#parts = [];
      this.#parts?.push(bytesOf(arrival));
      this.#partBytes = (arrival.first ? 0 : this.#partBytes) + arrival.size;
      if (this.#parts === undefined || (!arrival.final && this.#partBytes <= maxSize)) continue;
      const data = Buffer.concat(this.#parts);
      this.#parts = undefined;
      return { data, size: data.length, binary: arrival.binary, first: true, final: true };
    }
    return undefined;
  }

  #settle(): void {
    if (this.#held && !this.#full()) {
      this.#held = false;
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

/** The text of an arrival that is not binary. */
export function textOf({ data }: Arrival): string {
  return typeof data === "string" ? data : data.toString();
}

export function bytesOf({ data }: Arrival): Buffer {
  return typeof data === "string" ? Buffer.from(data) : data;
}
