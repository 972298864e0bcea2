// The command line: reads arguments, prints what came of them, and sets the exit code. The one file that touches the process.
import { relative, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import picocolors from "picocolors";
import type { Diagnostic } from "./diagnostics.ts";
import type { GenerateOptions, GenerateResult, Step, ValidateResult } from "./generate.ts";
import { version } from "./version.ts";

/** 0 done; 1 a problem with the document, the configuration or the disk, or stale files; 2 wrong usage. */
const exitCodes = { done: 0, problem: 1, usage: 2 } as const;

// A pipe has no `isTTY` at all, and picocolors takes `undefined` for "decide yourself", which is "yes" in CI.
const colourful = (stream: Partial<NodeJS.WriteStream>): boolean =>
  stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
const out = picocolors.createColors(colourful(process.stdout));
const err = picocolors.createColors(colourful(process.stderr));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const warn = (text: string): void => void process.stderr.write(`${text}\n`);

interface Flags extends Omit<GenerateOptions, "document" | "cwd" | "onStep"> {
  readonly json?: boolean;
  readonly watch?: boolean;
}

const program = new Command("wsgen")
  .description("Turns an AsyncAPI document into a contract-validated WebSocket API in TypeScript.")
  .version(version)
  .exitOverride()
  .showHelpAfterError("\nRun `wsgen --help`, or `wsgen <command> --help`, for what there is.")
  .addHelpText(
    "after",
    `
Examples:
  $ wsgen init my-api                                         a small project to start from
  $ wsgen generate api.yaml --out src/generated --handlers src/handlers
  $ wsgen generate api.yaml --out src/generated --check       in CI: fails when files are stale
  $ wsgen validate api.yaml --json

Exit codes: 0 done, 1 a problem with the document, the configuration or the disk (or stale files with --check), 2 wrong usage.`,
  );

program
  .command("generate")
  .description("write the code of a document: types, validators, server, client, and handlers to fill in")
  .argument("[document]", "path of the AsyncAPI document, YAML or JSON (default: `document` of wsgen.config.json)")
  // Refused below, with what was probably meant.
  .allowExcessArguments()
  .option("--out <dir>", "folder for the generated code (default: generated)")
  .option("--handlers <dir>", "folder for handler files: written once, then yours; missing methods are added later")
  .addOption(new Option("--side <side>", "whose code to write (default: both)").choices(["both", "server", "client"]))
  .addOption(
    new Option("--perspective <side>", "which side the document describes (default: as its words say, else the server)").choices([
      "server",
      "client",
    ]),
  )
  .option("--package <name>", "write a client to publish: package.json, README, sources to compile (--side client)")
  .option("--root <dir>", "folder that $refs to files may not leave")
  .option("--check", "write nothing; list stale files and exit 1 when there are any")
  .option("--watch", "generate again whenever a source file changes")
  .option("--strict", "let warnings of the official AsyncAPI parser, and risky patterns, stop generation")
  .option("--json", "print the result as one JSON object")
  .addHelpText(
    "after",
    `
Examples:
  $ wsgen generate api.yaml --out src/generated --handlers src/handlers
  $ wsgen generate api.yaml --out src/generated --side client
  $ wsgen generate api.yaml --out sdk --side client --package @acme/chat
  $ wsgen generate --check                  with a wsgen.config.json that names the document`,
  )
  .action(async (document: string | undefined, flags: Flags, command: Command) => {
    const [, surplus] = command.args;
    if (surplus !== undefined) command.error(`error: there is one document at a time; name the output folder with --out ${surplus}`);
    if (flags.watch === true && flags.check === true) command.error("error: --watch and --check cannot be combined");
    if (flags.watch === true) await watch(document, flags);
    else await runGenerate(document, flags);
  });

program
  .command("validate")
  .description("check a document and say what wsgen understands of it; writes nothing")
  .argument("[document]", "path of the AsyncAPI document, YAML or JSON (default: `document` of wsgen.config.json)")
  .addOption(new Option("--perspective <side>", "which side the document describes").choices(["server", "client"]))
  .option("--root <dir>", "folder that $refs to files may not leave")
  .option("--strict", "take warnings of the official AsyncAPI parser, and risky patterns, for errors")
  .option("--json", "print the result as one JSON object")
  .addHelpText("after", "\nExamples:\n  $ wsgen validate api.yaml\n  $ wsgen validate api.yaml --strict --json")
  .action(runValidate);

program
  .command("init")
  .description("write a small project to start from: document, handlers, server and a passing test")
  .argument("<dir>", "folder for the project; it must be empty or not exist")
  .addHelpText(
    "after",
    "\nExample:\n  $ wsgen init my-api && cd my-api && npm install ../wsgen-0.1.0.tgz ../wsgen-runtime-0.1.0.tgz && npm test",
  )
  .action(runInit);

/** Options of the command line as the pipeline has them; what was not given stays with the configuration. */
function optionsOf(document: string | undefined, { json: _json, watch: _watch, ...options }: Flags): GenerateOptions {
  return { ...options, ...(document !== undefined && { document }) };
}

/** What was said of a document, so that `--watch` does not say it again after every change. */
type Said = Map<"summary" | "hints", string>;

async function runGenerate(document: string | undefined, flags: Flags, said: Said = new Map()): Promise<GenerateResult> {
  const { generate } = await import("./generate.ts");
  const progress = createProgress();
  const start = performance.now();
  const result = await generate({ ...optionsOf(document, flags), onStep: progress.step });
  progress.done();
  if (flags.json === true) await printJson(result, flags);
  else await printGenerated(result, flags, performance.now() - start, said);
  const stale = flags.check === true && result.written.length + result.removed.length > 0;
  process.exitCode = result.ok && !stale ? exitCodes.done : exitCodeOf(result);
  return result;
}

async function runValidate(document: string | undefined, flags: Flags): Promise<void> {
  const { validate } = await import("./generate.ts");
  const progress = createProgress();
  const result = await validate({ ...optionsOf(document, flags), onStep: progress.step });
  progress.done();
  if (flags.json === true) await printJson(result, flags);
  else {
    const { formatSummary } = await import("./summary.ts");
    await printFindings(result, ["error", "warning"]);
    // What an error left out comes back when it is corrected.
    const omitted = result.ok ? result.summary?.omitted : [];
    if (result.summary !== undefined) say(formatSummary({ ...result.summary, omitted: omitted ?? [] }, out));
    await printFindings(result, ["hint"]);
    const warnings = result.diagnostics.some(({ severity }) => severity === "warning");
    if (result.ok) say(out.green(`valid${warnings ? `, with ${await countFindings(result, "warning")}` : ""}${checkedNote(result)}`));
    else await printTally("not valid", result);
  }
  process.exitCode = result.ok ? exitCodes.done : exitCodeOf(result);
}

/** Of what failed: a document that was not named is the caller's mistake. */
function exitCodeOf({ diagnostics }: ValidateResult): number {
  return diagnostics.some(({ code }) => code === "no-document") ? exitCodes.usage : exitCodes.problem;
}

async function runInit(folder: string): Promise<void> {
  const { init } = await import("./init.ts");
  const result = await init({ folder });
  await printFindings({ ...result, sources: new Map() }, ["error", "warning"]);
  process.exitCode = result.ok ? exitCodes.done : exitCodes.problem;
  if (!result.ok) return;
  for (const file of result.written) say(`  ${out.dim(shown(file))}`);
  say(`  ${out.dim(`${shown(resolve(result.folder, "src/generated"))}/ (made of api.yaml; never edit it)`)}`);
  const where = shown(result.folder);
  // `npm install` alone would look for what is not published yet.
  const packages = `…/wsgen-${version}.tgz …/wsgen-runtime-${version}.tgz`;
  const enter = where === "." ? "" : `cd ${where} && `;
  say(`${out.green("ready:")} ${enter}npm install ${packages} && npm test (not published yet: wsgen's README says how to pack them)`);
}

/** Generates now and after each change, until it is interrupted. Errors are printed, and the next change tries again. */
async function watch(document: string | undefined, flags: Flags): Promise<void> {
  const { createWatching } = await import("./watch.ts");
  const { findConfig } = await import("./config.ts");
  await new Promise<void>((resolveWatch) => {
    let running: Promise<void> | undefined;
    let again = false;
    const said: Said = new Map();
    const run = async (): Promise<void> => {
      do {
        again = false;
        const { sources, diagnostics } = await runGenerate(document, flags, said);
        if (diagnostics.some(({ code }) => code === "no-document")) return stop();
        const config = await findConfig([process.cwd(), ...(document === undefined ? [] : [resolve(document, "..")])]);
        // With an error in it, a document may not have been read to its end: what was watched before still counts.
        watched = new Set([
          ...(sources.size > 0 ? [] : watched),
          ...sources.keys(),
          ...(document === undefined ? [] : [resolve(document)]),
          ...config,
        ]);
        watching.files(watched);
        if (flags.json !== true) warn(err.dim(`watching ${watched.size} ${watched.size === 1 ? "file" : "files"}; Ctrl-C stops`));
      } while (again);
      running = undefined;
    };
    let watched = new Set<string>();
    const watching = createWatching(() => {
      if (running !== undefined) again = true;
      else running = run();
    });
    const stop = (): void => {
      watching.close();
      resolveWatch();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.exitCode = exitCodes.done;
        stop();
      });
    }
    running = run();
  });
}

