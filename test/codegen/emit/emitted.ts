// Emits files from bare schemas and imports them as JavaScript, for tests of the emitters.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transform } from "esbuild";
import { createGeneratedFile } from "../../../codegen/src/emit/file.ts";
import type { WeighedFinding } from "../../../codegen/src/emit/guard-schema.ts";
import { emitSchemas } from "../../../codegen/src/emit/schemas.ts";
import { emitTypes } from "../../../codegen/src/emit/types.ts";
import { emitValidators } from "../../../codegen/src/emit/validators.ts";
import type { Docs, Model } from "../../../codegen/src/model/model.ts";
import type { Guard } from "../../../runtime/src/contract/contract.ts";

/** Schemas as a document has them, by type name. Written as JSON, so that `__proto__` is a key like any other. */
export type Schemas = Readonly<Record<string, unknown>>;

/** A model that has types and nothing else; every type has a guard. */
export function modelOf(schemas: Schemas | string, docs: Readonly<Record<string, Docs>> = {}): Model {
  const parsed: Schemas = JSON.parse(typeof schemas === "string" ? schemas : JSON.stringify(schemas));
  const types = Object.entries(parsed).map(([name, schema]) => {
    const { title, description } = Object(schema) as { title?: string; description?: string };
    const own = { ...(title !== undefined && { title }), ...(description !== undefined && { description }) };
    return { name, docs: docs[name] ?? own, schema: schema as boolean, guard: true, pointer: `/components/schemas/${name}` };
  });
  return {
    title: "Test",
    name: "Test",
    docs: {},
    asyncapi: "3.1.0",
    source: "test.yaml",
    schemes: [],
    closeCodes: [],
    perspective: { side: "server", because: "default" },
    servers: [],
    endpoints: [],
    types,
    omitted: [],
  };
}

/** A ref to another type. */
export const ref = (name: string): { readonly $ref: string } => ({ $ref: `#/definitions/${name}` });

/** A folder inside the repository, so that packages are found from it; git ignores it. Remove it afterwards. */
export function temporaryFolder(): string {
  return mkdtempSync(join(new URL("../../..", import.meta.url).pathname, ".wsgen-tmp-emit-"));
}

const header = "// test";

/** The body of types.ts: without its header. */
export function typesText(schemas: Schemas | string, docs?: Readonly<Record<string, Docs>>): string {
  const file = createGeneratedFile("types.ts", header);
  emitTypes(modelOf(schemas, docs), file);
  return file.toString().slice(header.length).trim();
}

/** The body of schemas.ts. */
export function schemasText(schemas: Schemas | string): { readonly text: string; readonly unsafe: number } {
  const file = createGeneratedFile("schemas.ts", header);
  const unsafe = emitSchemas(modelOf(schemas), file);
  return { text: file.toString().slice(header.length).trim(), unsafe };
}

/** validators.ts, and what was found. */
export function validatorsText(schemas: Schemas | string): { readonly text: string; readonly findings: readonly WeighedFinding[] } {
  const file = createGeneratedFile("validators.ts", `${header}\n// @ts-nocheck`);
  const findings = emitValidators(modelOf(schemas), file);
  return { text: file.toString(), findings };
}

let written = 0;

/** Writes generated TypeScript as JavaScript into a folder and imports it. */
export async function importText(folder: string, text: string): Promise<Readonly<Record<string, unknown>>> {
  const { code } = await transform(text, { loader: "ts", format: "esm", target: "es2022" });
  written += 1;
  const path = join(folder, `m${written}.mjs`);
  writeFileSync(path, code);
  return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<string, unknown>;
}

/** The guards of schemas, by type name. */
export async function importGuards(folder: string, schemas: Schemas | string): Promise<(type: string) => Guard<unknown>> {
  const guards = await importText(folder, validatorsText(schemas).text);
  return (type) => {
    const guard = guards[`is${type}`];
    if (typeof guard !== "function") throw new Error(`no guard for ${type}`);
    return guard as Guard<unknown>;
  };
}
