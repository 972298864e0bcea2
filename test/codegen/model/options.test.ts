import { describe, expect, it } from "vitest";
import { deliveriesOf, document3, endpointOf, modelled, modelOf, namesOf, tagged, typeOf } from "./modelled.ts";

const object = (properties: object, required: readonly string[] = []) => ({ type: "object", properties, required });
const option = (value: object): { readonly channel: { readonly "x-wsgen": object } } => ({ channel: { "x-wsgen": value } });

async function received(receives: object, options: object = {}, extra: object = {}) {
  const { model, lines, diagnostics } = await modelled(document3({ receives, extra, ...option(options) }));
  if (model === undefined) throw new Error(lines.join("\n"));
  return { model, lines, diagnostics, ...endpointOf(model).clientToServer };
}
async function errors(receives: object, options: object, extra: object = {}): Promise<(readonly [string, string | undefined])[]> {
  const { diagnostics } = await modelled(document3({ receives, extra, ...option(options) }));
  return diagnostics.filter(({ severity }) => severity === "error").map(({ message, fix }) => [message, fix] as const);
}

/** Both may say anything of their `type`. */
const free = { buy: object({ type: { type: "string" }, amount: { type: "number" } }), sell: object({ type: { type: "string" } }) };

describe("discriminator", () => {
  it("gives each message its own name at the place, in its type and filled in for the sender", async () => {
    const { model, tree, messages } = await received(free, { discriminator: "/type" });
    expect(tree.json).toEqual({
      path: ["type"],
      cases: [
        ["buy", "buy"],
        ["sell", "sell"],
      ],
    });
    expect(messages.map(({ constants }) => constants)).toEqual([{ type: "buy" }, { type: "sell" }]);
    expect(typeOf(model, "BuyMessage").schema).toEqual({
      type: "object",
      required: ["type"],
      properties: { type: { type: "string", const: "buy" }, amount: { type: "number" } },
    });
  });

  it("is written into the items of a list, so that a literal of its type can have their other properties", async () => {
    const request = object({ args: { type: "array", items: { $ref: "#/components/schemas/arg" } } });
    const { model } = await received(
      { buy: request, sell: request },
      { discriminator: { at: "/args/0/op", values: { buy: "buy", sell: "sell" } } },
      { components: { schemas: { arg: object({ op: { type: "string" }, pair: { type: "string" } }) } } },
    );
    const arg = { $ref: "#/definitions/Arg" };
    const pinned = { allOf: [arg, object({ op: { const: "buy" } }, ["op"])] };
    expect(typeOf(model, "BuyMessage").schema).toMatchObject({
      properties: { args: { type: "array", minItems: 1, items: [pinned], additionalItems: arg } },
    });
  });

  it("leaves a constant of the schema, a list of its own and a message without the property as they are", async () => {
    const { tree } = await received(
      { a: tagged("A"), b: object({ type: { enum: ["b1", "b2"] } }, ["type"]), c: object({ text: {} }, ["text"]) },
      { discriminator: "/type" },
    );
    expect(tree.json).toMatchObject({
      cases: [
        ["A", "a"],
        ["b1", "b"],
        ["b2", "b"],
      ],
      absent: "c",
    });
  });

  it("takes the message's own name out of a list that all share", async () => {
    const shared = object({ type: { enum: ["open", "shut"] } }, ["type"]);
    const { tree } = await received({ open: shared, shut: shared }, { discriminator: "/type" });
    expect(tree.json).toMatchObject({
      cases: [
        ["open", "open"],
        ["shut", "shut"],
      ],
    });
  });

  it("has the values that are listed, and nothing else then", async () => {
    const { tree, by } = await received(
      { ...free, other: tagged("x") },
      { discriminator: { at: "/type", values: { buy: ["b", "buy"], sell: "s" } } },
    );
    expect(tree.json).toMatchObject({
      cases: [
        ["b", "buy"],
        ["buy", "buy"],
        ["s", "sell"],
        ["x", "other"],
      ],
    });
    expect(by).toBe("`type`");
    expect(await errors(free, { discriminator: { at: "/type", values: { buyy: "b" } } })).toEqual([
      ["`values` names `buyy`, which is no message here.", "Did you mean `buy`?"],
    ]);
    expect(await errors(free, { discriminator: { at: "/type", values: { buy: 2 } } })).toEqual([
      ["`buy` cannot have 2 at `type`: its schema wants string.", expect.any(String)],
    ]);
  });

  it("is right where the document lists other values, and says so", async () => {
    const components = { schemas: { Changed: tagged("added", { id: { type: "string" } }) } };
    const changed = { $ref: "#/components/schemas/Changed" };
    const { model, tree, lines } = await received(
      { added: tagged("added"), changed },
      { discriminator: { at: "/type", values: { changed: "changed" } } },
      { components },
    );
    expect(tree.json).toMatchObject({
      cases: [
        ["added", "added"],
        ["changed", "changed"],
      ],
    });
    expect(typeOf(model, "ChangedMessage").schema).toMatchObject({ properties: { type: { const: "changed" }, id: { type: "string" } } });
    expect(lines.filter((line) => line.includes("discriminator"))).toEqual([
      expect.stringMatching(
        /^hint discriminator \d+:\d+ `changed` cannot have "changed" at `type`: its schema wants "added"\. The option is taken to be right\.$/,
      ),
    ]);
  });

  it("is right as well about the first of a list whose items are all alike, in schemas that others share", async () => {
    const components = {
      schemas: {
        Request: object({ op: { type: "string" }, args: { type: "array", items: { $ref: "#/components/schemas/Argument" } } }),
        Argument: object({ channel: { $ref: "#/components/schemas/Channel" }, id: { type: "string" } }),
        Channel: { type: "string", enum: ["positions", "orders"] },
      },
    };
    const request = { $ref: "#/components/schemas/Request" };
    const { model, tree, lines } = await received(
      { positions: request, warnings: request },
      { discriminator: { at: "/args/0/channel", values: { positions: "positions", warnings: "liquidation-warning" } } },
      { components },
    );
    expect(tree.json).toMatchObject({
      cases: [
        ["positions", "positions"],
        ["liquidation-warning", "warnings"],
      ],
    });
    const first = { properties: { channel: { const: "liquidation-warning" }, id: { type: "string" } } };
    expect(typeOf(model, "WarningsMessage").schema).toMatchObject({ properties: { args: { items: [first], minItems: 1 } } });
    expect(lines.filter((line) => /impossible|discriminator/.test(line))).toEqual([
      expect.stringContaining("The option is taken to be right."),
    ]);
  });

  it("may lie at different places of different messages", async () => {
    const order = object({ op: { type: "string" } });
    const { tree } = await received(
      { ...free, place: order, cancel: order },
      {
        discriminator: [
          { at: "/type", values: { buy: "b", sell: "s" } },
          { at: "/op", values: { place: "p", cancel: "c" } },
        ],
      },
    );
    expect(tree.json).toMatchObject({
      path: ["op"],
      cases: [
        ["p", "place"],
        ["c", "cancel"],
      ],
      absent: {
        path: ["type"],
        cases: [
          ["b", "buy"],
          ["s", "sell"],
        ],
      },
    });
  });

  it("reaches into what a $ref leads to, and leaves the schema itself alone", async () => {
    const components = {
      schemas: { Order: object({ head: { $ref: "#/components/schemas/Head" } }, ["head"]), Head: object({ op: { type: "string" } }) },
    };
    const order = { $ref: "#/components/schemas/Order" };
    const { model, messages, by } = await received({ buy: order, sell: order }, { discriminator: "/head/op" }, { components });
    expect(by).toBe("`head.op`");
    expect(messages.map(({ type }) => type)).toEqual(["BuyMessage", "SellMessage"]);
    expect(typeOf(model, "SellMessage").schema).toEqual({
      allOf: [
        { $ref: "#/definitions/Order" },
        {
          type: "object",
          required: ["head"],
          properties: { head: { type: "object", required: ["op"], properties: { op: { const: "sell" } } } },
        },
      ],
    });
  });
});

