// Other people's documents, the whole way, on the sources: generate, compile, and let generated client and generated server talk over real sockets.
// `npm run conformance -- documents` does it with all of them.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as runtime from "@wsgen/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load } from "../../codegen/src/document/load.ts";
import { generate } from "../../codegen/src/generate.ts";
import { buildModel } from "../../codegen/src/model/build.ts";
import { entryOf, filesOf, present } from "../corpus.mjs";
import { selfTest } from "./self-test.mjs";

const output = new URL("../.output/documents/", import.meta.url).pathname;

const slugs = [
  "spec-3.1-websocket-gemini",
  "spec-2.6-websocket-gemini",
  "vulcx",
  "speechmatics-flow",
  "warpcast",
  "citizen-quest",
  "chanx-fastapi-yaml",
  "anychat",
  // Several channels on one socket.
  "spec-3.1-kraken-websocket-request-reply-multiple-channels",
  "qhana-plugins",
  "drivemarkets",
  "tickdb",
  "exchange-mexc",
];

describe.skipIf(!present)("documents of the corpus", () => {
  beforeAll(async () => {
    rmSync(output, { recursive: true, force: true });
    mkdirSync(output, { recursive: true });
    for (const slug of slugs) {
      const result = await generate({ ...filesOf(entryOf(slug)), out: join(output, slug) });
      const errors = result.diagnostics.filter(({ severity }) => severity === "error");
      expect(errors, slug).toEqual([]);
    }
  }, 120_000);
  afterAll(() => rmSync(output, { recursive: true, force: true }));

  it("compile under the strictest tsconfig", () => {
    writeFileSync(
      join(output, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.json",
        compilerOptions: {
          noEmit: true,
          composite: false,
          noPropertyAccessFromIndexSignature: true,
          isolatedModules: true,
          skipLibCheck: false,
        },
        include: ["**/*.ts"],
      }),
    );
    const { stdout, status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", output], { encoding: "utf8" });
    expect(`${stdout}${status}`).toBe("0");
  }, 120_000);

  it.each(slugs)("pass every message to its own handler unchanged, and no invalid one to any, both ways: %s", async (slug) => {
    const files = filesOf(entryOf(slug));
    const document = await load(files.document, { root: files.root });
    const { model, diagnostics } = buildModel(document, { source: slug });
    if (model === undefined) throw new Error(JSON.stringify(diagnostics, null, 2));
    const module = (name: string): Promise<object> => import(join(output, slug, name)) as Promise<object>;
    const [server, client] = [await module("server.ts"), await module("client.ts")];
    const { delivered, attempts, ...problems } = await selfTest({ model, document, server, client, runtime });
    expect(problems).toEqual({ misdelivered: [], leaked: [], unanswered: [], unsampled: [] });
    const messages = model.endpoints.flatMap(({ clientToServer, serverToClient }) => [
      ...clientToServer.messages,
      ...serverToClient.messages,
    ]);
    expect(delivered).toBeGreaterThanOrEqual(messages.length);
    expect(attempts).toBeGreaterThan(0);
  });
});
