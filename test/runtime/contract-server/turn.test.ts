import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { createRouter, type RunningServer, serve } from "@wsgen/runtime";
import { type EndpointHandle, register } from "@wsgen/runtime/generated/server";
import { expect, onTestFinished, test } from "vitest";
import { countWrites } from "../connection/count-writes.ts";
import { textFrame } from "../raw-client.ts";
import { handshakeText, open } from "../upgrade/raw-client.ts";
import { contract, type QuizConnection, type QuizSend } from "./quiz.ts";

/** A client of the quiz, behind its handshake. `hear` gives all that has come since, once it holds something. */
async function visit({ port }: RunningServer) {
  const client = await open(port);
  onTestFinished(() => void client.destroy());
  let text = "";
  client.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  const hear = async (part: string): Promise<string> => {
    while (!text.includes(part)) await once(client, "data");
    return text;
  };
  client.write(handshakeText("/quiz/1?username=ada"));
  await hear("\r\n\r\n");
  text = "";
  return { client, hear };
}

test.each([
  ["", () => {}],
  ["async ", async () => {}],
])("what queued behind a request that is answered goes to its %shandlers over several turns of the event loop", async (_what, settle) => {
  let handled = 0;
  let inTurn = 0;
  let most = 0;
  const router = createRouter();
  register(router, contract, {
    quiz: {
      messages: {
        ask({ text }: { text: string }, conn: QuizConnection) {
          if (text === "first") return conn.request.confirm({ text: "sure?" }).then(() => {});
          for (const end = performance.now() + 1; performance.now() < end; );
          handled++;
          most = Math.max(most, ++inTurn);
          return settle();
        },
        list: () => ({}),
        blob() {},
      },
    },
    strict: { messages: { ask() {} } },
  });
  const server = await serve(router, { host: "127.0.0.1", signals: [], drain: { timeout: 100 } });
  onTestFinished(() => server.close());
  const turn = (): void => {
    inTurn = 0;
    turns = setImmediate(turn);
  };
  let turns = setImmediate(turn);
  onTestFinished(() => clearImmediate(turns));

  const { client, hear } = await visit(server);
  client.write(textFrame('{"type":"ask","text":"first"}'));
  const id = /"id":"([^"]+)"/.exec(await hear("sure?"))?.[1];
  client.write(Buffer.concat(Array.from({ length: 200 }, () => textFrame('{"type":"ask","text":"next"}'))));
  client.write(textFrame(JSON.stringify({ type: "confirmed", id, yes: "yes" })));
  await expect.poll(() => handled).toBe(200);
  expect(most).toBeLessThan(60); // 16 that may wait at any time, and 4 ms' worth.
});

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

  const { client, hear } = await visit(server);
  const writes = sockets.map(countWrites);
  client.write(Buffer.concat([textFrame('{"type":"ask","text":"go"}'), textFrame('{"type":"list","id":"1"}')]));

  expect((await hear("reply")).match(/direct again|direct|to the room from anywhere|to the room|awaited|reply/g)).toEqual([
    "direct",
    "to the room",
    "direct again",
    "to the room from anywhere",
    "awaited",
    "reply",
  ]);
  expect(writes.map(({ count }) => count)).toEqual([1]);
});
