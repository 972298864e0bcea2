// Security schemes of a document, the whole way: generated, compiled, and both sides over real sockets.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { createRouter, connect as dial, type Router, type RunningServer, serve, UpgradeRejectedError } from "@wsgen/runtime";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import WebSocket from "ws";
import { generate } from "../../codegen/src/generate.ts";
import { createClient as createPlatformClient, credentials, guards, handshake } from "../../runtime/src/client/index.ts";
import { until } from "./peers.ts";

const output = new URL("../.output/security/", import.meta.url).pathname;

const schemes = {
  key: { type: "httpApiKey", in: "query", name: "api-key" },
  header: { type: "httpApiKey", in: "header", name: "X-Key" },
  session: { type: "httpApiKey", in: "cookie", name: "sid" },
  bearer: { type: "http", scheme: "bearer", description: "A token that expires." },
  login: { type: "http", scheme: "basic" },
  user: { type: "userPassword" },
  broker: { type: "apiKey", in: "user" },
  brokerPassword: { type: "apiKey", in: "password" },
  sasl: { type: "plain" },
  digest: { type: "http", scheme: "Digest" },
  oauth: {
    type: "oauth2",
    flows: { implicit: { authorizationUrl: "https://a.example", availableScopes: { read: "" } } },
    scopes: ["read"],
  },
  openId: { type: "openIdConnect", openIdConnectUrl: "https://a.example" },
  certificate: { type: "X509" },
  offered: { type: "http", scheme: "bearer", "x-wsgen": { carrier: "protocol" } },
  asked: { type: "http", scheme: "bearer", "x-wsgen": { carrier: "query" } },
  schlüssel: { type: "http", scheme: "bearer", "x-wsgen": { carrier: "protocol" } },
  said: { type: "http", scheme: "bearer", "x-wsgen": { carrier: "message" } },
};
type Scheme = keyof typeof schemes;

const v3 = (title: string, security: readonly Scheme[]): object => ({
  asyncapi: "3.1.0",
  info: { title, version: "1.0.0" },
  servers: {
    local: { host: "localhost", protocol: "ws", security: security.map((name) => ({ $ref: `#/components/securitySchemes/${name}` })) },
  },
  channels: {
    door: {
      address: "/door/{floor}",
      parameters: { floor: { enum: ["1", "2"] } },
      messages: { knock: { payload: { type: "object", required: ["type"], properties: { type: { const: "knock" } } } } },
    },
  },
  operations: { knock: { action: "receive", channel: { $ref: "#/channels/door" } } },
  components: { securitySchemes: Object.fromEntries(security.map((name) => [name, schemes[name]])) },
  "x-wsgen": { perspective: "server", name: title },
});
const v2 = (title: string, server: readonly object[], operation: readonly object[] = []): object => ({
  asyncapi: "2.6.0",
  info: { title, version: "1.0.0" },
  servers: { local: { url: "ws://localhost", protocol: "ws", security: server } },
  channels: {
    "/door/{floor}": {
      parameters: { floor: { schema: { type: "string" } } },
      publish: { security: operation, message: { name: "knock", payload: { type: "object", properties: { type: { const: "knock" } } } } },
    },
  },
  components: {
    securitySchemes: {
      ...Object.fromEntries((["key", "header", "login", "bearer"] as const).map((name) => [name, schemes[name]])),
      oauth: { type: "oauth2", flows: { implicit: { authorizationUrl: "https://a.example", scopes: { write: "" } } } },
    },
  },
  "x-wsgen": { name: title },
});

const documents = {
  ...Object.fromEntries((Object.keys(schemes) as Scheme[]).map((name) => [`One${name}`, v3(`One${name}`, [name])])),
  Either: v3("Either", ["header", "bearer"]),
  Both: v2("Both", [{ key: [], header: [] }], [{ oauth: ["write"] }]),
  Anyone: v2("Anyone", [{ bearer: [] }, {}]),
};

