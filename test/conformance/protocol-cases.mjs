// The cases of the protocol suite, as data: what a peer writes, and what an echo server must answer. Written from RFC 6455 and RFC 7692; the groups are
// named as those of the Autobahn test suite, whose numbers they carry. Bytes are made when a case runs.

import { deflateRawSync } from "node:zlib";
import { closing, frame } from "./protocol-peer.mjs";

const KIB = 1024;
const MIB = 1024 * KIB;
const kinds = [
  ["text", 1],
  ["binary", 2],
];

/** `data` comes back and the connection stays open. */
const echoes = (name, bytes, data, more) => ({ name, bytes, data, pongs: [], ...more });
/** The server closes with `code`; nothing but messages that came before may come back. */
const closes = (name, code, bytes, data = [], more) => ({ name, bytes, data, pongs: [], code, lenient: true, ...more });
/** The peer closes: all of `data` comes back, then its close frame with `code` and no reason. */
const leaves = (name, code, bytes, data = []) => ({ name, bytes, data, pongs: [], code });

const join = (...parts) => Buffer.concat(parts);
const text = (data) => [1, Buffer.from(data)];
const binary = (data) => [2, Buffer.from(data)];
/** A message in fragments that end at the given places. */
const fragments = (opcode, payload, ...cuts) => {
  const edges = [0, ...cuts, payload.length];
  return edges.slice(1).map((edge, i) => frame(i === 0 ? opcode : 0, payload.subarray(edges[i], edge), { fin: i === edges.length - 2 }));
};

const framing = [0, 125, 126, 127, 128, 65_535, 65_536].flatMap((size) =>
  kinds.flatMap(([kind, opcode]) => {
    const payload = Buffer.alloc(size, opcode === 1 ? "*" : 0xfe);
    const pieces = size < 1000 ? 1 : opcode === 1 ? 997 : 4096;
    return [
      echoes(`${kind} of ${size} bytes`, () => frame(opcode, payload), [[opcode, payload]]),
      echoes(`${kind} of ${size} bytes, ${pieces} at a time`, () => frame(opcode, payload), [[opcode, payload]], { pieces }),
    ];
  }),
);

const pong = (name, bytes, pongs, data = [], more) => ({ name, bytes, data, pongs: pongs.map((payload) => Buffer.from(payload)), ...more });
const count = (length, make) => Array.from({ length }, (_, i) => make(i));
const pings = [
  pong("an empty ping", () => frame(9), [""]),
  pong("a ping with text", () => frame(9, "Hello"), ["Hello"]),
  pong("a ping with bytes that are no text", () => frame(9, Buffer.from([0, 0xff, 0xfe, 0xfd])), [Buffer.from([0, 0xff, 0xfe, 0xfd])]),
  pong("a ping of 125 bytes", () => frame(9, Buffer.alloc(125, 0xfe)), [Buffer.alloc(125, 0xfe)]),
  pong("a ping of 125 bytes, one at a time", () => frame(9, Buffer.alloc(125, 0xfe)), [Buffer.alloc(125, 0xfe)], [], { pieces: 1 }),
  closes("a ping of 126 bytes", 1002, () => frame(9, Buffer.alloc(126, 0xfe))),
  pong(
    "ten pings",
    () => join(...count(10, (i) => frame(9, `ping ${i}`))),
    count(10, (i) => `ping ${i}`),
  ),
  pong("ten pings, one byte at a time", () => join(...count(10, (i) => frame(9, `${i}`))), count(10, String), [], { pieces: 1 }),
  pong("a pong that nobody asked for", () => frame(10), []),
  pong("a pong with data that nobody asked for, then a ping", () => join(frame(10, "unasked"), frame(9, "asked")), ["asked"]),
  pong("a ping inside a message", () => join(frame(1, "a", { fin: false }), frame(9, "now"), frame(0, "b")), ["now"], [text("ab")]),
  pong("61 pings before a message", () => join(...count(61, (i) => frame(9, `${i}`)), frame(1, "x")), count(61, String), [text("x")]),
];

const reserved = [
  ...count(7, (i) => closes(`reserved bits ${i + 1} on text`, 1002, () => frame(1, "x", { rsv: i + 1 }))),
  closes("a reserved bit on a ping", 1002, () => frame(9, "", { rsv: 2 })),
  closes("a reserved bit on a pong", 1002, () => frame(10, "", { rsv: 4 })),
  closes("a reserved bit on a close frame", 1002, () => frame(8, Buffer.from([3, 232]), { rsv: 4 })),
  closes("a reserved bit behind a good message", 1002, () => join(frame(1, "good"), frame(1, "bad", { rsv: 1 })), [text("good")]),
  closes("a reserved bit on a last fragment", 1002, () => join(frame(1, "a", { fin: false }), frame(0, "b", { rsv: 4 }))),
];

