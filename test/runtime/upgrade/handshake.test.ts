import { createRouter, type RouterOptions, type RunningServer, serve } from "@wsgen/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handshakeText, knock } from "./raw-client.ts";

const running: RunningServer[] = [];
let port: number;

async function start(options: RouterOptions = {}): Promise<number> {
  const router = createRouter(options);
  for (const path of ["/ws", "/rooms/{roomId}"]) router.ws(path, async (conn) => void (await conn.closed));
  router.ws("/chat", { protocols: ["v2.chat", "v1.chat"], handler: async (conn) => void (await conn.closed) });
  router.ws("/strict", { protocols: ["v1.chat"], requireProtocol: true, handler: async (conn) => void (await conn.closed) });
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  running.push(server);
  return server.port;
}

beforeAll(async () => {
  port = await start();
});
afterAll(() => Promise.all(running.map((server) => server.close())));

describe("a handshake over a raw socket", () => {
  it("is answered with 101 and the accept key of RFC 6455 section 1.3", async () => {
    const answer = await knock(port, handshakeText("/ws"));
    expect(answer.status).toBe(101);
    expect(answer.headers.get("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(answer.headers.get("upgrade")).toBe("websocket");
    expect(answer.headers.get("connection")).toBe("Upgrade");
    expect(answer.headers.has("sec-websocket-protocol")).toBe(false);
    expect(answer.headers.has("sec-websocket-extensions")).toBe(false);
  });

  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`X-${index}`, "1"]));
  const thousands = Object.fromEntries(Array.from({ length: 2100 }, (_, index) => [`X${index}`, ""]));
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const cases: [what: string, bytes: string, status: number, headers?: Readonly<Record<string, string>>][] = [
    ["a plain GET", handshakeText("/ws", { Upgrade: undefined, Connection: undefined }), 426, { upgrade: "websocket" }],
    ["no Connection: Upgrade", handshakeText("/ws", { Connection: "close" }), 426, { upgrade: "websocket" }],
    [
      "a plain POST",
      handshakeText("/ws", { Upgrade: undefined, Connection: undefined, "Content-Length": "0" }, { method: "POST" }),
      405,
      { allow: "GET" },
    ],
    ["POST", handshakeText("/ws", {}, { method: "POST" }), 405, { allow: "GET" }],
    ["no key", handshakeText("/ws", { "Sec-WebSocket-Key": undefined }), 400],
    ["a short key", handshakeText("/ws", { "Sec-WebSocket-Key": "AAAA" }), 400],
    ["two keys", handshakeText("/ws", { "Sec-WebSocket-Key": [key, key] }), 400],
    ["Upgrade: h2c", handshakeText("/ws", { Upgrade: "h2c" }), 400],
    ["version 12", handshakeText("/ws", { "Sec-WebSocket-Version": "12" }), 426, { "sec-websocket-version": "13" }],
    ["no version", handshakeText("/ws", { "Sec-WebSocket-Version": undefined }), 426, { "sec-websocket-version": "13" }],
    ["HTTP/1.0", handshakeText("/ws", {}, { version: "HTTP/1.0" }), 400],
    ["no Host", handshakeText("/ws", { Host: undefined }), 400],
    ["two Hosts", handshakeText("/ws", { Host: ["localhost", "localhost"] }), 400],
    ["an unknown path", handshakeText("/nowhere"), 404],
    ["//ws", handshakeText("//ws"), 404],
    ["/ws/", handshakeText("/ws/"), 404],
    ["an escaped letter", handshakeText("/%77s"), 404],
    ["dots", handshakeText("/x/../ws"), 404],
    ["an absolute URL", handshakeText("http://localhost/ws"), 404],
    ["an empty parameter", handshakeText("/rooms/"), 404],
    ["a stray % in a parameter", handshakeText("/rooms/%"), 400],
    ["%00 in a parameter", handshakeText("/rooms/a%00b"), 400],
    ["%2F in a parameter", handshakeText("/rooms/a%2Fb"), 400],
    ["bad UTF-8 in a parameter", handshakeText("/rooms/%ff"), 400],
    ["a parameter of 5,000 bytes", handshakeText(`/rooms/${"a".repeat(5000)}`), 400],
    ["a subprotocol that is no token", handshakeText("/chat", { "Sec-WebSocket-Protocol": "v1,,v2" }), 400],
    ["a subprotocol twice", handshakeText("/chat", { "Sec-WebSocket-Protocol": ["v1", "v1"] }), 400],
    ["none of the subprotocols a route requires", handshakeText("/strict", { "Sec-WebSocket-Protocol": "v9" }), 400],
    ["malformed extensions", handshakeText("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; =" }), 400],
    ["window bits 99", handshakeText("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=99" }), 400],
    ["a 17 KiB header", handshakeText("/ws", { "X-Big": "a".repeat(17 * 1024) }), 431],
    ["101 more headers", handshakeText("/ws", many), 431],
    ["2,100 more headers", handshakeText("/ws", thousands), 431],
    ["Content-Length and Transfer-Encoding", handshakeText("/ws", { "Content-Length": "5", "Transfer-Encoding": "chunked" }), 400],
    ["NUL", "GET /ws HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["a body", `${handshakeText("/ws", { "Content-Length": "5" })}hello`, 400],
    ["a foreign origin", handshakeText("/ws", { Origin: "https://evil.example" }), 403],
    ["the origin null", handshakeText("/ws", { Origin: "null" }), 403],
    ["two origins", handshakeText("/ws", { Origin: ["http://localhost", "http://localhost"] }), 403],
    ["a malformed origin", handshakeText("/ws", { Origin: "http://localhost/path" }), 403],
  ];
  it.each<(typeof cases)[number]>(cases)("with %s is refused", async (_what, bytes, status, headers = {}) => {
    const answer = await knock(port, bytes);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("connection")).toMatch(/^close\b/);
    for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name)).toBe(value);
  });

  it("names the path parameter that it cannot read", async () => {
    const { body } = await knock(port, handshakeText("/rooms/a%2Fb"));
    expect(body).toMatch(/^The path parameter "\w+" is not valid\.\n$/);
  });

  it.each([
    ["no subprotocol where one is spoken", handshakeText("/chat"), null],
    ["subprotocols that nobody speaks", handshakeText("/chat", { "Sec-WebSocket-Protocol": "v9.chat" }), null],
    [
      "several subprotocols: the client's order decides",
      handshakeText("/chat", { "Sec-WebSocket-Protocol": "v9.chat, v1.chat, v2.chat" }),
      "v1.chat",
    ],
    [
      "a deflate offer like Chrome's",
      handshakeText("/ws", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" }),
      null,
    ],
    ["its own origin", handshakeText("/ws", { Origin: "http://localhost" }), null],
    ["its own origin with the scheme's port", handshakeText("/ws", { Host: "localhost:443", Origin: "https://localhost" }), null],
    ["Upgrade in capitals", handshakeText("/ws", { Upgrade: "WebSocket" }), null],
  ])("with %s is accepted", async (_what, bytes, protocol) => {
    const answer = await knock(port, bytes);
    expect(answer.status).toBe(101);
    expect(answer.headers.get("sec-websocket-protocol")).toBe(protocol);
  });

  it("repeats nothing of the request in a refusal", async () => {
    for (const bytes of [
      handshakeText("/needle"),
      handshakeText("/rooms/needle%"),
      handshakeText("/ws", { Origin: "https://needle.example" }),
    ]) {
      expect((await knock(port, bytes)).body).not.toContain("needle");
    }
  });
});

