// The pipeline: load → check → model → emit → write. Everything it finds is a value of its result; it throws only for bugs.
import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ConfigError, configProblem, type LoadedConfig, loadConfig, overridesOf } from "./config.ts";
import { type Diagnostic, type Position, sortDiagnostics } from "./diagnostics.ts";
import { check, prepareCheck } from "./document/check.ts";
import type { Document } from "./document/document.ts";
import { load } from "./document/load.ts";
import { checkStructure } from "./document/structure.ts";
import type { WeighedFinding } from "./emit/guard-schema.ts";
import { rememberGuards } from "./guard-cache.ts";
import { planHandlers } from "./handler-files.ts";
import { type BuildResult, buildModel } from "./model/build.ts";
import type { Model, Perspective } from "./model/model.ts";
import type { Override } from "./model/overrides.ts";
import type { Config } from "./options.ts";
import { isPackageName, planPackage } from "./package-file.ts";
import { missingPackages } from "./packages.ts";
import { type Summary, summarise } from "./summary.ts";
import { carryOut, type Manifest, planWrite, readManifest, WriteError } from "./write.ts";

export interface GenerateOptions extends Config {
  /** What paths are relative to, and where a configuration is looked for before the document's folder; default: the working directory. */
  readonly cwd?: string;
  /** Says what would be written instead of writing it. */
  readonly check?: boolean;
  /** Told of each step that begins. */
  readonly onStep?: (step: Step) => void;
}

export type Step = "load" | "model" | "emit" | "check" | "write";

/** What came of a document. */
export interface ValidateResult {
  /** Whether nothing stands in the way of generation. */
  readonly ok: boolean;
  /** By file and place. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was understood; absent when the document could not be read. */
  readonly summary?: Summary;
  /** When the official parser checked the document: in an earlier run, in this one, or not at all. */
  readonly checked: "before" | "now" | "not";
  /** Text of every file that was read, by absolute path. */
  readonly sources: ReadonlyMap<string, string>;
  /** How long each step took, in ms. `check` runs beside the others: its time is what was waited for it. */
  readonly timings: Readonly<Partial<Record<Step, number>>>;
}

export interface GenerateResult extends ValidateResult {
  /** Absolute path of the output folder. */
  readonly out: string;
  /** Absolute paths of files that were written, or with `check` would be. */
  readonly written: readonly string[];
  /** Absolute paths of files that were removed, or with `check` would be. */
  readonly removed: readonly string[];
  /** How many files were as they should be. */
  readonly unchanged: number;
  /** Handler methods that were added, or with `check` would be: `room.postMessage`. */
  readonly handlersAdded: readonly string[];
  /** How many schemas TypeBox could not say and schemas.ts has as `Unsafe`. */
  readonly unsafeSchemas: number;
}

