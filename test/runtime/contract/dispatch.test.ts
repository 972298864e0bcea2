import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_DEPTH } from "../../../runtime/src/contract/codec.ts";
import type { DispatchNode, DispatchTree, MessageContract } from "../../../runtime/src/contract/contract.ts";
import { createDecoder, inboundError } from "../../../runtime/src/contract/dispatch.ts";
import { ContractError } from "../../../runtime/src/errors.ts";
import { guardOf, tagged } from "./guards.ts";

/** A decoder whose messages accept everything. */
function decoderOf(dispatch: DispatchTree, messages: Readonly<Record<string, MessageContract>> = {}) {
  const names = new Set<string>();
  const collect = (node: DispatchNode): void => {
    if (typeof node === "string") return void names.add(node);
    if ("among" in node) {
      node.among.forEach(collect);
      return;
    }
    if (node.absent !== undefined) collect(node.absent);
    if ("cases" in node) {
      for (const [, then] of node.cases) collect(then);
      if (node.other !== undefined) collect(node.other);
    } else if ("kinds" in node) Object.values(node.kinds).forEach(collect);
    else collect(node.present);
  };
  if (dispatch.json !== undefined) collect(dispatch.json);
  const free = Object.fromEntries([...names].map((name) => [name, { format: "json" as const }]));
  return createDecoder({ dispatch, messages: { ...free, ...messages } });
}

const nameOf = (decoder: ReturnType<typeof createDecoder>, payload: unknown) => {
  const decoded = decoder.decode(JSON.stringify(payload));
  return decoded.kind === "message" ? decoded.name : decoded.kind;
};

describe("telling messages apart", () => {
  const byType = (...names: string[]): DispatchNode => ({ path: ["type"], cases: names.map((name) => [name, name] as const) });

  it("goes by a constant, and gives the payload as it was parsed", () => {
    const decoder = decoderOf({ json: byType("post", "leave") });
    expect(decoder.decode('{"type":"leave","at":1}')).toEqual({ kind: "message", name: "leave", payload: { type: "leave", at: 1 } });
  });

  it("compares constants with their type: 0 is not '0', true is not 1, null is a value", () => {
    const decoder = decoderOf({
      json: {
        path: ["op"],
        cases: [
          [0, "zero"],
          ["0", "text"],
          [1, "one"],
          [true, "yes"],
          [null, "nothing"],
        ],
      },
    });
    expect([0, "0", 1, true, null, false, "1"].map((op) => nameOf(decoder, { op }))).toEqual([
      "zero",
      "text",
      "one",
      "yes",
      "nothing",
      "unknown-message",
      "unknown-message",
    ]);
  });

  it("has one exit for an absent value and one for an unknown value", () => {
    const decoder = decoderOf({ json: { path: ["type"], cases: [["a", "a"]], absent: "bare", other: "rest" } });
    expect([{ type: "a" }, {}, { type: "z" }, { type: { a: 1 } }, 7, []].map((payload) => nameOf(decoder, payload))).toEqual([
      "a",
      "bare",
      "rest",
      "rest",
      "bare",
      "bare",
    ]);
  });

  it("looks into nested objects and tuple positions, and does not take one for the other", () => {
    const decoder = decoderOf({
      json: {
        path: [],
        kinds: {
          array: { path: [1, "event"], cases: [["tick", "tick"]] },
          object: { path: ["header", "kind"], cases: [["tick", "object"]] },
        },
      },
    });
    expect(nameOf(decoder, [7, { event: "tick" }])).toBe("tick");
    expect(nameOf(decoder, { header: { kind: "tick" } })).toBe("object");
    expect(nameOf(decoder, { 1: { event: "tick" } })).toBe("unknown-message");
    expect(nameOf(decoderOf({ json: { path: ["length"], cases: [[2, "two"]] } }), ["a", "b"])).toBe("unknown-message");
    expect(nameOf(decoderOf({ json: { path: [0], cases: [["a", "first"]] } }), { 0: "a" })).toBe("unknown-message");
  });

  it("goes by presence and by kind", () => {
    const decoder = decoderOf({
      json: { path: ["result"], present: "result", absent: { path: ["error"], kinds: { object: "error", string: "text", null: "none" } } },
    });
    expect(
      [{ result: null }, { error: {} }, { error: "no" }, { error: null }, { error: [] }, {}].map((payload) => nameOf(decoder, payload)),
    ).toEqual(["result", "error", "text", "none", "unknown-message", "unknown-message"]);
  });

  it("takes names of Object.prototype for names like any other", () => {
    const names = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];
    const tags = decoderOf({ json: { path: ["type"], cases: [["post", "post"]] } });
    for (const name of names) expect(nameOf(tags, { type: name })).toBe("unknown-message");

    const known = decoderOf({ json: byType(...names) }, Object.fromEntries(names.map((name) => [name, { format: "json" as const }])));
    for (const name of names) expect(nameOf(known, { type: name })).toBe(name);

    for (const name of names) {
      const keyed = decoderOf({ json: { path: [name], present: "has", absent: "lacks" } });
      expect(nameOf(keyed, {})).toBe("lacks");
      expect(nameOf(keyed, JSON.parse(`{${JSON.stringify(name)}:1}`))).toBe("has");
    }
  });

  it("refuses a tree that leads to a message the contract does not have", () => {
    expect(() => createDecoder({ dispatch: { json: "toString" }, messages: {} })).toThrow('The contract has no message "toString".');
  });

  it("names a payload without running its guard", () => {
    const decoder = createDecoder({
      dispatch: { json: byType("post") },
      messages: { post: { format: "json", guard: tagged("post", { text: {} }) } },
    });
    expect(decoder.find({ type: "post" })).toBe("post");
    expect(decoder.find({ type: "toast" })).toBeUndefined();
  });
});

