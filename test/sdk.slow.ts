import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createRouter, serve } from "@wsgen/runtime";
import { chromium } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerChat } from "../generated/chat/server.js";
import { pack } from "../tools/pack.mjs";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** A client that is published: generated with the packed wsgen, packed, and used by a stranger's program in an empty folder. */
describe("a generated package", () => {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-sdk-"));
  const [maker, app] = [join(folder, "maker"), join(folder, "app")];
  const posts: string[] = [];
  let url: string;
  let stop: () => Promise<unknown>;
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeAll(async () => {
    const router = createRouter({ insecureAllowAnyOrigin: true });
    registerChat(router, {
      room: {
        open: (conn) => conn.join(conn.params.roomId),
        messages: {
          postMessage({ text }, conn) {
            posts.push(text);
            conn
              .to(conn.params.roomId)
              .send.messagePosted({ post: { id: "1", by: conn.query.username, text, at: "2026-01-01T00:00:00Z" } });
          },
          history: () => ({ posts: [] }),
        },
      },
    });
    const server = await serve(router, { port: 0, host: "127.0.0.1" });
    url = `ws://127.0.0.1:${server.port}`;
    stop = () => server.close();

    const tarballs = pack(folder);
    for (const project of [maker, app]) {
      mkdirSync(project);
      writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    }
    writeFileSync(join(maker, "chat.yaml"), readFileSync(new URL("../specs/chat.yaml", import.meta.url)));
    install(maker, tarballs.wsgen);
    succeed("npx", ["wsgen", "generate", "chat.yaml", "--side", "client", "--package", "@acme/chat", "--out", "sdk"], maker);
    // The runtime is not published yet: its tarball stands in for the registry's.
    const sdk = join(maker, "sdk");
    install(sdk, "--no-save", tarballs.runtime);
    succeed("npm", ["pack", "--ignore-scripts=false", "--pack-destination", folder], sdk);
    const packed = readdirSync(folder).find((name) => name.startsWith("acme-chat-"));
    expect(packed).toBe("acme-chat-1.0.0.tgz");
    install(app, join(folder, packed ?? ""), tarballs.runtime, "typescript@7.0.2");
  });

  it("holds JavaScript, declarations, the README, and nothing else", () => {
    const files = readdirSync(join(app, "node_modules/@acme/chat"), { recursive: true, encoding: "utf8" }).filter(
      (name) => name !== "dist",
    );
    const modules = ["client", "contract.client", "index", "schemas", "types", "validators"];
    const dist = modules.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]);
    expect(files.toSorted()).toEqual(["README.md", ...dist, "package.json"].toSorted());
    expect(existsSync(join(app, "node_modules/typebox"))).toBe(false);
  });

  it("compiles with a plain tsc under the strictest rules, its README's example too, and runs on Node", async () => {
    const readme = readFileSync(join(app, "node_modules/@acme/chat/README.md"), "utf8");
    writeFileSync(join(app, "readme.ts"), /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "");
    writeFileSync(join(app, "main.ts"), program("console.log"));
    writeFileSync(
      join(app, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "es2022",
          lib: ["es2022", "dom", "esnext.disposable"],
          module: "nodenext",
          outDir: "out",
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          verbatimModuleSyntax: true,
        },
        files: ["main.ts", "readme.ts"],
      }),
    );
    succeed("npx", ["tsc"], app);
    expect((await run(process.execPath, ["out/main.js"], app)).trim()).toBe("0 posts, Ada: from a stranger, ContractError /text");
  });

  it("is bundled by Vite, and runs in a browser", async (context) => {
    writeFileSync(join(app, "index.html"), '<!doctype html><pre id="out"></pre><script type="module" src="/page.ts"></script>');
    writeFileSync(join(app, "page.ts"), program('((text: string) => (document.querySelector("#out")!.textContent = text))'));
    await build({ root: app, logLevel: "silent", configFile: false, build: { outDir: "site" } });
    const scripts = readdirSync(join(app, "site/assets")).filter((name) => name.endsWith(".js"));
    const script = readFileSync(join(app, "site/assets", scripts[0] ?? ""));
    expect(scripts).toHaveLength(1);
    expect(script.toString()).not.toMatch(/node:|typebox/);
    console.log(`Vite's bundle of the chat's package: ${script.length} B, ${gzipSync(script, { level: 9 }).length} B gzip`);

    context.skip(!existsSync(executablePath), "no Chromium here");
    const site = createServer((request, response) => {
      const html = request.url === "/";
      response.setHeader("content-type", html ? "text/html" : "text/javascript");
      response.end(html ? readFileSync(join(app, "site/index.html")) : script);
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      await page.getByText("0 posts, Ada: from a stranger, ContractError /text").waitFor();
    } finally {
      await browser.close();
      site.close();
    }
  });

  const program = (show: string): string => `import { ContractError, createChatClient, type Post } from "@acme/chat";
const room = await createChatClient("${url}").room({ roomId: "lobby" }, { query: { username: "Ada" } });
const page = await room.request.history();
const heard = new Promise<Post>((resolve) => room.on.messagePosted(({ post }) => resolve(post)));
await room.send.postMessage({ text: "from a stranger" });
const { by, text } = await heard;
let problem = "";
try {
  room.send.postMessage({ text: "" });
} catch (error) {
  if (error instanceof ContractError) problem = error.name + " " + error.path;
}
await room.close();
${show}(page.posts.length + " posts, " + by + ": " + text + ", " + problem);
`;
});

const install = (project: string, ...what: readonly string[]): string =>
  succeed("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...what], project);

function succeed(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  expect(status, `${command} ${args.join(" ")}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** While this process, which is the server, goes on. */
function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(command, args, { cwd }, (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout))),
  );
}
