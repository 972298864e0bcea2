import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { createRouter, serve } from "@wsgen/runtime";
import { type EndpointHandle, register } from "@wsgen/runtime/generated/server";
import { expect, onTestFinished, test } from "vitest";
import { countWrites } from "../connection/count-writes.ts";
import { textFrame } from "../raw-client.ts";
import { handshakeText, open } from "../upgrade/raw-client.ts";
import { contract, type QuizConnection, type QuizSend } from "./quiz.ts";

test("what handlers, rooms, replies and async handlers send in one turn leaves in one write, in the order in which it was said", async () => {
  const router = createRouter();
  const { quiz } = register<{ quiz: EndpointHandle<QuizSend> }>(router, contract, {
    quiz: {
      open: (conn: QuizConnection) => conn.join("a"),
      messages: {
        async ask(_payload: unknown, conn: QuizConnection) {
          conn.send.asked({ text: "direct" });
          conn.to("a").send.asked({ text: "to the room" });
          conn.send.asked({ text: "direct again" });
          await undefined;
          quiz.to("a").send.asked({ text: "to the room from anywhere" });
          await conn.send.asked({ text: "awaited" });
        },
        list: () => ({ items: ["reply"] }),
        blob() {},
      },
    },
    strict: { messages: { ask() {} } },
  });
  const http = createServer();
  const sockets: Socket[] = [];
  http.on("connection", (socket: Socket) => sockets.push(socket));
  const server = await serve(router, { server: http, host: "127.0.0.1", signals: [], drain: { timeout: 100 } });
  onTestFinished(() => server.close());

  const client = await open(server.port);
  onTestFinished(() => void client.destroy());
  let text = "";
  client.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  client.write(handshakeText("/quiz/1?username=ada"));
  while (!text.endsWith("\r\n\r\n")) await once(client, "data");
  text = "";
  const writes = sockets.map(countWrites);
  client.write(Buffer.concat([textFrame('{"type":"ask","text":"go"}'), textFrame('{"type":"list","id":"1"}')]));
  while (!text.includes("reply")) await once(client, "data");

  expect(text.match(/direct again|direct|to the room from anywhere|to the room|awaited|reply/g)).toEqual([
    "direct",
    "to the room",
    "direct again",
    "to the room from anywhere",
    "awaited",
    "reply",
  ]);
  expect(writes.map(({ count }) => count)).toEqual([1]);
});
