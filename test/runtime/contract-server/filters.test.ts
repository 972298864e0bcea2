import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { createRouter } from "@wsgen/runtime";
import { type Contract, type RegisterOptions, register } from "@wsgen/runtime/generated/server";
import { testServer } from "@wsgen/runtime/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { contract, type QuizConnection } from "./quiz.ts";

const servers: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function start(quiz: unknown, options: RegisterOptions, tcp = false) {
  const router = createRouter({ onError() {} });
  const api = register<{ quiz: { to(room: string): { send: QuizConnection["send"] } } }>(
    router,
    contract,
    { quiz, strict: { messages: { ask() {} } } },
    options,
  );
  const server = await testServer(router, { tcp, drain: { timeout: 500 } });
  servers.push(server);
  const socket = new server.WebSocket(`${server.url}/quiz/7?username=ada`);
  const heard: unknown[] = [];
  socket.on("message", (data) => void heard.push(JSON.parse(String(data))));
  await once(socket, "open");
  return { api, heard, socket, say: (message: unknown) => socket.send(JSON.stringify(message)) };
}

const handlers = (ask: (payload: { text: string }, conn: QuizConnection) => unknown, list = (): unknown => ({})) => ({
  messages: { ask, list, blob() {} },
});

describe.each([
  ["in memory", false],
  ["over TCP", true],
])("what stands between messages and handlers %s", (_where, tcp) => {
  it("stops the eleventh message, and lets those of others through", async () => {
    const seen: string[] = [];
    const counts = new WeakMap<object, number>();
    const { say } = await start(
      handlers(({ text }) => void seen.push(text)),
      {
        receive(message, conn, next) {
          if (message.name !== "ask") return next();
          const count = (counts.get(conn) ?? 0) + 1;
          counts.set(conn, count);
          return count > 10 ? undefined : next();
        },
      },
      tcp,
    );
    for (let index = 1; index <= 12; index++) say({ type: "ask", text: String(index) });
    say({ type: "list", id: "end" });
    await vi.waitFor(() => expect(seen).toHaveLength(10));
    await pause(20);
    expect(seen.at(-1)).toBe("10");
  });

  it("takes a field out of everything that is sent: to one, to a room, as a reply", async () => {
    const names: string[] = [];
    const { api, heard, say } = await start(
      {
        open: (conn: QuizConnection) => conn.join("all"),
        ...handlers(
          (_payload, conn) => conn.send.asked({ text: "s3cret" }),
          () => ({ items: ["s3cret", "b"] }),
        ),
      },
      {
        send({ name, payload }) {
          names.push(name);
          return JSON.parse(JSON.stringify(payload).replaceAll("s3cret", "***"));
        },
      },
      tcp,
    );
    say({ type: "ask", text: "a" });
    say({ type: "list", id: "7" });
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    api.quiz.to("all").send.asked({ text: "a s3cret for all" });
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(heard).toEqual([
      { type: "asked", text: "***" },
      { type: "page", id: "7", items: ["***", "b"] },
      { type: "asked", text: "a *** for all" },
    ]);
    expect(names).toEqual(["asked", "page", "asked"]);
  });
});

describe("a receive filter", () => {
  it("sees valid messages alone, may wait, and may answer a request itself", async () => {
    const seen: unknown[] = [];
    const list = vi.fn(() => ({ items: ["handler"] }));
    const { heard, say } = await start(
      handlers(() => {}, list),
      {
        async receive({ name, payload }, conn, next) {
          seen.push([name, payload, (conn as QuizConnection).query.username]);
          await pause(5);
          return (payload as { id?: string }).id === "mine" ? { items: ["filter"] } : next();
        },
      },
    );
    say({ type: "list" });
    say({ type: "list", id: "mine" });
    say({ type: "list", id: "yours" });
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(heard).toMatchObject([{ code: "invalid_message" }, { id: "mine", items: ["filter"] }, { id: "yours", items: ["handler"] }]);
    expect(seen).toEqual([
      ["list", { type: "list", id: "mine" }, "ada"],
      ["list", { type: "list", id: "yours" }, "ada"],
    ]);
    expect(list).toHaveBeenCalledOnce();
  });

  it("answers nothing to a request that it drops, and fails as a handler does", async () => {
    const onError = vi.fn();
    // biome-ignore lint/suspicious/noThenProperty: as those of query builders are, awaited like a promise, and none.
    const query = { then: (done: (nothing: undefined) => void) => done(undefined) };
    const { heard, say } = await start(
      handlers(() => {}),
      {
        onError,
        receive({ payload }) {
          const { id } = payload as { id?: string };
          if (id === "throw") throw new Error("secret");
          return id === "await" ? query : undefined;
        },
      },
    );
    say({ type: "list", id: "drop" });
    say({ type: "list", id: "await" });
    say({ type: "list", id: "throw" });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard).toMatchObject([{ type: "problem", code: "internal_error", id: "throw" }]);
    expect(onError).toHaveBeenCalledOnce();
  });

  it("stands before a function that reads its messages as well", async () => {
    const seen: string[] = [];
    const { say, socket } = await start(
      async (conn: QuizConnection & { messages(): AsyncIterable<{ name: string; payload: { text: string } }> }) => {
        for await (const { payload } of conn.messages()) if (seen.push(payload.text) === 2) return;
      },
      { receive: async ({ payload }, _conn, next) => ((payload as { text: string }).text === "no" ? undefined : next()) },
    );
    for (const text of ["a", "no", "b"]) say({ type: "ask", text });
    expect((await once(socket, "close"))[0]).toBe(1000);
    expect(seen).toEqual(["a", "b"]);
  });
});

