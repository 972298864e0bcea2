import { expect, test } from "vitest";
import type { Endpoint } from "../../../codegen/src/model/model.ts";
import { endpointOf, modelled, modelOf, tagged } from "./modelled.ts";

/** A document of channels on one server, each with its address, its messages by direction, and what else it says. */
interface Channel {
  readonly address?: string | null;
  /** Messages that the server receives, and that it sends: constants of their `type`, or refs to shared messages. */
  readonly receives?: readonly string[];
  readonly sends?: readonly string[];
  readonly more?: object;
}
function documentOf(
  channels: Readonly<Record<string, Channel>>,
  { server = {}, shared = [] as readonly string[], extra = {} } = {},
): string {
  const message = (channel: string, name: string): object =>
    shared.includes(name) ? { $ref: `#/components/messages/${name}` } : { payload: tagged(`${channel}.${name}`) };
  const all = Object.entries(channels);
  const operation = (action: string, channel: string, names: readonly string[]) => ({
    action,
    channel: { $ref: `#/channels/${channel}` },
    messages: names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  });
  return JSON.stringify({
    asyncapi: "3.1.0",
    info: { title: "T", version: "1.0.0" },
    defaultContentType: "application/json",
    servers: { s: { host: "h", protocol: "ws", ...server } },
    channels: Object.fromEntries(
      all.map(([key, { address = key, receives = [], sends = [], more = {} }]) => [
        key,
        { address, messages: Object.fromEntries([...receives, ...sends].map((name) => [name, message(key, name)])), ...more },
      ]),
    ),
    operations: Object.fromEntries(
      all.flatMap(([key, { receives = [], sends = [] }]) => [
        ...(receives.length > 0 ? [[`receive ${key}`, operation("receive", key, receives)] as const] : []),
        ...(sends.length > 0 ? [[`send ${key}`, operation("send", key, sends)] as const] : []),
      ]),
    ),
    components: { messages: Object.fromEntries(shared.map((name) => [name, { payload: tagged(name) }])) },
    ...extra,
    "x-wsgen": { perspective: "server", ...(extra as { readonly "x-wsgen"?: object })["x-wsgen"] },
  });
}

const topics = ({ topics: all, clientToServer, serverToClient }: Endpoint) =>
  Object.fromEntries(
    [undefined, ...all.map(({ name }) => name)].map((topic) => [
      topic ?? "",
      [clientToServer, serverToClient].map(({ messages }) => messages.filter((one) => one.topic === topic).map(({ method }) => method)),
    ]),
  );

const feed: Channel = { receives: ["subscribe"], sends: ["update"] };

test("what only one channel of a shared socket says is that topic's, what several say is the socket's", async () => {
  const text = documentOf(
    { ticker: { receives: ["subscribe"], sends: ["update", "refused"] }, book: { receives: ["subscribe"], sends: ["change", "refused"] } },
    { shared: ["refused"] },
  );
  const { model, lines } = await modelled(text);
  const endpoint = endpointOf(model!, "socket");
  expect(topics(endpoint)).toEqual({ "": [[], ["refused"]], ticker: [["subscribe"], ["update"]], book: [["subscribe"], ["change"]] });
  expect(endpoint.serverToClient.deliveries.map(({ name }) => name)).toEqual(["ticker.update", "book.change", "refused"]);
  expect(model!.types.map(({ name }) => name)).toEqual(expect.arrayContaining(["TickerSubscribeMessage", "BookSubscribeMessage"]));
  expect(lines).toEqual([]);
});

test("a channel of its own has no topics, whatever its name", async () => {
  expect(endpointOf(await modelOf(documentOf({ ticker: feed }))).topics).toEqual([]);
});

test("a channel that is called like its one message is that message, unless it has parameters", async () => {
  const text = documentOf({
    ping: { receives: ["ping"] },
    system_status: { sends: ["systemStatusMessage"] },
    ticker: feed,
    candles: { address: "candles:{pair}", sends: ["candles"], more: { parameters: { pair: {} } } },
  });
  expect(topics(endpointOf(await modelOf(text)))).toEqual({
    "": [["ping"], ["systemStatusMessage"]],
    ticker: [["subscribe"], ["update"]],
    candles: [[], ["candles"]],
  });
});

