// Subscriptions of the generated market: topics that are asked for when they are opened, and again after a reconnect.
import { createRouter, serve } from "@wsgen/runtime";
import {
  type ClientOptions,
  type ClientTopic,
  type Contract,
  constants,
  createClient,
  dispatch,
  guards,
  subscriptions,
} from "@wsgen/runtime/generated/client";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { createMarketClient, type SocketCandlesClient, type SocketClient } from "../../../generated/market/client.js";
import { registerMarket, type SocketConnection } from "../../../generated/market/server.js";

async function market({ acks = true, Socket = WebSocket }: { readonly acks?: boolean; readonly Socket?: ClientOptions["WebSocket"] } = {}) {
  const heard: string[] = [];
  const connections: SocketConnection[] = [];
  const none = { subscribe() {}, unsubscribe() {} };
  const router = createRouter();
  registerMarket(router, {
    socket: {
      open: (conn) => void connections.push(conn),
      ticker: none,
      book: none,
      candles: {
        subscribe({ channel, pair, minutes = 1 }, conn) {
          heard.push(`+${pair} ${minutes}`);
          if (acks) conn.send.subscribed({ channel, pair });
        },
        unsubscribe: ({ pair }) => void heard.push(`-${pair}`),
      },
    },
  });
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  const socket: SocketClient = await createMarketClient(server.url, {
    WebSocket: Socket,
    reconnect: { spread: 10, codes: { 4000: true } },
  }).socket();
  const candle = (pair: string, close: string): void => {
    const conn = connections.at(-1);
    conn?.send.candles.candle({ pair, open: "1", close });
  };
  return { server, socket, heard, connections, candle };
}

describe("a subscription", () => {
  it("is there when the server said so, has its own messages, and is left when its block is", async () => {
    const { server, socket, heard, candle } = await market();
    {
      await using candles = await socket.candles({ pair: "ETH/EUR", minutes: 5 });
      expect(heard).toEqual(["+ETH/EUR 5"]);
      await using btc = await socket.candles({ pair: "BTC/EUR" });
      candle("BTC/EUR", "7");
      candle("ETH/EUR", "2");
      candle("ETH/EUR", "3");
      const closes: string[] = [];
      for await (const { payload } of candles) if (closes.push(payload.close) === 2) break;
      expect(closes).toEqual(["2", "3"]);
      for await (const { name, payload } of btc) {
        expect([name, payload.close]).toEqual(["candle", "7"]);
        break;
      }
    }
    await expect.poll(() => heard.slice(2)).toEqual(["-BTC/EUR", "-ETH/EUR"]);
    expect(socket.getSnapshot().status).toBe("open");
    await socket.close();
    await server.close();
  });

  it("is shared by those who want the same: the last one unsubscribes", async () => {
    const { server, socket, heard } = await market();
    const [one, two] = await Promise.all([socket.candles({ pair: "ETH/EUR" }), socket.candles({ pair: "ETH/EUR" })]);
    await one.close();
    await two.close();
    await two.close();
    await expect.poll(() => heard.filter((what) => what.startsWith("-"))).toEqual(["-ETH/EUR"]);
    await socket.close();
    await server.close();
  });

  it("is the same in whatever order its properties are given", async () => {
    const { server, socket, heard } = await market();
    const one = await socket.candles({ pair: "ETH/EUR", minutes: 5 });
    const other = await socket.candles({ minutes: 5, pair: "ETH/EUR" });
    expect(heard).toEqual(["+ETH/EUR 5"]);
    await one.close();
    await other.close();
    await expect.poll(() => heard).toEqual(["+ETH/EUR 5", "-ETH/EUR"]);
    await server.close();
  });

  it("is asked for once, and not left, on the next socket when it was opened and left on one that was closing", async () => {
    const sockets: WebSocket[] = [];
    class Watched extends WebSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    }
    const { server, socket, heard, connections } = await market({ Socket: Watched });
    const eth = await socket.candles({ pair: "ETH/EUR" });
    void connections[0]?.close(4000);
    while (sockets[0]?.readyState === WebSocket.OPEN) await new Promise((resolve) => setImmediate(resolve));
    expect(socket.getSnapshot().status).toBe("open");
    await eth.close();
    const again = await socket.candles({ pair: "ETH/EUR", minutes: 5 });
    const btc = await socket.candles({ pair: "BTC/EUR" });
    expect(heard.slice(1)).toEqual(["+ETH/EUR 5", "+BTC/EUR 1"]);
    await Promise.all([again.close(), btc.close(), socket.close()]);
    await server.close();
  });

  it("is asked for again after a reconnect, and only what is still wanted", async () => {
    const { server, socket, heard, connections, candle } = await market();
    const eth = await socket.candles({ pair: "ETH/EUR", minutes: 15 });
    const btc = await socket.candles({ pair: "BTC/EUR" });
    await btc.close();
    await expect.poll(() => heard).toEqual(["+ETH/EUR 15", "+BTC/EUR 1", "-BTC/EUR"]);
    const closes: string[] = [];
    eth.on.candle(({ close }) => void closes.push(close));
    void connections[0]?.close(4000);
    await expect.poll(() => connections.length).toBe(2);
    await expect.poll(() => heard.slice(3)).toEqual(["+ETH/EUR 15"]);
    candle("ETH/EUR", "9");
    await expect.poll(() => closes).toEqual(["9"]);
    await eth.close();
    await expect.poll(() => heard.slice(4)).toEqual(["-ETH/EUR"]);
    await socket.close();
    await server.close();
  });

  it("that is opened while the connection is away is asked for once, when it is back", async () => {
    const { server, socket, heard, connections } = await market();
    const opened = new Promise<SocketCandlesClient>((resolve) => {
      const stop = socket.subscribe(({ status }) => {
        if (status !== "reconnecting") return;
        stop();
        resolve(socket.candles({ pair: "ETH/EUR" }));
      });
    });
    void connections[0]?.close(4000);
    const candles = await opened;
    expect(heard).toEqual(["+ETH/EUR 1"]);
    await candles.close();
    await socket.close();
    await server.close();
  });

  it("refuses at once what the contract refuses, and sends nothing", async () => {
    const { server, socket, heard } = await market();
    await expect(socket.candles({ pair: "eth" })).rejects.toMatchObject({ messageName: "candles.subscribe", path: "/pair" });
    expect(heard).toEqual([]);
    await socket.close();
    await server.close();
  });

  it("rejects when the connection is closed before the server said anything", async () => {
    const { server, socket, heard } = await market({ acks: false });
    const refused = socket.candles({ pair: "ETH/EUR" }).catch((error: unknown) => error);
    await expect.poll(() => heard.length).toBe(1);
    await socket.close();
    expect(await refused).toMatchObject({ code: "WSGEN_CONNECTION_CLOSED" });
    await expect(socket.candles({ pair: "ETH/EUR" })).rejects.toMatchObject({ code: "WSGEN_CONNECTION_CLOSED" });
    await server.close();
  });
});

