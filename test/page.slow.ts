import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What `npm start` runs, and two people in front of it. */
describe("the chat of `npm start`", () => {
  let server: ChildProcess;
  let address: string;

  beforeAll(async () => {
    const compiled = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "specs"], { encoding: "utf8" });
    expect(compiled.status, compiled.stdout).toBe(0);
    [server, address] = await start(0);
  });
  afterAll(() => stop(server));

  it("refuses an upgrade without a username with 400 that names it, and /deny with 403", async () => {
    expect(await refusal(`${address}/rooms/lobby`)).toMatchObject({ status: 400, body: expect.stringContaining("username") as string });
    expect(await refusal(`${address}/deny`)).toMatchObject({ status: 403 });
  });

  describe.skipIf(!existsSync(executablePath))("in a browser", () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: flags });
    });
    afterAll(() => browser.close());

    it("lets two tabs talk to each other, and shows the contract at work", async () => {
      const problems: string[] = [];
      const open = async (name: string): Promise<Page> => {
        const page = await (await browser.newContext()).newPage();
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
        await page.goto(address);
        await page.fill("#name", name);
        await page.click("#join-form button[type=submit]");
        await page.getByText(`Connected as ${name}`).waitFor();
        return page;
      };
      const ada = await open("Ada");
      const grace = await open("Grace");
      await ada.getByText("Grace joined").waitFor();

      await ada.fill("#text", "Good morning, Grace!");
      await ada.click("#say-form button[type=submit]");
      await grace.getByText("Good morning, Grace!").waitFor();

      await grace.click("#break-it");
      await grace.getByText("ContractError").waitFor();
      await grace.getByText('"type":"problem"').waitFor();

      // Whoever comes later reads what was said.
      const alan = await open("Alan");
      await alan.getByText("Good morning, Grace!").waitFor();
      await alan.close();
      await ada.getByText("Alan left").waitFor();

      if (process.env["SCREENSHOT"] !== undefined) await grace.screenshot({ path: process.env["SCREENSHOT"] });
      expect(problems).toEqual([]);
    });

    it("keeps the end of the talk in sight on a phone, also when its contract is tried", async () => {
      const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
      await page.goto(`${address}/#phone`);
      await page.fill("#name", "Hedy");
      await page.click("#join-form button[type=submit]");
      await page.getByText("Connected as Hedy").waitFor();
      const say = async (text: string): Promise<void> => {
        await page.fill("#text", text);
        await page.click("#say-form button[type=submit]");
        await page.locator("#log").getByText(text, { exact: true }).waitFor();
      };
      for (let index = 0; index < 12; index += 1) await say(`Line ${index}`);
      await page.click("#contract summary");
      await page.click("#break-it");
      await page.getByText('"type":"problem"').waitFor();
      await say("And now?");
      await page.waitForFunction(() => {
        const log = document.getElementById("log");
        return log !== null && log.clientHeight > 80 && log.scrollHeight - log.scrollTop - log.clientHeight < 2;
      });
      if (process.env["SCREENSHOT"] !== undefined) await page.screenshot({ path: process.env["SCREENSHOT"] });
      await page.close();
    });

    it("says that it joins, once however often it is asked to", async () => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(address);
      await page.fill("#name", "Barbara");
      server.kill("SIGSTOP");
      try {
        await page.click("#join-form button[type=submit]");
        await page.getByText("Joining…").waitFor();
        expect(await page.isDisabled("#join-room")).toBe(true);
      } finally {
        server.kill("SIGCONT");
      }
      await page.getByText("Connected as Barbara").waitFor();
      await page.close();
    });

    it("is back when its network is, and when it is shown again after another page", async () => {
      // Chromium keeps pages unless it is told not to, as playwright tells it.
      const keeping = await chromium.launch({ executablePath, args: flags, ignoreDefaultArgs: ["--disable-back-forward-cache"] });
      try {
        const context = await keeping.newContext();
        const page = await context.newPage();
        await page.goto(address);
        await page.evaluate('addEventListener("pageshow", ({ persisted }) => (document.title = "kept: " + persisted))');
        await page.fill("#name", "Joan");
        await page.click("#join-room");
        await page.getByText("Connected as Joan").waitFor();
        await page.goto(`${address}/page.css`);
        await page.goBack({ waitUntil: "commit" });
        await page.getByText("Connected again").waitFor();
        expect(await page.title()).toBe("kept: true");

        await context.setOffline(true);
        await stop(server);
        await page.getByText("No network").waitFor();
        [server] = await start(Number(new URL(address).port));
        await context.setOffline(false);
        await page.getByText("Connected as Joan").waitFor();
      } finally {
        await keeping.close();
      }
    });

    it("says that the connection is lost, keeps what is written, and is back when the server is", async () => {
      const page = await (await browser.newContext()).newPage();
      await page.goto(address);
      await page.fill("#name", "Hedy");
      await page.click("#join-form button[type=submit]");
      await page.getByText("Connected as Hedy").waitFor();
      await stop(server);
      await page.getByText(/^Connection lost, trying in \d+ s$|^Connecting again/).waitFor();
      await page.fill("#text", "Written while the server was away");
      await page.click("#say-form button[type=submit]");
      await page.getByText("Will be sent: Written while the server was away").waitFor();
      [server] = await start(Number(new URL(address).port));
      await page.getByText("Connected as Hedy").waitFor();
      await page.getByText(/^Connected again after \d+ s\. The history has/).waitFor();
      await page.getByText("Written while the server was away", { exact: true }).waitFor();
      await expect.poll(() => page.getByText("Will be sent").count()).toBe(0);
      await page.close();
    });
  });
});

function start(port: number): Promise<[server: ChildProcess, address: string]> {
  const server = spawn(process.execPath, ["dist/specs/chat/server.js"], { env: { ...process.env, PORT: String(port) } });
  return new Promise((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /http:\/\/localhost:\d+/.exec(said);
      if (found !== null) resolve([server, found[0]]);
    });
    server.once("exit", (code) => reject(new Error(`exited with ${code}: ${said}`)));
  });
}

async function stop(server: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await gone;
}

async function refusal(url: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
  });
}
