import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { ContractError, createRouter, type Router, serve } from "@wsgen/runtime";
import { type Awaitable, type CloseOutcome, type EndpointHandle, type RegisterOptions, register } from "@wsgen/runtime/generated/server";
import { type TestServer, testServer } from "@wsgen/runtime/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { handshakeText, knock } from "../upgrade/raw-client.ts";
import { contract, type QuizConnection, type QuizSend } from "./quiz.ts";

interface Handlers {
  open?(conn: QuizConnection): Awaitable<void>;
  ask?(payload: { text: string }, conn: QuizConnection): Awaitable<void>;
  list?(payload: { id: string }, conn: QuizConnection): Awaitable<unknown>;
  blob?(payload: Uint8Array, conn: QuizConnection): Awaitable<void>;
  close?(conn: QuizConnection, outcome: CloseOutcome): Awaitable<void>;
}

interface Quiz {
  readonly quiz: EndpointHandle<QuizSend>;
}

function registerQuiz(router: Router, { open, close, ...messages }: Handlers = {}, options: RegisterOptions = {}): Quiz {
  const all = { ask() {}, list: () => ({}), blob() {}, ...messages };
  return register<Quiz>(
    router,
    contract,
    { quiz: { ...(open && { open }), ...(close && { close }), messages: all }, strict: { messages: { ask: all.ask } } },
    options,
  );
}

