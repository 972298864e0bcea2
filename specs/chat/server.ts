import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { createRouter, serve } from "@wsgen/runtime";
import { registerChat } from "../../generated/chat/server.js";
import { room } from "./handlers/room.js";

const router = createRouter();

// A path that is always refused: the decision is a value, and the Response reaches whoever knocked.
router.ws("/deny", {
  upgrade: () => new Response("Nobody may enter here.\n", { status: 403 }),
  handler: async () => {},
});

registerChat(router, { room });

const port = Number(process.env["PORT"] ?? 3000);
const server = await serve(router, {
  port,
  host: "127.0.0.1",
  http: (request, response) => void servePage(request, response),
}).catch((error: NodeJS.ErrnoException) => {
  if (error.code !== "EADDRINUSE") throw error;
  console.error(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`);
  process.exit(1);
});

console.log(`
  Chat is running. Open this address in two tabs and talk to yourself:

    http://localhost:${server.port}/

  Any WebSocket client can join too:  ws://localhost:${server.port}/rooms/lobby?username=ada
  Without a username it is refused with 400, and ws://localhost:${server.port}/deny with 403.
  Ctrl-C stops it.
`);

/** Where the page's files are: its own, the compiled ones and the runtime, all plain ES modules. */
async function servePage(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
  const file =
    path === "/"
      ? "specs/chat/page/index.html"
      : path === "/page.css"
        ? "specs/chat/page/page.css"
        : path.startsWith("/runtime/")
          ? join("runtime/dist", path.slice("/runtime/".length))
          : /^\/(specs\/chat\/page|generated\/chat)\/[^.]+(\.client)?\.js$/.test(path)
            ? join("dist", path)
            : undefined;
  try {
    if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) throw new Error("not served");
    const body = await readFile(file);
    response.writeHead(200, { "content-type": contentTypes[extname(file)] ?? "text/plain", "cache-control": "no-cache" }).end(body);
  } catch {
    response.writeHead(404, { "content-type": "text/plain" }).end("Not found\n");
  }
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};
