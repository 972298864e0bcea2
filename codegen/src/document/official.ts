// The official parser in a worker: so that it can be abandoned, and so that its start-up costs nothing but a core. The worker is kept for the
// next document (of --watch, of a script), which then costs a third.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Document, JsonObject, JsonValue } from "./document.ts";
import { formatPointer, parsePointer } from "./pointer.ts";

/** What the worker is told when it starts. */
export interface WorkerData {
  /** URL of the bundled parser. */
  readonly parser: string;
  /** How the first document is probably checked. */
  readonly strict: boolean;
}

/** What it is asked. */
export interface CheckRequest {
  readonly text: string;
  readonly source: string;
  readonly strict: boolean;
}

/** What the official parser said of a document. */
export type CheckReport = readonly {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
  readonly isError: boolean;
}[];

// Both lie in dist/, of which this file is a part, or (run from the sources, in tests) a neighbour: Node 20 cannot run a worker in TypeScript.
export const parserUrl = new URL("../../dist/vendor/asyncapi-parser.mjs", import.meta.url).href;
const workerUrl = new URL("../../dist/document/check-worker.js", import.meta.url);

let idle: Worker | undefined;

/** Starts a worker for a document that is still to be read. */
export function prepareParser(strict: boolean): void {
  if (idle === undefined && existsSync(fileURLToPath(parserUrl))) rest(startWorker(strict));
}

/** @returns what the parser said, or in words why it said nothing */
export async function runParser(
  document: Document,
  { strict, deadline }: { readonly strict: boolean; readonly deadline: number },
): Promise<CheckReport | string> {
  if (!existsSync(fileURLToPath(parserUrl))) return "its bundle is missing from this installation of wsgen";
  const worker = idle ?? startWorker(strict);
  idle = undefined;
  worker.ref();
  const request: CheckRequest = { text: JSON.stringify(selfContained(document)), source: document.file, strict };
  const answer = await ask(worker, request, deadline);
  // By name: without one, listeners of Node's own go too, and the worker is deaf.
  for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
  if (typeof answer === "string" || idle !== undefined) void worker.terminate();
  else rest(worker);
  return answer;
}

/** Keeps a worker for later. It must not keep the process alive, nor bring it down should it fail while nobody asks it anything. */
function rest(worker: Worker): void {
  worker.unref();
  for (const event of ["error", "exit"]) {
    worker.on(event, () => {
      if (idle === worker) idle = undefined;
    });
  }
  idle = worker;
}

function startWorker(strict: boolean): Worker {
  const workerData: WorkerData = { parser: parserUrl, strict };
  return new Worker(workerUrl, { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 2048 } });
}

function ask(worker: Worker, request: CheckRequest, deadline: number): Promise<CheckReport | string> {
  return new Promise((resolve) => {
    const [began, taken] = [performance.now(), processorTime()];
    // Whether a document is valid must not depend on what else the machine does: what counts is the time that the parser had.
    const wait = (): void => {
      const left = deadline - (processorTime() - taken);
      if (left > 0 && performance.now() - began < deadline * patience) timer = setTimeout(wait, Math.max(left, 50));
      // We may have been busy ourselves all the while: an answer that has come by now counts.
      else setImmediate(() => settle(`it took longer than ${deadline / 1000} s`));
    };
    let timer = setTimeout(wait, deadline);
    const settle = (answer: CheckReport | string) => {
      clearTimeout(timer);
      resolve(answer);
    };
    worker.once("message", settle);
    worker.once("error", (error) => settle(`it failed: ${error.message.split("\n", 1)[0]}`));
    worker.once("exit", () => settle("it ended without a word"));
    worker.postMessage(request);
  });
}

/** How many times the deadline may pass on the clock of a machine that does other things. */
const patience = 12;

/** Milliseconds of processor time that this process has taken. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A pointer that leads nowhere, for refs that the parser must not follow. */
const dangling = "#/x-wsgen-unresolved";

/**
 * The document with the same shape but for keys `__proto__`, and no ref that leaves it, wherever one stands: the parser follows, and fetches, those in examples too. Refs
 * through other refs are as the author wrote them, since some rules look at their text.
 */
export function selfContained(document: Document): JsonValue {
  const copy = (value: JsonValue, path: readonly string[]): JsonValue => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item, index) => copy(item, [...path, String(index)]));
    const object: Record<string, JsonValue> = Object.create(null);
    for (const [key, child] of Object.entries(value as JsonObject)) {
      // The parser takes the key for the object's prototype; the model says where it cannot be a name.
      if (key === "__proto__") continue;
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
  const whole = copy(document.value, []) as Record<string, JsonValue>;
  // A draft of a version (`2.0.0-rc2`) is read as that version; the parser knows none.
  if (typeof whole["asyncapi"] === "string") whole["asyncapi"] = whole["asyncapi"].replace(/-.*/s, "");
  return whole;
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
