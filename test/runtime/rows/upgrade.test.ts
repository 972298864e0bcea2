// Rows 1–20 of the checklist, each by its acceptance test, over TCP and in memory. Which rows are proved elsewhere: rows.ts.
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { accept, type Connection, createRouter, type Router } from "@wsgen/runtime";
import { register } from "@wsgen/runtime/generated/server";
import { describe, expect, it } from "vitest";
import { contract } from "../contract-server/quiz.ts";
import { closeFrame, textFrame } from "../raw-client.ts";
import { handshakeText, parseAnswer } from "../upgrade/raw-client.ts";
import { carriers, open } from "./carrier.ts";

const echo = async (conn: Connection): Promise<void> => {
  for await (const message of conn.messages()) await conn.send(message);
};
const say =
  (text: (conn: Connection) => string) =>
  async (conn: Connection): Promise<void> =>
    void (await conn.send(text(conn)));
const stay = async (conn: Connection): Promise<void> => void (await conn.closed);

function one(handler: (conn: Connection) => Promise<void>, router: Router = createRouter({ onError() {} })): Router {
  router.ws("/", handler);
  return router;
}

describe.each(carriers)("upgrade and routing %s", (_carrier, tcp) => {
  it("row 1: a decision may take its time, and is a Response or the 101", async () => {
    const router = createRouter();
    router.ws("/", {
      upgrade: async ({ query }) => {
        await pause(50);
        return query.has("yes") ? accept() : new Response("not you\n", { status: 403 });
      },
      handler: echo,
    });
    router.ws("/now", { upgrade: () => new Response("no\n", { status: 410 }), handler: echo });
    const place = await open(tcp, router);
    expect(await place.knock(handshakeText("/"))).toMatchObject({ status: 403, body: "not you\n" });
    expect((await place.knock(handshakeText("/?yes"))).status).toBe(101);
    expect((await place.knock(handshakeText("/now"))).status).toBe(410);
  });

  it("row 2: the 101 carries headers of the decision, and none of the handshake's own can be set", async () => {
    const router = createRouter();
    router.ws("/", { upgrade: () => accept({ headers: { "set-cookie": "a=1" } }), handler: echo });
    const place = await open(tcp, router);
    expect((await place.dial()).headers.get("set-cookie")).toBe("a=1");
    for (const name of ["Upgrade", "Connection", "Sec-WebSocket-Accept"] as const) {
      // @ts-expect-error: the handshake sets them
      expect(() => accept({ headers: { [name]: "x" } as { readonly [Name in typeof name]: string } })).toThrow(/cannot be added/);
    }
  });

  it("row 3: a refusal is a whole HTTP response", async () => {
    const router = one(echo).use(() => new Response("no", { status: 401, headers: { "www-authenticate": "Bearer" } }));
    const answer = await (await open(tcp, router)).knock(handshakeText("/"));
    expect([answer.status, answer.body, answer.headers.get("www-authenticate")]).toEqual([401, "no", "Bearer"]);
  });

  it("row 4: a path without a route is 404, and the socket is closed", async () => {
    const answer = await (await open(tcp, one(echo))).knock(handshakeText("/nowhere"));
    expect([answer.status, answer.headers.get("connection")]).toEqual([404, "close"]);
  });

  it("row 5: what is no handshake is refused by the table", async () => {
    const place = await open(tcp, one(echo));
    const version = { upgrade: "websocket", "sec-websocket-version": "13" };
    for (const [text, status, headers] of [
      [handshakeText("/", {}, { method: "POST" }), 405, { allow: "GET" }],
      [handshakeText("/", { "Sec-WebSocket-Version": "12" }), 426, version],
      [handshakeText("/", { "Sec-WebSocket-Version": undefined }), 426, version],
      [handshakeText("/", { "Sec-WebSocket-Key": "short" }), 400, {}],
      [handshakeText("/", { "Sec-WebSocket-Key": undefined }), 400, {}],
      [handshakeText("/", { Upgrade: "h2c" }), 400, {}],
    ] as const) {
      const answer = await place.knock(text);
      expect(answer.status, text).toBe(status);
      for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name)).toBe(value);
    }
  });

  it("row 6: plain HTTP goes on beside WebSockets, and one connection may carry first the one and then the other", async () => {
    const place = await open(tcp, one(echo), { http: (_request, response) => void response.end("hello") });
    const client = await place.dial();
    const socket = await place.reach();
    socket.write("GET /http HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1.1 200.*hello/s);
    socket.write(handshakeText("/"));
    expect(parseAnswer(String((await once(socket, "data"))[0])).status).toBe(101);
    client.socket.send("still there");
    expect(await client.next()).toBe("still there");
  });

  it("row 7: two routes answer for themselves, and parameters are decoded and typed", async () => {
    const router = createRouter();
    router.ws(
      "/1",
      say(() => "One"),
    );
    router.group("/2").ws("/{room}", async (conn) => {
      // @ts-expect-error: the path has no parameter "rom"
      if (conn.handshake.query.has("never")) void conn.params.rom.length;
      await conn.send(`Two ${conn.params.room}`);
    });
    router.ws(
      "/files/*",
      say(({ params }) => String(params["*"])),
    );
    const place = await open(tcp, router);
    const answers = ["/1", "/2/caf%C3%A9", "/files/a/b%20c"].map(async (path) => (await place.dial(path)).next());
    expect(await Promise.all(answers)).toEqual(["One", "Two café", "a/b c"]);
  });

  it("row 8: middleware refuses, adds to the context and to the 101, in the order of the onion", async () => {
    const order: string[] = [];
    const router = createRouter()
      .use(async ({ query }, next) => {
        order.push("outer in");
        if (query.has("no")) return new Response(null, { status: 403 });
        const decision = await next({ user: "ada" });
        order.push("outer out");
        decision.headers.set("x-outer", "1");
        return decision;
      })
      .use(async ({ context }, next) => {
        order.push(`inner in ${context.user}`);
        const decision = await next();
        order.push("inner out");
        return decision;
      });
    router.ws(
      "/",
      say((conn) => JSON.stringify(conn.context)),
    );
    const place = await open(tcp, router);
    expect((await place.knock(handshakeText("/?no"))).status).toBe(403);
    order.length = 0;
    const client = await place.dial();
    expect(client.headers.get("x-outer")).toBe("1");
    expect(await client.next()).toBe('{"user":"ada"}');
    expect(order).toEqual(["outer in", "inner in ada", "inner out", "outer out"]);
  });

  it("row 9: what middleware found out reaches the handler", async () => {
    const router = createRouter().use(async (_request, next) => next({ name: "Roger Moore" }));
    router.ws("/", async (conn) => void (await conn.send(conn.context.name)));
    expect(await (await (await open(tcp, router)).dial()).next()).toBe("Roger Moore");
  });

  it("row 10: the handler has the request: query, headers, cookies, address", async () => {
    const router = one(
      say(({ handshake }) =>
        [handshake.query.get("test"), handshake.headers.get("cookie"), handshake.path, handshake.remoteAddress].join(),
      ),
    );
    const client = await (await open(tcp, router)).dial("/?test=123", [], { headers: { cookie: "a=b" } });
    expect(await client.next()).toBe(`123,a=b,/,${tcp ? "127.0.0.1" : ""}`);
  });

  it("row 11: an ordinary HTTP handler upgrades, when it likes", async () => {
    const place = await open(tcp, createRouter(), {
      passUpgrades: true,
      http: (request, response) => {
        if (request.url === "/yes") void place.sockets.upgrade(request, response, echo);
        else Object.assign(response, { statusCode: 404 }).end("no ticket");
      },
    });
    const client = await place.dial("/yes");
    client.socket.send("hi");
    expect(await client.next()).toBe("hi");
    expect(await place.knock(handshakeText("/no"))).toMatchObject({ status: 404, body: "no ticket" });
  });

  it("row 12: a query that the contract refuses is a 400 that names the field, before any handler", async () => {
    let opened = 0;
    const router = createRouter();
    const messages = { ask() {}, list: () => ({}), blob() {} };
    register(router, contract, { quiz: { open: () => void opened++, messages }, strict: { messages } });
    const answer = await (await open(tcp, router)).knock(handshakeText("/quiz/7"));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, in: "query", name: "username" });
    expect(opened).toBe(0);
  });

  it("row 13: the first subprotocol of the client that is spoken is agreed on; none is no header, or 400 where one is needed", async () => {
    const router = createRouter();
    const protocols = ["v2.chat", "v1.chat"];
    router.ws("/", { protocols, handler: say(({ protocol }) => protocol) });
    router.ws("/strict", { protocols, requireProtocol: true, handler: echo });
    const place = await open(tcp, router);
    const client = await place.dial("/", ["v3.chat", "v1.chat", "v2.chat"]);
    expect([client.socket.protocol, await client.next()]).toEqual(["v1.chat", "v1.chat"]);
    const none = await place.knock(handshakeText("/", { "Sec-WebSocket-Protocol": "v9" }));
    expect([none.status, none.headers.get("sec-websocket-protocol")]).toEqual([101, null]);
    expect((await place.knock(handshakeText("/strict", { "Sec-WebSocket-Protocol": "v9" }))).status).toBe(400);
  });

  it("row 14: pages of other origins get 403, and no Origin passes", async () => {
    const place = await open(tcp, one(echo));
    expect((await place.knock(handshakeText("/", { Origin: "https://evil.example" }))).status).toBe(403);
    expect((await place.knock(handshakeText("/", { Origin: "http://localhost" }))).status).toBe(101);
    expect((await place.knock(handshakeText("/"))).status).toBe(101);
  });

  it("row 15: a client that goes during a slow decision aborts it and harms nobody, and a decision that takes too long is 503", async () => {
    const reasons: unknown[] = [];
    const errors: unknown[] = [];
    const router = one(echo, createRouter({ handshakeTimeout: 200, onError: (error) => void errors.push(error) })).use(
      async ({ signal, query }, next) => {
        await pause(query.has("slow") ? 1_000 : 5_000, undefined, { signal }).catch(() => void reasons.push(signal.reason));
        return next();
      },
    );
    const place = await open(tcp, router);
    const socket = await place.reach();
    socket.write(handshakeText("/"));
    await pause(20);
    if (tcp) socket.resetAndDestroy();
    else socket.destroy();
    await expect.poll(() => reasons.length).toBe(1);
    expect((await place.knock(handshakeText("/?slow"))).status).toBe(503);
    expect(errors).toEqual([]);
    expect(place.sockets.connections).toBe(0);
  });

  it("row 16: bytes right behind the handshake are read, however late the handler reads", async () => {
    const router = one(async (conn) => {
      await pause(100);
      await echo(conn);
    });
    const client = await (await open(tcp, router)).raw("/", {}, Buffer.concat([textFrame("eager"), textFrame("more")]));
    expect([await client.nextText(), await client.nextText()]).toEqual(["eager", "more"]);
  });

  it("row 17: the third connection of two gets 503, the second of one address 429", async () => {
    const router = createRouter({ maxConnections: 3, maxConnectionsPerAddress: 2, trustProxy: 1 });
    router.ws("/", { maxConnections: 2, handler: stay });
    router.ws("/other", stay);
    const place = await open(tcp, router);
    const from = (address: string) => handshakeText("/", { "X-Forwarded-For": address });
    for (const address of ["192.0.2.1", "192.0.2.2"]) await place.raw("/", { "X-Forwarded-For": address });
    const full = await place.knock(from("192.0.2.3"));
    expect([full.status, full.headers.get("retry-after")]).toEqual([503, "5"]);
    await place.raw("/other", { "X-Forwarded-For": "192.0.2.1" });
    expect((await place.knock(handshakeText("/other", { "X-Forwarded-For": "192.0.2.1" }))).status).toBe(429);
    expect((await place.knock(handshakeText("/other", { "X-Forwarded-For": "192.0.2.9" }))).status).toBe(503);
  });

  it("row 20: a forwarded address is believed from a proxy of ours alone", async () => {
    const address = say(({ handshake }) => handshake.remoteAddress);
    const heads = { "X-Forwarded-For": "198.51.100.7, 192.0.2.1" };
    const [trusting, doubting] = [await open(tcp, one(address, createRouter({ trustProxy: 1 }))), await open(tcp, one(address))];
    const [trusted, doubted] = [await trusting.raw("/", heads), await doubting.raw("/", heads)];
    expect(await trusted.nextText()).toBe("192.0.2.1");
    expect(await doubted.nextText()).toBe(tcp ? "127.0.0.1" : "");
    trusted.write(closeFrame(1000));
  });
});
