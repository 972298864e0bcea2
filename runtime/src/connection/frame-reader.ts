// Frames as they are read, from whatever pieces TCP delivers (RFC 6455 section 5). Knows nothing of sockets.

import { Buffer, constants, isUtf8 } from "node:buffer";
import { type Closure, closures, isWireCode } from "./close.ts";
import { createExpectation, type Expectation, expectationOf, type FrameBounds } from "./expectation.ts";
import { Gathering } from "./gathering.ts";
import { unmask, type Words, wordsOf } from "./mask.ts";
import { type MessageDecoder, MessageRefused } from "./message-decoder.ts";
import { beginShare, isShareOver, isTimed, isTimeToLook } from "./share.ts";
import { Unfinished, Utf8Check } from "./unfinished.ts";
import { FIN, opcodes } from "./wire.ts";

/** Whom a FrameReader tells what it read, in the order of the wire. */
export interface FrameReceiver {
  /** A whole data message, text as a string. `size` in bytes. */
  onMessage(data: string | Buffer, size: number): void;
  /** A part of a message, while messages are streamed; text has been checked as far as it has come, and may end inside a character. */
  onFragment(data: Buffer, binary: boolean, first: boolean, final: boolean): void;
  onPing(data: Buffer): void;
  onPong(data: Buffer): void;
  /** The peer's close frame; 1005 when it holds no code. Nothing is read after it. */
  onClose(code: number, reason: string): void;
  /** The peer broke a rule, and the connection must end like this. Nothing is read after it. */
  onViolation(closure: Closure): void;
  /** An extension failed. Nothing is read after it. */
  onDecodeFailure(error: unknown): void;
  /** Reading this peer has kept the event loop for a while: nothing is read until `wake` is called, in another turn. */
  onLongTurn(): void;
}

/** Chunks from this size on are timed: whoever sends less at a time keeps nobody waiting. */
const LARGE = 4096;

/**
 * Reads the frames a client sends: masked, checked against every rule of RFC 6455 as early as its bytes are there, fragments put
 * together. Bytes are unmasked in place, so whoever calls `read` gives them away.
 */
export class FrameReader {
  /** Whole messages are read past and not told, nor decompressed: nobody wants them while the connection closes. */
  discarding = false;
  readonly #receiver: FrameReceiver;
  readonly #decoder: MessageDecoder | undefined;
  #held = false;
  #resting = false;
  #done = false;
  #reading = false;
  /** Bytes behind a hold. */
  #unread: Buffer | undefined;
  /** The beginning of a frame whose end has not come. */
  #partial: Gathering | undefined;
  /** The message whose end has not come. */
  #message: Unfinished | undefined;
  #expected: Expectation;

  constructor(receiver: FrameReceiver, bounds: FrameBounds, decoder?: MessageDecoder) {
    this.#receiver = receiver;
    this.#decoder = decoder;
    this.#expected = expectationOf(bounds);
  }

  /** Largest message, in bytes, unless whoever reads has a limit of his own. */
  get maxMessageSize(): number {
    return this.#expected.maxMessageSize;
  }

  set maxMessageSize(size: number) {
    const { bounds, streaming, ownLimit } = this.#expected;
    this.#expect(createExpectation(bounds, size, streaming, ownLimit));
  }

  /**
   * How messages are wanted from now on: whole, or in fragments as they come, and of at most `maxSize` bytes. What of a message has been gathered
   * is its first fragment then. A message that is being streamed stays so, under the limit it began with, to its end.
   */
  expect(streaming: boolean, maxSize?: number): void {
    const { bounds, maxMessageSize } = this.#expected;
    this.#expect(createExpectation(bounds, maxMessageSize, streaming, maxSize));
  }

  #expect(expectation: Expectation): void {
    const { largest } = this.#expected;
    this.#expected = expectation;
    const message = this.#message;
    if (message === undefined) return;
    if (message.streamed) {
      message.limit = expectation.streaming ? undefined : (message.limit ?? largest);
      return;
    }
    if (!this.#mayStream(message.rsv)) return;
    const { gathered } = message;
    message.gathered = undefined;
    message.streamed = true;
    if (gathered !== undefined) this.#giveFragment(message, gathered.bytes.subarray(0, gathered.length), true, false);
  }

  /** Whether frames wait for `release` or `wake`. */
  get held(): boolean {
    return this.#held || this.#resting;
  }

  /** Stops before the next frame, at once; what has been read stays here. The socket is paused by the caller. */
  hold(): void {
    this.#held = true;
  }