describe("envelope", () => {
  it("lies around each payload, with the name and the headers where they are said to be", async () => {
    const text = document3({
      receives: { post: object({ text: { type: "string" } }), leave: object({}) },
      ...option({ envelope: { payload: "/data", headers: "/meta" }, discriminator: "/event" }),
    }).replace(
      '"post": {',
      '"post": { "headers": { "type": "object", "required": ["trace"], "properties": { "trace": { "type": "string" } } },',
    );
    const { model, lines } = await modelled(text);
    const { by, messages } = endpointOf(model!).clientToServer;
    expect(by).toBe("`event`");
    expect(messages[0]?.constants).toEqual({ event: "post" });
    expect(typeOf(model!, "PostMessage").schema).toEqual({
      type: "object",
      required: ["data", "meta", "event"],
      properties: {
        event: { const: "post" },
        data: { type: "object", properties: { text: { type: "string" } }, required: [] },
        meta: { type: "object", required: ["trace"], properties: { trace: { type: "string" } } },
      },
    });
    expect(lines.filter((line) => line.includes("message-headers"))).toEqual([]);
  });

  it("may be a list, and a message may come bare", async () => {
    const text = document3({
      receives: { post: object({ text: { type: "string" } }), leave: object({}), ping: { const: 1 } },
      ...option({ envelope: { payload: "/1" }, discriminator: "/0" }),
    }).replace('"ping": {', '"ping": { "x-wsgen": { "envelope": false },');
    const { tree } = endpointOf(await modelOf(text)).clientToServer;
    expect(tree.json).toEqual({
      path: [],
      kinds: {
        array: {
          path: [0],
          cases: [
            ["post", "post"],
            ["leave", "leave"],
          ],
        },
        number: "ping",
      },
    });
  });

  it("moves the correlation ids of the document along", async () => {
    const id = (at: string) => ({ correlationId: { location: at } });
    const text = document3({
      receives: { ask: object({ id: { type: "string" } }) },
      sends: { answer: object({ id: { type: "string" } }) },
      ...option({ envelope: { payload: "/p" }, discriminator: "/m" }),
    })
      .replace('"receive": {', '"receive": { "reply": { "messages": [{ "$ref": "#/channels/main/messages/answer" }] },')
      .replace('"ask": {', `"ask": { ${JSON.stringify(id("$message.payload#/id")).slice(1, -1)},`);
    expect(endpointOf(await modelOf(text)).clientToServer.messages[0]?.reply).toMatchObject({ request: ["p", "id"], reply: ["p", "id"] });
  });
});

