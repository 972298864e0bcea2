// Whether a document is valid: the official parser's verdict, graded by what it means for generation, at our own places and in our own words.
import { type Diagnostic, sortDiagnostics } from "../diagnostics.ts";
import { openCache, seemsUnchecked } from "./check-cache.ts";
import type { Document } from "./document.ts";
import { grade } from "./grade.ts";
import { parserUrl, prepareParser, runParser } from "./official.ts";
import { checkStructure } from "./structure.ts";

export interface CheckOptions {
  /** Whether everything that the official parser calls an error is one. Default: false. */
  readonly strict?: boolean;
  /** Milliseconds of processor time after which the official parser is abandoned: it is exponential on some documents. Default: 10,000. */
  readonly deadline?: number;
  /** Folder to keep what was found in. Default: `.cache/wsgen` in the nearest `node_modules`. */
  readonly cacheFolder?: string;
}

export interface CheckOutcome {
  /** Sorted; those of load are not among them. */
  readonly diagnostics: readonly Diagnostic[];
  /** `unknown` when the official parser was abandoned: then only our own checks have spoken. */
  readonly verdict: "valid" | "invalid" | "unknown";
  /** Whether the official parser had already seen this very document. */
  readonly cached: boolean;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

const defaultDeadline = 10_000;

/** Starts the official parser ahead of time where it will probably be needed: it takes 0.3 s until it can read. */
export function prepareCheck(path: string, strict: boolean): void {
  if (seemsUnchecked(path, strict)) prepareParser(strict);
}

/** Checks a loaded document. Opens no connection and evaluates nothing of it. */
export async function check(document: Document, options: CheckOptions = {}): Promise<CheckOutcome> {
  const { strict = false, deadline = defaultDeadline } = options;
  const started = performance.now();
  const cache = openCache(document, parserUrl, strict, options.cacheFolder);
  const known = cache.read();
  // The worker starts first, so that our own checks run beside it.
  const running = known === undefined ? runParser(document, { strict, deadline }) : undefined;
  const structure = checkStructure(document, strict);
  const report = known ?? (await running);
  if (running && Array.isArray(report)) cache.write(report);

  const official = typeof report === "object" ? grade(report, document, structure, strict) : [abandoned(document, report ?? "", strict)];
  const diagnostics = sortDiagnostics([...structure.findings.map(({ pointer: _, ...rest }) => rest), ...official]);
  const hasErrors = diagnostics.some((one) => one.severity === "error");
  return {
    diagnostics,
    verdict: typeof report !== "object" ? "unknown" : hasErrors ? "invalid" : "valid",
    cached: known !== undefined,
    ms: performance.now() - started,
  };
}

function abandoned(document: Document, why: string, strict: boolean): Diagnostic {
  return {
    severity: strict ? "error" : "warning",
    code: "check-abandoned",
    message: `The official AsyncAPI parser gave no verdict: ${why}. Only wsgen's own checks were made.`,
    fix: "Check the document with another tool too, or make it simpler: many refs to parts that refer on make the parser slow.",
    position: document.locate(""),
  };
}
