import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Connection, createRouter, serve } from "@wsgen/runtime";
import { expect, it, onTestFinished } from "vitest";
import { handshakeText, open } from "./raw-client.ts";

it("an open connection keeps what the request said and nothing of Node's request, whatever middleware read of it", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // V8 gives no types for it.
  const kept: WeakRef<object>[] = [];
  let opened: (conn: Connection) => void = () => {};
  const connection = new Promise<Connection>((resolve) => {
    opened = resolve;
  });
  const router = createRouter().use((request, next) => {
    kept.push(new WeakRef(request.headers), new WeakRef(request.query), new WeakRef(request.signal));
    return next({ user: request.query.get("user") });
  });
  router.ws("/rooms/{room}", async (conn) => {
    opened(conn);
    await conn.closed;
  });
  const http = createServer();
  http.on("upgrade", (request: IncomingMessage) => kept.push(new WeakRef(request)));
  const server = await serve(router, { server: http, host: "127.0.0.1", signals: [], drain: { timeout: 100 } });
  onTestFinished(() => server.close());
  const client = await open(server.port);
  onTestFinished(() => void client.destroy());
  client.write(handshakeText("/rooms/a%20b?user=ada&user=bob", { "X-Empty": "", "X-Two": ["one", "two"] }));
  await once(client, "data");

  const { handshake, context, params } = await connection;
  for (let round = 0; round < 10 && kept.some((ref) => ref.deref() !== undefined); round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  expect(kept.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined, undefined]);
  expect(context).toEqual({ user: "ada" });
  expect(params).toEqual({ room: "a b" });
  expect([handshake.method, handshake.target, handshake.path]).toEqual(["GET", "/rooms/a%20b?user=ada&user=bob", "/rooms/a b"]);
  expect(handshake.query.getAll("user")).toEqual(["ada", "bob"]);
  expect([handshake.headers.get("x-empty"), handshake.headers.get("x-two"), handshake.headers.get("upgrade")]).toEqual([
    "",
    "one, two",
    "websocket",
  ]);
  expect(handshake.signal.aborted).toBe(false);
});
