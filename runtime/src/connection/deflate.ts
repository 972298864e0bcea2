// permessage-deflate (RFC 7692), synchronous: a frame that waited for a thread would lose its place in the order. No zlib stream outlives
// a message. Where a context is taken over it is handed to zlib as a dictionary: the plain bytes, 8 and 32 KiB, instead of 240 KB of streams.

import { Buffer, constants as bufferConstants } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from "node:zlib";
import { WsgenError } from "../errors.ts";
import { closures } from "./close.ts";
import type { Extension, ExtensionMessage, ExtensionParameters, OwnCodec } from "./extension.ts";
import { MessageRefused } from "./message-decoder.ts";

/** Options of permessage-deflate (RFC 7692 section 7.1). What the client asks for beyond them is granted. */
export interface DeflateOptions {
  /** Largest window to compress with, as a power of two: 8–15. Default: 15 (32 KiB). */
  readonly serverMaxWindowBits?: number;
  /** Largest window a client may compress with, 8–15. Below 15, clients that cannot be told so connect without compression. Default: 15. */
  readonly clientMaxWindowBits?: number;
  /**
   * Compress every message by itself. Default: true, so that a room compresses a message once for all members. `false` compresses small
   * messages that are alike far better, once per member, and keeps 8 KiB per connection. Always true where `Limits.overflow` drops messages.
   */
  readonly serverNoContextTakeover?: boolean;
  /** Have clients compress every message by itself. Default: true. `false` keeps up to 32 KiB per connection. */
  readonly clientNoContextTakeover?: boolean;
  /** zlib's effort, from 0 to 9. Default: 6. */
  readonly level?: number;
  /** zlib's memory, from 1 to 9. Default: 8. */
  readonly memLevel?: number;
  /** Messages with fewer bytes go uncompressed, with context takeover too. Default: 1024; less fits into one packet anyway. */
  readonly minSize?: number;
}

export const DEFLATE = "permessage-deflate";
/** RFC 7692: "Per-Message Compressed" is RSV1. */
const RSV1 = 4;
/** Where an empty stored block ends, which every message leaves out (RFC 7692 section 7.2.1). */
const FLUSH_TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** The same, and a last, empty block behind it, so that zlib tells a message that ends early from one that is whole. */
const FINAL_TAIL = Buffer.from([...FLUSH_TAIL, 0x01, 0x00, 0x00, 0xff, 0xff]);
/** The same with another block in between. */
const LONG_TAIL = Buffer.from([...FLUSH_TAIL, 0x00, 0x00, 0x00, 0xff, 0xff, ...FINAL_TAIL.subarray(FLUSH_TAIL.length)]);
/** How much of what was sent a next message may refer to. 32 KiB would take zlib 100 µs more for every message, just to look at. */
const SENT_HISTORY = 8 * 1024;
const EMPTY = Buffer.alloc(0);

const defaults: Required<DeflateOptions> = Object.freeze({
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: true, // A room then compresses once.
  clientNoContextTakeover: true,
  level: 6, // zlib's own
  memLevel: 8, // zlib's own
  minSize: 1024, // bytes
});

/** Makes the extension. Throws WSGEN_USAGE when an option is out of its range. */
export function createDeflate(given: DeflateOptions): Extension {
  const options = { ...defaults, ...given };
  assertRange(options, "serverMaxWindowBits", 8, 15);
  assertRange(options, "clientMaxWindowBits", 8, 15);
  assertRange(options, "level", 0, 9);
  assertRange(options, "memLevel", 1, 9);
  assertRange(options, "minSize", 0, Number.MAX_SAFE_INTEGER);
  /** What takes over nothing remembers nothing: one serves all connections with the same parameters. */
  const stateless = new Map<string, DeflateCodec>();
  return {
    name: DEFLATE,
    rsv: RSV1,
    accept(offered, lossy) {
      const terms = agree({ ...options, serverNoContextTakeover: options.serverNoContextTakeover || lossy }, offered);
      if (terms === undefined) return undefined;
      if (terms.serverTakeover || terms.clientTakeover) return new DeflateCodec(options, terms);
      const key = JSON.stringify(terms.parameters);
      const codec = stateless.get(key) ?? new DeflateCodec(options, terms);
      stateless.set(key, codec);
      return codec;
    },
  };
}

