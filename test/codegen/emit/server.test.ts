import { describe, expect, it } from "vitest";
import { createGeneratedFile } from "../../../codegen/src/emit/file.ts";
import { emitServer } from "../../../codegen/src/emit/server.ts";
import type { Model, Reply } from "../../../codegen/src/model/model.ts";
import { direction, endpoint, message, model, topic, topicMessage } from "./chat-model.ts";

const emit = (model: Model): string => {
  const file = createGeneratedFile("server.ts", "");
  emitServer(model, file);
  return file.toString();
};

/** The declaration of one exported name, without its comment. */
const declaration = (text: string, name: string): string =>
  new RegExp(`^export (interface|type|function) ${name}\\b[\\s\\S]*?(^}|\\{\\})`, "m").exec(text)?.[0] ?? "";

describe("server.ts", () => {
  it("sends what the server sends, without what is filled in", () => {
    const text = emit(
      model("Feed", [endpoint("feed", { serverToClient: direction([message("tick", { docs: { summary: "A price." } })]) })]),
    );
    expect(declaration(text, "FeedSend")).toBe(`export interface FeedSend {
  /** A price. */
  tick(payload: Optional<Tick, "type">): Sent;
}`);
  });

  it("asks for no payload where nothing is left to say", () => {
    const types = [{ name: "Ping", docs: {}, schema: { type: "object", required: ["type"] }, guard: true, pointer: "#" }];
    const text = emit(model("Feed", [endpoint("feed", { serverToClient: direction([message("ping")]) })], { types }));
    expect(text).toContain('ping(payload?: Optional<Ping, "type">): Sent;');
  });

  it("says bytes of a binary message", () => {
    const audio = message("audio", { format: "binary", constants: {} });
    const text = emit(model("Voice", [endpoint("voice", { clientToServer: direction([audio]), serverToClient: direction([audio]) })]));
    expect(text).toContain("audio(payload: Uint8Array): Sent;");
    expect(text).toContain("readonly audio: (payload: Uint8Array, conn: VoiceConnection<Context>) => Awaitable<void>;");
    expect(text).not.toContain("./types.js");
  });

  it("gives the connection what its handshake carries, and no more", () => {
    const plain = emit(model("A", [endpoint("a")]));
    expect(declaration(plain, "AConnection")).toBe(
      "export interface AConnection<Context = object> extends ContractConnection<ASend, Context> {}",
    );
    const part = (type: string) => ({ type, optional: false, coerce: {} });
    const full = emit(model("A", [endpoint("a", { parameters: part("P"), query: part("Q"), headers: part("H") })]));
    expect(declaration(full, "AConnection")).toContain("readonly params: P;\n  readonly query: Q;\n  readonly headers: H;");
  });

  it("asks clients with requests that settle with their replies", () => {
    const reply: Reply = { messages: ["pong", "busy"], request: ["meta", "id"], reply: ["id"], id: "uuid" };
    const text = emit(
      model("Rpc", [
        endpoint("rpc", {
          serverToClient: direction([message("ping", { reply })]),
          clientToServer: direction([message("pong", { replyOnly: true }), message("busy", { replyOnly: true })]),
        }),
      ]),
    );
    expect(declaration(text, "RpcRequest")).toContain(
      'ping(payload: Optional<Ping, "type">, options?: RequestOptions): Promise<Pong | Busy>;',
    );
    expect(declaration(text, "RpcConnection")).toContain("readonly request: RpcRequest;");
    expect(declaration(text, "RpcSend")).toBe("export interface RpcSend {}");
  });

  it("has no messages to handle where none arrive", () => {
    const text = emit(model("Feed", [endpoint("feed", { serverToClient: direction([message("tick")]) })]));
    expect(text).not.toContain("FeedMessages");
    expect(declaration(text, "FeedHandler")).not.toContain("messages");
  });

  it("returns the reply to a client's request, one of several where there are several", () => {
    const reply: Reply = { messages: ["pong", "busy"], request: ["id"], reply: ["id"], id: "uuid" };
    const text = emit(
      model("Rpc", [
        endpoint("rpc", {
          clientToServer: direction([message("ping", { reply, docs: { description: "Are you there?" } })]),
          serverToClient: direction([message("pong", { replyOnly: true }), message("busy", { constants: {} })]),
        }),
      ]),
    );
    expect(declaration(text, "RpcMessages")).toBe(`export interface RpcMessages<Context = object> {
  /** Are you there? Return one of the replies with its \`type\`, which tells them apart; its \`id\` is filled in. */
  readonly ping: (
    payload: Ping,
    conn: RpcConnection<Context>,
  ) => Awaitable<Optional<Pong, "id"> | Optional<Busy, "id">>;
}`);
    expect(declaration(text, "RpcSend")).toContain("busy(payload: Busy): Sent;");
    expect(declaration(text, "RpcSend")).not.toContain("pong");
  });

  it("leaves out the constants of a reply where there is one kind of it", () => {
    const reply: Reply = { messages: ["pong"], request: ["id"], reply: ["id"], id: "uuid" };
    const pong = message("pong", { replyOnly: true });
    const text = emit(
      model("Rpc", [endpoint("rpc", { clientToServer: direction([message("ping", { reply })]), serverToClient: direction([pong]) })]),
    );
    expect(declaration(text, "RpcMessages")).toContain('Awaitable<Optional<Pong, "type" | "id">>');
  });

  it("lets the holder of an id be left out where it need hold nothing else", () => {
    const reply: Reply = { messages: ["pong"], request: ["meta", "id"], reply: ["head", "of", "id"], id: "uuid" };
    const rpc = endpoint("rpc", {
      clientToServer: direction([message("pong", { replyOnly: true })]),
      serverToClient: direction([message("ping", { reply })]),
    });
    const object = (required: readonly string[], properties: object) => ({ type: "object", required, properties });
    const text = (required: readonly string[]) => {
      const ping = object(["type", "meta"], { type: { const: "ping" }, meta: { $ref: "#/definitions/Meta" } });
      const meta = object(required, { id: { type: "string" }, trace: { type: "string" } });
      const types = Object.entries({ Ping: ping, Meta: meta }).map(([name, schema]) => ({
        name,
        docs: {},
        schema,
        guard: true,
        pointer: "#",
      }));
      return declaration(emit(model("Rpc", [rpc], { types: types as never })), "RpcRequest");
    };
    expect(text(["id"])).toContain('ping(payload?: Optional<Ping, "type" | "meta">');
    expect(text(["id", "trace"])).toContain('ping(payload: Optional<Ping, "type">');
  });

  it("wants the id of a request from the caller where none can be made up", () => {
    const reply: Reply = { messages: ["pong"], request: ["id"], reply: ["id"], id: "string", given: true };
    const rpc = endpoint("rpc", {
      serverToClient: direction([message("ping", { reply })]),
      clientToServer: direction([message("pong", { replyOnly: true })]),
    });
    const text = (required: readonly string[]) => {
      const schema = { type: "object", required, properties: { type: { const: "ping" }, id: { type: "string" } } };
      return emit(model("Rpc", [rpc], { types: [{ name: "Ping", docs: {}, schema, guard: true, pointer: "#" }] }));
    };
    expect(declaration(text(["type", "id"]), "RpcRequest")).toContain('ping(payload: Optional<Ping, "type">, options?: RequestOptions)');
    expect(declaration(text(["type"]), "RpcRequest")).toContain(
      'ping(payload: Optional<Ping, "type"> & Required<Pick<Ping, "id">>, options?',
    );
  });

  it("has a union of what arrives for whoever reads it himself, who also sends the replies that methods would return", () => {
    const reply: Reply = { messages: ["pong", "busy"], request: ["id"], reply: ["id"], id: "uuid" };
    const text = emit(
      model("Rpc", [
        endpoint("rpc", {
          clientToServer: direction([message("ping", { reply }), message("audio", { format: "binary" })]),
          serverToClient: direction([message("pong", { replyOnly: true, docs: { summary: "Here." } }), message("busy")]),
        }),
      ]),
    );
    expect(text).toContain(`export type RpcReceived =
  | { readonly name: "ping"; readonly payload: Ping }
  | { readonly name: "audio"; readonly payload: Uint8Array };
`);
    expect(text).toContain(`export interface RpcReader<Context = object> extends Omit<RpcConnection<Context>, "send"> {
  readonly send: RpcSend & {
    /** Here. */
    pong(payload: Optional<Pong, "type">): Sent;
  };
  /** Every valid message in order; ends when the connection closes. One reader at a time. */
  messages(): AsyncIterable<RpcReceived>;
}
`);
    expect(declaration(text, "RpcHandlers")).toContain(
      "readonly rpc: RpcHandler<Context> | ((conn: RpcReader<Context>) => Promise<void>);",
    );
  });

  it("lets a function read nothing where nothing arrives", () => {
    const text = emit(model("Feed", [endpoint("feed", { serverToClient: direction([message("tick")]) })]));
    expect(text).toContain("export type FeedReceived = never;");
    expect(declaration(text, "FeedReader")).toContain("interface FeedReader<Context = object> extends FeedConnection<Context> {");
  });

  it("delivers messages that cannot be told apart under one name", () => {
    const union = { name: "aOrB", method: "aOrB", docs: {}, type: "AOrB", format: "json", messages: ["a", "b"], pointer: "#" } as const;
    const text = emit(model("U", [endpoint("u", { clientToServer: direction([message("a"), message("b")], { deliveries: [union] }) })]));
    expect(declaration(text, "UMessages")).toContain("readonly aOrB: (payload: AOrB, conn: UConnection<Context>) => Awaitable<void>;");
  });

  it("keeps its own names where the document has types of the same", () => {
    const names = ["Sent", "Chat", "RoomSend", "ChatHandlers", "Router", "Context"];
    const messages = names.map((type) => message(type.charAt(0).toLowerCase() + type.slice(1), { type, constants: {} }));
    const text = emit(model("Chat", [endpoint("room", { serverToClient: direction(messages), clientToServer: direction(messages) })]));
    expect(text).toContain("  type Router as WsgenRouter,");
    expect(text).toContain("  type Sent as WsgenSent,");
    expect(text).toContain("  Chat as ChatType,\n  ChatHandlers as ChatHandlersType,");
    expect(text).toContain("sent(payload: Sent): WsgenSent;");
    expect(text).toContain("readonly context: (payload: ContextType, conn: RoomConnection<Context>) => Awaitable<void>;");
  });

  it("tells the API's interfaces from an endpoint's of the same name", () => {
    const text = emit(model("RoomSend", [endpoint("room")]));
    expect(text.match(/^export interface RoomSend\b/gm)).toHaveLength(1);
    expect(text).toContain("export interface RoomSendApi {");
  });

  it("groups what it sends, asks and handles by the topics of a shared socket", () => {
    const reply: Reply = { messages: ["ticker.pong"], request: ["id"], reply: ["id"], id: "uuid" };
    const text = emit(
      model("Market", [
        endpoint("ws", {
          topics: [topic("ws", "ticker", { docs: { description: "Trades." } }), topic("ws", "book", { address: "book:{pair}" })],
          serverToClient: direction([message("refused"), topicMessage("ticker", "trade"), topicMessage("ticker", "ping", { reply })]),
          clientToServer: direction([topicMessage("ticker", "pong", { replyOnly: true }), topicMessage("book", "subscribe")]),
        }),
      ]),
    );
    expect(declaration(text, "WsSend")).toBe(`export interface WsSend {
  refused(payload: Optional<Refused, "type">): Sent;
  /** Trades. */
  readonly ticker: WsTickerSend;
}`);
    expect(declaration(text, "WsTickerSend")).toContain('trade(payload: Optional<Trade, "type">): Sent;');
    expect(declaration(text, "WsRequest")).toContain("readonly ticker: WsTickerRequest;");
    expect(declaration(text, "WsTickerRequest")).toContain(
      'ping(payload: Optional<Ping, "type" | "id">, options?: RequestOptions): Promise<Pong>;',
    );
    expect(text).toContain("/** What to do with each message that arrives on the topic `book:{pair}` of `/ws`. */");
    expect(declaration(text, "WsHandler")).toContain("readonly book: WsBookMessages<Context>;");
    expect(declaration(text, "WsHandler")).not.toContain("messages:");
    expect(declaration(text, "WsHandler")).not.toContain("ticker");
    expect(text).toContain('export type WsReceived = { readonly name: "book.subscribe"; readonly payload: Subscribe };');
  });

  it("lets who reads the messages himself send a topic's replies", () => {
    const reply: Reply = { messages: ["ticker.pong"], request: ["id"], reply: ["id"], id: "uuid" };
    const text = emit(
      model("Market", [
        endpoint("ws", {
          topics: [topic("ws", "ticker")],
          clientToServer: direction([topicMessage("ticker", "ping", { reply })]),
          serverToClient: direction([topicMessage("ticker", "pong", { replyOnly: true })]),
        }),
      ]),
    );
    expect(declaration(text, "WsReader")).toContain(`readonly send: WsSend & {
    readonly ticker: {
      pong(payload: Optional<Pong, "type">): Sent;
    };
  };`);
    expect(declaration(text, "WsTickerMessages")).toContain('Awaitable<Optional<Pong, "type" | "id">>');
  });
});
