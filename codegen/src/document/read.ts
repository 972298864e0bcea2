// YAML or JSON text → a tree that holds values, the order of keys and the place of everything, in one walk over the syntax tree of the
// reader that the official parser uses itself: one opinion of what a file says, but with our own limits and no executable tags.
import { determineScalarType, load, parseYamlBoolean, parseYamlFloat, ScalarType } from "@stoplight/yaml-ast-parser";
import type { Diagnostic } from "../diagnostics.ts";
import type { Source } from "./source.ts";

/** A value and where it was written. What an alias stands for is the node of its anchor, so nodes may be shared, but never cyclic. */
export type Node = Scalar | Mapping | List;
export interface Scalar extends Place {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string;
}
export interface Mapping extends Place {
  readonly kind: "mapping";
  readonly entries: ReadonlyMap<string, Entry>;
}
export interface List extends Place {
  readonly kind: "list";
  readonly items: readonly Node[];
}
export interface Entry {
  readonly key: Place;
  readonly node: Node;
}
/** Offsets into a text, the second exclusive. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Nesting beyond any real document; deeper ones could overflow the stack of whoever walks the value. */
const maxDepth = 200;
/** Values that a file may hold once its aliases are expanded, beyond those it holds without: the shield against "billion laughs". */
const maxAliased = 100_000;

/** Findings reported of one file; nobody reads more, and a hostile file has as many as it has bytes. */
const maxFindings = 100;

/** What the reader's tree consists of; its own declarations say `any` where it matters. */
type Syntax = SyntaxScalar | SyntaxMap | SyntaxList | SyntaxAlias | SyntaxInclude;
interface SyntaxPlace {
  readonly startPosition: number;
  readonly endPosition: number;
}
interface SyntaxScalar extends SyntaxPlace {
  readonly kind: 0;
  readonly value: string;
}
interface SyntaxMap extends SyntaxPlace {
  readonly kind: 2;
  readonly mappings: readonly { readonly key: Syntax; readonly value: Syntax | null }[];
}
interface SyntaxList extends SyntaxPlace {
  readonly kind: 3;
  readonly items: readonly (Syntax | null)[];
}
interface SyntaxAlias extends SyntaxPlace {
  readonly kind: 4;
  readonly referencesAnchor: string;
  readonly value: Syntax | null | undefined;
}
interface SyntaxInclude extends SyntaxPlace {
  readonly kind: 5;
}

/** What is known of a finished node: how many values it holds and how deep it is, aliases expanded. */
interface Measured {
  readonly node: Node;
  readonly size: number;
  readonly depth: number;
}

