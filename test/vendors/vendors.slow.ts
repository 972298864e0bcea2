// The client of five public documents, in the session that its vendor documents. A plain `ws` server plays the vendor; it knows nothing of wsgen.
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { Config } from "../../codegen/src/index.ts";
import { type GenerateOptions, generate } from "../../codegen/src/index.ts";
import { typeCheck } from "../snippets.ts";

const corpus = resolve(process.env["WSGEN_SHARED"] ?? "../shared", "corpus");
const documents = new URL("documents", import.meta.url).pathname;
const output = new URL("../.output/vendors/", import.meta.url).pathname;

interface Vendor {
  /** Of the corpus; or a file of the folder `documents`, for a shape that no document of the corpus has. */
  readonly slug: string;
  readonly options?: (document: string) => GenerateOptions;
  /** What the vendor does when its `count`-th client has connected. */
  readonly play: (socket: WebSocket, request: IncomingMessage, count: number) => void;
  /** What the session notes, in order. */
  readonly notes: readonly string[];
}

const say = (socket: WebSocket, payload: unknown): void => socket.send(JSON.stringify(payload));
const hear = (socket: WebSocket, listener: (payload: Record<string, unknown>, bytes: Buffer | undefined) => void): unknown =>
  socket.on("message", (data: Buffer, binary) =>
    binary ? listener({}, data) : listener(JSON.parse(String(data)) as Record<string, unknown>, undefined),
  );

const vendors: { readonly [session: string]: Vendor } = {
  exchange: {
    slug: "exchange-krakenfutures",
    // What the feeds of messages are called is in the vendor's prose alone.
    options: (document) => ({
      overrides: {
        [`${document}#`]: {
          discriminator: [
            {
              at: "/feed",
              values: {
                "subscribeToTicker.message": "ticker",
                "subscribeToOrderBook.message": "book",
                TickerSnapshotMessage: "ticker",
                BookSnapshotMessage: "book_snapshot",
                BookDeltaMessage: "book",
              },
            },
            { at: "/event", values: { ChallengeMessage: "challenge", ErrorMessage: "error" } },
          ],
        },
      },
    }),
    play(socket) {
      const feeds: Record<string, number> = {};
      hear(socket, ({ event, feed, product_ids }) => {
        const [product_id = ""] = product_ids as string[];
        if (product_id === "NO_SUCH") return say(socket, { event: "error", message: "Invalid product id" });
        feeds[`${feed}`] = (feeds[`${feed}`] ?? 0) + (event === "subscribe" ? 1 : -1);
        const levels = { product_id, seq: 1, timestamp: 1 };
        if (event !== "subscribe") return;
        if (feed === "book") {
          say(socket, { feed: "book_snapshot", ...levels, bids: [{ qty: 1, price: 2 }], asks: [] });
          say(socket, { feed: "book", ...levels, side: "buy", price: 2, qty: 5 });
        }
        if (feed !== "ticker") return;
        const price = { feed, product_id, time: 1, ask: 3, bid_size: 1, ask_size: 1, volume: 1 };
        for (const bid of [34_832.5, 34_833]) say(socket, { ...price, bid });
      });
    },
    notes: [
      "tickerSnapshotMessage 34832.5",
      "tickerSnapshotMessage 34833",
      "bookSnapshotMessage 1",
      "bookDeltaMessage 5",
      "Invalid product id",
      "open",
      "invalid: ",
    ],
  },
  speech: {
    slug: "speechmatics-realtime",
    play(socket, { headers }) {
      expect(headers.authorization).toBe("Bearer key");
      let chunks = 0;
      let ended = false;
      hear(socket, ({ message, last_seq_no }, audio) => {
        if (audio !== undefined) return say(socket, { message: "AudioAdded", seq_no: ++chunks });
        if (message === "StartRecognition") return say(socket, { message: "RecognitionStarted", id: "s1" });
        if (ended) {
          say(socket, { message: "Error", type: "protocol_error", reason: "The stream has ended" });
          return socket.close(4000, "protocol_error");
        }
        ended = true;
        const metadata = { start_time: 0, end_time: 1, transcript: `heard ${String(last_seq_no)} chunks` };
        say(socket, { message: "AddTranscript", metadata, results: [] });
        say(socket, { message: "EndOfTranscript" });
      });
    },
    notes: ["started s1", "final heard 50 chunks", "added 50, the last 50", "protocol_error", "4000"],
  },
  rpc: {
    slug: "spec-3.1-kraken-websocket-request-reply-multiple-channels",
    play(socket) {
      say(socket, { event: "systemStatus", connectionID: 8628615390848610, status: "online", version: "1.0.0" });
      const waiting: (() => void)[] = [];
      hear(socket, ({ event, reqid, pair, subscription }) => {
        if (event === "unsubscribe") return socket.close(1000);
        if (event === "ping") return reqid === 999 ? undefined : say(socket, { event: "pong", reqid });
        const known = (pair as string[])[0] !== "NO/NE";
        const status = { event: "subscriptionStatus", reqid, pair, subscription };
        waiting.push(() =>
          say(
            socket,
            known ? { ...status, channelID: 42, channelName: "ticker" } : { ...status, errorMessage: "Currency pair not supported" },
          ),
        );
        if (waiting.length === 3) for (const answer of waiting.reverse()) answer();
      });
    },
    notes: [
      "online",
      "XBT/USD on 42",
      "ETH/USD on 42",
      "Currency pair not supported",
      "pong",
      "RequestTimeoutError",
      "ConnectionClosedError",
      "1000",
    ],
  },
  tuples: {
    slug: "exchange-coincheck",
    options: (document) => ({ overrides: { [`${document}#`]: { onAmbiguous: "first" } } }),
    play(socket) {
      hear(socket, ({ type, channel }) => {
        if (type === "unsubscribe") return socket.close(1000);
        if (channel === "btc_jpy-trades") return say(socket, [["1663318663", "2357062", "btc_jpy", "2820896.0", "5.0", "sell"]]);
        say(socket, ["btc_jpy", { bids: [["148634.0", "0.0574"]], asks: [], last_update_at: "1659321701" }]);
      });
    },
    notes: ["traded 2820896.0", "btc_jpy 148634.0,0.0574", "1000"],
  },
  // OKX: a list of arguments, one message that subscribes and unsubscribes, an error that names nothing. It is killed once.
  lists: {
    slug: "exchange-okx",
    options(document) {
      const file = new URL("../conformance/overrides/exchange-okx.json", import.meta.url);
      const { overrides = {} } = JSON.parse(readFileSync(file, "utf8")) as Config;
      const placed = Object.entries(overrides).map(([place, said]) => [`${document}${place}`, said] as const);
      return { overrides: Object.fromEntries(placed) };
    },
    play(socket, _request, count) {
      hear(socket, ({ op, args }) => {
        for (const arg of args as { channel: string; instId: string }[]) {
          const { channel, instId } = arg;
          if (instId === "NO-SUCH") {
            say(socket, { event: "error", code: "60018", msg: `channel:tickers,instId:NO-SUCH doesn't exist`, connId: "a4d3ae55" });
            continue;
          }
          say(socket, { event: op, arg, connId: "a4d3ae55" });
          if (op === "subscribe") say(socket, { arg, data: [{ instType: "SPOT", instId, last: `${instId} ${count}`, channel }] });
          else say(socket, { arg: { channel, instId: "BTC-USDT" }, data: [{ instId, last: `left ${instId}` }] });
        }
      });
      if (count === 1) setTimeout(() => socket.terminate(), 300);
    },
    notes: ["BTC-USDT 1", "ETH-USDT 1", "60018", "BTC-USDT 2", "left ETH-USDT", "open", "invalid: "],
  },
  // Deribit: JSON-RPC, where subscribing and unsubscribing are requests.
  notifications: {
    slug: "deribit.yaml",
    play(socket, _request, count) {
      hear(socket, ({ id, method, params }) => {
        const { channels = [] } = (params ?? {}) as { channels?: string[] };
        if (method === "public/test") return say(socket, { jsonrpc: "2.0", id, result: { version: "1.2.26" } });
        if (channels.includes("no")) return say(socket, { jsonrpc: "2.0", id, error: { code: 11050, message: "bad_request" } });
        say(socket, { jsonrpc: "2.0", id, result: channels });
        for (const channel of channels) {
          const data = { method, on: count };
          say(socket, {
            jsonrpc: "2.0",
            method: "subscription",
            params: { channel: method === "public/subscribe" ? channel : "book.ETH", data },
          });
        }
      });
      if (count === 1) setTimeout(() => socket.terminate(), 300);
    },
    notes: ["ticker.BTC 1", "book.ETH 1", "bad_request", "1.2.26", "ticker.BTC 2", "left public/unsubscribe", "open"],
  },
  feed: {
    slug: "spec-3.1-websocket-gemini",
    play(socket, { url = "" }, count) {
      expect(url).toBe("/v1/marketdata/btcusd?heartbeat=true&top_of_book=true");
      say(socket, { type: "heartbeat", socket_sequence: count });
      if (count > 1) return;
      const events = [{ type: "change", price: 3641.61, side: "bid", reason: "place", remaining: 1, delta: 1 }];
      say(socket, { type: "update", eventId: 1, socket_sequence: 1, events, timestamp: 1, timestampms: 1000 });
      setTimeout(() => socket.terminate(), 50);
    },
    notes: ["heartbeat 1", "place at 3641.61", "back, continuity unknown", "heartbeat 2", "ContractError"],
  },
};

