// What must compile, and what must not. Checked by `tsc -p test`: an unused @ts-expect-error is an error too.
import { createRouter, type Router } from "@wsgen/runtime";
import type { Static } from "typebox";
import { expectTypeOf } from "vitest";
import { createChatClient, type RoomEvent, servers } from "../../generated/chat/client.js";
import type * as schemas from "../../generated/chat/schemas.js";
import { type RoomHandler, type RoomReader, type RoomReceived, registerChat } from "../../generated/chat/server.js";
import type * as types from "../../generated/chat/types.js";

const history: RoomHandler["messages"]["history"] = () => ({ posts: [] });

// A missing handler does not compile.
// @ts-expect-error: Property 'postMessage' is missing
export const incomplete: RoomHandler = { messages: { history } };

// A handler for a message the document does not have does not compile.
export const surplus: RoomHandler = {
  // @ts-expect-error: 'whisper' does not exist
  messages: { history, postMessage() {}, whisper() {} },
};

// A wrong payload does not compile; constants need not be repeated, and a wrong one does not compile.
export const sending: RoomHandler = {
  messages: {
    history,
    postMessage(payload, conn) {
      expectTypeOf(payload).toEqualTypeOf<types.PostMessage>();
      expectTypeOf(conn.params.roomId).toBeString();
      expectTypeOf(conn.query.username).toBeString();
      conn.send.memberJoined({ name: "ada" });
      conn.send.memberJoined({ type: "memberJoined", name: "ada" });
      // @ts-expect-error: 'name' is a string
      conn.send.memberJoined({ name: 1 });
      // @ts-expect-error: 'name' is missing
      conn.send.memberJoined({});
      // @ts-expect-error: the constant is "memberJoined"
      conn.send.memberJoined({ type: "memberLeft", name: "ada" });
      // @ts-expect-error: the document has no such property
      conn.send.memberJoined({ name: "ada", age: 36 });
      // @ts-expect-error: a client sends this one
      conn.send.postMessage({ text: "" });
      // @ts-expect-error: only ever a reply
      conn.send.historyPage({ posts: [] });
    },
  },
};

// A request is answered by its reply, whose correlation id need not be repeated.
export const answering: RoomHandler = {
  messages: {
    postMessage() {},
    // @ts-expect-error: 'posts' is missing
    history: () => ({}),
  },
};

// A router without the middleware that the handlers rely on does not compile.
interface User {
  readonly name: string;
}
const greeting: RoomHandler<{ user: User }> = {
  open(conn) {
    expectTypeOf(conn.context.user.name).toBeString();
  },
  messages: { history, postMessage() {} },
};
const plain = createRouter();
const authenticated = plain.use(async (_request, next) => next({ user: { name: "ada" } }));
expectTypeOf(authenticated).toExtend<Router<{ user: User }>>();
export const registered = registerChat(authenticated, { room: greeting });
// @ts-expect-error: Property 'user' is missing
export const unregistered = registerChat(plain, { room: greeting });
registered.room.to("lobby").send.memberLeft({ name: "ada" });

// Rooms say what the document lets the server say, to whomever and however.
export const inRooms: RoomHandler = {
  open(conn) {
    conn.join("lobby", { as: "ada" });
    // @ts-expect-error: somebody is a string
    conn.join("lobby", { as: 1 });
    for (const to of [conn.to("lobby"), conn.to("lobby").except(conn), conn.to("lobby").local, registered.room.to("lobby")]) {
      expectTypeOf(to.volatile).toEqualTypeOf(to);
      expectTypeOf(to.conflate("a key").except(conn).volatile.local).toEqualTypeOf(to);
      to.conflate().send.memberJoined({ name: "ada" });
      // @ts-expect-error: 'name' is a string
      to.volatile.send.memberJoined({ name: 1 });
      // @ts-expect-error: a client sends this one
      to.send.postMessage({ text: "" });
      // @ts-expect-error: only ever a reply
      to.local.send.historyPage({ posts: [] });
    }
    conn.volatile.send.memberJoined({ name: "ada" });
    conn.conflate("a key").send.memberJoined({ name: "ada" });
    // @ts-expect-error: one connection is no room
    conn.volatile.except(conn);
    expectTypeOf(conn.presence("lobby").members).toEqualTypeOf<ReadonlyMap<string, number>>();
  },
  messages: { history, postMessage() {} },
};
export async function watch(): Promise<void> {
  for await (const change of registered.room.presence("lobby")) {
    expectTypeOf(change.joins).toEqualTypeOf<readonly string[]>();
    expectTypeOf(change.leaves).toEqualTypeOf<readonly string[]>();
  }
}