describe("text and binary", () => {
  it("knows raw text constants before any JSON is parsed", () => {
    const decoder = decoderOf(
      {
        constants: [
          ["PING", "ping"],
          ["1", "one"],
        ],
        json: { path: [], kinds: { number: "number" } },
      },
      { ping: { format: "text" }, one: { format: "text" } },
    );
    expect(decoder.decode("PING")).toEqual({ kind: "message", name: "ping", payload: "PING" });
    expect(decoder.decode("1")).toEqual({ kind: "message", name: "one", payload: "1" });
    expect(decoder.decode("2")).toEqual({ kind: "message", name: "number", payload: 2 });
    expect(decoder.decode("ping").kind).toBe("not-json");
  });

  it("gives bare text as it came, even when it looks like JSON", () => {
    const decoder = decoderOf({ text: "line" }, { line: { format: "text", guard: guardOf({ type: "string", maxLength: 5 }) } });
    for (const text of ["hello", "42", '"a"', "{}", ""]) expect(decoder.decode(text)).toMatchObject({ name: "line", payload: text });
    expect(decoder.decode("too long")).toMatchObject({ kind: "invalid-message", name: "line" });
  });

  it("gives a message without a format as JSON when it parses and as text when not", () => {
    const decoder = decoderOf({ text: "anything" }, { anything: { format: "any" } });
    expect(decoder.decode("[1]")).toMatchObject({ payload: [1] });
    expect(decoder.decode("hello")).toMatchObject({ payload: "hello" });
  });

  it("keeps text apart from JSON: what does not parse, and scalars that no JSON message claims, are text", () => {
    const decoder = decoderOf({ json: byTag, text: "line" }, { line: { format: "text" } });
    expect(decoder.decode('{"t":"a"}')).toMatchObject({ name: "a" });
    expect(decoder.decode("hello")).toMatchObject({ name: "line", payload: "hello" });
    expect(decoder.decode("42")).toMatchObject({ name: "line", payload: "42" });
    expect(decoder.decode('{"t":"b"}').kind).toBe("unknown-message");
  });
  const byTag: DispatchNode = { path: ["t"], cases: [["a", "a"]] };

  it("gives binary frames to their message, and refuses frames of a kind that is not spoken", () => {
    const binary = decoderOf({ binary: "audio" }, { audio: { format: "binary" } });
    expect(binary.decode(new Uint8Array([1, 2]))).toEqual({ kind: "message", name: "audio", payload: new Uint8Array([1, 2]) });
    expect(binary.decode("x")).toMatchObject({ kind: "frame-kind", reason: "is a text frame, and none is expected" });
    expect(decoderOf({ json: byTag }).decode(new Uint8Array())).toMatchObject({ kind: "frame-kind" });
  });
});

