import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { overridesOf } from "../../../codegen/src/config.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { buildModel } from "../../../codegen/src/model/build.ts";
import type { Options } from "../../../codegen/src/options.ts";
import { document3, endpointOf } from "./modelled.ts";

const root = mkdtempSync(join(tmpdir(), "wsgen-suggestions-"));
afterAll(() => rmSync(root, { recursive: true }));

async function built(text: string, overrides: { readonly [place: string]: Options } = {}) {
  writeFileSync(join(root, "api.json"), text);
  return buildModel(await load(join(root, "api.json"), { root }), overridesOf({ overrides }, join(root, "config")));
}
const ambiguous = ({ diagnostics }: Awaited<ReturnType<typeof built>>) => diagnostics.filter(({ code }) => code === "ambiguous-messages");

/** The `overrides` that a fix proposes, as somebody would paste them. */
function pasted(fix: string): { readonly [place: string]: Options } {
  const [, text = ""] = /`"overrides": (\{.*\})` in wsgen/.exec(fix) ?? [];
  return JSON.parse(text) as { readonly [place: string]: Options };
}

const object = (type: object) => ({
  type: "object",
  properties: { type: { type: "string", ...type }, at: { type: "string", examples: ["2030-01-01"] } },
});
const shared = { enum: ["tick", "book", "other"] };

test.each([
  ["defaults", { tick: object({ default: "t" }), book: object({ default: "b" }) }, { tick: "t", book: "b" }],
  ["examples", { tick: object({ examples: ["t", "T"] }), book: object({ examples: ["b"] }) }, { tick: ["t", "T"], book: "b" }],
  ["a list that has its name", { tickMessage: object(shared), "ws.book": object(shared) }, { tickMessage: "tick", "ws.book": "book" }],
  [
    "the vendor's extensions",
    { tick: object({ "x-fern-type": 'literal<"Tick">' }), book: object({ "x-fern-type": 'literal<"Book">' }) },
    { tick: "Tick", book: "Book" },
  ],
])("%s that tell messages apart are proposed, and settle it when they are pasted", async (because, receives, values) => {
  const text = document3({ receives });
  const [warning] = ambiguous(await built(text));
  expect(warning?.severity).toBe("warning");
  expect(warning?.fix).toContain(`\`type\` seems to say which (in ${because}): write \`"overrides": {`);
  const overrides = pasted(warning?.fix ?? "");
  expect(overrides).toEqual({ "#/channels/main": { discriminator: { at: "/type", values } } });
  const after = await built(text, overrides);
  expect(ambiguous(after)).toEqual([]);
  expect(endpointOf(after.model!).clientToServer.deliveries.every(({ messages }) => messages.length === 1)).toBe(true);
});

test("examples of whole messages are looked into", async () => {
  const message = (type: string) => `"examples": [{ "payload": { "type": "${type}" } }], "payload"`;
  const text = document3({ receives: { tick: object({}), book: object({}) } })
    .replace('"payload"', message("TICK"))
    .replace(/"payload"(?=[\s\S]{0,3}\s*:\s*\{\s*"type": "object")(?![\s\S]*"book")/, message("BOOK"))
    .replace(/("book": \{\s*)"payload"/, `$1${message("BOOK")}`);
  const [warning] = ambiguous(await built(text));
  expect(pasted(warning?.fix ?? "")).toEqual({
    "#/channels/main": { discriminator: { at: "/type", values: { tick: "TICK", book: "BOOK" } } },
  });
});

test("what is no name is not proposed: dates, ids, sentences, a value that two have", async () => {
  for (const [a, b] of [
    ["2030-01-01", "2031-01-01"],
    ["f81d4fae 7dec 41d0", "one two three"],
    ["same", "same"],
    ["17", "18"],
  ]) {
    const text = document3({ receives: { tick: object({ examples: [a] }), book: object({ examples: [b] }) } });
    const [warning] = ambiguous(await built(text));
    expect(warning?.fix, a).toBe(
      "Give each a required property with a constant of its own (such as `type`), or say where it lies: `x-wsgen: { discriminator: /type }`.",
    );
    // Even that can be pasted.
    expect(ambiguous(await built(text, { "#/channels/main": { discriminator: "/type" } }))).toEqual([]);
  }
});
