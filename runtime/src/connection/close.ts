// How connections end: the one table of close codes, and the rules for codes and reasons (RFC 6455 sections 5.5.1 and 7.4).

import { Buffer } from "node:buffer";
import { WsgenError } from "../errors.ts";

/** One way for a connection to end. */
export interface Closure {
  readonly code: number;
  /** The text in the close frame: always this one, never anything the peer or a handler said. */
  readonly reason: string;
  /** Who puts the code on the wire; `nobody` for the two that are only ever observed. */
  readonly sender: "server" | "either" | "nobody";
  readonly when: string;
}

/** Every close code this package sends or reports, by situation. 3000–4999 belong to the application. docs are tested against it. */
export const closures = {
  normal: { code: 1000, reason: "", sender: "either", when: "The handler returned, or close() was called." },
  goingAway: { code: 1001, reason: "going away", sender: "either", when: "The server stops for good; a browser leaves the page." },
  pingTimeout: { code: 1001, reason: "ping timeout", sender: "server", when: "Nothing came from the peer within the heartbeat's timeout." },
  idle: { code: 1001, reason: "idle timeout", sender: "server", when: "No message went either way for as long as idleTimeout allows." },
  lifetime: { code: 1001, reason: "lifetime over", sender: "server", when: "The connection is as old as maxLifetime allows." },
  protocolError: {
    code: 1002,
    reason: "",
    sender: "either",
    when: "A frame breaks RFC 6455: mask, reserved bits, opcode, control frames, close code.",
  },
  unsupportedData: {
    code: 1003,
    reason: "unsupported data type",
    sender: "server",
    when: "A binary frame where only text is spoken, or the reverse.",
  },
  noStatus: { code: 1005, reason: "", sender: "nobody", when: "The peer's close frame held no code." },
  lost: { code: 1006, reason: "", sender: "nobody", when: "TCP ended without a close frame." },
  invalidPayload: {
    code: 1007,
    reason: "invalid payload",
    sender: "either",
    when: "Text that is not UTF-8, or not JSON where JSON is due; bytes that a codec cannot read; compressed data that is broken.",
  },
  unknownMessage: { code: 1008, reason: "unknown message", sender: "server", when: "A message the contract does not know." },
  invalidMessage: { code: 1008, reason: "invalid message", sender: "server", when: "A message that its schema refuses." },
  tooManyFragments: {
    code: 1008,
    reason: "too many fragments",
    sender: "server",
    when: "A message in more than maxFragments fragments: 16,384.",
  },
  rateLimit: { code: 1008, reason: "rate limit", sender: "server", when: "More messages or bytes a second than inboundRate allows." },
  messageTooBig: {
    code: 1009,
    reason: "message too big",
    sender: "either",
    when: "A message over the size limit, seen from its header, or while it is inflated.",
  },
  internalError: { code: 1011, reason: "", sender: "server", when: "The handler threw, or an extension." },
  serviceRestart: { code: 1012, reason: "service restart", sender: "server", when: "The server drains: a deploy, SIGTERM." },
  overload: { code: 1013, reason: "try again later", sender: "server", when: "The server has no room for this connection at the moment." },
  stalled: {
    code: 1013,
    reason: "try again later",
    sender: "server",
    when: "What the peer sent waited for a handler for longer than maxStall allows.",
  },
  slowConsumer: {
    code: 1013,
    reason: "slow consumer",
    sender: "server",
    when: "The peer reads slower than it is sent to, and sends did not wait for it.",
  },
} as const satisfies Readonly<Record<string, Closure>>;

/** The most UTF-8 bytes a close reason can have: a control frame's 125 less the code (RFC 6455 section 5.5). */
export const MAX_REASON_BYTES = 123;

/** Whether a close frame may carry this code (RFC 6455 section 7.4 and the IANA registry). */
export function isWireCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || isApplicationCode(code);
}

function isApplicationCode(code: number): boolean {
  return code >= 3000 && code <= 4999;
}

/** Whether this code says that the peer has sent what it must not. */
export function isPeersFault(code: number): boolean {
  return code === 1002 || code === 1003 || (code >= 1007 && code <= 1009);
}

/** Throws a WsgenError unless a handler may close with this: 1000 or 3000–4999, and a reason of at most 123 UTF-8 bytes. */
export function assertUserClose(code: number, reason: string): void {
  if (!Number.isInteger(code) || !(code === 1000 || isApplicationCode(code))) {
    throw new WsgenError("WSGEN_USAGE", `close(${code}): the code must be 1000 or from 3000 to 4999 (RFC 6455 section 7.4).`);
  }
  const bytes = Buffer.byteLength(reason);
  if (bytes > MAX_REASON_BYTES) {
    throw new WsgenError("WSGEN_USAGE", `close(${code}): the reason has ${bytes} bytes of UTF-8; a close frame holds ${MAX_REASON_BYTES}.`);
  }
}

/** The longest beginning of a reason that fits a close frame, cut between characters. */
export function cutReason(reason: string): string {
  if (reason.length * 3 <= MAX_REASON_BYTES) return reason;
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (end > 0 && (bytes.readUInt8(end) & 0xc0) === 0x80) end--; // Back over the continuation bytes of a character that is cut.
  return bytes.toString("utf8", 0, end);
}

/** The payload of a close frame; 1005 is said by an empty one. */
export function closePayload(code: number, reason: string): Buffer {
  if (code === closures.noStatus.code) return Buffer.alloc(0);
  const text = Buffer.from(cutReason(reason));
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  payload.set(text, 2);
  return payload;
}
