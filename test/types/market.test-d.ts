// What topics and subscriptions promise to those who write against the generated market.
import { expectTypeOf, test } from "vitest";
import type { SocketClient, SocketTickerClient } from "../../generated/market/client.js";
import type { SocketConnection, SocketHandler } from "../../generated/market/server.js";

test("a handler has every topic, and every message of each", () => {
  const none = { subscribe() {}, unsubscribe() {} };
  expectTypeOf({ ticker: none, book: none, candles: none }).toExtend<SocketHandler>();
  expectTypeOf({ ticker: none, book: none }).not.toExtend<SocketHandler>();
  expectTypeOf({ ticker: none, book: none, candles: { subscribe() {} } }).not.toExtend<SocketHandler>();
});

test("a topic's messages are sent on it alone", () => {
  type Send = SocketConnection["send"];
  expectTypeOf<Send["ticker"]>().toHaveProperty("trade");
  expectTypeOf<Send["book"]>().not.toHaveProperty("trade");
  expectTypeOf<Send>().not.toHaveProperty("trade");
  expectTypeOf<Send>().toHaveProperty("subscribed");
});

test("a child is opened with its parameters, or with what subscribes to it", () => {
  expectTypeOf<SocketClient["ticker"]>().parameters.toEqualTypeOf<[params: { pair: string }]>();
  expectTypeOf<{ pair: string; minutes: 5 }>().toExtend<Parameters<SocketClient["candles"]>[0]>();
  expectTypeOf<{ minutes: 5 }>().not.toExtend<Parameters<SocketClient["candles"]>[0]>();
  expectTypeOf<SocketTickerClient["on"]>().not.toHaveProperty("subscribed");
});
