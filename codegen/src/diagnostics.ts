// What is wrong with a document, where, and what to do about it: collected as values, printed in one place.

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
