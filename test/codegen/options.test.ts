import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { type Node, readText } from "../../codegen/src/document/read.ts";
import { createSource } from "../../codegen/src/document/source.ts";
import { misuses } from "../../codegen/src/grammar.ts";
import { configKeys, options, optionsOn } from "../../codegen/src/options.ts";
import { publishedSchemas } from "../../codegen/src/options-schema.ts";

const root = new URL("../..", import.meta.url).pathname;
const published = (name: string): object => JSON.parse(readFileSync(join(root, "codegen/schema", name), "utf8")) as object;

describe("the published schemas", () => {
  it("are what the options are now (npm run generate writes them)", () => {
    for (const [name, schema] of Object.entries(publishedSchemas))
      expect(published(name), name).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  const ajv = new Ajv({ strict: false });
  const isConfig = ajv.compile(published("config.json"));
  const values: readonly unknown[] = [
    {},
    { document: "a.yaml", side: "client", strict: true },
    { side: "left" },
    { documnet: "a" },
    { schemas: "no" },
    { overrides: {} },
    { overrides: [] },
    { overrides: { "#/channels/a": { name: "b", onAmbiguous: "first" } } },
    { overrides: { "#/channels/a": { nmae: "b" } } },
    { overrides: { "#/channels/a": { discriminator: "/type" } } },
    { overrides: { "#/channels/a": { discriminator: "type" } } },
    { overrides: { "#/channels/a": { discriminator: { at: "/type", values: { a: "A", b: ["B", 2, null] } } } } },
    { overrides: { "#/channels/a": { discriminator: { values: {} } } } },
    { overrides: { "#/channels/a": { discriminator: { at: "/t", values: { a: {} } } } } },
    { overrides: { "#/channels/a": { discriminator: [{ at: "/t" }, { at: "/u", values: { a: 1 } }] } } },
    { overrides: { "#/channels/a": { discriminator: [] } } },
    { overrides: { "#/channels/a": { discriminator: [{ at: "t" }] } } },
    { overrides: { "#/channels/a": { envelope: false } } },
    { overrides: { "#/channels/a": { envelope: true } } },
    { overrides: { "#/channels/a": { envelope: { payload: "/data", headers: "/meta" } } } },
    { overrides: { "#/channels/a": { correlation: "order" } } },
    { overrides: { "#/channels/a": { correlation: "id" } } },
  ];
  it.each(values.map((value) => [JSON.stringify(value), value] as const))("and the check agree on %s", (_, value) => {
    expect(misuses(value, { kind: "fields", fields: configKeys }, "config").length === 0).toBe(isConfig(value));
  });
});

describe("docs/options.md", () => {
  const page = readFileSync(join(root, "docs/options.md"), "utf8");
  const sections = page.split(/^## /m).slice(1);
  const section = (title: string): string => sections.find((text) => text.startsWith(`${title}\n`)) ?? "";

  it("has a section for every option, in the table's order, and no other", () => {
    const headings = [...page.matchAll(/^### `(.+)`$/gm)].map(([, name]) => name);
    expect(headings).toEqual(Object.keys(options));
  });

  it("says of each where it may stand", () => {
    for (const [name, { on }] of Object.entries(options)) {
      const [, text = ""] = page.split(`### \`${name}\`\n`);
      expect(text.trim().split("\n")[0], name).toBe(
        `On ${on.map((owner) => (owner === "document" ? "the document" : `a ${owner}`)).join(", ")}.`,
      );
    }
  });

  it("lists every key of a configuration", () => {
    const rows = [...section("The configuration").matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
    expect(rows).toEqual(Object.keys(configKeys));
  });

  it("shows no x-wsgen and no override that would be refused", () => {
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) =>
      plain(readText(createSource("options.yaml", text)).root!),
    );
    const found = examples.flatMap((example) => extensionsIn(example));
    expect(found.length).toBeGreaterThan(5);
    const all = { ...optionsOn("document"), ...optionsOn("channel"), ...optionsOn("message"), ...optionsOn("security scheme") };
    for (const extension of found) expect(misuses(extension, { kind: "fields", fields: all }, "x-wsgen")).toEqual([]);
    for (const [, text = ""] of page.matchAll(/```json\n([\s\S]*?)```/g))
      expect(misuses(withoutSchema(JSON.parse(text)), { kind: "fields", fields: configKeys }, "config")).toEqual([]);
  });
});

const withoutSchema = ({ $schema: _, ...rest }: { readonly $schema?: string }): object => rest;

function extensionsIn(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "x-wsgen" ? [inner] : extensionsIn(inner)));
}

function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.node)]));
}
