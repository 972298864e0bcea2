// `conn.messages({ stream: true })`: messages that are larger than what one likes to keep in memory.

import { WsgenError } from "../errors.ts";
import { type Arrival, bytesOf } from "./arrivals.ts";
import type { StreamedMessage } from "./connection.ts";
import type { Inbox } from "./inbox.ts";
import { InboxReader, type ReaderOwner } from "./reader.ts";

export class StreamReader extends InboxReader<StreamedMessage> {
  readonly #closedError: () => Error;
  /** The message that was handed out last, until all of it was. */
  #current: Incoming | undefined;

  constructor(inbox: Inbox, owner: ReaderOwner, maxSize: number | undefined, closedError: () => Error) {
    super(inbox, "messages()", owner, maxSize);
    this.#closedError = closedError;
  }

  override next(): Promise<IteratorResult<StreamedMessage, undefined>> {
    this.#abandon("the next message was asked for");
    return super.next();
  }

  override wake(): void {
    this.#current?.serve();
    super.wake();
  }

  protected override read(): StreamedMessage | undefined {
    // A second next() at a time waits until the message that the first one got is over, or left.
    if (this.#current !== undefined) return undefined;
    for (let arrival = this.inbox.take(); arrival !== undefined; arrival = this.inbox.take()) {
      if (!arrival.first) continue; // Of a message that nobody wanted to the end.
      if (arrival.size > this.maxSize) {
        this.owner.onTooBig();
        this.end();
        return undefined;
      }
      this.#current = new Incoming(arrival, {
        take: () => this.#take(),
        taken: () => this.inbox.taken(),
        finished: () => {
          this.#current = undefined;
          super.wake();
        },
      });
      return this.#current;
    }
    return undefined;
  }

  protected override end(): void {
    this.#abandon("the loop over the messages was left");
    super.end();
  }

  #take(): Arrival | Error | undefined {
    return this.inbox.take() ?? (this.inbox.ended ? this.#closedError() : undefined);
  }

  #abandon(why: string): void {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    const error = this.inbox.ended ? this.#closedError() : new WsgenError("WSGEN_USAGE", `stream(): ${why} before this one was read.`);
    current.fail(error);
  }
}

interface IncomingOwner {
  /** The next fragment; an error when none will come. */
  take(): Arrival | Error | undefined;
  taken(): void;
  /** Nothing more of the message is needed. */
  finished(): void;
}

class Incoming implements StreamedMessage {
  readonly type: "text" | "binary";
  readonly #owner: IncomingOwner;
  /** The fragment that is to be given next. */
  #next: Arrival | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Set while the stream wants more. */
  #pulled: (() => void) | undefined;
  #error: Error | undefined;

  constructor(first: Arrival, owner: IncomingOwner) {
    this.type = first.binary ? "binary" : "text";
    this.#next = first;
    this.#owner = owner;
  }

  stream(): ReadableStream<Uint8Array> {
    if (this.#stream !== undefined) throw new WsgenError("WSGEN_USAGE", "stream(): a message can be read once.");
    this.#stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          if (this.#error !== undefined) controller.error(this.#error);
        },
        pull: () =>
          new Promise((resolve) => {
            this.#pulled = resolve;
            this.serve();
          }),
        cancel: () => this.#finish(),
      },
      { highWaterMark: 0 }, // Nothing is taken ahead: the inbox is the buffer.
    );
    return this.#stream;
  }

  /** Gives what is there, if it is wanted. */
  serve(): void {
    while (this.#pulled !== undefined) {
      const next = this.#next ?? this.#owner.take();
      this.#next = undefined;
      if (next === undefined) return;
      if (next instanceof Error) {
        this.fail(next);
        this.#owner.finished();
        return;
      }
      if (next.size > 0) this.#controller?.enqueue(bytesOf(next));
      if (next.final) this.#controller?.close();
      if (next.size > 0 || next.final) this.#letGo();
      if (next.final) this.#owner.finished();
      this.#owner.taken();
    }
  }

  /** The rest will not come. */
  fail(error: Error): void {
    this.#error = error;
    this.#next = undefined;
    this.#controller?.error(error);
    this.#letGo();
  }

  #finish(): void {
    this.#next = undefined;
    this.#letGo();
    this.#owner.finished();
  }

  #letGo(): void {
    this.#pulled?.();
    this.#pulled = undefined;
  }
}
