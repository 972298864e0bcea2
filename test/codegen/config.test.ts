import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfigError, findConfig, loadConfig } from "../../codegen/src/config.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "wsgen-config-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(root, name), text);

describe("a configuration", () => {
  it("is empty when there is no file", async () => {
    expect(await loadConfig([root])).toEqual({ file: undefined });
  });

  it("has its paths relative to its file", async () => {
    write("wsgen.config.json", JSON.stringify({ $schema: "x", document: "api.yaml", out: "../gen", side: "client", schemas: false }));
    expect(await loadConfig([root])).toEqual({
      file: join(root, "wsgen.config.json"),
      document: join(root, "api.yaml"),
      out: join(root, "../gen"),
      side: "client",
      schemas: false,
      text: expect.any(String),
    });
  });

  it("may be a module", async () => {
    write("wsgen.config.mjs", "export default { strict: true };\n");
    expect(await loadConfig([root])).toMatchObject({ strict: true });
  });

  it.each(["throw new Error('no key');", "export default Promise.reject(new Error('no key'));"])(
    "says why a module fails: %s",
    async (text) => {
      write("wsgen.config.mjs", text);
      await expect(loadConfig([root])).rejects.toThrow(/wsgen\.config\.mjs cannot be read: no key\./);
    },
  );

  it("is looked for in one folder after the other", async () => {
    mkdirSync(join(root, "a"));
    write("wsgen.config.json", "{}");
    expect(await findConfig([join(root, "a"), root])).toEqual([join(root, "wsgen.config.json")]);
  });

  const wrong: Readonly<Record<string, readonly [text: string, message: RegExp, fix: RegExp, place?: string]>> = {
    "an unknown key": ['{ "documnet": "x" }', /`documnet` is no option of .*wsgen\.config\.json/, /Did you mean `document`\?/, "1:3"],
    "a key that is like no other": ['{ "zzz": 1 }', /`zzz` is no option/, /It may have `document`, `out`/, "1:3"],
    "a wrong value": ['{ "side": "left" }', /`side` is "left", which is not `both`, `server` or `client`/, /Write/, "1:11"],
    "what is no JSON": ['{\n  "side": "server",\n}', /cannot be read/, /Correct/, "3:1"],
    "what is no object": ["[]", /holds no configuration/, /Write an object/],
  };
  for (const [what, [text, message, fix, place]] of Object.entries(wrong)) {
    it(`is refused with ${what}`, async () => {
      write("wsgen.config.json", text);
      const error = (await loadConfig([root]).catch((thrown: unknown) => thrown)) as ConfigError;
      expect(error.diagnostics).toMatchObject([{ message: expect.stringMatching(message), fix: expect.stringMatching(fix) }]);
      const [{ position } = {}] = error.diagnostics;
      expect(position && `${position.line}:${position.column}`).toBe(place);
    });
  }

  it("says every mistake at once, in a module too where they are written", async () => {
    write("wsgen.config.mjs", 'export default {\n  side: "left",\n  overrides: {\n    "a.yaml#/channels/x": { nmae: "y" },\n  },\n};\n');
    const error = (await loadConfig([root]).catch((thrown: unknown) => thrown)) as ConfigError;
    expect(error.diagnostics.map(({ message, fix, position }) => [message, fix, position?.line, position?.column])).toEqual([
      ['`side` is "left", which is not `both`, `server` or `client`.', "Write `both`, `server` or `client`.", 2, 3],
      ["`nmae` is no option of `a.yaml#/channels/x`.", "Did you mean `name`?", 4, 29],
    ]);
  });

  it.skipIf(!("typescript" in process.features))("may be TypeScript where Node reads it", async () => {
    write("wsgen.config.ts", "const side: string = 'client';\nexport default { side };\n");
    expect(await loadConfig([root])).toMatchObject({ side: "client" });
  });

  it("has its overrides by place, files relative to it", async () => {
    write("wsgen.config.json", JSON.stringify({ overrides: { "api.yaml#/channels/a": { name: "b" }, "#/x": {} } }));
    const { overrides } = await loadConfig([root]);
    expect(overrides).toMatchObject([
      { target: "api.yaml#/channels/a", file: join(root, "api.yaml"), pointer: "/channels/a", value: { name: "b" } },
      { target: "#/x", file: undefined, pointer: "/x" },
    ]);
    expect(overrides?.[0]?.locate(["name"], "value")).toMatchObject({ line: 1, column: 46 });
  });

  it("is refused when there are two", async () => {
    write("wsgen.config.json", "{}");
    write("wsgen.config.mjs", "export default {};\n");
    await expect(loadConfig([root])).rejects.toThrow(/two configurations/);
  });
});
