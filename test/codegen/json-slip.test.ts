import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonSlip } from "../../codegen/src/json-slip.ts";

test.each([
  ["{", 1],
  ['{ "a": 1, }', 10],
  ['{\n  "a": 1\n  "b": 2\n}', 13],
  ["{ a: 1 }", 2],
  ["{ 'a': 1 }", 2],
  ['{ "a": "b\n" }', 7],
  ['{ "a": // why\n1 }', 7],
  ['["a" "b"]', 5],
  ["[1, 2] x", 7],
  ["", 0],
])("%j stops being JSON at %i", (text, at) => {
  expect(jsonSlip(text)).toBe(at);
});

test("what is no control character of ASCII may be in a string", () => expect(jsonSlip('"\u007f\u0085"')).toBeUndefined());

test("JSON has no slip, and what JSON.parse refuses has one", () => {
  fc.assert(fc.property(fc.json({ maxDepth: 4 }), (text) => jsonSlip(text) === undefined));
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", '"', "\\", "x", " ")).map(([text, at, inserted]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + inserted + text.slice(place + 1);
  });
  fc.assert(
    fc.property(broken, (text) => {
      let parsed = true;
      try {
        JSON.parse(text);
      } catch {
        parsed = false;
      }
      return (jsonSlip(text) === undefined) === parsed;
    }),
  );
});