beforeAll(async () => {
  rmSync(output, { recursive: true, force: true });
  for (const [name, value] of Object.entries(documents)) {
    mkdirSync(join(output, name), { recursive: true });
    const path = join(output, `${name}.json`);
    writeFileSync(path, JSON.stringify(value));
    const { diagnostics } = await generate({ document: path, out: join(output, name), schemas: false });
    expect(
      diagnostics.filter(({ severity }) => severity !== "hint"),
      name,
    ).toEqual([]);
  }
}, 60_000);

type Hook = (credentials: never, request: { readonly params: object; readonly signal: AbortSignal }) => unknown;
interface Conn {
  readonly context: object;
  readonly protocol: string;
}
interface Client {
  readonly url: string;
  getSnapshot(): object;
  close(): Promise<unknown>;
}

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Started {
  readonly server: RunningServer;
  readonly url: string;
  readonly conns: Conn[];
  readonly errors: unknown[];
}

async function start(name: string, authenticate: Record<string, Hook>, options: object = {}, http?: object): Promise<Started> {
  const module = (await import(join(output, name, "server.ts"))) as Record<
    string,
    (router: Router, handlers: object, options: object) => unknown
  >;
  const conns: Conn[] = [];
  const errors: unknown[] = [];
  const router = createRouter({ handshakeTimeout: 300, onError: (error) => errors.push(error) });
  const door = { open: (conn: Conn) => void conns.push(conn), messages: { knock() {} } };
  module[`register${name}`]!(router, { door }, { ...options, authenticate });
  const server = await serve(router, { host: "127.0.0.1", signals: [], ...http });
  opened.push(server);
  return { server, url: server.url, conns, errors };
}

async function enter(name: string, url: string, credentials: object | undefined, options: object = {}): Promise<Client> {
  const module = (await import(join(output, name, "client.ts"))) as Record<
    string,
    (url: string, options: object) => Record<string, (params: object) => Promise<Client>>
  >;
  const client = await module[`create${name}Client`]!(url, { ...options, credentials })["door"]!({ floor: "1" });
  opened.push(client);
  return client;
}

