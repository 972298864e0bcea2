// What load hands on: the document as one self-contained value, and where each part of it was written.
import type { Diagnostic, Position } from "../diagnostics.ts";

/** A value as JSON has it. Objects keep the order of the source and own any key, `__proto__` too (null prototype). */
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
