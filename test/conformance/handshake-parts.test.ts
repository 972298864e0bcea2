// Path parameters, query and headers of little documents, the whole way: generated, and a generated client meets a generated server; raw requests too.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRouter, connect as dial, type Router, serve, UpgradeRejectedError } from "@wsgen/runtime";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { generate } from "../../codegen/src/generate.ts";
import { typeCheck } from "../snippets.ts";

const output = new URL("../.output/handshake-parts/", import.meta.url).pathname;

/** A document of one channel, whose clients send `knock`. */
const described = (address: string, channel: object = {}, rest: object = {}): object => ({
  asyncapi: "3.0.0",
  info: { title: "Door", version: "1.0.0" },
  servers: { local: { host: "localhost", protocol: "ws" } },
  channels: { door: { address, messages: { knock: { payload: { type: "object" } } }, ...channel } },
  operations: { knock: { action: "receive", channel: { $ref: "#/channels/door" } } },
  "x-wsgen": { perspective: "server", name: "Door" },
  ...rest,
});
const bound = (ws: object, rest: object = {}): object => described("/door", { bindings: { ws } }, rest);
const secured = (scheme: object): object => ({
  servers: { local: { host: "localhost", protocol: "ws", security: [{ $ref: "#/components/securitySchemes/pass" }] } },
  components: { securitySchemes: { pass: scheme } },
});
const text = { type: "string" };
const object = (properties: object, rest: object = {}): object => ({ type: "object", properties, ...rest });

let count = 0;
async function generated(document: object) {
  const out = join(output, `${++count}`);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "api.json"), JSON.stringify(document, null, 1));
  const { diagnostics, ok } = await generate({ document: join(out, "api.json"), out, schemas: false });
  return { out, ok, lines: diagnostics.map(({ severity, code, message }) => `${severity} ${code} ${message}`) };
}

interface Conn {
  readonly params: object;
  readonly query: object;
  readonly headers: object;
}
type Connect = (...given: unknown[]) => Promise<{ readonly url: string; close(): Promise<unknown> }>;

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
beforeAll(() => rmSync(output, { recursive: true, force: true }));

async function start(document: object) {
  const { out, lines } = await generated(document);
  const seen: Conn[] = [];
  const shown: unknown[] = [];
  const router = createRouter();
  const { registerDoor } = (await import(join(out, "server.ts"))) as {
    registerDoor(router: Router, handlers: object, options: object): unknown;
  };
  const open = ({ params, query, headers }: Conn): void => void seen.push({ params, query, headers });
  registerDoor(
    router,
    { door: { open, messages: { knock() {} } } },
    { authenticate: { pass: (key: string) => ({ at: shown.push(key) }) } },
  );
  const server = await serve(router, { host: "127.0.0.1", signals: [] });
  opened.push(server);
  const { createDoorClient } = (await import(join(out, "client.ts"))) as {
    createDoorClient(url: string, options: object): { readonly door: Connect };
  };
  const client = createDoorClient(server.url, { reconnect: false, credentials: { pass: "s3cret" } });
  return {
    lines,
    shown,
    /** Connects with the generated client: the path it asked for, and what the server was given. */
    async enter(...given: unknown[]) {
      const connection = await client.door(...given);
      await connection.close();
      return { path: connection.url.slice(server.url.length), ...seen.at(-1) };
    },
    /** Connects with nothing but a request: what the server was given, or why it refused. */
    async ask(path: string, headers: Record<string, string> = {}) {
      const connection = await dial(server.url + path, { headers }).catch((error: unknown) => error);
      if (connection instanceof UpgradeRejectedError) {
        const body = connection.body ?? "";
        const { detail } = body.startsWith("{") ? (JSON.parse(body) as { readonly detail?: string }) : { detail: body };
        return `${connection.status} ${detail}`;
      }
      await (connection as { close(): Promise<unknown> }).close();
      return seen.at(-1);
    },
  };
}

