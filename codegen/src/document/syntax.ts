// YAML or JSON text → the syntax tree of the reader that the official parser uses, and what that reader complains of, in our words.
import { load } from "@stoplight/yaml-ast-parser";
import type { Diagnostic } from "../diagnostics.ts";
import type { Source } from "./source.ts";

/** Nesting beyond any real document; deeper ones could overflow the stack of whoever walks the value. */
export const maxDepth = 200;

/** What the reader's tree consists of; its own declarations say `any` where it matters. */
export type Syntax = SyntaxScalar | SyntaxMap | SyntaxList | SyntaxAlias | SyntaxInclude;
export interface SyntaxPlace {
  readonly startPosition: number;
  readonly endPosition: number;
}
export interface SyntaxScalar extends SyntaxPlace {
  readonly kind: 0;
  readonly value: string;
}
export interface SyntaxMap extends SyntaxPlace {
  readonly kind: 2;
  readonly mappings: readonly { readonly key: Syntax; readonly value: Syntax | null }[];
}
export interface SyntaxList extends SyntaxPlace {
  readonly kind: 3;
  readonly items: readonly (Syntax | null)[];
}
export interface SyntaxAlias extends SyntaxPlace {
  readonly kind: 4;
  readonly referencesAnchor: string;
  readonly value: Syntax | null | undefined;
}
export interface SyntaxInclude extends SyntaxPlace {
  readonly kind: 5;
}

