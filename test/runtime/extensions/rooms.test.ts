import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { createRouter } from "@wsgen/runtime";
import { type EndpointHandle, register } from "@wsgen/runtime/generated/server";
import { testServer } from "@wsgen/runtime/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ClientOptions, WebSocket } from "ws";
import { contract, type QuizConnection, type QuizSend } from "../contract-server/quiz.ts";

interface Quiz {
  readonly quiz: EndpointHandle<QuizSend>;
}

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a room of a contract %s", (_where, tcp) => {
  test("reaches members with other parameters, and with none, in the order of everything that is sent", async () => {
    const router = createRouter({ deflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, minSize: 100 } });
    const api = register<Quiz>(router, contract, {
      quiz: {
        open: (conn: QuizConnection) => conn.join("all"),
        messages: {
          ask: ({ text }: { text: string }, conn: QuizConnection) => {
            void conn.send.asked({ text: `${text}: to you` });
            void conn.to("all").send.asked({ text: `${text}: to all ${"a ".repeat(200)}` });
            void conn.send.asked({ text: `${text}: to you again ${"b ".repeat(200)}` });
          },
          list: () => ({}),
          blob() {},
        },
      },
      strict: { messages: { ask() {} } },
    });
    const server = await testServer(router, { tcp, drain: { timeout: 100 } });
    onTestFinished(() => server.close());

    const parameters: ClientOptions["perMessageDeflate"][] = [
      false,
      {},
      { serverNoContextTakeover: true },
      { serverNoContextTakeover: true },
      { serverNoContextTakeover: true, serverMaxWindowBits: 9 },
      { serverMaxWindowBits: 10, clientMaxWindowBits: 10, clientNoContextTakeover: true },
    ];
    const members = await Promise.all(parameters.map((perMessageDeflate) => dial(server, perMessageDeflate)));
    for (let round = 0; round < 20; round++) {
      for (const [index, { socket }] of members.entries())
        socket.send(JSON.stringify({ type: "ask", text: `${index}.${round} ${"c ".repeat(80)}` }));
    }
    api.quiz.to("all").send.asked({ text: `end ${"d ".repeat(100)}` });
    const all = 1 + 20 * (members.length + 2); // `ws` inflates later, one by one.
    await until(() => members.every(({ texts }) => texts.length === all));

    const toAll = ({ texts }: Member): readonly string[] => texts.filter((text) => /: to all|^end/.test(text));
    for (const [index, member] of members.entries()) {
      expect(toAll(member)).toEqual(toAll(members[0] ?? member));
      const own = member.texts.filter((text) => text.startsWith(`${index}.`)).map((text) => text.replace(/ (?:[abc] )+/g, " ").trim());
      expect(own).toEqual(
        Array.from({ length: 20 }, (_, round) =>
          [": to you", ": to all", ": to you again"].map((what) => `${index}.${round} ${what}`),
        ).flat(),
      );
    }
  });
});

interface Member {
  readonly socket: WebSocket;
  readonly texts: string[];
}

async function dial(
  server: Awaited<ReturnType<typeof testServer>>,
  perMessageDeflate: ClientOptions["perMessageDeflate"],
): Promise<Member> {
  const socket = new (server.WebSocket as unknown as typeof WebSocket)(
    `${server.url}/quiz/7?username=ada`,
    [],
    perMessageDeflate === undefined ? {} : { perMessageDeflate },
  );
  const texts: string[] = [];
  socket.on("message", (data: Buffer) => void texts.push((JSON.parse(data.toString()) as { text: string }).text));
  await once(socket, "open");
  return { socket, texts };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}
