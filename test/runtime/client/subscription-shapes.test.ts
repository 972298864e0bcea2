// Subscriptions in the shapes that vendors have: lists of arguments, ids that the server gives, requests, refusals. Plain `ws` plays the vendors.
import {
  type ClientTopic,
  type Contract,
  constants,
  createClient,
  dispatch,
  guards,
  requests,
  subscriptions,
} from "@wsgen/runtime/generated/client";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startVendor } from "./vendor.ts";

type Json = Record<string, unknown>;
type Said = Json | unknown[];
type Topic = ClientTopic<{ readonly name: string; readonly payload: Json }>;
interface Socket {
  readonly [topic: string]: (payload: object, options?: { timeout?: number; signal?: AbortSignal }) => Promise<Topic>;
}
interface Rest {
  readonly on: Record<string, (listener: (payload: Json) => void) => void>;
  readonly send: Record<string, (payload: object) => void>;
  close(): Promise<unknown>;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A vendor that answers as `hear` does, and a client of a contract with it. */
async function vendor(
  endpoint: Contract["endpoints"][string],
  hear: (message: Json, say: (payload: Said) => void) => void,
): Promise<{ socket: Socket & Rest; heard: Json[]; say: (payload: Said) => void; kill: () => void; errors: unknown[] }> {
  const heard: Json[] = [];
  const errors: unknown[] = [];
  let say: (payload: Said) => void = () => {};
  const server = await startVendor(({ socket }) => {
    const answer = (payload: Said) => socket.send(JSON.stringify(payload));
    say = answer;
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as Json;
      heard.push(message);
      hear(message, answer);
    });
  });
  const contract = { version: 1, generator: "0", title: "Vendor", endpoints: { socket: endpoint } } satisfies Contract;
  const client = createClient<{ socket(): Promise<Socket & Rest> }>(
    contract,
    server.url,
    { WebSocket, reconnect: { spread: 10 }, onError: (error) => void errors.push(error) },
    [guards, constants, dispatch, requests, subscriptions],
  );
  const socket = await client.socket();
  closers.push(
    () => server.stop(),
    () => socket.close(),
  );
  return { socket, heard, errors, say: (payload) => say(payload), kill: server.kill };
}

/** The next few messages of a topic. */
async function next(topic: Topic, count: number): Promise<Json[]> {
  const payloads: Json[] = [];
  for await (const { payload } of topic) if (payloads.push(payload) === count) break;
  return payloads;
}

const json = { format: "json" } as const;

/** `{ op, args: [{ channel, instId }] }`, as OKX has it. */
const lists: Contract["endpoints"][string] = {
  address: "/",
  receives: {
    dispatch: {
      json: {
        path: ["event"],
        cases: [
          ["subscribe", "ack"],
          ["error", "error"],
        ],
        absent: "tick",
      },
    },
    messages: { ack: json, error: json, tick: json },
  },
  sends: { ask: json },
  topics: {
    subscription: {
      subscription: {
        subscribe: "ask",
        unsubscribe: { at: ["op"], value: "unsubscribe" },
        ack: "ack",
        refused: "error",
        key: ["channel", "instId"].map((name) => {
          const listed = ["args", "*", name];
          return { subscribe: listed, unsubscribe: listed, ack: ["arg", name], messages: ["arg", name] };
        }),
      },
    },
  },
};
const arg = (instId: string, channel = "tickers") => ({ channel, instId });