/** Whether a parameter is one of permessage-deflate's, with a value it can have. Names that nobody knows are another matter: they decline the offer. */
export function isDeflateParameter(name: string, value: string | undefined): boolean {
  switch (name) {
    case "server_no_context_takeover":
    case "client_no_context_takeover":
      return value === undefined;
    case "client_max_window_bits":
      return value === undefined || isWindowBits(value);
    case "server_max_window_bits":
      return value !== undefined && isWindowBits(value);
    default:
      return true;
  }
}

function isWindowBits(value: string): boolean {
  return /^(?:[89]|1[0-5])$/.test(value);
}

function assertRange(options: Required<DeflateOptions>, name: keyof DeflateOptions, least: number, most: number): void {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
  throw new WsgenError("WSGEN_USAGE", `deflate: ${name} is ${String(options[name])}; it must be a whole number, ${range}.`);
}

/** What both sides do on one connection. */
interface Terms {
  readonly parameters: ExtensionParameters;
  readonly serverBits: number;
  readonly clientBits: number;
  readonly serverTakeover: boolean;
  readonly clientTakeover: boolean;
}

/** RFC 7692 section 7.1. `undefined` declines the offer. */
function agree(options: Required<DeflateOptions>, offered: ExtensionParameters): Terms | undefined {
  const {
    server_no_context_takeover: serverAlone,
    client_no_context_takeover: clientAlone,
    server_max_window_bits: serverMost,
    client_max_window_bits: clientMost,
    ...unknown
  } = offered;
  if (Object.keys(unknown).length > 0) return undefined; // RFC 7692 section 5.1.
  // A client that does not name its window cannot be asked to make it smaller (section 7.1.2.2).
  if (clientMost === undefined && options.clientMaxWindowBits < 15) return undefined;
  const serverBits = Math.min(options.serverMaxWindowBits, Number(serverMost ?? 15));
  const clientBits = Math.min(options.clientMaxWindowBits, clientMost === undefined || clientMost === true ? 15 : Number(clientMost));
  const serverTakeover = !options.serverNoContextTakeover && serverAlone === undefined;
  const clientTakeover = !options.clientNoContextTakeover && clientAlone === undefined;
  const parameters: ExtensionParameters = {
    ...(serverTakeover ? {} : { server_no_context_takeover: true }),
    ...(clientTakeover ? {} : { client_no_context_takeover: true }),
    ...(serverBits < 15 || serverMost !== undefined ? { server_max_window_bits: serverBits } : {}),
    ...(clientBits < 15 || typeof clientMost === "string" ? { client_max_window_bits: clientBits } : {}),
  };
  return { parameters, serverBits, clientBits, serverTakeover, clientTakeover };
}

class DeflateCodec implements OwnCodec {
  readonly parameters: ExtensionParameters;
  readonly sharedAs: string | undefined;
  readonly minSize: number;
  readonly optional = true;
  readonly #options: Required<DeflateOptions>;
  readonly #terms: Terms;
  #sent: History | undefined;
  #received: History | undefined;

  constructor(options: Required<DeflateOptions>, terms: Terms) {
    this.parameters = terms.parameters;
    this.#options = options;
    this.#terms = terms;
    const { level, memLevel, minSize } = options;
    this.minSize = minSize;
    this.sharedAs = terms.serverTakeover ? undefined : `${DEFLATE} ${terms.serverBits} ${level} ${memLevel} ${minSize}`;
  }

