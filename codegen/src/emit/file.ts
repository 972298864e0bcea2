// One generated TypeScript file: collects imports, owns quoting, comments and indentation. Text of a document enters code only through
// `string`, `key`, `value` and `doc`, which make it safe wherever they put it.
import type { JsonValue } from "../document/document.ts";
import { capitalized, identifiers, isIdentifier } from "../letters.ts";
import type { Docs, Model } from "../model/model.ts";

/** Generated lines are at most this long, prose and values alike, as far as there is a place to break them. */
export const lineWidth = 120;

/** Code to be printed as it is inside a value: an identifier that `import` or `declare` returned. */
export interface Code {
  readonly kind: typeof codeKind;
  readonly text: string;
}
const codeKind: unique symbol = Symbol("code");

/** Marks an identifier, so that `value` prints it bare. Never call it with text of a document. */
export function code(identifier: string): Code {
  return { kind: codeKind, text: identifier };
}

/** What `value` prints: JSON, with code in any place of it. */
export type Literal = JsonValue | Code | readonly Literal[] | { readonly [key: string]: Literal };

export interface GeneratedFile {
  /** Path below the output folder, posix slashes. */
  readonly path: string;
  /** Prints one line at the current indentation; "" prints an empty line; a string with line breaks prints several. */
  print(line: string): void;
  /** Prints `opening`, the body one level deeper, then `closing`. */
  block(opening: string, body: () => void, closing: string): void;
  /** Imports a name and returns the identifier to use for it here (aliased when it clashes with a declared or imported one). */
  import(name: string, from: string, kind?: "type" | "value"): string;
  /** Reserves an identifier that this file declares or a global it uses, so that imports step aside. Call before importing. */
  declare(name: string): string;
  /** A string as a double-quoted literal, safe anywhere in code (U+2028/9, `</script`, lone surrogates, bidi characters escaped). */
  string(value: string): string;
  /** A property key: bare when it is an identifier, quoted when not, `["__proto__"]` for that one. */
  key(name: string): string;
  /**
   * A value as a literal, to be printed at the current indentation: laid out over several lines when longer than the line width.
   * `taken` is how many other characters are on its first line (`const x = ` and the `;`).
   */
  value(value: Literal, taken?: number): string;
  /** Prints a doc comment of the lines that are not empty; nothing when all are. The end of a comment, control and bidi characters are escaped. */
  doc(docs: Docs | string): void;
  /** The finished text, header and imports first; imports that no line uses are left out. */
  toString(): string;
}

/** An emitter prints one output file from the model; it has no I/O. */
export type Emitter = (model: Model, file: GeneratedFile) => void;

/**
 * Starts an empty file.
 *
 * @param path below the output folder, posix slashes
 * @param header the comment lines that it begins with
 */
export function createGeneratedFile(path: string, header: string): GeneratedFile {
  const body: string[] = [];
  const taken = new Set<string>();
  const imports = new Map<string, Map<string, ImportedName>>();
  let depth = 0;

  const print = (text: string): void => {
    for (const line of text.split("\n")) body.push(line === "" ? "" : indentation(depth) + line);
  };

  return {
    path,
    print,
    block(opening, inside, closing) {
      print(opening);
      depth += 1;
      inside();
      depth -= 1;
      print(closing);
    },
    import(name, from, kind = "type") {
      const names = imports.get(from) ?? new Map<string, ImportedName>();
      imports.set(from, names);
      const known = names.get(name);
      if (known !== undefined) {
        if (kind === "value") known.kind = "value";
        return known.alias;
      }
      const alias = freeAlias(name, from, taken);
      taken.add(alias);
      names.set(name, { name, alias, kind });
      return alias;
    },
    declare(name) {
      taken.add(name);
      return name;
    },
    string: stringLiteral,
    key: propertyKey,
    value: (value, used = 0) => layOut(value, depth * 2, used),
    doc(docs) {
      const lines = docLines(docs, depth * 2);
      if (lines.length > 0) print(lines.join("\n"));
    },
    toString() {
      const text = body.join("\n").replace(/^\n+|\n+$/g, "");
      // Who lays out a line may try it in several ways, and not print all of them.
      const used = new Set(text.match(/[^\0-\x7f]/.test(text) ? identifiers : asciiIdentifiers));
      const statements = [...imports].sort(byModule).map(([from, names]) => {
        const kept = [...names.values()].filter(({ alias }) => used.has(alias));
        return kept.length === 0 ? "" : importStatement(from, kept);
      });
      const head = statements.filter((statement) => statement !== "").join("\n");
      return `${[header, head, text].filter((part) => part !== "").join("\n\n")}\n`;
    },
  };
}