  /** Goes on with what is here; `held` tells whether it came to the end of it. */
  release(): void {
    this.#held = false;
    if (!this.#reading) this.#run();
  }

  /** Goes on after a long turn. */
  wake(): void {
    this.#resting = false;
    if (this.#reading) return;
    beginShare(this); // However little there is left.
    this.#run();
  }

  /** Takes bytes off the socket. */
  read(chunk: Buffer): void {
    if (this.#done) return;
    this.#unread = this.#unread === undefined ? chunk : Buffer.concat([this.#unread, chunk]);
    if (!this.#reading) this.#run();
  }

  #run(): void {
    this.#reading = true; // What is told may call `read` and `release` again; this loop then goes on with what they left.
    while (this.#unread !== undefined && !this.held && !this.#done) {
      const chunk: Buffer = this.#unread;
      this.#unread = undefined;
      if (chunk.length >= LARGE) beginShare(this);
      const used = this.#partial === undefined ? this.#readWhole(chunk) : this.#readRest(this.#partial, chunk);
      if (used < chunk.length && !this.#done) {
        const rest = chunk.subarray(used);
        this.#unread = this.#unread === undefined ? rest : Buffer.concat([rest, this.#unread]);
      }
      if (isTimed(this)) this.#rest();
    }
    this.#reading = false;
  }

  #rest(): void {
    if (this.#done || this.#resting || !isShareOver()) return;
    this.#resting = true;
    this.#receiver.onLongTurn();
  }

  /** Reads the frames that lie whole in a chunk and keeps the beginning of the next; gives the number of bytes used. */
  #readWhole(chunk: Buffer): number {
    let at = 0;
    const words = wordsOf(chunk);
    while (at < chunk.length && !this.held && !this.#done) {
      if (isTimed(this) && isTimeToLook(this.#decoder !== undefined)) this.#rest();
      const available = chunk.length - at;
      const wanted = this.#inspect(chunk, at, available);
      if (wanted > available) {
        this.#partial = new Gathering();
        this.#partial.add(chunk.subarray(at), wanted);
        return chunk.length;
      }
      if (wanted > 0) this.#readFrame(chunk, at, at + wanted, words);
      at += wanted;
    }
    return at;
  }

  /** Completes the frame begun in earlier chunks, copying no more than it needs; gives the number of bytes used. */
  #readRest(partial: Gathering, chunk: Buffer): number {
    let at = 0;
    for (;;) {
      const wanted = this.#inspect(partial.bytes, 0, partial.length);
      if (wanted <= partial.length) {
        this.#partial = undefined;
        if (wanted > 0) this.#readFrame(partial.bytes, 0, wanted, wordsOf(partial.bytes));
        return at;
      }
      if (at === chunk.length) return at;
      const more = chunk.subarray(at, at + wanted - partial.length);
      partial.add(more, wanted);
      at += more.length;
    }
  }

  /**
   * Checks as much of a frame's header as is there. Gives how many bytes the next step wants: more than `available` when it must
   * wait, else the size of the whole frame; 0 when the frame breaks a rule.
   */
  #inspect(bytes: Buffer, at: number, available: number): number {
    if (available < 2) return 2;
    const first = bytes[at]!; // Two bytes are there.
    const second = bytes[at + 1]!;
    const opcode = first & 0x0f;
    const short = second & 0x7f;
    // Reserved bits belong to the extensions and to the beginning of a message.
    const reserved = this.#decoder !== undefined && (opcode === opcodes.text || opcode === opcodes.binary) ? this.#decoder.rsv : 0;
    if (((first >> 4) & 7 & ~reserved) !== 0 || (second & 0x80) === 0) return this.#violation(closures.protocolError);
    if (opcode >= opcodes.close) {
      const badLength = short > 125 || (opcode === opcodes.close && short === 1); // Half a close code is none.
      if (opcode > opcodes.pong || (first & 0x80) === 0 || badLength) return this.#violation(closures.protocolError);
    } else if (opcode > opcodes.binary || (opcode === opcodes.continuation) !== (this.#message !== undefined)) {
      return this.#violation(closures.protocolError);
    }
    if (short < 126) {
      if (opcode < opcodes.close && this.#exceeds(short, first)) return this.#violation(closures.messageTooBig);
      return 6 + short;
    }
    const lengthEnd = short === 126 ? 4 : 10;
    if (available < lengthEnd) return lengthEnd;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
    if (this.#exceeds(length, first)) return this.#violation(closures.messageTooBig);
    return lengthEnd + 4 + length;
  }

  #exceeds(length: number, firstByte: number): boolean {
    if (length === 0) return false;
    const { largestFrame } = this.#expected;
    if (largestFrame !== false && length > largestFrame) return true;
    const message = this.#message;
    if (message === undefined) return length > this.#limit(this.#mayStream((firstByte >> 4) & 7));
    return message.size + length > (message.limit ?? this.#limit(message.streamed));
  }

  /** A message that an extension needs whole is bounded by what may be kept, however large the ones may be that flow through. */
  #limit(streamed: boolean): number {
    const { streaming, maxMessageSize, largest } = this.#expected;
    return streaming && !streamed ? Math.min(maxMessageSize, largest) : largest;
  }

  #mayStream(rsv: number): boolean {
    return this.#expected.streaming && rsv === 0 && this.#decoder?.optional !== false;
  }

  #readFrame(bytes: Buffer, at: number, end: number, words: Words | undefined): void {
    const first = bytes[at]!; // A whole frame is there.
    const short = bytes[at + 1]! & 0x7f;
    const start = at + (short < 126 ? 6 : short === 126 ? 8 : 14);
    const opcode = first & 0x0f;
    const final = (first & FIN) !== 0;
    const whole = final && opcode !== opcodes.continuation && opcode < opcodes.close && !this.#expected.streaming;
    if (whole && this.discarding) return;
    unmask(bytes, start, end, words);
    const rsv = (first >> 4) & 7;
    if (opcode < opcodes.close) {
      if (whole) this.#deliver(opcode, rsv, bytes, start, end);
      else this.#readFragment(opcode, final, rsv, bytes.subarray(start, end));
    } else if (opcode === opcodes.ping) this.#receiver.onPing(bytes.subarray(start, end));
    else if (opcode === opcodes.pong) this.#receiver.onPong(bytes.subarray(start, end));
    else this.#readClose(bytes.subarray(start, end));
  }

  #readFragment(opcode: number, final: boolean, rsv: number, payload: Buffer): void {
    const first = opcode !== opcodes.continuation;
    this.#message ??= new Unfinished(opcode, rsv, this.#mayStream(rsv));
    const message = this.#message;
    message.size += payload.length;
    if (message.streamed) {
      this.#giveFragment(message, payload, first, final);
      return;
    }
    const { bounds, largest } = this.#expected;
    if (++message.fragments > bounds.maxFragments) {
      this.#violation(closures.tooManyFragments);
      return;
    }
    message.gathered ??= new Gathering();
    message.gathered.add(payload, largest);
    if (!final) return;
    this.#message = undefined;
    this.#deliver(message.opcode, message.rsv, message.gathered.bytes, 0, message.gathered.length);
  }

  #giveFragment(message: Unfinished, payload: Buffer, first: boolean, final: boolean): void {
    const binary = message.opcode === opcodes.binary;
    if (first && !binary) message.text = new Utf8Check();
    if (message.text?.accepts(payload, final) === false) {
      this.#violation(closures.invalidPayload);
      return;
    }
    if (final) this.#message = undefined;
    this.#receiver.onFragment(payload, binary, first, final);
  }

