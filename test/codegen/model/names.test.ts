import fc from "fast-check";
import { ts } from "ts-morph";
import { expect, test } from "vitest";
import { assignMethodNames, assignTypeNames, camelCase, pascalCase } from "../../../codegen/src/model/names.ts";
import { document3, endpointOf, modelled, modelOf, namesOf, tagged } from "./modelled.ts";

test.each([
  ["post message", "PostMessage", "postMessage"],
  ["POST_MESSAGE", "PostMessage", "postMessage"],
  ["post.message-v2", "PostMessageV2", "postMessageV2"],
  ["HTTPServer", "HTTPServer", "httpServer"],
  ["24h_volume", "_24hVolume", "_24hVolume"],
  ["v1 2", "V1_2", "v1_2"],
  ["@type", "Type", "type"],
  ["Futures Account Balance(USER_DATA) Request", "FuturesAccountBalanceUserDataRequest", "futuresAccountBalanceUserDataRequest"],
  ["großé", "Großé", "großé"],
  ["сообщение", "Сообщение", "сообщение"],
])("%s becomes %s and %s", (text, type, method) => {
  expect(pascalCase(text)).toBe(type);
  expect(camelCase(text)).toBe(method);
});

const schema = (base: string, identity = `/components/schemas/${base}`) => ({ base, identity, suffix: { text: "Schema", always: false } });
const message = (base: string, channel?: string) => ({
  base,
  identity: `/${channel ?? "components"}/messages/${base}`,
  channel,
  suffix: { text: "Message", always: true },
});
const typeNames = (...named: Parameters<typeof assignTypeNames>[0]) => [...assignTypeNames(named).values()].map(({ name }) => name);

test("a type that would shadow a global takes Schema, a message's own type always Message, never twice", () => {
  expect(typeNames(schema("Error"), schema("Post"), message("post"), message("ErrorMessage"))).toEqual([
    "ErrorSchema",
    "Post",
    "PostMessage",
    "ErrorMessage",
  ]);
});

test("in a clash every member takes its channel's name in front, and where that is not enough digits of its pointer", () => {
  expect(typeNames(message("update", "ticker"), message("update", "book"))).toEqual(["TickerUpdateMessage", "BookUpdateMessage"]);
  const [a, b] = typeNames(schema("order"), schema("Order"));
  expect(a).toMatch(/^Order_[0-9a-f]{4}$/);
  expect(b).toMatch(/^Order_[0-9a-f]{4}$/);
  expect(a).not.toBe(b);
});

test("names that differ by case only clash, because disks do not tell them apart", () => {
  expect(new Set(typeNames(schema("ABC"), schema("abc")).map((name) => name.toLowerCase())).size).toBe(2);
  // Some compare in capitals.
  for (const [one, other] of [
    ["straße", "strasse"],
    ["σοφός", "σοφόσ"],
  ] as const)
    expect(typeNames(schema(one), schema(other)).every((name) => /_[0-9a-f]{4}$/.test(name))).toBe(true);
});

test("reserved words and members of objects and promises are no method names", () => {
  const named = ["delete", "then", "constructor", "leave"].map((base) => ({
    base,
    identity: base,
    suffix: { text: "Message", always: false },
  }));
  expect([...assignMethodNames(named).values()].map(({ name }) => name)).toEqual([
    "deleteMessage",
    "thenMessage",
    "constructorMessage",
    "leave",
  ]);
});

test("names are total: any text becomes an identifier, any list of texts different ones, whatever their order", () => {
  const identifier = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a", "A", "a b", "aB", "🎉", "", "__proto__", "1", "Error", "Error_1234")),
      ),
      (texts) => {
        const named = texts.map((text) => schema(text, `/${text}`));
        const names = assignTypeNames(named);
        for (const { name } of names.values()) expect(name).toMatch(identifier);
        expect(new Set([...names.values()].map(({ name }) => name.toLowerCase())).size).toBe(texts.length);
        const backwards = assignTypeNames([...named].reverse());
        for (const [identity, { name }] of names) expect(backwards.get(identity)?.name).toBe(name);
      },
    ),
  );
});

