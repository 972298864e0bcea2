import { describe, expect, it } from "vitest";
import { emitClient } from "../../../codegen/src/emit/client.ts";
import { createGeneratedFile } from "../../../codegen/src/emit/file.ts";
import type { HandshakePart, Model, Reply, Server } from "../../../codegen/src/model/model.ts";
import { direction, endpoint, message, model, topic, topicMessage } from "./chat-model.ts";

const emit = (model: Model): string => {
  const file = createGeneratedFile("client.ts", "");
  emitClient(model, file);
  return file.toString();
};

const part = (type: string, optional = false): HandshakePart => ({ type, optional, coerce: {} });
const server = (overrides: Partial<Server>): Server => ({
  name: "live",
  docs: {},
  url: "wss://x.example",
  variables: [],
  pointer: "#",
  ...overrides,
});

describe("client.ts", () => {
  it("has an address for each server, with its variables typed", () => {
    const variables = [
      { name: "region", docs: { description: "Where it runs" }, enum: ["eu", "us"] },
      { name: "base-path", docs: {}, default: "v1" },
    ];
    const servers = [
      server({}),
      server({ name: "test", docs: { summary: "For trying." }, url: "wss://{region}.x.example/{base-path}", variables }),
    ];
    expect(emit(model("A", [], { servers }))).toContain(`export const servers = {
  live: serverUrl("wss://x.example"),
  /** For trying. */
  test: serverUrl<{
    /** Where it runs */
    region: "eu" | "us";
    /** Default: \`v1\`. */
    "base-path"?: string;
  }>("wss://{region}.x.example/{base-path}", { "base-path": "v1" }),
} as const;`);
  });

  it("has no servers where the document names none", () => {
    expect(emit(model("A", [endpoint("a")]))).not.toMatch(/servers|serverUrl/);
  });

  it("asks to connect for what the handshake requires, and for nothing else", () => {
    const connect = (overrides: Parameters<typeof endpoint>[1]): string | undefined =>
      /^export interface AApiClient \{\n {2}(.*)\n\}/m.exec(emit(model("A", [endpoint("a", overrides)])))?.[1];
    expect(connect({})).toBe("a(options?: ConnectOptions): Opening<AClient>;");
    expect(connect({ parameters: part("P") })).toBe("a(params: P, options?: ConnectOptions): Opening<AClient>;");
    const some = { ...part("P"), defaults: { region: "eu" } };
    expect(connect({ parameters: some })).toBe('a(params: Optional<P, "region">, options?: ConnectOptions): Opening<AClient>;');
    const all = { ...some, optional: true };
    expect(connect({ parameters: all })).toBe('a(params?: Optional<P, "region">, options?: ConnectOptions): Opening<AClient>;');
    expect(connect({ parameters: all, query: part("Q") })).toBe('a(params: Optional<P, "region">, options: AOptions): Opening<AClient>;');
    expect(connect({ query: part("Q", true) })).toBe("a(options?: AOptions): Opening<AClient>;");
    expect(connect({ query: part("Q", true), headers: part("H") })).toBe("a(options: AOptions): Opening<AClient>;");
    expect(emit(model("A", [endpoint("a", { query: part("Q", true), headers: part("H") })]))).toContain(
      "export interface AOptions extends ConnectOptions {\n  readonly query?: Given<Q>;\n  readonly headers: Given<H>;\n}",
    );
  });

  it("keeps within the line whatever the names are", () => {
    const long = "a".repeat(50);
    const sides = { serverToClient: direction([message(long)]), clientToServer: direction([message(long)]) };
    const text = emit(model("A", [endpoint("a", sides)]));
    expect(text.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it("says where messages are that are not in `send`", () => {
    const reply: Reply = { messages: [], request: ["id"], reply: ["id"], id: "integer" };
    const asking = emit(model("A", [endpoint("a", { clientToServer: direction([message("ask", { reply })]) }), endpoint("b")]));
    expect(asking).toContain("/** What a client sends on `/a`: nothing but requests. */\nexport interface ASend {}");
    expect(asking).toContain("/** What a client sends on `/b`: nothing. */\nexport interface BSend {}");
  });

  it("names everything that arrives in one union, `never` where nothing does", () => {
    const text = emit(model("F", [endpoint("feed", { serverToClient: direction([message("tick")]) }), endpoint("sink")]));
    expect(text).toContain('export type FeedEvent = { readonly name: "tick"; readonly payload: Tick };');
    expect(text).toContain("export type SinkEvent = never;");
  });

  it("answers what the server asks", () => {
    const reply: Reply = { messages: ["pong"], request: ["id"], reply: ["id"], id: "integer" };
    const text = emit(
      model("Rpc", [
        endpoint("rpc", {
          serverToClient: direction([message("ping", { reply, docs: { summary: "Are you there?" } })]),
          clientToServer: direction([message("pong", { replyOnly: true })]),
        }),
      ]),
    );
    expect(text).toContain(`export interface RpcAnswer {
  /** Are you there? Return the reply; its \`id\` is filled in. */
  ping(answerer: (payload: Ping) => Awaitable<Optional<Pong, "type" | "id">>): Unsubscribe;
}`);
    expect(text).toContain("readonly answer: RpcAnswer;");
    expect(text).not.toContain("pong(");
  });

  it("tells the API's client from an endpoint's of the same name", () => {
    const text = emit(model("Echo", [endpoint("echo")]));
    expect(text).toContain("export interface EchoClient extends ClientConnection<EchoEvent>");
    expect(text).toContain("export function createEchoClient(url: string | URL, options?: ClientOptions): EchoApiClient {");
  });

  it("has a child of the connection for each topic, with its own sends, listeners and events", () => {
    const text = emit(
      model("Market", [
        endpoint("ws", {
          topics: [
            topic("ws", "ticker", {
              docs: { description: "Trades." },
              parameters: { type: "Pair", at: { pair: ["pair"] }, optional: false },
            }),
            topic("ws", "book", { parameters: { type: "Book", at: {}, optional: true, defaults: { depth: "10" } } }),
            topic("ws", "log"),
          ],
          clientToServer: direction([message("ping"), topicMessage("ticker", "subscribe"), topicMessage("log", "write")]),
          serverToClient: direction([message("refused"), topicMessage("ticker", "trade"), topicMessage("book", "rows")]),
        }),
      ]),
    );
    expect(text).toContain(`/** Trades. Iterate it for everything that arrives on it. */
export interface WsTickerClient extends ClientTopic<WsTickerEvent> {
  readonly params: Pair;
  readonly send: WsTickerSend;
  readonly on: WsTickerOn;
}`);
    expect(text).toContain(`/** The topic \`log\` of \`/ws\`. Nothing of its own arrives on it. */
export interface WsLogClient extends ClientTopic<never> {
  readonly send: WsLogSend;
}`);
    expect(text).toContain('export type WsTickerEvent = { readonly name: "trade"; readonly payload: Trade };');
    expect(text).toContain('  | { readonly name: "ticker.trade"; readonly payload: Trade }\n');
    expect(text).toContain(`  readonly on: WsOn;
  /** Trades. */
  ticker(params: Pair): Promise<WsTickerClient>;
  book(params?: Optional<Book, "depth">): Promise<WsBookClient>;
  log(): Promise<WsLogClient>;
}`);
    expect(text).toContain("createClient<MarketClient>(contract, url, options, [guards, constants, dispatch, topics]);");
  });
});