describe("an address", () => {
  it("may name its parameters as it likes, and they may be any text but a path", async () => {
    const names = ["room-id", "a.b", "24h", "constructor"];
    const { enter } = await start(
      described(`/ä b/${names.map((name) => `{${name}}`).join("/")}/`, { parameters: Object.fromEntries(names.map((name) => [name, {}])) }),
    );
    const params = { "room-id": "ä b%2F", "a.b": "€?#&+", "24h": ":;@=,'()", constructor: "\u2028\\" };
    expect(await enter(params)).toMatchObject({ params });
  });

  it("has values with slashes among those of a parameter, each of them one segment", async () => {
    const values = ["a/b", "c%2Fd", "/", "a/b/../c", "e"];
    const { enter, ask, lines } = await start(described("/{part}/door", { parameters: { part: { enum: values, default: "a/b" } } }, {}));
    expect(lines).toEqual([]);
    for (const part of values) expect(await enter({ part })).toMatchObject({ path: `/${encodeURIComponent(part)}/door`, params: { part } });
    expect(await enter()).toMatchObject({ path: "/a%2Fb/door", params: { part: "a/b" } });
    expect(await ask("/a%2fb/door")).toMatchObject({ params: { part: "a/b" } });
    expect(await ask("/c%252Fd/door")).toMatchObject({ params: { part: "c%2Fd" } });
    // Before any middleware has seen it.
    for (const path of ["/c%2Fd/door", "/a%2Fb%2F/door"]) expect(await ask(path)).toMatch(/^400 The path parameter "part" is not valid/);
    expect(await ask("/a/b/door")).toMatch(/^404/);
  });

  it("has values with slashes among those of its server's variables", async () => {
    const server = (variable: object) => ({
      servers: { prod: { host: "localhost", pathname: "/{base}", protocol: "ws", variables: { base: variable } } },
    });
    const { enter, ask } = await start(described("/door", {}, server({ enum: ["v1/ws", "v2"], default: "v2" })));
    expect(await enter()).toMatchObject({ path: "/v2/door", params: { base: "v2" } });
    expect(await enter({ base: "v1/ws" })).toMatchObject({ path: "/v1%2Fws/door", params: { base: "v1/ws" } });
    expect(await ask("/v3/door")).toMatch(/^400/);
  });

  it("has its default for a parameter that a client leaves out, and a value that is not allowed is no default", async () => {
    const region = { enum: ["eu", "us"], default: "eu" };
    const { enter } = await start(described("/{region}/door", { parameters: { region } }));
    expect(await enter()).toMatchObject({ path: "/eu/door", params: { region: "eu" } });
    expect(await enter({ region: "us" })).toMatchObject({ path: "/us/door" });
    expect(await enter({ region: undefined })).toMatchObject({ path: "/eu/door" });
    await expect(enter({ region: "asia" })).rejects.toThrow(
      "Not connected to /{region}/door: path parameters: /region must be equal to one of",
    );
    const { enter: enterRoom } = await start(described("/{region}/{room}", { parameters: { region, room: {} } }));
    expect(await enterRoom({ room: "a" })).toMatchObject({ path: "/eu/a" });
    const { lines } = await generated(described("/{region}/door", { parameters: { region: { ...region, default: "asia" } } }));
    expect(lines).toEqual([expect.stringMatching(/^warning parameter-default The default of `region` is none of the values/)]);
  });

  it("has the variables of its server's path for parameters, which may be anything where nothing says what they may be", async () => {
    const variables = {
      project: { default: "demo" },
      stage: { enum: ["live", "test"], default: "live" },
      part: { enum: ["ws"], default: "ws" },
    };
    const servers = { prod: { host: "localhost", pathname: "/{project}/{stage}/{part}", protocol: "ws", variables } };
    const { enter, ask, lines } = await start(described("/door", {}, { servers }));
    expect(lines).toEqual([]);
    expect(await enter()).toMatchObject({ path: "/demo/live/ws/door", params: { project: "demo", stage: "live" } });
    expect(await enter({ project: "mine" })).toMatchObject({ path: "/mine/live/ws/door", params: { project: "mine" } });
    expect(await ask("/other/test/ws/door")).toMatchObject({ params: { project: "other", stage: "test" } });
    expect(await ask("/other/dev/ws/door")).toMatch(/^400 The path parameter "stage" must be equal to one of/);
  });

  it("keeps the default of a server's variable that is no segment of a path, with a warning, and its own where it repeats the server's path", async () => {
    const server = (fallback: string) => ({
      servers: { prod: { host: "localhost", pathname: "/{base}", protocol: "ws", variables: { base: { default: fallback } } } },
    });
    const long = await start(described("/door", {}, server("v1/ws")));
    expect(long.lines).toEqual([
      expect.stringMatching(/^warning server-variable .* `base` of the server `prod` keeps its default `v1\/ws`/),
    ]);
    expect(await long.enter()).toMatchObject({ path: "/v1/ws/door", params: {} });
    const repeated = await start(described("/v1/door", {}, server("v1")));
    expect(await repeated.enter()).toMatchObject({ path: "/v1/door", params: {} });
  });

  it("has a default in the client's types: of those that have one, and of all of them where each has", async () => {
    const region = { enum: ["eu", "us"], default: "eu" };
    const channel = { parameters: { region, room: {} } };
    const { out } = await generated(described("/{region}/{room}", channel));
    const use = `import { createDoorClient } from "./client.js";
const { door } = createDoorClient("ws://x");
export const fine = [() => door({ room: "a" }), () => door({ room: "a", region: "us" }), () => door({ room: "a", region: undefined })];
// @ts-expect-error It has no default.
export const missing = () => door({ region: "us" });
// @ts-expect-error It is none of its values.
export const wrong = () => door({ room: "a", region: "asia" });
// @ts-expect-error Not all of them have one.
export const none = () => door();
`;
    writeFileSync(join(out, "use.ts"), use);
    expect(typeCheck(out)).toBe("");
  }, 20_000);

  it("has the defaults of topics too, and says the rest of what a topic is about", async () => {
    const said = (name: string) => ({ location: `$message.payload#/${name}` });
    const tick = { payload: object({ kind: { const: "tick" }, pair: text, depth: text }, { required: ["kind"] }) };
    const parameters = { pair: said("pair"), depth: { ...said("depth"), enum: ["5", "10"], default: "5" } };
    const document = described(
      "/door",
      {},
      {
        channels: {
          ticks: { address: "ticks.{pair}.{depth}", parameters, messages: { tick } },
          news: { address: "news", messages: { headline: { payload: object({ kind: { const: "news" } }, { required: ["kind"] }) } } },
        },
        operations: {
          tick: { action: "send", channel: { $ref: "#/channels/ticks" } },
          news: { action: "send", channel: { $ref: "#/channels/news" } },
        },
      },
    );
    const { out, lines } = await generated(document);
    expect(lines).toEqual([]);
    const { registerDoor } = (await import(join(out, "server.ts"))) as { registerDoor(router: Router, handlers: object): unknown };
    const router = createRouter();
    const tickOf = (depth: string) => ({ kind: "tick", pair: "A", depth });
    registerDoor(router, {
      socket: {
        open(conn: { readonly send: { readonly ticks: { tick(payload: object): void } } }) {
          setTimeout(() => ["10", "5"].map((depth) => conn.send.ticks.tick(tickOf(depth))), 50);
        },
      },
    });
    const server = await serve(router, { host: "127.0.0.1", signals: [] });
    opened.push(server);
    const { createDoorClient } = (await import(join(out, "client.ts"))) as { createDoorClient(url: string): { socket(): Promise<Market> } };
    interface Market {
      close(): Promise<unknown>;
      ticks(params: object): Promise<AsyncIterable<{ readonly payload: unknown }> & { readonly params: object }>;
    }
    const market = await createDoorClient(server.url).socket();
    opened.push(market);
    const ticks = await market.ticks({ pair: "A" });
    expect(ticks.params).toEqual({ pair: "A", depth: "5" });
    for await (const { payload } of ticks) {
      expect(payload).toEqual(tickOf("5"));
      break;
    }
  });

  it.each([
    ["/a/{x}/b/{x}", /^error address .* has the parameter `x` twice/],
    ["/a/{x}{y}", /^error address Nothing stands between the parameters `\{x\}\{y\}`/],
    ["/a{b", /^error address .* has braces that hold no name/],
    ["/a/{}", /^error address .* has braces that hold no name/],
    ["/a\\b", /^warning address .* has a backslash/],
    ["/a/../b", /^warning address .* has `.` or `..` in its path/],
    ["/a/%2E%2e/b", /^warning address .* has `.` or `..` in its path/],
    ["/files/*", /^warning address AsyncAPI has no wildcards/],
  ])("%s is reported", async (address, line) => {
    const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, {}]);
    const { lines } = await generated(described(address, { parameters: Object.fromEntries(names) }));
    expect(lines).toEqual([expect.stringMatching(line)]);
  });
});