/** Document → code. Writes nothing when there is an error, and never half of it. */
export async function generate(options: GenerateOptions): Promise<GenerateResult> {
  const clock = createClock(options.onStep);
  const folder = resolve(options.cwd ?? ".", options.out ?? "generated");
  const nothing = { out: folder, written: [], removed: [], unchanged: 0, handlersAdded: [], unsafeSchemas: 0 };
  try {
    const settings = await settle(options);
    const { out, side, schemas, unchecked, handlers, package: name } = settings;
    const before = await readManifest(out);
    const { document, model, conclude } = await understand(settings, clock, before?.perspective);
    if (model === undefined) return { ...(await conclude()), ...nothing, out, ok: false };

    // Printed while the official parser still reads. What emitters make of a document that it refuses is of no interest.
    const emitting = clock.time("emit", async () => {
      const { emit } = await import("./emit/index.ts");
      const compile = rememberGuards(document.file);
      return emit(model, { side, schemas, unchecked, compile, ...(name !== undefined && { package: name }) });
    });
    const [emitted] = await Promise.allSettled([emitting]);
    const understood = await conclude();
    if (!understood.ok) return { ...understood, ...nothing, out };
    if (emitted.status === "rejected") throw emitted.reason;
    const { files, findings, unsafeSchemas } = emitted.value;
    const diagnostics = sortDiagnostics([
      ...understood.diagnostics,
      ...findings.map((finding) => located(finding, document, settings.strict)),
    ]);
    if (diagnostics.some(isError)) return { ...understood, ...nothing, out, ok: false, diagnostics };

    const planned = handlers === undefined ? undefined : await planHandlers(model.endpoints, handlers, out);
    const packed = name === undefined ? undefined : await planPackage(model, out, { name, schemas, unchecked });
    const plan = await clock.time("write", async () => {
      const { side: described, because } = model.perspective;
      const perspective = described === before?.perspective.side ? before.perspective : { side: described, because };
      const manifest = { document: relativePath(out, settings.document), perspective };
      const plan = await planWrite({
        folder: out,
        files,
        userFiles: [...(planned?.files ?? []), ...(packed === undefined ? [] : [packed.file])],
        manifest,
      });
      if (options.check !== true) await carryOut(plan);
      return plan;
    });

    return {
      ...understood,
      diagnostics: [...diagnostics, ...(planned?.diagnostics ?? []), ...(packed?.diagnostics ?? (await missingPackages(out, { schemas })))],
      out,
      written: plan.changed,
      removed: plan.stale,
      unchanged: plan.unchanged.length,
      handlersAdded: planned?.added ?? [],
      unsafeSchemas,
    };
  } catch (error) {
    return { ...nothing, ...failed(error), timings: clock.timings };
  }
}

/** Document → diagnostics; writes nothing. */
export async function validate(options: GenerateOptions): Promise<ValidateResult> {
  const clock = createClock(options.onStep);
  try {
    const settings = await settle(options);
    const { document, model, conclude } = await understand(settings, clock, undefined);
    const understood = await conclude();
    if (model === undefined) return understood;
    const { guardSchemas } = await import("./emit/guard-schema.ts");
    const findings = guardSchemas(model).findings.map((finding) => located(finding, document, settings.strict));
    return {
      ...understood,
      ok: understood.ok && !findings.some(isError),
      diagnostics: sortDiagnostics([...understood.diagnostics, ...findings]),
    };
  } catch (error) {
    return { ...failed(error), timings: clock.timings };
  }
}

/** What `generate` and `validate` have in common: everything up to the model, with the official parser at work beside it. */
async function understand(settings: Settings, clock: Clock, remembered: Manifest["perspective"] | undefined): Promise<Understood> {
  const { strict, perspective, overrides } = settings;
  prepareCheck(settings.document, strict);
  const document = await clock.time("load", () => load(settings.document, settings.root === undefined ? {} : { root: settings.root }));
  const sources = new Map([...document.sources, ...settings.sources]);
  const { timings } = clock;
  if (document.diagnostics.some(isError)) {
    // What stands there can be looked at all the same, so that one run tells of every slip; without a version there is nothing to go by.
    const structure = document.get("/asyncapi") === undefined ? [] : checkStructure(document, strict).findings;
    const diagnostics = sortDiagnostics([...document.diagnostics, ...structure.map(({ pointer: _, ...finding }) => finding)]);
    return { document, conclude: async () => ({ ok: false, diagnostics, checked: "not", sources, timings }) };
  }

  const checking = check(document, { strict });
  const source = pathInProject(settings.document);
  const { model, diagnostics: modelled } = await clock.time("model", async () => {
    const built = buildModel(document, { source, overrides, ...(perspective !== undefined && { perspective }) });
    const rebuild = (side: Perspective["side"]): BuildResult => buildModel(document, { source, overrides, perspective: side });
    return remembered === undefined ? built : keepSide(built, remembered, rebuild);
  });
  const conclude = async (): Promise<ValidateResult> => {
    const checked = await clock.time("check", () => checking);
    const diagnostics = sortDiagnostics([...document.diagnostics, ...saidOnce(checked.diagnostics, forSide(modelled, settings.side))]);
    return {
      ok: model !== undefined && !diagnostics.some(isError),
      diagnostics,
      checked: checked.verdict === "unknown" ? "not" : checked.cached ? "before" : "now",
      sources,
      timings,
      ...(model !== undefined && { summary: summarise(model) }),
    };
  };
  return { document, conclude, ...(model !== undefined && { model }) };
}

