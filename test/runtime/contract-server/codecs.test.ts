// The whiteboard over real sockets: CBOR and JSON on one endpoint, MessagePack on another, with libraries that know nothing of us.
import * as msgpack from "@msgpack/msgpack";
import { type ContractError, createRoomBus, createRouter, type RoomAdapter } from "@wsgen/runtime";
import { type Contract, register } from "@wsgen/runtime/generated/server";
import { testServer } from "@wsgen/runtime/testing";
import * as cborg from "cborg";
import { describe, expect, it, vi } from "vitest";
import { createWhiteboardClient, type WhiteboardCodecs } from "../../../generated/whiteboard/client.js";
import { type BoardConnection, registerWhiteboard } from "../../../generated/whiteboard/server.js";
import type { Line } from "../../../generated/whiteboard/types.js";

const codecs: WhiteboardCodecs = { "application/cbor": cborg, "application/msgpack": msgpack };
const line = (color = "#00ff00"): Line => ({ points: new Uint8Array([0, 0, 128, 63, 0, 0, 0, 64]), color });

async function whiteboard(tcp: boolean, { adapter, given = codecs }: { adapter?: RoomAdapter; given?: WhiteboardCodecs } = {}) {
  const invalid: ContractError[] = [];
  const connections: BoardConnection[] = [];
  const drawn: Line[] = [];
  const router = createRouter(adapter === undefined ? {} : { adapter, logger: { debug() {}, info() {}, warn() {}, error() {} } });
  const api = registerWhiteboard(
    router,
    {
      board: {
        open(conn) {
          connections.push(conn);
          conn.join(conn.params.boardId);
          conn.send.online({ people: connections.length });
        },
        messages: {
          draw({ line }, conn) {
            drawn.push(line);
            conn.to(conn.params.boardId).send.drawn({ line });
          },
          fetch: () => ({ lines: drawn }),
        },
      },
      pointers: {
        open: (conn) => conn.join("all"),
        messages: { moved: (payload, conn) => void conn.to("all").except(conn).send.moved(payload) },
      },
    },
    { codecs: given, onInvalid: (error) => void invalid.push(error) },
  );
  const server = await testServer(router, { tcp });
  const client = createWhiteboardClient(server.url, { codecs, WebSocket: server.WebSocket, reconnect: false });
  return { server, api, client, invalid, connections };
}

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a document that speaks CBOR, JSON and MessagePack, %s,", (_where, tcp) => {
  it("carries messages both ways, bytes as bytes, and JSON beside it", async () => {
    const { server, client } = await whiteboard(tcp);
    await using _server = server;
    const board = await client.board({ boardId: "a" });
    const heard: unknown[] = [];
    const listening = (async () => {
      for await (const { name, payload } of board) {
        heard.push([name, payload]);
        if (name === "drawn") return;
      }
    })();
    await board.send.draw({ line: line() });
    await listening;
    expect(heard).toEqual([
      ["online", { people: 1 }],
      ["drawn", { type: "drawn", line: line() }],
    ]);
    const [, last] = heard[1] as [string, { line: Line }];
    expect(last.line.points).toBeInstanceOf(Uint8Array);
  });

  it("answers requests, with the id that was made up", async () => {
    const { server, client } = await whiteboard(tcp);
    await using _server = server;
    const board = await client.board({ boardId: "a" });
    await board.send.draw({ line: line("#ff0000") });
    expect(await board.request.fetch()).toEqual({ type: "lines", id: 1, lines: [line("#ff0000")] });
    expect(await Promise.all([board.request.fetch(), board.request.fetch()])).toMatchObject([{ id: 2 }, { id: 3 }]);
  });

  it("is on the wire what the document says: text frames of JSON, binary frames of the codec, and nothing around them", async () => {
    const { server } = await whiteboard(tcp);
    await using _server = server;
    await using peer = await server.connect("/boards/a");
    const reading = peer.messages()[Symbol.asyncIterator]();
    expect((await reading.next()).value).toEqual({ type: "text", data: '{"people":1}' });
    await peer.send(cborg.encode({ type: "draw", line: line() }));
    const { value } = await reading.next();
    expect(value).toMatchObject({ type: "binary" });
    expect(cborg.decode(value?.data as Uint8Array)).toEqual({ type: "drawn", line: line() });

    const [one, other] = [await server.connect("/boards/a/pointers"), await server.connect("/boards/a/pointers")];
    await one.send(msgpack.encode({ who: "Ada", x: 0.5, y: 1 }));
    for await (const { type, data } of other.messages()) {
      expect([type, msgpack.decode(data as Uint8Array)]).toEqual(["binary", { who: "Ada", x: 0.5, y: 1 }]);
      break;
    }
  });

  it("encodes a message to a room once, however many are in it", async () => {
    const encode = vi.fn(cborg.encode);
    const { server, api, client } = await whiteboard(tcp, { given: { ...codecs, "application/cbor": { ...cborg, encode } } });
    await using _server = server;
    const boards = await Promise.all([1, 2, 3, 4, 5].map(() => client.board({ boardId: "a" })));
    const hearing = boards.map((board) => new Promise((resolve) => board.on.drawn(({ line }) => resolve(line.color))));
    api.board.to("a").send.drawn({ line: line("#123456") });
    expect(await Promise.all(hearing)).toEqual(boards.map(() => "#123456"));
    expect(encode).toHaveBeenCalledTimes(1);
  });

  it("reaches the rooms of other processes, and checks what they bring", async () => {
    const bus = createRoomBus();
    const adapter = bus();
    const brought: ((message: Uint8Array) => void)[] = [];
    const there = await whiteboard(tcp, {
      adapter: {
        publish: (...message) => adapter.publish(...message),
        subscribe(topic, receive) {
          brought.push(receive);
          return adapter.subscribe(topic, receive);
        },
        unsubscribe: (topic) => adapter.unsubscribe(topic),
        close: () => adapter.close(),
      },
    });
    const here = await whiteboard(tcp, { adapter: bus() });
    await using _here = here.server;
    await using _there = there.server;
    const board = await there.client.board({ boardId: "a" });
    const colors: (string | undefined)[] = [];
    board.on.drawn(({ line }) => void colors.push(line.color));
    await expect.poll(() => brought.length).toBe(1);
    const header = `${JSON.stringify({ version: 1, origin: "x", name: "drawn", binary: true })}\n`;
    for (const payload of [
      { type: "drawn", line: { points: "text" } },
      { type: "drawn", line: line("#000001") },
    ])
      brought[0]?.(Buffer.concat([Buffer.from(header), cborg.encode(payload)]));
    here.api.board.to("a").send.drawn({ line: line("#000002") });
    await expect.poll(() => colors).toEqual(["#000001", "#000002"]);
  });

  const bytes = (...values: number[]) => new Uint8Array(values);
  const nest = (depth: number) => new Uint8Array([...Buffer.alloc(depth, 0x81), 0x01]);
  it.each([
    ["bytes that are no CBOR", "board", bytes(0xff, 0x00), 1007, "could not be decoded"],
    ["a message cut short", "board", cborg.encode({ type: "draw", line: line() }).subarray(0, 9), 1007, "could not be decoded"],
    ["nothing", "board", bytes(), 1007, "could not be decoded"],
    [
      "a message that the schema refuses",
      "board",
      cborg.encode({ type: "draw", line: { points: bytes(1) } }),
      1008,
      "/line/points must be bytes, at least 8",
    ],
    ["text where bytes are due", "board", cborg.encode({ type: "draw", line: { points: "12345678" } }), 1008, "/line/points must be bytes"],
    ["bytes where an object is due", "board", cborg.encode({ type: "draw", line: bytes(1) }), 1008, "/line must be object"],
    ["a message that nobody knows", "board", cborg.encode({ type: "erase" }), 1008, '/type is "erase"; known: "draw", "fetch"'],
    ["a large integer", "board", cborg.encode({ type: "fetch", id: 2n ** 60n }), 1008, "/id is a bigint"],
    ["100 lists in each other", "board", nest(100), 1008, "is nested deeper than 64 levels"],
    ["10,000 lists in each other", "board", nest(10_000), 1007, "could not be decoded"], // cborg's own stack
    ["10,000 lists in each other", "pointers", bytes(...Buffer.alloc(10_000, 0x91), 0x01), 1008, "is nested deeper than 64 levels"],
    ["a date", "pointers", msgpack.encode({ who: new Date(0), x: 1, y: 1 }), 1008, "/who is no plain object (Date)"],
    ["no number", "pointers", msgpack.encode({ who: "Ada", x: Number.NaN, y: 1 }), 1008, "/x must be number"],
    ["text where only binary frames are spoken", "pointers", '{"who":"Ada","x":1,"y":1}', 1003, "is a text frame, and none is expected"],
    ["JSON, which the server alone sends", "board", '{"type":"fetch","id":1}', 1003, "is a text frame, and none is expected"],
  ] as const)("closes on %s (%s)", async (_what, endpoint, data, code, problem) => {
    const { server, invalid } = await whiteboard(tcp);
    await using _server = server;
    await using peer = await server.connect(endpoint === "board" ? "/boards/a" : "/boards/a/pointers");
    await peer.send(data);
    expect(await peer.closed).toMatchObject({ code });
    expect(invalid).toHaveLength(1);
    expect(invalid[0]?.message).toContain(problem);
  });

  it("tells a client what it must not send, and drops what a server must not have sent", async () => {
    const router = createRouter();
    router.ws("/boards/{board}", async (conn) => {
      await conn.send(bytes(0xff));
      await conn.send(cborg.encode({ type: "drawn", line: {} }));
      await conn.send(cborg.encode({ type: "drawn", line: line() }));
      await conn.closed;
    });
    await using server = await testServer(router, { tcp });
    const invalid: string[] = [];
    const client = createWhiteboardClient(server.url, {
      codecs,
      WebSocket: server.WebSocket,
      onInvalid: ({ message }) => void invalid.push(message),
    });
    const board = await client.board({ boardId: "a" });
    for await (const { name } of board) {
      expect(name).toBe("drawn");
      break;
    }
    expect(invalid).toEqual([
      "A message was received and is invalid: it could not be decoded.",
      "\"drawn\" was received and is invalid: /line must have required property 'points'.",
    ]);
    expect(() => board.send.draw({ line: { points: bytes(1) } })).toThrow(
      '"draw" was not sent: /line/points must be bytes, at least 8 and at most 65536.',
    );
    expect(() => board.send.draw({ line: { ...line(), color: 1n as never } })).toThrow("/line/color is a bigint");
    await board.close();
  });
});