test("a channel that carries more than the message it is called like is a topic", async () => {
  const text = documentOf(
    { cancel: { receives: ["cancel"], sends: ["answer"] }, order: { ...feed, sends: ["answer"] } },
    { shared: ["answer"] },
  );
  expect(topics(endpointOf(await modelOf(text)))).toEqual({ "": [[], ["answer"]], cancel: [["cancel"], []], order: [["subscribe"], []] });
});

test("two channels that are the two directions of one conversation group nothing", async () => {
  const text = documentOf({ publish: { receives: ["start", "stop"] }, subscribe: { sends: ["started", "stopped"] } });
  expect(endpointOf(await modelOf(text)).topics).toEqual([]);
});

test("channels with the same messages are no topics", async () => {
  const same: Channel = { receives: ["subscribe"], sends: ["data"] };
  const text = documentOf({ level2: same, ticker: same }, { shared: ["subscribe", "data"] });
  expect(topics(endpointOf(await modelOf(text)))).toEqual({ "": [["subscribe"], ["data"]] });
});

test("messages that nothing tells apart are delivered to their topic when all of them are its, else to the socket", async () => {
  const unions = async (text: string) =>
    endpointOf(await modelOf(text)).serverToClient.deliveries.filter(({ messages }) => messages.length > 1);
  const text = documentOf({ a: { sends: ["x", "y"] }, b: { sends: ["z"] }, c: feed });
  expect(await unions(text.replaceAll(/"const":"a\.[xy]"/g, '"const":"same"'))).toMatchObject([
    { name: "a.xOrY", method: "xOrY", topic: "a", messages: ["a.x", "a.y"] },
  ]);
  const [across] = await unions(text.replaceAll(/"const":"(a\.y|b\.z)"/g, '"const":"same"'));
  expect(across).toMatchObject({ name: "aYOrBZ", method: "aYOrBZ", messages: ["a.y", "b.z"] });
  expect(across?.topic).toBeUndefined();
});

test("parameters of a topic are its address's beside the path's, each at its location in the payload", async () => {
  const pair = { description: "Which.", location: "$message.payload#/data/pair" };
  const { model, lines } = await modelled(
    documentOf(
      {
        ticker: {
          ...feed,
          address: "ticker:{pair}:{depth}",
          more: { parameters: { pair, depth: { location: "$message.header#/depth" } } },
        },
        book: { ...feed, address: "book:{pair}", more: { parameters: { pair: { location: "$message.payload#/1/pair" } } } },
      },
      { server: { pathname: "/v1/{region}", variables: { region: { enum: ["eu", "us"] } } } },
    ),
  );
  const endpoint = endpointOf(model!);
  expect(endpoint.topics).toMatchObject([
    { name: "ticker", typeName: "SocketTicker", parameters: { type: "SocketTickerParameters", at: { pair: ["data", "pair"] } } },
    { name: "book", parameters: { at: { pair: [1, "pair"] } } },
  ]);
  expect(model!.types.find(({ name }) => name === "SocketTickerParameters")).toMatchObject({
    schema: { required: ["pair", "depth"], properties: { pair: { type: "string", description: "Which." } } },
    guard: false,
  });
  expect(lines.filter((line) => line.includes("parameter-location"))).toHaveLength(1);
});

test.each([
  ["open", "openTopic"],
  ["messages", "messagesTopic"],
  ["send", "sendTopic"],
  ["refused", "refusedTopic"],
  ["{symbol}-trades", "trades"],
  ["24h", "_24h"],
])("the topic %j is called %s", async (key, name) => {
  const text = documentOf(
    { [key]: { receives: ["a"], sends: ["b", "refused"] }, other: { receives: ["c"], sends: ["refused"] } },
    { shared: ["refused"] },
  );
  expect(endpointOf(await modelOf(text)).topics.map((topic) => topic.name)).toContain(name);
});