/** A client that is not let in notices by itself, and what a server cannot do is nothing to it. */
function forSide(findings: readonly Diagnostic[], side: Settings["side"]): readonly Diagnostic[] {
  if (side !== "client") return findings;
  const milder = /security$|^taken-path$/;
  return findings.map((finding) => (milder.test(finding.code) ? { ...finding, severity: "hint" } : finding));
}

/** Rules of the model about what the check looks at too. */
const slips = new Set([
  "message",
  "parameter-unused",
  "unknown-keyword",
  "schema",
  "schema-keyword",
  "schema-type",
  "schema-format",
  "parameter-undeclared",
  "no-channels",
]);

/** Of a slip that the check and the model both found, each in its own words, the more severe finding; of equals the model's. */
function saidOnce(checked: readonly Diagnostic[], modelled: readonly Diagnostic[]): Diagnostic[] {
  const dropped = new Set<Diagnostic>();
  for (const finding of modelled.filter(({ code }) => slips.has(code))) {
    const twins = checked.filter(({ position }) => isSamePlace(position, finding.position));
    if (twins.some((twin) => isError(twin) && !isError(finding))) dropped.add(finding);
    else for (const twin of twins) dropped.add(twin);
  }
  return [...checked, ...modelled].filter((finding) => !dropped.has(finding));
}

function isSamePlace(a: Position | undefined, b: Position | undefined): boolean {
  return a !== undefined && a.file === b?.file && a.line === b.line && a.column === b.column;
}

interface Understood {
  readonly document: Document;
  /** Absent when something stands in the way of generation that was found without the official parser. */
  readonly model?: Model;
  /** Waits for the official parser, and says what came of it all. */
  conclude(): Promise<ValidateResult>;
}

/** What lets one short message block a server is a warning, since the document may not be one's own; `strict` refuses it. */
function located({ pointer, at, ...finding }: WeighedFinding, document: Document, strict: boolean): Diagnostic {
  const severity = strict && finding.code === "pattern-redos" ? "error" : finding.severity;
  return { ...finding, severity, position: document.locate(pointer, at) };
}

/** A side that was once decided on stays: swapping every direction because a sentence was reworded would be a surprise. */
function keepSide(built: BuildResult, { side, because }: Perspective, rebuild: (side: Perspective["side"]) => BuildResult): BuildResult {
  const now = built.model?.perspective;
  if (now === undefined || now.side === side || now.because === "option") return built;
  const { model, diagnostics } = rebuild(side);
  const hint: Diagnostic = {
    severity: "hint",
    code: "perspective-changed",
    message: `This document reads as written from the ${now.side}'s side now; the ${side}'s side was kept, as it was generated before.`,
    fix: `Write \`x-wsgen: { perspective: ${now.side} }\` in the document, or pass --perspective ${now.side}, if that is what is meant.`,
  };
  // A document that says nothing any more contradicts nothing. What the model says about the side was not asked for by anybody.
  const others = diagnostics.filter(({ code }) => code !== "perspective");
  return {
    diagnostics: now.because === "words" ? [...others, hint] : others,
    model: model && { ...model, perspective: { side, because } },
  };
}