/** A syntax tree, which is no good where there is an error. */
interface SyntaxReading {
  readonly syntax: Syntax | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a text. Only the first mistake is said: what follows it is mostly its echo. */
export function readSyntax(source: Source): SyntaxReading {
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(source.text);
  if (control) {
    const name = `U+${control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    const fix = "Remove it, or write it as an escape in a double-quoted string.";
    return failed(problem(source, control.index, "control-character", `The control character ${name} cannot stand in YAML or JSON.`, fix));
  }

  let syntax: Syntax | undefined;
  let errors: readonly ReaderError[];
  try {
    // A schema without tags: the reader then reports every explicit tag and constructs nothing.
    const options = { ignoreDuplicateKeys: true, schema: { compiledImplicit: [], compiledTypeMap: {} }, filename: errorCounter() };
    const tree: unknown = load(source.text, options as unknown as Parameters<typeof load>[1]);
    // The reader's declarations know less of its tree than the interfaces above; who walks it meets every kind it builds.
    syntax = tree as Syntax | undefined;
    errors = (tree as { readonly errors: readonly ReaderError[] } | undefined)?.errors ?? [];
  } catch (error) {
    if (error instanceof RangeError) return failed(tooDeep(source, deepestOffset(source.text)));
    if (error instanceof TooManyErrors) {
      const fix = "Correct its syntax, or check that it is the file you meant.";
      return failed(problem(source, 0, "yaml-syntax", `This file is not YAML: it has more than ${maxErrors} mistakes.`, fix));
    }
    // The reader trips over its own tables, for instance over an anchor called `hasOwnProperty`.
    const fix = "Look for an unusual anchor (`&name`) or tag and remove it.";
    return failed(problem(source, 0, "yaml-syntax", "This file cannot be read as YAML.", fix));
  }
  return { syntax, diagnostics: explain(source, errors, syntax) };
}

const failed = (diagnostic: Diagnostic): SyntaxReading => ({ syntax: undefined, diagnostics: [diagnostic] });

/** Mistakes after which the reader is stopped: it looks for the end of the line at each, and a line may be as long as the file. */
const maxErrors = 200;
class TooManyErrors extends Error {}

/** A file name that counts how often it is put into an error message: the reader has no other way to be stopped. */
function errorCounter(): object {
  let count = 0;
  return {
    toString() {
      if (++count > maxErrors) throw new TooManyErrors();
      return "";
    },
  };
}

interface ReaderError {
  readonly reason: string;
  readonly isWarning: boolean;
  readonly mark: { readonly position: number };
}

/** The reader's own complaints. After its first error it guesses how to go on, so what it says later is left out. */
function explain(source: Source, errors: readonly ReaderError[], syntax: Syntax | undefined): Diagnostic[] {
  const fatal = errors.filter((error) => !error.isWarning);
  // "Two documents" is also what it concludes from any other mistake at the top level.
  const first = fatal.find((error) => !/more$/.test(error.reason)) ?? fatal[0] ?? errors[0];
  if (first === undefined) return [];
  const unclosed = /^unexpected end of the (stream|document) within a (single|double) quoted/.test(first.reason);
  let offset = (unclosed ? lastValue(source.text, syntax) : undefined) ?? first.mark.position;
  // The second document begins at its separator, not where the first one ends.
  if (/more$/.test(first.reason)) offset += Math.max(0, source.text.slice(offset).search(/^---/m));
  return [{ severity: first.isWarning ? "warning" : "error", ...describe(first.reason), position: source.position(offset) }];
}

/** Where the last value of a tree begins: an unclosed string swallows all that follows, so that it is the last. */
function lastValue(text: string, syntax: Syntax | null | undefined): number | undefined {
  let found: number | undefined;
  for (let next = syntax; next; ) {
    if (next.kind === 2) {
      const last: SyntaxMap["mappings"][number] | undefined = next.mappings.at(-1);
      if (last === undefined) return found;
      found = last.key.endPosition + (/^\s*:\s*/.exec(text.slice(last.key.endPosition, last.key.endPosition + 200))?.[0].length ?? 0);
      next = last.value;
    } else if (next.kind === 3) {
      next = next.items.at(-1) ?? undefined;
    } else return found;
  }
  return found;
}

function describe(reason: string): Pick<Diagnostic, "code" | "message" | "fix"> {
  const tag = /^unknown tag <(?:tag:yaml\.org,2002:|!)?(.*)>$/.exec(reason)?.[1];
  if (tag !== undefined) {
    const fix = "Remove the tag; put the value in quotes if it is a string.";
    return { code: "unknown-tag", message: `The YAML tag "${tag}" is not supported: JSON has nothing like it.`, fix };
  }
  const known = readerReasons.find(([pattern]) => pattern.test(reason));
  if (known) return { code: known[1], message: known[2], fix: known[3] };
  return { code: "yaml-syntax", message: `This is not YAML: ${reason}.`, fix: "Correct the syntax here or in the line above." };
}

const readerReasons: readonly (readonly [RegExp, string, string, string])[] = [
  [
    /more$/,
    "second-document",
    "This file holds more than one YAML document.",
    "Keep one document per file: remove the line `---` and what belongs to the other.",
  ],
  [/^Using tabs/, "yaml-tabs", "Tabs cannot indent YAML reliably.", "Indent with blanks."],
  [
    /within a (single|double) quoted scalar$/,
    "yaml-syntax",
    "A quoted string is never closed.",
    "Close it with the quote that it begins with.",
  ],
  [
    /within a flow collection$|^missed comma/,
    "yaml-syntax",
    "A `[` or `{` is not closed, or a comma is missing.",
    "Close the list or the object, or add the comma, before this place.",
  ],
  [
    /^bad indentation|^incomplete explicit mapping pair/,
    "yaml-syntax",
    "This does not fit the indentation or the `key: value` around it.",
    "Indent it like its neighbours, and put text that contains `: ` in quotes.",
  ],
  [/colon is missed|implicit key$/, "yaml-syntax", "A `:` is missing after this key.", "Write `key: value`."],
  [
    /^unidentified alias/,
    "yaml-syntax",
    "This alias has no anchor.",
    "Put `&name` before what it stands for, above it; quote a text that begins with `*`.",
  ],
  [
    /^end of the stream/,
    "yaml-syntax",
    "The document ends here, but text follows.",
    "Indent it like its neighbours; put text that begins with @, `, %, & or * in quotes.",
  ],
];

/** About where a text that overflows the reader's stack gets too deep: brackets, and dashes of one line, counted without regard to quotes. */
function deepestOffset(text: string): number {
  let brackets = 0;
  let dashes = 0;
  for (const { 0: sign, index } of text.matchAll(/[[\]{}\n]|- /g)) {
    if (sign === "\n") dashes = 0;
    else if (sign === "- ") dashes++;
    else if (sign === "[" || sign === "{") brackets++;
    else brackets--;
    if (brackets + dashes > maxDepth) return index;
  }
  return 0;
}

/** That values are nested too deep at a place. */
export function tooDeep(source: Source, offset: number): Diagnostic {
  const message = `Values are nested more than ${maxDepth} deep here.`;
  return problem(source, offset, "too-deep", message, "Move inner parts to components and refer to them.");
}

/** An error at a place. */
export function problem(source: Source, offset: number, code: string, message: string, fix: string): Diagnostic {
  return { severity: "error", code, message, fix, position: source.position(offset) };
}
