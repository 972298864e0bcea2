// What load hands on: the document as one self-contained value, and where each part of it was written.
import type { Diagnostic, Position } from "../diagnostics.ts";

/**
 * A value as JSON has it. Objects own any key, `__proto__` too (null prototype), and keep the order of the source, but for keys that are whole
 * numbers: JavaScript puts those first.
 */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Root key under which referenced fragments of other files lie, keyed by path relative to the document's folder (posix slashes). */
export const FILES_KEY = "x-wsgen-files";

/** One loaded document: every `$ref` that could be resolved is local (`#/…`), names are kept, nothing is expanded. */
export interface Document {
  /** Absolute path of the document. */
  readonly file: string;
  /** The document with referenced fragments of other files under `x-wsgen-files`. */
  readonly value: JsonObject;
  /**
   * Refs that `value` spells in another way than the source: pointer of the `$ref` string in `value` → as written. Those are refs to other
   * files, refs that lead through another ref (`value` has the final place), and refs with an unescaped `/` or percent escapes.
   */
  readonly references: ReadonlyMap<string, string>;
  /** Text of every file read, by absolute path: for code frames and hashes. */
  readonly sources: ReadonlyMap<string, string>;
  /** What load found wrong: reader errors, refs to nowhere, refs refused. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Where the value at a pointer of `value` was written (in whichever file). `at: "key"` points at the property's name,
   * "value" (the default) at its value. A pointer to something that is not there gives its nearest ancestor.
   */
  locate(pointer: string, at?: "key" | "value"): Position;
  /** The value at a pointer of `value`, following no refs; `undefined` when there is none. */
  get(pointer: string): JsonValue | undefined;
}