/** The lines of a doc comment that is to be indented by `indent` columns; none when there is nothing to say. Safe wherever a comment is. */
export function docLines(docs: Docs | string, indent: number): readonly string[] {
  const lines = commentLines(typeof docs === "string" ? docs : docsText(docs), lineWidth - indent - " * ".length);
  const [first] = lines;
  if (first === undefined) return [];
  if (lines.length === 1 && indent + first.length + "/**  */".length <= lineWidth) return [`/** ${first} */`];
  return ["/**", ...lines.map((line) => (line === "" ? " *" : ` * ${line}`)), " */"];
}

interface ImportedName {
  readonly name: string;
  readonly alias: string;
  kind: "type" | "value";
}

/** Finds `identifiers` in texts without other characters, in a fifth of the time: guards are megabytes. */
const asciiIdentifiers = /[A-Za-z$_][\w$]*/g;

const indentation = (depth: number): string => "  ".repeat(depth);

/** `Sent` of the runtime beside the document's own `Sent` is `WsgenSent`; the document's `Chat` beside our `Chat` is `ChatType`. */
function freeAlias(name: string, from: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const prefix = /^[a-z]/.test(name) ? "wsgen" : "Wsgen";
  const base = from.startsWith(".") ? `${name}Type` : prefix + capitalized(name);
  let alias = base;
  while (taken.has(alias)) alias += "_";
  return alias;
}

/** Packages before the output's own files, each in alphabetical order. */
function byModule([a]: [string, unknown], [b]: [string, unknown]): number {
  const relative = Number(a.startsWith(".")) - Number(b.startsWith("."));
  return relative !== 0 ? relative : compare(a, b);
}

function importStatement(from: string, names: readonly ImportedName[]): string {
  const typesOnly = names.every(({ kind }) => kind === "type");
  const specifiers = [...names]
    .sort((a, b) => compare(b.kind === "type" ? 1 : 0, a.kind === "type" ? 1 : 0) || compare(a.name, b.name))
    .map(({ name, alias, kind }) => (kind === "type" && !typesOnly ? "type " : "") + (alias === name ? name : `${name} as ${alias}`));
  const keyword = typesOnly ? "import type" : "import";
  const line = `${keyword} { ${specifiers.join(", ")} } from ${stringLiteral(from)};`;
  if (line.length <= lineWidth) return line;
  return `${keyword} {\n${specifiers.map((specifier) => `  ${specifier},\n`).join("")}} from ${stringLiteral(from)};`;
}

