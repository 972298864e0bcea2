// Between the rooms of one router and its adapter: what is subscribed to, what a message looks like on the way, and what happens when that fails.
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { Manner } from "../connection/connection.ts";
import { ignore } from "../connection/waiter.ts";
import { encodeFrame, opcodes, payloadStart } from "../connection/wire.ts";
import { WsgenError } from "../errors.ts";
import type { RoomAdapter } from "./adapter.ts";
import type { Recheck } from "./recheck.ts";
import type { Deliver, Relay, RoomMessage } from "./rooms.ts";

/** Time before a subscription that failed is tried again, in ms. */
const RETRY = 1000;
/** Bytes the adapter may be publishing at a time; what is sent beyond that does not reach other processes. */
const MOST_IN_FLIGHT = 16 * 1024 * 1024;
/** How long a server that closes waits for what the adapter was asked before, in ms … */
const SETTLE_TIMEOUT = 1000;
/** … and then for it to close. */
const CLOSE_TIMEOUT = 2000;

const NEWLINE = 0x0a;

/** Called when the adapter begins to fail, and when it works again. */
export type ReportAdapter = (fields: object, message: string) => void;

/** Whether a room's topic is subscribed to, and whether it should be. */
interface Topic {
  readonly receive: (message: Uint8Array) => void;
  wanted: boolean;
  subscribed: boolean;
  /** While somebody is seeing to it: settles, never rejects, when that is done. */
  settling: Promise<void> | undefined;
}

/** The adapter of one router at work. */
export class Exchange {
  readonly #adapter: RoomAdapter;
  readonly #report: ReportAdapter;
  /** Tells our own messages from those of others. */
  readonly #origin = randomUUID();
  readonly #topics = new Map<string, Topic>();
  #inFlight = 0;
  #failures = 0;
  /** Messages in a row that were not sent on. */
  #refused = 0;
  #servers = 0;
  /** Aborts when the adapter is to be closed: nothing is subscribed to from then on. */
  readonly #closed = new AbortController();

  constructor(adapter: RoomAdapter, report: ReportAdapter) {
    this.#adapter = adapter;
    setMaxListeners(0, this.#closed.signal); // As many rooms as there are may wait to be tried again.
    this.#report = report;
  }

  /** The way of one endpoint's rooms. `prefix` is what their topics begin with. */
  relay(prefix: string, deliver: Deliver, recheck: Recheck): Relay {
    return {
      open: (room) => {
        const topic = this.#topics.get(prefix + room) ?? {
          receive: (bytes) => this.#receive(bytes, recheck, (message) => deliver(room, message)),
          wanted: false,
          subscribed: false,
          settling: undefined,
        };
        this.#topics.set(prefix + room, topic);
        this.#want(prefix + room, topic, true);
      },
      close: (room) => {
        const topic = this.#topics.get(prefix + room);
        if (topic !== undefined) this.#want(prefix + room, topic, false);
      },
      publish: (room, message) => void this.#publish(prefix + room, message),
    };
  }