const opcodes = [
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => closes(`opcode ${opcode}`, 1002, () => frame(opcode, opcode % 2 ? "x" : ""))),
  closes("a reserved opcode behind a good message", 1002, () => join(frame(1, "good"), frame(5)), [text("good")]),
  closes("a reserved opcode inside a message", 1002, () => join(frame(1, "a", { fin: false }), frame(3), frame(0, "b"))),
  closes("text without a mask", 1002, () => frame(1, "x", { mask: false })),
  closes("a ping without a mask", 1002, () => frame(9, "x", { mask: false })),
  closes("a close frame without a mask", 1002, () => frame(8, Buffer.from([3, 232]), { mask: false })),
];

const hello = Buffer.from("Hello, wire!");
const fragmentation = [
  ...kinds.map(([kind, opcode]) => echoes(`${kind} in two fragments`, () => join(...fragments(opcode, hello, 5)), [[opcode, hello]])),
  echoes("text in fragments of one byte", () => join(...fragments(1, hello, ...count(11, (i) => i + 1))), [text(hello)]),
  echoes("the same, one byte at a time", () => join(...fragments(1, hello, ...count(11, (i) => i + 1))), [text(hello)], { pieces: 1 }),
  echoes("fragments without a byte", () => join(...fragments(2, Buffer.alloc(0), 0, 0)), [binary("")]),
  echoes("an empty first and an empty last fragment", () => join(...fragments(1, hello, 0, hello.length)), [text(hello)]),
  echoes("two messages in fragments", () => join(...fragments(1, hello, 3), ...fragments(2, hello, 4)), [text(hello), binary(hello)]),
  closes("a ping in fragments", 1002, () => join(frame(9, "a", { fin: false }), frame(0, "b"))),
  closes("a pong in fragments", 1002, () => frame(10, "a", { fin: false })),
  closes("a close frame in fragments", 1002, () => frame(8, Buffer.from([3, 232]), { fin: false })),
  pong(
    "pings between all fragments",
    () => join(...fragments(1, hello, 2, 4, 6).flatMap((part, i) => [part, frame(9, `${i}`)])),
    ["0", "1", "2", "3"],
    [text(hello)],
  ),
  echoes("a pong between fragments", () => join(frame(1, "a", { fin: false }), frame(10, "?"), frame(0, "b")), [text("ab")]),
  closes("a continuation of nothing, the last", 1002, () => frame(0, "x")),
  closes("a continuation of nothing, not the last", 1002, () => frame(0, "x", { fin: false })),
  closes("a continuation behind a whole message", 1002, () => join(frame(1, "whole"), frame(0, "more")), [text("whole")]),
  closes("text inside a message", 1002, () => join(frame(1, "a", { fin: false }), frame(1, "b"))),
  closes("binary inside a text", 1002, () => join(frame(1, "a", { fin: false }), frame(2, "b"), frame(0, "c"))),
  closes("the beginning of a text inside a message", 1002, () => join(frame(2, "a", { fin: false }), frame(1, "b", { fin: false }))),
  leaves("a close frame inside a message", 1000, () => join(frame(1, "a", { fin: false }), closing(1000))),
  echoes("16,384 fragments", () => join(...fragments(2, Buffer.alloc(16_384), ...count(16_383, (i) => i + 1))), [
    binary(Buffer.alloc(16_384)),
  ]),
  closes("16,385 fragments", 1008, () => join(...fragments(2, Buffer.alloc(16_385), ...count(16_384, (i) => i + 1)))),
];

