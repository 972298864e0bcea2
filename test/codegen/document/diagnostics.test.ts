import pc from "picocolors";
import { describe, expect, it } from "vitest";
import {
  type Diagnostic,
  formatDiagnostic,
  formatDiagnostics,
  nearest,
  sortDiagnostics,
  toJsonDiagnostic,
} from "../../../codegen/src/diagnostics.ts";

const colors = pc.createColors(false);
const text = "a: 1\nb:\n\tc: [1, 2]\nd: 4\ne: 5\nf: 6\n";
const sources = new Map([["/work/api.yaml", text]]);
const diagnostic: Diagnostic = {
  severity: "error",
  code: "some-rule",
  message: "This is wrong.",
  fix: "Write it right.",
  position: { file: "/work/api.yaml", line: 3, column: 5, endLine: 3, endColumn: 11 },
};

describe("a finding in a terminal", () => {
  it("has its place, its message, two lines around it, a caret under all of it, and what to do", () => {
    expect(formatDiagnostic(diagnostic, { sources, colors, cwd: "/work" })).toBe(
      [
        "api.yaml:3:5 error some-rule",
        "  This is wrong.",
        "    1 | a: 1",
        "    2 | b:",
        "  > 3 |   c: [1, 2]",
        "      |      ^^^^^^",
        "    4 | d: 4",
        "    5 | e: 5",
        "  fix: Write it right.",
      ].join("\n"),
    );
  });

  it("has no frame without the text, and no place without a position", () => {
    expect(formatDiagnostic(diagnostic, { colors, cwd: "/" })).toBe(
      "work/api.yaml:3:5 error some-rule\n  This is wrong.\n  fix: Write it right.",
    );
    const { position: _, fix: __, ...bare } = diagnostic;
    expect(formatDiagnostic(bare, { colors })).toBe("error some-rule\n  This is wrong.");
  });

  it("marks the rest of the line of something longer, the end of the file, and the middle of a very long line", () => {
    const frame = (source: string, position: Partial<NonNullable<Diagnostic["position"]>>) =>
      formatDiagnostic(
        { ...diagnostic, position: { file: "/x", line: 1, column: 1, ...position } },
        { colors, sources: new Map([["/x", source]]), cwd: "/" },
      )
        .split("\n")
        .slice(2, -1);
    expect(frame("ab: c\n  d\n", { column: 2, endLine: 2, endColumn: 4 })).toEqual(["  > 1 | ab: c", "      |  ^^^^", "    2 |   d"]);
    expect(frame("a\r\nb", { line: 2, column: 2 })).toEqual(["    1 | a", "  > 2 | b", "      |  ^"]);
    const [line = "", caret = ""] = frame(`${"x".repeat(5000)}HERE${"y".repeat(5000)}`, { column: 5001, endLine: 1, endColumn: 5005 });
    expect(line.length).toBeLessThan(130);
    expect(line.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("HERE");
  });

  it("shows the first of a kind in full, and a line for each of the others", () => {
    const hint = (line: number, more: Partial<Diagnostic> = {}): Diagnostic => ({
      ...diagnostic,
      severity: "hint",
      position: { file: "/work/api.yaml", line, column: 1 },
      ...more,
    });
    const other = hint(6, { position: { file: "/work/other.yaml", line: 6, column: 2 }, fix: "Write it otherwise." });
    const shown = formatDiagnostics([hint(1), diagnostic, hint(2), diagnostic, other], { colors, cwd: "/work" });
    expect(shown).toEqual([
      [
        "api.yaml:1:1 hint some-rule",
        "  This is wrong.",
        "  fix: Write it right.",
        "  and 2 more hints of this kind:",
        "    2:1 This is wrong.",
        "    other.yaml:6:2 This is wrong.",
        "      fix: Write it otherwise.",
      ].join("\n"),
      ...Array.from({ length: 2 }, () => "api.yaml:3:5 error some-rule\n  This is wrong.\n  fix: Write it right."),
    ]);
  });

  it("cuts what there is a lot of: places of one and the same, lines of a kind, errors", () => {
    const shown = (findings: readonly Diagnostic[]) => formatDiagnostics(findings, { colors, cwd: "/work" }).join("\n").split("\n");
    const at = (line: number, more: Partial<Diagnostic> = {}): Diagnostic => ({
      ...diagnostic,
      severity: "warning",
      position: { file: "/work/api.yaml", line, column: 1 },
      ...more,
    });
    const many = Array.from({ length: 30 }, (_, index) => index + 1);
    expect(shown([at(1), at(2)]).slice(3)).toEqual(["  and 1 more warning of this kind, at 2:1"]);
    expect(shown(many.map((line) => at(line))).slice(3)).toEqual([
      "  and 29 more warnings of this kind, at 2:1, 3:1, 4:1, 5:1, 6:1, 7:1, 8:1, 9:1, … (--json has them all)",
    ]);
    // What is mended in the same way stands together.
    const fixes = many
      .slice(0, 8)
      .map((line) => at(line, { message: `This is wrong ${line}.`, fix: line % 2 === 0 ? "Do this." : "Do that." }));
    expect(shown(fixes).slice(3)).toEqual([
      "  and 7 more warnings of this kind:",
      "    3:1 This is wrong 3.",
      "    5:1 This is wrong 5.",
      "    7:1 This is wrong 7.",
      "    2:1 This is wrong 2.",
      "    4:1 This is wrong 4.",
      "      fix: Do this.",
      "    … and 2 more (--json has them all)",
    ]);
    const errors = shown(many.map((line) => at(line, { severity: "error", message: `This is wrong ${line}.` })));
    expect(errors.filter((line) => line.includes("error some-rule"))).toHaveLength(21);
    expect(errors.slice(-7, -5)).toEqual(["  and 9 more errors:", "    22:1 This is wrong 22."]);
    expect(errors.at(-1)).toBe("    … and 4 more (--json has them all)");
  });

  it("lets no control or bidi character of a document through", () => {
    const hostile = "\u001b[2J\u0007\u202e\u2066\r\u0000\u009b";
    const shown = formatDiagnostic(
      {
        ...diagnostic,
        message: hostile,
        fix: hostile,
        position: { file: `/work/${hostile}.yaml`, line: 1, column: 12, endLine: 1, endColumn: 13 },
      },
      { sources: new Map([[`/work/${hostile}.yaml`, `a: "${hostile.replace("\r", "")}" # x`]]), colors, cwd: "/work" },
    );
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(shown).toContain("\\u{1b}[2J\\u{7}\\u{202e}");
  });

  it("marks a place without an end by one character, on the longest line too", () => {
    const file = "/work/long.json";
    for (const column of [1, 50, 5_000]) {
      const shown = formatDiagnostic(
        { ...diagnostic, position: { file, line: 1, column } },
        { sources: new Map([[file, "x".repeat(10_000)]]), colors, cwd: "/work" },
      );
      expect(shown.match(/\^+/)?.[0]).toBe("^");
      expect(Math.max(...shown.split("\n").map((line) => line.length))).toBeLessThan(200);
    }
  });

  it("is coloured when asked to", () => {
    expect(formatDiagnostic(diagnostic, { colors: pc.createColors(true), cwd: "/work" })).toContain("\u001b[31merror");
  });
});

it("is the same as JSON, with a path relative to the working directory", () => {
  expect(toJsonDiagnostic(diagnostic, "/work/sub")).toEqual({
    severity: "error",
    code: "some-rule",
    message: "This is wrong.",
    fix: "Write it right.",
    file: "../api.yaml",
    line: 3,
    column: 5,
    endLine: 3,
    endColumn: 11,
  });
});

it("are sorted by place and said once", () => {
  const at = (file: string, line: number, column: number, message = "m"): Diagnostic => ({
    severity: "warning",
    code: "c",
    message,
    position: { file, line, column },
  });
  const { position: _, ...global } = diagnostic;
  const sorted = sortDiagnostics([
    at("/b", 1, 1),
    at("/a", 10, 1),
    at("/a", 9, 2),
    at("/a", 9, 1, "z"),
    at("/a", 9, 1, "y"),
    at("/a", 9, 2),
    global,
  ]);
  expect(
    sorted.map(({ position, message }) => `${position?.file ?? ""}:${position?.line ?? ""}:${position?.column ?? ""} ${message}`),
  ).toEqual([":: This is wrong.", "/a:9:1 y", "/a:9:1 z", "/a:9:2 m", "/a:10:1 m", "/b:1:1 m"]);
});

it("names the word that was meant, and none when nothing is near", () => {
  const words = ["version", "title", "address", "messages", "message", "integer"];
  expect(["verion", "adress", "Title", "mesage", "tilte", "int", "colour", "", "x"].map((word) => nearest(word, words))).toEqual([
    ...["version", "address", "title", "message", "title", "integer", undefined, undefined, undefined],
  ]);
});
