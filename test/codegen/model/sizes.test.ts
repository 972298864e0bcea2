// Documents that nobody writes by hand: refused with a place, or read in time that grows with them. (The clock is no judge here: what was quadratic took minutes.)
import { expect, test } from "vitest";
import { document3, modelled, modelOf, tagged } from "./modelled.ts";

const many = <Value>(count: number, entry: (index: number) => readonly [string, Value]): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => entry(index)));
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

test("a constant may have more values than a call has room for arguments", async () => {
  const values = Array.from({ length: 150_000 }, (_, index) => `value${index}`);
  const model = await modelOf(
    document3({ receives: { many: { type: "object", required: ["type"], properties: { type: { enum: values } } }, one: tagged("one") } }),
  );
  expect(model.endpoints[0]?.clientToServer.deliveries.map(({ name }) => name)).toEqual(["many", "one"]);
});

test("a chain of refs to refs ends with a place, whatever its length", async () => {
  const schemas = many(2_000, (index) => [`S${index}`, index === 1_999 ? { type: "string" } : ref(`S${index + 1}`)]);
  const { load } = await import("../../../codegen/src/document/load.ts");
  const { folderOf } = await import("../document/files.ts");
  const folder = folderOf({ "api.json": document3({ receives: { a: ref("S0") }, extra: { components: { schemas } } }) });
  const { diagnostics } = await load(`${folder}/api.json`, { root: folder });
  expect(diagnostics.map(({ severity, code, position }) => [severity, code, position?.line !== undefined])).toEqual([
    ["error", "ref-chain", true],
  ]);
});

test("a chain of schemas that are nothing but the next one ends with a place, and no stack does", async () => {
  const schemas = many(1_500, (index) => [`S${index}`, index === 1_499 ? { type: "object" } : { allOf: [ref(`S${index + 1}`)] }]);
  const { lines, model } = await modelled(document3({ receives: { a: ref("S0") }, extra: { components: { schemas } } }));
  expect(model).toBeUndefined();
  expect(lines.filter((line) => line.startsWith("error"))).toEqual([
    expect.stringMatching(/^error endless-schema \d+:\d+ The schema `S200` is defined by more than 200 others/),
  ]);
});

test("a thousand types of one name are told apart, and said once", async () => {
  const channels = many(1_000, (index) => [`c${index}`, { address: `/c${index}`, messages: { m: { payload: tagged(`m${index}`) } } }]);
  const operations = many(1_000, (index) => [`o${index}`, { action: "receive", channel: { $ref: `#/channels/c${index}` } }]);
  const { lines, model } = await modelled(document3({ extra: { channels, operations } }));
  expect(new Set(model?.types.map(({ name }) => name)).size).toBe(1_000);
  expect(lines.filter((line) => line.includes("name-clash"))).toEqual([expect.stringMatching(/ 1000 types would have the same name/)]);
});