/** One line on a terminal, once the work has taken longer than 300 ms. */
function createProgress(): { readonly step: (step: Step) => void; readonly done: () => void } {
  if (!process.stderr.isTTY) return { step: () => undefined, done: () => undefined };
  const words: Readonly<Record<Step, string>> = {
    load: "reading the document",
    model: "understanding it",
    check: "waiting for the official parser",
    emit: "printing the code",
    write: "writing",
  };
  let text = "starting";
  let printed = false;
  const print = (): void => {
    printed = true;
    process.stderr.write(`\r\u001b[2K${err.dim(`${text} …`)}`);
  };
  const timer = setTimeout(print, 300);
  return {
    step(step) {
      text = words[step];
      if (printed) print();
    },
    done() {
      clearTimeout(timer);
      if (printed) process.stderr.write("\r\u001b[2K");
    },
  };
}

async function printGenerated(result: GenerateResult, flags: Flags, time: number, said: Said): Promise<void> {
  const { count, formatSummary, namesOf } = await import("./summary.ts");
  await printFindings(result, ["error", "warning"]);
  if (!result.ok) {
    await printTally("nothing was written", result);
    return;
  }
  const { written, removed, unchanged, handlersAdded, unsafeSchemas } = result;
  const summary = result.summary === undefined ? [] : [formatSummary(result.summary, out)];
  if (unsafeSchemas > 0)
    summary.push(
      `  ${count(unsafeSchemas, "schema")} in schemas.ts ${unsafeSchemas === 1 ? "is" : "are"} \`Unsafe\`: TypeBox has no words for ${unsafeSchemas === 1 ? "it" : "them"}`,
    );
  const hints = result.diagnostics.flatMap(({ severity, message }) => (severity === "hint" ? [message] : []));
  if (isNews(said, "summary", summary)) say(summary.join("\n"));
  if (isNews(said, "hints", hints)) await printFindings(result, ["hint"]);
  if (flags.check === true) {
    for (const file of [...written, ...removed]) say(`${out.yellow("stale")} ${shown(file)}`);
    if (written.length + removed.length > 0)
      warn(err.red(`${count(written.length + removed.length, "file")} would change; run the command without --check`));
    else say(out.green("everything is up to date"));
    return;
  }
  if (handlersAdded.length > 0) say(`  ${count(handlersAdded.length, "handler")} to fill in: ${namesOf(handlersAdded)}`);
  const parts = [
    written.length > 0 ? `${count(written.length, "file")} written` : "",
    removed.length > 0 ? `${removed.length} removed` : "",
    unchanged > 0 ? `${unchanged} unchanged` : "",
  ];
  say(
    `${out.green(`${shown(result.out)}:`)} ${parts.filter((part) => part !== "").join(", ")} in ${Math.round(time)} ms${checkedNote(result)}`,
  );
}