const servers: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("a contract's endpoint %s", (_where, tcp) => {
  async function start(handlers: Handlers = {}, options: RegisterOptions = {}, router: Router = createRouter({ onError() {} })) {
    const api = registerQuiz(router, handlers, options);
    const server = await testServer(router, { tcp, drain: { timeout: 500 } });
    servers.push(server);
    return { api, server };
  }

  function dial(server: TestServer, path = "/quiz/7?username=ada", headers: Record<string, string> = {}) {
    const socket = new server.WebSocket(server.url + path, [], { headers });
    const messages: unknown[] = [];
    socket.on("message", (data) => void messages.push(JSON.parse(String(data))));
    socket.on("error", () => {});
    const closed = new Promise<string>((resolve) => socket.on("close", (code, reason) => resolve(`${code} ${String(reason)}`.trim())));
    return {
      socket,
      messages,
      closed,
      opened: once(socket, "open"),
      say: (message: unknown) =>
        socket.send(message instanceof Uint8Array || typeof message === "string" ? message : JSON.stringify(message)),
      async next(): Promise<unknown> {
        while (messages.length === 0) await once(socket, "message");
        return messages.shift();
      },
    };
  }

  it("hands typed path parameters, query and headers to its handlers", async () => {
    const seen: unknown[] = [];
    const { server } = await start({ open: ({ params, query, headers }) => void seen.push(params, query, headers["x-a"]) });
    await dial(server, "/quiz/7?username=ada&tag=a&tag=b", { "X-A": "1" }).opened;
    expect(seen).toEqual([{ quizId: 7 }, { username: "ada", tag: ["a", "b"] }, "1"]);
  });

  it("delivers each message to its own handler, in order, behind an open that takes a while", async () => {
    const seen: unknown[] = [];
    const { server } = await start({
      async open() {
        await pause(30);
        seen.push("open");
      },
      async ask({ text }) {
        if (text === "1") await pause(10);
        seen.push(text);
      },
      blob: (bytes) => void seen.push([...bytes]),
    });
    const client = dial(server);
    await client.opened;
    for (const text of ["1", "2"]) client.say({ type: "ask", text });
    client.say(Buffer.from([1, 2, 3]));
    client.say({ type: "ask", text: "3" });
    await vi.waitFor(() => expect(seen).toEqual(["open", "1", "2", [1, 2, 3], "3"]));
  });

  it("answers a request with what its handler returns, constants and correlation id filled in", async () => {
    const { server } = await start({ list: async ({ id }) => ({ items: [id] }) });
    const client = dial(server);
    await client.opened;
    client.say({ type: "list", id: "x" });
    client.say({ type: "list", id: "y" });
    expect([await client.next(), await client.next()]).toEqual([
      { type: "page", id: "x", items: ["x"] },
      { type: "page", id: "y", items: ["y"] },
    ]);
  });

  it("leaves an id out of the error message that the error message does not allow", async () => {
    const { server } = await start();
    const client = dial(server);
    await client.opened;
    client.say({ type: "list", id: 9 });
    expect(await client.next()).toEqual({ type: "problem", code: "invalid_message", detail: "/id must be string" });
    client.say({ type: "list", id: "9", x: 1 });
    expect(await client.next()).toMatchObject({ code: "invalid_message", id: "9" });
  });

  it("answers what the contract does not allow with the contract's error message, stays open, and tells onInvalid", async () => {
    const onInvalid = vi.fn();
    const ask = vi.fn();
    const { server } = await start({ ask }, { onInvalid });
    const client = dial(server);
    await client.opened;
    for (const message of [
      "{",
      { type: "dance" },
      { type: "ask", text: 1 },
      { type: "ask", text: "a", more: 1 },
      { type: "list", id: "9", x: 1 },
    ]) {
      client.say(message);
    }
    const answers = [];
    for (let index = 0; index < 5; index++) answers.push(await client.next());
    expect(answers).toEqual([
      { type: "problem", code: "invalid_json", detail: expect.stringContaining("is not JSON") },
      { type: "problem", code: "unknown_message", detail: expect.stringContaining("/type") },
      { type: "problem", code: "invalid_message", detail: "/text must be string" },
      { type: "problem", code: "invalid_message", detail: expect.stringContaining('"more"') },
      { type: "problem", code: "invalid_message", detail: expect.stringContaining('"x"'), id: "9" },
    ]);
    expect(ask).not.toHaveBeenCalled();
    expect(onInvalid).toHaveBeenCalledTimes(5);
    expect(onInvalid.mock.calls[2]?.[0]).toMatchObject({ direction: "inbound", messageName: "ask", path: "/text" });
    client.say({ type: "ask", text: "still open" });
    await vi.waitFor(() => expect(ask).toHaveBeenCalledOnce());
  });

  it("closes with 1008 after twenty invalid messages in ten seconds", async () => {
    const { server } = await start();
    const client = dial(server);
    await client.opened;
    for (let index = 0; index < 25; index++) client.say("{");
    expect(await client.closed).toBe("1008 invalid message");
    expect(client.messages).toHaveLength(19);
  });

  it.each([
    ["bytes where text is spoken", Buffer.from([1]), "1003 unsupported data type"],
    ["text that is not JSON", "{", "1007 invalid payload"],
    ["an unknown message", { type: "dance" }, "1008 unknown message"],
    ["an invalid message", { type: "ask", text: 1 }, "1008 invalid message"],
    ["JSON nested too deep", `{"type":"ask","text":${"[".repeat(100)}${"]".repeat(100)}}`, "1008 invalid message"],
  ])("closes on %s where the contract has no error message", async (_what, message, close) => {
    const { server } = await start();
    const client = dial(server, "/strict");
    await client.opened;
    client.say(message);
    expect(await client.closed).toBe(close);
  });

  it("survives a handler that throws: the client is told that much, onError everything", async () => {
    const onError = vi.fn();
    const { server } = await start(
      {
        ask({ text }) {
          throw new Error(`secret ${text}`);
        },
        list: () => Promise.reject(new Error("secret list")),
      },
      { onError },
    );
    const client = dial(server);
    await client.opened;
    client.say({ type: "ask", text: "a" });
    client.say({ type: "list", id: "4" });
    expect(await client.next()).toEqual({ type: "problem", code: "internal_error", detail: "The message could not be handled." });
    expect(await client.next()).toEqual({ type: "problem", code: "internal_error", detail: "The message could not be handled.", id: "4" });
    expect(onError.mock.calls.map(([error]) => String(error))).toEqual(["Error: secret a", "Error: secret list"]);
    const strict = dial(server, "/strict");
    await strict.opened;
    strict.say({ type: "ask", text: "b" });
    expect(await strict.closed).toBe("1011");
  });

  it("closes with 1011 when open throws, and calls close all the same", async () => {
    const onError = vi.fn();
    const close = vi.fn();
    const { server } = await start({ open: () => Promise.reject(new Error("secret")), close }, {}, createRouter({ onError }));
    const client = dial(server);
    expect(await client.closed).toBe("1011");
    expect(onError).toHaveBeenCalledExactlyOnceWith(new Error("secret"), expect.objectContaining({ request: expect.anything() }));
    await vi.waitFor(() => expect(close).toHaveBeenCalledOnce());
  });

  it("never sends what the contract does not allow: send throws, a wrong answer is an error of its handler", async () => {
    const errors: unknown[] = [];
    const { server } = await start(
      {
        ask(_payload, conn) {
          conn.send.asked({ text: 1 as unknown as string });
        },
        list: () => ({ items: 5 }),
      },
      { onError: (error) => void errors.push(error) },
    );
    const client = dial(server);
    await client.opened;
    client.say({ type: "ask", text: "a" });
    client.say({ type: "list", id: "4" });
    expect([await client.next(), await client.next()]).toMatchObject([{ code: "internal_error" }, { code: "internal_error", id: "4" }]);
    expect(errors).toEqual([expect.any(ContractError), expect.any(ContractError)]);
    expect(errors).toMatchObject([
      { direction: "outbound", messageName: "asked", path: "/text" },
      { direction: "outbound", messageName: "page", path: "/items" },
    ]);
  });

  it("reaches the members of a room, the sender included unless excepted, and nobody else", async () => {
    const { api, server } = await start({
      open(conn) {
        conn.join(String(conn.params.quizId));
      },
      ask({ text }, conn) {
        const room = conn.to(String(conn.params.quizId));
        if (text === "leave") conn.leave(String(conn.params.quizId));
        else (text === "others" ? room.except(conn) : room).send.asked({ text });
      },
    });
    const [ada, bob, eve] = [dial(server), dial(server, "/quiz/7?username=bob"), dial(server, "/quiz/8?username=eve")];
    await Promise.all([ada.opened, bob.opened, eve.opened]);
    ada.say({ type: "ask", text: "all" });
    ada.say({ type: "ask", text: "others" });
    await vi.waitFor(() => expect(bob.messages).toHaveLength(2));
    api.quiz.to("7").send.asked({ text: "from anywhere" });
    expect(() => api.quiz.to("7").send.asked({ text: "" })).toThrow(ContractError);
    ada.say({ type: "ask", text: "leave" });
    await vi.waitFor(() => expect(bob.messages).toHaveLength(3));
    bob.say({ type: "ask", text: "last" });
    await vi.waitFor(() => expect(bob.messages).toHaveLength(4));
    const texts = (client: { messages: unknown[] }) => client.messages.map((message) => (message as { text: string }).text);
    expect(texts(bob)).toEqual(["all", "others", "from anywhere", "last"]);
    expect(texts(ada)).toEqual(["all", "from anywhere"]);
    expect(eve.messages).toEqual([]);
  });

  it("takes a client that closes out of its rooms before close is called", async () => {
    const closed: string[] = [];
    const { server } = await start({
      open: (conn) => conn.join("all"),
      close(conn, { code, wasClean }) {
        closed.push(`${conn.query.username} ${code} ${wasClean}`);
        conn.join("all");
        conn.to("all").send.asked({ text: `${conn.query.username} left` });
      },
    });
    const [ada, bob] = [dial(server), dial(server, "/quiz/7?username=bob")];
    await Promise.all([ada.opened, bob.opened]);
    bob.socket.close(4001);
    expect(await ada.next()).toEqual({ type: "asked", text: "bob left" });
    expect(closed).toEqual(["bob 4001 true"]);
  });

  it("asks its client and awaits the answer inside a handler, while other messages wait their turn", async () => {
    const seen: string[] = [];
    const { server } = await start({
      async ask({ text }, conn) {
        const { yes } = await conn.request.confirm({ text });
        seen.push(`${text} ${yes}`);
      },
      blob: () => void seen.push("blob"),
    });
    const client = dial(server);
    await client.opened;
    client.say({ type: "ask", text: "sure?" });
    client.say(Buffer.from([1]));
    const { id } = (await client.next()) as { id: string };
    client.say({ type: "confirmed", id, yes: "yes" });
    await vi.waitFor(() => expect(seen).toEqual(["sure? yes", "blob"]));
    client.say({ type: "confirmed", id: "nobody asked", yes: "yes" });
    client.say({ type: "ask", text: "again?" });
    const { id: second } = (await client.next()) as { id: string };
    client.say({ type: "confirmed", id: second, yes: 1 });
    expect(await client.next()).toMatchObject({ code: "internal_error" });
  });

  it("rejects its open requests when the client leaves", async () => {
    let failure: unknown;
    const onError = vi.fn();
    const { server } = await start(
      {
        async ask({ text }, conn) {
          await conn.request.confirm({ text }).catch((error: unknown) => {
            failure = error;
            throw error;
          });
        },
      },
      { onError },
    );
    const client = dial(server);
    await client.opened;
    client.say({ type: "ask", text: "sure?" });
    await client.next();
    client.socket.terminate();
    await vi.waitFor(() => expect(failure).toMatchObject({ code: "WSGEN_CONNECTION_CLOSED" }));
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(onError).not.toHaveBeenCalled();
  });

  it("rejects its open requests when the client leaves, whatever else it sent before that waits behind them", async () => {
    const seen: string[] = [];
    let failure: unknown;
    const { server } = await start({
      async ask({ text }, conn) {
        seen.push(text);
        if (text !== "sure?") return;
        failure = await conn.request.confirm({ text }, { timeout: 0 }).catch((error: unknown) => error);
        expect(await conn.request.confirm({ text: "too late" }).catch((error: unknown) => error)).toMatchObject({ closeCode: 4000 });
      },
    });
    const client = dial(server);
    await client.opened;
    for (const text of ["sure?", "second", "third"]) client.say({ type: "ask", text });
    await client.next();
    client.socket.close(4000);
    await vi.waitFor(() => expect(failure).toMatchObject({ code: "WSGEN_CONNECTION_CLOSED", closeCode: 4000 }));
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(seen).toEqual(["sure?", "second", "third"]);
  });

  it("lets every handler that runs finish when the server shuts down, the first as well as the last", async () => {
    const done: string[] = [];
    let begun = 0;
    const { server } = await start(
      {
        async ask({ text }, conn) {
          begun++;
          await pause(text === "slow" ? 80 : 10);
          conn.send.asked({ text });
          done.push(text);
        },
        close: () => void done.push("close"),
      },
      {},
      createRouter({ limits: { concurrency: 3 } }),
    );
    const client = dial(server);
    await client.opened;
    for (const text of ["slow", "quick", "quick too"]) client.say({ type: "ask", text });
    await vi.waitFor(() => expect(begun).toBe(3), { interval: 1 });
    await server.close();
    expect(await client.closed).toBe("1012 service restart");
    expect(client.messages).toMatchObject([{ text: "quick" }, { text: "quick too" }, { text: "slow" }]);
    expect(done).toEqual(["quick", "quick too", "slow", "close"]);
  });

  it("calls close when the last of its handlers has ended", async () => {
    const done: string[] = [];
    let begun = 0;
    const { server } = await start(
      {
        async ask({ text }) {
          begun++;
          await pause(text === "slow" ? 60 : 10);
          done.push(text);
        },
        close: () => void done.push("close"),
      },
      {},
      createRouter({ limits: { concurrency: 2 } }),
    );
    const client = dial(server);
    await client.opened;
    for (const text of ["slow", "quick"]) client.say({ type: "ask", text });
    await vi.waitFor(() => expect(begun).toBe(2), { interval: 1 });
    client.socket.close();
    await vi.waitFor(() => expect(done).toEqual(["quick", "slow", "close"]));
  });

  it("has its limits changed once it knows its client", async () => {
    const { server } = await start(
      {
        list(_payload, conn) {
          conn.limits.maxMessageSize = 10_000;
          return { items: [String(conn.dropped)] };
        },
      },
      {},
      createRouter({ limits: { maxMessageSize: 100 } }),
    );
    const client = dial(server);
    await client.opened;
    client.say({ type: "list", id: "x" });
    expect(await client.next()).toMatchObject({ items: ["0"] });
    client.say({ type: "ask", text: "a".repeat(5000) });
    client.say({ type: "list", id: "y" });
    expect(await client.next()).toMatchObject({ id: "y" });
    client.say({ type: "ask", text: "a".repeat(10_000) });
    expect(await client.closed).toBe("1009 message too big");
  });

  it("lets the handler that runs finish and answer when the server shuts down, and begins no other", async () => {
    const seen: string[] = [];
    const { server } = await start({
      async ask({ text }, conn) {
        seen.push(text);
        await pause(50);
        conn.send.asked({ text: `${text} done` });
      },
      async close() {
        await pause(20);
        seen.push("close");
      },
    });
    const client = dial(server);
    await client.opened;
    client.say({ type: "ask", text: "first" });
    client.say({ type: "ask", text: "second" });
    await vi.waitFor(() => expect(seen).toEqual(["first"]));
    await server.close();
    expect(await client.closed).toBe("1012 service restart");
    expect(client.messages).toEqual([{ type: "asked", text: "first done" }]);
    expect(seen).toEqual(["first", "close"]);
  });

  it("gives its handlers the context of the middleware", async () => {
    const router = createRouter().use((request, next) => next({ user: request.query.get("username") }));
    const { server } = await start({ open: (conn) => void conn.send.asked({ text: JSON.stringify(conn.context) }) }, {}, router);
    expect(await dial(server).next()).toEqual({ type: "asked", text: '{"user":"ada"}' });
  });
});

