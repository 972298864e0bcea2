// AJV as we need it: guards as source text that imports nothing, with its slow and unsafe keywords replaced.
import { _, Ajv, type Code, type KeywordCxt, Name } from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import type { JsonObject, JsonValue } from "../document/document.ts";
import type { Schema } from "../model/keywords.ts";
import { FORMATS } from "./prelude.ts";
import { refName } from "./type-expression.ts";

/** Compiled guards. */
export interface CompiledGuards {
  /** By type name: the function that is its guard. */
  readonly functions: ReadonlyMap<string, string>;
  /** Their JavaScript, without imports and exports. */
  readonly code: string;
  /** Names of the prelude's helpers that it calls. */
  readonly helpers: ReadonlySet<string>;
  /** By type name: why there is no guard for it. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * Compiles guards.
 *
 * @param schemas by type name; refs are `{ $ref: <type name> }`
 * @param names of the types that get a guard
 * @param legacyPatterns whether some pattern is valid only without the `u` flag
 */
export function compileGuards(schemas: ReadonlyMap<string, Schema>, names: readonly string[], legacyPatterns: boolean): CompiledGuards {
  const helpers = new Set<string>();
  const ajv = createAjv(helpers, legacyPatterns);
  for (const [name, schema] of schemas) ajv.addSchema(schema, idOf(name));
  const failures = new Map<string, string>();
  const compiled = names.filter((name) => {
    try {
      return ajv.getSchema(idOf(name)) !== undefined;
    } catch (error) {
      failures.set(name, error instanceof Error ? error.message : String(error));
      return false;
    }
  });
  const printed = standalone.default(ajv, Object.fromEntries(compiled.map((name, index) => [`guard${index}`, idOf(name)])));
  return { ...tidy(printed, compiled), helpers, failures };
}
