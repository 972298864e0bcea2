import { expect, test } from "vitest";
import { deliveriesOf, document3, endpointOf, modelled, modelOf, tagged, typeOf } from "./modelled.ts";

interface Document {
  readonly channels: { readonly main: { readonly messages: { [name: string]: { contentType?: string } } } };
}

async function received(receives: object, extra: object = {}) {
  const model = await modelOf(document3({ receives, extra }));
  return { model, ...endpointOf(model).clientToServer };
}

const object = (properties: object, required: readonly string[] = []) => ({ type: "object", properties, required });

test("a constant property tells messages apart, each value a case", async () => {
  const { tree, by, deliveries } = await received({ post: tagged("post"), leave: tagged("leave") });
  expect(tree).toEqual({
    json: {
      path: ["type"],
      cases: [
        ["post", "post"],
        ["leave", "leave"],
      ],
    },
  });
  expect(by).toBe("`type`");
  expect(deliveries.map(({ name, type, messages }) => ({ name, type, messages }))).toEqual([
    { name: "post", type: "PostMessage", messages: ["post"] },
    { name: "leave", type: "LeaveMessage", messages: ["leave"] },
  ]);
});

test("one-value enums, disjoint enums, numbers and booleans are constants by type", async () => {
  const { tree } = await received({
    a: object({ op: { enum: ["0"] } }, ["op"]),
    b: object({ op: { enum: [0, 1] } }, ["op"]),
    c: object({ op: { const: true } }, ["op"]),
  });
  expect(tree.json).toEqual({
    path: ["op"],
    cases: [
      ["0", "a"],
      [0, "b"],
      [1, "b"],
      [true, "c"],
    ],
  });
});

test("nested properties and tuple positions are places, outer ones first", async () => {
  const nested = await received({
    a: object({ params: object({ channel: { const: "a" } }, ["channel"]) }, ["params"]),
    b: object({ params: object({ channel: { const: "b" } }, ["channel"]) }, ["params"]),
  });
  expect(nested.by).toBe("`params.channel`");
  const tuple = await received({
    trade: { type: "array", minItems: 2, items: [{ type: "number" }, { const: "trade" }] },
    book: { type: "array", minItems: 2, items: [{ type: "number" }, { const: "book" }] },
  });
  expect(tuple.tree.json).toEqual({
    path: [1],
    cases: [
      ["trade", "trade"],
      ["book", "book"],
    ],
  });
  const outer = await received({
    a: object({ z: { const: "a" }, inner: object({ a: { const: 1 } }, ["a"]) }, ["z", "inner"]),
    b: object({ z: { const: "b" }, inner: object({ a: { const: 2 } }, ["a"]) }, ["z", "inner"]),
  });
  expect(outer.by).toBe("`z`");
});

test("a required tag is preferred to an optional one", async () => {
  const { by } = await received({
    a: object({ a: { const: 1 }, z: { const: "a" } }, ["z"]),
    b: object({ a: { const: 2 }, z: { const: "b" } }, ["z"]),
  });
  expect(by).toBe("`z`");
});

test("a tag that every message may leave out is required in effect: in the type, and filled in for the sender", async () => {
  const { model, tree, messages } = await received({ a: tagged("a", {}, []), b: tagged("b", {}, []) });
  expect(tree.json).not.toHaveProperty("absent");
  expect(typeOf(model, "AMessage").schema).toMatchObject({ required: ["type"] });
  expect(messages.map(({ constants }) => constants)).toEqual([{ type: "a" }, { type: "b" }]);
});

test("where another message lacks the tag, a message that may leave it out joins the fallback", async () => {
  const { model, tree, deliveries } = await received({
    a: tagged("a", {}, []),
    b: tagged("b"),
    plain: object({ text: { type: "string" } }),
  });
  expect(tree.json).toEqual({
    path: ["type"],
    cases: [
      ["a", "a"],
      ["b", "b"],
    ],
    absent: "aOrPlain",
  });
  expect(deliveries.map(({ name, messages }) => [name, ...messages])).toEqual([
    ["a", "a"],
    ["b", "b"],
    ["aOrPlain", "a", "plain"],
  ]);
  expect(typeOf(model, "AMessage").schema).toMatchObject({ required: [] });
});

test("a free value beside constants is where unknown values go, an absent one somewhere else", async () => {
  const { tree, by } = await received({ a: tagged("a"), other: object({ type: { type: "string" } }, ["type"]), bare: object({}) });
  expect(tree.json).toEqual({ path: ["type"], cases: [["a", "a"]], absent: "bare", other: "other" });
  expect(by).toBe("`type`; any other value is `other`");
});

test("what tells apart through allOf, oneOf and refs is found", async () => {
  const { by, tree } = await received(
    {
      a: { allOf: [{ $ref: "#/components/schemas/Base" }, { properties: { type: { const: "a" } } }] },
      b: { oneOf: [tagged("b1"), tagged("b2")] },
    },
    { components: { schemas: { Base: object({ type: { type: "string" } }, ["type"]) } } },
  );
  expect(by).toBe("`type`");
  expect(tree.json).toEqual({
    path: ["type"],
    cases: [
      ["a", "a"],
      ["b1", "b"],
      ["b2", "b"],
    ],
  });
});

