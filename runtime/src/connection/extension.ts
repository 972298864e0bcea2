// Extensions of the wire (RFC 6455 section 9): what they are, and those of one connection applied to its messages in order.

import { Buffer } from "node:buffer";
import { WsgenError } from "../errors.ts";
import { closures } from "./close.ts";
import { type MessageDecoder, MessageRefused } from "./message-decoder.ts";
import { attempt } from "./thenable.ts";
import { encodeFrame, opcodes, payloadStart } from "./wire.ts";

/** Parameters of an extension in the handshake; `true` for one without a value. Offered values are strings, as sent. */
export type ExtensionParameters = Readonly<Record<string, string | number | true>>;

/** A data message on its way through an extension: whole, however many frames it came in. */
export interface ExtensionMessage {
  /** Not to be changed in place: on its way out it is other connections' as well. */
  readonly data: Uint8Array;
  readonly binary: boolean;
  /** The reserved bits of its first frame that belong to this extension: RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv: number;
}

/** What an extension does on one connection. Whatever it throws closes the connection with 1011. */
export interface ExtensionCodec {
  /** What the 101 says beside the name. Default: nothing. */
  readonly parameters?: ExtensionParameters;
  /**
   * Changes a message on its way out; `message.rsv` is 0 then. Sets none but the extension's own bits. Called in the order of sending, except
   * for what `conn.message()` sends in parts: that comes first, and is encoded last, when it is whole. It may be no larger than
   * `limits.maxMessageSize` then; a larger one closes the connection with 1011.
   */
  encode(message: ExtensionMessage): Pick<ExtensionMessage, "data" | "rsv">;
  /** Changes a message on its way in. More than `maxSize` bytes close the connection with 1009. */
  decode(message: ExtensionMessage, maxSize: number): Uint8Array;
  /** The connection is gone. What it throws, or rejects with, is logged: there is nothing left to close. */
  close?(): void;
}

/** An extension of the protocol, see {@link defineExtension}. */
export interface Extension {
  /** As in Sec-WebSocket-Extensions. */
  readonly name: string;
  /** `false`: in use on every connection, with nothing in the handshake, because both sides know. Default: true, used where the client offers it. */
  readonly negotiated?: boolean;
  /** The reserved bits that are its own, as a sum: RSV1 is 4, RSV2 is 2, RSV3 is 1. Default: 0, none. */
  readonly rsv?: number;
  /**
   * Begins a connection. Gets the parameters of an offer and gives what works on the connection, or `undefined` to decline; the next
   * offer of the same name is then tried. Not negotiated: called with no parameters, and may not decline.
   * `lossy`: the peer may miss messages that have been encoded (see `Limits.overflow`), so that later ones must not build on them.
   */
  accept(offered: ExtensionParameters, lossy: boolean): ExtensionCodec | undefined;
}

/**
 * Checks an extension and gives it back. For the option `extensions` of routers and routes.
 *
 * ```ts
 * const xor = defineExtension({
 *   name: "x-xor",
 *   accept: ({ key }) => (typeof key === "string" ? createXor(Number(key)) : undefined),
 * });
 * ```
 *
 * @throws WsgenError WSGEN_USAGE when the name is no token, or a reserved bit does not exist.
 */
export function defineExtension(extension: Extension): Extension {
  const { name, rsv = 0 } = extension;
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw new WsgenError("WSGEN_USAGE", `defineExtension(): ${JSON.stringify(name)} is no token (RFC 6455 section 9.1).`);
  }
  if (!Number.isInteger(rsv) || rsv < 0 || rsv > 7) {
    throw new WsgenError("WSGEN_USAGE", `defineExtension(): the rsv of "${name}" must be a sum of 4 (RSV1), 2 (RSV2) and 1 (RSV3).`);
  }
  return extension;
}

/** A codec of our own. */
export interface OwnCodec extends ExtensionCodec {
  /** Set when what `encode` gives depends on nothing but the message and this text: members of a room then share the encoded frame. */
  readonly sharedAs?: string | undefined;
  /** Bytes of the smallest message that `encode` does anything about. Default: 0. */
  readonly minSize?: number;
  /** Whether a message may go without it, which is how messages go that are sent in parts: what comes behind them may be encoded already. */
  readonly optional?: boolean;
}

/** An extension at work. */
export interface ExtensionLayer {
  readonly rsv: number;
  readonly codec: OwnCodec;
}

/** The extensions of one connection: in their order on the way out, reversed on the way in (RFC 6455 section 9.1). */
export class ExtensionStack implements MessageDecoder {
  /** The reserved bits that mean something here. */
  readonly rsv: number;
  /** Whether messages without any of them pass unchanged. */
  readonly optional: boolean;
  readonly #layers: readonly ExtensionLayer[];
  readonly #shared: WeakMap<Buffer, Buffer> | undefined;
  readonly #minSize: number;
  /** The fragments of an outgoing message whose end has not come, and their bytes. */
  #fragments: Buffer[] | undefined;
  #gathered = 0;