const point = (code) => String.fromCodePoint(code);
const name = (code) => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
const bytes = (hex) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const utf8 = [
  ...[0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1fffe, 0x10ffff].map((code) =>
    echoes(`${name(code)} alone`, () => frame(1, point(code)), [text(point(code))]),
  ),
  echoes("Greek, one byte at a time", () => frame(1, "κόσμε"), [text("κόσμε")], { pieces: 1 }),
  ...[1, 2, 3].map((cut) =>
    echoes(`a character cut behind byte ${cut}`, () => join(...fragments(1, Buffer.from("🌍"), cut)), [text("🌍")]),
  ),
  echoes(
    "a character in four fragments, a ping in each gap",
    () => join(...fragments(1, Buffer.from("🌍"), 1, 2, 3).flatMap((part) => [part, frame(10)])),
    [text("🌍")],
  ),
  echoes("bytes that are no text in a binary message", () => frame(2, bytes("ff fe c0 ed a0 80")), [binary(bytes("ff fe c0 ed a0 80"))]),
  ...[
    ["a lone continuation byte", "80"],
    ["the last continuation byte", "bf"],
    ["continuation bytes behind a character", "c3 a9 80 bf"],
    ["two bytes cut to one", "c3"],
    ["three bytes cut to two", "e2 82"],
    ["four bytes cut to three", "f0 9f 8c"],
    ["a character cut in the middle of text", "41 e2 82 42"],
    ["an overlong / in two bytes", "c0 af"],
    ["the largest overlong form of two bytes", "c1 bf"],
    ["an overlong / in three bytes", "e0 80 af"],
    ["the largest overlong form of three bytes", "e0 9f bf"],
    ["an overlong / in four bytes", "f0 80 80 af"],
    ["the largest overlong form of four bytes", "f0 8f bf bf"],
    ["an overlong NUL", "c0 80"],
    ["the first surrogate", "ed a0 80"],
    ["the last surrogate", "ed bf bf"],
    ["a pair of surrogates", "ed a0 bd ed b8 80"],
    ["U+110000", "f4 90 80 80"],
    ["a lead byte above all characters", "f5 80 80 80"],
    ["five bytes", "f8 88 80 80 80"],
    ["six bytes", "fc 84 80 80 80 80"],
    ["FE", "fe"],
    ["FF", "ff"],
  ].map(([what, hex]) => closes(what, 1007, () => frame(1, bytes(hex)))),
  closes("a bad byte in the first of two fragments", 1007, () => join(...fragments(1, bytes("41 ff 42"), 2))),
  closes("a bad byte in the second of two fragments", 1007, () => join(...fragments(1, bytes("41 42 ff"), 2))),
  closes("a character cut by the end of the message", 1007, () => join(frame(1, bytes("e2"), { fin: false }), frame(0, bytes("82")))),
  closes("bad text behind a good message", 1007, () => join(frame(1, "good"), frame(1, bytes("ff"))), [text("good")]),
];

const closeFrames = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map((code) =>
    leaves(`code ${code}`, code, () => closing(code, "a reason")),
  ),
  leaves("no code", 1005, () => closing()),
  leaves("a reason of 123 bytes", 1000, () => closing(1000, `${"é".repeat(61)}!`)),
  leaves("a close frame one byte at a time", 1000, () => closing(1000, "slowly")),
  leaves("a message, then a close frame", 1000, () => join(frame(1, "last words"), closing(1000)), [text("last words")]),
  leaves("two close frames", 1000, () => join(closing(1000), closing(1001))),
  leaves("text behind the close frame", 1000, () => join(closing(1000), frame(1, "too late"))),
  leaves("a ping behind the close frame", 1000, () => join(closing(1000), frame(9, "too late"))),
  leaves("garbage behind the close frame", 1000, () => join(closing(1000), Buffer.alloc(100, 0xff))),
  closes("half a code", 1002, () => frame(8, Buffer.from([3]))),
  closes("a reason of 124 bytes", 1002, () => closing(1000, "x".repeat(124))),
  closes("a reason that is no text", 1007, () => frame(8, bytes("03 e8 ce ba e1 bd b9 cf 83 ed a0 80"))),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) =>
    closes(`code ${code}`, 1002, () => closing(code)),
  ),
];

const conformance = { profile: "conformance" };
const large = (size, fill) => Buffer.alloc(size, fill);
const sizes = [
  echoes("1 MiB, the limit", () => frame(2, large(MIB, 7)), [binary(large(MIB, 7))]),
  echoes("1 MiB less a byte", () => frame(1, large(MIB - 1, "x")), [text(large(MIB - 1, "x"))]),
  echoes("1 MiB in 64 fragments", () => join(...fragments(2, large(MIB, 7), ...count(63, (i) => (i + 1) * 16 * KIB))), [
    binary(large(MIB, 7)),
  ]),
  closes("1 MiB and a byte, of which the header is there", 1009, () => frame(2, "", { length: MIB + 1 })),
  closes("2 MiB, of which the header is there", 1009, () => frame(1, "", { length: 2 * MIB })),
  closes("2^53 bytes", 1009, () => frame(2, "", { length: 2n ** 53n })),
  closes("2^63 bytes", 1009, () => frame(2, "", { length: 2n ** 63n })),
  closes("fragments of 1 MiB and a byte together", 1009, () => join(frame(2, large(MIB), { fin: false }), frame(0, "x"))),
  echoes("4 MiB of text", () => frame(1, large(4 * MIB, "x")), [text(large(4 * MIB, "x"))], conformance),
  echoes("4 MiB in one frame", () => frame(2, large(4 * MIB, 1)), [binary(large(4 * MIB, 1))], conformance),
  echoes(
    "2 MiB in fragments of 64 bytes",
    () => join(...fragments(2, large(2 * MIB, 1), ...count(2 ** 15 - 1, (i) => (i + 1) * 64))),
    [binary(large(2 * MIB, 1))],
    conformance,
  ),
  echoes(
    "1,000 messages of 16 bytes",
    () => join(...count(1000, () => frame(1, "0123456789abcdef"))),
    count(1000, () => text("0123456789abcdef")),
  ),
];