test("of any character names take only what TypeScript's scanner takes where it stands, for its oldest target too", () => {
  const { ES5, ESNext } = ts.ScriptTarget;
  const taken = (name: string): boolean =>
    [ES5, ESNext].every((target) =>
      [...name].every((letter, at) => (at === 0 ? ts.isIdentifierStart : ts.isIdentifierPart)(letter.codePointAt(0) ?? 0, target)),
    );
  const letters = new Set<string>();
  for (let point = 0; point <= 0x10ffff; point += 256) {
    const some = Array.from({ length: 256 }, (_, at) => `a${String.fromCodePoint(point + at)}a`);
    for (const letter of [...pascalCase(some.join(" ")), ...camelCase(some.join(" "))]) letters.add(letter);
  }
  expect(letters.size).toBeGreaterThan(45_000);
  expect([...letters].filter((letter) => ![`a${letter}`, pascalCase(letter), camelCase(letter)].every(taken))).toEqual([]);
});

test.each([
  ["of a plane that older tools do not read", "a𓰓b 𝒞 𠀀", "AB"],
  ["newer than the list", "a\u0c5cb", "AB"],
  ["that identifiers cannot have", "a\u2e2fb", "AB"],
  ["without a letter below them", "\u0301a \ufe0f", "A"],
  ["that nobody sees", "a\u3164b", "AB"],
  ["whose capital is newer than they are", "ɤa აბგ", "ɤaაბგ"],
])("characters %s are dropped, or left as they are, on every Node", (_, text, name) => {
  expect(pascalCase(text)).toBe(name);
});

test("a message is named by its key under components, an inline one by its name, messageId, key or title", async () => {
  const model = await modelOf(`
asyncapi: 2.6.0
info: { title: T, version: 1.0.0 }
servers: { s: { url: ws://a, protocol: ws } }
channels:
  /news:
    publish:
      message:
        oneOf:
          - $ref: "#/components/messages/keyed"
          - $ref: "#/components/messages/news~1v1.client-0-Pathed"
          - { name: named it, messageId: x, payload: { type: object, required: [t], properties: { t: { const: 2 } } } }
          - { messageId: the.id, payload: { type: object, required: [t], properties: { t: { const: 3 } } } }
          - { title: A title, payload: { type: object, required: [t], properties: { t: { const: 4 } } } }
          - { payload: { $ref: "#/components/schemas/Payload" } }
          - { payload: { type: object, required: [t], properties: { t: { const: only-constant } } } }
          - { payload: { type: object, required: [t], properties: { t: { const: 7 } } } }
components:
  messages:
    news/v1.client-0-Pathed: { name: Pathed, payload: { type: object, required: [t], properties: { t: { const: 8 } } } }
    keyed: { name: other, payload: { type: object, required: [t], properties: { t: { const: 1 } } } }
  schemas:
    Payload: { type: object, required: [t], properties: { t: { const: 5 } } }
`);
  const { messages } = endpointOf(model).clientToServer;
  expect(messages.map(({ name, type }) => [name, type])).toEqual([
    ["keyed", "KeyedMessage"],
    // A slash is in no key that AsyncAPI allows: that is a path, and the message has a name.
    ["pathed", "PathedMessage"],
    ["namedIt", "NamedItMessage"],
    ["theId", "TheIdMessage"],
    ["aTitle", "ATitleMessage"],
    ["payload", "Payload"],
    ["onlyConstant", "OnlyConstantMessage"],
    ["newsPublish", "NewsPublishMessage"],
  ]);
});

const ticks = (...kinds: readonly string[]) =>
  JSON.stringify({
    asyncapi: "2.6.0",
    info: { title: "T", version: "1" },
    servers: { s: { url: "ws://h", protocol: "ws" } },
    channels: {
      feed: {
        subscribe: {
          message: {
            oneOf: kinds.map((kind) => ({
              title: "Tick",
              payload: { type: "object", required: ["t"], properties: { t: { const: kind } } },
            })),
          },
        },
      },
    },
  });

