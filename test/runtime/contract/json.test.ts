import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { natureOf, stringifyWordy } from "../../../runtime/src/contract/json.ts";

/** Counts as long, so that drawn texts are. */
const LONG = 3;

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.stringMatching(/^[ -~]{0,8}$/),
  fc
    .array(fc.constantFrom("a", '"', "\\", "\n", "\u007f", "\u2028", "\ud800", "\udc00", "é"), { maxLength: 6 })
    .map((parts) => parts.join("")),
);
const { value } = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    text,
    text.map((part) => part.repeat(10)),
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, true, false, undefined, () => {}, Symbol.iterator),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

it("writes whatever holds a long text as JSON.stringify does, to the letter", () => {
  let wordy = 0;
  fc.assert(
    fc.property(value, (drawn) => {
      if (natureOf(drawn, LONG) === "wordy") wordy++;
      expect(stringifyWordy(drawn, LONG)).toBe(JSON.stringify(drawn));
    }),
    { numRuns: 3000 },
  );
  expect(wordy).toBeGreaterThan(300);
});

it("leaves no out-of-the-way name or value out", () => {
  const odd = JSON.parse('{"__proto__":{"text":"long enough"},"10":"long","2":"enough","":-0,"toJSON":"a text"}') as object;
  for (const drawn of [odd, [odd, odd], { odd, big: 1e21, small: 1e-7 }]) {
    expect(natureOf(drawn, LONG)).toBe("wordy");
    expect(stringifyWordy(drawn, LONG)).toBe(JSON.stringify(drawn));
  }
  expect(() => stringifyWordy({ text: "long enough", id: 1n }, LONG)).toThrow("BigInt");
});

it("calls foreign exactly what JSON changes", () => {
  fc.assert(
    fc.property(value, (drawn) => {
      if (drawn === undefined) return;
      const text = JSON.stringify(drawn) as string | undefined;
      const arrived: unknown = text === undefined ? undefined : JSON.parse(text);
      expect(natureOf(drawn, LONG) === "foreign").toBe(!isDeepStrictEqual(arrived, withoutNegativeZero(drawn)));
    }),
    { numRuns: 3000 },
  );
});

/** JSON's 0 has no sign, and no schema asks for one. */
function withoutNegativeZero(drawn: unknown): unknown {
  if (drawn === 0) return 0;
  if (Array.isArray(drawn)) return Array.from(drawn, withoutNegativeZero);
  if (typeof drawn !== "object" || drawn === null) return drawn;
  return Object.fromEntries(Object.entries(drawn).map(([name, inner]) => [name, withoutNegativeZero(inner)]));
}

it("tells what arrives as something else or not at all, or inherits what JSON does not see, wherever it is", () => {
  class Instance {}
  const odd = [
    new Date(0),
    new Instance(),
    { toJSON: () => 1 },
    new Map(),
    Object.create(null),
    undefined,
    Number.NaN,
    -Infinity,
    () => {},
    Symbol(),
  ];
  for (const inner of odd) {
    for (const drawn of [[inner], { inner }, { text: "long enough", inner: [{ inner }] }]) expect(natureOf(drawn, LONG)).toBe("foreign");
  }
  const holey: unknown[] = ["long enough"];
  holey[2] = 1;
  expect(natureOf(holey, LONG)).toBe("foreign");
  expect(natureOf(undefined, LONG)).toBe("plain"); // No payload, where constants are all there is.
  expect(natureOf({ text: "no", list: [1, null] }, LONG)).toBe("plain");
});
