import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { emit } from "../../codegen/src/emit/index.ts";
import { type GenerateResult, generate } from "../../codegen/src/index.ts";
import type { Model } from "../../codegen/src/model/model.ts";
import { semanticVersion } from "../../codegen/src/package-file.ts";
import { chat, endpoint, model } from "./emit/chat-model.ts";

const repository = new URL("../../", import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), "wsgen-package-"));
const out = join(root, "sdk");
afterEach(() => rmSync(out, { recursive: true, force: true }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (options: Parameters<typeof generate>[0] = {}): Promise<GenerateResult> =>
  generate({ cwd: repository, document: "specs/chat.yaml", out, package: "@acme/chat", ...options });
const read = (name: string): string => readFileSync(join(out, name), "utf8");
const manifest = () => JSON.parse(read("package.json")) as Record<string, unknown> & { exports: Record<string, unknown> };

describe("a client that is a package", () => {
  it("has the document's version, its sources in src/, and asks for the runtime it was made for", async () => {
    expect(await run()).toMatchObject({ ok: true });
    expect(manifest()).toMatchObject({ name: "@acme/chat", version: "1.0.0", type: "module", sideEffects: false, files: ["dist"] });
    expect(manifest()).toMatchObject({
      dependencies: { "@wsgen/runtime": "^0.1.0" },
      peerDependenciesMeta: { typebox: { optional: true } },
    });
    for (const name of ["README.md", "tsconfig.json", "src/index.ts", "src/client.ts", "src/types.ts"])
      expect(existsSync(join(out, name)), name).toBe(true);
    expect(existsSync(join(out, "src/server.ts"))).toBe(false);
    expect(await run({ check: true })).toMatchObject({ ok: true, written: [], removed: [] });
  });

  it("says in its README what may be left out of an address, and what stands for it", async () => {
    const document = join(root, "defaults.json");
    const tick = { payload: { type: "object", properties: { price: { type: "number" } } } };
    const region = { enum: ["eu", "us"], default: "eu" };
    writeFileSync(
      document,
      JSON.stringify({
        asyncapi: "3.0.0",
        info: { title: "Feed", version: "1.0.0" },
        servers: { live: { host: "x.example", protocol: "wss" } },
        channels: {
          feed: { address: "/{region}/feed", parameters: { region }, messages: { tick } },
          room: { address: "/{region}/{id}", parameters: { region, id: {} }, messages: { tick } },
        },
        operations: { feed: { action: "send", channel: { $ref: "#/channels/feed" } } },
      }),
    );
    await run({ document, root });
    expect(read("README.md")).toContain("const connection = await client.feed();");
    expect(read("README.md")).toContain(
      "## `client.feed(params?: FeedParameters)`\n\nConnects to `/{region}/feed`. Where nothing else is given, `region` is `eu`.",
    );
    expect(read("README.md")).toContain("## `client.room(params: RoomParameters)`");
  });

  it("runs no code where it is installed", async () => {
    await run();
    expect(Object.keys(manifest()["scripts"] as object)).toEqual(["build", "prepack"]);
  });

  it("needs no typebox without schemas, and has an entry for the client that checks nothing", async () => {
    await run({ schemas: false, unchecked: true });
    expect(Object.keys(manifest().exports)).toEqual([".", "./unchecked"]);
    expect(read("package.json")).not.toContain("typebox");
  });

  it("keeps what its publisher wrote in package.json, and a version that is further than the document's", async () => {
    await run();
    const mine = {
      ...manifest(),
      license: "MIT",
      version: "1.0.3",
      scripts: { build: "tsc && echo built" },
      dependencies: { "left-pad": "1.3.0" },
    };
    writeFileSync(join(out, "package.json"), JSON.stringify({ ...mine, exports: { "./extra": "./extra.js" } }));
    await run();
    expect(manifest()).toMatchObject({
      license: "MIT",
      version: "1.0.3",
      scripts: { build: "tsc && echo built", prepack: "npm run build" },
    });
    expect(manifest()["dependencies"]).toEqual({ "left-pad": "1.3.0", "@wsgen/runtime": "^0.1.0" });
    expect(Object.keys(manifest().exports)).toEqual([".", "./schemas", "./extra"]);
    const local = { "@wsgen/runtime": "file:../wsgen-runtime-0.1.0.tgz" };
    writeFileSync(join(out, "package.json"), JSON.stringify({ ...mine, dependencies: local, version: "0.9.0" }));
    await run();
    expect(manifest()["version"]).toBe("1.0.0");
    expect(manifest()["dependencies"]).toEqual(local);
  });

  it("is never written over another package, nor where package.json cannot be read", async () => {
    await run();
    expect(await run({ package: "other" })).toMatchObject({ ok: false, diagnostics: [{ code: "other-package" }] });
    writeFileSync(join(out, "package.json"), "{");
    expect(await run()).toMatchObject({ ok: false, diagnostics: [{ code: "other-package" }] });
  });

  it.each(["Chat", "a b", "@acme", "../x", "", "node_modules", "favicon.ico"])("is not called %j", async (name) => {
    expect(await run({ package: name })).toMatchObject({ ok: false, diagnostics: [{ code: "config" }] });
    expect(existsSync(out)).toBe(false);
  });

  it("holds a client and nothing else", async () => {
    expect(await run({ side: "both" })).toMatchObject({ ok: false, diagnostics: [{ code: "config" }] });
  });

  it.each([
    ["1.2.3", "1.2.3"],
    ["v2", "2.0.0"],
    ["0.1", "0.1.0"],
    ["2024-01-05", "2024.1.5"],
    ["1.0.0-beta.1", "1.0.0-beta.1"],
    ["1.0.0-01", "1.0.0"],
    ["next", undefined],
    ["1.2.3.4", undefined],
  ])("takes version %j for %j", (text, version) => {
    expect(semanticVersion(text)).toBe(version);
  });
});

describe("its README", () => {
  const readme = (of = chat): string =>
    emit(of, { side: "client", schemas: false, package: "chat-client" }).files.find(({ path }) => path === "README.md")?.text ?? "";

  it("names every method and message in the document's words", () => {
    const text = readme();
    for (const { clientToServer, serverToClient } of chat.endpoints) {
      for (const { method } of [...clientToServer.messages, ...serverToClient.deliveries]) expect(text).toContain(`.${method}(`);
    }
    expect(text).toContain("## Errors");
  });

  it("asks and reads in its example, calls methods as they are declared, and shows the variables of an address with their defaults", async () => {
    await run();
    const text = read("README.md");
    const example = /```ts\n(.*?)```/s.exec(text)?.[1] ?? "";
    expect(example).toContain("console.log(await connection.request.history(");
    expect(example).toContain("for await (const { name, payload } of connection) console.log(name, payload);");
    expect(example).not.toContain("close()");
    expect(text).toMatch(/connection\.send\.\w+\(payload: Optional<\w+, "type">\)/);
    expect(text).toMatch(/`servers\.\w+\(\{ port\? \}\)` \| `.*` \| .*Where nothing else is given, `port` is `\d+`\. \|/);
    expect(text).not.toMatch(/\| {2}\||Arrives\.|Sends it\./);
    rmSync(out, { recursive: true });
    await run({ document: "specs/market.yaml" });
    expect(read("README.md")).toContain("const topic = await connection.ticker({");
    expect(read("README.md")).toContain("for await (const { name, payload } of topic) console.log(name, payload);");
  });

  it("says that a client needs codecs where the document names content types for them", () => {
    const [first, ...others] = chat.endpoints;
    const { clientToServer, ...endpoint } = first!;
    const messages = clientToServer.messages.map((message) => ({ ...message, format: "encoded" as const, codec: "application/cbor" }));
    const text = readme({ ...chat, endpoints: [{ ...endpoint, clientToServer: { ...clientToServer, messages } }, ...others] });
    expect(text).toContain("servers, type ChatCodecs }");
    expect(text).toContain("declare const codecs: ChatCodecs; // Yours:");
    expect(text).toContain(", { codecs });");
    expect(readme()).not.toContain("odecs");
  });

  it("says what lets clients in, which subprotocols are spoken, and what close codes mean", () => {
    const scheme = (name: string, contract: Model["schemes"][number]["contract"], place: string): Model["schemes"][number] => ({
      name,
      typeName: name,
      docs: { description: `The ${name}.` },
      place,
      scopes: [],
      contract,
      pointer: "#",
    });
    const text = readme({
      ...chat,
      schemes: [
        scheme("login", { carries: "basic", in: "header", name: "Authorization", scheme: "Basic" }, "the header `Authorization` (`Basic`)"),
        scheme("pass", { carries: "certificate", in: "certificate" }, "the TLS connection"),
      ],
      closeCodes: [{ name: "banned", code: 4003, docs: { description: "For good." } }],
      endpoints: chat.endpoints.map((one) => ({
        ...one,
        security: [["login", "pass"]],
        protocols: ["v2", "v1"],
        closeCodes: [{ name: "full", code: 4004, docs: {} }],
      })),
    });
    expect(text).toContain('{ credentials: { login: { username: "…", password: "…" } } });');
    expect(text).toContain("| `credentials.login` | the header `Authorization` (`Basic`) | The login. |");
    expect(text).toContain("Browsers send no headers of a page's own");
    expect(text).toContain("`tls: { cert, key }`");
    expect(text).toContain("Speaks `v2`, `v1`; `connection.protocol` says which was agreed on.");
    expect(text).toContain("| `closeCodes.banned` | 4003 | For good. |\n| `roomCloseCodes.full` | 4004 |  |");
    expect(readme()).not.toMatch(/credentials|Close codes|Speaks/);
  });

  it("keeps a bar of a text in its cell, and headings of the document below its own", () => {
    const loud = { description: "One | two\n\n# Loud" };
    const text = readme({
      ...chat,
      endpoints: chat.endpoints.map((one) => ({ ...one, docs: loud })),
      servers: chat.servers.map((one) => ({ ...one, docs: loud })),
    });
    expect(text).toContain("One \\| two. Where");
    expect(text).toContain("\n### Loud");
  });
});

describe("its index", () => {
  it("exports a type of the document under another name where the client has one of that name", () => {
    const clash = {
      ...model("Chat", [endpoint("room")]),
      types: ["RoomClient", "RoomClientType", "WsgenError", "Post"].map((name) => ({
        name,
        docs: {},
        schema: true,
        guard: false,
        pointer: "#",
      })),
    };
    const text = emit(clash, { side: "client", schemas: false, package: "chat-client" }).files.find(
      ({ path }) => path === "src/index.ts",
    )?.text;
    expect(text).toContain("RoomClient as RoomClientType_, RoomClientType, WsgenError as WsgenErrorType, Post");
  });
});
