import { describe, expect, it } from "vitest";
import { check } from "../../../codegen/src/document/check.ts";
import type { JsonObject, JsonValue } from "../../../codegen/src/document/document.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { type Entry, entries, entryOf, filesOf, present } from "../../corpus.mjs";
import { folderOf, lines } from "./files.ts";

const open = (entry: Entry) => {
  const { document, root } = filesOf(entry);
  return load(document, { root });
};

describe.skipIf(!present)("real documents (needs ../shared/corpus)", () => {
  it("load without an exception, each finding at a place that exists, each local ref leading somewhere or reported", async () => {
    let largest = { slug: "", ms: 0, bytes: 0 };
    for (const entry of entries) {
      const started = performance.now();
      const document = await open(entry);
      const ms = performance.now() - started;
      if (entry.bytes > largest.bytes) largest = { slug: entry.slug, ms: Math.round(ms), bytes: entry.bytes };
      const reported = new Set<string>();
      for (const { position, message, code } of document.diagnostics) {
        expect(position, message).toBeDefined();
        if (position === undefined) continue;
        const text = document.sources.get(position.file)?.split(/\r\n|\r|\n/)[position.line - 1];
        expect(text, `${entry.slug}: ${message}`).toBeDefined();
        expect(position.column).toBeLessThanOrEqual((text?.length ?? 0) + 1);
        if (code.startsWith("ref-")) reported.add(`${position.file}:${position.line}`);
      }
      for (const [pointer, ref] of refsOf(document.value, "")) {
        const { file, line } = document.locate(pointer);
        if (!ref.startsWith("#") || document.get(ref.slice(1)) === undefined) {
          // What load could not resolve it has reported, or it stands in data (examples), where it is none.
          expect(
            reported.has(`${file}:${line}`) || /\/(examples|const|enum|default|x-[^/]*)(\/|$)/.test(pointer),
            `${entry.slug} ${pointer}`,
          ).toBe(true);
        }
      }
    }
    console.log(
      `load: ${entries.length} documents; the largest, ${largest.slug} (${Math.round(largest.bytes / 1024)} kB), in ${largest.ms} ms`,
    );
  });

  it("says what is wrong with the only one of version 1", async () => {
    const refused = [];
    for (const entry of entries) {
      const document = await open(entry);
      if (Object.keys(document.value).length === 0) refused.push(entry.slug, ...document.diagnostics.map((one) => one.code));
    }
    expect(refused).toEqual(["slack-rtm-1.2", "asyncapi-version"]);
  });

  it.each([
    ...["spec-3.1-websocket-gemini", "spec-2.6-websocket-gemini", "vulcx", "speechmatics-flow"],
    ...["warpcast", "citizen-quest", "chanx-fastapi-yaml", "anychat"],
  ])("%s is valid", async (slug) => {
    const document = await open(entryOf(slug));
    const outcome = await check(document, { cacheFolder: folderOf({}) });
    expect(lines([...document.diagnostics, ...outcome.diagnostics]).filter((line) => / error /.test(line))).toEqual([]);
    expect(outcome.verdict).toBe("valid");
  });
});

/** Pointer of each `$ref` string, and the string. */
function* refsOf(value: JsonValue, pointer: string): Generator<[string, string]> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, child] of Object.entries(value as JsonObject)) {
    const path = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (key === "$ref" && typeof child === "string") yield [path, child];
    else yield* refsOf(child, path);
  }
}
