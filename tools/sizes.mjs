// What a browser loads for the client, in bytes of min+gzip, and the most it may be. `npm run check` prints and holds it; `npm run bench -- size` puts the
// peers beside it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
const runtime = join(root, "runtime/src");

/** The size of what a bundler makes of some code for browsers. */
export async function bundleSize(code, { folder = runtime } = {}) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: folder, loader: "ts" },
    alias: { "@wsgen/runtime/generated/client": join(runtime, "contract/generated/client.ts") },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

/** Sizes of our own clients: the core, and those of the chat. */
export async function ownSizes() {
  const { generate } = await import("../codegen/dist/index.js");
  const out = mkdtempSync(join(tmpdir(), "wsgen-sizes-"));
  try {
    await generate({ document: join(root, "specs/chat.yaml"), out, unchecked: true, schemas: false });
    const chat = (file) =>
      bundleSize(`import { createChatClient } from "./${file}"; globalThis.client = createChatClient;`, { folder: out });
    return {
      core: await bundleSize('import { createClient } from "./client/index.ts"; globalThis.client = createClient;'),
      "chat, unchecked": await chat("client.unchecked.ts"),
      "chat, with its guards": await chat("client.ts"),
    };
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** A line that only moves down, but for a reason that docs/decisions.md gives. The core's is DESIGN section 8. */
const budgets = { core: 4_096, "chat, unchecked": 6_950, "chat, with its guards": 9_060 };

if (process.argv[1] === new URL(import.meta.url).pathname) {
  let over = 0;
  for (const [name, size] of Object.entries(await ownSizes())) {
    const verdict = size <= budgets[name] ? "" : "  ✗ over budget";
    if (verdict !== "") over++;
    console.log(`${String(size).padStart(6)} of ${budgets[name]} bytes  ${name}${verdict}`);
  }
  process.exit(over === 0 ? 0 : 1);
}
