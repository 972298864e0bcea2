import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { createDeflate, type DeflateOptions } from "../../../runtime/src/connection/deflate.ts";
import { ExtensionStack } from "../../../runtime/src/connection/extension.ts";
import { encodeFrame, opcodes } from "../../../runtime/src/connection/wire.ts";
import { defineExtension, type Extension } from "../../../runtime/src/index.ts";
import { closeFrame, parseFrame, rawFrame, textFrame } from "../raw-client.ts";
import { connectRaw, deflated, inflated, json, serveExtended } from "./extended-server.ts";

/** Scrambles every message with one byte. */
function createXor(name: string, key: number, more: Partial<Extension> = {}): Extension {
  const scramble = (data: Uint8Array): Uint8Array => data.map((byte) => byte ^ key);
  return defineExtension({
    name,
    accept: () => ({ encode: ({ data }) => ({ data: scramble(data), rsv: 0 }), decode: ({ data }) => scramble(data) }),
    ...more,
  });
}

/** Signs every message with one letter, in RSV2 or RSV3, and takes no message that is not signed. */
function createSignature(letter: string, rsv: number): Extension {
  return defineExtension({
    name: `x-sign-${letter}`,
    rsv,
    accept: () => ({
      encode: ({ data }) => ({ data: Buffer.concat([data, Buffer.from(letter)]), rsv }),
      decode: ({ data, rsv: found }) => {
        if (found !== rsv || data.at(-1) !== letter.charCodeAt(0)) throw new Error(`not signed ${letter}`);
        return data.subarray(0, -1);
      },
    }),
  });
}

const xor = (data: Uint8Array, key: number): Buffer => Buffer.from(data.map((byte) => byte ^ key));