test("a union that names another's constant beside a free alternative may be meant by it", async () => {
  const { tree } = await received({
    a: object({ type: { const: "a" } }, ["type"]),
    any: { anyOf: [object({ type: { type: "string" } }, ["type"]), object({ type: { const: "a" }, x: { type: "number" } }, ["type"])] },
  });
  expect(tree.json).toBe("aOrAnyMessage");
});

test("the JSON kind comes first, then what the objects have", async () => {
  const { tree, by } = await received({ list: { type: "array" }, word: { type: "string" }, a: tagged("a"), b: tagged("b") });
  expect(tree.json).toMatchObject({ path: [], kinds: { array: "list", string: "word", object: { path: ["type"] } } });
  expect(by).toBe("JSON kind, then `type`");
});

test("presence of a required key, then the kind of a value, tell apart where no constant does", async () => {
  const presence = await received({ result: object({ result: {} }, ["result"]), error: object({ error: {} }, ["error"]) });
  expect(presence.tree.json).toEqual({ path: ["error"], present: "error", absent: "result" });
  const kind = await received({ one: object({ d: { type: "object" } }, ["d"]), many: object({ d: { type: "array" } }, ["d"]) });
  expect(kind.tree.json).toEqual({ path: ["d"], kinds: { object: "one", array: "many" } });
});

test("text, binary and constants of bare text have their own ways", async () => {
  const model = await modelOf(
    document3({
      receives: { ping: { const: "PING" }, line: { type: "string" }, sound: { type: "string", format: "binary" }, a: tagged("a") },
      extra: { defaultContentType: undefined },
    }),
  );
  const { tree, messages, by } = endpointOf(model).clientToServer;
  expect(tree).toEqual({ binary: "sound", constants: [["PING", "ping"]], json: "a", text: "line" });
  expect(messages.map(({ format }) => format)).toEqual(["text", "text", "binary", "json"]);
  expect(by).toBe("frame kind, then the text itself, then whether it is JSON");
});

test("a constant of bare text that is another message's JSON is delivered together with it, and that is said", async () => {
  const messages = { empty: { const: "{}" }, one: { const: '{"n":1}' }, ping: { const: "PING" }, open: object({ n: { type: "string" } }) };
  const document = JSON.parse(document3({ receives: messages })) as Document;
  for (const name of ["empty", "one", "ping"]) document.channels.main.messages[name]!.contentType = "text/plain";
  const { model, lines } = await modelled(JSON.stringify(document, null, 2));
  const { tree, deliveries } = endpointOf(model!).clientToServer;
  expect(tree).toEqual({
    constants: [
      ["{}", "emptyOrOpen"],
      ['{"n":1}', "one"],
      ["PING", "ping"],
    ],
    json: "open",
  });
  expect(deliveries.find(({ name }) => name === "emptyOrOpen")).toMatchObject({ format: "any", messages: ["empty", "open"] });
  expect(lines).toEqual([
    expect.stringMatching(/^warning ambiguous-messages \d+:\d+ `empty` and `open` cannot be told apart\..* together, as `emptyOrOpen`\.$/),
  ]);
});

test("a payload that says nothing is JSON if it parses and text if not", async () => {
  const model = await modelOf(document3({ receives: { anything: {} }, extra: { defaultContentType: undefined } }));
  expect(endpointOf(model).clientToServer).toMatchObject({ tree: { text: "anything" }, messages: [{ format: "any" }] });
});

test("equal definitions are one message, equal payloads under other names are not", async () => {
  const { model, lines } = await modelled(`
asyncapi: 3.1.0
info: { title: T, version: 1.0.0 }
servers: { s: { host: a, protocol: ws } }
channels:
  one: { messages: { ack: { payload: { type: object, description: here } }, done: { payload: { type: object } } } }
  two: { messages: { ack: { payload: { type: object, description: there } } } }
operations:
  a: { action: send, channel: { $ref: "#/channels/one" } }
  b: { action: send, channel: { $ref: "#/channels/two" } }
`);
  const { messages, deliveries } = endpointOf(model!).serverToClient;
  expect(messages.map(({ name }) => name)).toEqual(["ack", "one.done"]);
  expect(deliveries.map(({ name }) => name)).toEqual(["ackOrOneDone"]);
  expect(lines).toContainEqual(expect.stringContaining("warning ambiguous-messages"));
});