describe("what is refused", () => {
  const decoder = createDecoder({
    dispatch: { json: { path: ["type"], cases: [["post", "post"]] } },
    messages: { post: { format: "json", guard: tagged("post", { text: { type: "string", minLength: 1 } }) } },
  });

  it("says that text is not JSON, quoting little of it", () => {
    expect(decoder.decode("hello")).toMatchObject({ kind: "not-json", reason: 'is not JSON: "hello"', payload: undefined });
    expect((decoder.decode("x".repeat(9_999)) as { reason: string }).reason.length).toBeLessThan(80);
  });

  it("says where an unknown message has no exit", () => {
    expect(decoder.decode('{"type":"toast"}')).toMatchObject({
      kind: "unknown-message",
      path: "/type",
      reason: 'is "toast"; known: "post"',
    });
    expect(decoder.decode("{}")).toMatchObject({ kind: "unknown-message", path: "/type", reason: 'is missing; known: "post"' });
  });

  it("names message, place and reason of an invalid one, and keeps the payload for its correlation id", () => {
    const problem = decoder.decode('{"type":"post","text":""}');
    expect(problem).toEqual({
      kind: "invalid-message",
      name: "post",
      path: "/text",
      reason: "must NOT have fewer than 1 characters",
      payload: { type: "post", text: "" },
    });
    expect(decoder.decode('{"type":"post","text":"a","x":1}')).toMatchObject({ reason: 'must NOT have additional properties: "x"' });
    if (problem.kind === "message") throw new Error("not invalid");
    const error = inboundError(problem);
    expect(error).toBeInstanceOf(ContractError);
    expect(error).toMatchObject({ messageName: "post", direction: "inbound", path: "/text" });
    expect(error.message).toBe('"post" was received and is invalid: /text must NOT have fewer than 1 characters.');
  });

  it("takes a guard that runs out of stack for a refusal", () => {
    const endless = Object.assign(
      (): boolean => {
        throw new RangeError("Maximum call stack size exceeded");
      },
      { errors: null },
    );
    const guarded = createDecoder({ dispatch: { json: "m" }, messages: { m: { format: "json", guard: endless as never } } });
    expect(guarded.decode("{}")).toMatchObject({ kind: "invalid-message", name: "m" });
  });

  it(`reads JSON ${MAX_DEPTH} levels deep and no deeper`, () => {
    const free = decoderOf({ json: "m" });
    const lists = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    for (const nest of [lists, objects]) {
      expect(free.decode(nest(MAX_DEPTH)).kind).toBe("message");
      expect(free.decode(nest(MAX_DEPTH + 1)).kind).toBe("too-deep");
    }
    expect(free.decode(`[${lists(MAX_DEPTH - 1)},${lists(MAX_DEPTH)}]`).kind).toBe("too-deep");
    expect(free.decode(JSON.stringify(Array(500).fill([["1", "2"]]))).kind).toBe("message");
    expect(free.decode(JSON.stringify("[".repeat(500))).kind).toBe("message");
    expect(free.decode(lists(100_000)).kind).toBe("too-deep");
    expect(free.decode(`${"[".repeat(100)} and what is behind is not read`).kind).toBe("too-deep");
  });

  it("counts the levels of any JSON as they are, whatever its strings hold", () => {
    const free = decoderOf({ json: "m" });
    const depth = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
    const text = fc.stringMatching(/^[[\]{}"\\a]{0,40}$/);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 6 }, text, fc.array(tie("value"), { maxLength: 3 }), fc.dictionary(text, tie("value"), { maxKeys: 3 })),
    }));
    const padding = '["\\"",{}]'.repeat(4); // So that there are brackets enough to look closer.
    const nested = fc.tuple(value, fc.integer({ min: MAX_DEPTH - 4, max: MAX_DEPTH })).map(([inner, around]) => {
      let outer: unknown = inner;
      for (let i = 0; i < around; i++) outer = i % 2 === 0 ? [padding, outer] : { [padding]: outer };
      return outer;
    });
    fc.assert(
      fc.property(nested, (payload) => {
        expect(free.decode(JSON.stringify(payload)).kind).toBe(depth(payload) > MAX_DEPTH ? "too-deep" : "message");
      }),
    );
  });
});