const offer = "permessage-deflate";
const zipped = (data, options) => deflateRawSync(data, { finishFlush: 2, ...options }).subarray(0, -4);
const json = Buffer.from(JSON.stringify(count(200, (i) => ({ id: i, name: `user ${i % 7}`, active: i % 3 === 0 }))));
const compressed = { offer, agreed: true };
const deflate = [
  ...[
    ["an offer without parameters", "permessage-deflate", true],
    [
      "an offer with all parameters",
      "permessage-deflate; client_no_context_takeover; server_no_context_takeover; client_max_window_bits; server_max_window_bits=10",
      true,
    ],
    ["a second offer", "permessage-deflate; nonsense, permessage-deflate", true],
    ["an unknown extension", "x-unknown; a=1", false],
    ["an offer whose parameters nobody knows", "permessage-deflate; nonsense", false],
  ].map(([what, offer, agreed]) => echoes(what, () => frame(1, "plain"), [text("plain")], { offer, agreed })),
  ...[0, 16, 1000, json.length].map((size) =>
    echoes(
      `${size} bytes compressed`,
      () => frame(1, zipped(json.subarray(0, size)), { rsv: 4 }),
      [text(json.subarray(0, size))],
      compressed,
    ),
  ),
  echoes("64 KiB of zeros compressed", () => frame(2, zipped(large(64 * KIB)), { rsv: 4 }), [binary(large(64 * KIB))], compressed),
  echoes(
    "a compressed message in fragments",
    () => join(...fragments(1, zipped(json), 100, 200)).fill(0x41, 0, 1),
    [text(json)],
    compressed,
  ),
  echoes(
    "three compressed messages",
    () => join(...count(3, () => frame(1, zipped(json), { rsv: 4 }))),
    count(3, () => text(json)),
    compressed,
  ),
  echoes(
    "a plain message beside a compressed one",
    () => join(frame(1, "plain"), frame(1, zipped("zipped"), { rsv: 4 })),
    [text("plain"), text("zipped")],
    compressed,
  ),
  echoes("a stored block", () => frame(1, zipped("stored", { level: 0 }), { rsv: 4 }), [text("stored")], compressed),
  echoes(
    "a compressed message, one byte at a time",
    () => frame(1, zipped("Hello, Hello, Hello"), { rsv: 4 }),
    [text("Hello, Hello, Hello")],
    { ...compressed, pieces: 1 },
  ),
  closes("RSV1 on a continuation", 1002, () => join(frame(1, "a", { fin: false }), frame(0, "b", { rsv: 4 })), [], compressed),
  closes("RSV1 on a ping", 1002, () => frame(9, "", { rsv: 4 }), [], compressed),
  closes("RSV2 beside RSV1", 1002, () => frame(1, zipped("x"), { rsv: 6 }), [], compressed),
  closes("a block of no type", 1007, () => frame(1, bytes("ff ff ff"), { rsv: 4 }), [], compressed),
  closes("compressed text that is not UTF-8", 1007, () => frame(1, zipped(bytes("ff")), { rsv: 4 }), [], compressed),
  closes("a bomb: 64 MiB of zeros in 64 KiB", 1009, () => frame(2, zipped(large(64 * MIB)), { rsv: 4 }), [], compressed),
];

/** All cases by group. `data`: [opcode, payload] of the messages that come back, in order; `pongs`: payloads, in order. */
export const groups = {
  "1 framing": framing,
  "2 pings and pongs": pings,
  "3 reserved bits": reserved,
  "4 opcodes and masks": opcodes,
  "5 fragmentation": fragmentation,
  "6 UTF-8": utf8,
  "7 closing": closeFrames,
  "9 limits and sizes": sizes,
  "12, 13 compression": deflate,
};
