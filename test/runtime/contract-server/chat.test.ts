// The generated chat with a function as its handler, and the generated client at the other end.
import { createRouter } from "@wsgen/runtime";
import { testServer } from "@wsgen/runtime/testing";
import { describe, expect, it } from "vitest";
import { createChatClient } from "../../../generated/chat/client.js";
import { type RoomReceived, registerChat } from "../../../generated/chat/server.js";

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("the generated chat %s", (_where, tcp) => {
  it("takes a function that reads its messages, answers requests among them and reaches its room", async () => {
    const seen: RoomReceived["name"][] = [];
    const router = createRouter().use(async (_request, next) => next({ greeting: "Welcome" }));
    const chat = registerChat(router, {
      async room(conn) {
        conn.join(conn.params.roomId);
        conn.send.memberJoined({ name: `${conn.context.greeting} ${conn.query.username}` });
        for await (const message of conn.messages()) {
          seen.push(message.name);
          if (message.name === "history") conn.send.historyPage({ requestId: message.payload.requestId, posts: [] });
          else if (message.payload.text === "bye") return;
          else conn.to(conn.params.roomId).send.memberLeft({ name: message.payload.text });
        }
      },
    });
    await using server = await testServer(router, { tcp });
    const client = createChatClient(server.url, { WebSocket: server.WebSocket });
    const room = await client.room({ roomId: "lobby" }, { query: { username: "Ada" } });
    const names: string[] = [];
    room.on.memberJoined(({ name }) => void names.push(name));
    room.on.memberLeft(({ name }) => void names.push(name));
    await room.send.postMessage({ text: "Bob" });
    expect(await room.request.history({})).toMatchObject({ posts: [] });
    chat.room.to("lobby").send.memberLeft({ name: "Carla" });
    await room.send.postMessage({ text: "bye" });
    expect(await room.closed).toMatchObject({ code: 1000 });
    expect(names).toEqual(["Welcome Ada", "Bob", "Carla"]);
    expect(seen).toEqual(["postMessage", "history", "postMessage"]);
  });
});