  constructor(layers: readonly ExtensionLayer[]) {
    this.#layers = layers;
    this.rsv = layers.reduce((bits, { rsv }) => bits | rsv, 0);
    this.optional = layers.every(({ codec }) => codec.optional === true);
    this.#minSize = Math.min(...layers.map(({ codec }) => codec.minSize ?? 0));
    this.#shared = layers.every(({ codec }) => codec.sharedAs !== undefined)
      ? sharedFrames(layers.map(({ codec }) => codec.sharedAs).join(";"))
      : undefined;
  }

  /** Whether no message builds on another, as far as is known. */
  get independent(): boolean {
    return this.#shared !== undefined;
  }

  decode(payload: Buffer, binary: boolean, rsv: number, maxSize: number): Buffer {
    let data: Uint8Array = payload;
    for (let index = this.#layers.length - 1; index >= 0; index--) {
      const layer = this.#layers[index]!; // The loop's own bounds.
      data = layer.codec.decode({ data, binary, rsv: rsv & layer.rsv }, maxSize);
      if (data.length > maxSize) throw new MessageRefused(closures.messageTooBig);
    }
    return asBuffer(data);
  }

  /**
   * The frame to send instead of a plain, unmasked one. `undefined` for a fragment that must wait for the others: an extension works on
   * whole messages, unless the message may go without it. Throws WSGEN_USAGE when more than `maxGathered` bytes would wait.
   */
  encode(frame: Buffer, maxGathered: number): Buffer | undefined {
    const first = frame.readUInt8(0);
    const opcode = first & 0x0f;
    if (opcode >= opcodes.close) return frame;
    if (first !== (0x80 | opcode) || opcode === opcodes.continuation) return this.optional ? frame : this.#gather(frame, maxGathered);
    if (frame.length < this.#minSize) return frame;
    const known = this.#shared?.get(frame);
    if (known !== undefined) return known;
    const encoded = this.#encodeMessage(this.#layers, opcode, frame.subarray(payloadStart(frame)), frame);
    this.#shared?.set(frame, encoded); // The plain one as well: that it is best as it is took as much to find out.
    return encoded;
  }

  /** `onFailure`: told what a codec throws while it ends. The others end all the same. */
  close(onFailure: (error: unknown) => void): void {
    this.#fragments = undefined;
    for (const { codec } of this.#layers) attempt(() => codec.close?.(), onFailure);
  }

  #gather(frame: Buffer, most: number): Buffer | undefined {
    this.#fragments ??= [];
    this.#fragments.push(frame);
    this.#gathered += frame.length - payloadStart(frame);
    if (this.#gathered > most) {
      throw new WsgenError(
        "WSGEN_USAGE",
        `message(): an extension needs messages whole, and this one has more than maxMessageSize, ${most} bytes. Send it in several messages.`,
      );
    }
    if ((frame.readUInt8(0) & 0x80) === 0) return undefined;
    const fragments = this.#fragments;
    this.#fragments = undefined;
    this.#gathered = 0;
    const opcode = (fragments[0] ?? frame).readUInt8(0) & 0x0f;
    const layers = this.#layers.filter(({ codec }) => codec.optional !== true);
    return this.#encodeMessage(
      layers,
      opcode,
      Buffer.concat(fragments.map((fragment) => fragment.subarray(payloadStart(fragment)))),
      undefined,
    );
  }

  /** `plain`: the frame that says the same without extensions. */
  #encodeMessage(layers: readonly ExtensionLayer[], opcode: number, payload: Buffer, plain: Buffer | undefined): Buffer {
    let data: Uint8Array = payload;
    let bits = 0;
    for (const layer of layers) {
      const encoded = layer.codec.encode({ data, binary: opcode === opcodes.binary, rsv: 0 });
      if ((encoded.rsv & ~layer.rsv) !== 0) throw new WsgenError("WSGEN_USAGE", "An extension set a reserved bit that is not its own.");
      data = encoded.data;
      bits |= encoded.rsv;
    }
    if (data === payload && bits === 0 && plain !== undefined) return plain;
    const frame = encodeFrame(opcode, data);
    frame.writeUInt8(frame.readUInt8(0) | (bits << 4), 0);
    return frame;
  }
}

const shared = new Map<string, WeakMap<Buffer, Buffer>>();

/** Encoded frames by the plain ones, for all connections with the same parameters, for as long as somebody holds the plain one. */
function sharedFrames(key: string): WeakMap<Buffer, Buffer> {
  let frames = shared.get(key);
  if (frames === undefined) {
    frames = new WeakMap();
    shared.set(key, frames);
  }
  return frames;
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
