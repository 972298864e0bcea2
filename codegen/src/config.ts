// wsgen.config.{js,mjs,ts,mts,json}: what would otherwise have to be typed at every call. Paths in it are relative to the file itself.
import { access, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Diagnostic, Position } from "./diagnostics.ts";
import { type Node, readText } from "./document/read.ts";
import { createSource, type Source } from "./document/source.ts";
import { misuses } from "./grammar.ts";
import { jsonSlip } from "./json-slip.ts";
import type { Override } from "./model/overrides.ts";
import { type Config, configKeys } from "./options.ts";
import { shown } from "./write.ts";

/** Gives a configuration its types; returns it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}

/** A configuration that cannot be used: what is wrong, and what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly diagnostics: readonly Diagnostic[];
  /** Text of the configuration, by path, for code frames. */
  readonly sources: ReadonlyMap<string, string>;

  constructor(
    problems: Diagnostic | readonly Diagnostic[],
    { source, ...options }: ErrorOptions & { readonly source?: Source | undefined } = {},
  ) {
    const diagnostics = [problems].flat();
    super(diagnostics.map(({ message }) => message).join("\n"), options);
    this.diagnostics = diagnostics;
    this.sources = new Map(source === undefined ? [] : [[source.file, source.text]]);
  }
}

/** A problem of a configuration that has no place in a file. */
export function configProblem(message: string, fix: string, code: "config" | "no-document" = "config"): Diagnostic {
  return { severity: "error", code, message, fix };
}

/** A configuration with its paths made absolute, and where it was found. */
export interface LoadedConfig extends Omit<Config, "overrides"> {
  /** Absolute path of the file; `undefined` when there is none. */
  readonly file: string | undefined;
  /** Its text; `undefined` when there is none. */
  readonly text?: string;
  readonly overrides?: readonly Override[];
}

const fileNames = ["wsgen.config.js", "wsgen.config.mjs", "wsgen.config.ts", "wsgen.config.mts", "wsgen.config.json"];

