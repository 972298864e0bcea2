// The public documents of ../shared/corpus: every WebSocket one becomes a model or located errors, in bounded time.
import { describe, expect, test } from "vitest";
import { load } from "../../../codegen/src/document/load.ts";
import { buildModel } from "../../../codegen/src/model/build.ts";
import { createJudge } from "../../../codegen/src/model/judge.ts";
import type { Model } from "../../../codegen/src/model/model.ts";
import { sampleOf } from "../../../codegen/src/model/sample.ts";
import { createDecoder } from "../../../runtime/src/contract/dispatch.ts";
import { type Entry, entries, entryOf, filesOf, present, sideOf, sockets } from "../../corpus.mjs";
import { processorTime } from "../../processor-time.mjs";

const open = (entry: Entry) => {
  const { document, root } = filesOf(entry);
  return load(document, { root });
};
const built = new Map<Entry, Promise<Model>>();
const modelOf = (entry: Entry): Promise<Model> => {
  const known = built.get(entry) ?? open(entry).then((document) => buildModel(document, { perspective: sideOf(entry) }).model as Model);
  built.set(entry, known);
  return known;
};

describe.skipIf(!present)("the corpus (needs ../shared/corpus)", () => {
  test("every WebSocket document of version 2.0 or later has a model, each in less than 5 s", async () => {
    const figures = { endpoints: 0, directions: 0, alone: 0, apart: 0, unions: 0, messages: 0, "messages in unions": 0, slowest: 0 };
    for (const entry of sockets) {
      const document = await open(entry);
      const start = processorTime();
      const { model, diagnostics } = buildModel(document, { perspective: sideOf(entry) });
      const took = processorTime() - start;
      if (model !== undefined) built.set(entry, Promise.resolve(model));
      expect(took, entry.slug).toBeLessThan(5000);
      expect(
        diagnostics.filter(({ severity }) => severity === "error"),
        entry.slug,
      ).toEqual([]);
      expect(
        diagnostics.filter(({ position }) => position === undefined),
        entry.slug,
      ).toEqual([]);
      figures.slowest = Math.max(figures.slowest, Math.round(took));
      for (const { clientToServer, serverToClient } of model?.endpoints ?? []) {
        figures.endpoints += 1;
        for (const { messages, deliveries } of [clientToServer, serverToClient]) {
          if (messages.length === 0) continue;
          const unions = deliveries.filter((delivery) => delivery.messages.length > 1);
          figures.directions += 1;
          figures.messages += messages.length;
          if (messages.length === 1) figures.alone += 1;
          else if (unions.length === 0) figures.apart += 1;
          else figures.unions += 1;
          figures["messages in unions"] += new Set(unions.flatMap((union) => union.messages)).size;
        }
      }
    }
    console.info("corpus", figures);
    expect(figures).toMatchObject({ endpoints: 122, directions: 222 });
    expect(figures.unions).toBeLessThanOrEqual(27);
  });

  test("which side a document is written from is read from its words, and rightly where they are clear", async () => {
    const verdicts = { right: 0, wrong: 0, silent: 0 };
    for (const entry of sockets.filter(({ version }) => version.startsWith("3."))) {
      const { side, because } = (buildModel(await open(entry)).model as Model).perspective;
      verdicts[because !== "words" ? "silent" : side === sideOf(entry) ? "right" : "wrong"] += 1;
    }
    expect(verdicts.right, JSON.stringify(verdicts)).toBeGreaterThanOrEqual(45);
    expect(verdicts.wrong).toBeLessThanOrEqual(1);
  });

  test("every other document is refused with a located reason, or has a model", async () => {
    for (const entry of entries.filter((candidate) => !sockets.includes(candidate))) {
      const { model, diagnostics } = buildModel(await open(entry));
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(model === undefined, entry.slug).toBe(errors.length > 0);
      for (const { position, fix } of errors)
        expect({ position, fix }, entry.slug).toEqual({ position: expect.any(Object), fix: expect.any(String) });
    }
  });

  test("a sampled valid message always reaches a delivery of its own", async () => {
    let tried = 0;
    for (const entry of sockets) {
      const model = await modelOf(entry);
      // The judge compiles every type; the largest documents would be most of the suite's time (the conformance suite has them all).
      if (model.types.length > 60) continue;
      const definitions = new Map(model.types.map(({ name, schema }) => [name, schema]));
      const judge = createJudge(definitions);
      for (const direction of model.endpoints.flatMap(({ clientToServer, serverToClient }) => [clientToServer, serverToClient])) {
        const decoder = createDecoder({
          dispatch: direction.tree,
          messages: Object.fromEntries(direction.deliveries.map(({ name, format }) => [name, { format }])),
        });
        for (const { name, type, format, replyOnly } of direction.messages) {
          if (replyOnly || format !== "json") continue;
          for (const [optional, pick] of [
            [true, 0],
            [false, 1],
          ] as const) {
            const value = sampleOf({ $ref: `#/definitions/${type}` }, (id) => definitions.get(id), { optional, pick });
            if (value === undefined || judge.refusals(type, value)?.length !== 0) continue;
            tried += 1;
            const delivery = direction.deliveries.find((candidate) => candidate.name === decoder.find(value));
            expect(delivery?.messages, `${entry.slug} ${name} ${JSON.stringify(value)}`).toContain(name);
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(500);
  });

  test.each([
    ["spec-3.1-websocket-gemini", [["marketDataV1", "/v1/marketdata/{symbol}", 0, 1, "", ""]]],
    ["spec-2.6-websocket-gemini", [["v1Marketdata", "/v1/marketdata/{symbol}", 0, 1, "", ""]]],
    ["vulcx", [["stream", "/api/v1/stream", 4, 3, "`op`", "`type`"]]],
    ["speechmatics-flow", [["flow", "/v1/flow", 6, 14, "frame kind, then `message`", "frame kind, then `message`"]]],
    ["warpcast", [["socket", "/stream", 2, 3, "`messageType`", "`messageType`"]]],
    ["citizen-quest", [["socket", "/", 6, 3, "`type`", "`type`"]]],
    [
      "chanx-fastapi-yaml",
      [
        ["chat", "/ws/chat", 3, 6, "`action`", "`action`"],
        ["reliableChat", "/ws/reliable", 2, 3, "`action`", "`action`"],
        ["notifications", "/ws/notifications", 2, 2, "`action`", "`action`"],
        ["analytics", "/ws/analytics", 2, 2, "`action`", "`action`"],
        ["system", "/ws/system", 2, 2, "`action`", "`action`"],
        ["backgroundJobs", "/ws/background_jobs", 2, 3, "`action`", "`action`"],
        ["roomChat", "/ws/room/{room_name}", 2, 2, "`action`", "`action`"],
        ["topics", "/ws/topics", 3, 4, "`action`", "`action`"],
        ["roomTopic", "/ws/topics/room/{room_name}", 2, 2, "`action`", "`action`"],
      ],
    ],
    ["anychat", [["apiV1Ws", "/api/v1/ws", 3, 3, "`type`", "`type`"]]],
  ])("%s reads as its authors meant it, by itself", async (slug, expected) => {
    const entry = entryOf(slug);
    const model = buildModel(await open(entry)).model as Model;
    expect(model.perspective.side).toBe(sideOf(entry));
    expect(
      model.endpoints.map(({ name, address, clientToServer, serverToClient }) => [
        name,
        address,
        clientToServer.messages.length,
        serverToClient.messages.length,
        clientToServer.by,
        serverToClient.by,
      ]),
    ).toEqual(expected);
    const deliveries = model.endpoints.flatMap(({ clientToServer, serverToClient }) => [
      ...clientToServer.deliveries,
      ...serverToClient.deliveries,
    ]);
    expect(deliveries.filter(({ messages }) => messages.length !== 1)).toEqual([]);
  });

  test("the tag of citizen-quest is required in effect, and filled in for the sender", async () => {
    const model = await modelOf(entryOf("citizen-quest"));
    expect(model.endpoints[0]?.clientToServer.messages.map(({ constants }) => constants["type"])).toEqual([
      "serverInfo",
      "sync",
      "ping",
      "addPlayer",
      "removePlayer",
      "playerReady",
    ]);
  });
});
