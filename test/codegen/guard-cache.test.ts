import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generate } from "../../codegen/src/index.ts";

const repository = new URL("../../", import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), "wsgen-guards-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const cache = join(root, "node_modules/.cache/wsgen");
const document = join(root, "chat.yaml");
cpSync(join(repository, "specs/chat.yaml"), document);
mkdirSync(join(root, "node_modules"));

async function validators(): Promise<string> {
  await generate({ cwd: root, document: "chat.yaml", out: "gen" });
  return readFileSync(join(root, "gen/validators.ts"), "utf8");
}

/** Where the guards are kept. */
const kept = (): string => join(cache, readdirSync(cache).find((name) => name.startsWith("guards-")) ?? "none");

describe("guards that are remembered", () => {
  it("are printed as those that are compiled, and need no AJV", async () => {
    const compiled = await validators();
    expect(await validators()).toBe(compiled);
    const script = `
      import { createRequire } from "node:module";
      import { rememberGuards } from ${JSON.stringify(new URL("codegen/dist/guard-cache.js", `file://${repository}`).href)};
      const { code } = rememberGuards(process.argv[1])([{ id: "type0", schema: { type: "string", maxLength: 3 } }], false);
      const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("/ajv/dist/"));
      console.log(JSON.stringify({ code, loaded }));
    `;
    const run = (): { readonly code: string; readonly loaded: boolean } =>
      JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", script, join(root, "other.yaml")], { encoding: "utf8" }));
    const [first, second] = [run(), run()];
    expect(first.loaded).toBe(true);
    expect(second).toEqual({ code: first.code, loaded: false });
  });

  it("are compiled anew when a schema has changed, not when words have", async () => {
    const before = await validators();
    const entry = readFileSync(kept(), "utf8");
    const text = readFileSync(document, "utf8");
    writeFileSync(document, text.replace(/description: .*/, "description: Other words."));
    expect(await validators()).toBe(before);
    expect(readFileSync(kept(), "utf8")).toBe(entry);
    writeFileSync(document, text.replace(/maxLength: \d+/, "maxLength: 77"));
    expect(await validators()).toContain("length > 77");
    writeFileSync(document, text);
    expect(await validators()).toBe(before);
  });

  it("are not believed when one byte of them is another", async () => {
    const before = await validators();
    writeFileSync(kept(), readFileSync(kept(), "utf8").replace("length > 2", "length > 3"));
    expect(readFileSync(kept(), "utf8")).toContain("length > 3");
    expect(await validators()).toBe(before);
    writeFileSync(kept(), "");
    expect(await validators()).toBe(before);
  });

  it("are compiled each time where nothing can be kept", async () => {
    const before = await validators();
    rmSync(cache, { recursive: true });
    writeFileSync(cache, "a file where the folder should be");
    expect(await validators()).toBe(before);
    rmSync(cache);
  });
});
