// Whether a document is valid: the official parser's verdict, graded by what it means for generation, at our own places and in our own words.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type Diagnostic, sortDiagnostics } from "../diagnostics.ts";
import { openCache } from "./check-cache.ts";
import type { Document, JsonObject, JsonValue } from "./document.ts";
import { grade } from "./grade.ts";
import { formatPointer, parsePointer } from "./pointer.ts";
import { checkStructure } from "./structure.ts";

export interface CheckOptions {
  /** Whether everything that the official parser calls an error is one. Default: false. */
  readonly strict?: boolean;
  /** Milliseconds after which the official parser is abandoned: it is exponential on some documents. Default: 10,000. */
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

/** What the worker is given. */
export interface CheckRequest {
  /** URL of the bundled parser. */
  readonly parser: string;
  readonly text: string;
  readonly source: string;
  readonly strict: boolean;
}

/** What the official parser said. */
export type CheckReport = readonly {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
  readonly isError: boolean;
}[];

// Both lie in dist/, of which this file is a part, or (run from the sources, in tests) a neighbour: Node 20 cannot run a worker in TypeScript.
const parserUrl = new URL("../../dist/vendor/asyncapi-parser.mjs", import.meta.url).href;
const workerUrl = new URL("../../dist/document/check-worker.js", import.meta.url);

const defaultDeadline = 10_000;

/** Checks a loaded document. Opens no connection and evaluates nothing of it. */
export async function check(document: Document, options: CheckOptions = {}): Promise<CheckOutcome> {
  const { strict = false, deadline = defaultDeadline } = options;
  const started = performance.now();
  const cache = openCache(document, parserUrl, strict, options.cacheFolder);
  const known = cache.read();
  // The worker starts first, so that our own checks run beside it.
  const running = known === undefined ? runParser(document, strict, deadline) : undefined;
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

/** @returns what the parser said, or why it said nothing */
async function runParser(document: Document, strict: boolean, deadline: number): Promise<CheckReport | string> {
  if (!existsSync(fileURLToPath(parserUrl))) return "its bundle is missing from this installation of wsgen";
  const workerData: CheckRequest = {
    parser: parserUrl,
    text: JSON.stringify(selfContained(document)),
    source: document.file,
    strict,
  };
  const worker = new Worker(workerUrl, { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 2048 } });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<CheckReport | string>((resolve) => {
      timer = setTimeout(() => resolve(`it took longer than ${deadline / 1000} s`), deadline);
      worker.once("message", (report: CheckReport) => resolve(report));
      worker.once("error", (error) => resolve(`it failed: ${error.message.split("\n", 1)[0]}`));
      worker.once("exit", () => resolve("it ended without a word"));
    });
  } finally {
    clearTimeout(timer);
    void worker.terminate();
  }
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

/** A pointer that leads nowhere, for refs that the parser must not follow. */
const dangling = "#/x-wsgen-unresolved";

/**
 * The document with the same shape and no ref that leaves it, wherever one stands: the parser follows, and fetches, those in examples too. Refs
 * through other refs are as the author wrote them, since some rules look at their text.
 */
export function selfContained(document: Document): JsonValue {
  const copy = (value: JsonValue, path: readonly string[]): JsonValue => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item, index) => copy(item, [...path, String(index)]));
    const object: Record<string, JsonValue> = Object.create(null);
    for (const [key, child] of Object.entries(value as JsonObject)) {
      const isRef = key === "$ref" && typeof child === "string";
      object[key] = isRef ? localRef(child, formatPointer([...path, key])) : copy(child, [...path, key]);
    }
    return object;
  };
  const localRef = (ref: string, pointer: string): string => {
    if (!/^#(\/|$)/.test(ref)) return dangling;
    const written = document.references.get(pointer);
    const path = written?.startsWith("#/") ? parsePointer(written.slice(1)) : undefined;
    return written !== undefined && path && followed(document, path) === ref.slice(1) ? written : ref.replaceAll("%", "%25");
  };
  return copy(document.value, []);
}

/** Where a path through the document ends when the refs on its way are followed. */
function followed(document: Document, path: readonly string[]): string | undefined {
  let here = "";
  for (const segment of path) {
    for (let steps = 0; document.get(here + formatPointer([segment])) === undefined; steps++) {
      const ref = document.get(`${here}/$ref`);
      if (typeof ref !== "string" || !ref.startsWith("#") || steps > 100) return undefined;
      here = ref.slice(1);
    }
    here += formatPointer([segment]);
  }
  return here;
}