describe("the handshake of a contract's endpoint", () => {
  it.each([
    ["/quiz/7", { in: "query", name: "username", detail: 'The query parameter "username" is missing.' }],
    ["/quiz/7?username=", { in: "query", name: "username", detail: 'The query parameter "username" must be string.' }],
    ["/quiz/7?username=a&username=b", { in: "query", name: "username", detail: 'The query parameter "username" must be string.' }],
    ["/quiz/7?username=a&x=1", { in: "query", name: "x", detail: 'The query parameter "x" is not known.' }],
    ["/quiz/seven?username=a", { in: "path", name: "quizId", detail: 'The path parameter "quizId" must be integer.' }],
  ])("is refused with 400 naming the field for %s, before anything opens", async (path, problem) => {
    const open = vi.fn();
    const router = createRouter();
    registerQuiz(router, { open });
    const server = await serve(router, { host: "127.0.0.1", signals: [] });
    servers.push(server);
    const answer = await knock(server.port, handshakeText(path));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toEqual({ title: "The handshake does not match the contract.", status: 400, ...problem });
    expect(open).not.toHaveBeenCalled();
  });
});

describe("registering a contract", () => {
  it("fails when the runtime cannot read it", () => {
    expect(() => register(createRouter(), { ...contract, version: 2 }, {})).toThrow(
      expect.objectContaining({ code: "WSGEN_CONTRACT_VERSION" }),
    );
  });

  it("fails when a handler is missing, naming it", () => {
    expect(() => register(createRouter(), contract, {})).toThrow(/Quiz, endpoint "quiz" has no handler: add quiz/);
    expect(() => register(createRouter(), contract, { quiz: { messages: { ask() {}, blob() {} } } })).toThrow(
      /no handler for the message "list"/,
    );
  });

  it("fails when a path is taken, naming both", () => {
    const router = createRouter();
    router.ws("/quiz/{id}", async () => {});
    expect(() => registerQuiz(router)).toThrow(/"\/quiz\/\{quizId\}" \(Quiz, endpoint "quiz"\) is taken: "\/quiz\/\{id\}" \(router\.ws\)/);
  });

  it("can be done twice below different prefixes", async () => {
    const router = createRouter();
    registerQuiz(router.group("/v1"), { open: (conn) => void conn.send.asked({ text: "one" }) });
    registerQuiz(router.group("/v2"), { open: (conn) => void conn.send.asked({ text: "two" }) });
    await using server = await testServer(router);
    const socket = new server.WebSocket(`${server.url}/v2/quiz/1?username=a`);
    expect(String((await once(socket, "message"))[0])).toBe('{"type":"asked","text":"two"}');
    socket.close();
  });
});

it("asks a hook once, however many alternatives have its scheme, also when it refuses", async () => {
  const asked: string[] = [];
  const hook = (name: string) => (given: string) => void asked.push(`${name} ${given}`);
  const endpoint = {
    address: "/door",
    security: [["key"], ["key", "pin"]],
    receives: { dispatch: {}, messages: {} },
    sends: {},
  };
  const schemes = { key: { carries: "key", in: "query", name: "key" }, pin: { carries: "key", in: "query", name: "pin" } } as const;
  const router = createRouter();
  register(
    router,
    { version: 1, generator: "0", title: "Door", schemes, endpoints: { door: endpoint } },
    { door: {} },
    { authenticate: { key: hook("key"), pin: hook("pin") } },
  );
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  servers.push(server);
  expect((await knock(server.port, handshakeText("/door?key=k&pin=p"))).status).toBe(403);
  expect(asked).toEqual(["key k"]);
});