describe("a query", () => {
  it("holds lists, booleans, numbers and unions as its schema says, and nothing that looks like them", async () => {
    const list = { type: "array", items: { type: "integer" } };
    const { enter, ask } = await start(
      bound({
        query: object({ ids: list, on: { type: "boolean" }, tags: { type: "array", items: text }, e: { enum: [1, "x"] }, s: text }),
      }),
    );
    const query = { ids: [1, 2], on: false, tags: ["a,b"], e: 1, s: "1 +&=%20" };
    expect(await enter({ query })).toMatchObject({ query });
    expect(await ask("/door?ids=7&e=x&s=true")).toMatchObject({ query: { ids: [7], e: "x", s: "true" } });
    expect(await ask("/door?on=1")).toBe('400 The query parameter "on" must be boolean.');
    expect(await ask("/door?s=a&s=b")).toBe('400 The query parameter "s" must be string.');
    // It would be another number than was sent.
    expect(await ask("/door?ids=9007199254740993")).toBe('400 The query parameter "ids" must be integer.');
  });

  it("in an address is typed by its parameters, its constants go by themselves, and servers ask for all of it", async () => {
    const parameters = { streams: { description: "Which." }, page: { enum: ["1", "2"], default: "1" } };
    const address = "/stream?streams={streams}&v=1&p={page}";
    const { enter, ask, lines } = await start(described(address, { parameters }));
    expect(lines).toEqual([]);
    expect(await enter({ query: { streams: "a/b&c" } })).toMatchObject({
      path: "/stream?v=1&p=1&streams=a%2Fb%26c",
      query: { streams: "a/b&c", v: "1", p: "1" },
    });
    expect(await enter({ query: { streams: "a", p: "2" } })).toMatchObject({ query: { streams: "a", v: "1", p: "2" } });
    await expect(enter()).rejects.toThrow("Not connected to /stream: query: it must have required property 'streams'");
    expect(await ask("/stream?streams=a&v=1&p=2&other=x")).toMatchObject({ query: { streams: "a", v: "1", p: "2" } });
    expect(await ask("/stream?streams=a&p=1")).toBe('400 The query parameter "v" is missing.');
    expect(await ask("/stream?streams=a&p=1&v=2")).toMatch(/^400 The query parameter "v" must be equal to/);
  });

  it("in an address is there in the client's types, where constants and defaults may be left out", async () => {
    const { out } = await generated(described("/stream?streams={streams}&v=1", { parameters: { streams: {} } }));
    const use = `import { createDoorClient } from "./client.js";
const { door } = createDoorClient("ws://x");
export const fine = [() => door({ query: { streams: "a" } }), () => door({ query: async () => ({ streams: "a", v: "1" }) })];
// @ts-expect-error The address says another version.
export const wrong = () => door({ query: { streams: "a", v: "2" } });
// @ts-expect-error It is in the address.
export const missing = () => door();
`;
    writeFileSync(join(out, "use.ts"), use);
    expect(typeCheck(out)).toBe("");
    const { enter } = await start(described("door?v=1", {}, { servers: { a: { host: "localhost", pathname: "/base", protocol: "ws" } } }));
    expect(await enter()).toMatchObject({ path: "/base/door?v=1", query: { v: "1" } });
  }, 20_000);

  it("in an address and in the binding is what the binding says, and its key of a security scheme is left to the credentials", async () => {
    const query = object({ v: { type: "integer" }, limit: { type: "integer" } }, { additionalProperties: false });
    const document = described("/door?v=1&key={k}", { bindings: { ws: { query } }, parameters: { k: {} } });
    const { enter, ask, shown } = await start({ ...document, ...secured({ type: "httpApiKey", in: "query", name: "key" }) });
    expect(await enter({ query: { limit: 5 } })).toMatchObject({ path: "/door?v=1&limit=5", query: { v: 1, limit: 5 } });
    expect(shown).toEqual(["s3cret"]);
    expect(await ask("/door?v=1&key=k&other=1")).toBe('400 The query parameter "other" is not known.');
  });

  it("of several channels of one socket asks for what all of them have", async () => {
    const messages = { knock: { payload: object({ kind: { const: "knock" } }, { required: ["kind"] }) } };
    const { enter, ask } = await start(
      described(
        "",
        {},
        {
          channels: { a: { address: "/door?s=a&v=1", messages }, b: { address: "/door?v=1&s=b&x={x}", messages, parameters: { x: {} } } },
          operations: {
            a: { action: "receive", channel: { $ref: "#/channels/a" } },
            b: { action: "receive", channel: { $ref: "#/channels/b" } },
          },
        },
      ),
    );
    expect(await enter({ query: { s: "b" } })).toMatchObject({ path: "/door?v=1&s=b" });
    expect(await ask("/door?v=1&s=c")).toMatch(/^400 The query parameter "s" must be equal to one of/);
  });

  it("names no endpoint, and what is no name or stands twice in it is warned about", async () => {
    const knock = { subscribe: { message: { payload: { type: "object" } } } };
    const channels = { "/stream?streams={streams}&v=1": knock, "listen?token={t}&{u}=1&token=2": knock };
    const { out, lines } = await generated({ asyncapi: "2.6.0", info: { title: "T", version: "1" }, channels });
    expect(lines.filter((line) => line.includes("address-query"))).toEqual([
      "warning address-query `token=2` of the query in the address is left out: it says the name again.",
      "warning address-query `{u}=1` of the query in the address is left out: its name is none.",
    ]);
    const { contract } = (await import(join(out, "contract.client.ts"))) as { readonly contract: { readonly endpoints: object } };
    expect(Object.keys(contract.endpoints)).toEqual(["stream", "listen"]);
  });

  it("in a server's URL is part of every address below it, unless the address says the name itself", async () => {
    const variables = { token: {}, page: { enum: ["1", "2"], default: "1" } };
    const server = { host: "localhost", pathname: "/base/?token={token}&p={page}&v=1", protocol: "ws", variables };
    const { enter, ask, lines } = await start(described("/door?v=2", {}, { servers: { one: server } }));
    expect(lines).toEqual([]);
    expect(await enter({ query: { token: "a/b&c" } })).toMatchObject({
      path: "/base/door?v=2&p=1&token=a%2Fb%26c",
      query: { token: "a/b&c", p: "1", v: "2" },
    });
    expect(await ask("/base/door?token=a&p=2&v=2")).toMatchObject({ query: { token: "a", p: "2", v: "2" } });
    expect(await ask("/base/door?p=2&v=2")).toBe('400 The query parameter "token" is missing.');
    const { out } = await generated(described(null as never, {}, { servers: { one: { ...server, pathname: "?streams=x" } } }));
    const { contract } = (await import(join(out, "contract.client.ts"))) as { readonly contract: { readonly endpoints: object } };
    expect(contract.endpoints).toMatchObject({ door: { address: "/", query: { defaults: { streams: "x" } } } });
    expect(readFileSync(join(out, "client.ts"), "utf8")).toContain('serverUrl("ws://localhost")');
  });

  it("in a 2.x server's URL is too, and its key of a security scheme is left to the credentials", async () => {
    const pass = { type: "httpApiKey", in: "query", name: "key" };
    const { enter, shown } = await start({
      asyncapi: "2.6.0",
      info: { title: "Door", version: "1" },
      servers: { one: { url: "wss://localhost?streams=x&key=%7Bk%7D", protocol: "wss", security: [{ pass: [] }] } },
      channels: { "/door": { publish: { message: { name: "knock", payload: { type: "object" } } } } },
      components: { securitySchemes: { pass } },
      "x-wsgen": { name: "Door" },
    });
    expect(await enter()).toMatchObject({ path: "/door?streams=x", query: { streams: "x" } });
    expect(shown).toEqual(["s3cret"]);
  });

  it("that differs between servers of the same channels is the caller's to say, with a warning; a variable that is nowhere is any text", async () => {
    const server = (query: string) => ({ host: "localhost", pathname: `/?${query}`, protocol: "ws" });
    const { enter, lines } = await start(
      described("/door", {}, { servers: { one: server("v=1&t={t}"), two: server("v=2&t={t}&beta=1") } }),
    );
    expect(lines).toEqual([
      expect.stringMatching(/^warning parameter-undeclared The URL of the server `one` has the variable `t`/),
      expect.stringMatching(/^warning server-query The servers `one` and `two` .* not with the same `v`, `beta` in the query/),
    ]);
    expect(await enter({ query: { v: "2", t: "a", beta: "1" } })).toMatchObject({ path: "/door?v=2&t=a&beta=1" });
    await expect(enter({ query: { v: "3", t: "a" } })).rejects.toThrow("query: /v must be equal to one of");
  });

  it("is found behind refs of bindings, of the schema and of its properties", async () => {
    const { enter, ask } = await start(
      described(
        "/door",
        { bindings: { $ref: "#/components/channelBindings/shared" } },
        {
          components: {
            channelBindings: { shared: { ws: { bindingVersion: "0.1.0", query: { $ref: "#/components/schemas/Query" } } } },
            schemas: { Query: object({ a: { $ref: "#/components/schemas/A" } }, { required: ["a"] }), A: { type: "integer" } },
          },
        },
      ),
    );
    expect(await enter({ query: { a: 1 } })).toMatchObject({ query: { a: 1 } });
    expect(await ask("/door")).toBe('400 The query parameter "a" is missing.');
  });

  it("that is closed lets the key of a security scheme by, and handlers do not see it", async () => {
    const { enter, ask, shown } = await start(
      bound({ query: object({ a: text }, { additionalProperties: false }) }, secured({ type: "httpApiKey", in: "query", name: "key" })),
    );
    expect(await enter({ query: { a: "b" } })).toMatchObject({ path: "/door?a=b", query: { a: "b" } });
    expect(shown).toEqual(["s3cret"]);
    expect(await ask("/door?key=k&other=1")).toBe('400 The query parameter "other" is not known.');
  });

  it.each([
    ["by itself", {}],
    ["beside others", { a: text }],
  ])("that declares the key of a security scheme %s leaves it to the credentials", async (_how, others) => {
    const { enter, lines, shown } = await start(
      bound({ query: object({ key: text, ...others }, { required: ["key"] }) }, secured({ type: "httpApiKey", in: "query", name: "key" })),
    );
    expect(lines[0]).toMatch(/^hint handshake-credentials The query parameter `key` carries the credentials of `pass`/);
    expect(await enter()).toMatchObject({ query: {} });
    expect(shown).toEqual(["s3cret"]);
  });
});

