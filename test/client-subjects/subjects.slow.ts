// One suite, many subjects: Node, Chromium, Bun and Deno, each against our server and against one that was written by hand. Node is the one that runs this
// (`npm run test:matrix` runs it on every line of Node, and fetches Bun and Deno); what is not there is skipped, and says so.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChatServer, startByHand, startOurs } from "./servers.ts";
import type { Outcome } from "./suite.ts";

const root = new URL("../../", import.meta.url).pathname;
const output = join(root, "test/.output/subjects");
const fetched = join(root, "node_modules/.cache/wsgen-subjects/node_modules");

type Run = (url: string, stranger: boolean) => Promise<readonly Outcome[]>;

/** As a program of its own, which finds the runtime's package as everybody does. */
const asProgram =
  (command: string, args: readonly string[], showsStatus: boolean): Run =>
  (url, stranger) =>
    new Promise((resolve, reject) => {
      const given = [...args, join(output, "main.mjs"), url, String(showsStatus), String(stranger)];
      execFile(command, given, { cwd: output, timeout: 120_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message}\n${stdout}${stderr}`));
        else resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as readonly Outcome[]);
      });
    });

async function inChromium(executablePath: string, url: string, stranger: boolean): Promise<readonly Outcome[]> {
  const { outputFiles } = await build({
    stdin: { contents: 'import { run } from "./suite.ts"; globalThis.run = run;', resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    platform: "browser",
    format: "esm",
  });
  const site = createServer((request, response) => {
    const html = request.url === "/";
    response.setHeader("content-type", html ? "text/html" : "text/javascript");
    response.end(html ? '<!doctype html><script type="module" src="/suite.js"></script>' : outputFiles[0]?.text);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await page.waitForFunction("globalThis.run !== undefined");
    return await page.evaluate<readonly Outcome[]>(`run(${JSON.stringify({ url, showsStatus: false })}, ${stranger})`);
  } finally {
    await browser.close();
    site.close();
  }
}

const places = {
  Chromium: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  Bun: process.env["BUN"] ?? join(fetched, "@oven/bun-linux-x64/bin/bun"),
  Deno: process.env["DENO"] ?? join(fetched, "@deno/linux-x64-glibc/deno"),
};

const subjects: readonly { readonly name: string; readonly file: string; readonly run: Run }[] = [
  { name: `Node ${process.versions.node}`, file: process.execPath, run: asProgram(process.execPath, [], true) },
  { name: "Chromium", file: places.Chromium, run: (url, stranger) => inChromium(places.Chromium, url, stranger) },
  { name: "Bun", file: places.Bun, run: asProgram(places.Bun, ["run"], false) },
  { name: "Deno", file: places.Deno, run: asProgram(places.Deno, ["run", "--allow-all", "--no-lock", "--node-modules-dir=manual"], false) },
];

describe("the generated client of the chat", () => {
  let ours: ChatServer;
  let byHand: ChatServer;
  beforeAll(async () => {
    mkdirSync(output, { recursive: true });
    // The runtime stays outside: which of its files is loaded is decided by its own export conditions.
    await build({
      entryPoints: [join(import.meta.dirname, "main.ts")],
      outfile: join(output, "main.mjs"),
      bundle: true,
      external: ["@wsgen/*"],
      format: "esm",
      platform: "neutral",
    });
    [ours, byHand] = await Promise.all([startOurs(), startByHand()]);
  });
  afterAll(async () => {
    await Promise.all([ours.stop(), byHand.stop()]);
    rmSync(output, { recursive: true, force: true });
  });

  for (const { name, file, run } of subjects) {
    it.skipIf(!existsSync(file)).each(["a wsgen server", "a server written by hand"])(`on ${name}, against %s`, async (against) => {
      const stranger = against !== "a wsgen server";
      const outcomes = await run((stranger ? byHand : ours).url, stranger);
      expect(outcomes.filter(({ problem }) => problem !== undefined)).toEqual([]);
      expect(outcomes).toHaveLength(stranger ? 13 : 12);
    });
  }
});
