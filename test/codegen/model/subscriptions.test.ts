import { expect, test } from "vitest";
import { document3, endpointOf, modelled, modelOf, tagged } from "./modelled.ts";

const pair = { pair: { type: "string" } };
const messages = {
  receives: { subscribe: tagged("subscribe", pair), unsubscribe: tagged("unsubscribe", pair) },
  sends: { subscribed: tagged("subscribed", pair), trade: tagged("trade", pair) },
};
const option = { subscribe: "subscribe", unsubscribe: "unsubscribe", ack: "subscribed", key: ["/pair"] };
const document = (subscription: object | undefined): string =>
  document3({ ...messages, channel: subscription === undefined ? {} : { "x-wsgen": { subscription } } });

test("a subscription names messages of its channel, by the names they have in the model", async () => {
  const { subscription } = endpointOf(await modelOf(document(option)));
  expect(subscription).toEqual({ subscribe: "subscribe", unsubscribe: "unsubscribe", ack: "subscribed", key: [["pair"]] });
});

test.each([
  [{ ...option, ack: "subscribe" }, "`ack` is `subscribe`, which is no message that servers send here."],
  [{ ...option, subscribe: "sub" }, "`subscribe` is `sub`, which is no message that clients send here."],
  [{ ...option, key: ["pair"] }, "which is not a JSON Pointer into the payload, such as `/pair`"],
  [{ ...option, key: [{ subscribe: "pair" }] }, "no JSON Pointer"],
  [{ ...option, key: [{ where: "/pair" }] }, "`where` is no option"],
  [{ ...option, refused: "no" }, "`refused` is `no`, which is no message that servers send here."],
  [{ ...option, unsubscribe: { at: "/event" } }, "has no `value`"],
  [{ ...option, key: [] }, "which is not a list"],
  [{ subscribe: "subscribe", key: ["/pair"] }, "has no `unsubscribe`"],
])("%j is refused", async (subscription, message) => {
  const { model, lines } = await modelled(document(subscription));
  expect(model).toBeUndefined();
  expect(lines.join("\n")).toContain(message);
});

test("a key with places of its own has each where it is said, and unsubscribing says what it declares", async () => {
  const text = document3({
    receives: {
      ask: tagged("ask", { args: { type: "array", items: { type: "object" } } }),
      leave: tagged("leave", { id: { type: "integer" } }),
    },
    sends: { heard: tagged("heard", { id: { type: "integer" } }), no: tagged("no"), trade: tagged("trade", pair) },
    channel: {
      "x-wsgen": {
        subscription: {
          subscribe: "ask",
          unsubscribe: "leave",
          ack: "heard",
          refused: "no",
          key: [
            { subscribe: "/args/*/pair", messages: "/pair" },
            { ack: "/id", unsubscribe: "/id" },
          ],
        },
      },
    },
  });
  const { model, lines } = await modelled(text);
  expect(lines).toEqual([]);
  expect(model?.endpoints[0]?.subscription).toEqual({
    subscribe: "ask",
    unsubscribe: "leave",
    ack: "heard",
    refused: "no",
    key: [
      { subscribe: ["args", "*", "pair"], messages: ["pair"], ack: ["pair"] },
      { ack: ["id"], unsubscribe: ["id"] },
    ],
  });
});

test("the message that subscribes may unsubscribe with something else in it", async () => {
  const unsubscribe = { at: "/event", value: "unsubscribe" };
  const { subscription } = endpointOf(await modelOf(document({ ...option, unsubscribe, refused: { at: "/pair", value: null } })));
  expect(subscription).toMatchObject({ unsubscribe: { at: ["event"], value: "unsubscribe" }, refused: { at: ["pair"], value: null } });
});

test.each([
  [{ ...option, key: ["/pair", "/depth"] }, ["`subscribe` does not declare `depth`", "`unsubscribe` does not declare `depth`"]],
  [{ ...option, unsubscribe: { at: "/op", value: "unsubscribe" } }, ["`subscribe` does not declare `op`"]],
  [
    { ...option, key: [{ subscribe: "/pair", messages: "/symbol" }] },
    ["declares any of the key; what does not say it goes to no subscription"],
  ],
  [{ ...option, key: [{ ack: "/pair", messages: "/pair" }] }, ["Nothing of the key is said to `unsubscribe`"]],
])("%j is worth a warning", async (subscription, messages) => {
  const { lines } = await modelled(document(subscription));
  const warnings = lines.filter((line) => line.startsWith("warning subscription"));
  expect(warnings).toHaveLength(messages.length);
  for (const message of messages) expect(warnings.join("\n")).toContain(message);
});

test("messages that look like a subscription are proposed as one, ready to paste", async () => {
  const { diagnostics } = await modelled(document(undefined));
  const [hint] = diagnostics.filter(({ code }) => code === "subscription-unsaid");
  expect(hint?.fix).toContain(
    "x-wsgen: { subscription: { subscribe: subscribe, unsubscribe: unsubscribe, ack: subscribed, key: [/pair] } }",
  );
  expect((await modelled(document(option))).lines).toEqual([]);
});

test("so is one message that subscribes and unsubscribes, with places of its own, an ack and a refusal", async () => {
  const request = {
    type: "object",
    required: ["op", "args"],
    properties: {
      op: { enum: ["subscribe", "unsubscribe"] },
      args: { type: "object", properties: { symbols: { type: "array" }, token: { type: "string" } } },
    },
  };
  const { diagnostics } = await modelled(
    document3({
      receives: { request },
      sends: { subscribed: tagged("subscribed"), error: tagged("error"), trade: tagged("trade", { symbol: { type: "string" } }) },
    }),
  );
  expect(diagnostics.map(({ fix }) => fix)).toEqual([
    expect.stringContaining(
      "{ subscribe: request, unsubscribe: { at: /op, value: unsubscribe }, ack: subscribed, refused: error, key: [{ subscribe: /args/symbols, messages: /symbol }] }",
    ),
  ]);
});

test("nothing is proposed where no message says what it was subscribed by", async () => {
  const { subscribed, trade: _, ...others } = messages.sends;
  const { lines } = await modelled(document3({ ...messages, sends: { ...others, tick: tagged("tick"), note: subscribed } }));
  expect(lines.filter((line) => line.includes("subscription-unsaid"))).toHaveLength(1);
  const answered = await modelled(document3({ ...messages, sends: { subscribed, tick: tagged("tick") } }));
  expect(answered.lines).toEqual([]);
  const silent = await modelled(document3({ ...messages, sends: { tick: tagged("tick") } }));
  expect(silent.lines).toEqual([]);
});