/** The configuration files in the first of the folders that has any; more than one is an error for whoever reads them. */
export async function findConfig(folders: readonly string[]): Promise<readonly string[]> {
  for (const folder of new Set(folders.map((folder) => resolve(folder)))) {
    const files = fileNames.map((name) => join(folder, name));
    const there = await Promise.all(
      files.map((file) =>
        access(file)
          .then(() => true)
          .catch(() => false),
      ),
    );
    const found = files.filter((_, index) => there[index] === true);
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * Reads the configuration of the first of the folders that has one.
 *
 * @throws ConfigError when there are several, or when it cannot be read or says what wsgen does not know
 */
export async function loadConfig(folders: readonly string[]): Promise<LoadedConfig> {
  const [file, second] = await findConfig(folders);
  if (file === undefined) return { file };
  if (second !== undefined) {
    throw new ConfigError(configProblem(`There are two configurations, ${shown(file)} and ${shown(second)}.`, "Remove one of them."));
  }
  const text = await readFile(file, "utf8");
  const source = createSource(file, text.replace(/^\uFEFF/, ""));
  const locate = file.endsWith(".json") ? placesOfJson(source) : placesOfModule(source);
  const config = parseConfig(await readConfig(file, source), { source, locate });
  return { ...absolute(file, config), ...overridesOf(config, file, locate), file, text };
}

/** The overrides of a configuration or of a caller; `file` is what their paths are relative to. */
export function overridesOf(
  { overrides }: Config,
  file: string,
  locate: Locate = () => undefined,
): { readonly overrides?: readonly Override[] } {
  if (overrides === undefined) return {};
  return {
    overrides: Object.entries(overrides).map(([target, value]): Override => {
      const [path = "", ...pointer] = target.split("#");
      return {
        target,
        file: path === "" ? undefined : resolve(dirname(file), path),
        pointer: pointer.join("#"),
        value,
        locate: (inner, at) => locate(["overrides", target, ...inner], at),
      };
    }),
  };
}

/** Where a part of a configuration was written, as far as its format tells. */
type Locate = (path: readonly string[], at: "key" | "value") => Position | undefined;

/** JSON is read a second time, by the reader of documents, which knows places. */
function placesOfJson(source: Source): Locate {
  let root: Node | undefined;
  return (path, at) => {
    root ??= readText(source).root;
    let node = root;
    let place = root;
    for (const segment of path) {
      const entry = node?.kind === "mapping" ? node.entries.get(segment) : undefined;
      const item = node?.kind === "list" ? node.items[Number(segment)] : undefined;
      if (entry === undefined && item === undefined) break;
      node = entry?.node ?? item;
      place = at === "key" && entry !== undefined ? { ...entry.node, ...entry.key } : node;
    }
    return place === undefined ? undefined : source.position(place.start, place.end);
  };
}

/** In a module only the text can be looked at: each key behind the one that holds it. */
function placesOfModule(source: Source): Locate {
  return (path) => {
    let from = 0;
    let found: { readonly start: number; readonly end: number } | undefined;
    for (const key of path) {
      const escaped = key.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
      const expression = new RegExp(`(["'\`])${escaped}\\1|(?<![\\w$])${escaped}(?=\\s*:)`, "g");
      expression.lastIndex = from;
      const match = expression.exec(source.text);
      if (match === null) break;
      found = { start: match.index, end: match.index + match[0].length };
      from = found.end;
    }
    return found === undefined ? undefined : source.position(found.start, found.end);
  };
}

async function readConfig(file: string, source: Source): Promise<unknown> {
  try {
    if (file.endsWith(".json")) return JSON.parse(source.text);
    // The query makes a changed file a new module, for `--watch`.
    const { default: value }: { readonly default?: unknown } = await import(`${pathToFileURL(file).href}?at=${Date.now()}`);
    return await value; // One that is fetched, or fails to be.
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error))
      .replace(/ in JSON at position \d+.*$/s, "")
      .replace(/\s+/g, " ")
      .replace(/\.?$/, ".");
    const unread = error instanceof Error && "code" in error && error.code === "ERR_UNKNOWN_FILE_EXTENSION";
    const fix = unread
      ? "Node reads TypeScript from 22.18 on; with an older one call the file wsgen.config.mjs or .json."
      : "Correct the file.";
    const slip = file.endsWith(".json") ? jsonSlip(source.text) : undefined;
    const place = slip === undefined ? {} : { position: source.position(slip, slip + 1) };
    throw new ConfigError({ ...configProblem(`${shown(file)} cannot be read: ${why}`, fix), ...place }, { cause: error, source });
  }
}

function parseConfig(value: unknown, { source, locate }: { readonly source: Source; readonly locate: Locate }): Config {
  const name = shown(source.file);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const fix = name.endsWith(".json") ? "Write an object, { … }." : "Write `export default { … };`.";
    throw new ConfigError(configProblem(`${name} holds no configuration.`, fix));
  }
  // For editors, as in every JSON file.
  const { $schema: _, ...config } = value as Config & { readonly $schema?: unknown };
  const found = misuses(config, { kind: "fields", fields: configKeys }, name, name);
  if (found.length > 0) {
    const problems = found.map(({ path, at, message, fix }): Diagnostic => {
      const position = locate(path, at);
      return { ...configProblem(message, fix), ...(position !== undefined && { position }) };
    });
    throw new ConfigError(problems, { source });
  }
  return config;
}

function absolute(file: string, { document, out, handlers, root, overrides: _, ...rest }: Config): Omit<Config, "overrides"> {
  const paths = Object.entries({ document, out, handlers, root }).flatMap(([key, path]) =>
    path === undefined ? [] : [[key, resolve(dirname(file), path)]],
  );
  return { ...rest, ...Object.fromEntries(paths) };
}