/** What the server answers to a handshake with these headers. */
async function answer(url: string, headers: Record<string, string> = {}, protocols: readonly string[] = []): Promise<UpgradeRejectedError> {
  const failed = await dial(`${url}`, { headers, protocols }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(UpgradeRejectedError);
  return failed as UpgradeRejectedError;
}

const ada = { username: "ada", password: "p:ä" };
/** Of each scheme: what a client gives, and where it must be found on the wire. */
const travels: { readonly [Name in Exclude<Scheme, "certificate" | "said">]: { readonly given: unknown; readonly sent: RegExp } } = {
  key: { given: "s3cret &", sent: /^\/door\/1\?api-key=s3cret\+%26 / },
  header: { given: "s3cret", sent: /\nx-key: s3cret\n/ },
  session: { given: "s3cret", sent: /\ncookie: sid=s3cret\n/ },
  bearer: { given: "s3cret", sent: /\nauthorization: Bearer s3cret\n/ },
  login: { given: ada, sent: /\nauthorization: Basic YWRhOnA6w6Q=\n/ },
  user: { given: ada, sent: /\nauthorization: Basic YWRhOnA6w6Q=\n/ },
  broker: { given: "s3cret", sent: /\nauthorization: Basic czNjcmV0Og==\n/ },
  brokerPassword: { given: "s3cret", sent: /\nauthorization: Basic OnMzY3JldA==\n/ },
  sasl: { given: ada, sent: /\nauthorization: Basic YWRhOnA6w6Q=\n/ },
  digest: { given: 'username="s3cret", uri="/"', sent: /\nauthorization: Digest username="s3cret", uri="\/"\n/ },
  oauth: { given: "s3cret", sent: /\nauthorization: Bearer s3cret\n/ },
  openId: { given: "s3cret", sent: /\nauthorization: Bearer s3cret\n/ },
  offered: { given: "s3cret", sent: /\nsec-websocket-protocol: offered,offered\.czNjcmV0\n/ },
  schlüssel: { given: "s3cret", sent: /\nsec-websocket-protocol: schl%C3%BCssel,schl%C3%BCssel\.czNjcmV0\n/ },
  asked: { given: "s3cret", sent: /^\/door\/1\?access_token=s3cret / },
};

describe.each(Object.entries(travels))("the scheme %s", (scheme, { given, sent }) => {
  const name = `One${scheme}`;

  it("brings its credentials to its hook, whose result is in the context", async () => {
    const seen: unknown[] = [];
    let wire = "";
    const { url, conns } = await start(name, {
      [scheme]: (credentials, request) => {
        const { target, headers } = request as unknown as { readonly target: string; readonly headers: Headers };
        wire = `${target} \n${[...headers].map((pair) => pair.join(": ")).join("\n")}\n`;
        seen.push(credentials, request.params);
        return { user: "ada" };
      },
    });
    const client = await enter(name, url, { [scheme]: () => Promise.resolve(given) });
    await until(() => conns.length > 0);
    expect(seen).toEqual([given, { floor: "1" }]);
    expect(wire).toMatch(sent);
    expect(conns[0]?.context).toEqual({ user: "ada" });
    expect(conns[0]?.protocol).toBe({ offered: "offered", schlüssel: "schl%C3%BCssel" }[scheme] ?? "");
    expect(client.url).toBe(`${url}/door/1`);
  });

  it("answers 401 without them, and 403 when the hook refuses", async () => {
    const { url, conns } = await start(name, { [scheme]: () => undefined });
    const missing = await answer(`${url}/door/1`);
    expect(missing.status).toBe(401);
    expect(missing.headers?.get("www-authenticate") ?? "").toBe(
      /^(bearer|oauth|openId)$/.test(scheme)
        ? `Bearer realm="${name}"`
        : /^(login|user|broker|brokerPassword|sasl)$/.test(scheme)
          ? `Basic realm="${name}"`
          : scheme === "digest"
            ? `Digest realm="${name}"`
            : "",
    );
    const refused = await enter(name, url, { [scheme]: given }, { reconnect: false }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "WSGEN_UPGRADE_REJECTED", status: 403 });
    expect(`${String(refused)}${JSON.stringify(refused)}`).not.toMatch(/s3cret|czNjcmV0|OnMzY3JldA|YWRhOn/);
    expect(conns).toEqual([]);
  });

  it("is shown by a WebSocket that cannot set headers, or refused with the way out", async () => {
    // As in a browser: it looks at two arguments alone, and it fails where none of the offered subprotocols is agreed on.
    vi.stubGlobal(
      "WebSocket",
      class extends WebSocket {
        constructor(...given: readonly unknown[]) {
          expect((given[2] as { readonly headers?: object } | undefined)?.headers ?? {}).toEqual({});
          super(given[0] as string, given[1] as string[]);
        }
      },
    );
    const { url, conns } = await start(name, { [scheme]: () => ({}) });
    const { contract } = (await import(join(output, name, "contract.client.ts"))) as {
      contract: { readonly schemes: Readonly<Record<string, { readonly in: string }>> };
    };
    const shown = credentials(contract as never, { credentials: { [scheme]: given as string } });
    const door = createPlatformClient<{ door(params: object): Promise<Client> }>(contract as never, url, shown, [guards, handshake]).door({
      floor: "1",
    });
    const { in: where } = contract.schemes[scheme]!;
    if (where === "query" || where === "protocol") {
      opened.push(await door);
      await until(() => conns.length === 1);
      return;
    }
    const refused = await door.then(String, (error: unknown) => error);
    expect(refused).toMatchObject({ code: "WSGEN_USAGE" });
    expect(String(refused)).toMatch(
      where === "cookie" ? /sends by itself or not at all/ : /choose `x-wsgen: \{ carrier: query \}` or `protocol`/,
    );
    expect(String(refused)).not.toMatch(/s3cret/);
    expect(conns).toEqual([]);
  });
});