it("a client takes no text where the document has none", async () => {
  const router = createRouter();
  router.ws("/boards/a/pointers", async (conn) => {
    await conn.send('{"who":"Ada","x":1,"y":1}');
    await conn.send(msgpack.encode({ who: "Bob", x: 1, y: 1 }));
    await conn.closed;
  });
  await using server = await testServer(router);
  const onInvalid = vi.fn<(error: ContractError) => void>();
  await using pointers = await createWhiteboardClient(server.url, { codecs, WebSocket: server.WebSocket, onInvalid }).pointers({
    boardId: "a",
  });
  for await (const { payload } of pointers) {
    expect(payload.who).toBe("Bob");
    break;
  }
  expect(onInvalid.mock.calls.map(([{ message }]) => message)).toEqual(["A message was received and is invalid: it is text."]);
});

it("neither side begins without a codec for each content type", async () => {
  const handlers = { board: { messages: { draw() {}, fetch: () => ({ lines: [] }) } }, pointers: { messages: { moved() {} } } };
  expect(() => registerWhiteboard(createRouter(), handlers, { codecs: { "application/cbor": cborg } as never })).toThrow(
    'Whiteboard, endpoint "pointers" speaks application/msgpack: add codecs: { "application/msgpack": { encode(value): bytes, decode(bytes): value } }.',
  );
  expect(() => createWhiteboardClient("ws://localhost", {} as never)).toThrow(
    "The client of /boards/{boardId} speaks application/cbor: add codecs:",
  );
});

it("the server does not begin without a handler for each message, in whatever frames it comes", () => {
  const none = { board: { messages: { draw() {} } }, pointers: { messages: {} } } as never;
  expect(() => registerWhiteboard(createRouter(), none, { codecs })).toThrow('endpoint "board" has no handler for the message "fetch"');
});

it("the server does not begin without `classify` where a codec reads what nothing tells apart", () => {
  const message = { format: "encoded", contentType: "application/cbor" } as const;
  const contract: Contract = {
    version: 1,
    generator: "0",
    title: "Pets",
    endpoints: {
      pets: {
        address: "/pets",
        receives: { dispatch: { encoded: { among: ["cat", "dog"], by: "classify" } }, messages: { cat: message, dog: message } },
        sends: {},
      },
    },
  };
  expect(() => register(createRouter(), contract, { pets: { messages: { cat() {}, dog() {} } } }, { codecs })).toThrow(
    'endpoint "pets" has messages that nothing tells apart',
  );
});