describe("extensions on one connection", () => {
  test("change what is sent in their order, and what is received in reverse", async () => {
    const client = await connectRaw(
      await serveExtended({ extensions: [createSignature("a", 2), createSignature("b", 1)] }),
      "x-sign-b, x-sign-a",
    );
    client.write(rawFrame({ opcode: 1, rsv: 3, payload: "helloab" }));
    const { rsv, payload } = await client.next();
    expect([rsv, payload.toString()]).toEqual([3, "helloab"]);
  });

  test("stack on deflate: compressed first, scrambled then", async () => {
    const client = await connectRaw(
      await serveExtended({ deflate: { minSize: 50 }, extensions: [createXor("x-xor", 0x5a)] }),
      "x-xor, permessage-deflate",
    );
    const text = json(500);
    client.write(rawFrame({ opcode: 1, rsv: 4, payload: xor(deflated(text), 0x5a) }));
    const { rsv, payload } = await client.next();
    expect(rsv).toBe(4);
    expect(inflated(xor(payload, 0x5a)).toString()).toBe(text);
    client.write(rawFrame({ opcode: 1, payload: xor(Buffer.from("small"), 0x5a) }));
    const small = await client.next();
    expect([small.rsv, xor(small.payload, 0x5a).toString()]).toEqual([0, "small"]);
  });

  test("see a message that came in fragments whole, its reserved bits from the first", async () => {
    const client = await connectRaw(await serveExtended({ extensions: [createSignature("a", 2)] }), "x-sign-a");
    client.write(
      rawFrame({ opcode: 1, rsv: 2, fin: false, payload: "he" }),
      rawFrame({ opcode: 9, payload: "unchanged" }),
      rawFrame({ opcode: 0, fin: false, payload: "llo" }),
      rawFrame({ opcode: 0, payload: "a" }),
    );
    expect((await client.next()).payload.toString()).toBe("unchanged");
    expect(await client.nextText()).toBe("helloa");
  });

  test.each<[string, (name: string) => void]>([
    [
      "throws",
      (name) => {
        throw new Error(name);
      },
    ],
    ["rejects", (name) => Promise.reject(new Error(name))],
  ])("end each for itself where one %s in close(), and the connection ends as it would", async (_what, fail) => {
    const ended: string[] = [];
    const createEnding = (name: string): Extension =>
      defineExtension({
        name,
        accept: () => ({
          encode: ({ data }) => ({ data, rsv: 0 }),
          decode: ({ data }) => data,
          close() {
            ended.push(name);
            if (name === "x-first") return fail(name);
          },
        }),
      });
    const extended = await serveExtended({ extensions: [createEnding("x-first"), createEnding("x-second")] });
    const client = await connectRaw(extended, "x-first, x-second");
    client.write(closeFrame(1000));
    await expect.poll(() => extended.server.connections).toBe(0);
    expect(await extended.connections[0]?.closed).toMatchObject({ code: 1000, wasClean: true });
    expect(ended).toEqual(["x-first", "x-second"]);
    expect(extended.errors).toContainEqual(expect.objectContaining({ error: expect.objectContaining({ message: "x-first" }) }));
  });

  test.each([
    ["makes larger frames of it", 4],
    ["leaves it as it is", 0],
  ])("work once on what goes to many, whether or not that %s", (_what, rsv) => {
    let encoded = 0;
    const createMember = (): ExtensionStack =>
      new ExtensionStack([
        {
          rsv: 4,
          codec: {
            sharedAs: `counts ${rsv}`,
            minSize: 3,
            encode({ data }) {
              encoded++;
              return { data, rsv };
            },
            decode: ({ data }) => data,
          },
        },
      ]);
    const frame = encodeFrame(opcodes.binary, Buffer.from([1, 2, 3]));
    const [first, second] = [createMember(), createMember()].map((member) => member.encode(frame, 100));
    expect(encoded).toBe(1);
    expect(second).toBe(first);
    expect(first?.readUInt8(0)).toBe(0x82 | (rsv << 4));
    const small = encodeFrame(opcodes.binary, "");
    expect(createMember().encode(small, 100)).toBe(small);
    expect(encoded).toBe(1);
  });

  test("need no header when they are not negotiated", async () => {
    const client = await connectRaw(await serveExtended({ extensions: [createXor("x-silent", 7, { negotiated: false })] }), "x-unknown");
    client.write(rawFrame({ opcode: 2, payload: xor(Buffer.from("hello"), 7) }));
    expect(xor((await client.next()).payload, 7).toString()).toBe("hello");
  });

  test("leave clients alone that do not offer them, and their bits are errors then", async () => {
    const client = await connectRaw(await serveExtended({ extensions: [createSignature("a", 2)] }), "x-unknown");
    client.write(textFrame("plain"));
    expect(await client.nextText()).toBe("plain");
    client.write(rawFrame({ opcode: 1, rsv: 2, payload: "signeda" }));
    expect((await client.nextClose()).code).toBe(1002);
  });

  test("own their reserved bits and no others", async () => {
    const client = await connectRaw(await serveExtended({ extensions: [createSignature("a", 2)] }), "x-sign-a");
    client.write(rawFrame({ opcode: 1, rsv: 3, payload: "xa" }));
    expect((await client.nextClose()).code).toBe(1002);
  });

  test("are told once when the connection has gone", async () => {
    let closed = 0;
    const counting = defineExtension({
      name: "x-count",
      accept: () => ({ encode: ({ data }) => ({ data, rsv: 0 }), decode: ({ data }) => data, close: () => void closed++ }),
    });
    const extended = await serveExtended({ extensions: [counting] });
    const client = await connectRaw(extended, "x-count");
    expect(closed).toBe(0);
    client.write(closeFrame(1000));
    await client.ended;
    await extended.connections[0]?.closed;
    expect(closed).toBe(1);
  });
});

describe("an extension that fails", () => {
  test("because what is sent in parts gets larger than a message may be closes with 1011, before it fills the memory", async () => {
    let written = 0;
    const server = await serveExtended({ extensions: [createXor("x-xor", 1)], limits: { maxMessageSize: 10_000 } }, async (conn) => {
      const message = conn.message("binary");
      for (; written < 1000; written++) await message.write(Buffer.alloc(1000));
    });
    const client = await connectRaw(server, "x-xor");
    expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
    expect(written).toBe(11);
    expect(server.errors).toMatchObject([{ error: { code: "WSGEN_USAGE", message: expect.stringContaining("10000 bytes") } }]);
  });

  test("on a message that came closes with 1011; the log has the reason, the peer has not", async () => {
    const extended = await serveExtended({ extensions: [createSignature("a", 2)] });
    const client = await connectRaw(extended, "x-sign-a");
    client.write(rawFrame({ opcode: 1, payload: "not signed" }), rawFrame({ opcode: 1, rsv: 2, payload: "too latea" }));
    expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
    expect(extended.errors).toEqual([expect.objectContaining({ error: new Error("not signed a") })]);
  });

  test.each<[what: string, encode: () => { data: Uint8Array; rsv: number }]>([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["sets a bit that is not its own", () => ({ data: Buffer.from("x"), rsv: 4 })],
  ])("on a message that is sent closes with 1011: it %s", async (_what, encode) => {
    const failing = defineExtension({ name: "x-fail", accept: () => ({ encode, decode: ({ data }) => data }) });
    const extended = await serveExtended({ extensions: [failing] });
    const client = await connectRaw(extended, "x-fail");
    client.write(textFrame("hello"));
    expect(await client.nextClose()).toEqual({ code: 1011, reason: "" });
    expect(extended.errors.length).toBe(1);
  });

  test("by making a message too large closes with 1009", async () => {
    const growing = defineExtension({
      name: "x-grow",
      accept: () => ({ encode: ({ data }) => ({ data, rsv: 0 }), decode: ({ data }) => Buffer.concat([data, data]) }),
    });
    const client = await connectRaw(await serveExtended({ extensions: [growing], limits: { maxMessageSize: 10 } }), "x-grow");
    client.write(textFrame("12345"));
    expect(await client.nextText()).toBe("1234512345");
    client.write(textFrame("123456"));
    expect((await client.nextClose()).code).toBe(1009);
  });
});

