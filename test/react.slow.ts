// The component of docs/guides/using-a-client.md in a real browser: a connection is a store that React reads without glue.
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRouter, type RunningServer, serve } from "@wsgen/runtime";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { describe, expect, it } from "vitest";
import { registerChat } from "../generated/chat/server.js";
import { room } from "../specs/chat/handlers/room.ts";
import { extractSnippets } from "./snippets.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const main = `
  import { createRoot } from "react-dom/client";
  import { createChatClient } from "./chat/client.js";
  import { Status } from "./status.tsx";
  const room = createChatClient(location.origin).room({ roomId: "a" }, { query: { username: "Ada" } }).connection;
  createRoot(document.getElementById("root")).render(<Status room={room} />);
  document.getElementById("leave").onclick = () => room.close();
`;

describe.skipIf(!existsSync(executablePath))("a React page", () => {
  it("shows where the connection is: connected, connecting again, connected, disconnected", async () => {
    const page = extractSnippets("docs/guides/using-a-client.md", { chat: true });
    const { outputFiles } = await build({
      stdin: { contents: main, resolveDir: page.folder, loader: "tsx" },
      alias: { "@wsgen/runtime/generated/client": new URL("../runtime/src/contract/generated/client.ts", import.meta.url).pathname },
      bundle: true,
      write: false,
      platform: "browser",
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"production"' },
    });
    page.remove();
    const script = outputFiles[0]?.text ?? "";
    const http = ({ url }: IncomingMessage, response: ServerResponse): void => {
      const isScript = url === "/page.js";
      response.setHeader("content-type", isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8");
      response.end(isScript ? script : '<div id="root"></div><button id="leave">Leave</button><script src="/page.js"></script>');
    };
    const start = (port: number): Promise<RunningServer> => {
      const router = createRouter();
      registerChat(router, { room });
      return serve(router, { host: "127.0.0.1", port, http, signals: [] });
    };

    let server = await start(0);
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    try {
      const tab = await browser.newPage();
      const problems: string[] = [];
      tab.on("pageerror", (error) => problems.push(error.message));
      await tab.goto(server.url.replace("ws", "http"));
      await tab.getByText("Connected").waitFor();
      const { port } = server;
      await server.close();
      await tab.getByText("Connecting again").waitFor();
      server = await start(port);
      await tab.getByText("Connected").waitFor();
      await tab.click("#leave");
      await tab.getByText("Disconnected").waitFor();
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