describe("a list of arguments", () => {
  const okx = () =>
    vendor(lists, ({ op, args }, say) => {
      for (const one of args as Json[]) {
        if (one["instId"] === "NO") say({ event: "error", code: "60018", msg: "NO does not exist" });
        else if (op === "subscribe") say({ event: "subscribe", arg: one, connId: "a4d3ae55" });
      }
    });
  const ask = (...args: object[]) => ({ op: "subscribe", args });

  it("is subscribed to when each of them is, and each message goes to whoever asked for both parts of its key", async () => {
    const { socket, say, heard } = await okx();
    const [both, one] = [
      await socket["subscription"]!(ask(arg("BTC"), arg("ETH", "books"))),
      await socket["subscription"]!(ask(arg("ETH"))),
    ];
    const stray: Json[] = [];
    socket.on["tick"]!((payload) => stray.push(payload));
    for (const said of [arg("BTC", "books"), arg("ETH"), arg("ETH", "books"), arg("BTC")]) say({ arg: said, data: [] });
    expect((await next(both, 2)).map((payload) => payload["arg"])).toEqual([arg("ETH", "books"), arg("BTC")]);
    expect((await next(one, 1)).map((payload) => payload["arg"])).toEqual([arg("ETH")]);
    expect(stray).toEqual([{ arg: arg("BTC", "books"), data: [] }]);
    expect(heard).toHaveLength(2);
  });

  it("is left as it was asked for, without what somebody else still wants", async () => {
    const { socket, heard } = await okx();
    const both = await socket["subscription"]!(ask(arg("BTC"), arg("ETH")));
    const one = await socket["subscription"]!(ask(arg("ETH")));
    await both.close();
    await expect.poll(() => heard.slice(2)).toEqual([{ op: "unsubscribe", args: [arg("BTC")] }]);
    await one.close();
    await expect.poll(() => heard.slice(3)).toEqual([{ op: "unsubscribe", args: [arg("ETH")] }]);
    await (await socket["subscription"]!(ask(arg("A"), arg("B")))).close();
    await expect.poll(() => heard.at(-1)).toEqual({ op: "unsubscribe", args: [arg("A"), arg("B")] });
  });

  it("that is refused rejects with what the vendor said, and nothing of it is left; listeners hear it too", async () => {
    const { socket, heard } = await okx();
    const errors: unknown[] = [];
    socket.on["error"]!(({ code }) => errors.push(code));
    await expect(socket["subscription"]!(ask(arg("NO")))).rejects.toMatchObject({
      code: "WSGEN_REQUEST_FAILED",
      messageName: "error",
      payload: { code: "60018", msg: "NO does not exist" },
    });
    expect(errors).toEqual(["60018"]);
    await expect(socket["subscription"]!(ask(arg("BTC"), arg("NO")))).rejects.toMatchObject({ messageName: "error" });
    await expect.poll(() => heard.slice(2)).toEqual([{ op: "unsubscribe", args: [arg("BTC")] }]);
    await (await socket["subscription"]!(ask(arg("BTC")))).close();
  });

  it("is asked for once by those who want the same, and an error that is about nothing of theirs ends none of them", async () => {
    const { socket, heard, say } = await okx();
    const [one, two] = await Promise.all([socket["subscription"]!(ask(arg("BTC"))), socket["subscription"]!(ask(arg("BTC")))]);
    const three = await socket["subscription"]!(ask(arg("BTC")));
    expect(heard).toEqual([ask(arg("BTC"))]);
    say({ event: "error", code: "60012" });
    say({ arg: arg("BTC") });
    for (const topic of [one, two, three]) expect(await next(topic, 1)).toEqual([{ arg: arg("BTC") }]);
    await Promise.all([one.close(), two.close()]);
    expect(heard).toHaveLength(1);
    await three.close();
    await expect.poll(() => heard.slice(1)).toEqual([{ op: "unsubscribe", args: [arg("BTC")] }]);
  });

  it("that is refused after a reconnect ends with the vendor's word, which is an error for who only listens", async () => {
    let listed = true;
    const { socket, kill, errors, heard } = await vendor(lists, ({ args }, say) => {
      const [one] = args as Json[];
      say(listed ? { event: "subscribe", arg: one } : { event: "error", code: "60018" });
    });
    const topic = await socket["subscription"]!(ask(arg("BTC")));
    listed = false;
    kill();
    await expect(next(topic, 1)).rejects.toMatchObject({ code: "WSGEN_REQUEST_FAILED", payload: { code: "60018" } });
    expect(errors).toMatchObject([{ code: "WSGEN_REQUEST_FAILED" }]);
    kill();
    await expect.poll(() => (socket as unknown as { getSnapshot(): { status: string } }).getSnapshot().status).toBe("open");
    expect(heard).toHaveLength(2);
  });

  it("is given up by a timeout or a signal, and unsubscribed", async () => {
    const { socket, heard } = await vendor(lists, () => {});
    await expect(socket["subscription"]!(ask(arg("A")), { timeout: 20 })).rejects.toMatchObject({ code: "WSGEN_REQUEST_TIMEOUT" });
    const controller = new AbortController();
    const waiting = socket["subscription"]!(ask(arg("B")), { signal: controller.signal });
    controller.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    await expect(socket["subscription"]!(ask(arg("C")), { signal: controller.signal })).rejects.toThrow("left");
    await expect
      .poll(() => heard.map(({ op, args }) => `${String(op)} ${String((args as Json[])[0]?.["instId"])}`))
      .toEqual(["subscribe A", "unsubscribe A", "subscribe B", "unsubscribe B"]);
  });
});

