import { readFileSync } from "node:fs";
import picocolors from "picocolors";
import { expect, test } from "vitest";
import { formatSummary, summarise } from "../../codegen/src/summary.ts";
import { document3, modelOf, tagged } from "./model/modelled.ts";

const summaryOf = async (text: string): Promise<readonly string[]> =>
  formatSummary(summarise(await modelOf(text)), picocolors.createColors(false)).split("\n");

test("the summary says what is shared, what is a topic, and what clients subscribe to", async () => {
  const market = readFileSync(new URL("../../specs/market.yaml", import.meta.url), "utf8");
  expect((await summaryOf(market)).slice(2)).toEqual([
    "  socket /v1  in 6 by `channel`, then `event`; out 7 by `event`",
    "    4 channels share it, topics ticker, book, candles; 3 messages of no single topic are the socket's",
    "    clients subscribe to candles",
  ]);
  const subscription = { subscribe: "subscribe", unsubscribe: "unsubscribe", key: ["/pair"] };
  const pair = { pair: { type: "string" } };
  const receives = { subscribe: tagged("subscribe", pair), unsubscribe: tagged("unsubscribe", pair) };
  const own = document3({ receives, sends: { trade: tagged("trade", pair) }, channel: { "x-wsgen": { subscription } } });
  expect((await summaryOf(own)).at(-1)).toBe("    clients subscribe to what is the socket's (`subscription`)");
});

test("what rests on undeclared properties is marked, and said once", async () => {
  const only = (name: string) => ({ type: "object", properties: { [name]: { type: "string" } }, required: [name] });
  const receives = { a: only("x"), b: only("y") };
  const lines = await summaryOf(document3({ receives, sends: receives }));
  expect(lines[2]).toContain("in 2 by whether there is `x` *; out 2 by whether there is `x` *");
  expect(lines.slice(3)).toEqual(["  * as long as messages carry only properties their schemas declare"]);
});

test("the summary says what in and out are for a document of a client's, and cuts long lists", async () => {
  const names = Array.from({ length: 20 }, (_, index) => `message${index}`);
  const sends = Object.fromEntries(names.map((name) => [name, { type: "object" }]));
  const lines = await summaryOf(document3({ sends, extra: { "x-wsgen": { perspective: "client" } } }));
  expect(lines[1]).toBe("  written from the client's side (in is what it sends): as it was told");
  expect(lines.at(-1)).toMatch(/^ {4}20 in come together, not told apart: message0, .*message\d+, … and 1\d more$/);
  for (const line of lines) expect(line.length).toBeLessThan(160);
});
