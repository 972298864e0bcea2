import { expect, test } from "vitest";
import { document3, modelled, modelOf, tagged } from "./modelled.ts";

const written = (receives: readonly string[], sends: readonly string[], extra: object = {}) => {
  const payloads = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, tagged(name)]));
  return document3({ receives: payloads(receives), sends: payloads(sends), extra: { "x-wsgen": undefined, ...extra } });
};

test.each([
  ["from the server", ["subscribe", "cancelOrderRequest"], ["orderUpdate", "subscribeResponse"], { side: "server", because: "words" }],
  ["from the client", ["orderUpdate", "pong"], ["subscribe", "ping"], { side: "client", because: "words" }],
  ["without a word", ["apple"], ["pear"], { side: "server", because: "default" }],
])("3.x written %s", async (_name, receives, sends, expected) => {
  expect((await modelOf(written(receives, sends))).perspective).toMatchObject(expected);
});

test("an option wins over x-wsgen, which wins over the words; a contradiction is a hint", async () => {
  const text = written(["subscribe"], ["update"], { "x-wsgen": { perspective: "client" } });
  const { model, lines } = await modelled(text);
  expect(model?.perspective).toMatchObject({ side: "client", because: "option" });
  expect(lines).toContainEqual(expect.stringContaining("hint perspective 2:3"));
  const agreed = await modelled(text, { perspective: "server" });
  expect(agreed.model?.perspective).toMatchObject({ side: "server", because: "option" });
  expect(agreed.lines.filter((line) => line.includes("perspective"))).toEqual([]);
});

test("a title that says client or server counts", async () => {
  expect((await modelOf(written(["apple"], ["pear"], { info: { title: "Fruit Client", version: "1" } }))).perspective.side).toBe("client");
});

test("what begins with a command is one, whatever it is about", async () => {
  expect((await modelOf(written(["apple"], ["subscribeToFeed"]))).perspective.side).toBe("client");
  expect((await modelOf(written(["apple"], ["subscribeResponse"]))).perspective.side).toBe("server");
});

test("one message of many decides nothing, nor a constant that tells no messages apart", async () => {
  const names = "apple pear plum cherry fig grape kiwi lemon lime mango peach".split(" ");
  const payloads = Object.fromEntries(names.map((name) => [name, { type: "object", properties: { [name]: {} } }]));
  const many = { ...payloads, plum: { type: "object", properties: { s: { const: "fixed" } } } };
  const text = (receives: object) => document3({ receives, sends: { melon: { type: "object" } }, extra: { "x-wsgen": undefined } });
  expect((await modelOf(text(many))).perspective).toMatchObject({ side: "server", because: "default" });
  expect((await modelOf(text({ ...payloads, pong: {} }))).perspective).toMatchObject({ side: "server", because: "default" });
  const few = { apple: tagged("apple", { s: { const: "fixed" } }), pear: tagged("pear") };
  expect((await modelOf(text(few))).perspective).toMatchObject({ side: "server", because: "default" });
});

test("the words that spoke are named, a few of them", async () => {
  const { perspective } = await modelOf(written(["subscribe", "cancelOrderRequest", "ping"], ["orderUpdate", "apple"]));
  expect(perspective.evidence).toBe("it receives subscribe, cancelOrderRequest, …, it sends orderUpdate");
  expect((await modelOf(written(["apple"], ["pear"]))).perspective).not.toHaveProperty("evidence");
});