  /** A server of the router has begun … Throws WSGEN_USAGE when the adapter was closed behind an earlier one: rooms would end at this process. */
  serverOpened(): void {
    if (this.#closed.signal.aborted)
      throw new WsgenError(
        "WSGEN_USAGE",
        "The router's adapter was closed with its last server: create another router, with another adapter.",
      );
    this.#servers++;
  }

  /** … and has closed. Settles, never rejects, when the adapter is closed, if it was the last one. What it was asked before has been done then. */
  async serverClosed(): Promise<void> {
    if (--this.#servers > 0) return;
    this.#closed.abort();
    const settled = Promise.all([...this.#topics.values()].map(({ settling }) => settling));
    await Promise.race([settled, pause(SETTLE_TIMEOUT, undefined, { ref: false })]);
    try {
      await Promise.race([this.#adapter.close(), pause(CLOSE_TIMEOUT, undefined, { ref: false })]);
    } catch (error) {
      this.#failed(error);
    }
  }

  #want(name: string, topic: Topic, wanted: boolean): void {
    topic.wanted = wanted;
    topic.settling ??= this.#settle(name, topic);
  }

  /** One call of the adapter at a time for a topic, until it is as it should be. */
  async #settle(name: string, topic: Topic): Promise<void> {
    while (topic.wanted !== topic.subscribed && !(topic.wanted && this.#closed.signal.aborted)) {
      const { wanted } = topic;
      try {
        await (wanted ? this.#adapter.subscribe(name, topic.receive) : this.#adapter.unsubscribe(name));
        topic.subscribed = wanted;
        this.#worked();
      } catch (error) {
        this.#failed(error);
        const { signal } = this.#closed; // Whoever closes waits for no retry.
        if (wanted) await pause(RETRY, undefined, { ref: false, signal }).catch(ignore);
        else topic.subscribed = false; // What still comes finds an empty room.
      }
    }
    topic.settling = undefined;
    if (!topic.wanted) this.#topics.delete(name);
  }

  async #publish(topic: string, message: RoomMessage): Promise<void> {
    const bytes = pack(this.#origin, message);
    if (this.#inFlight + bytes.length > MOST_IN_FLIGHT) {
      this.#failed(new Error("It does not keep up: 16 MiB are being published."));
      return;
    }
    this.#inFlight += bytes.length;
    try {
      await this.#adapter.publish(topic, bytes);
      this.#worked();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#inFlight -= bytes.length;
    }
  }

  #receive(bytes: Uint8Array, recheck: Recheck, deliver: (message: RoomMessage) => void): void {
    let message: RoomMessage | undefined;
    try {
      message = unpack(bytes, this.#origin, recheck);
      this.#refused = 0;
    } catch (error) {
      if (++this.#refused === 1)
        this.#report(
          { err: error },
          "What the room adapter brought was not sent on, and no more is said of that until it brings what can be.",
        );
    }
    if (message !== undefined) deliver(message);
  }

  #failed(error: unknown): void {
    if (++this.#failures === 1) this.#report({ err: error }, "The room adapter failed; until it works, rooms end at this process.");
  }

  #worked(): void {
    if (this.#failures === 0) return;
    this.#report({ failures: this.#failures }, "The room adapter works again.");
    this.#failures = 0;
  }
}

/** What stands before the payload, as one line of JSON. */
interface Header {
  readonly version: 1;
  readonly origin: string;
  readonly name: string;
  readonly key?: string;
  readonly binary?: true;
  readonly manner?: Manner;
  readonly except?: readonly string[];
}

function pack(origin: string, { frame, name, key, manner, except }: RoomMessage): Uint8Array {
  const binary = (frame.readUInt8(0) & 0x0f) === opcodes.binary;
  const header: Header = {
    version: 1,
    origin,
    name,
    ...(key === undefined ? {} : { key }),
    ...(binary ? { binary } : {}),
    ...(manner === undefined ? {} : { manner }),
    ...(except === undefined ? {} : { except: [...except] }),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), frame.subarray(payloadStart(frame))]);
}

/** `undefined` for a message of our own. Throws when it is none of this version, or none of the contract. */
function unpack(bytes: Uint8Array, origin: string, recheck: Recheck): RoomMessage | undefined {
  const end = bytes.indexOf(NEWLINE);
  const header = JSON.parse(Buffer.from(bytes.subarray(0, Math.max(0, end))).toString()) as Partial<Record<keyof Header, unknown>> | null;
  if (header?.version !== 1 || typeof header.origin !== "string" || typeof header.name !== "string") {
    throw new Error("It brought a message of another version of wsgen.");
  }
  if (header.origin === origin) return undefined;
  const { name, key, manner, except } = header;
  const payload = bytes.subarray(end + 1);
  recheck(name, payload, header.binary === true);
  return {
    frame: encodeFrame(header.binary === true ? opcodes.binary : opcodes.text, payload),
    name,
    key: typeof key === "string" ? key : undefined,
    manner: manner === "volatile" || manner === "conflated" ? manner : undefined,
    except: Array.isArray(except) ? new Set(except as readonly string[]) : undefined,
  };
}
