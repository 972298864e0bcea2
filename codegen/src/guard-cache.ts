// Remembers the guards of a document: AJV takes longer to print them than all the rest takes together, and a change of words changes no guard.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { nameOf, nearestCache, openCacheEntry } from "./cache.ts";
import { type CompiledGuards, compileGuards, type GuardCompiler } from "./emit/ajv.ts";
import { version } from "./version.ts";

/** Compiles guards once for each content of a document: they are kept as long as their schemas stay the same. */
export function rememberGuards(document: string): GuardCompiler {
  return (schemas, legacyPatterns) => {
    const folder = nearestCache(dirname(document)) ?? nearestCache(process.cwd());
    if (folder === undefined) return compileGuards(schemas, legacyPatterns);
    const wanted = JSON.stringify(schemas.map(({ id, schema }) => [id, schema]));
    const entry = openCacheEntry(join(folder, `guards-${nameOf(document)}`), [...compilers(), String(legacyPatterns), wanted]);
    const known = entry.read();
    if (known !== undefined) return fromJson(known as Saved);
    const compiled = compileGuards(schemas, legacyPatterns);
    entry.write(toJson(compiled));
    return compiled;
  };
}

/** Everything that has a say in what is printed: of ours the text itself, since a version of wsgen that is being worked on has many. */
function compilers(): string[] {
  const ours = ["emit/ajv", "emit/prelude", "model/keywords"].map((name) =>
    readFileSync(new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url), "utf8"),
  );
  const { version: ajv } = createRequire(import.meta.url)("ajv/package.json") as { readonly version: string };
  return [version, ajv, ...ours];
}

type Pairs = readonly (readonly [string, string])[];

interface Saved {
  readonly functions: Pairs;
  readonly code: string;
  readonly helpers: readonly string[];
  readonly failures: Pairs;
}

const toJson = ({ functions, code, helpers, failures }: CompiledGuards): Saved => ({
  functions: [...functions],
  code,
  helpers: [...helpers],
  failures: [...failures],
});

const fromJson = ({ functions, code, helpers, failures }: Saved): CompiledGuards => ({
  functions: new Map(functions),
  code,
  helpers: new Set(helpers),
  failures: new Map(failures),
});
