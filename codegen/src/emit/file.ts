// One generated TypeScript file: collects imports, owns quoting, comments and indentation. Text of a document enters code only through
// `string`, `key`, `value` and `doc`. (Interface first: the implementation follows.)
import type { JsonValue } from "../document/document.ts";
import type { Docs } from "../model/model.ts";

export interface GeneratedFile {
  /** Path below the output folder, posix slashes. */
  readonly path: string;
  /** Prints one line at the current indentation; "" prints an empty line; a string with line breaks prints several. */
  print(line: string): void;
  /** Prints `opening`, the body one level deeper, then `closing`. */
  block(opening: string, body: () => void, closing: string): void;
  /** Imports a name and returns the identifier to use for it here (aliased when it clashes with a declared or imported one). */
  import(name: string, from: string, kind?: "type" | "value"): string;
  /** Reserves an identifier that this file declares, so that imports step aside. Call before importing. */
  declare(name: string): string;
  /** A string as a double-quoted literal, safe anywhere in code (U+2028/9, `</script`, lone surrogates escaped). */
  string(value: string): string;
  /** A property key: bare when it is an identifier, quoted when not, `["__proto__"]` for that one. */
  key(name: string): string;
  /** A JSON value as a literal, laid out over several lines when longer than the line width of 120. */
  value(value: JsonValue): string;
  /** Prints a doc comment of the lines that are not empty; nothing when all are. the end of a comment, control and bidi characters are escaped. */
  doc(docs: Docs | string): void;
  /** The finished text, header and imports first. */
  toString(): string;
}

/** An emitter prints one output file from the model; it has no I/O. */
export type Emitter = (model: import("../model/model.ts").Model, file: GeneratedFile) => void;