describe("replies come before the tree", () => {
  it("lets a claim take parsed JSON, and goes on when it does not", () => {
    const decoder = decoderOf({ json: { path: ["type"], cases: [["a", "a"]] } });
    expect(decoder.decode('{"id":1}', (payload) => (payload as { id: number }).id === 1)).toBeUndefined();
    expect(decoder.decode('{"type":"a"}', () => false)).toMatchObject({ name: "a" });
  });

  it("calls JSON that no message but a reply is unknown, not a frame of the wrong kind", () => {
    const decoder = createDecoder({ dispatch: {}, messages: { page: { format: "json" } } });
    expect(decoder.decode("{}").kind).toBe("unknown-message");
  });
});

describe("any tree and any JSON", () => {
  const key = fc.constantFrom("type", "op", "a", "constructor", "__proto__", "length", "toString");
  const leaf = fc.constantFrom("m1", "m2", "constructor");
  const path = fc.array(fc.oneof(key, fc.nat(2)), { maxLength: 3 });
  const node: fc.Arbitrary<DispatchNode> = fc.letrec<{ node: DispatchNode }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.record(
        {
          path,
          cases: fc.array(fc.tuple(fc.oneof(key, fc.integer({ min: -1, max: 2 }), fc.boolean(), fc.constant(null)), tie("node")), {
            maxLength: 3,
          }),
          absent: tie("node"),
          other: tie("node"),
        },
        { requiredKeys: ["path", "cases"] },
      ),
      fc.record({ path, present: tie("node"), absent: tie("node") }, { requiredKeys: ["path", "present"] }),
      fc.record(
        {
          path,
          kinds: fc.record({ object: tie("node"), array: tie("node"), string: tie("node"), null: tie("node") }, { requiredKeys: [] }),
          absent: tie("node"),
        },
        { requiredKeys: ["path", "kinds"] },
      ),
    ),
  })).node;
  const messages = {
    m1: { format: "json" as const, guard: tagged("m1") },
    m2: { format: "json" as const },
    constructor: { format: "any" as const },
  };

  it("never throws, gives a known message or a located problem, and says the same twice", () => {
    fc.assert(
      fc.property(
        node,
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.object({ key }).map((value) => JSON.stringify(value)),
        ),
        (json, text) => {
          const decoder = createDecoder({ dispatch: { json }, messages });
          const decoded = decoder.decode(text);
          if (decoded.kind === "message") expect(Object.keys(messages)).toContain(decoded.name);
          else expect(decoded.path === "" || decoded.path.startsWith("/")).toBe(true);
          expect(decoder.decode(text)).toEqual(decoded);
        },
      ),
      { numRuns: 400 },
    );
  });
});
