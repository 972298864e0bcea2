import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GenerateResult, generate, type Step, validate } from "../../codegen/src/index.ts";

const repository = new URL("../../", import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), "wsgen-generate-"));
// Keeps what the official parser said from one test to the next.
mkdirSync(join(root, "node_modules"));
beforeEach(() => cpSync(join(repository, "specs/chat.yaml"), join(root, "chat.yaml")));
afterEach(() => {
  for (const name of ["gen", "handlers", "chat.yaml"]) rmSync(join(root, name), { recursive: true, force: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (options: Parameters<typeof generate>[0] = {}): Promise<GenerateResult> =>
  generate({ cwd: root, document: "chat.yaml", out: "gen", ...options });

describe("generate", () => {
  it("is what is committed in generated/chat", async () => {
    await generate({ cwd: repository, document: "specs/chat.yaml", out: join(root, "gen") });
    for (const name of ["types.ts", "schemas.ts", "validators.ts", "contract.server.ts", "contract.client.ts", "server.ts", "client.ts"]) {
      expect(readFileSync(join(root, "gen", name), "utf8"), name).toBe(readFileSync(join(repository, "generated/chat", name), "utf8"));
    }
  });

  it("gives a value: what was written, what was understood, how long each step took", async () => {
    const steps: Step[] = [];
    const result = await run({ onStep: (step) => steps.push(step) });
    expect(result).toMatchObject({ ok: true, out: join(root, "gen"), removed: [], unchanged: 0, handlersAdded: [], unsafeSchemas: 0 });
    expect(result.written).toContain(join(root, "gen/types.ts"));
    expect([...result.sources.keys()]).toEqual([join(root, "chat.yaml")]);
    expect(steps).toEqual(["load", "model", "check", "emit", "write"]);
    expect(Object.keys(result.timings)).toEqual(steps);
    expect((await run()).checked).toBe("before");
  });

  it("writes nothing with an error, and leaves what it wrote before", async () => {
    await run();
    const before = readFileSync(join(root, "gen/types.ts"), "utf8");
    writeFileSync(join(root, "chat.yaml"), readFileSync(join(root, "chat.yaml"), "utf8").replace("schemas/MemberLeft", "schemas/Nobody"));
    expect(await run()).toMatchObject({
      ok: false,
      written: [],
      diagnostics: [{ severity: "error", position: { file: join(root, "chat.yaml") } }],
    });
    expect(readFileSync(join(root, "gen/types.ts"), "utf8")).toBe(before);
  });

  it("writes neither handlers nor code when one of the two cannot be written", async () => {
    mkdirSync(join(root, "gen"));
    writeFileSync(join(root, "gen/client.ts"), "mine\n");
    expect(await run({ handlers: "handlers" })).toMatchObject({ ok: false, diagnostics: [{ code: "foreign-file" }] });
    expect(existsSync(join(root, "handlers"))).toBe(false);
    expect(existsSync(join(root, "gen/types.ts"))).toBe(false);
  });

  it("writes handlers that import the code from where it is", async () => {
    await run({ handlers: "gen/../handlers/deep" });
    expect(readFileSync(join(root, "handlers/deep/room.ts"), "utf8")).toContain('from "../../gen/server.js";');
  });

  it("never writes a handler file again that has everything", async () => {
    await run({ handlers: "handlers" });
    writeFileSync(join(root, "handlers/room.ts"), "export const room = { messages: { postMessage() {}, history() {} } }\r\n");
    for (let time = 0; time < 2; time += 1) expect(await run({ handlers: "handlers" })).toMatchObject({ written: [], handlersAdded: [] });
  });
});

describe("validate", () => {
  it("gives the same findings and writes nothing", async () => {
    const result = await validate({ cwd: root, document: "chat.yaml" });
    expect(result).toMatchObject({ ok: true, diagnostics: [], summary: { title: "Chat", types: 10 } });
    expect(existsSync(join(root, "generated"))).toBe(false);
  });
});