// A function that reads its messages itself, typed by where it stands or by its own annotation.
export const read = registerChat(authenticated, {
  async room(conn) {
    expectTypeOf(conn.context.user.name).toBeString();
    expectTypeOf(conn.params.roomId).toBeString();
    conn.send.memberJoined({ name: conn.query.username });
    for await (const message of conn.messages()) {
      expectTypeOf(message).toEqualTypeOf<RoomReceived>();
      if (message.name === "history") conn.send.historyPage({ requestId: message.payload.requestId, posts: [] });
      else expectTypeOf(message.payload).toEqualTypeOf<types.PostMessage>();
      // @ts-expect-error: the id of the request is missing
      conn.send.historyPage({ posts: [] });
    }
  },
});
const reader = async (conn: RoomReader<{ user: User }>): Promise<void> => void (await conn.closed);
registerChat(authenticated, { room: reader });
// @ts-expect-error: Property 'user' is missing
registerChat(plain, { room: reader });
// @ts-expect-error: what begins when it returns has no connection any more
registerChat(authenticated, { room: (conn) => void conn.messages() });
// @ts-expect-error: handlers get messages, they do not read them
registerChat(authenticated, { room: { messages: { history, postMessage: (_payload, conn) => void conn.messages() } } });

// The client is the mirror image.
export async function talk(): Promise<void> {
  const chat = createChatClient(servers.local({ port: "4000" }));
  // @ts-expect-error: the query is required
  await chat.room({ roomId: "lobby" });
  // @ts-expect-error: the room is required
  await chat.room({}, { query: { username: "ada" } });
  const room = await chat.room({ roomId: "lobby" }, { query: { username: "ada" } });
  room.send.postMessage({ text: "Good morning!" });
  // @ts-expect-error: 'text' is a string
  room.send.postMessage({ text: 1 });
  // @ts-expect-error: the server sends this one
  room.send.messagePosted({});
  expectTypeOf(await room.request.history({ limit: 3 })).toEqualTypeOf<types.HistoryPage>();
  room.on.messagePosted((payload) => expectTypeOf(payload).toEqualTypeOf<types.MessagePosted>());
  for await (const event of room) {
    expectTypeOf(event).toEqualTypeOf<RoomEvent>();
    if (event.name === "memberJoined") expectTypeOf(event.payload.name).toBeString();
  }
  // @ts-expect-error: there is no such server
  servers.production();
}

// Interfaces and TypeBox values say the same.
expectTypeOf<Static<typeof schemas.Post>>().toEqualTypeOf<types.Post>();
expectTypeOf<Static<typeof schemas.PostMessage>>().toEqualTypeOf<types.PostMessage>();
expectTypeOf<Static<typeof schemas.HistoryRequest>>().toEqualTypeOf<types.HistoryRequest>();
expectTypeOf<Static<typeof schemas.HistoryPage>>().toEqualTypeOf<types.HistoryPage>();
expectTypeOf<Static<typeof schemas.MessagePosted>>().toEqualTypeOf<types.MessagePosted>();
expectTypeOf<Static<typeof schemas.MemberJoined>>().toEqualTypeOf<types.MemberJoined>();
expectTypeOf<Static<typeof schemas.MemberLeft>>().toEqualTypeOf<types.MemberLeft>();
expectTypeOf<Static<typeof schemas.Problem>>().toEqualTypeOf<types.Problem>();
expectTypeOf<Static<typeof schemas.RoomParameters>>().toEqualTypeOf<types.RoomParameters>();
expectTypeOf<Static<typeof schemas.RoomQuery>>().toEqualTypeOf<types.RoomQuery>();

// Filters know what passes them.
export const filtered = registerChat(
  createRouter(),
  { room: { messages: { history, postMessage() {} } } },
  {
    receive(message, _conn, next) {
      if (message.name === "postMessage") expectTypeOf(message.payload.text).toEqualTypeOf<string>();
      // @ts-expect-error: the server sends this one
      return message.name === "messagePosted" ? undefined : next();
    },
    send(message) {
      if (message.name === "historyPage") expectTypeOf(message.payload.type).toEqualTypeOf<"historyPage" | undefined>();
      return message.payload;
    },
  },
);

// One filter for several documents is as general as it was.
const general = ({ payload }: { readonly name: string; readonly payload: unknown }): unknown => payload;
export const filteredAlike = registerChat(createRouter(), { room: { messages: { history, postMessage() {} } } }, { send: general });
