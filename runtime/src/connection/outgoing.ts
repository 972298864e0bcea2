// `conn.message()`: one message sent in fragments (RFC 6455 section 5.4).

import { WsgenError } from "../errors.ts";
import type { OutgoingMessage, Sent } from "./connection.ts";
import { ignore } from "./waiter.ts";
import { encodeFragment, encodeFrame, opcodes } from "./wire.ts";

/** What a message in parts asks of its connection. */
export interface OutgoingOwner {
  /** Gives a promise while there is no room; rejected when the connection is closed. */
  waitForRoom(): Sent;
  /** Other messages queue behind this one from now on. */
  begin(): void;
  pushFragment(frame: Buffer): void;
  /** The others may go. */
  end(): void;
  /** No next message may begin before this. */
  release(): void;
  /** It began and will not end. */
  onAborted(): void;
}

export class MessageWriter implements OutgoingMessage<string | Uint8Array> {
  readonly #owner: OutgoingOwner;
  readonly #text: boolean;
  #state: "new" | "begun" | "over" = "new";
  #waiting = false;
  /** The first half of a character that a part ended with. */
  #half = "";

  constructor(type: "text" | "binary", owner: OutgoingOwner) {
    this.#text = type === "text";
    this.#owner = owner;
  }

  write(part: string | Uint8Array): Promise<void> {
    return handled(this.#write(part));
  }

  close(): Promise<void> {
    return handled(this.#close());
  }

  abort(): void {
    if (this.#isOver()) return;
    const begun = this.#state === "begun";
    this.#state = "over";
    this.#owner.release();
    if (begun) this.#owner.onAborted();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    return Promise.resolve();
  }

  async #write(part: string | Uint8Array): Promise<void> {
    if ((typeof part === "string") !== this.#text) {
      const [kind, parts] = this.#text ? ["text", "strings"] : ["binary", "bytes"];
      throw new WsgenError("WSGEN_USAGE", `write(): a ${kind} message takes ${parts} alone.`);
    }
    await this.#turn("write()", () => {
      const data = typeof part === "string" ? this.#whole(part) : part;
      if (data.length > 0) this.#owner.pushFragment(encodeFragment(this.#opcode(), data));
    });
  }

  async #close(): Promise<void> {
    await this.#turn("close()", () => {
      this.#owner.pushFragment(encodeFrame(this.#opcode(), this.#half));
      this.#state = "over";
      this.#owner.end();
      this.#owner.release();
    });
  }

  /** Waits until the next fragment may go, and sends it before anybody else takes the room. */
  async #turn(call: string, send: () => void): Promise<void> {
    if (this.#isOver()) throw new WsgenError("WSGEN_USAGE", `${call}: this message is over.`);
    if (this.#waiting) throw new WsgenError("WSGEN_USAGE", `${call}: a part before it has not been sent yet; await each write().`);
    this.#waiting = true;
    try {
      for (let room = this.#owner.waitForRoom(); room !== undefined; room = this.#owner.waitForRoom()) await room;
    } finally {
      this.#waiting = false;
    }
    if (this.#isOver()) throw new WsgenError("WSGEN_USAGE", `${call}: this message was given up.`);
    send();
  }

  #opcode(): number {
    if (this.#state === "begun") return opcodes.continuation;
    this.#state = "begun";
    this.#owner.begin();
    return this.#text ? opcodes.text : opcodes.binary;
  }

  /** A method, because the compiler thinks that nothing changes while one waits. */
  #isOver(): boolean {
    return this.#state === "over";
  }

  /** Text without the half character at its end, which waits for the other half. */
  #whole(part: string): string {
    const text = this.#half + part;
    const last = text.charCodeAt(text.length - 1);
    const cut = last >= 0xd800 && last < 0xdc00;
    this.#half = cut ? text.slice(-1) : "";
    return cut ? text.slice(0, -1) : text;
  }
}

/** Whoever does not await it must not bring the process down. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(ignore);
  return promise;
}