/** Whether this is not what was said last; remembers it. */
function isNews(said: Said, what: "summary" | "hints", lines: readonly string[]): boolean {
  const text = lines.join("\n");
  if (text === (said.get(what) ?? "")) return false;
  said.set(what, text);
  return true;
}

function checkedNote({ checked }: ValidateResult): string {
  return checked === "before" ? " (the document was checked before)" : "";
}

async function countFindings({ diagnostics }: Pick<ValidateResult, "diagnostics">, severity: Diagnostic["severity"]): Promise<string> {
  const { count } = await import("./summary.ts");
  return count(diagnostics.filter((diagnostic) => diagnostic.severity === severity).length, severity);
}

/** Counts what was found, unless that was a single line. */
async function printTally(verdict: string, result: ValidateResult): Promise<void> {
  const [only, second] = result.diagnostics;
  if (only !== undefined && only.position === undefined && second === undefined) return;
  const warnings = result.diagnostics.some(({ severity }) => severity === "warning") ? `, ${await countFindings(result, "warning")}` : "";
  warn(err.red(`${verdict}: ${await countFindings(result, "error")}${warnings}`));
}

/** Prints findings of some severities to stderr; those without a place take one line. */
async function printFindings(
  { diagnostics, sources }: Pick<ValidateResult, "diagnostics" | "sources">,
  severities: readonly Diagnostic["severity"][],
): Promise<void> {
  const { formatDiagnostics } = await import("./diagnostics.ts");
  const wanted = diagnostics.filter(({ severity }) => severities.includes(severity));
  const paint = { error: err.red, warning: err.yellow, hint: err.cyan };
  for (const { severity, message, fix } of wanted.filter(({ position }) => position === undefined))
    warn(`${paint[severity](severity)}: ${message}${fix === undefined ? "" : ` ${fix}`}`);
  const placed = wanted.filter(({ position }) => position !== undefined);
  for (const text of formatDiagnostics(placed, { sources, colors: err })) warn(`${text}\n`);
}

async function printJson({ sources: _, ...result }: ValidateResult | GenerateResult, flags: Flags): Promise<void> {
  const { toJsonDiagnostic } = await import("./diagnostics.ts");
  const diagnostics = result.diagnostics.map((diagnostic) => toJsonDiagnostic(diagnostic));
  const stale = flags.check === true && "out" in result ? { stale: result.written.length + result.removed.length > 0 } : {};
  say(JSON.stringify({ ...result, ...stale, diagnostics }));
}

/** A path as people type it. */
const shown = (path: string): string => relative(process.cwd(), path).replaceAll("\\", "/") || ".";

// Whoever reads us may leave early (`| head`): that is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}
