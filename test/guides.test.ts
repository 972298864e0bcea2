// The guides: every block of code is compiled and run, as it is printed.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Attachment, connect, createRouter, type RunningServer, serve } from "@wsgen/runtime";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { AccountClient } from "../generated/account/client.js";
import { type AccountConnection, closeCodes, registerAccount } from "../generated/account/server.js";
import type { RoomClient } from "../generated/chat/client.js";
import { registerChat } from "../generated/chat/server.js";
import { room as chatRoom } from "../specs/chat/handlers/room.ts";
import { startHttpProxy, startSocksProxy } from "./proxies.ts";
import { extractSnippets } from "./snippets.ts";

process.env["PORT"] = "0";
const pages = ["server", "client", "testing", "websocket-sse-or-polling"].map((name) => extractSnippets(`docs/guides/${name}.md`));
const [server, client, testing, choosing] = pages as [(typeof pages)[0], (typeof pages)[0], (typeof pages)[0], (typeof pages)[0]];
const using = extractSnippets("docs/guides/using-a-client.md", { chat: true });
pages.push(using);
afterAll(() => {
  delete process.env["PORT"];
  for (const page of pages) page.remove();
});

/** Sends what is given, and reads as many messages as are wanted. */
async function talk(url: string, say: readonly (string | Uint8Array)[], count: number, options: Parameters<typeof connect>[1] = {}) {
  await using connection = await connect(url, options);
  for (const data of say) await connection.send(data);
  const heard: string[] = [];
  if (count > 0) {
    for await (const { data } of connection.messages()) {
      heard.push(String(data));
      if (heard.length === count) break;
    }
  }
  return { heard, connection };
}

const portOf = (of: Server): number => (of.address() as AddressInfo).port;

it.each(pages)("the guides compile (%#)", (page) => {
  expect(page.typeCheck()).toBe("");
});