it("a message is classified once, also while a reply is waited for, and its id makes it no reply", async () => {
  const json = { format: "json" } as const;
  const guard = (value: unknown): value is object => !Object.hasOwn(value as object, "n");
  const contract = {
    version: 1,
    generator: "0",
    title: "Choice",
    endpoints: {
      socket: {
        address: "/",
        receives: {
          dispatch: { json: { among: ["book", "trade"], by: "classify" } },
          messages: { book: json, trade: json, pong: { ...json, guard } },
        },
        sends: { ping: { ...json, reply: { messages: ["pong"], request: ["id"], reply: ["pong"], id: "integer" } } },
      },
    },
  } as const satisfies Contract;
  const asked: unknown[] = [];
  const heard: unknown[] = [];
  const router = createRouter();
  const socket = {
    open: (conn: { request: { ping(payload: object): Promise<unknown> } }) => void conn.request.ping({}).then((reply) => heard.push(reply)),
    messages: { book: (payload: unknown) => void heard.push(payload), trade() {} },
  };
  const classify = {
    socket: (payload: { n: number }) => {
      asked.push(payload.n);
      return "book";
    },
  };
  register(router, contract, { socket }, { classify });
  const server = await testServer(router);
  servers.push(server);
  const client = new server.WebSocket(server.url);
  await once(client, "open");
  for (const message of [{ n: 1, pong: 1 }, { n: 2 }, { pong: 1 }, { n: 3 }]) client.send(JSON.stringify(message));
  await vi.waitFor(() => expect(heard).toHaveLength(4));
  expect(heard).toContainEqual({ pong: 1 });
  expect(asked).toEqual([1, 2, 3]);
});

describe("a send filter", () => {
  it("cannot send what the contract does not allow", async () => {
    const onError = vi.fn();
    const { heard, say } = await start(
      handlers((_payload, conn) => conn.send.asked({ text: "a" })),
      { onError, send: ({ name, payload }) => (name === "asked" ? { text: 1 } : payload) },
    );
    say({ type: "ask", text: "a" });
    await vi.waitFor(() => expect(heard).toMatchObject([{ code: "internal_error" }]));
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: "WSGEN_CONTRACT", path: "/text" });
  });
});

describe("where replies are known by their order", () => {
  const json = { format: "json" } as const;
  const ordered = (error: object) =>
    ({
      version: 1,
      generator: "0",
      title: "Ordered",
      endpoints: {
        socket: {
          address: "/",
          receives: {
            dispatch: { json: "add" },
            messages: { add: { ...json, reply: { messages: ["sum", "problem"], request: [], reply: [], id: "order" } } },
          },
          sends: { sum: json, problem: json },
          ...error,
        },
      },
    }) as const satisfies Contract;

  const talk = async (contract: Contract, receive: NonNullable<RegisterOptions["receive"]>, socket: unknown = answering) => {
    const router = createRouter({ onError() {} });
    register(router, contract, { socket }, { receive });
    const server = await testServer(router);
    servers.push(server);
    const client = new server.WebSocket(server.url);
    const heard: unknown[] = [];
    client.on("message", (data) => void heard.push(JSON.parse(String(data))));
    const closed = once(client, "close");
    await once(client, "open");
    for (const n of [1, 2, 3]) client.send(JSON.stringify({ n }));
    return { heard, closed, client };
  };
  const answering = { messages: { add: ({ n }: { n: number }) => ({ sum: n }) } };
  const drops =
    (later: boolean): NonNullable<RegisterOptions["receive"]> =>
    ({ payload }, _conn, next) =>
      (payload as { n: number }).n === 2 ? (later ? pause(2).then(() => undefined) : undefined) : next();

  it.each([
    ["at once", false],
    ["later", true],
  ])("a request that a filter drops %s is answered with the error message, or is the last", async (_when, later) => {
    const told = await talk(ordered({ error: { message: "problem", code: ["code"] } }), drops(later));
    await vi.waitFor(() => expect(told.heard).toEqual([{ sum: 1 }, { code: "internal_error" }, { sum: 3 }]));
    const mute = await talk(ordered({}), drops(later));
    expect((await mute.closed)[0]).toBe(1011);
    expect(mute.heard).toEqual([{ sum: 1 }]);
  });

  it("so it is for a function that reads its messages itself, which never sees it", async () => {
    const { heard, closed } = await talk(
      ordered({}),
      drops(false),
      async (conn: { messages(): AsyncIterable<{ payload: { n: number } }>; send: { sum(payload: object): unknown } }) => {
        for await (const { payload } of conn.messages()) conn.send.sum({ sum: payload.n });
      },
    );
    expect((await closed)[0]).toBe(1011);
    expect(heard).toEqual([{ sum: 1 }]);
  });
});