  #deliver(opcode: number, rsv: number, bytes: Buffer, start: number, end: number): void {
    if (this.discarding) return;
    if (this.#decoder === undefined) {
      this.#tell(opcode, bytes, start, end);
    } else {
      const data = this.#decode(this.#decoder, opcode, rsv, bytes.subarray(start, end));
      if (data !== undefined) this.#tell(opcode, data, 0, data.length);
    }
  }

  /** Text is made of the bytes where they lie: a view of them first would cost as much as the text. */
  #tell(opcode: number, bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    if (opcode === opcodes.binary) {
      this.#receiver.onMessage(bytes.subarray(start, end), size);
    } else if (size > constants.MAX_STRING_LENGTH) {
      this.#violation(closures.messageTooBig);
    } else {
      const text = bytes.toString("utf8", start, end);
      // What is not UTF-8 becomes U+FFFD, which a text may hold as well.
      if (text.includes("\uFFFD") && !isUtf8(bytes.subarray(start, end))) this.#violation(closures.invalidPayload);
      else this.#receiver.onMessage(text, size);
    }
  }

  #decode(decoder: MessageDecoder, opcode: number, rsv: number, payload: Buffer): Buffer | undefined {
    try {
      return decoder.decode(payload, opcode === opcodes.binary, rsv, this.#limit(false));
    } catch (error) {
      if (error instanceof MessageRefused) {
        this.#violation(error.closure);
      } else {
        this.#finish();
        this.#receiver.onDecodeFailure(error);
      }
      return undefined;
    }
  }

  #readClose(payload: Buffer): void {
    if (payload.length === 0) {
      this.#finish();
      this.#receiver.onClose(closures.noStatus.code, "");
      return;
    }
    const code = payload.readUInt16BE(0);
    const reason = payload.subarray(2);
    if (!isWireCode(code)) this.#violation(closures.protocolError);
    else if (!isUtf8(reason)) this.#violation(closures.invalidPayload);
    else {
      this.#finish();
      this.#receiver.onClose(code, reason.toString());
    }
  }

  #violation(closure: Closure): 0 {
    this.#finish();
    this.#receiver.onViolation(closure);
    return 0;
  }

  #finish(): void {
    this.#done = true;
    this.#unread = undefined;
    this.#partial = undefined;
    this.#message = undefined;
  }
}