describe("the option origins", () => {
  it("lets exactly the pages named connect, and the log of a 403 says what to write", async () => {
    const lines: { readonly fields: object; readonly message: string }[] = [];
    const warn = (fields: object, message: string): void => void lines.push({ fields, message });
    const other = await start({ origins: ["https://app.example.com"], logger: { debug() {}, info() {}, error() {}, warn } });
    expect((await knock(other, handshakeText("/ws", { Origin: "https://app.example.com" }))).status).toBe(101);
    expect((await knock(other, handshakeText("/ws", { Origin: "https://app.example.com:8443" }))).status).toBe(403);
    expect((await knock(other, handshakeText("/ws", { Origin: "http://localhost" }))).status).toBe(403);
    expect(lines[0]?.message).toContain('createRouter({ origins: ["https://app.example.com", "https://app.example.com:8443"] })');
    expect(lines[0]?.fields).toMatchObject({ path: "/ws", status: 403 });
  });

  it("is refused when an entry is no origin", () => {
    expect(() => createRouter({ origins: ["*"] })).toThrow(/"\*" is no origin.*insecureAllowAnyOrigin/);
    expect(() => createRouter({ origins: ["https://app.example.com/"] })).toThrow(/is no origin/);
  });

  it("gives way to insecureAllowAnyOrigin", async () => {
    const open = await start({ insecureAllowAnyOrigin: true });
    expect((await knock(open, handshakeText("/ws", { Origin: "null" }))).status).toBe(101);
  });
});
