import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const source = new URL("../../../runtime/src/", import.meta.url).pathname;

/** What a browser loads for one import, as a bundler makes it. */
async function bundle(code: string) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: source, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  const modules = Object.entries(output?.inputs ?? {}).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : []));
  return { modules, text: outputFiles[0]?.text ?? "", gzipped: gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length };
}

describe("the client in a browser", () => {
  it("loads nothing of the server, no ws and no Node module", async () => {
    const { modules } = await bundle('export * from "./contract/generated/client.ts"; export * from "./client/index.ts";');
    expect(modules.map((name) => name.replace(/^.*runtime\/src\//, "")).toSorted()).toEqual([
      "client/address.ts",
      "client/answers.ts",
      "client/check.ts",
      "client/choices.ts",
      "client/codec.ts",
      "client/connection.ts",
      "client/create.ts",
      "client/encoders.ts",
      "client/inbox.ts",
      "client/index.ts",
      "client/life.ts",
      "client/requests.ts",
      "client/retry.ts",
      "client/topics.ts",
      "contract/dispatch.ts",
      "contract/path.ts",
      "contract/requests.ts",
      "contract/version.ts",
      "errors.ts",
    ]);
  });

  it("ships no syntax that browsers of the last years do not have", async () => {
    const { text } = await bundle('export * from "./client/index.ts";');
    expect(text).not.toMatch(/await using|\busing\s+\w+\s*=/);
  });

  it("stays within its budget of bytes", async () => {
    const { gzipped } = await bundle('import { createClient } from "./client/index.ts"; globalThis.client = createClient;');
    // DESIGN section 8 wants 4,096 in the end; this holds the line until then.
    expect(gzipped).toBeLessThan(5_350);
  });
});
