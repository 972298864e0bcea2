// YAML or JSON text → a tree that holds values, the order of keys and the place of everything, in one walk over the syntax tree of the
// reader that the official parser uses itself: one opinion of what a file says, but with our own limits and no executable tags.
import { determineScalarType, parseYamlBoolean, parseYamlFloat, ScalarType } from "@stoplight/yaml-ast-parser";
import type { Diagnostic } from "../diagnostics.ts";
import type { Source } from "./source.ts";
import {
  maxDepth,
  problem,
  readSyntax,
  type Syntax,
  type SyntaxAlias,
  type SyntaxInclude,
  type SyntaxList,
  type SyntaxMap,
  type SyntaxPlace,
  type SyntaxScalar,
  tooDeep,
} from "./syntax.ts";

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

/** Values that a file may hold once its aliases are expanded, beyond those it holds without: the shield against "billion laughs". */
const maxAliased = 100_000;

/** Findings reported of one file; nobody reads more, and a hostile file has as many as it has bytes. */
const maxFindings = 100;

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
  const { syntax, diagnostics: complaints } = readSyntax(source);
  if (complaints.some(({ severity }) => severity === "error")) return { root: undefined, diagnostics: complaints };

  const diagnostics = [...complaints];
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
    if (error instanceof TooDeep) return { root: undefined, diagnostics: [tooDeep(source, error.offset)] };
    if (!(error instanceof TooManyAliases)) throw error;
    const message = `The aliases of this file expand to more than ${maxAliased} values.`;
    const fix = "Use $refs into components instead of YAML aliases.";
    return { root: undefined, diagnostics: [problem(source, error.offset, "too-many-aliases", message, fix)] };
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
