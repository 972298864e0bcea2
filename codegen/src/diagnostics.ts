// What is wrong with a document, where, and what to do about it: collected as values, printed in one place.
import { relative } from "node:path";
import type picocolors from "picocolors";

/** A place in a file the user wrote. Lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** `error` stops generation, `warning` does not, `hint` proposes something. */
export type Severity = "error" | "warning" | "hint";

/** One finding about a document, a configuration or the disk. */
export interface Diagnostic {
  readonly severity: Severity;
  /** Stable, kebab-case name of the rule. */
  readonly code: string;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly fix?: string;
  readonly position?: Position;
}

/** Orders by file, place, then severity, and leaves out what was already said in the same words at the same place. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  const unique = diagnostics.filter((one) => {
    const key = JSON.stringify([one.position?.file, one.position?.line, one.position?.column, one.message]);
    return !seen.has(key) && seen.add(key);
  });
  // The findings without a place come first: they are about the command as a whole.
  return unique.sort(
    (a, b) =>
      compare(a.position?.file ?? "", b.position?.file ?? "") ||
      (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
      (a.position?.column ?? 0) - (b.position?.column ?? 0) ||
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      compare(a.code, b.code) ||
      compare(a.message, b.message),
  );
}

const severities: readonly Severity[] = ["error", "warning", "hint"];

/** By UTF-16 units: the same on every machine, unlike a locale's order. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Colors = ReturnType<typeof picocolors.createColors>;

export interface FormatOptions {
  /** Text of the files that positions point into, by absolute path; without one there is no code frame. */
  readonly sources?: ReadonlyMap<string, string>;
  /** From `picocolors`; `createColors(false)` prints plain text. */
  readonly colors: Colors;
  /** Paths are printed relative to it. Default: the working directory. */
  readonly cwd?: string;
}

/**
 * One finding for a terminal: `path:line:column severity code`, the message, a code frame with two lines around it, and what to do.
 * Control and bidi characters are made visible, so that no document can write to the terminal.
 */
export function formatDiagnostic(diagnostic: Diagnostic, { sources, colors, cwd = process.cwd() }: FormatOptions): string {
  const { severity, code, message, fix, position } = diagnostic;
  const paint = { error: colors.red, warning: colors.yellow, hint: colors.cyan }[severity];
  const place = position && `${shortPath(position.file, cwd)}:${position.line}:${position.column}`;
  const text = position && sources?.get(position.file);
  return [
    [place && colors.bold(visible(place)), paint(severity), colors.dim(code)].filter(Boolean).join(" "),
    `  ${visible(message)}`,
    ...(position && text !== undefined ? codeFrame(text, position, colors, paint) : []),
    ...(fix === undefined ? [] : [`  ${colors.green("fix:")} ${visible(fix)}`]),
  ].join("\n");
}

/** Errors that are shown in full. */
const MOST_ERRORS = 20;
/** Others of a kind that get a line, and places that are listed where all of them say the same. */
const MOST_LINES = 5;
const MOST_PLACES = 8;

/**
 * Findings for a terminal, in their order: the first of its kind as {@link formatDiagnostic} has it, and below it a line for each of the next,
 * with what to do where that is something else. Errors are shown in full, the first of them.
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], options: FormatOptions): readonly string[] {
  const kinds = new Map<string, Diagnostic[]>();
  let errors = 0;
  for (const diagnostic of diagnostics) {
    const { severity, code } = diagnostic;
    const kind = severity === "error" ? `error ${Math.min(errors++, MOST_ERRORS)}` : `${severity} ${code}`;
    const alike = kinds.get(kind);
    if (alike === undefined) kinds.set(kind, [diagnostic]);
    else alike.push(diagnostic);
  }
  return [...kinds.values()].map((kind) => formatKind(kind, options));
}

function formatKind([first, ...others]: readonly Diagnostic[], options: FormatOptions): string {
  if (first === undefined) return "";
  if (others.length === 0) return formatDiagnostic(first, options);
  const { colors } = options;
  const of = first.severity === "error" ? "" : " of this kind";
  const head = `and ${others.length} more ${first.severity}${others.length === 1 ? "" : "s"}${of}`;
  const places = others.flatMap((one) => placeBeside(one, first, options) ?? []);
  const alike = others.every(({ message, fix }) => message === first.message && fix === first.fix);
  if (alike && places.length === others.length) {
    const listed = places.slice(0, MOST_PLACES).join(", ") + (places.length > MOST_PLACES ? `, … ${jsonHas}` : "");
    return [formatDiagnostic(first, options), `  ${colors.dim(`${head}, at`)} ${listed}`].join("\n");
  }
  // What is mended in the same way stands together, and what to do below it.
  const fixes = new Map([[first.fix, []], ...others.map(({ fix }): [string | undefined, Diagnostic[]] => [fix, []])]);
  for (const one of others) fixes.get(one.fix)?.push(one);
  const shown = new Set([...fixes.values()].flat().slice(0, MOST_LINES));
  const lines = [...fixes].flatMap(([fix, ones]) => {
    const its = ones.filter((one) => shown.has(one)).map((one) => shortLine(one, first, options));
    return its.length === 0 || fix === undefined || fix === first.fix ? its : [...its, `      ${colors.green("fix:")} ${visible(fix)}`];
  });
  const rest = others.length - shown.size;
  const more = rest === 0 ? [] : [`    ${colors.dim(`… and ${rest} more ${jsonHas}`)}`];
  return [formatDiagnostic(first, options), `  ${colors.dim(`${head}:`)}`, ...lines, ...more].join("\n");
}

const jsonHas = "(--json has them all)";

function shortLine(one: Diagnostic, first: Diagnostic, options: FormatOptions): string {
  const place = placeBeside(one, first, options);
  return `    ${place === undefined ? "" : `${options.colors.bold(place)} `}${visible(one.message)}`;
}

/** Line and column, with the file where that is another. */
function placeBeside({ position }: Diagnostic, first: Diagnostic, { cwd = process.cwd() }: FormatOptions): string | undefined {
  if (position === undefined) return undefined;
  const file = position.file === first.position?.file ? "" : `${visible(shortPath(position.file, cwd))}:`;
  return `${file}${position.line}:${position.column}`;
}

