// Prints validators.ts: a guard for everything that is validated at run time. Made for machines; people read types.ts.
import type { Model } from "../model/model.ts";
import { compileGuards, type GuardCompiler } from "./ajv.ts";
import { joins } from "./api-names.ts";
import type { GeneratedFile } from "./file.ts";
import { guardName, guardSchemas, type WeighedFinding } from "./guard-schema.ts";
import { printHelpers } from "./prelude.ts";

/**
 * Prints a guard for every type that has one, self-contained: the functions it needs stand in the same file.
 *
 * @param compile who turns schemas into functions
 * @returns what is not checked, checked slowly or cannot be checked; after an error the file is not to be used
 */
export function emitValidators(model: Model, file: GeneratedFile, compile: GuardCompiler = compileGuards): readonly WeighedFinding[] {
  const { schemas, legacyPatterns, findings } = guardSchemas(model);
  const { functions, code, helpers, failures } = compile(schemas, legacyPatterns);
  const guarded = schemas.filter(({ id, guard }) => guard && functions.has(id));
  for (const { definition } of guarded) file.declare(guardName(definition.name));
  if (guarded.length > 0) {
    const guard = file.import("Guard", joins.client);
    for (const { id, definition } of guarded) {
      const type = file.import(definition.name, "./types.js");
      file.print(`export const ${guardName(definition.name)}: ${guard}<${type}> = ${functions.get(id)};`);
    }
  }
  for (const part of [printHelpers(helpers), code]) {
    if (part === "") continue;
    file.print("");
    file.print(part);
  }
  return [...findings, ...schemas.flatMap(({ id, definition }) => failure(definition.pointer, failures.get(id)))];
}

function failure(pointer: string, reason: string | undefined): WeighedFinding[] {
  if (reason === undefined) return [];
  return [
    {
      severity: "error",
      code: "schema",
      message: `No validator can be made of this schema: ${reason}.`,
      fix: "Write it with the keywords of JSON Schema draft-07.",
      pointer,
    },
  ];
}