it("takes what cannot be read for missing: no Bearer, bad base64, no colon, not UTF-8, two of one", async () => {
  const calls: unknown[] = [];
  const hook: Hook = (credentials) => calls.push(credentials) && {};
  const login = await start("Onelogin", { login: hook });
  for (const authorization of ["Basic", "Basic ", "Basic ***", "Basic YWRh", "Basic gYI6gYI=", "Bearer YWRhOnA=", "Basic YWRhOnA= x"])
    expect((await answer(`${login.url}/door/1`, { authorization })).status, authorization).toBe(401);
  const bearer = await start("Onebearer", { bearer: hook });
  for (const authorization of ["Bearer", "Bearer a, Bearer b", "bearer", "Token a"])
    expect((await answer(`${bearer.url}/door/1`, { authorization })).status, authorization).toBe(401);
  const key = await start("Onekey", { key: hook });
  for (const query of ["api-key=", "api-key=a&api-key=b", "API-KEY=a"])
    expect((await answer(`${key.url}/door/1?${query}`)).status).toBe(401);
  const session = await start("Onesession", { session: hook });
  for (const cookie of ["sid", "sid=", "xsid=a", "a=sid=b"]) expect((await answer(`${session.url}/door/1`, { cookie })).status).toBe(401);
  const offered = await start("Oneoffered", { offered: hook });
  for (const protocols of [["offered"], ["offered", "offered.*"], ["offered."]])
    expect((await answer(`${offered.url}/door/1`, {}, protocols)).status).toBe(401);
  expect(calls).toEqual([]);
});

it("asks no hook before path, query and headers are right", async () => {
  const calls: unknown[] = [];
  const { url } = await start("Onebearer", { bearer: (token) => calls.push(token) && {} });
  expect((await answer(`${url}/door/9`, { authorization: "Bearer a" })).status).toBe(400);
  expect(calls).toEqual([]);
});

it("gives the hook's own Response, 500 and a word to onError when it throws, 503 when it takes too long", async () => {
  const signals: AbortSignal[] = [];
  const { url, errors } = await start("Onebearer", {
    bearer: (token: string, { signal }) => {
      signals.push(signal);
      if (token === "own") return new Response("expired\n", { status: 401, headers: { "www-authenticate": "Bearer error=invalid_token" } });
      if (token === "slow") return new Promise(() => {});
      if (token === "true") return true;
      throw new Error("database");
    },
  });
  const with_ = (token: string) => answer(`${url}/door/1`, { authorization: `Bearer ${token}` });
  const own = await with_("own");
  expect([own.status, own.body, own.headers?.get("www-authenticate")]).toEqual([401, "expired\n", "Bearer error=invalid_token"]);
  expect((await with_("bad")).status).toBe(500);
  expect(errors.map(String)).toEqual(["Error: database"]);
  expect((await with_("true")).status).toBe(500);
  expect(String(errors[1])).toContain(
    'Onebearer, endpoint "door": authenticate.bearer gave true. Return an object to let the client in (what conn.context gets, {} for nothing), ' +
      "undefined to refuse it (403), or a Response of your own.",
  );
  expect((await with_("slow")).status).toBe(503);
  expect(signals.at(-1)?.aborted).toBe(true);
});

