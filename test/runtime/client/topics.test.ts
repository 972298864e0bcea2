// The topics of the generated market, both sides over real sockets: each message at its own topic, each child with its own messages.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createRouter } from "@wsgen/runtime";
import { testServer } from "@wsgen/runtime/testing";
import { describe, expect, it } from "vitest";
import { createMarketClient, type SocketClient, type SocketEvent } from "../../../generated/market/client.js";
import { type MarketHandlers, registerMarket, type SocketConnection } from "../../../generated/market/server.js";

interface Heard {
  readonly name: string;
  readonly payload: unknown;
}

async function market(tcp: boolean) {
  const heard: Heard[] = [];
  const connections: SocketConnection[] = [];
  const hear = (name: string) => (payload: unknown) => void heard.push({ name, payload });
  const handlers: MarketHandlers = {
    socket: {
      open: (conn) => void connections.push(conn),
      ticker: { subscribe: hear("ticker.subscribe"), unsubscribe: hear("ticker.unsubscribe") },
      book: { subscribe: hear("book.subscribe"), unsubscribe: hear("book.unsubscribe") },
      candles: {
        subscribe({ channel, pair, minutes }, conn) {
          heard.push({ name: "candles.subscribe", payload: minutes === undefined ? pair : `${pair} ${minutes}` });
          if (pair === "NO/NE") conn.send.refused({ channel, pair });
          else conn.send.subscribed({ channel, pair });
        },
        unsubscribe: ({ pair }) => void heard.push({ name: "candles.unsubscribe", payload: pair }),
      },
    },
  };
  const router = createRouter();
  const api = registerMarket(router, handlers);
  const server = await testServer(router, { tcp });
  const connect = (): Promise<SocketClient> => createMarketClient(server.url, { WebSocket: server.WebSocket, reconnect: false }).socket();
  return { server, api, heard, connections, connect };
}

const trade = (pair: string, price = "1") => ({ pair, price, volume: "2" });

