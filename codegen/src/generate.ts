// The pipeline: load → check → model → emit → write. Everything it finds is a value of its result; it throws only for bugs.
import { dirname, relative, resolve, sep } from "node:path";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { type Diagnostic, sortDiagnostics } from "./diagnostics.ts";
import { type CheckOutcome, checkDocument } from "./document/check.ts";
import type { Document } from "./document/document.ts";
import { loadDocument } from "./document/load.ts";
import { emit } from "./emit/index.ts";
import { planHandlers } from "./handler-files.ts";
import { buildModel } from "./model/build.ts";
import type { Model } from "./model/model.ts";
import { type Missing, missingPackages } from "./packages.ts";
import { type Summary, summarise } from "./summary.ts";
import { carryOut, type Manifest, planWrite, readManifest, WriteError } from "./write.ts";

export interface GenerateOptions extends Config {
  /** What paths are relative to, and where a configuration is looked for beside the document's folder; default: the working directory. */
  readonly cwd?: string;
  /** Whether to say what would be written instead of writing it. */
  readonly check?: boolean;
}

/** What came of a document. */
export interface ValidateResult {
  /** Whether nothing stands in the way of generation. */
  readonly ok: boolean;
  /** In the order of the sources. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was understood; absent when the document could not be read. */
  readonly summary?: Summary;
  /** Absolute paths of everything that was read, for watching. */
  readonly sources: ReadonlyMap<string, string>;
  /** How long each step took, in ms. */
  readonly timings: { readonly [step: string]: number };
}

export interface GenerateResult extends ValidateResult {
  /** Absolute path of the output folder. */
  readonly out: string;
  /** Absolute paths of files that were written, or with `check` would be. */
  readonly written: readonly string[];
  /** Absolute paths of files that were removed, or with `check` would be. */
  readonly removed: readonly string[];
  /** How many files were as they should be already. */
  readonly unchanged: number;
  /** Handler methods that were added, as `room.postMessage`. */
  readonly handlersAdded: readonly string[];
}
