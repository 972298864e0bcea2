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
      if (natureOf(drawn, LONG) !== "wordy") return;
      wordy++;
      expect(stringifyWordy(drawn, LONG)).toBe(JSON.stringify(drawn));
    }),
    { numRuns: 3000 },
  );
  expect(wordy).toBeGreaterThan(500);
});

it("leaves no out-of-the-way name or value out", () => {
  const odd = JSON.parse('{"__proto__":{"text":"long enough"},"10":"long","2":"enough","":-0,"toJSON":"a text"}') as object;
  const holey = Object.assign(["long enough"], { 3: Number.NaN });
  for (const drawn of [odd, [odd, odd], { odd, holey, big: 1e21, small: 1e-7 }]) {
    expect(natureOf(drawn, LONG)).toBe("wordy");
    expect(stringifyWordy(drawn, LONG)).toBe(JSON.stringify(drawn));
  }
  expect(() => stringifyWordy({ text: "long enough", id: 1n }, LONG)).toThrow("BigInt");
});

it("tells what serialises as something else, or inherits what JSON does not see, wherever it is", () => {
  class Instance {}
  for (const inner of [new Date(0), new Instance(), { toJSON: () => 1 }, new Map(), Object.create(null)]) {
    for (const drawn of [inner, [inner], { text: "long enough", inner: [{ inner }] }]) expect(natureOf(drawn, LONG)).toBe("foreign");
  }
  expect(natureOf({ text: "no", list: [1, null] }, LONG)).toBe("plain");
});
