import { expect, test } from "vitest";
import { document3, endpointOf, modelled, modelOf, typeOf } from "./modelled.ts";

test("path parameters are strings of 3.x with enum, default and prose, all required on the wire", async () => {
  const model = await modelOf(
    document3({
      receives: { a: {} },
      channel: {
        address: "/x/{id}/{lang}",
        parameters: { id: { description: "Which.", examples: ["1"] }, lang: { enum: ["en", "de"], default: "en" } },
      },
    }),
  );
  expect(endpointOf(model).parameters).toEqual({ type: "MainParameters", optional: false, coerce: {}, defaults: { lang: "en" } });
  expect(typeOf(model, "MainParameters")).toMatchObject({
    guard: true,
    docs: { description: "Path parameters of `/x/{id}/{lang}`." },
    schema: {
      type: "object",
      required: ["id", "lang"],
      properties: {
        id: { type: "string", description: "Which.", examples: ["1"] },
        lang: { type: "string", enum: ["en", "de"], default: "en" },
      },
    },
  });
});

test("path parameters of 2.x have schemas, and are coerced to what these say", async () => {
  const model = await modelOf(`
asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
servers: { s: { url: ws://a, protocol: ws } }
channels:
  /x/{page}/{name}:
    parameters: { page: { description: From 1., schema: { type: integer, minimum: 1 } }, name: { schema: { type: string } } }
    subscribe: { message: {} }
`);
  expect(endpointOf(model).parameters).toEqual({ type: "XParameters", optional: false, coerce: { page: "integer" } });
  expect(typeOf(model, "XParameters").schema).toMatchObject({
    properties: { page: { type: "integer", minimum: 1, description: "From 1." } },
  });
});

test("the ws binding's query and headers are types, optional when nothing is required", async () => {
  const ws = {
    query: {
      type: "object",
      required: ["token"],
      properties: {
        token: { type: "string" },
        count: { type: "integer" },
        ratio: { type: ["number", "null"] },
        on: { $ref: "#/components/schemas/Flag" },
        tags: { type: "array", items: { type: "string" } },
        level: { enum: [1, 2] },
        either: { oneOf: [{ type: "string" }, { type: "integer" }] },
        exact: { allOf: [{ type: "boolean" }, { default: true }] },
      },
    },
    headers: { type: "object", properties: { "X-Key": { type: "string" } } },
  };
  const model = await modelOf(
    document3({ receives: { a: {} }, channel: { bindings: { ws } }, extra: { components: { schemas: { Flag: { type: "boolean" } } } } }),
  );
  expect(endpointOf(model)).toMatchObject({
    query: {
      type: "MainQuery",
      optional: false,
      coerce: { count: "integer", ratio: "number", on: "boolean", tags: "strings", level: "number", exact: "boolean" },
    },
    headers: { type: "MainHeaders", optional: true, coerce: {} },
  });
  expect(Object.keys(endpointOf(model).query?.coerce ?? {})).not.toContain("either");
  // Header names are compared without case, and Node gives them in small letters.
  expect(typeOf(model, "MainHeaders").schema).toMatchObject({ properties: { "x-key": { type: "string" } } });
});

test("an undeclared parameter is a string with a warning, a declared one that is not used a warning", async () => {
  const { model, lines } = await modelled(document3({ receives: { a: {} }, channel: { address: "/x/{id}", parameters: { other: {} } } }));
  expect(typeOf(model!, "MainParameters").schema).toMatchObject({ required: ["id"], properties: { id: { type: "string" } } });
  expect(lines.filter((line) => line.includes("parameter-"))).toEqual([
    "warning parameter-undeclared 16:18 The address `/x/{id}` has the parameter `id`, which is not declared; it is taken as a string.",
    "warning parameter-unused 23:9 The parameter `other` is declared, but the address `/x/{id}` does not have it; it is ignored.",
  ]);
});

test("parameters of a topic are not of the handshake, those of a query in the address are", async () => {
  const topic = await modelled(document3({ receives: { a: {} }, channel: { address: "ticker.{pair}", parameters: { pair: {} } } }));
  expect(endpointOf(topic.model!)).not.toHaveProperty("parameters");
  expect(topic.lines.filter((line) => line.includes("parameter"))).toEqual([]);
  const query = await modelled(
    document3({ receives: { a: {} }, channel: { address: "/x?streams={streams}", parameters: { streams: {} } } }),
  );
  expect(endpointOf(query.model!).address).toBe("/x");
  expect(endpointOf(query.model!)).not.toHaveProperty("parameters");
  expect(typeOf(query.model!, "MainQuery").schema).toMatchObject({ required: ["streams"], properties: { streams: { type: "string" } } });
  expect(query.lines).toEqual([]);
});

