import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generate } from "../../../codegen/src/index.ts";

const source = new URL("../../../runtime/src/", import.meta.url).pathname;

/** What a browser loads for one import, as a bundler makes it. */
async function bundle(code: string, { folder = source, minify = true } = {}) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder, loader: "ts" },
    alias: { "@wsgen/runtime/generated/client": `${source}contract/generated/client.ts` },
    bundle: true,
    minify,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  const modules = Object.entries(output?.inputs ?? {}).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : []));
  return { modules, text: outputFiles[0]?.text ?? "" };
}

describe("the client in a browser", () => {
  it("loads nothing of the server, no ws and no Node module", async () => {
    const { modules } = await bundle('export * from "./contract/generated/client.ts"; export * from "./client/index.ts";');
    expect(modules.map((name) => name.replace(/^.*runtime\/src\//, "")).toSorted()).toEqual([
      "client/address.ts",
      "client/answers.ts",
      "client/catch-alls.ts",
      "client/check.ts",
      "client/choices.ts",
      "client/closings.ts",
      "client/codec.ts",
      "client/codecs.ts",
      "client/connection.ts",
      "client/constants.ts",
      "client/create.ts",
      "client/credentials.ts",
      "client/dispatch.ts",
      "client/encoders.ts",
      "client/filled.ts",
      "client/formats.ts",
      "client/guards.ts",
      "client/inbox.ts",
      "client/index.ts",
      "client/life.ts",
      "client/listeners.ts",
      "client/login.ts",
      "client/requests.ts",
      "client/retry.ts",
      "client/subscription-key.ts",
      "client/subscriptions.ts",
      "client/topics.ts",
      "connection/close-meaning.ts",
      "contract/codec.ts",
      "contract/dispatch.ts",
      "contract/encode.ts",
      "contract/path.ts",
      "contract/requests.ts",
      "contract/unlike.ts",
      "contract/version.ts",
      "errors.ts",
    ]);
  });

  it("ships no syntax that browsers of the last years do not have", async () => {
    const { text } = await bundle('export * from "./client/index.ts";');
    expect(text).not.toMatch(/await using|\busing\s+\w+\s*=/);
  });
});

describe("the generated client of the chat", () => {
  const out = mkdtempSync(join(tmpdir(), "wsgen-bundle-"));
  const open = (file: string) =>
    bundle(`import { createChatClient } from "./${file}"; globalThis.client = createChatClient;`, { folder: out, minify: false });
  beforeAll(async () => {
    const document = new URL("../../../specs/chat.yaml", import.meta.url).pathname;
    const { ok } = await generate({ document, out, unchecked: true, schemas: false });
    expect(ok).toBe(true);
  });
  afterAll(() => rmSync(out, { recursive: true }));

  it("carries the guards of its own direction, and no other", async () => {
    const { text } = await open("client.ts");
    const own = readFileSync(join(out, "contract.client.ts"), "utf8").match(/guard: (is\w+)/g) ?? [];
    expect(own.length).toBeGreaterThan(5);
    const carried = [...text.matchAll(/^var (is[A-Z]\w*) = /gm)].map(([, name]) => name);
    expect(carried.toSorted()).toEqual([...new Set(own.map((guard) => guard.slice("guard: ".length)))].toSorted());
  });

  it("carries no guard at all when it is unchecked, and has the same types", async () => {
    const { modules, text } = await open("client.unchecked.ts");
    expect(modules.filter((name) => name.includes("validators"))).toEqual([]);
    expect(text).not.toMatch(/^var is[A-Z]|guard: /m);
    expect(readFileSync(join(out, "client.unchecked.ts"), "utf8")).toContain(`export type * from "./client.js";`);
  });
});