/** Kraken's second version: one message for each of a list, and the ack says whether it went well. */
const results: Contract["endpoints"][string] = {
  address: "/",
  receives: {
    dispatch: { json: { path: ["method"], cases: [["subscribe", "ack"]], absent: "tick" } },
    messages: { ack: json, tick: json },
  },
  sends: { subscribe: { ...json, constants: { method: "subscribe" } }, unsubscribe: { ...json, constants: { method: "unsubscribe" } } },
  topics: {
    subscription: {
      subscription: {
        subscribe: "subscribe",
        unsubscribe: "unsubscribe",
        ack: "ack",
        refused: { at: ["success"], value: false },
        key: [
          { subscribe: ["params", "channel"], unsubscribe: ["params", "channel"], ack: ["result", "channel"], messages: ["channel"] },
          {
            subscribe: ["params", "symbol"],
            unsubscribe: ["params", "symbol"],
            ack: ["result", "symbol"],
            messages: ["data", "*", "symbol"],
          },
        ],
      },
    },
  },
};

it("a list of values is there when the last of them is, and an ack may be a refusal", async () => {
  const { socket, say, heard } = await vendor(results, ({ method, params }, answer) => {
    const { channel, symbol } = params as { channel: string; symbol: string[] };
    if (method !== "subscribe") return;
    for (const one of symbol) {
      if (one === "NO/NE") answer({ method, success: false, error: "Currency pair not supported", symbol: one });
      else answer({ method, success: true, result: { channel, symbol: one } });
    }
  });
  const ask = (...symbol: string[]) => ({ params: { channel: "ticker", symbol } });
  const topic = await socket["subscription"]!(ask("BTC/USD", "ETH/USD"));
  await expect(socket["subscription"]!(ask("NO/NE"))).rejects.toMatchObject({ payload: { error: "Currency pair not supported" } });
  say({ channel: "book", data: [{ symbol: "BTC/USD" }] });
  say({ channel: "ticker", data: [{ symbol: "XRP/USD" }, { symbol: "ETH/USD" }] });
  expect(await next(topic, 1)).toMatchObject([{ channel: "ticker" }]);
  const eth = await socket["subscription"]!(ask("ETH/USD"));
  await topic.close();
  await eth.close();
  await expect
    .poll(() => heard.filter(({ method }) => method === "unsubscribe").map(({ params }) => params))
    .toEqual([
      { channel: "ticker", symbol: ["BTC/USD"] },
      { channel: "ticker", symbol: ["ETH/USD"] },
    ]);
});

/** Bitfinex: the ack says the id of a channel, which its messages have and which unsubscribes. */
const ids: Contract["endpoints"][string] = {
  address: "/",
  receives: {
    dispatch: {
      json: {
        path: ["event"],
        cases: [
          ["subscribed", "ack"],
          ["error", "error"],
        ],
        absent: "data",
      },
    },
    messages: { ack: json, error: json, data: json },
  },
  sends: { subscribe: { ...json, constants: { event: "subscribe" } }, unsubscribe: { ...json, constants: { event: "unsubscribe" } } },
  topics: {
    subscription: {
      subscription: {
        subscribe: "subscribe",
        unsubscribe: "unsubscribe",
        ack: "ack",
        refused: "error",
        key: [
          { subscribe: ["channel"], ack: ["channel"] },
          { subscribe: ["symbol"], ack: ["symbol"] },
          { unsubscribe: ["chanId"], ack: ["chanId"], messages: [0] },
        ],
      },
    },
  },
};