describe("alternatives", () => {
  it("of 3.x are each enough, asked in the document's order; 401 names them all", async () => {
    const calls: string[] = [];
    const { url, conns } = await start("Either", {
      header: (key: string) => calls.push("header") && (key === "good" ? { by: "header" } : undefined),
      bearer: (token: string) => calls.push("bearer") && (token === "good" ? { by: "bearer" } : undefined),
    });
    await enter("Either", url, { bearer: "good" });
    opened.push(await dial(`${url}/door/1`, { headers: { "x-key": "bad", authorization: "bearer good" } }));
    await until(() => conns.length === 2);
    expect(conns.map(({ context }) => context)).toEqual([{ by: "bearer" }, { by: "bearer" }]);
    expect(calls).toEqual(["bearer", "header", "bearer"]);
    expect((await answer(`${url}/door/1`, { "x-key": "bad" })).status).toBe(403);
    expect(JSON.parse((await answer(`${url}/door/1`)).body ?? "")).toEqual({
      title: "Credentials are missing.",
      status: 401,
      detail: 'Send the header "X-Key"; or the header "Authorization" with the scheme Bearer.',
    });
  });

  it("of 2.x in one object are needed together, and those of all operations beside the server's", async () => {
    const calls: string[] = [];
    const hook = (name: string) => () => calls.push(name) && { [name]: true };
    const { url, conns } = await start("Both", {
      key: hook("key"),
      header: hook("header"),
      oauth: hook("oauth"),
    });
    expect((await answer(`${url}/door/1?api-key=a`, { authorization: "Bearer t" })).status).toBe(401);
    expect((await answer(`${url}/door/1?api-key=a`, { "x-key": "b" })).status).toBe(401);
    expect(calls).toEqual([]);
    await enter("Both", url, { key: "a", header: "b", oauth: "c" });
    await until(() => conns.length === 1);
    expect(conns[0]?.context).toEqual({ key: true, header: true, oauth: true });
  });

  it("with an empty one let everybody in, but nobody whose credentials are refused", async () => {
    const { url, conns } = await start("Anyone", { bearer: (token: string) => (token === "good" ? { user: "ada" } : undefined) });
    await enter("Anyone", url, undefined);
    await enter("Anyone", url, { bearer: "good" });
    await until(() => conns.length === 2);
    expect(conns.map(({ context }) => context)).toEqual([{}, { user: "ada" }]);
    expect((await answer(`${url}/door/1`, { authorization: "Bearer bad" })).status).toBe(403);
  });
});

describe("a certificate", () => {
  const pem = (name: string) => join(output, `${name}.pem`);
  const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { stdio: "ignore" });
  const create = (name: string, subject: string) =>
    openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", subject],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem(`${name}-key`), "-out", pem(name)],
    );

  it("comes to its hook when the server's ca signed it; none, or a stranger's, is 401", async () => {
    create("server", "/CN=localhost");
    create("ada", "/CN=ada");
    create("eve", "/CN=eve");
    const [cert, key, ca] = [readFileSync(pem("server")), readFileSync(pem("server-key")), readFileSync(pem("ada"))];
    const http = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
    const names: unknown[] = [];
    const hook: Hook = (certificate: { readonly subject: { readonly CN: string } }) => {
      names.push(certificate.subject.CN);
      return { name: certificate.subject.CN };
    };
    const { url, conns } = await start("Onecertificate", { certificate: hook }, {}, { server: http });
    const tls = (name: string) => ({ tls: { ca: cert, cert: readFileSync(pem(name)), key: readFileSync(pem(`${name}-key`)) } });
    await enter("Onecertificate", url, undefined, tls("ada"));
    await until(() => conns.length === 1);
    expect(conns[0]?.context).toEqual({ name: "ada" });
    const failed = (options: object) =>
      enter("Onecertificate", url, undefined, { ...options, reconnect: false }).catch((error: unknown) => error);
    expect(await failed(tls("eve"))).toMatchObject({ status: 401 });
    expect(await failed({ tls: { ca: cert } })).toMatchObject({ status: 401 });
    expect(names).toEqual(["ada"]);
  });
});

