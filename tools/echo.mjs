// `npm run echo -- --port N [--profile conformance|production]`: a raw text and binary echo server for outside test suites, such as Autobahn.
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** `production` is what a route gets that says nothing; `conformance` raises the limits that test suites run into. */
const limits = {
  production: {},
  conformance: { maxMessageSize: 64 * 2 ** 20, maxFragments: 2 ** 31, highWaterMark: 64 * 2 ** 20 },
};

/** Starts the server with a runtime: `@wsgen/runtime`, built or not. Gives what `serve` gives. */
export function startEcho({ createRouter, serve }, { port = 0, host = "127.0.0.1", profile = "production" } = {}) {
  const router = createRouter({ limits: limits[profile], insecureAllowAnyOrigin: true, deflate: true });
  router.ws("/", async (conn) => {
    for await (const message of conn.messages()) await conn.send(message);
  });
  return serve(router, { port, host });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const options = { port: { type: "string", default: "9001" }, profile: { type: "string", default: "production" } };
  const { values } = parseArgs({ options });
  const { port, profile } = values;
  if (!/^\d{1,5}$/.test(port) || !Object.hasOwn(limits, profile)) {
    console.error("usage: npm run echo -- [--port N] [--profile conformance|production]");
    process.exit(2);
  }
  const server = await startEcho(await import("@wsgen/runtime"), { port: Number(port), profile });
  console.log(`echo (${profile}): ${server.url}`);
}
