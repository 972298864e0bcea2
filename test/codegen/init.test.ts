import { spawnSync } from "node:child_process";
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
