// Collects what the model has to say about a document, each finding at the place where it was written.
import { type Diagnostic, type Severity, sortDiagnostics } from "../diagnostics.ts";
import type { Document } from "../document/document.ts";

/** What is wrong (or could be better) and what to do about it. */
export interface Finding {
  /** Stable, kebab-case name of the rule. */
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  /** Pointer into the loaded document. */
  readonly pointer: string;
  /** Whether the finding is about the property's name or (the default) its value. */
  readonly at?: "key" | "value";
}

export interface Findings {
  error(finding: Finding): void;
  warning(finding: Finding): void;
  hint(finding: Finding): void;
  /** Everything found so far, by place; one finding of one rule at one place is kept once. */
  sorted(): readonly Diagnostic[];
}

/** Starts a collection of findings about `document`. */
export function createFindings(document: Document): Findings {
  const found = new Map<string, Diagnostic>();
  const add = (severity: Severity, { code, message, fix, pointer, at = "value" }: Finding): void => {
    const id = `${code} ${pointer} ${message}`;
    if (found.has(id)) return;
    found.set(id, { severity, code, message, ...(fix !== undefined && { fix }), position: document.locate(pointer, at) });
  };
  return {
    error: (finding) => add("error", finding),
    warning: (finding) => add("warning", finding),
    hint: (finding) => add("hint", finding),
    sorted: () => sortDiagnostics([...found.values()]),
  };
}