/** The first `count` of what a reader gets. */
async function take<T>(reader: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of reader) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("topics on one socket, %s", (_where, tcp) => {
  it("are sent on, handled and heard, each by itself", async () => {
    const { server, connections, connect, heard } = await market(tcp);
    await using _server = server;
    const socket = await connect();
    const ticker = await socket.ticker({ pair: "ETH/EUR" });
    const book = await socket.book({ pair: "ETH/EUR" });
    await ticker.send.subscribe({ pair: "ETH/EUR" });
    await book.send.subscribe({ pair: "ETH/EUR", depth: 10 });
    await book.send.unsubscribe({ pair: "ETH/EUR" });
    await expect
      .poll(() => heard)
      .toEqual([
        { name: "ticker.subscribe", payload: { event: "subscribe", channel: "ticker", pair: "ETH/EUR" } },
        { name: "book.subscribe", payload: { event: "subscribe", channel: "book", pair: "ETH/EUR", depth: 10 } },
        { name: "book.unsubscribe", payload: { event: "unsubscribe", channel: "book", pair: "ETH/EUR" } },
      ]);

    const prices: string[] = [];
    ticker.on.trade(({ price }) => void prices.push(price));
    const books = take(book, 2);
    const [conn] = connections;
    await conn?.send.book.snapshot({ pair: "ETH/EUR", bids: [], asks: [] });
    await conn?.send.ticker.trade(trade("ETH/EUR", "7"));
    await conn?.send.book.change({ pair: "ETH/EUR" });
    expect((await books).map(({ name }) => name)).toEqual(["snapshot", "change"]);
    expect(prices).toEqual(["7"]);
    await socket.close();
  });

  it("have as many children as there are parameters, each with the messages that say its own", async () => {
    const { server, connections, connect } = await market(tcp);
    await using _server = server;
    const socket = await connect();
    const seen: Record<string, string[]> = { eth: [], btc: [], again: [] };
    for (const [name, pair] of [
      ["eth", "ETH/EUR"],
      ["btc", "BTC/EUR"],
      ["again", "ETH/EUR"],
    ] as const) {
      const ticker = await socket.ticker({ pair });
      expect(ticker.params).toEqual({ pair });
      ticker.on.trade(({ price }) => seen[name]?.push(price));
    }
    const [conn] = connections;
    await conn?.send.ticker.trade(trade("ETH/EUR", "1"));
    await conn?.send.ticker.trade(trade("BTC/EUR", "2"));
    await conn?.send.ticker.trade(trade("DOT/EUR", "3"));
    await conn?.send.subscribed({ channel: "ticker", pair: "DOT/EUR" });
    await new Promise<void>((resolve) => socket.on.subscribed(() => resolve()));
    expect(seen).toEqual({ eth: ["1"], btc: ["2"], again: ["1"] });
    await socket.close();
  });

  it("lose nothing: what came before they were opened is theirs, and what came before they are read", async () => {
    const { server, connections, connect } = await market(tcp);
    await using _server = server;
    const socket = await connect();
    const [conn] = connections;
    for (const price of ["1", "2"]) await conn?.send.ticker.trade(trade("ETH/EUR", price));
    await conn?.send.book.change({ pair: "ETH/EUR" });
    await conn?.send.heartbeat();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ticker = await socket.ticker({ pair: "ETH/EUR" });
    const book = await socket.book({ pair: "ETH/EUR" });
    await conn?.send.ticker.trade(trade("ETH/EUR", "3"));
    expect((await take(socket, 1)).map(({ name }) => name)).toEqual(["heartbeat"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await take(ticker, 3)).map(({ payload }) => payload.price)).toEqual(["1", "2", "3"]);
    expect((await take(book, 1)).map(({ name }) => name)).toEqual(["change"]);
    await socket.close();
  });

  it("are children that never close the socket, and hear nothing once they are closed", async () => {
    const { server, connections, connect } = await market(tcp);
    await using _server = server;
    const socket = await connect();
    const prices: string[] = [];
    const other: string[] = [];
    {
      await using ticker = await socket.ticker({ pair: "ETH/EUR" });
      ticker.on.trade(({ price }) => void prices.push(price));
      (await socket.ticker({ pair: "ETH/EUR" })).on.trade(({ price }) => void other.push(price));
      await connections[0]?.send.ticker.trade(trade("ETH/EUR", "1"));
      await expect.poll(() => prices).toEqual(["1"]);
    }
    await connections[0]?.send.ticker.trade(trade("ETH/EUR", "2"));
    await expect.poll(() => other).toEqual(["1", "2"]);
    expect(prices).toEqual(["1"]);
    expect(socket.getSnapshot().status).toBe("open");
    await socket.close();
  });

  it("end with their connection: in peace when it ends in peace, else with its error", async () => {
    const { server, connections, connect } = await market(tcp);
    await using _server = server;
    const peaceful = await connect();
    const read = take(await peaceful.ticker({ pair: "ETH/EUR" }), 1);
    await peaceful.close();
    expect(await read).toEqual([]);
    const lost = await connect();
    const reading = take(await lost.ticker({ pair: "ETH/EUR" }), 1).catch((error: unknown) => error);
    await connections[1]?.close(4000, "enough");
    expect(await reading).toMatchObject({ closeCode: 4000 });
    const late = await lost.book({ pair: "ETH/EUR" });
    await expect(take(late, 1)).rejects.toMatchObject({ closeCode: 4000 });
  });

  it("have their messages to themselves; the connection itself gives those that no open topic has, under their names", async () => {
    const { server, connections, connect } = await market(tcp);
    await using _server = server;
    const socket = await connect();
    const eth = await socket.ticker({ pair: "ETH/EUR" });
    const all = take<SocketEvent>(socket, 3);
    await connections[0]?.send.ticker.trade(trade("ETH/EUR"));
    await connections[0]?.send.ticker.trade(trade("BTC/EUR"));
    await connections[0]?.send.book.change({ pair: "ETH/EUR" });
    await connections[0]?.send.heartbeat();
    expect((await all).map(({ name }) => name)).toEqual(["ticker.trade", "book.change", "heartbeat"]);
    expect(await take(eth, 1)).toMatchObject([{ name: "trade", payload: { pair: "ETH/EUR" } }]);
    await socket.close();
  });

  it("reach a room, and are read by a function", async () => {
    const router = createRouter();
    const names: string[] = [];
    const api = registerMarket(router, {
      async socket(conn) {
        for await (const message of conn.messages()) {
          names.push(message.name);
          if (message.name === "ticker.subscribe") conn.join(message.payload.pair);
          conn.send.subscribed({ channel: "ticker", pair: message.payload.pair });
        }
      },
    });
    await using server = await testServer(router, { tcp });
    const socket = await createMarketClient(server.url, { WebSocket: server.WebSocket }).socket();
    const ticker = await socket.ticker({ pair: "ETH/EUR" });
    const acked = new Promise<void>((resolve) => socket.on.subscribed(() => resolve()));
    await ticker.send.subscribe({ pair: "ETH/EUR" });
    await acked;
    api.socket.to("ETH/EUR").send.ticker.trade(trade("ETH/EUR", "9"));
    expect((await take(ticker, 1))[0]?.payload.price).toBe("9");
    expect(names).toEqual(["ticker.subscribe"]);
    await socket.close();
  });
});