test("messages of a list with one title keep their names, and those of their types, wherever they stand in it", async () => {
  const named = async (...kinds: readonly string[]) => {
    const model = await modelOf(ticks(...kinds));
    const constants = endpointOf(model).serverToClient.messages.map(({ name, type, constants }) => [constants["t"], `${name} ${type}`]);
    return Object.fromEntries(constants) as Record<string, string>;
  };
  const before = await named("buy", "sell");
  expect(before["buy"]).toMatch(/^feedTick(_[0-9a-f]{4}) FeedTickMessage\1$/);
  expect(await named("sell", "buy")).toEqual(before);
  expect(await named("new", "buy", "sell")).toMatchObject(before);
});

test("a message that several channels refer to is called as where it is written, whichever channel comes first", async () => {
  const channel = (key: string, messages: unknown) => [key, { address: `/${key}`, messages }] as const;
  const a = channel("a", { x: { payload: { type: "object", required: ["t"], properties: { t: { const: 1 } } } } });
  const b = channel("b", { y: { $ref: "#/channels/a/messages/x" } });
  for (const channels of [
    [a, b],
    [b, a],
  ]) {
    const info = { title: "T", version: "1" };
    const model = await modelOf(JSON.stringify({ asyncapi: "3.0.0", info, channels: Object.fromEntries(channels) }));
    expect(model.endpoints.flatMap(({ clientToServer }) => namesOf(clientToServer))).toEqual(["x", "x"]);
    expect(model.types.map(({ name }) => name)).toEqual(["XMessage"]);
  }
});

test("alternatives of a message without names of their own are called after it, not after the channel that is read first", async () => {
  const channel = (address: string) => [address, { subscribe: { message: { $ref: "#/components/messages/event" } } }] as const;
  const payload = (kind: number) => ({ payload: { type: "object", required: ["t"], properties: { t: { const: kind } } } });
  const components = { messages: { event: { oneOf: [payload(1), payload(2)] } } };
  const named = async (...addresses: readonly string[]) => {
    const channels = Object.fromEntries(addresses.map(channel));
    const info = { title: "T", version: "1" };
    const model = await modelOf(JSON.stringify({ asyncapi: "2.6.0", info, channels, components }));
    return model.types.map(({ name }) => name);
  };
  const names = await named("/a", "/b");
  expect(names).toEqual([expect.stringMatching(/^Event/), expect.stringMatching(/^Event/)]);
  expect(await named("/b", "/a")).toEqual(names);
});

test("x-wsgen names are used as they are, and a clash is a hint that proposes one", async () => {
  const text = document3({ receives: { "post!": tagged("a"), post: tagged("b") } });
  const { model, lines, diagnostics } = await modelled(text);
  // The digits of a message and of its type are the same.
  expect(endpointOf(model!).clientToServer.messages.map(({ name, type }) => name.slice(-5) === type.slice(-5))).toEqual([true, true]);
  expect(namesOf(endpointOf(model!).clientToServer)).toEqual(
    ["mainPost", "mainPost"].map((name) => expect.stringMatching(new RegExp(`^${name}_[0-9a-f]{4}$`))),
  );
  expect(lines.filter((line) => line.includes("name-clash"))).toEqual([
    expect.stringMatching(/2 messages of one direction would have the same name; they are `mainPost_\w{4}` and `mainPost_\w{4}`\.$/),
  ]);
  expect(diagnostics.find(({ code }) => code === "name-clash")?.fix).toContain("x-wsgen: { name: … }");
  const chosen = await modelOf(text.replace('"post!": {', '"post!": { "x-wsgen": { "name": "shout" },'));
  expect(namesOf(endpointOf(chosen).clientToServer)).toEqual(["shout", "post"]);
});

test.each([
  ["chat.yaml", "Some title", "Chat"],
  ["asyncapi.yaml", "Some title", "SomeTitle"],
  ["ws-api.yaml", "Some title", "SomeTitle"],
  ["websocket-gemini-asyncapi.yaml", "x", "WebsocketGemini"],
  ["main.yaml", "🎉", "Main"],
])("the API of %s (%s) is called %s", async (file, title, name) => {
  const model = await modelOf(document3({ receives: { a: {} }, extra: { info: { title, version: "1" } } }), { file });
  expect(model.name).toBe(name);
});
