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
  [{ ...option, key: ["pair"] }, "no JSON Pointer"],
  [{ ...option, key: [] }, "which is not a list"],
  [{ subscribe: "subscribe", key: ["/pair"] }, "has no `unsubscribe`"],
])("%j is refused", async (subscription, message) => {
  const { model, lines } = await modelled(document(subscription));
  expect(model).toBeUndefined();
  expect(lines.join("\n")).toContain(message);
});

test("a key that a message does not have is a warning", async () => {
  const { lines } = await modelled(document({ ...option, key: ["/pair", "/depth"] }));
  expect(lines.filter((line) => line.startsWith("warning subscription"))).toHaveLength(2);
});

test("messages that look like a subscription are proposed as one, ready to paste", async () => {
  const { diagnostics } = await modelled(document(undefined));
  const [hint] = diagnostics.filter(({ code }) => code === "subscription-unsaid");
  expect(hint?.fix).toContain(
    "x-wsgen: { subscription: { subscribe: subscribe, unsubscribe: unsubscribe, ack: subscribed, key: [/pair] } }",
  );
  expect((await modelled(document(option))).lines).toEqual([]);
});