/** By code unit, so that the order does not depend on the machine's locale. */
function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Bidirectional controls and other invisible characters that make text look like something else than it is. */
const deceptive = "\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff";
const unsafeInStrings = new RegExp(`[\\u007f-\\u009f${deceptive}]|<(?=/script|!--)`, "gi");
const unsafeInComments = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f${deceptive}]|\\p{Surrogate}`, "gu");

function stringLiteral(value: string): string {
  return JSON.stringify(value).replace(unsafeInStrings, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function propertyKey(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  // In an interface `new(…)` would be a constructor and not a method of that name.
  return isIdentifier(name) && name !== "new" ? name : stringLiteral(name);
}

/** Prints on one line what fits on it, and opens up from the outside in what does not. */
function layOut(value: Literal, indent: number, taken: number): string {
  const flat = flatten(value);
  if (indent + taken + flat.length <= lineWidth || !isComposite(value)) return flat;
  const inside = indent + 2;
  const items = isList(value)
    ? value.map((item) => layOut(item, inside, ",".length))
    : Object.entries(value).map(([key, item]) => `${propertyKey(key)}: ${layOut(item, inside, propertyKey(key).length + ": ,".length)}`);
  if (items.length === 0) return flat;
  const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
  // Indented by what encloses it only: `print` adds the rest.
  return `${open}\n${items.map((item) => `  ${item.replaceAll("\n", "\n  ")},\n`).join("")}${close}`;
}

function flatten(value: Literal): string {
  if (isList(value)) return `[${value.map(flatten).join(", ")}]`;
  if (isCode(value)) return value.text;
  if (typeof value === "string") return stringLiteral(value);
  // JSON has no negative zero, but a reader of it does.
  if (Object.is(value, -0)) return "-0";
  if (value === null || typeof value !== "object") return String(value);
  const entries = Object.entries(value).map(([key, item]) => `${propertyKey(key)}: ${flatten(item)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

const isList = (value: Literal): value is readonly Literal[] => Array.isArray(value);
const isCode = (value: Literal): value is Code => typeof value === "object" && value !== null && "kind" in value && value.kind === codeKind;
const isComposite = (value: Literal): value is readonly Literal[] | { readonly [key: string]: Literal } =>
  typeof value === "object" && value !== null && !isCode(value);

/** The summary, then the description; the title only where neither says more; then whether it is deprecated. */
function docsText({ title, summary, description, deprecated }: Docs): string {
  const prose = [summary, description].map((text) => text?.trim() ?? "").filter((text) => text !== "");
  const paragraphs = prose.length > 0 ? [...new Set(prose)] : [title?.trim() ?? ""];
  const text = cut(paragraphs.filter((paragraph) => paragraph !== "").join("\n\n"));
  return deprecated === true ? [text, deprecatedTag].filter((part) => part !== "").join("\n\n") : text;
}

/** Longer prose is cut: it belongs in the document, not in every hover. */
const longestComment = 4096;
const cut = (text: string): string =>
  text.length <= longestComment ? text : `${text.slice(0, longestComment).replace(/\s+\S*$/, "")}\n\n(Cut here: the document says more.)`;

/** The one tag that comments have: every other `@` at the beginning of a line is the document's, and escaped. */
const deprecatedTag = "@deprecated";

/** Lines of a comment: safe inside one, prose wrapped at the width, everything that Markdown lays out itself left alone. */
function commentLines(text: string, width: number): string[] {
  const safe = text
    .replace(/\r\n?/g, "\n")
    .replaceAll("*/", "*\\/")
    .replace(/<(?=\/script|!--)/gi, "<\\")
    .replace(unsafeInComments, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  const lines: string[] = [];
  let fenced = false;
  for (const raw of safe.split("\n")) {
    const line = raw.trimEnd() === deprecatedTag ? deprecatedTag : raw.trimEnd().replace(/^(\s*)@/, "$1\\@");
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const prose = !fenced && !/^( {4}|\t|\s*\|)/.test(line) && /\S/.test(line);
    if (line === "" && (lines.length === 0 || lines.at(-1) === "")) continue;
    // In a table `<br>` is the only way to break a line; elsewhere a line of its own says the same.
    if (prose) lines.push(...line.split(/ *<br ?\/?> */i).flatMap((part) => (part === "" ? [] : wrap(part, width))));
    else lines.push(line);
  }
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Breaks a line of prose at spaces, except before what would begin a list, a heading, a quotation or a tag. */
function wrap(line: string, width: number): string[] {
  const marker = /^\s*([-*+]|\d+[.)])\s+/.exec(line)?.[0] ?? /^\s*/.exec(line)?.[0] ?? "";
  const hanging = " ".repeat(Math.min(marker.length, 8));
  const words = line.slice(marker.length).split(/ +/);
  const lines: string[] = [];
  let current = marker;
  let empty = true;
  for (const word of words) {
    const fits = empty || current.length + 1 + word.length <= width;
    if (fits || /^([-+*#>|@=]|\d+[.)])/.test(word)) {
      current += empty ? word : ` ${word}`;
    } else {
      lines.push(current);
      current = hanging + word;
    }
    empty = false;
  }
  return [...lines, current];
}