export interface Reading {
  /** Absent when the text is not YAML. */
  readonly root: Node | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a text; what is wrong with it comes back as located diagnostics, never as an exception. */
export function readText(source: Source): Reading {
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(source.text);
  if (control) {
    const name = `U+${control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    return failed(source, control.index, "control-character", `The control character ${name} cannot stand in YAML or JSON.`, {
      fix: "Remove it, or write it as an escape in a double-quoted string.",
    });
  }

  let syntax: Syntax | undefined;
  let errors: readonly ReaderError[];
  try {
    // A schema without tags: the reader then reports every explicit tag and constructs nothing.
    const options = { ignoreDuplicateKeys: true, schema: { compiledImplicit: [], compiledTypeMap: {} }, filename: errorCounter() };
    const tree: unknown = load(source.text, options as unknown as Parameters<typeof load>[1]);
    // The reader's declarations know less of its tree than the interfaces above; `walk` meets every kind it builds.
    syntax = tree as Syntax | undefined;
    errors = (tree as { readonly errors: readonly ReaderError[] } | undefined)?.errors ?? [];
  } catch (error) {
    if (error instanceof RangeError) return tooDeep(source, deepestOffset(source.text));
    if (error instanceof TooManyErrors) {
      const fix = "Correct its syntax, or check that it is the file you meant.";
      return failed(source, 0, "yaml-syntax", `This file is not YAML: it has more than ${maxErrors} mistakes.`, { fix });
    }
    // The reader trips over its own tables, for instance over an anchor called `hasOwnProperty`.
    return failed(source, 0, "yaml-syntax", "This file cannot be read as YAML.", {
      fix: "Look for an unusual anchor (`&name`) or tag and remove it.",
    });
  }
  const syntaxErrors = explain(source, errors, syntax);
  if (syntaxErrors.some((one) => one.severity === "error")) return { root: undefined, diagnostics: syntaxErrors };

  const diagnostics = [...syntaxErrors];
  const report = (place: SyntaxPlace, severity: Diagnostic["severity"], code: string, message: string, fix: string) => {
    if (diagnostics.length < maxFindings)
      diagnostics.push({ severity, code, message, fix, position: source.position(place.startPosition, place.endPosition) });
  };
  const finished = new Map<Syntax, Measured | "open">();
  let aliased = 0;

  const scalar = (value: Scalar["value"], at: SyntaxPlace): Measured => ({
    node: { kind: "scalar", value, source, start: at.startPosition, end: at.endPosition },
    size: 1,
    depth: 1,
  });

  /** @param at where to say that a value is missing: after its key */
  const walk = (syntax: Syntax | null | undefined, at: SyntaxPlace, level: number, owner?: string): Measured => {
    // The reader says -1 for the place of nothing between braces or brackets.
    if (syntax === null || syntax === undefined || syntax.startPosition < 0) return scalar(null, at);
    if (syntax.kind === 4) return walkAlias(syntax, level);
    if (level > maxDepth) throw new TooDeep(syntax.startPosition);
    finished.set(syntax, "open");
    const measured = syntax.kind === 2 ? walkMap(syntax, level, owner) : syntax.kind === 3 ? walkList(syntax, level) : walkScalar(syntax);
    finished.set(syntax, measured);
    return measured;
  };

  const walkAlias = (alias: SyntaxAlias, level: number): Measured => {
    // The reader's place of an alias begins behind its asterisk.
    const place = { startPosition: alias.startPosition - 1, endPosition: alias.endPosition };
    const target = alias.value && finished.get(alias.value);
    if (target === undefined || target === null) return scalar(null, place);
    if (target === "open") {
      report(
        place,
        "error",
        "alias-cycle",
        `The alias *${alias.referencesAnchor} stands inside what it stands for.`,
        "Use a $ref for recursion.",
      );
      return scalar(null, place);
    }
    aliased += target.size;
    if (aliased > maxAliased) throw new TooManyAliases(place.startPosition);
    if (level + target.depth > maxDepth) throw new TooDeep(place.startPosition);
    return target;
  };

  const walkList = ({ items, startPosition, endPosition }: SyntaxList, level: number): Measured => {
    const here = { startPosition, endPosition: startPosition };
    const children = items.map((item) => walk(item, here, level + 1));
    return {
      node: { kind: "list", items: children.map((child) => child.node), source, start: startPosition, end: endPosition },
      ...measure(children),
    };
  };

  const walkMap = ({ mappings, startPosition, endPosition }: SyntaxMap, level: number, owner?: string): Measured => {
    const entries = new Map<string, Entry>();
    const written = new Map<string, SyntaxPlace>();
    const children: Measured[] = [];
    for (const { key, value } of mappings) {
      const after = { startPosition: key.endPosition, endPosition: key.endPosition };
      if (key.kind !== 0) {
        report(key, "error", "key-not-string", "A key must be a string.", "Write the key as one plain or quoted word.");
        continue;
      }
      const name = scalarValue(key);
      if (typeof name !== "string") {
        report(key, "warning", "key-not-string", `The key ${key.value} is not a string; it is read as "${name}".`, `Write "${name}".`);
      }
      const text = String(name);
      const child = walk(value, after, level + 1, text);
      children.push(child);
      if (text === "<<") {
        for (const [merged, entry] of mergedEntries(child.node)) entries.set(merged, entry);
        continue;
      }
      const first = written.get(text);
      if (first) {
        const what = owner === "messages" ? "message name" : "key";
        const { line } = source.position(first.startPosition);
        const fix = `Rename or remove one of the two: only one of them can count.`;
        report(key, "error", "duplicate-key", `The ${what} "${text}" is already used in line ${line}.`, fix);
        continue;
      }
      written.set(text, key);
      entries.set(text, { key: { source, start: key.startPosition, end: key.endPosition }, node: child.node });
    }
    return { node: { kind: "mapping", entries, source, start: startPosition, end: endPosition }, ...measure(children) };
  };

  const walkScalar = (syntax: SyntaxScalar | SyntaxInclude): Measured => {
    if (syntax.kind === 5) {
      report(syntax, "error", "unknown-tag", "The tag !include is not part of YAML.", 'Write `$ref: "./file.yaml"` instead.');
      return scalar(null, syntax);
    }
    const value = scalarValue(syntax);
    if (typeof value !== "number" && typeof value !== "bigint") return scalar(value, syntax);
    const number = Number(value);
    if (!Number.isFinite(number)) {
      const written = syntax.value.length > 40 ? `${syntax.value.slice(0, 40)}…` : syntax.value;
      report(syntax, "error", "number-not-json", `JSON has no number ${written}.`, "Use a finite number, or quote it if it is a string.");
      return scalar(null, syntax);
    }
    if (typeof value === "bigint" && BigInt(number) !== value && String(number) !== syntax.value) {
      const message = `JSON numbers cannot hold ${syntax.value} exactly; it is read as ${number}.`;
      report(syntax, "warning", "number-rounded", message, "Use a number of at most 15 digits, or a string.");
    }
    return scalar(number, syntax);
  };

  try {
    const root = walk(syntax, { startPosition: 0, endPosition: 0 }, 1).node;
    return { root, diagnostics };
  } catch (error) {
    if (error instanceof TooDeep) return tooDeep(source, error.offset);
    if (!(error instanceof TooManyAliases)) throw error;
    return failed(source, error.offset, "too-many-aliases", `The aliases of this file expand to more than ${maxAliased} values.`, {
      fix: "Use $refs into components instead of YAML aliases.",
    });
  }
}

/** Leaves the walk at once; never leaves this file. */
class LimitReached extends Error {
  readonly offset: number;
  constructor(offset: number) {
    super();
    this.offset = offset;
  }
}
class TooDeep extends LimitReached {}
class TooManyAliases extends LimitReached {}

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

function failed(source: Source, offset: number, code: string, message: string, { fix }: { readonly fix: string }): Reading {
  return { root: undefined, diagnostics: [{ severity: "error", code, message, fix, position: source.position(offset) }] };
}

function tooDeep(source: Source, offset: number): Reading {
  return failed(source, offset, "too-deep", `Values are nested more than ${maxDepth} deep here.`, {
    fix: "Move inner parts to components and refer to them.",
  });
}

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

function measure(children: readonly Measured[]): { readonly size: number; readonly depth: number } {
  let size = 1;
  let depth = 0;
  for (const child of children) {
    size += child.size;
    depth = Math.max(depth, child.depth);
  }
  return { size, depth: depth + 1 };
}

/** What `<<: …` brings in: the entries of a map, or of several, of which the first wins. */
function mergedEntries(node: Node): ReadonlyMap<string, Entry> {
  if (node.kind === "mapping") return node.entries;
  if (node.kind === "scalar") return new Map();
  return new Map([...node.items].reverse().flatMap((item) => [...mergedEntries(item)]));
}

/** The value of a scalar as the official parser reads it (YAML 1.2 core schema, `012` is twelve), whole numbers exactly. */
function scalarValue(syntax: SyntaxScalar): null | boolean | number | bigint | string {
  switch (determineScalarType(syntax as unknown as Parameters<typeof determineScalarType>[0])) {
    case ScalarType.null:
      return null;
    case ScalarType.bool:
      return parseYamlBoolean(syntax.value);
    case ScalarType.int:
      // No number of more digits is finite, and BigInt takes quadratic time.
      if (syntax.value.length > 310) return Number.POSITIVE_INFINITY;
      return BigInt(syntax.value.replace(/^\+/, "").replace(/^(-?)0+(?=\d)/, "$1"));
    case ScalarType.float:
      return parseYamlFloat(syntax.value);
    case ScalarType.string:
      return syntax.value;
  }
}