test("`multiplex: socket` makes topics of paths, at the server's path or else the first one", async () => {
  const channels = { ws: { ...feed, address: "/ws" }, events: { ...feed, address: "/events" } };
  const endpoints = async (text: string) =>
    (await modelOf(text)).endpoints.map(({ address, channels: on }) => [address, on.map(({ key }) => key).join(" ")]);
  expect(await endpoints(documentOf(channels))).toEqual([
    ["/ws", "ws"],
    ["/events", "events"],
  ]);
  const all = { extra: { "x-wsgen": { multiplex: "socket" } } };
  expect(await endpoints(documentOf(channels, all))).toEqual([["/ws", "ws events"]]);
  expect(await endpoints(documentOf(channels, { ...all, server: { pathname: "/v1" } }))).toEqual([["/v1", "ws events"]]);
  const one = { events: { ...channels.events, more: { "x-wsgen": { multiplex: "socket" } } }, ws: channels.ws };
  expect(await endpoints(documentOf(one))).toEqual([["/ws", "events ws"]]);
});

test("`multiplex: channel` gives each channel a connection at its address, and says when two would be at one path", async () => {
  const extra = { "x-wsgen": { multiplex: "channel" } };
  const model = await modelOf(
    documentOf({ ticker: feed, book: { ...feed, address: "book:{pair}" } }, { extra, server: { pathname: "/v1" } }),
  );
  expect(model.endpoints.map(({ address, topics: grouped }) => [address, grouped.length])).toEqual([
    ["/v1/ticker", 0],
    ["/v1/book:{pair}", 0],
  ]);
  const { lines } = await modelled(documentOf({ ticker: { ...feed, address: null }, book: { ...feed, address: null } }, { extra }));
  expect(lines).toEqual([expect.stringMatching(/^error multiplex-channel .*`ticker` and `book` have the same path/)]);
});

test("prose that says `one socket` where the paths say otherwise is a hint", async () => {
  const said = { description: "This is NOT a different WebSocket endpoint, it only groups the events." };
  const channels = { ws: { ...feed, address: "/ws" }, events: { ...feed, address: "/events", more: said } };
  const { lines } = await modelled(documentOf(channels));
  expect(lines).toContainEqual(expect.stringMatching(/^hint one-socket .*`\/events`.*"NOT a different WebSocket endpoint"/));
  const decided = { ...channels, events: { ...channels.events, more: { ...said, "x-wsgen": { multiplex: "channel" } } } };
  expect((await modelled(documentOf(decided))).lines).not.toContainEqual(expect.stringContaining("one-socket"));
});

test("topics of one message each are a hint", async () => {
  const { lines } = await modelled(documentOf({ a: { sends: ["x"] }, b: { sends: ["y"] }, c: { receives: ["z"] } }));
  expect(lines).toEqual([expect.stringMatching(/^hint topics-single .*The 3 topics of `\/` have one message each/)]);
});

test("a second channel, or another order of channels, renames no topic", async () => {
  const [a, b, c] = [feed, { sends: ["x", "y"] }, { receives: ["z", "w"] }];
  const names = async (channels: Readonly<Record<string, Channel>>) =>
    (await modelOf(documentOf(channels))).endpoints.flatMap(({ clientToServer, serverToClient }) =>
      [...clientToServer.messages, ...serverToClient.messages].map(({ name }) => name),
    );
  const before = await names({ a, b });
  expect((await names({ b, a })).toSorted()).toEqual(before.toSorted());
  expect(await names({ c, b, a })).toEqual(expect.arrayContaining(before));
});

test("servers at different paths that carry the same channels keep their own paths in their URLs", async () => {
  const { model, lines } = await modelled(
    documentOf(
      { a: feed, b: feed },
      {
        extra: {
          servers: {
            open: { host: "h", pathname: "/ws/v5/public", protocol: "wss" },
            own: { host: "h", pathname: "/ws/v5/private", protocol: "wss" },
          },
        },
      },
    ),
  );
  expect(model!.endpoints.map(({ address, servers }) => [address, servers])).toEqual([["/", ["open", "own"]]]);
  expect(model!.servers.map(({ url }) => url)).toEqual(["wss://h/ws/v5/public", "wss://h/ws/v5/private"]);
  expect(lines).toEqual([expect.stringMatching(/^hint server-path /)]);
});
