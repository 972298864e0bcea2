import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { rows } from "./rows.ts";

const here = new URL(".", import.meta.url);
const tests = new URL("../../", here);

/** Rows 41–45 belong to performance and rooms, 67–73 to the client; 19, 48, 74 and 80 are not asked for yet. */
const asked = [...range(1, 40), 46, 47, ...range(49, 66), ...range(75, 79)].filter((row) => row !== 19);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Titles of the tests in a file: first arguments of `it(`, `test(` and `it.each(…)(`. */
function titlesOf(file: URL): string[] {
  const text = readFileSync(file, "utf8").replaceAll(/describe\.each\(.*?\]?\)\(/gs, "describe(");
  return [...text.matchAll(/(?:\b(?:it|test)|\))\(\s*(["`])(.*?)\1,/gs)].map(([, , title = ""]) => title);
}

const own = readdirSync(here)
  .filter((name) => name.endsWith(".test.ts") && name !== "rows.test.ts")
  .flatMap((name) => titlesOf(new URL(name, here)));
/** `row 7: …`, `rows 64 and 75: …` */
const proved = new Set(own.flatMap((title) => (/^rows? ([\d, and]+):/.exec(title)?.[1] ?? "").match(/\d+/g) ?? []).map(Number));

describe("the checklist", () => {
  it("has every row that is asked for, and each test names a row", () => {
    expect(rows.map(({ row }) => row)).toEqual(asked);
    expect(own.filter((title) => !/^rows? \d/.test(title))).toEqual([]);
    expect([...proved].filter((row) => !asked.includes(row))).toEqual([]);
  });

  it.each(rows)("row $row ($what) is proved", ({ row, tests: others = [], elsewhere }) => {
    expect([row, elsewhere === undefined]).toEqual([row, proved.has(row)]);
    if (elsewhere !== undefined) expect(others).not.toEqual([]);
    for (const [file, title] of others) expect(titlesOf(new URL(file, tests)), file).toContain(title);
  });
});
