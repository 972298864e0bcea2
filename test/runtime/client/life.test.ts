import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import * as standard from "../../../runtime/src/client/index.ts";
import {
  type ClientOptions,
  ConnectionClosedError,
  type ConnectionState,
  constants,
  createClient,
  dispatch,
  formats,
  guards,
  handshake,
  OutboundOverflowError,
  requests,
  UpgradeRejectedError,
} from "../../../runtime/src/client/node.ts";
import { newChances, retryDelay } from "../../../runtime/src/client/retry.ts";
import { contract, type RoomClient, until, type VendorClient } from "./vendor.ts";

/** Quick, so that the tests are; full jitter all the same. */
const reconnect = { spread: 20 } as const;
const features = [guards, constants, handshake, dispatch, formats, requests];

/** A server on one port, which can be killed and started again, and answers what it is asked. */
async function startServer() {
  const sockets = new Set<WebSocket>();
  const said: string[] = [];
  const urls: string[] = [];
  let refusing: { readonly status: number; readonly headers?: Record<string, string> } | undefined;
  let answering = true;
  let server: Server;
  let port = 0;
  async function start() {
    const accepting = new WebSocketServer({ noServer: true });
    server = createServer();
    server.on("upgrade", (request, socket, head) => {
      urls.push(request.url ?? "");
      if (refusing !== undefined) {
        const lines = Object.entries({ connection: "close", "content-length": "0", ...refusing.headers }).map(([k, v]) => `${k}: ${v}\r\n`);
        socket.end(`HTTP/1.1 ${refusing.status} No\r\n${lines.join("")}\r\n`);
        return;
      }
      accepting.handleUpgrade(request, socket, head, (ws) => {
        sockets.add(ws);
        ws.on("error", () => {});
        ws.on("close", () => sockets.delete(ws));
        ws.on("message", (data: Buffer) => {
          said.push(String(data));
          const { type, requestId } = JSON.parse(String(data)) as { type: string; requestId?: string };
          if (type === "history" && answering) ws.send(JSON.stringify({ type: "page", requestId, items: [] }));
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  }
  await start();
  return {
    url: `ws://127.0.0.1:${port}`,
    said,
    urls,
    sockets,
    start,
    say(payload: object) {
      for (const socket of sockets) socket.send(JSON.stringify(payload));
    },
    close(code: number, reason?: string) {
      for (const socket of sockets) socket.close(code, reason);
    },
    refuse(status: number | undefined, headers: Record<string, string> = {}) {
      refusing = status === undefined ? undefined : { status, headers };
    },
    answer(now: boolean) {
      answering = now;
    },
    async kill() {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

type TestServer = Awaited<ReturnType<typeof startServer>>;
let server: TestServer;
const open: { close(): unknown }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const connection of open.splice(0)) connection.close();
  await server?.kill();
});

/** A room on a server of its own, and every state it goes through. */
async function enter(options: ClientOptions = {}, given: Parameters<VendorClient["room"]>[1] = {}) {
  server = await startServer();
  const client = createClient<VendorClient>(contract, server.url, { reconnect, ...options }, features);
  const room = await client.room({ room: "a" }, given);
  return watch(room);
}

function watch(room: RoomClient) {
  open.push(room);
  const states: ConnectionState[] = [];
  room.subscribe((state) => void states.push(state));
  return { room, states, statuses: () => states.map(({ status }) => status) };
}

describe("a connection whose server goes away", () => {
  it("comes back three times, killed in the middle of requests, which reject; listeners and the reader stay", async () => {
    const { room, states } = await enter();
    const heard: string[] = [];
    const read: string[] = [];
    room.on.post(({ text }) => void heard.push(text));
    void (async () => {
      for await (const { name, payload } of room) if (name === "post") read.push((payload as { text: string }).text);
    })();
    for (const round of ["1", "2", "3"]) {
      server.answer(false);
      const asked = [room.request.history({}), room.request.history({})];
      await until(() => server.said.length >= 2);
      await server.kill();
      for (const request of asked) await expect(request).rejects.toMatchObject({ name: "ConnectionClosedError", closeCode: 1006 });
      server.answer(true);
      // Asked while it is away, and answered when it is back.
      const late = room.request.history({});
      await server.start();
      expect(await late).toMatchObject({ type: "page" });
      expect(room.getSnapshot()).toMatchObject({ status: "open", reconnected: { continuity: "unknown" } });
      expect(room.getSnapshot().reconnected?.attempts).toBeGreaterThan(0);
      server.say({ type: "post", text: round });
      await until(() => read.includes(round));
    }
    expect(heard).toEqual(["1", "2", "3"]);
    expect(read).toEqual(["1", "2", "3"]);
    expect(states.filter(({ status }) => status === "open")).toHaveLength(3);
  });

  it("says where it is: the reason, when it tries again, that it is tried, that it is open again", async () => {
    const { room, states } = await enter();
    const first = room.getSnapshot();
    expect(first).toEqual({ status: "open", failures: 0, reconnected: undefined });
    expect(room.getSnapshot()).toBe(first);
    server.close(1012, "service restart");
    await until(() => states.at(-1)?.status === "open");
    expect(states.map(({ status, retryAt }) => [status, retryAt !== undefined])).toEqual([
      ["reconnecting", true],
      ["reconnecting", false],
      ["open", false],
    ]);
    expect(states[0]).toMatchObject({ failures: 1, error: { closeCode: 1012, reason: "service restart" } });
    await room.close();
    expect(room.getSnapshot()).toMatchObject({ status: "closed", error: undefined });
  });

  it("keeps what is sent meanwhile, in order, up to 1 MiB, behind what listeners say first; more rejects", async () => {
    const { room } = await enter();
    room.subscribe(({ status }) => {
      if (status === "open") room.send.post({ text: "hello again" });
    });
    await server.kill();
    await until(() => room.getSnapshot().status === "reconnecting");
    const sent = [room.send.post({ text: "1" }), room.send.post({ text: "2" })];
    expect(sent.every((promise) => promise instanceof Promise)).toBe(true);
    const large = "x".repeat(600_000);
    room.send.post({ text: large });
    await expect(room.send.post({ text: large })).rejects.toThrow(OutboundOverflowError);
    const given = room.request.history({}, { timeout: 1 }).catch((error: unknown) => error);
    expect(await given).toMatchObject({ name: "RequestTimeoutError" });
    await server.start();
    await Promise.all(sent);
    await until(() => server.said.length === 4);
    expect(server.said.map((text) => (JSON.parse(text) as { text: string }).text.slice(0, 20))).toEqual([
      "hello again",
      "1",
      "2",
      "x".repeat(20),
    ]);
  });

  it("keeps what is sent while its socket is closing for the next one: the promise waits with it, and nothing is both rejected and sent", async () => {
    const { room } = await enter();
    // The server's goodbye is here, the end of its TCP connection is not: the socket is closing and takes nothing.
    const leaving = [...server.sockets][0]!;
    const closing = new Promise<void>((resolve) => {
      const send = () => {
        const sent = room.send.post({ text: "late" });
        if (sent === undefined) setTimeout(send);
        else resolve(sent);
      };
      leaving.close(1012);
      send();
    });
    await closing;
    expect(server.said.filter((text) => text.includes("late")).length).toBeGreaterThan(0);
    expect(room.getSnapshot().reconnected).toBeDefined();
  });

  it("rejects what still waits when it is closed for good", async () => {
    const { room } = await enter();
    await server.kill();
    await until(() => room.getSnapshot().status === "reconnecting");
    const sent = room.send.post({ text: "never" });
    const asked = room.request.history({});
    const outcome = await room.close(4000, "enough");
    expect(outcome).toEqual({ code: 4000, reason: "enough", wasClean: false });
    await expect(sent).rejects.toThrow(ConnectionClosedError);
    await expect(asked).rejects.toThrow(ConnectionClosedError);
    expect(room.signal.aborted).toBe(true);
  });

  it("is closed by a listener: no further attempt is made, no timer left, and what waited rejects", async () => {
    const { room } = await enter();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    room.subscribe(({ status, retryAt }) => {
      if (status === "reconnecting" && retryAt === undefined) void room.close();
    });
    server.close(1012);
    await vi.waitFor(() => expect(room.getSnapshot().status).toBe("closed"));
    await vi.waitFor(() => expect(server.sockets.size + vi.getTimerCount()).toBe(0));
    vi.useRealTimers();
    expect(server.urls).toHaveLength(1);
    await server.kill();

    const again = await enter();
    again.room.subscribe(({ status }) => {
      if (status === "open") void again.room.close();
    });
    await server.kill();
    await until(() => again.room.getSnapshot().status === "reconnecting");
    const sent = again.room.send.post({ text: "never" });
    await server.start();
    await expect(sent).rejects.toThrow(ConnectionClosedError);
    expect(server.said).toEqual([]);
  });

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 4999])("stays closed after %i", async (code) => {
    const { room, statuses } = await enter();
    server.close(code);
    expect(await room.closed).toMatchObject({ code });
    expect(statuses()).toEqual(["closed"]);
    if (code !== 1000) expect(room.getSnapshot().error).toMatchObject({ closeCode: code });
  });

  it.each([1001, 1011, 1012, 1014])("connects again after %i", async (code) => {
    const { room } = await enter();
    server.close(code);
    await until(() => room.getSnapshot().reconnected !== undefined);
  });

  it("is over when it cannot read what the server sends, even if the server never answers that", async () => {
    const { room, statuses } = await enter({ maxMessageSize: 1_000 });
    for (const socket of server.sockets) {
      socket.pause(); // Reads no close frame.
      socket.send("x".repeat(2_000));
      setTimeout(() => socket.terminate(), 50);
    }
    await room.closed;
    expect(statuses()).toEqual(["closed"]);
    expect(room.getSnapshot().error).toMatchObject({ name: "ConnectionClosedError", closeCode: 1009 });
  });

  it("ends with its own code when the server never answers its goodbye", async () => {
    const { room } = await enter();
    for (const socket of server.sockets) {
      socket.pause();
      setTimeout(() => socket.terminate(), 50);
    }
    expect(await room.close(4000, "enough")).toEqual({ code: 4000, reason: "enough", wasClean: false });
    expect(room.getSnapshot()).toMatchObject({ status: "closed", error: undefined });
  });

  it("hears nothing of a server that talks on behind our goodbye", async () => {
    const { room } = await enter();
    const heard: string[] = [];
    room.on.post(({ text }) => void heard.push(text));
    server.say({ type: "post", text: "1" });
    await until(() => heard.length === 1);
    for (const socket of server.sockets) socket.pause(); // Reads no close frame.
    const closed = room.close();
    server.say({ type: "post", text: "2" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of server.sockets) socket.terminate();
    await closed;
    expect(heard).toEqual(["1"]);
  });

  it("has the chances of an internal error and of expired credentials whatever failed before, and no more of them", async () => {
    const { room, states } = await enter();
    const opened = () => states.filter(({ status }) => status === "open").length;
    await server.kill();
    await until(() => room.getSnapshot().failures >= 6);
    await server.start();
    await until(() => opened() === 1);
    server.close(1011);
    await until(() => opened() === 2);
    server.close(4001, "auth expired");
    await until(() => opened() === 3);
    server.close(4001, "auth expired");
    expect(await room.closed).toMatchObject({ code: 4001 });
  });

  it("decides otherwise where it is told to, and not at all where it is told not to", async () => {
    const { room } = await enter({ reconnect: { ...reconnect, codes: { 4001: true, 1012: false } } });
    server.close(4001);
    await until(() => room.getSnapshot().reconnected !== undefined);
    server.close(1012);
    expect(await room.closed).toMatchObject({ code: 1012 });
    await server.kill();
    const off = await enter({ reconnect: false });
    server.close(1012);
    expect(await off.room.closed).toMatchObject({ code: 1012 });
  });

  it("gives up after as many failures as it is told, and says why", async () => {
    const { room, states } = await enter({ reconnect: { spread: 5, maxAttempts: 3 } });
    await server.kill();
    expect(await room.closed).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(states.filter(({ retryAt }) => retryAt !== undefined)).toHaveLength(3);
    expect(room.getSnapshot()).toMatchObject({ status: "closed", error: { name: "UpgradeRejectedError" } });
    await expect(room[Symbol.asyncIterator]().next()).rejects.toThrow(UpgradeRejectedError);
  });

  it("does not knock again where it is not wanted: 403 closes for good, 503 does not", async () => {
    const { room } = await enter();
    server.refuse(503);
    server.close(1012);
    await until(() => server.urls.length >= 3);
    server.refuse(403);
    await room.closed;
    expect(room.getSnapshot().error).toMatchObject({ name: "UpgradeRejectedError", status: 403 });
  });

  it("asks for credentials before each attempt, and once more when they have expired", async () => {
    let token = 0;
    const headers = async () => ({ authorization: `Bearer ${++token}` });
    const { room } = await enter({ headers }, { query: () => ({ name: `token${token}` }) });
    server.close(1008, "auth expired");
    await until(() => room.getSnapshot().reconnected !== undefined);
    expect(token).toBe(2);
    expect(server.urls.map((url) => url.split("=")[1])).toEqual(["token0", "token1"]);
    // The fresh ones are refused as well.
    server.close(1008, "auth expired");
    await room.closed;
    expect(token).toBe(2);
    expect(room.getSnapshot().error).toMatchObject({ closeCode: 1008, reason: "auth expired" });
  });

  it("that hides a refusal, as browsers do, goes on, asking for credentials each time, until what gives them says that there are none", async () => {
    server = await startServer();
    let asked = 0;
    let signedOut = false;
    const query = async () => {
      asked++;
      if (signedOut) throw Object.assign(new Error("signed out"), { status: 403 });
      return {};
    };
    const client = standard.createClient<VendorClient>(contract, server.url, { reconnect, WebSocket: WebSocket as never }, features);
    const { room } = watch(await client.room({ room: "a" }, { query }));
    server.refuse(403);
    server.close(1012);
    await until(() => room.getSnapshot().failures > 3);
    expect(room.getSnapshot()).toMatchObject({ status: "reconnecting", error: { name: "UpgradeRejectedError" } });
    expect((room.getSnapshot().error as UpgradeRejectedError).status).toBeUndefined();
    expect(asked).toBeGreaterThan(3);
    signedOut = true;
    await room.closed;
    expect(room.getSnapshot().error).toMatchObject({ message: "signed out" });
  });

  it("tries again when the token could not be fetched", async () => {
    let failing = false;
    let asked = 0;
    const { room } = await enter({
      headers: () => {
        asked++;
        if (failing) throw new TypeError("fetch failed");
        return {};
      },
    });
    failing = true;
    server.close(1012);
    await until(() => asked >= 3);
    expect(room.getSnapshot()).toMatchObject({ status: "reconnecting" });
    failing = false;
    await until(() => room.getSnapshot().status === "open");
  });
});

describe("a first attempt that fails", () => {
  it("rejects at once for who awaits it, and is tried again for who takes the connection", async () => {
    server = await startServer();
    await server.kill();
    const client = createClient<VendorClient>(contract, server.url, { reconnect }, features);
    await expect(client.room({ room: "a" })).rejects.toThrow(UpgradeRejectedError);

    const opening = client.room({ room: "a" });
    const { room, states } = watch(opening.connection);
    expect(room.getSnapshot()).toEqual({ status: "connecting", failures: 0 });
    room.send.post({ text: "before it was open" });
    await until(() => room.getSnapshot().failures > 1);
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(["connecting"]));
    await server.start();
    expect(await opening).toBe(room);
    expect(room.getSnapshot()).toEqual({ status: "open", failures: 0, reconnected: undefined });
    await until(() => server.said.length === 1);
  });

  it("is not made at all for a signal that has aborted: nothing of the user's is asked for", async () => {
    server = await startServer();
    let asked = 0;
    const headers = () => {
      asked++;
      return {};
    };
    const client = createClient<VendorClient>(contract, server.url, { reconnect, headers }, features);
    const query = () => {
      asked++;
      return {};
    };
    const opening = client.room({ room: "a" }, { query, signal: AbortSignal.abort(new Error("changed my mind")) });
    expect(opening.connection.getSnapshot().status).toBe("closed");
    await expect(opening).rejects.toThrow("changed my mind");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([asked, server.urls.length]).toEqual([0, 0]);
  });

  it("is over when a WebSocket cannot be asked for it", async () => {
    server = await startServer();
    const client = createClient<VendorClient>(contract, server.url, { reconnect }, features);
    const twice = client.room({ room: "a" }, { protocols: ["chat", "chat"] }).connection;
    await twice.closed;
    expect(twice.getSnapshot().error).toMatchObject({ code: "WSGEN_USAGE", message: expect.stringContaining("subprotocol") });
  });

  it("is over when it cannot be otherwise", async () => {
    server = await startServer();
    server.refuse(403);
    const client = createClient<VendorClient>(contract, server.url, { reconnect }, features);
    const refused = client.room({ room: "a" }).connection;
    await refused.closed;
    expect(refused.getSnapshot().error).toMatchObject({ status: 403 });
    const wrong = client.room({ room: "much too long a name" }).connection;
    await wrong.closed;
    expect(wrong.getSnapshot().error).toMatchObject({ name: "ContractError", path: "/room" });
  });
});

describe("the page around a connection", () => {
  /** A browser's global events, which Node has not. */
  async function onPage() {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    server = await startServer();
    const client = standard.createClient<VendorClient>(contract, server.url, {
      reconnect: { spread: 60_000 },
      WebSocket: WebSocket as never,
    });
    const watched = watch(await client.room({ room: "a" }));
    return { ...watched, tell: (type: string) => page.dispatchEvent(new Event(type)) };
  }
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("lets go of it when it is hidden, and opens it again when it is shown", async () => {
    const { room, tell } = await onPage();
    tell("pagehide");
    await until(() => server.sockets.size === 0);
    expect(room.getSnapshot()).toMatchObject({ status: "reconnecting" });
    tell("pageshow");
    await until(() => room.getSnapshot().status === "open");
    expect(room.getSnapshot().reconnected?.continuity).toBe("unknown");
    await room.close();
    tell("pageshow");
    expect(room.getSnapshot().status).toBe("closed");
  });

  it("is not opened for a page that is hidden while its credentials are fetched, but when it is shown", async () => {
    const { room: other, tell } = await onPage();
    await other.close();
    let asked = 0;
    const { connection: room } = standard
      .createClient<VendorClient>(contract, server.url, { reconnect: { spread: 60_000 }, WebSocket: WebSocket as never })
      .room({ room: "a" }, { query: () => new Promise((resolve) => setTimeout(resolve, 30, void asked++)) });
    watch(room);
    await until(() => asked === 1);
    tell("pagehide");
    expect(room.getSnapshot()).toMatchObject({ status: "connecting", retryAt: expect.any(Number) });
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(server.sockets.size).toBe(0);
    tell("pageshow");
    await until(() => room.getSnapshot().status === "open");
    expect(asked).toBe(2);
  });

  it("is tried at once when the network is back, and not while there is none", async () => {
    const { room, tell } = await onPage();
    await server.kill();
    await until(() => room.getSnapshot().status === "reconnecting");
    await server.start();
    tell("online");
    await until(() => room.getSnapshot().status === "open");
  });

  it("opens it again after the machine has slept", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    const { room, states, tell } = await onPage();
    vi.advanceTimersByTime(90_000);
    expect(room.getSnapshot().status).toBe("open");
    // The clock jumps, the timers come late: nothing else tells a page that it slept.
    vi.setSystemTime(Date.now() + 600_000);
    vi.advanceTimersByTime(30_000);
    expect(states.at(-1)).toMatchObject({ status: "reconnecting", error: { closeCode: 1006 } });
    tell("online");
    await until(() => room.getSnapshot().status === "open");
  });
});

describe("a server that has gone silent, on Node", () => {
  /** Lets the clock run in steps of 15 s, with time for real frames between them. */
  async function wait(seconds: number) {
    for (let passed = 0; passed < seconds; passed += 15) {
      vi.advanceTimersByTime(15_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it("is asked for a pong, kept while it answers, and given up when nothing came for 60 s", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    const { room } = await enter({ reconnect: { spread: 60_000 } });
    let pings = 0;
    for (const socket of server.sockets) socket.on("ping", () => pings++);
    await wait(150);
    expect(pings).toBeGreaterThan(3);
    expect(room.getSnapshot().status).toBe("open");
    // Half open: the peer is there, and reads nothing any more.
    for (const socket of server.sockets) socket.pause();
    await wait(45);
    expect(room.getSnapshot().status).toBe("open");
    await wait(30);
    expect(room.getSnapshot()).toMatchObject({ status: "reconnecting", error: { closeCode: 1006 } });
  });
});

describe("a server that refuses, on Node", () => {
  async function refusalOf(status: number, headers: Record<string, string> = {}) {
    server = await startServer();
    server.refuse(status, headers);
    const client = createClient<VendorClient>(contract, `${server.url}/?token=secret`, {}, features);
    const error = await client.room({ room: "a" }).catch((error: unknown) => error as UpgradeRejectedError);
    await server.kill();
    if (!(error instanceof UpgradeRejectedError)) throw new Error("It was let in.");
    return error;
  }

  it.each([
    ["20", 20_000],
    ["99999999", 3_600_000],
    ["soon", undefined],
    ["-5", undefined],
    ["NaN", undefined],
  ])("and says Retry-After: %s, wants no attempt for %s ms", async (value, retryAfter) => {
    expect((await refusalOf(503, { "retry-after": value })).retryAfter).toBe(retryAfter);
  });

  it("and says a date, wants no attempt until then", async () => {
    const { retryAfter } = await refusalOf(429, { "retry-after": new Date(Date.now() + 60_000).toUTCString() });
    expect(retryAfter).toBeGreaterThan(50_000);
    expect(retryAfter).toBeLessThanOrEqual(60_000);
  });

  it("with a redirect is not followed, and the error says where it leads, without anybody's query", async () => {
    const error = await refusalOf(307, { location: "wss://elsewhere.example/chat?token=secret" });
    expect(error).toMatchObject({ status: 307 });
    expect(error.message).toMatch(/307, it moved to wss:\/\/elsewhere\.example\/chat\. Redirects are not followed: connect there$/);
    expect(error.message).not.toContain("secret");
  });
});

describe("when it is tried again", () => {
  const closed = (code: number, reason = "") => new ConnectionClosedError(code, reason);
  const refused = (status: number, retryAfter?: number) => new UpgradeRejectedError("ws://x", "no", { status, retryAfter });
  const longest = (error: unknown, failures: number) =>
    Math.max(...Array.from({ length: 2_000 }, () => retryDelay(error, failures, {}, newChances()) ?? -1));

  it("is anywhere within 3 s, twice, then within twice the time, and never later than 30 s", () => {
    for (const [failures, spread] of [3_000, 3_000, 6_000, 12_000, 24_000, 30_000, 30_000].entries()) {
      const delays = Array.from({ length: 2_000 }, () => retryDelay(closed(1006), failures, {}, newChances()) ?? Number.NaN);
      expect(Math.max(...delays)).toBeLessThanOrEqual(spread);
      expect(Math.max(...delays)).toBeGreaterThan(spread * 0.95);
      expect(Math.min(...delays)).toBeLessThan(spread * 0.05);
    }
    expect(retryDelay(closed(1006), 1_000, {}, newChances())).toBeLessThanOrEqual(30_000);
  });

  it("is at least five seconds later when the server has no room, and what Retry-After says otherwise", () => {
    expect(retryDelay(closed(1013), 0, {}, newChances())).toBeGreaterThanOrEqual(5_000);
    expect(retryDelay(refused(429, 20_000), 0, {}, newChances())).toBeGreaterThanOrEqual(20_000);
    expect(longest(refused(503), 0)).toBeLessThanOrEqual(3_000);
  });

  it("is never after five internal errors, a second 401, or what cannot succeed", () => {
    const chances = newChances();
    for (let times = 1; times <= 5; times++) expect(retryDelay(closed(1011), times, {}, chances)).toBeDefined();
    expect(retryDelay(closed(1011), 6, {}, chances)).toBeUndefined();
    expect(retryDelay(refused(401), 7, {}, chances)).toBeDefined();
    expect(retryDelay(closed(4001, "auth expired"), 8, {}, chances)).toBeUndefined();
    for (const status of [301, 307, 400, 403, 404, 426]) expect(retryDelay(refused(status), 0, {}, newChances())).toBeUndefined();
    for (const code of [1000, 1005, 1008, 1015, 3000, 4000]) expect(retryDelay(closed(code), 0, {}, newChances())).toBeUndefined();
  });
});