it("a handler that lacks a topic's method is refused when it is registered, by name", () => {
  // TypeScript refuses it too.
  const handlers = { socket: { ticker: { subscribe() {}, unsubscribe() {} }, book: { subscribe() {} } } } as unknown as MarketHandlers;
  expect(() => registerMarket(createRouter(), handlers)).toThrow(
    'has no handler for the message "book.unsubscribe": add unsubscribe(payload, conn) to its book.',
  );
});

it("a handler that is a class keeps its `this`", async () => {
  class Ticker {
    readonly #pairs: string[] = [];
    get pairs(): readonly string[] {
      return this.#pairs;
    }
    subscribe({ pair }: { readonly pair: string }): void {
      this.#pairs.push(pair);
    }
    unsubscribe(): void {}
  }
  class Market {
    readonly ticker = new Ticker();
    readonly book = { subscribe() {}, unsubscribe() {} };
    readonly candles = { subscribe() {}, unsubscribe() {} };
    #opened = 0;
    get opened(): number {
      return this.#opened;
    }
    open(): void {
      this.#opened++;
    }
  }
  const handler = new Market();
  const router = createRouter();
  registerMarket(router, { socket: handler });
  await using server = await testServer(router);
  const socket = await createMarketClient(server.url, { WebSocket: server.WebSocket }).socket();
  await (await socket.ticker({ pair: "ETH/EUR" })).send.subscribe({ pair: "ETH/EUR" });
  await expect.poll(() => handler.ticker.pairs).toEqual(["ETH/EUR"]);
  expect(handler.opened).toBe(1);
  await socket.close();
});

it("nothing is kept of topics that were closed, however many a connection has had", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const { server, connect } = await market(false);
  await using _server = server;
  const socket = await connect();
  const kept: WeakRef<object>[] = [];
  const visit = async (): Promise<void> => {
    const ticker = await socket.ticker({ pair: "ETH/EUR" });
    const listener = (): void => {};
    ticker.on.trade(listener);
    kept.push(new WeakRef(ticker), new WeakRef(listener));
    await ticker.close();
  };
  for (let visits = 0; visits < 20; visits++) await visit();
  await expect
    .poll(() => {
      collect();
      return kept.filter((ref) => ref.deref() !== undefined).length;
    })
    .toBe(0);
  const late = await socket.ticker({ pair: "ETH/EUR" });
  const read = late[Symbol.asyncIterator]().next();
  await socket.close();
  expect(await read).toMatchObject({ done: true });
  const after = await socket.ticker({ pair: "ETH/EUR" });
  expect(await after[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
});