it("a channel that has the socket to itself is subscribed to by `subscription`, and one that only repeats the key hears its own", async () => {
  const contract = {
    version: 1,
    generator: "0",
    title: "Feed",
    endpoints: {
      feed: {
        address: "/feed",
        receives: {
          dispatch: { json: { path: ["event"], cases: [["tick", "tick"]], absent: "note" } },
          messages: { tick: { format: "json" }, note: { format: "json" } },
        },
        sends: {
          subscribe: { format: "json", constants: { event: "subscribe" } },
          unsubscribe: { format: "json", constants: { event: "unsubscribe" } },
        },
        topics: { subscription: { subscription: { subscribe: "subscribe", unsubscribe: "unsubscribe", key: [["arg", "pair"]] } } },
      },
    },
  } as const satisfies Contract;
  const heard: unknown[] = [];
  const router = createRouter();
  router.ws("/feed", async (conn) => {
    for await (const { data } of conn.messages()) {
      heard.push(JSON.parse(String(data)));
      for (const pair of ["A", "B"]) await conn.send(JSON.stringify({ event: "tick", arg: { pair } }));
    }
  });
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  type Feed = { feed(): Promise<{ subscription(payload: object): Promise<ClientTopic<{ payload: unknown }>>; close(): Promise<unknown> }> };
  const feed = await createClient<Feed>(contract, server.url, { WebSocket }, [guards, constants, dispatch, subscriptions]).feed();
  const ticks = await feed.subscription({ arg: { pair: "B" } });
  for await (const { payload } of ticks) {
    expect(payload).toEqual({ event: "tick", arg: { pair: "B" } });
    break;
  }
  await ticks.close();
  await expect
    .poll(() => heard)
    .toEqual([
      { event: "subscribe", arg: { pair: "B" } },
      { event: "unsubscribe", arg: { pair: "B" } },
    ]);
  await feed.close();
  await server.close();
});
