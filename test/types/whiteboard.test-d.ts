// What codecs promise to those who write against the generated whiteboard.
import * as msgpack from "@msgpack/msgpack";
import type { Router } from "@wsgen/runtime";
import * as cborg from "cborg";
import { expectTypeOf, test } from "vitest";
import { type BoardClient, createWhiteboardClient, type WhiteboardCodecs } from "../../generated/whiteboard/client.js";
import { registerWhiteboard, type WhiteboardHandlers } from "../../generated/whiteboard/server.js";

test("a library is a codec as it is", () => {
  expectTypeOf({ "application/cbor": cborg, "application/msgpack": msgpack }).toExtend<WhiteboardCodecs>();
});

test("neither side compiles without the codecs of its document", () => {
  type Options = NonNullable<Parameters<typeof createWhiteboardClient>[1]>;
  expectTypeOf<{ codecs: { "application/cbor": typeof cborg } }>().not.toExtend<Options>();
  expectTypeOf<object>().not.toExtend<Options>();
  const sides = (router: Router<object>, handlers: WhiteboardHandlers) => {
    // @ts-expect-error codecs are missing
    registerWhiteboard(router, handlers);
    // @ts-expect-error one of them is missing
    registerWhiteboard(router, handlers, { codecs: { "application/cbor": cborg } });
    // @ts-expect-error codecs are missing
    createWhiteboardClient("ws://localhost");
  };
  expectTypeOf(sides).toBeFunction();
});

test("bytes are bytes, and constants need not be said", () => {
  expectTypeOf<{ line: { points: Uint8Array } }>().toExtend<Parameters<BoardClient["send"]["draw"]>[0]>();
  expectTypeOf<{ line: { points: string } }>().not.toExtend<Parameters<BoardClient["send"]["draw"]>[0]>();
});
