import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Guard, MessageContract } from "../../../runtime/src/contract/contract.ts";
import { createDecoder } from "../../../runtime/src/contract/dispatch.ts";
import { createEncoder } from "../../../runtime/src/contract/encode.ts";
import { ContractError } from "../../../runtime/src/errors.ts";
import { guardOf, tagged } from "./guards.ts";

const post: MessageContract = {
  format: "json",
  guard: tagged("post", { text: { type: "string", minLength: 1 }, id: {} }, ["id"]),
  constants: { type: "post" },
};
const encode = createEncoder("post", post);

/** What an outbound message is refused with. */
function refusal(act: () => unknown): ContractError {
  try {
    act();
  } catch (error) {
    if (error instanceof ContractError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

describe("JSON messages", () => {
  it("fills in constants, first on the wire, and leaves the caller's payload alone", () => {
    const payload = Object.freeze({ text: "hi" });
    expect(encode(payload)).toBe('{"type":"post","text":"hi"}');
    expect(payload).toEqual({ text: "hi" });
    expect(encode({ text: "hi", type: undefined })).toBe('{"type":"post","text":"hi"}');
  });

  it("sends a long text as JSON has it", () => {
    for (const end of ["", '"', "\\", "\n", "\ud800", "é", "\u2028"]) {
      const text = `${"Long texts are written on a way of their own. ".repeat(100)}${end}`;
      expect(encode({ text })).toBe(JSON.stringify({ type: "post", text }));
      expect(encode({ text, id: [text, { text }] })).toBe(JSON.stringify({ type: "post", text, id: [text, { text }] }));
    }
    expect(refusal(() => encode({ text: "long".repeat(1000), type: "other" })).path).toBe("/type");
  });

  it("sends on as it is what has its constants already, and still refuses a wrong one", () => {
    expect(encode({ text: "hi", type: "post" })).toBe('{"text":"hi","type":"post"}');
    expect(refusal(() => encode({ text: "hi", type: "other" })).path).toBe("/type");
    const payload = Object.freeze({ text: "hi", type: "post" });
    expect(encode(payload, { path: ["id"], id: 7 })).toBe('{"text":"hi","type":"post","id":7}');
    expect(payload).toEqual({ text: "hi", type: "post" });
  });

  it("checks what goes on the wire where a value serialises as something else", () => {
    expect(refusal(() => encode({ text: "hi", toJSON: () => ({ evil: true }) })).message).toContain("text");
    const when = createEncoder("when", { format: "json", guard: tagged("when", { at: { type: "object" } }), constants: { type: "when" } });
    expect(refusal(() => when({ at: new Date(0) })).path).toBe("/at");
    class Post {
      toJSON(): object {
        return { text: "from a class" };
      }
    }
    expect(encode(new Post())).toBe('{"type":"post","text":"from a class"}');
  });

  it("checks what goes on the wire where JSON leaves something out or makes null of it", () => {
    const patch = createEncoder("patch", { format: "json", guard: guardOf({ type: "object", minProperties: 1 }) });
    expect(refusal(() => patch({ name: undefined })).message).toContain("fewer than 1");
    expect(refusal(() => patch({ name: () => {} })).message).toContain("fewer than 1");
    expect(patch({ name: undefined, age: 7 })).toBe('{"age":7}');
    const set = createEncoder("set", { format: "json", guard: guardOf({ type: "object", required: ["value"] }) });
    for (const value of [() => 1, Symbol("x"), undefined]) expect(refusal(() => set({ value })).message).toContain("value");
    const list = createEncoder("list", { format: "json", guard: guardOf({ type: "array", items: { not: { type: "null" } } }) });
    for (const item of [[undefined], [Number.NaN], [() => 1], Object.assign([], { length: 1 })])
      expect(refusal(() => list(item)).path).toBe("/0");
    for (const nothing of [() => 1, Symbol("x")]) expect(refusal(() => list(nothing)).message).toContain("is not JSON");
  });

  it("checks what goes on the wire where a guard would read what an object inherits", () => {
    // As emitted guards do, and unlike `guardOf`, this one looks at inherited properties too.
    const guard: Guard<unknown> = (value): value is unknown => (value as { post?: { text?: unknown } }).post?.text === "hi";
    const nested = createEncoder("nested", { format: "json", guard });
    class Post {
      get text(): string {
        return "hi";
      }
    }
    expect(refusal(() => nested({ post: new Post() })).messageName).toBe("nested");
    expect(refusal(() => nested({ post: Object.create({ text: "hi" }) as object })).messageName).toBe("nested");
    expect(nested({ post: Object.assign(Object.create(null) as object, { text: "hi" }) })).toBe('{"post":{"text":"hi"}}');
  });

  it("refuses a wrong constant instead of correcting it", () => {
    expect(refusal(() => encode({ type: "toast", text: "hi" })).path).toBe("/type");
  });

  it("makes a message that is constants alone out of nothing", () => {
    const ping = createEncoder("ping", { format: "json", guard: tagged("ping"), constants: { type: "ping" } });
    expect([ping(undefined), ping({})]).toEqual(['{"type":"ping"}', '{"type":"ping"}']);
  });

  it("names message, place and reason when the guard refuses", () => {
    const error = refusal(() => encode({ text: "" }));
    expect(error).toMatchObject({ code: "WSGEN_CONTRACT", messageName: "post", direction: "outbound", path: "/text" });
    expect(error.message).toBe('"post" was not sent: /text must NOT have fewer than 1 characters.');
  });

  it("puts the correlation id in its place, however deep, without changing the payload", () => {
    expect(encode({ text: "hi" }, { path: ["id"], id: 7 })).toBe('{"type":"post","text":"hi","id":7}');
    const deep = createEncoder("deep", { format: "json" });
    const payload = { meta: { a: 1 }, list: [0, 1] };
    expect(deep(payload, { path: ["meta", "id"], id: "x" })).toBe('{"meta":{"a":1,"id":"x"},"list":[0,1]}');
    expect(deep(payload, { path: ["list", 1], id: 9 })).toBe('{"meta":{"a":1},"list":[0,9]}');
    expect(deep({}, { path: ["a", "b", 0], id: 1 })).toBe('{"a":{"b":[1]}}');
    expect(payload).toEqual({ meta: { a: 1 }, list: [0, 1] });
  });

  it("refuses what JSON cannot hold", () => {
    const free = createEncoder("free", { format: "json" });
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(refusal(() => free(cycle)).message).toContain("is not JSON");
    expect(refusal(() => free(() => 1)).message).toContain("is not JSON");
    const tree = createEncoder("tree", {
      format: "json",
      guard: guardOf({ $id: "tree", type: "object", additionalProperties: { $ref: "tree" } }),
    });
    expect(refusal(() => tree(cycle)).message).toContain("is not JSON");
  });

  it("fills in constants with the names of Object.prototype", () => {
    const odd = createEncoder("odd", { format: "json", constants: { constructor: "odd", toString: 1 } as never });
    expect(odd({})).toBe('{"constructor":"odd","toString":1}');
    const proto = createEncoder("proto", { format: "json", constants: { ["__proto__"]: "odd" } });
    expect(proto({})).toBe('{"__proto__":"odd"}');
  });

  it("checks and sends a property `__proto__` as the property it is", () => {
    const payload: unknown = JSON.parse('{"__proto__":{"text":"inherited"}}');
    const loose = createEncoder("loose", {
      format: "json",
      guard: guardOf({ type: "object", properties: { text: { type: "number" } } }),
      constants: { type: "loose" },
    });
    expect(loose(payload)).toBe('{"type":"loose","__proto__":{"text":"inherited"}}');
  });
});

describe("text, binary and anything", () => {
  it("sends text bare and nothing else as text", () => {
    const line = createEncoder("line", { format: "text", guard: guardOf({ type: "string" }) });
    expect(line("hello")).toBe("hello");
    expect(refusal(() => line(1)).path).toBe("");
    expect(refusal(() => createEncoder("line", { format: "text" })({})).message).toContain("must be a string");
  });

  it("sends bytes as they are", () => {
    const audio = createEncoder("audio", { format: "binary" });
    const bytes = new Uint8Array([1, 2]);
    expect(audio(bytes)).toBe(bytes);
    expect(audio(bytes.buffer)).toEqual(bytes);
    expect(refusal(() => audio("text")).message).toContain("must be a Uint8Array");
  });

  it("sends anything so that it arrives as what it was", () => {
    const encodeAny = createEncoder("any", { format: "any" });
    const decoder = createDecoder({ dispatch: { text: "any" }, messages: { any: { format: "any" } } });
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 3, noUnicodeString: false }), fc.constantFrom("42", "null", '"a"', "{}")),
        (value) => {
          const plain: unknown = JSON.parse(JSON.stringify(value));
          expect(decoder.decode(encodeAny(plain))).toEqual({ kind: "message", name: "any", payload: plain });
        },
      ),
      { numRuns: 200 },
    );
  });
});
