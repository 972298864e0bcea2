import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { init } from "../../codegen/src/init.ts";
import { version } from "../../codegen/src/version.ts";

const repository = new URL("../../", import.meta.url).pathname;
// Inside the repository, so that the project finds its packages without being installed.
mkdirSync(join(repository, ".output"), { recursive: true });
const root = mkdtempSync(join(repository, ".output/init-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (cwd: string, command: string, ...args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { cwd, encoding: "utf8" });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
};

describe("wsgen init", () => {
  it("writes a project that compiles, passes its test and is up to date", async () => {
    const folder = join(root, "My API");
    const result = await init({ folder });
    expect(result).toMatchObject({ ok: true, folder, diagnostics: [] });
    expect(result.written).toContain(join(folder, "api.yaml"));
    expect(readdirSync(join(folder, "src/generated"))).toContain("server.ts");

    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      scripts: Record<string, string>;
      dependencies: object;
    };
    expect(manifest.name).toBe("my-api");
    expect(Object.keys(manifest.scripts)).toEqual(["dev", "generate", "build", "test", "start"]);
    expect(manifest.dependencies).toEqual({ "@wsgen/runtime": `^${version}` });

    const [, , ...args] = manifest.scripts["generate"]?.split(" ") ?? [];
    run(folder, join(repository, "codegen/bin/wsgen.js"), "generate", ...args, "--check");
    run(folder, join(repository, "node_modules/typescript/bin/tsc"));
    expect(run(folder, "--test", "dist/hall.test.js")).toContain("# pass 1");
  });

  it("ends with what can be called next, as long as nothing is published", () => {
    const said = run(root, join(repository, "codegen/bin/wsgen.js"), "init", "next");
    expect(said.trimEnd().split("\n").at(-1)).toBe(
      `ready: cd next && npm install …/wsgen-${version}.tgz …/wsgen-runtime-${version}.tgz && npm test (not published yet: wsgen's README says how to pack them)`,
    );
  });

  it("has a `dev` that outlives a handler that does not compile, restarts what is saved, and leaves nothing running", async () => {
    const folder = join(root, "dev");
    await init({ folder });
    const handlers = join(folder, "src/handlers/hall.ts");
    const text = readFileSync(handlers, "utf8");
    writeFileSync(handlers, text.replace("guests -= 1;", 'guests -= "1";'));
    const child = spawn(process.execPath, ["dev.mjs"], {
      cwd: folder,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
      const hears = async (pattern: RegExp): Promise<void> => {
        for (let tries = 0; tries < 800 && !pattern.test(said); tries += 1) await pause(25);
        expect(said).toMatch(pattern);
        // What is saved while it still starts is one more restart.
        for (let before = ""; before !== said; await pause(700)) before = said;
      };
      const answers = async (): Promise<number> => {
        const port = [...said.matchAll(/listening on ws:\/\/localhost:(\d+)/g)].at(-1)?.[1];
        return (await fetch(`http://localhost:${port}/hall`, { signal: AbortSignal.timeout(5000) })).status;
      };
      await hears(/error TS2363[\s\S]*listening on/);
      expect(await answers()).toBe(426);
      writeFileSync(handlers, text);
      await hears(/Found 0 errors[\s\S]*listening on/);
      expect(await answers()).toBe(426);
      const exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
      child.kill("SIGINT");
      expect(await exited).toBe(0);
      await expect(answers()).rejects.toThrow("fetch failed");
    } finally {
      child.kill("SIGTERM");
    }
  });

  it("refuses a folder that is not empty, and touches nothing in it", async () => {
    const folder = join(root, "full");
    mkdirSync(folder);
    writeFileSync(join(folder, "mine.txt"), "mine");
    expect(await init({ folder })).toMatchObject({ ok: false, written: [], diagnostics: [{ code: "not-empty", fix: expect.any(String) }] });
    expect(readdirSync(folder)).toEqual(["mine.txt"]);
  });

  it("refuses a file, and a place where no folder can be", async () => {
    writeFileSync(join(root, "file"), "");
    expect(await init({ folder: join(root, "file") })).toMatchObject({ ok: false, diagnostics: [{ code: "not-a-folder" }] });
    expect(await init({ folder: join(root, "file/below") })).toMatchObject({ ok: false, diagnostics: [{ severity: "error" }] });
    expect(readFileSync(join(root, "file"), "utf8")).toBe("");
  });

  it("takes a folder that holds a repository and nothing else", async () => {
    const folder = join(root, "fresh");
    mkdirSync(join(folder, ".git"), { recursive: true });
    expect((await init({ folder })).ok).toBe(true);
    expect(existsSync(join(folder, "src/handlers/hall.ts"))).toBe(true);
  });
});
