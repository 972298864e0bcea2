// Servers of the quiz whose clients can be told to enter and leave rooms, for the tests of rooms.
import { once } from "node:events";
import { createRouter, type RouterOptions } from "@wsgen/runtime";
import { type EndpointHandle, register } from "@wsgen/runtime/generated/server";
import { type TestServer, type TestWebSocket, testServer } from "@wsgen/runtime/testing";
import { onTestFinished } from "vitest";
import { contract, type QuizConnection, type QuizSend } from "./quiz.ts";

/** Something to do on the server's side of a connection. */
export type Order = (conn: QuizConnection) => unknown;

export interface QuizServer {
  readonly quiz: EndpointHandle<QuizSend>;
  readonly server: TestServer;
  /** The server's connections that are open, oldest first. */
  readonly connections: readonly QuizConnection[];
  /** Connects a client, whose connection first does what is ordered. */
  join(order?: Order): Promise<Client>;
}

export interface Client {
  /** The server's end. */
  readonly conn: QuizConnection;
  readonly socket: TestWebSocket;
  /** What came, oldest first. */
  readonly texts: string[];
  /** Waits until a text has come. */
  heard(text: string): Promise<void>;
  /** Leaves, and waits until the server knows. */
  leave(): Promise<void>;
}

/** Serves the quiz until the test is over. */
export async function serveQuiz(tcp: boolean, options: RouterOptions = {}): Promise<QuizServer> {
  const router = createRouter(options);
  const connections: QuizConnection[] = [];
  const gone = new WeakSet<QuizConnection>();
  let order: Order = () => {};
  const { quiz } = register<{ quiz: EndpointHandle<QuizSend> }>(router, contract, {
    quiz: {
      open(conn: QuizConnection) {
        connections.push(conn);
        order(conn);
      },
      close(conn: QuizConnection) {
        connections.splice(connections.indexOf(conn), 1);
        gone.add(conn);
      },
      messages: {
        ask: ({ text }: { text: string }, conn: QuizConnection) => void conn.to(text).send.asked({ text }),
        list: () => ({}),
        blob() {},
      },
    },
    strict: { messages: { ask() {} } },
  });
  const server = await testServer(router, { tcp, drain: { timeout: 500 } });
  onTestFinished(() => server.close());
  return {
    quiz,
    server,
    connections,
    async join(given = () => {}) {
      order = given;
      const socket = new server.WebSocket(`${server.url}/quiz/7?username=ada`);
      const texts: string[] = [];
      socket.on("message", (data) => void texts.push((JSON.parse(String(data)) as { text?: string }).text ?? String(data)));
      socket.on("error", () => {});
      await once(socket, "open");
      const conn = connections.at(-1);
      if (conn === undefined) throw new Error("The server has not opened the connection.");
      return {
        conn,
        socket,
        texts,
        heard: (text) => until(() => texts.includes(text), `"${text}" arrives`),
        async leave() {
          socket.terminate();
          await until(() => gone.has(conn), "the server knows that the client left");
        },
      };
    },
  };
}

/** Waits until something is true; fails after two seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 2000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within two seconds: ${what}`);
    await new Promise(setImmediate);
  }
}
