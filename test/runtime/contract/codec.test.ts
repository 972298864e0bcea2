import * as msgpack from "@msgpack/msgpack";
import * as cborg from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Codec,
  type Codecs,
  decodeWith,
  MAX_DEPTH,
  plain,
  prepareCodecs,
  refuseForeign,
} from "../../../runtime/src/contract/codec.ts";
import type { MessageContract } from "../../../runtime/src/contract/contract.ts";
import { createDecoder } from "../../../runtime/src/contract/dispatch.ts";
import { createEncoder } from "../../../runtime/src/contract/encode.ts";
import { createRecheck } from "../../../runtime/src/contract/recheck.ts";
import { guardOf, tagged } from "./guards.ts";

const libraries: Readonly<Record<string, Codec>> = { CBOR: cborg, MessagePack: msgpack };
const cbor: Codecs = new Map([["application/cbor", cborg]]);
const encoded = (guard?: MessageContract["guard"]): MessageContract => ({
  format: "encoded",
  contentType: "application/cbor",
  ...(guard && { guard }),
});

/** JSON's values, and bytes. */
const values = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)), // -0 is an integer to some.
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(
      fc.string().filter((name) => name !== "__proto__" && name !== "toJSON"),
      tie("value"),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

/** A value that a decoder may give, whatever the bytes are. */
const giving = (value: unknown): Codec => ({ encode: () => new Uint8Array(1), decode: () => value });
const nested = (depth: number): unknown => {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
};

describe.each(Object.entries(libraries))("%s", (_name, codec) => {
  it("carries every value of JSON, and bytes, and none of them is refused", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(refuseForeign(plain(value))).toBeUndefined();
        expect(decodeWith(codec, codec.encode(plain(value)))).toEqual({ value });
      }),
    );
  });

  it("is not decodable where bytes are cut or wild, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(["value", "kind"]).toContain(Object.keys(decodeWith(codec, bytes))[0]);
      }),
    );
    const whole = codec.encode({ text: "a longer text", more: [1, 2, 3] });
    for (let cut = 1; cut < whole.length; cut++)
      expect(decodeWith(codec, whole.subarray(0, cut))).toEqual({ kind: "not-decodable", path: "", reason: "could not be decoded" });
  });
});