describe("docs/guides/server.md", () => {
  const run = async (name: string): Promise<RunningServer> => (await server.run<{ server: RunningServer }>(name)).server;

  it("echoes", async () => {
    const { url, close } = await run("echo.ts");
    expect((await talk(`${url}/echo`, ["a", "b"], 2)).heard).toEqual(["a", "b"]);
    await close();
  });

  it("lets in by the document, and asks for a token anew", async () => {
    const { url, close } = await run("account.ts");
    const { balance } = await server.run<{ balance(url: string, token: () => Promise<string>): Promise<number> }>("account-client.ts");
    expect(await balance(url, async () => "s3cret")).toBe(500);
    await expect(balance(url, async () => "guess")).rejects.toMatchObject({ status: 403 });
    await expect(connect(`${url}/account`)).rejects.toMatchObject({ status: 401 });
    await close();
  });

  it("routes, decides and agrees on subprotocols", async () => {
    const { url, close } = await run("routes.ts");
    expect((await talk(`${url}/rooms/lobby`, [], 1)).heard).toEqual(["lobby"]);
    expect((await talk(`${url}/files/a/b`, [], 1)).heard).toEqual(["a/b"]);
    const feed = await talk(`${url}/api/v1/feed?topic=news`, [], 1, { protocols: ["feed.v1", "feed.v2"] });
    expect(feed.heard).toEqual(["feed.v1 news"]);
    expect(feed.connection.headers.get("set-cookie")).toContain("seen=1");
    await expect(connect(`${url}/api/v1/feed`)).rejects.toMatchObject({ status: 400, body: "Which topic?\n" });
    await close();
  });

  it("authenticates, and lets named origins in", async () => {
    const { url, close } = await run("auth.ts");
    const authorization = "Bearer s3cret";
    expect((await talk(`${url}/me`, [], 1, { headers: { authorization } })).heard).toEqual(["You are Ada."]);
    expect((await talk(`${url}/me`, [], 1, { headers: { authorization, origin: "https://app.example.com" } })).heard).toHaveLength(1);
    await expect(connect(`${url}/me`)).rejects.toMatchObject({ status: 401 });
    await expect(connect(`${url}/me`, { headers: { authorization, origin: "https://evil.example" } })).rejects.toMatchObject({
      status: 403,
    });
    await close();
  });

  it("has two loops that end each other, without an error of anybody's", async () => {
    const { url, close, metrics } = await run("clock.ts");
    await using stopped = await connect(`${url}/clock`);
    for await (const { data } of stopped.messages()) if (Date.parse(String(data)) > 0) break;
    await stopped.send("stop");
    expect(await stopped.closed).toMatchObject({ code: 1000, wasClean: true });
    expect((await talk(`${url}/clock`, [], 3)).heard).toHaveLength(3);
    await expect.poll(() => metrics().connections).toBe(0);
    expect(metrics()).toMatchObject({ errors: 0, closed: { 1000: 2 } });
    await close();
  });

  it("reads a document's messages in a function", async () => {
    const { url, close } = await run("reader.ts");
    const [posted, page] = (
      await talk(`${url}/rooms/lobby?username=ada`, ['{"type":"postMessage","text":"hi"}', '{"type":"history","requestId":"7"}'], 2)
    ).heard.map((text) => JSON.parse(text));
    expect([posted, page]).toMatchObject([
      { type: "messagePosted", post: { by: "ada", text: "hi" } },
      { type: "historyPage", requestId: "7", posts: [] },
    ]);
    await close();
  });

  it("filters a document's messages", async () => {
    const { url, close } = await run("filters.ts");
    const { heard } = await talk(
      `${url}/rooms/lobby?username=ada`,
      ['{"type":"history","requestId":"7"}', '{"type":"postMessage","text":"the s3cret"}'],
      1,
    );
    expect(JSON.parse(heard[0] ?? "")).toMatchObject({ type: "messagePosted", post: { text: "the ***" } });
    await close();
  });

  it("downloads a file as one message", async () => {
    const { url, close } = await run("download.ts");
    const { heard } = await talk(`${url}/download`, [], 1);
    expect(heard[0]).toBe(readFileSync("package.json", "utf8"));
    await close();
  });

  it("speaks to everyone in a room, from a handler, from HTTP, and when somebody comes and goes", async () => {
    const { server: running, announce } = await server.run<{
      server: RunningServer;
      announce(room: string, signal: AbortSignal): Promise<void>;
    }>("rooms.ts");
    const path = `${running.url}/rooms/lobby?username=`;
    await using ada = await connect(`${path}ada`);
    const leaving = new AbortController();
    const announcing = announce("lobby", leaving.signal);
    const heard: unknown[] = [];
    const listening = (async () => {
      for await (const { data } of ada.messages()) heard.push(JSON.parse(String(data)));
    })();
    await expect.poll(() => heard.length).toBe(1);
    const tabs = [await connect(`${path}bob`), await connect(`${path}bob`)];
    await expect.poll(() => heard.length).toBe(2);
    for (const tab of tabs) await tab.close();
    await expect.poll(() => heard.length).toBe(3);
    await ada.send('{"type":"postMessage","text":"hi"}');
    await expect.poll(() => heard.length).toBe(4);
    await fetch(running.url.replace("ws:", "http:"));
    await expect.poll(() => heard.length).toBe(5);
    expect(heard).toMatchObject([
      { type: "memberJoined", name: "ada" },
      { type: "memberJoined", name: "bob" },
      { type: "memberLeft", name: "bob" },
      { type: "messagePosted", post: { by: "ada", text: "hi" } },
      { type: "messagePosted", post: { by: "the house" } },
    ]);
    leaving.abort();
    await announcing;
    await running.close();
    await listening;
  });

  it("joins the rooms of two servers", async () => {
    const [here, there] = [await run("joined.ts"), await run("joined.ts?again")];
    expect(here.port).not.toBe(there.port);
    await using bob = await connect(`${there.url}/rooms/lobby?username=bob`);
    await talk(`${here.url}/rooms/lobby?username=ada`, ['{"type":"postMessage","text":"hi there"}'], 1);
    for await (const { data } of bob.messages()) {
      expect(JSON.parse(String(data))).toMatchObject({ type: "messagePosted", post: { by: "ada", text: "hi there" } });
      break;
    }
    await Promise.all([here.close(), there.close()]);
  });

  it("counts an upload frame by frame", async () => {
    const { url, close } = await run("upload.ts");
    expect((await talk(`${url}/upload`, [new Uint8Array(300_000), "ab"], 2)).heard).toEqual(["300000 bytes", "300002 bytes"]);
    await close();
  });

  it("sits in Express, Fastify and Hono", async () => {
    for (const name of ["express.ts", "hono.ts"]) {
      const { server: http, sockets } = await server.run<{ server: Server; sockets: Attachment }>(name);
      if (!http.listening) await once(http, "listening");
      expect((await talk(`ws://localhost:${portOf(http)}/echo`, ["a"], 1)).heard).toEqual(["a"]);
      expect(await (await fetch(`http://localhost:${portOf(http)}/`)).text()).toBe("hello");
      await sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    }
    const { app } = await server.run<{ app: { server: Server; close(): Promise<void> } }>("fastify.ts");
    expect((await talk(`ws://localhost:${portOf(app.server)}/echo`, ["a"], 1)).heard).toEqual(["a"]);
    await app.close();
  });

  it("upgrades inside an HTTP handler", async () => {
    const { server: http, sockets } = await server.run<{ server: Server; sockets: Attachment }>("manual.ts");
    if (!http.listening) await once(http, "listening");
    const base = `ws://localhost:${portOf(http)}/tickets`;
    expect((await talk(`${base}/42`, [], 1)).heard).toEqual(["welcome"]);
    await expect(connect(`${base}/7`)).rejects.toMatchObject({ status: 404, body: "no such ticket" });
    await sockets.close();
    await new Promise((resolve) => http.close(resolve));
  });

  it("speaks TLS within limits", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wsgen-guide-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
    Object.assign(process.env, { KEY: key, CERT: cert });
    const { url, close } = await run("production.ts");
    const tls = { ca: readFileSync(cert) };
    expect((await talk(`${url}/echo`, ["secret"], 1, { tls })).heard).toEqual(["secret"]);
    const { connection } = await talk(`${url}/echo`, [new Uint8Array(65 * 1024)], 1, { tls });
    expect(await connection.closed).toMatchObject({ code: 1009 });
    await close();
    rmSync(folder, { recursive: true });
    Reflect.deleteProperty(process.env, "KEY");
    Reflect.deleteProperty(process.env, "CERT");
  });
});