test("a binding that is no schema of an object is warned about and ignored", async () => {
  const { model, lines } = await modelled(document3({ receives: { a: {} }, channel: { bindings: { ws: { query: { type: "string" } } } } }));
  expect(endpointOf(model!)).not.toHaveProperty("query");
  expect(lines).toContainEqual(expect.stringMatching(/^warning binding \d+:\d+ `bindings.ws.query` must be/));
});

test("headers are never closed, since every request has more than a document declares; the query is", async () => {
  const closed = { type: "object", additionalProperties: false, maxProperties: 1, properties: { "X-Key": { type: "string" } } };
  const headers = {
    ...closed,
    allOf: [{ type: "object", unevaluatedProperties: false, additionalProperties: false, properties: { b: {} } }],
  };
  const model = await modelOf(document3({ receives: { a: {} }, channel: { bindings: { ws: { query: closed, headers } } } }));
  expect(JSON.stringify(typeOf(model, "MainHeaders").schema)).not.toMatch(/additionalProperties|unevaluatedProperties|maxProperties/);
  expect(typeOf(model, "MainQuery").schema).toMatchObject({ additionalProperties: false, maxProperties: 1 });
});

test("the items of lists and the branches of unions are coerced, those of allOf too", async () => {
  const list = (items: object) => ({ type: "array", items });
  const properties = {
    integers: list({ type: "integer" }),
    numbers: list({ $ref: "#/components/schemas/Price" }),
    booleans: list({ type: "boolean" }),
    mixed: list({ type: ["boolean", "number"] }),
    anything: list({}),
    some: { anyOf: [{ type: "integer" }, { type: "boolean" }] },
    nullable: { type: ["boolean", "null"] },
    auto: { oneOf: [{ type: "integer" }, { const: "auto" }] },
    oneOrMore: { anyOf: [{ type: "integer" }, list({ type: "integer" })] },
    words: { anyOf: [{ type: "string" }, list({ type: "string" })] },
    text: { anyOf: [{ type: "string" }, { type: "boolean" }] },
  };
  const query = { type: "object", properties, allOf: [{ type: "object", properties: { page: { type: "integer" } } }] };
  const { model, lines } = await modelled(
    document3({
      receives: { a: {} },
      channel: { bindings: { ws: { query } } },
      extra: { components: { schemas: { Price: { type: "number" } } } },
    }),
  );
  expect(endpointOf(model!).query?.coerce).toEqual({
    integers: "integers",
    numbers: "numbers",
    booleans: "booleans",
    mixed: "numbersOrBooleans",
    anything: "strings",
    some: "numberOrBoolean",
    nullable: "boolean",
    auto: "integer",
    oneOrMore: "integer",
    page: "integer",
  });
  expect(lines.filter((line) => line.includes("handshake-value"))).toEqual([]);
});

test("a query parameter that no text can mean is warned about where it is written", async () => {
  const properties = {
    filter: { type: "object" },
    pairs: { type: "array", items: { type: "object" } },
    either: { anyOf: [{ type: "string" }, { type: "array", items: { type: "integer" } }] },
    fine: { anyOf: [{ type: "string" }, { type: "object" }] },
  };
  const { lines } = await modelled(
    document3({ receives: { a: {} }, channel: { bindings: { ws: { query: { type: "object", properties } } } } }),
  );
  expect(lines.filter((line) => line.includes("handshake-value"))).toEqual([
    expect.stringMatching(/^warning handshake-value \d+:\d+ The query parameter `filter` can never be valid: /),
    expect.stringMatching(/^warning handshake-value \d+:\d+ The query parameter `pairs` can never be valid: /),
    expect.stringMatching(/^warning handshake-value \d+:\d+ The query parameter `either` cannot be a list: /),
  ]);
});

test("headers of the handshake itself, and names that cannot be sent, are left out with a warning", async () => {
  const text = `
asyncapi: 3.0.0
info: { title: T, version: 1.0.0 }
channels:
  x:
    address: /x
    bindings:
      ws:
        headers: { type: object, required: [Host, sec-websocket-KEY, "a b", X-Id], properties: { Host: {}, sec-websocket-KEY: {}, "a b": {}, X-Id: { type: string } } }
    messages: { m: { payload: { type: object } } }
operations: { o: { action: receive, channel: { $ref: "#/channels/x" } } }
`;
  const { lines } = await modelled(text);
  expect(lines.filter((line) => line.includes("handshake-name"))).toHaveLength(3);
  expect(typeOf(await modelOf(text), "XHeaders").schema).toMatchObject({ required: ["x-id"], properties: { "x-id": { type: "string" } } });
});