test("messages that nothing tells apart are one delivery with an anyOf type, and a warning that shows a value both accept", async () => {
  const { model, lines, diagnostics } = await modelled(
    document3({ receives: { b: object({ x: { type: "integer" } }, ["x"]), a: object({ x: { type: "integer", minimum: 5 } }, ["x"]) } }),
  );
  const direction = endpointOf(model!).clientToServer;
  expect(direction.tree).toEqual({ json: "aOrB" });
  expect(direction.deliveries).toMatchObject([{ name: "aOrB", type: "AOrB", messages: ["b", "a"] }]);
  expect(typeOf(model!, "AOrB")).toMatchObject({
    guard: true,
    schema: { anyOf: [{ $ref: "#/definitions/BMessage" }, { $ref: "#/definitions/AMessage" }] },
  });
  expect(lines.filter((line) => line.includes("ambiguous"))).toEqual([
    'warning ambiguous-messages 18:9 `b` and `a` cannot be told apart; both accept `{"x":5}`. They are delivered together, as `aOrB`.',
  ]);
  expect(diagnostics.find(({ code }) => code === "ambiguous-messages")?.fix).toContain("(such as `type`)");
});

test("a type that other schemas use stays as it is; the message gets a type of its own", async () => {
  const shared = {
    Event: object({ type: { const: "event" } }),
    Log: object({ type: { const: "log" }, events: { type: "array", items: { $ref: "#/components/schemas/Event" } } }),
  };
  const { model, messages } = await received(
    { event: { $ref: "#/components/schemas/Event" }, log: { $ref: "#/components/schemas/Log" } },
    { components: { schemas: shared } },
  );
  expect(messages.map(({ type, constants }) => [type, constants])).toEqual([
    ["EventMessage", { type: "event" }],
    ["Log", { type: "log" }],
  ]);
  expect(typeOf(model, "EventSchema").schema).not.toHaveProperty("required", ["type"]);
  expect(typeOf(model, "EventMessage").schema).toEqual({
    allOf: [{ $ref: "#/definitions/EventSchema" }, { type: "object", required: ["type"], properties: { type: { const: "event" } } }],
  });
});

test("a recursive payload ends", async () => {
  const { deliveries } = await received(
    { a: { $ref: "#/components/schemas/Node" }, b: tagged("b") },
    {
      components: {
        schemas: {
          Node: object(
            {
              type: { const: "a" },
              children: { type: "array", items: { $ref: "#/components/schemas/Node" } },
              next: { $ref: "#/components/schemas/Node" },
            },
            ["type"],
          ),
        },
      },
    },
  );
  expect(deliveriesOf({ deliveries, messages: [], tree: {}, by: "", assumed: false })).toEqual(["a", "b"]);
});

test("a message without a constant is named as what takes the rest", async () => {
  const hints = async (receives: object) => (await modelled(document3({ receives }))).lines.filter((line) => line.includes("catch-all"));
  const free = object({ type: { type: "string" } });
  expect((await received({ a: tagged("a"), free })).by).toBe("`type`; anything else is `free`");
  expect(await hints({ a: tagged("a"), free })).toEqual([
    expect.stringMatching(/^hint catch-all \d+:9 `free` has no constant at `type`, as others have: every message with an unknown one/),
  ]);
  expect(await hints({ a: tagged("a"), b: tagged("b") })).toEqual([]);
});

test("a payload that may be null, or have null where its constant lies, is one that has the constant", async () => {
  const maybe = (payload: object) => ({ ...payload, type: ["object", "null"] });
  const outer = (inner: object) => ({ type: "object", required: ["head"], properties: { head: inner } });
  const model = await modelOf(
    document3({ receives: { a: maybe(tagged("a")), b: tagged("b") }, sends: { c: outer(maybe(tagged("c"))), d: outer(tagged("d")) } }),
  );
  const schemaOf = (name: string) => typeOf(model, name).schema;
  expect(schemaOf("AMessage")).toMatchObject({ type: "object", required: ["type"] });
  expect(schemaOf("CMessage")).toMatchObject({ properties: { head: { type: "object", required: ["type"] } } });
});

test("objects and lists that are constants as a whole are told apart by what is in them", async () => {
  const { tree, by } = await received({
    a: { const: { op: "ping" } },
    b: { enum: [{ op: "pong" }, { op: "late", by: 5 }] },
    c: { type: "array", enum: [["sub"], ["unsub", 1]] },
    d: { type: "array", items: [{ const: "list" }], minItems: 1 },
  });
  expect(by).toBe("JSON kind, then `op`, then `[0]`");
  expect(tree.json).toMatchObject({
    kinds: {
      object: {
        cases: [
          ["ping", "a"],
          ["pong", "b"],
          ["late", "b"],
        ],
      },
      array: {
        cases: [
          ["sub", "c"],
          ["unsub", "c"],
          ["list", "d"],
        ],
      },
    },
  });
});

test("a message that is empty is one whose payload may be anything", async () => {
  const text =
    "asyncapi: 2.6.0\ninfo: { title: T, version: '1' }\nchannels:\n  /a:\n    publish:\n      message:\n    subscribe:\n      message: { payload: , headers: }\n";
  const { model, lines } = await modelled(text);
  expect(lines).toEqual(["warning message 6:14 This message is empty, so that its payload may be anything."]);
  expect(model?.endpoints[0]?.serverToClient.messages).toHaveLength(1);
});