describe.skipIf(!existsSync(corpus))("the generated client of a vendor's document (needs ../shared/corpus)", () => {
  afterAll(() => rmSync(output, { recursive: true, force: true }));

  for (const [session, { slug, options, play, notes }] of Object.entries(vendors)) {
    it(`${session}: ${slug}`, async () => {
      const index = JSON.parse(readFileSync(join(corpus, "INDEX.json"), "utf8")) as readonly {
        readonly slug: string;
        readonly main: string;
      }[];
      const document = slug.endsWith(".yaml")
        ? join(documents, slug)
        : join(corpus, slug, index.find((entry) => entry.slug === slug)?.main ?? "");
      const out = join(output, session);
      const { ok, diagnostics } = await generate({ cwd: output, document, out, side: "client", schemas: false, ...options?.(document) });
      expect(ok, JSON.stringify(diagnostics.filter(({ severity }) => severity === "error"))).toBe(true);
      cpSync(new URL(`sessions/${session}.ts`, import.meta.url), join(out, "session.ts"));
      expect(typeCheck(out)).toBe("");

      const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
      let count = 0;
      server.on("connection", (socket, request) => play(socket, request, ++count));
      try {
        const module = (await import(/* @vite-ignore */ pathToFileURL(join(out, "session.ts")).href)) as {
          session(url: string, note: (what: string) => void): Promise<void>;
        };
        const noted: string[] = [];
        await module.session(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, (what) => void noted.push(what));
        expect(noted).toEqual(notes);
      } finally {
        for (const socket of server.clients) socket.terminate();
        await new Promise((done) => server.close(done));
      }
    });
  }
});