describe("headers", () => {
  it("are compared without case, their lists parted by commas, and no others are among them", async () => {
    const list = { type: "array", items: { type: "integer" } };
    const headers = object({ "X-Trace-ID": { type: "integer" }, "X-List": list, Accept: text }, { required: ["X-Trace-ID"] });
    const { enter, ask } = await start(bound({ headers }));
    const given = { "x-trace-id": 7, "x-list": [1, 2], accept: "a, b" };
    expect((await enter({ headers: given })).headers).toEqual(given);
    expect(await ask("/door", { "X-TRACE-ID": "5", "x-list": "1" })).toMatchObject({ headers: { "x-trace-id": 5, "x-list": [1] } });
    expect(await ask("/door", { "x-trace-id": "a" })).toBe('400 The header "x-trace-id" must be integer.');
    expect(await ask("/door")).toBe('400 The header "x-trace-id" is missing.');
  });

  it("leave the key of a security scheme to the credentials", async () => {
    const headers = object({ "x-key": text, "X-Other": text }, { required: ["x-key"] });
    const { enter, lines, shown } = await start(bound({ headers }, secured({ type: "httpApiKey", in: "header", name: "X-Key" })));
    expect(lines).toEqual([expect.stringMatching(/^hint handshake-credentials The header `x-key` carries the credentials of `pass`/)]);
    expect((await enter({ headers: { "x-other": "a" } })).headers).toEqual({ "x-other": "a" });
    expect(shown).toEqual(["s3cret"]);
  });

  it("of one name in other letters are one, with a warning", async () => {
    const { lines } = await generated(bound({ headers: object({ "X-A": text, "x-a": { type: "integer" } }) }));
    expect(lines).toEqual([expect.stringMatching(/^warning handshake-name The header `x-a` is there already, in other letters/)]);
  });
});

it("security that only a trait of the operation asks for is asked for", async () => {
  const traits = [{ security: [{ $ref: "#/components/securitySchemes/pass" }] }];
  const knock = { action: "receive", channel: { $ref: "#/channels/door" }, traits };
  const components = { securitySchemes: { pass: { type: "httpApiKey", in: "query", name: "key" } } };
  const { enter, ask, shown } = await start(described("/door", {}, { operations: { knock }, components }));
  await enter();
  expect(shown).toEqual(["s3cret"]);
  expect(await ask("/door")).toMatch(/^401 /);
});

it("a method other than GET is warned about", async () => {
  expect((await generated(bound({ method: "GET" }))).lines).toEqual([]);
  expect((await generated(bound({ method: "POST" }))).lines).toEqual([
    expect.stringMatching(/^warning binding A WebSocket is opened with GET/),
  ]);
});