describe("credentials of a client", () => {
  it("are asked for anew before each attempt", async () => {
    const tokens: string[] = [];
    const { url, server } = await start("Onebearer", { bearer: (token: string) => tokens.push(token) && { token } });
    let count = 0;
    const client = await enter("Onebearer", url, { bearer: () => Promise.resolve(`t${++count}`) }, { reconnect: { maxDelay: 10 } });
    const port = Number(new URL(url).port);
    await server.close();
    const next = await start("Onebearer", { bearer: (token: string) => tokens.push(token) && { token } }, {}, { port });
    await until(() => next.conns.length === 1);
    expect(tokens).toEqual(["t1", `t${count}`]);
    expect(count).toBeGreaterThan(1);
    expect(JSON.stringify(client.getSnapshot())).not.toContain("t1");
  });
});

it("refuses to register without a hook, and asks for none where credentials come in messages", async () => {
  await expect(start("Onebearer", {})).rejects.toThrow(
    'Onebearer, endpoint "door" asks for the security scheme "bearer": add bearer(credentials, request) to `authenticate`.',
  );
  const { url, conns } = await start("Onesaid", {});
  opened.push(await dial(`${url}/door/1`));
  await until(() => conns.length === 1);
});

describe("what a document asks for", () => {
  const said = async (document: object) => {
    const path = join(output, "Said.json");
    writeFileSync(path, JSON.stringify(document, null, 1));
    const { diagnostics, ok } = await generate({ document: path, out: join(output, "Said"), schemas: false });
    return { ok, lines: diagnostics.map(({ severity, code, position, message }) => `${severity} ${code} ${position?.line} ${message}`) };
  };

  it.each(["symmetricEncryption", "asymmetricEncryption", "scramSha256", "scramSha512", "gssapi"])(
    "by the scheme %s has no form in a handshake: a warning where it is written, and nothing is asked for",
    async (type) => {
      const { ok, lines } = await said({
        ...v3("Said", []),
        servers: { local: { host: "localhost", protocol: "ws", security: [{ $ref: "#/components/securitySchemes/it" }] } },
        components: { securitySchemes: { it: { type } } },
      });
      expect(ok).toBe(true);
      expect(lines).toEqual([
        expect.stringMatching(new RegExp(`^warning security \\d+ The security scheme \`it\` \\(\`${type}\`\\) has no form`)),
      ]);
      expect(readFileSync(join(output, "Said", "server.ts"), "utf8")).not.toContain("authenticate");
    },
  );

  it("is bounded: a thousand ways on the server times a thousand on its operations are an error, at once", async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    const document = v2(
      "Said",
      many.map((index) => ({ [`s${index}`]: [] })),
      many.map((index) => ({ [`o${index}`]: [] })),
    );
    const scheme = (index: number) => ({ type: "httpApiKey", in: "header", name: `X-${index}` });
    const all = many.flatMap((index) => [`s${index}`, `o${index}`].map((name) => [name, scheme(index)]));
    const begun = process.memoryUsage().heapUsed;
    const { ok, lines } = await said({ ...document, components: { securitySchemes: Object.fromEntries(all) } });
    expect(ok).toBe(false);
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([
      expect.stringMatching(
        /^error security-combinations \d+ .* any of 1000 combinations .* any of 1000 from its operations: more than 64 ways/,
      ),
    ]);
    expect(process.memoryUsage().heapUsed - begun).toBeLessThan(200 * 1024 * 1024);
  }, 30_000);

  it("differently by its operations is what any of them asks for, with a warning", async () => {
    const document = v2("Said", [], [{ login: [] }]) as { readonly channels: Record<string, object> };
    const subscribe = { security: [{ bearer: [] }], message: { name: "bell", payload: { type: "object" } } };
    const { ok, lines } = await said({
      ...document,
      channels: { "/door/{floor}": { ...document.channels["/door/{floor}"], subscribe } },
    });
    expect(ok).toBe(true);
    expect(lines).toEqual([
      expect.stringMatching(/^warning operation-security \d+ The operations of `\/door\/\{floor\}` ask for different/),
    ]);
    expect(readFileSync(join(output, "Said", "contract.server.ts"), "utf8")).toContain('security: [["login"], ["bearer"]]');
  });

  it("at one place twice can be shown by nobody, and is warned about", async () => {
    const { lines } = await said(v2("Said", [{ login: [], bearer: [] }]));
    expect(lines).toEqual([
      expect.stringMatching(
        /^warning security-clash \d+ `\w+` and `\w+` are asked for together and both travel in the header `Authorization`, so nobody/,
      ),
    ]);
  });
});

