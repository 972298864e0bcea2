import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { closures } from "../runtime/src/connection/close.ts";
import { closeMeanings } from "../runtime/src/connection/close-meaning.ts";
import { errorCodes } from "../runtime/src/errors.ts";

const root = new URL("..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** The cells of every table row of a Markdown text, without back-ticks. */
const rows = (markdown: string): string[][] =>
  markdown
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("|--"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );

describe("the documentation", () => {
  it("lists every error code with its meaning, and no other", () => {
    const documented = rows(read("docs/errors.md")).filter(([code]) => code?.startsWith("WSGEN_"));
    expect(Object.fromEntries(documented.map(([code, , means]) => [code, means]))).toEqual(errorCodes);
  });

  it("lists every close code as the runtime sends it, and no other", () => {
    const [, table = ""] = read("docs/wire.md").split("## Close codes");
    const documented = rows(table).slice(1);
    expect(documented).toEqual(
      Object.values(closures).map(({ code, reason, sender, when }) => [String(code), closeMeanings[code], reason, sender, when]),
    );
    for (const [code, meaning] of Object.entries(closeMeanings)) expect(table).toMatch(new RegExp(`${code} (\\| |\\()\`${meaning}\``));
  });

  it("has no link to a file that is not there", () => {
    const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"));
    const pages = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];
    const missing = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, target = ""]) => join(dirname(page), target))
        .filter((target) => !fileExists(join(root, target)))
        .map((target) => `${page} links to ${target}`),
    );
    expect(missing).toEqual([]);
  });
});

function fileExists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
