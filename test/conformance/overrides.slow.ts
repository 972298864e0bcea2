// What options tell apart in other people's documents: one override file for each, as a user would write it, and the unions before and after.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadConfig, overridesOf } from "../../codegen/src/config.ts";
import { load } from "../../codegen/src/document/load.ts";
import { type Node, readText } from "../../codegen/src/document/read.ts";
import { createSource } from "../../codegen/src/document/source.ts";
import { misuses } from "../../codegen/src/grammar.ts";
import { type BuildOptions, buildModel } from "../../codegen/src/model/build.ts";
import { type Config, configKeys, type Options } from "../../codegen/src/options.ts";
import { configOf, type Entry, filesOf, present, sideOf, sockets } from "../corpus.mjs";

const folder = new URL("overrides/", import.meta.url).pathname;

const open = (entry: Entry) => {
  const { document, root } = filesOf(entry);
  return load(document, { root });
};

async function unionsOf(entry: Entry, config: Config | undefined) {
  const document = await open(entry);
  const options: BuildOptions = {
    perspective: sideOf(entry),
    ...(config !== undefined && overridesOf(config, folder)),
  };
  const { model, diagnostics } = buildModel(document, options);
  expect(
    diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    entry.slug,
  ).toEqual([]);
  const unions = (model?.endpoints ?? [])
    .flatMap(({ clientToServer, serverToClient }) => [...clientToServer.deliveries, ...serverToClient.deliveries])
    .filter(({ messages }) => messages.length > 1);
  return { unions: unions.length, messages: unions.reduce((sum, { messages }) => sum + messages.length, 0) };
}

describe.skipIf(!present)("overrides of the corpus (needs ../shared/corpus)", () => {
  test("tell apart what can be told apart, and spoil nothing", async () => {
    const total = { before: { unions: 0, messages: 0 }, after: { unions: 0, messages: 0 } };
    const lines: string[] = [];
    for (const entry of sockets) {
      const config = configOf(entry);
      const before = await unionsOf(entry, undefined);
      const after = config === undefined ? before : await unionsOf(entry, config);
      for (const key of ["unions", "messages"] as const) {
        total.before[key] += before[key];
        total.after[key] += after[key];
      }
      if (config === undefined) continue;
      expect(after.messages, entry.slug).toBeLessThan(before.messages);
      lines.push(`${entry.slug}: ${before.messages} messages in ${before.unions} unions, now ${after.messages} in ${after.unions}`);
    }
    console.info(`${lines.join("\n")}\nall: ${JSON.stringify(total)}`);
    expect(total.before.messages).toBeGreaterThanOrEqual(240);
    expect(total.after.messages).toBeLessThanOrEqual(60);
    expect(total.after.unions).toBeLessThanOrEqual(22);
  });

  test("every fix that is proposed for an ambiguity is valid and tells messages apart when it is pasted", async () => {
    let pasted = 0;
    for (const entry of sockets) {
      const { slug } = entry;
      const found = buildModel(await open(entry), { perspective: sideOf(entry) }).diagnostics.filter(
        ({ code }) => code === "ambiguous-messages",
      );
      for (const { fix = "" } of found) {
        const [, text] = /`"overrides": (\{.*\})` in wsgen/.exec(fix) ?? [];
        if (text === undefined) continue;
        const config = { overrides: JSON.parse(text) as NonNullable<Config["overrides"]> };
        expect(misuses(config, { kind: "fields", fields: configKeys }, "config"), slug).toEqual([]);
        const [before, after] = [await unionsOf(entry, undefined), await unionsOf(entry, config)];
        expect(after.messages, `${slug}: ${text}`).toBeLessThan(before.messages);
        pasted += 1;
      }
    }
    expect(pasted).toBeGreaterThanOrEqual(7);
  });
});

describe.skipIf(!present)("the hint that proposes subscriptions (needs ../shared/corpus)", () => {
  test("is given where a document is about them, and what it proposes makes them when it is pasted", async () => {
    const seen: Record<string, string> = {};
    for (const entry of sockets) {
      const { slug } = entry;
      const document = await open(entry);
      const options = { perspective: sideOf(entry) };
      const [hint] = buildModel(document, options).diagnostics.filter(({ code }) => code === "subscription-unsaid");
      if (hint === undefined) continue;
      const [, channel = ""] = /what comes on `(.+?)`/.exec(hint.message) ?? [];
      const [, text = ""] = /`x-wsgen: (.+)`/s.exec(hint.fix ?? "") ?? [];
      seen[slug] = text;
      const said = plain(readText(createSource("hint.yaml", text)).root!) as Options;
      const config = { overrides: { [`#/channels/${channel.replaceAll("/", "~1")}`]: said } };
      expect(misuses(config, { kind: "fields", fields: configKeys }, "config"), slug).toEqual([]);
      const { model, diagnostics } = buildModel(document, { ...options, ...overridesOf(config, folder) });
      const before = new Set(buildModel(document, options).diagnostics.map(({ message }) => message));
      expect(
        diagnostics.filter(({ severity, message }) => severity !== "hint" && !before.has(message)).map(({ message }) => message),
        slug,
      ).toEqual([]);
      const subscribed = model?.endpoints.flatMap(({ topics, subscription }) => [
        ...(subscription ? [subscription] : []),
        ...topics.flatMap((topic) => topic.subscription ?? []),
      ]);
      expect(subscribed, slug).toHaveLength(1);
    }
    expect(seen).toEqual({
      "exchange-coinbase":
        "{ subscription: { subscribe: subscribeMessage, unsubscribe: { at: /type, value: unsubscribed }, key: [{ subscribe: /product_ids, messages: /product_id }, { subscribe: /channels, messages: /channel }] } }",
      "exchange-krakenfutures":
        "{ subscription: { subscribe: subscribeToTickerMessage, unsubscribe: { at: /event, value: unsubscribe }, key: [/feed, { subscribe: /product_ids, messages: /product_id }] } }",
      tickdb:
        "{ subscription: { subscribe: tickerSubscriptionRequest, unsubscribe: { at: /cmd, value: unsubscribe }, key: [{ subscribe: /data/symbols, messages: /data/symbol }] } }",
      "unfoldedcircle-integration":
        "{ subscription: { subscribe: subscribeEvents, unsubscribe: unsubscribeEvents, key: [/msg_data/device_id, { subscribe: /msg_data/entity_ids, messages: /msg_data/entity_id }] } }",
    });
  });
});

test("every override file names a document of the corpus and is a valid configuration", async () => {
  for (const file of readdirSync(folder)) {
    const config = configOf({ slug: file.replace(/\.json$/, "") });
    expect(misuses(config, { kind: "fields", fields: configKeys }, "config"), file).toEqual([]);
    if (present) expect(sockets.map(({ slug }) => slug)).toContain(file.replace(/\.json$/, ""));
  }
  expect(await loadConfig([folder])).toEqual({ file: undefined });
});

function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.node)]));
}