it("what is generated compiles under the strictest tsconfig, and the hooks' results are the context's types", () => {
  writeFileSync(
    join(output, "use.ts"),
    `import { createRouter } from "@wsgen/runtime";
import { createEitherClient } from "./Either/client.js";
import { type DoorHandler, registerEither } from "./Either/server.js";
import { type DoorHandler as OneHandler, registerOnebearer } from "./Onebearer/server.js";
import { registerAnyone } from "./Anyone/server.js";

const router = createRouter().use((_request, next) => next({ trace: 1 }));
const door: OneHandler<{ user: string; trace: number }> = { messages: { knock(_, { context }) { context.user.at(context.trace); } } };
registerOnebearer(router, { door }, { authenticate: { bearer: async (token) => (token === "t" ? { user: "ada" } : undefined) } });
registerOnebearer(router, { door }, { authenticate: { bearer: (token, { context }) => ({ user: token.repeat(context.trace) }) } });
// @ts-expect-error: there is no hook
registerOnebearer(router, { door });
// @ts-expect-error: the handlers want a user
registerOnebearer(router, { door }, { authenticate: { bearer: (token) => ({ token }) } });
// @ts-expect-error: null is no answer
registerOnebearer(router, { door }, { authenticate: { bearer: () => null } });

const nobody: OneHandler = { messages: { knock() {} } };
registerOnebearer(router, { door: nobody }, { authenticate: { bearer: () => undefined } });
// Whoever answers with something else is told so there, and not at the handlers.
registerOnebearer(router, { door }, {
  authenticate: {
    // @ts-expect-error: true is no context
    bearer: (token) => token === "t",
  },
});
registerOnebearer(router, { door: nobody }, {
  authenticate: {
    // @ts-expect-error: nor is a promise of it
    bearer: async (token) => token === "t",
  },
});

const either: DoorHandler<{ user: string } | { service: number }> = { messages: { knock(_, { context }) { "user" in context ? context.user.at(0) : context.service.toFixed(); } } };
registerEither(router, { door: either }, { authenticate: { header: (key) => ({ service: key.length }), bearer: () => ({ user: "ada" }) } });
registerAnyone(router, { door: { messages: { knock(_, { context }) { context.user?.at(0); } } } }, { authenticate: { bearer: (_: string) => ({ user: "ada" }) } });

createEitherClient("ws://localhost", { credentials: { bearer: "a", header: async () => "b" } });
// @ts-expect-error: no such scheme
createEitherClient("ws://localhost", { credentials: { baerer: "a" } });
// @ts-expect-error: a token is text
createEitherClient("ws://localhost", { credentials: { bearer: { username: "a", password: "b" } } });
`,
  );
  writeFileSync(
    join(output, "tsconfig.json"),
    JSON.stringify({
      extends: "../../../tsconfig.json",
      compilerOptions: { noEmit: true, composite: false, noPropertyAccessFromIndexSignature: true, isolatedModules: true },
      include: ["**/*.ts"],
      references: [],
    }),
  );
  const tsc = new URL("../../node_modules/typescript/bin/tsc", import.meta.url).pathname;
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", output], { encoding: "utf8" });
  expect(stdout).toBe("");
}, 60_000);
