// The chat's generated contract, compiled for subjects that need real guards: one file in the cache, which leaves the runtime to be imported.
import { build } from "esbuild";

const root = new URL("../../", import.meta.url);

/** Gives `registerChat` of generated/chat. */
export async function importChat() {
  const outfile = new URL(`node_modules/.cache/wsgen-faults/chat-${process.pid}.mjs`, root);
  await build({
    entryPoints: [new URL("generated/chat/server.ts", root).pathname],
    outfile: outfile.pathname,
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["@wsgen/runtime"],
    logLevel: "error",
  });
  const { registerChat } = await import(outfile.href);
  return registerChat;
}
