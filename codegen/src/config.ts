// wsgen.config.{js,mjs,json}: what would otherwise have to be typed at every call. Paths in it are relative to the file itself.
import { access, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "./diagnostics.ts";
import { shown } from "./write.ts";

/** What a configuration file may say; options of the command line win over it. */
export interface Config {
  /** Path of the AsyncAPI document. */
  readonly document?: string;
  /** Folder for the generated code; `generated` by default. */
  readonly out?: string;
  /** Folder for handler files, which are yours after they were first written; none are written by default. */
  readonly handlers?: string;
  /** Whose code is generated; `both` by default. */
  readonly side?: "both" | "server" | "client";
  /** Which side the document is written from, where wsgen reads it wrongly. */
  readonly perspective?: "server" | "client";
  /** Folder that `$ref`s to files may not leave; the working directory, or the document's folder when it lies elsewhere. */
  readonly root?: string;
  /** `false` leaves out schemas.ts, the one file that needs `typebox`. */
  readonly schemas?: boolean;
  /** Whether warnings of the official parser stop generation. */
  readonly strict?: boolean;
}

/** Gives a configuration its types; returns it as it is. */
export function defineConfig(config: Config): Config {
  return config;
}

/** A configuration that cannot be used: what is wrong, and what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: "config" | "no-document";
  readonly fix: string;

  constructor(message: string, fix: string, options?: ErrorOptions & { readonly code?: "no-document" }) {
    super(message, options);
    this.code = options?.code ?? "config";
    this.fix = fix;
  }
}

/** A configuration with its paths made absolute, and where it was found. */
export interface LoadedConfig extends Config {
  /** Absolute path of the file; `undefined` when there is none. */
  readonly file: string | undefined;
}

const fileNames = ["wsgen.config.js", "wsgen.config.mjs", "wsgen.config.json"];

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
  if (second !== undefined)
    throw new ConfigError(`There are two configurations, ${shown(file)} and ${shown(second)}.`, "Remove one of them.");
  return { ...absolute(file, parseConfig(shown(file), await readConfig(file))), file };
}

async function readConfig(file: string): Promise<unknown> {
  try {
    if (file.endsWith(".json")) return JSON.parse(await readFile(file, "utf8"));
    // The query makes a changed file a new module, for `--watch`.
    const { default: value }: { readonly default?: unknown } = await import(`${pathToFileURL(file).href}?at=${Date.now()}`);
    return value;
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").replace(/\.?$/, ".");
    throw new ConfigError(`${shown(file)} cannot be read: ${why}`, "Correct the file.", { cause: error });
  }
}

const string = { says: "a string", test: (value: unknown) => typeof value === "string" && value !== "" };
const boolean = { says: "true or false", test: (value: unknown) => typeof value === "boolean" };
const oneOf = (...values: readonly string[]) => ({
  says: values.map((value) => JSON.stringify(value)).join(" or "),
  test: (value: unknown) => typeof value === "string" && values.includes(value),
});

/** Every key of a configuration, and what may stand there. */
const keys: { readonly [Key in keyof Required<Config>]: { readonly says: string; readonly test: (value: unknown) => boolean } } = {
  document: string,
  out: string,
  handlers: string,
  side: oneOf("both", "server", "client"),
  perspective: oneOf("server", "client"),
  root: string,
  schemas: boolean,
  strict: boolean,
};

function parseConfig(file: string, value: unknown): Config {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const fix = file.endsWith(".json") ? "Write an object, { … }." : "Write `export default { … };`.";
    throw new ConfigError(`${file} holds no configuration.`, fix);
  }
  for (const [key, setting] of Object.entries(value)) {
    // For editors, as in every JSON file.
    if (key === "$schema") continue;
    if (!isKey(key)) {
      const near = nearest(key, Object.keys(keys));
      const fix = near === undefined ? `It may have: ${Object.keys(keys).join(", ")}.` : `Did you mean "${near}"?`;
      throw new ConfigError(`${file} has an unknown key "${key}".`, fix);
    }
    if (!keys[key].test(setting)) throw new ConfigError(`"${key}" in ${file} must be ${keys[key].says}.`, "Correct the value.");
  }
  return Object.fromEntries(Object.entries(value).filter(([key]) => isKey(key)));
}

const isKey = (key: string): key is keyof Config => Object.hasOwn(keys, key);

function absolute(file: string, { document, out, handlers, root, ...rest }: Config): Config {
  const paths = Object.entries({ document, out, handlers, root }).flatMap(([key, path]) =>
    path === undefined ? [] : [[key, resolve(dirname(file), path)]],
  );
  return { ...rest, ...Object.fromEntries(paths) };
}