/** Everything decided that can be configured. */
interface Settings {
  readonly cwd: string;
  readonly document: string;
  readonly out: string;
  readonly handlers: string | undefined;
  readonly side: "both" | "server" | "client";
  readonly perspective: "server" | "client" | undefined;
  readonly root: string | undefined;
  readonly schemas: boolean;
  readonly unchecked: boolean;
  readonly package: string | undefined;
  readonly strict: boolean;
  readonly overrides: readonly Override[];
  /** Text of the configuration, by path. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Options of the caller win over the configuration, which wins over the defaults. */
async function settle(options: GenerateOptions): Promise<Settings> {
  const cwd = resolve(options.cwd ?? ".");
  const given = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(cwd, path));
  const document = given(options.document);
  const config: LoadedConfig = await loadConfig([cwd, ...(document === undefined ? [] : [dirname(document)])]);
  const settled = document ?? config.document;
  if (settled === undefined) {
    const fix = "Name one (`wsgen generate api.yaml`), or write `document` in wsgen.config.json.";
    throw new ConfigError(configProblem("No document was named.", fix, "no-document"));
  }
  const out = given(options.out) ?? config.out ?? resolve(cwd, "generated");
  const handlers = given(options.handlers) ?? config.handlers;
  if (handlers === out) {
    throw new ConfigError(
      configProblem(
        "Handlers and generated code cannot share a folder: one is yours, the other is not.",
        "Choose another folder for one of them.",
      ),
    );
  }
  const name = options.package ?? config.package;
  const side = options.side ?? config.side ?? (name === undefined ? "both" : "client");
  if (name !== undefined) requirePackage(name, side);
  return {
    cwd,
    document: settled,
    out,
    handlers,
    side,
    perspective: options.perspective ?? config.perspective,
    root: given(options.root) ?? config.root,
    schemas: options.schemas ?? config.schemas ?? true,
    unchecked: options.unchecked ?? config.unchecked ?? false,
    package: name,
    strict: options.strict ?? config.strict ?? false,
    overrides: overridesOf(options, join(cwd, "caller")).overrides ?? config.overrides ?? [],
    sources: new Map(config.file === undefined || config.text === undefined ? [] : [[config.file, config.text]]),
  };
}

function requirePackage(name: string, side: Settings["side"]): void {
  if (!isPackageName(name)) {
    const fix = "Small letters, digits, dots, hyphens and underscores, as in `chat-client` or `@acme/chat`.";
    throw new ConfigError(configProblem(`npm takes no package of the name ${JSON.stringify(name)}.`, fix));
  }
  if (side === "client") return;
  throw new ConfigError(
    configProblem(
      `A package holds a client, and \`side\` is "${side}".`,
      "Say --side client, or generate the server without --package into another folder.",
    ),
  );
}

const isError = ({ severity }: Diagnostic): boolean => severity === "error";

/** What stands in the way outside the document, as a finding; everything else is a bug and goes on its way. */
function failed(error: unknown): Omit<ValidateResult, "timings"> {
  if (error instanceof ConfigError) {
    const { diagnostics, sources } = error;
    return { ok: false, diagnostics: sortDiagnostics(diagnostics), checked: "not", sources };
  }
  if (!(error instanceof WriteError)) throw error;
  const { code, message, fix } = error;
  return { ok: false, diagnostics: [{ severity: "error", code, message, fix }], checked: "not", sources: new Map() };
}

/** How a document is called in generated files: by its path below the nearest package.json, wherever wsgen is called; without one, by its name. */
function pathInProject(document: string): string {
  for (let folder = dirname(document); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return relativePath(folder, document);
    if (dirname(folder) === folder) return basename(document);
  }
}

function relativePath(from: string, to: string): string {
  return relative(from, to).split(sep).join("/");
}

interface Clock {
  readonly timings: Readonly<Partial<Record<Step, number>>>;
  time<T>(step: Step, work: () => Promise<T>): Promise<T>;
}

function createClock(onStep: ((step: Step) => void) | undefined): Clock {
  const timings: Partial<Record<Step, number>> = {};
  return {
    timings,
    async time(step, work) {
      onStep?.(step);
      const start = performance.now();
      try {
        return await work();
      } finally {
        timings[step] = Math.round((performance.now() - start) * 10) / 10;
      }
    },
  };
}