describe("ids that the server gives", () => {
  let last = 0;
  const bitfinex = () => {
    const slow: (() => void)[] = [];
    return vendor(ids, ({ event, channel, symbol }, say) => {
      if (event !== "subscribe") return;
      if (symbol === "tNO") return say({ event: "error", msg: "symbol: invalid", channel, symbol });
      const answer = () => say({ event: "subscribed", channel, symbol, chanId: ++last });
      // It answers in the opposite order, and the slow one when it hears of another.
      if (symbol === "tSLOW") return slow.push(answer);
      answer();
      for (const late of slow.splice(0)) late();
    });
  };
  const ask = (symbol: string) => ({ channel: "ticker", symbol });

  it("tell what is whose, and unsubscribe", async () => {
    const { socket, say, heard } = await bitfinex();
    const [slow, btc] = await Promise.all([socket["subscription"]!(ask("tSLOW")), socket["subscription"]!(ask("tBTC"))]);
    say([last, [1]]);
    say([last - 1, [2]]);
    expect([await next(slow, 1), await next(btc, 1)]).toEqual([[[last, [1]]], [[last - 1, [2]]]]);
    const slowId = last;
    await slow.close();
    await expect.poll(() => heard.at(-1)).toEqual({ event: "unsubscribe", chanId: slowId });
    await expect(socket["subscription"]!(ask("tNO"))).rejects.toMatchObject({ payload: { msg: "symbol: invalid" } });
  });

  it("are others after a reconnect", async () => {
    const { socket, say, heard, kill } = await bitfinex();
    const topic = await socket["subscription"]!(ask("tBTC"));
    const before = last;
    kill();
    await expect.poll(() => last).toBe(before + 1);
    await expect.poll(() => heard).toHaveLength(2);
    const stray: unknown[] = [];
    socket.on["data"]!((payload) => stray.push(payload));
    say([before, ["old"]]);
    say([last, ["new"]]);
    expect(await next(topic, 1)).toEqual([[last, ["new"]]]);
    expect(stray).toEqual([[before, ["old"]]]);
    await topic.close();
    await expect.poll(() => heard.at(-1)).toEqual({ event: "unsubscribe", chanId: last });
  });

  it("are waited for when a subscription is left before its ack", async () => {
    const { socket, heard } = await bitfinex();
    await expect(socket["subscription"]!(ask("tSLOW"), { timeout: 20 })).rejects.toMatchObject({ code: "WSGEN_REQUEST_TIMEOUT" });
    await expect.poll(() => heard).toHaveLength(1); // It may come later than the timeout on a busy machine.
    await socket["subscription"]!(ask("tBTC"));
    await expect.poll(() => heard.at(-1)).toEqual({ event: "unsubscribe", chanId: last });
  });
});

/** JSON-RPC: subscribing and unsubscribing are requests. */
const reply = { messages: ["result"], request: ["id"], reply: ["id"], id: "integer" } as const;
const rpc: Contract["endpoints"][string] = {
  address: "/",
  receives: {
    dispatch: { json: { path: ["method"], cases: [["subscription", "note"]] } },
    messages: { note: json, result: json },
  },
  sends: {
    subscribe: { ...json, constants: { method: "subscribe" }, reply },
    unsubscribe: { ...json, constants: { method: "unsubscribe" }, reply },
  },
  topics: {
    subscription: {
      subscription: {
        subscribe: "subscribe",
        unsubscribe: "unsubscribe",
        refused: { at: ["error"] },
        key: [
          { subscribe: ["params", "channels"] },
          { unsubscribe: ["params", "id"], ack: ["result"], messages: ["params", "subscription"] },
        ],
      },
    },
  },
};

describe("subscribing by a request", () => {
  const ask = (channel: string) => ({ params: { channels: [channel] } });
  let last = 100;
  const server = () =>
    vendor(rpc, ({ id, method, params }, say) => {
      const { channels } = params as { channels?: string[] };
      if (channels?.[0] === "mute") return;
      if (channels?.[0] === "no") return say({ id, error: { code: -32602, message: "Invalid params" } });
      say({ id, result: method === "subscribe" ? ++last : true });
    });

  it("is done when the reply comes, rejects with an error in it, and unsubscribes by a request", async () => {
    const { socket, heard, say } = await server();
    const topic = await socket["subscription"]!(ask("ticker.BTC"));
    say({ method: "subscription", params: { subscription: last - 1 } });
    say({ method: "subscription", params: { subscription: last } });
    expect(await next(topic, 1)).toEqual([{ method: "subscription", params: { subscription: last } }]);
    await expect(socket["subscription"]!(ask("no"))).rejects.toMatchObject({
      code: "WSGEN_REQUEST_FAILED",
      payload: { error: { code: -32602 } },
    });
    await topic.close();
    await expect.poll(() => heard.at(-1)).toMatchObject({ method: "unsubscribe", params: { id: last }, id: expect.any(Number) });
    await expect(socket["subscription"]!(ask("mute"), { timeout: 20 })).rejects.toMatchObject({ code: "WSGEN_REQUEST_TIMEOUT" });
  });

  it("outlives a lost connection, whether the reply had come or not", async () => {
    let mute = true;
    const { socket, heard, kill, say } = await vendor(rpc, ({ id }, answer) => mute || answer({ id, result: ++last }));
    const waiting = socket["subscription"]!(ask("a"));
    await expect.poll(() => heard).toHaveLength(1);
    mute = false;
    kill();
    const topic = await waiting;
    kill();
    await expect.poll(() => heard).toHaveLength(3);
    say({ method: "subscription", params: { subscription: last } });
    expect(await next(topic, 1)).toMatchObject([{ params: { subscription: last } }]);
  });
});