describe("onAmbiguous", () => {
  const same = { a: object({ x: { type: "integer" } }, ["x"]), b: object({ x: { type: "integer", minimum: 5 } }, ["x"]) };

  it("is a union by default, and an error where that is wished", async () => {
    expect(deliveriesOf(await received(same))).toEqual(["aOrB"]);
    expect(await errors(same, { onAmbiguous: "error" })).toEqual([
      ['`a` and `b` cannot be told apart; both accept `{"x":5}`.', expect.any(String)],
    ]);
    const assumed = { a: object({ x: {} }, ["x"]), b: object({ y: {} }, ["y"]) };
    expect(await errors(assumed, { onAmbiguous: "error" })).toEqual([
      [expect.stringContaining("only as long as they carry no property that their schemas do not declare"), expect.any(String)],
    ]);
    expect(await errors({ a: tagged("a"), b: tagged("b") }, { onAmbiguous: "error" })).toEqual([]);
  });

  it("leaves each its own handler where the first that accepts takes it, or a function says", async () => {
    for (const [word, by] of [
      ["first", "order"],
      ["classify", "classify"],
    ] as const) {
      const direction = await received(same, { onAmbiguous: word });
      expect(deliveriesOf(direction)).toEqual(["a", "b"]);
      expect(direction.tree).toEqual({ json: { among: ["a", "b"], by } });
      expect(direction.choice).toEqual({ among: ["a", "b"], by });
      expect(direction.lines.filter((line) => line.includes("ambiguous"))).toEqual([]);
    }
  });

  it("says that a message never arrives whose schema is the one of an earlier one", async () => {
    const components = { schemas: { S: same.a } };
    const twins = { a: { $ref: "#/components/schemas/S" }, b: { $ref: "#/components/schemas/S" } };
    const { lines } = await received(twins, { onAmbiguous: "first" }, { components });
    expect(lines).toContainEqual(expect.stringContaining("warning never-delivered"));
  });

  it("of the document holds where a channel says nothing, and channels of one socket have to agree", async () => {
    const root = { "x-wsgen": { perspective: "server", onAmbiguous: "first" } };
    expect((await received(same, {}, root)).choice?.by).toBe("order");
    expect((await received(same, { onAmbiguous: "union" }, root)).choice).toBeUndefined();
    const { lines } = await modelled(`
asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
servers: { s: { url: a, protocol: ws } }
channels:
  one: { x-wsgen: { onAmbiguous: first }, publish: { message: { name: m, payload: { type: object } } } }
  two: { x-wsgen: { onAmbiguous: error }, publish: { message: { name: n, payload: { type: array } } } }
`);
    expect(lines).toContainEqual(
      expect.stringMatching(/^error option-conflict 7:\d+ `onAmbiguous` is `first` on `one` and `error` on `two`, which share a socket\.$/),
    );
  });
});