describe("a frame for many", () => {
  const stackOf = (
    options: DeflateOptions,
    offered: Readonly<Record<string, string | true>> = {},
    more: readonly Extension[] = [],
  ): ExtensionStack =>
    new ExtensionStack(
      [createDeflate(options), ...more].map((extension) => {
        const codec = extension.accept(offered, false);
        if (codec === undefined) throw new Error("declined");
        return { rsv: extension.rsv ?? 0, codec };
      }),
    );
  const text = json(2000);

  test("is compressed once for all connections with the same parameters", () => {
    const frame = encodeFrame(opcodes.text, text);
    const stacks = [
      stackOf({}),
      stackOf({}),
      stackOf({ level: 6 }),
      stackOf({ serverNoContextTakeover: false }, { server_no_context_takeover: true }),
    ];
    const [first, ...others] = stacks.map((stack) => stack.encode(frame, 10_000));
    for (const other of others) expect(other).toBe(first);
    expect(stacks[0]?.encode(encodeFrame(opcodes.text, text), 10_000)).not.toBe(first); // The frame counts, not its text.
  });

  test("is compressed again where the parameters differ, or the context belongs to one connection", () => {
    const frame = encodeFrame(opcodes.text, text);
    const stacks = [
      stackOf({}),
      stackOf({ level: 1 }),
      stackOf({}, { server_max_window_bits: "9" }),
      stackOf({ serverNoContextTakeover: false }),
      stackOf({ serverNoContextTakeover: false }),
    ];
    const frames = stacks.map((stack) => stack.encode(frame, 10_000));
    expect(new Set(frames).size).toBe(frames.length);
    for (const encoded of frames)
      expect(inflated(parseFrame(encoded ?? Buffer.alloc(0))?.frame.payload ?? Buffer.alloc(0)).toString()).toBe(text);
  });

  test("that is a part of a message goes as it is under deflate, and waits for the others where every message must be changed", () => {
    const part = (opcode: number, payload: string, final: boolean): Buffer => {
      const frame = encodeFrame(opcode, payload);
      frame.writeUInt8((final ? 0x80 : 0) | opcode, 0);
      return frame;
    };
    const parts = [part(1, "one ".repeat(500), false), part(0, "two ".repeat(500), false), part(0, "three", true)];
    const ping = encodeFrame(opcodes.ping, "p");

    const alone = stackOf({});
    for (const frame of [...parts, ping]) expect(alone.encode(frame, 10_000)).toBe(frame);

    const scrambled = stackOf({}, {}, [createXor("x-xor", 3)]);
    expect([parts[0], ping, parts[1]].map((frame) => frame && scrambled.encode(frame, 10_000))).toEqual([undefined, ping, undefined]);
    const whole = parseFrame(scrambled.encode(parts[2] ?? ping, 10_000) ?? ping)?.frame;
    // Without deflate: what was sent meanwhile comes behind it, and may have been compressed already.
    expect([whole?.fin, whole?.rsv, whole?.opcode]).toEqual([true, 0, 1]);
    expect(xor(whole?.payload ?? ping, 3).toString()).toBe(`${"one ".repeat(500)}${"two ".repeat(500)}three`);
  });
});