/** A finding for `--json`: the same fields, with the path relative to `cwd` in posix slashes. */
export interface JsonDiagnostic extends Omit<Diagnostic, "position"> {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** @param cwd what paths are relative to; default: the working directory */
export function toJsonDiagnostic({ position, ...rest }: Diagnostic, cwd: string = process.cwd()): JsonDiagnostic {
  if (position === undefined) return rest;
  const { file, ...place } = position;
  return { ...rest, file: shortPath(file, cwd), ...place };
}

/**
 * The candidate that was probably meant, or `undefined` when none is close: at most a third of the letters differ, case and punctuation aside,
 * or its end is missing. Of several equally close ones the first.
 */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const wanted = plain(written);
  if (wanted.length === 0 || wanted.length > 200) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate === written) continue;
    const other = plain(candidate);
    // A shortened word (`int`, `bool`) is as good as one wrong letter.
    const distance = wanted.length > 2 && other.startsWith(wanted) && other !== wanted ? 1 : editDistance(wanted, other, bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours; gives up (with `limit`) when it cannot be below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const next = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (!same && row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      }
      next.push(cost);
    }
    [beforeLast, last] = [last, next];
  }
  return Math.min(last[b.length]!, limit);
}

const frameWidth = 100;

function codeFrame(text: string, position: Position, colors: Colors, paint: (text: string) => string): string[] {
  const lines = linesAround(text, position.line, 2);
  const gutter = String(lines.at(-1)?.number ?? 0).length;
  return lines.flatMap(({ number, line }) => {
    const here = number === position.line;
    // Of a very long line (minified JSON) only what is around the place is shown.
    const from = here && position.column > frameWidth - 20 ? position.column - 1 - frameWidth / 2 : 0;
    const shown = visible(line.slice(from, from + frameWidth)) + (line.length > from + frameWidth ? "…" : "");
    const head = `${here ? ">" : " "} ${String(number).padStart(gutter)} |`;
    const code = `  ${here ? paint(head) : colors.dim(head)} ${from > 0 ? "…" : ""}${shown}`.trimEnd();
    if (!here) return [code];
    const end =
      position.endLine === position.line ? (position.endColumn ?? position.column) : position.endLine ? line.length + 1 : position.column;
    const before = visible(line.slice(from, position.column - 1)).length + (from > 0 ? 1 : 0);
    const marked = visible(line.slice(position.column - 1, Math.min(end - 1, from + frameWidth))).length;
    const caret = `${" ".repeat(before)}${paint("^".repeat(Math.max(1, marked)))}`;
    return [code, `    ${" ".repeat(gutter)} ${colors.dim("|")} ${caret}`];
  });
}

/** The lines from `line - context` to `line + context`, without walking the rest of a long text twice. */
function linesAround(text: string, line: number, context: number): { number: number; line: string }[] {
  const found: { number: number; line: string }[] = [];
  let number = 1;
  for (const match of text.matchAll(/([^\r\n]*)(\r\n|\n|\r|$)/g)) {
    if (number > line + context || (match[0] === "" && number > line)) break;
    if (number >= line - context) found.push({ number, line: match[1] ?? "" });
    number++;
  }
  return found;
}

function shortPath(file: string, cwd: string): string {
  return (relative(cwd, file) || ".").replaceAll("\\", "/");
}

/** Text of a document for a terminal: what would move the cursor, colour or reorder it is written as `\u{…}`, a tab as two blanks. */
function visible(text: string): string {
  return text
    .replaceAll("\t", "  ")
    .replace(
      /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\p{Cs}]/gu,
      (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
}