describe("docs/guides/client.md", () => {
  it("asks, and explains what goes wrong", async () => {
    const { ask } = await client.run<{ ask(url: string, question: string): Promise<string> }>("ask.ts");
    const { explain } = await client.run<{ explain(url: string, signal: AbortSignal): Promise<string> }>("explain.ts");
    const router = createRouter();
    router.ws("/ask", {
      protocols: ["v1.chat"],
      handler: async (conn) => {
        for await (const { data } of conn.messages()) await conn.send(`${conn.handshake.headers.get("authorization")}: ${data}`);
      },
    });
    router.ws("/leave", async (conn) => void (await conn.close(4000)));
    const { url, close } = await serve(router, { host: "127.0.0.1", signals: [] });
    const { signal } = new AbortController();
    expect(await ask(`${url}/ask`, "why?")).toBe("Bearer s3cret: why?");
    expect(await explain(`${url}/leave`, signal)).toBe("closed with 4000");
    expect(await explain(`${url}/nowhere`, signal)).toBe("refused with 404: There is nothing here.\n");
    await close();
    expect(await explain(url, signal)).toBe("nobody is there");
    await expect(explain(url, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("docs/guides/using-a-client.md", () => {
  it("draws on the whiteboard of the server on the other page", async () => {
    const { url, close } = (await server.run<{ server: RunningServer }>("whiteboard.ts")).server;
    const { draw } = await using.run<{ draw(url: string, points: readonly number[]): Promise<readonly Uint8Array[]> }>("draw.ts");
    expect(await draw(url, [0, 0, 1, 2])).toEqual([new Uint8Array(new Float32Array([0, 0, 1, 2]).buffer)]);
    await close();
  });

  it("watches topics of the server on the other page", async () => {
    const here = await server.run<{ server: RunningServer; traded(pair: string, price: string, volume: string): void }>("market.ts");
    const { watch } = await using.run<{ watch(url: string, pair: string): Promise<readonly string[]> }>("watch.ts");
    const telling = setInterval(() => here.traded("ETH/EUR", "7", "1"), 20);
    expect(await watch(here.server.url, "ETH/EUR")).toEqual(["7", "2"]);
    clearInterval(telling);
    await here.server.close();
  });

  const serveChat = (): Promise<RunningServer> => {
    const router = createRouter();
    registerChat(router, { room: chatRoom });
    return serve(router, { host: "127.0.0.1", signals: [] });
  };

  it("sends, asks, listens and reads", async () => {
    const { talk } = await using.run<{ talk(url: string): Promise<string[]> }>("talk.ts");
    const { url, close } = await serveChat();
    expect(await talk(url)).toEqual(["Ada came in", "0 posts before", "Ada: Hello!"]);
    await close();
  });

  it("shows a token that is fresh, asks for another when it has expired, and says why it ended", async () => {
    const { openAccount } = await using.run<{ openAccount(url: string, login: () => Promise<object>): Promise<AccountClient> }>(
      "account.ts",
    );
    const { whyItEnded } = await using.run<{ whyItEnded(account: AccountClient): Promise<string> }>("ended.ts");
    const shown: string[] = [];
    const conns: AccountConnection[] = [];
    const router = createRouter();
    const account = { open: (conn: AccountConnection) => void conns.push(conn), messages: { pay() {} } };
    registerAccount(router, { account }, { authenticate: { token: (token: string) => ({ count: shown.push(token) }) } });
    const { url, close } = await serve(router, { host: "127.0.0.1", signals: [] });
    let logins = 0;
    const client = await openAccount(url, async () => ({ token: `t${++logins}`, expires: logins === 1 ? 0 : Date.now() + 60_000 }));
    const ended = whyItEnded(client);
    expect(client.protocol).toBe("account.v1");
    void conns[0]?.close(4001, "auth expired");
    await expect.poll(() => conns.length, { timeout: 8_000 }).toBe(2);
    expect(shown).toEqual(["t1", "t2"]);
    void conns[1]?.close(closeCodes.overdrawn);
    expect(await ended).toBe("Your account is empty.");
    await close();
  }, 15_000);

  it("asks first, and opens with the answer", async () => {
    const { enterReading } = await using.run<{ enterReading(url: string, show: (texts: string[]) => void): Promise<RoomClient> }>(
      "first.ts",
    );
    const { url, close } = await serveChat();
    const shown: string[][] = [];
    const room = await enterReading(url, (texts) => shown.push(texts));
    expect(shown).toHaveLength(1);
    await room.close();
    await close();
  });

  it("says where the connection is, and reads again what may have been missed", async () => {
    const { describe, keepComplete } = await using.run<{
      describe(room: RoomClient): string;
      keepComplete(room: RoomClient, show: (texts: string[]) => void): () => void;
    }>("states.ts");
    const { enter } = await using.run<{ enter(url: string, name: () => Promise<string>): Promise<RoomClient> }>("credentials.ts");
    const { url, close } = await serveChat();
    const names = ["Ada", "Grace"];
    const room = await enter(url, async () => names.shift() ?? "Nobody");
    const shown: string[][] = [];
    keepComplete(room, (texts) => shown.push(texts));
    expect(describe(room)).toBe("online");
    const back = new Promise<RunningServer>((resolve) => {
      const stop = room.subscribe(({ status }) => {
        if (status !== "reconnecting") return;
        stop();
        expect(describe(room)).toMatch(/^away, attempt 1 in \d s$/);
        const router = createRouter();
        registerChat(router, { room: chatRoom });
        void close()
          .then(() => serve(router, { host: "127.0.0.1", port: Number(new URL(url).port), signals: [] }))
          .then(resolve);
      });
    });
    void close();
    const again = await back;
    await expect.poll(() => shown.length, { timeout: 10_000 }).toBe(1);
    expect(room.url).toContain("username=Grace");
    await room.close();
    expect(describe(room)).toBe("gone: said goodbye");
    await again.close();
  });

  it("goes through proxies of both kinds where the environment says so, and past them where it says that", async () => {
    const { throughProxy } = await using.run<{ throughProxy(url: string): Promise<RoomClient> }>("proxy.ts");
    const { url, close } = await serveChat();
    const spoken = async () => {
      const room = await throughProxy(url);
      expect(await room.request.history({ limit: 1 })).toHaveProperty("posts");
      await room.close();
    };
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]) vi.stubEnv(name, "").stubEnv(name.toLowerCase(), "");
    try {
      await spoken();
      for (const start of [startHttpProxy, startSocksProxy]) {
        const proxy = await start();
        vi.stubEnv("HTTP_PROXY", proxy.url).stubEnv("NO_PROXY", "");
        await spoken();
        expect(proxy.asked).toEqual([`127.0.0.1:${new URL(url).port}`]);
        vi.stubEnv("NO_PROXY", "internal.example,127.0.0.1");
        await spoken();
        expect(proxy.asked).toHaveLength(1);
        await proxy.close();
      }
    } finally {
      vi.unstubAllEnvs();
    }
    await close();
  });

  it("hears of what is wrong, and closes where that is wanted", async () => {
    const { strict } = await using.run<{ strict(url: string, complain: (problem: string) => void): Promise<RoomClient> }>("strict.ts");
    const router = createRouter();
    // Knows nothing of the contract.
    router.ws("/rooms/{room}", async (conn) => {
      await conn.send('{"type":"memberJoined","name":7}');
      await conn.closed;
    });
    const { url, close } = await serve(router, { host: "127.0.0.1", signals: [] });
    const problems: string[] = [];
    const room = await strict(url, (problem) => problems.push(problem));
    expect(await room.closed).toMatchObject({ code: 1000 });
    await expect(room[Symbol.asyncIterator]().next()).rejects.toMatchObject({ messageName: "memberJoined", path: "/name" });
    expect(problems.toSorted()).toEqual(["memberJoined /name", "postMessage /text outbound"]);
    await close();
  });
});

describe("docs/guides/testing.md", async () => {
  await testing.run("chat.test.ts"); // Its tests join ours.
});

describe("docs/guides/websocket-sse-or-polling.md", () => {
  it("does all three on one port", async () => {
    const { url, close } = (await choosing.run<{ server: RunningServer }>("beside.ts")).server;
    const base = url.replace("ws:", "http:");
    expect((await talk(`${url}/trade`, ["buy", "buy", "sell"], 3)).heard).toEqual(["101", "102", "101"]);
    expect(await (await fetch(`${base}/price`)).text()).toBe("101");
    const stop = new AbortController();
    const events = await fetch(`${base}/prices`, { signal: stop.signal });
    const first = await events.body?.getReader().read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe("data: 101\n\n");
    stop.abort();
    await close();
  });
});