describe("direction", () => {
  const text = (messages: object, operations: object = {}) =>
    JSON.stringify({
      asyncapi: "3.0.0",
      info: { title: "T", version: "1.0.0" },
      servers: { s: { host: "a", protocol: "ws" } },
      channels: { c: { address: "/c", messages } },
      operations,
      "x-wsgen": { perspective: "server" },
    });
  const message = (direction?: string) => ({ payload: { type: "object" }, ...(direction !== undefined && { "x-wsgen": { direction } }) });

  it("says who sends a message where no operation does", async () => {
    const { model, lines } = await modelled(text({ a: message("receive"), b: message("send"), c: message("both") }));
    const { clientToServer, serverToClient } = endpointOf(model!);
    expect([namesOf(clientToServer), namesOf(serverToClient)]).toEqual([
      ["a", "c"],
      ["b", "c"],
    ]);
    expect(lines.filter((line) => line.includes("no-direction"))).toEqual([]);
  });

  it("brings back a message that no operation names, and contradicts none that does", async () => {
    const operations = { o: { action: "send", channel: { $ref: "#/channels/c" }, messages: [{ $ref: "#/channels/c/messages/b" }] } };
    const { model } = await modelled(text({ a: message("receive"), b: message() }, operations));
    expect(namesOf(endpointOf(model!).clientToServer)).toEqual(["a"]);
    expect(model?.omitted).toEqual([]);
    const { lines } = await modelled(text({ b: message("receive") }, operations));
    expect(lines).toContainEqual(expect.stringContaining("error direction"));
  });
});

describe("contentType", () => {
  it("of a message or the document says how messages travel", async () => {
    const line = { line: { type: "string" } };
    expect((await received(line, {}, { defaultContentType: undefined })).messages[0]?.format).toBe("text");
    const json = { "x-wsgen": { perspective: "server", contentType: "application/json" } };
    expect((await received(line, {}, { defaultContentType: "text/plain", ...json })).messages[0]?.format).toBe("json");
    const bytes = document3({ receives: line }).replace('"line": {', '"line": { "x-wsgen": { "contentType": "application/octet-stream" },');
    expect(endpointOf(await modelOf(bytes)).clientToServer.messages[0]?.format).toBe("binary");
  });
});

describe("onInvalid", () => {
  it("is kept where it is not the default; a reply needs a message", async () => {
    const model = async (onInvalid: string) =>
      endpointOf(await modelOf(document3({ receives: { a: {} }, ...option({ onInvalid }) }))).onInvalid;
    expect([await model("close"), await model("drop")]).toEqual(["close", "drop"]);
    expect(await errors({ a: {} }, { onInvalid: "reply" })).toEqual([
      ["`onInvalid: reply` has no message to reply with.", expect.stringContaining("error: {")],
    ]);
  });
});

describe("correlation", () => {
  const asks = (options: object, answer: object = {}) =>
    document3({
      receives: { ask: tagged("ask", { req: { type: "integer" } }) },
      sends: { answer: { ...tagged("answer", { req: { type: "integer" } }), ...answer }, event: tagged("event") },
      ...option(options),
    })
      .replace('"receive": {', '"receive": { "reply": { "messages": [{ "$ref": "#/channels/main/messages/answer" }] },')
      .replace(/,\s*\{\s*"\$ref": "#\/channels\/main\/messages\/event"\s*\}/, "")
      .replace('"$ref": "#/channels/main/messages/answer"\n', '"$ref": "#/channels/main/messages/event"\n');

  it("at a place ties a reply to its request, as a correlation id of the document does", async () => {
    const { clientToServer, serverToClient } = endpointOf(await modelOf(asks({ correlation: "/req" })));
    expect(clientToServer.messages[0]?.reply).toEqual({ messages: ["answer"], request: ["req"], reply: ["req"], id: "integer" });
    expect(deliveriesOf(serverToClient)).toEqual(["event"]);
    expect(serverToClient.tree.json).toBe("event");
  });

  it("by order needs no id; the reply is told from other messages and given to nobody else", async () => {
    const { clientToServer, serverToClient } = endpointOf(await modelOf(asks({ correlation: "order" })));
    expect(clientToServer.messages[0]?.reply).toEqual({ messages: ["answer"], request: [], reply: [], id: "order" });
    expect(deliveriesOf(serverToClient)).toEqual(["event"]);
    expect(serverToClient.tree.json).toMatchObject({
      path: ["type"],
      cases: expect.arrayContaining([
        ["answer", "answer"],
        ["event", "event"],
      ]),
    });
  });

  it("of a message that is not there is an error; of a channel it holds where it can", async () => {
    const wrong = await modelled(asks({}).replace('"ask": {', '"ask": { "x-wsgen": { "correlation": "/nothing" },'));
    expect(wrong.lines).toContainEqual(
      expect.stringMatching(/^error correlation \d+:\d+ The correlation id is at `nothing`, which the request's payload does not declare/),
    );
    const { lines, model } = await modelled(asks({ correlation: "/nothing" }));
    expect(model && endpointOf(model).clientToServer.messages[0]?.reply).toBeUndefined();
    expect(lines).toContainEqual(expect.stringContaining("hint reply-uncorrelated"));
  });
});