  encode({ data }: ExtensionMessage): Pick<ExtensionMessage, "data" | "rsv"> {
    const { level, memLevel, minSize } = this.#options;
    if (data.length < minSize) return { data, rsv: 0 };
    const { serverBits, serverTakeover } = this.#terms;
    const deflated = deflateRawSync(data, {
      level,
      memLevel,
      windowBits: Math.max(9, serverBits), // zlib has no raw 8; its 9 looks back 250 bytes at most, which a window of 256 holds.
      finishFlush: constants.Z_SYNC_FLUSH,
      chunkSize: Math.min(data.length + 64, 64 * 1024), // A chunk that holds the whole saves a copy.
      ...dictionary(this.#sent),
    });
    const length = deflated.length - FLUSH_TAIL.length;
    if (length >= data.length) return { data, rsv: 0 }; // As if it had never been compressed: the peer's context does not see it either.
    if (serverTakeover) {
      this.#sent ??= new History(Math.min(2 ** serverBits, SENT_HISTORY));
      this.#sent.add(data);
    }
    return { data: deflated.subarray(0, length), rsv: RSV1 };
  }

  decode({ data, rsv }: ExtensionMessage, maxSize: number): Uint8Array {
    if (rsv === 0) return data;
    if (data.length === 0) return EMPTY; // Not what RFC 7692 section 7.2.3.6 writes for an empty message, but nothing else is meant.
    const { clientBits, clientTakeover } = this.#terms;
    const options: ZlibOptions = {
      windowBits: clientBits,
      chunkSize: Math.max(1024, Math.min(4 * data.length, 64 * 1024)),
      maxOutputLength: Math.max(1, Math.min(maxSize, bufferConstants.MAX_LENGTH)), // It stops there: a bomb never gets larger.
      ...dictionary(this.#received),
    };
    const inflated = inflate(data, FINAL_TAIL, options);
    // Bytes that end like the tail may be the tail, swallowed by a block that claims to be longer.
    if (inflated.subarray(-FINAL_TAIL.length).equals(FINAL_TAIL)) inflate(data, LONG_TAIL, options);
    if (clientTakeover) {
      this.#received ??= new History(2 ** clientBits);
      this.#received.add(inflated);
    }
    return inflated;
  }

  close(): void {
    this.#sent = undefined;
    this.#received = undefined;
  }
}

interface Inflated {
  readonly buffer: Buffer;
  /** Its `bytesWritten` are those it consumed. */
  readonly engine: { readonly bytesWritten: number };
}

/** Refuses what ends inside a block, and so in the tail. Behind a block that is marked as the last anything may stand. */
function inflate(data: Uint8Array, tail: Buffer, options: ZlibOptions): Buffer {
  try {
    const bytes = Buffer.concat([data, tail]);
    // With `info` it gives this, which @types/node does not know (https://nodejs.org/api/zlib.html#class-options).
    const { buffer, engine } = inflateRawSync(bytes, { ...options, info: true }) as unknown as Inflated;
    if (engine.bytesWritten > data.length && engine.bytesWritten < bytes.length) throw new MessageRefused(closures.invalidPayload);
    return buffer;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new MessageRefused(closures.messageTooBig);
    if (code === "Z_DATA_ERROR" || code === "Z_BUF_ERROR") throw new MessageRefused(closures.invalidPayload);
    throw error;
  }
}

function dictionary(history: History | undefined): Pick<ZlibOptions, "dictionary"> {
  return history === undefined ? {} : { dictionary: history.bytes };
}

/** The last bytes that went through in one direction: the LZ77 window (RFC 7692 section 7.2). Grows as far as it is needed. */
class History {
  readonly #most: number;
  #buffer: Buffer = EMPTY;
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  add(data: Uint8Array): void {
    const added = data.length > this.#most ? data.subarray(data.length - this.#most) : data;
    const kept = Math.min(this.#length, this.#most - added.length);
    const length = kept + added.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#most, Math.max(length, 2 * this.#buffer.length)));
      this.#buffer.copy(larger, 0, this.#length - kept, this.#length);
      this.#buffer = larger;
    } else {
      this.#buffer.copyWithin(0, this.#length - kept, this.#length);
    }
    this.#buffer.set(added, kept);
    this.#length = length;
  }
}