describe("what a codec decodes", () => {
  const refusal = (value: unknown, bytes = 1000) => decodeWith(giving(value), new Uint8Array(bytes));

  it.each([
    ["a Date", { at: [new Date(0)] }, "/at/0", "is no plain object (Date)"],
    ["a Map", { map: new Map() }, "/map", "is no plain object (Map)"],
    ["a large integer", { "a/b": { "~": 2n ** 60n } }, "/a~1b/~0", "is a bigint"],
    ["other typed arrays", { floats: new Float64Array(1) }, "/floats", "is no plain object (Float64Array)"],
    ["a promise", Promise.resolve(1), "", "is no plain object (Promise)"],
    ["a function", [() => 1], "/0", "is a function"],
  ])("is refused where it holds %s", (_what, value, path, reason) => {
    expect(refusal(value)).toEqual({ kind: "invalid-message", path, reason });
  });

  it("may hold bytes, of a Buffer too, and properties that are undefined", () => {
    expect(refusal({ bytes: new Uint8Array(1), buffer: Buffer.from("a"), left: undefined })).toHaveProperty("value");
  });

  it("is refused below 64 levels, where a text would be, and where it holds itself", () => {
    expect(refusal(nested(MAX_DEPTH))).toHaveProperty("value");
    expect(refusal(nested(MAX_DEPTH + 1))).toEqual({ kind: "too-deep", path: "", reason: "is nested deeper than 64 levels" });
    expect(refusal(nested(10_000))).toMatchObject({ kind: "too-deep" });
    const ring: unknown[] = [];
    ring.push(ring);
    expect(refusal(ring)).toMatchObject({ kind: "too-deep" });
  });

  it("is refused where a few bytes make more values than anybody can walk", () => {
    let bomb: unknown = [1];
    for (let level = 0; level < 50; level++) bomb = [bomb, bomb];
    expect(refusal(bomb)).toMatchObject({ kind: "invalid-message", reason: "holds a part several times over" });
  });

  it("is refused where a decoder let a peer set a prototype, which would lend its properties to the guard", () => {
    // As `object[key] = value` does it.
    expect(refusal({ user: Object.setPrototypeOf({}, { isAdmin: true }) })).toEqual({
      kind: "invalid-message",
      path: "/user",
      reason: "is no plain object (Object)",
    });
    const bytes = new Uint8Array([0xa1, 0x69, ...Buffer.from("__proto__"), 0xa1, 0x61, 0x78, 0x01]); // { "__proto__": { "x": 1 } }
    const decoded = decodeWith(cborg, bytes);
    expect(Object.keys((decoded as { value: object }).value)).toEqual(["__proto__"]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe("a decoder with a codec", () => {
  const decoder = createDecoder(
    {
      dispatch: {
        json: "note",
        encoded: {
          path: ["type"],
          cases: [
            ["draw", "draw"],
            ["move", "move"],
          ],
        },
      },
      messages: {
        note: { format: "json", guard: tagged("note") },
        draw: encoded(tagged("draw", { points: {} })),
        move: encoded(tagged("move")),
      },
    },
    cbor,
  );

  it("goes by the same tree and guards as JSON does, in binary frames alone", () => {
    expect(decoder.decode(cborg.encode({ type: "move" }))).toEqual({ kind: "message", name: "move", payload: { type: "move" } });
    expect(decoder.decode('{"type":"note"}')).toMatchObject({ kind: "message", name: "note" });
    expect(decoder.decode('{"type":"move"}')).toMatchObject({ kind: "invalid-message", name: "note" });
    expect(decoder.decode(cborg.encode({ type: "note" }))).toMatchObject({
      kind: "unknown-message",
      path: "/type",
      reason: 'is "note"; known: "draw", "move"',
    });
    expect(decoder.decode(new Uint8Array([0xff]))).toMatchObject({ kind: "not-decodable", payload: undefined });
    expect(decoder.find({ type: "move" })).toBeUndefined(); // In a text it would be a note.
  });

  it("takes bytes for what a schema calls a string, where kinds tell messages apart", () => {
    const kinds = createDecoder(
      {
        dispatch: { encoded: { path: ["data"], kinds: { string: "bytes", object: "record" } } },
        messages: { bytes: encoded(), record: encoded() },
      },
      cbor,
    );
    expect(kinds.decode(cborg.encode({ data: new Uint8Array(2) }))).toMatchObject({ name: "bytes" });
    expect(kinds.decode(cborg.encode({ data: {} }))).toMatchObject({ name: "record" });
    expect(kinds.decode('{"data":{}}')).toMatchObject({ kind: "frame-kind" });
  });

  it("reads replies that no tree leads to, and gives claimed ones to nobody else", () => {
    const replies = createDecoder({ dispatch: {}, messages: { page: encoded() } }, cbor);
    const seen: unknown[] = [];
    expect(replies.decodes).toBe(true);
    expect(replies.decode(cborg.encode({ id: 1 }), (payload) => seen.push(payload) > 0)).toBeUndefined();
    expect(seen).toEqual([{ id: 1 }]);
    expect(replies.decode(cborg.encode({ id: 1 }))).toMatchObject({ kind: "unknown-message", payload: { id: 1 } });
  });
});

describe("an encoder with a codec", () => {
  const draw = createEncoder("draw", { ...encoded(guardOf({ type: "object", required: ["type"] })), constants: { type: "draw" } }, cbor);
  const sent = (payload: unknown) => cborg.decode(draw(payload) as Uint8Array) as unknown;

  it("fills in constants and the id, and leaves out what is undefined", () => {
    expect(sent({ bytes: new Uint8Array([1]), type: undefined, none: undefined })).toEqual({ type: "draw", bytes: new Uint8Array([1]) });
    expect(cborg.decode(draw({}, { path: ["id"], id: 7 }) as Uint8Array)).toEqual({ type: "draw", id: 7 });
    expect(() => draw({}, undefined, true)).toThrow("required property 'type'");
  });

  it("sends what JSON would: what toJSON gives, and own properties", () => {
    class Line {
      readonly at = new Date(0);
      readonly points = Buffer.from([1, 2]);
      get length(): number {
        return 1;
      }
    }
    expect(sent(new Line())).toEqual({ type: "draw", at: "1970-01-01T00:00:00.000Z", points: new Uint8Array([1, 2]) });
  });

  it("refuses what a receiver would refuse, and what the codec does, and says where", () => {
    const refused = (payload: unknown, encode = draw) => {
      try {
        return encode(payload);
      } catch (error) {
        return error;
      }
    };
    expect(refused({ ids: [1n] })).toMatchObject({ code: "WSGEN_CONTRACT", direction: "outbound", path: "/ids/0" });
    const ring: Record<string, unknown> = {};
    ring["ring"] = ring;
    expect(refused(ring)).toMatchObject({ code: "WSGEN_CONTRACT", message: expect.stringContaining("cannot be encoded (RangeError") });
    const broken = createEncoder("draw", encoded(), new Map([["application/cbor", { ...cborg, encode: () => "text" as never }]]));
    expect(refused({}, broken)).toMatchObject({
      message: '"draw" was not sent: the message cannot be encoded (TypeError: its codec gave no Uint8Array).',
    });
  });
});

describe("codecs", () => {
  it("are asked for by name, and looked at before anybody connects", () => {
    const endpoint = { address: "/", receives: { dispatch: {}, messages: {} }, sends: { draw: encoded() } };
    for (const given of [
      undefined,
      {},
      { "application/cbor": {} },
      { "application/cbor": { encode() {} } },
      Object.create({ "application/cbor": cborg }),
    ])
      expect(() => prepareCodecs('Board, endpoint "board"', endpoint, given)).toThrow(
        'Board, endpoint "board" speaks application/cbor: add codecs: { "application/cbor": { encode(value): bytes, decode(bytes): value } }.',
      );
    expect(prepareCodecs("Board", endpoint, { "application/cbor": cborg })).toEqual(cbor);
  });

  it("recheck what another process sends to a room", () => {
    const recheck = createRecheck({ draw: encoded(tagged("draw")) }, cbor);
    expect(() => recheck("draw", cborg.encode({ type: "draw" }), true)).not.toThrow();
    expect(() => recheck("draw", Buffer.from('{"type":"draw"}'), false)).toThrow("is text");
    expect(() => recheck("draw", cborg.encode({ type: "other" }), true)).toThrow("/type");
    expect(() => recheck("draw", new Uint8Array([0xff]), true)).toThrow("could not be decoded");
  });
});
