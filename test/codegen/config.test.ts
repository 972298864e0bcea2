import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findConfig, loadConfig } from "../../codegen/src/config.ts";

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
    });
  });

  it("may be a module", async () => {
    write("wsgen.config.mjs", "export default { strict: true };\n");
    expect(await loadConfig([root])).toMatchObject({ strict: true });
  });

  it("is looked for in one folder after the other", async () => {
    mkdirSync(join(root, "a"));
    write("wsgen.config.json", "{}");
    expect(await findConfig([join(root, "a"), root])).toEqual([join(root, "wsgen.config.json")]);
  });

  const wrong: Readonly<Record<string, readonly [text: string, message: RegExp, fix: RegExp]>> = {
    "an unknown key": ['{ "documnet": "x" }', /unknown key "documnet"/, /Did you mean "document"\?/],
    "a key that is like no other": ['{ "zzz": 1 }', /unknown key "zzz"/, /It may have: document, out/],
    "a wrong value": ['{ "side": "left" }', /"side" in .* must be "both" or "server" or "client"/, /Correct/],
    "what is no JSON": ["{", /cannot be read/, /Correct/],
    "what is no object": ["[]", /holds no configuration/, /Write an object/],
  };
  for (const [what, [text, message, fix]] of Object.entries(wrong)) {
    it(`is refused with ${what}`, async () => {
      write("wsgen.config.json", text);
      await expect(loadConfig([root])).rejects.toMatchObject({ message: expect.stringMatching(message), fix: expect.stringMatching(fix) });
    });
  }

  it("is refused when there are two", async () => {
    write("wsgen.config.json", "{}");
    write("wsgen.config.mjs", "export default {};\n");
    await expect(loadConfig([root])).rejects.toThrow(/two configurations/);
  });
});
