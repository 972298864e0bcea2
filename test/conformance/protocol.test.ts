import { expect, it } from "vitest";
import { groups, run } from "./protocol.mjs";

it("answers every case of the protocol suite as RFC 6455 and RFC 7692 want it", async () => {
  const { failures, passed, total } = await run();
  console.log(`protocol: ${passed}/${total}`);
  expect(failures).toEqual([]);
  expect(total).toBeGreaterThan(180);
});

it("has different names for all cases of a group", () => {
  for (const [group, cases] of Object.entries(groups)) {
    const names = (cases as readonly { readonly name: string }[]).map(({ name }) => name);
    expect([group, new Set(names).size]).toEqual([group, names.length]);
  }
});
