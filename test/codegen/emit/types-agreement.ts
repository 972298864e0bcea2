// Compares types with guards: one module of types for each set of schemas, one line for each value, and one run of the compiler over all of them.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import fc from "fast-check";
import { importGuards, type Schemas, typesText } from "./emitted.ts";
import { saidByTypes, withMeantKinds } from "./said-by-types.ts";
import { definitions, near, values } from "./schema-arbitrary.ts";

const root = new URL("../../..", import.meta.url).pathname;

/** Schemas by type name, and the values to try with each of them. */
export interface Case {
  readonly types: Schemas;
  readonly values: Readonly<Record<string, readonly unknown[]>>;
}

export interface Agreement {
  /** What should not be: a line for each value on which type and guard differ. */
  readonly differences: readonly string[];
  /** Values that guard and type let through, and values that both refuse. */
  readonly accepted: number;
  readonly refused: number;
}

/** Schemas as they are drawn, with values that are anything and values that are near. */
export function drawnCases(count: number): readonly Case[] {
  const drawn = fc.sample(fc.tuple(definitions, fc.array(values, { minLength: 5, maxLength: 5 })), count);
  return drawn.map(withoutIndices).map(([types, some]) => ({
    types,
    values: Object.fromEntries(
      Object.keys(types).map((name) => [name, [...some, ...Array.from({ length: 10 }, (_, seed) => near(types[name], types, seed))]]),
    ),
  }));
}

/** To TypeScript a list has a property "0", as objects may have. */
function withoutIndices<T>(drawn: T): T {
  return JSON.parse(JSON.stringify(drawn).replaceAll('"0"', '"n0"')) as T;
}

/**
 * Tries every value with guard and type: what the guard accepts has to be of the type, and what it refuses for a reason that a type can say must not be.
 *
 * @param folder where the modules are written; it must lie in the repository
 */
export async function compareTypes(folder: string, cases: readonly Case[]): Promise<Agreement> {
  mkdirSync(folder, { recursive: true });
  const expected = new Map<string, { readonly compiles: boolean; readonly label: string }>();
  const count = { accepted: 0, refused: 0 };
  for (const [index, { types, values }] of cases.entries()) {
    const guards = await importGuards(folder, types);
    const lines = [typesText(types), "", "type Fits<T, V extends T> = V;"];
    let line = lines.join("\n").split("\n").length;
    const judge = judgeOf(types);
    for (const [name, tried] of Object.entries(values)) {
      for (const value of tried) {
        const verdict = judge(name, value, guards(name)(value));
        if (verdict === undefined) continue;
        lines.push(`export type V${line} = Fits<${name}, ${typeOfValue(value, keysOf(types))}>;`);
        line += 1;
        count[verdict ? "accepted" : "refused"] += 1;
        const label = `${JSON.stringify(value)} for ${name} of ${JSON.stringify(types)}\n${typesText(types)}`;
        expected.set(`set${index}.ts:${line}`, { compiles: verdict, label });
      }
    }
    writeFileSync(join(folder, `set${index}.ts`), `${lines.join("\n")}\n`);
  }
  const failing = await compile(folder);
  const differences = [...expected].flatMap(([place, { compiles, label }]) => {
    const error = failing.get(place);
    failing.delete(place);
    if ((error === undefined) === compiles) return [];
    return [compiles ? `the guard accepts, the type refuses ${label}\n${error}` : `the type should refuse ${label}`];
  });
  return { differences: [...failing.values(), ...differences], ...count };
}

/** Whether a value has to compile; `undefined` where a type cannot say why not. */
function judgeOf(types: Schemas): (name: string, value: unknown, valid: boolean) => boolean | undefined {
  const mixed = typesText(types).includes(" & ");
  const compiler = (change: typeof saidByTypes) => {
    const ajv = new Ajv({ strict: false, validateSchema: false, strictNumbers: true, unicodeRegExp: false, logger: false });
    ajv.addSchema(
      { definitions: Object.fromEntries(Object.entries(types).map(([name, schema]) => [name, change(schema as boolean, mixed)])) },
      "all",
    );
    return (name: string) => ajv.getSchema(`all#/definitions/${name}`) as (value: unknown) => boolean;
  };
  const [said, meant] = [compiler(saidByTypes), compiler(withMeantKinds)];
  return (name, value, valid) => {
    if (!said(name)(value)) return false;
    return valid && meant(name)(value) ? true : undefined;
  };
}

async function compile(folder: string): Promise<Map<string, string>> {
  const compilerOptions = { noEmit: true, composite: false, isolatedModules: true, types: [], noUnusedLocals: false };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["set*.ts"] }),
  );
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
  const output = await promisify(execFile)(process.execPath, tsc, { cwd: folder, maxBuffer: 1 << 28 }).then(
    () => "",
    (error: { readonly stdout: string }) => error.stdout,
  );
  const failing = new Map<string, string>();
  for (const text of output.split("\n")) {
    const [, file, line] = /^(\S+)\((\d+),\d+\): error/.exec(text) ?? [];
    if (file !== undefined) failing.set(`${file}:${line}`, text);
    else if (text.startsWith("error")) failing.set(text, text);
  }
  return failing;
}

/** The narrowest type of a value; properties that it does not have are said to be absent, as TypeScript doubts objects that share no name with a type. */
function typeOfValue(value: unknown, keys: ReadonlySet<string>): string {
  if (Array.isArray(value)) return `[${value.map((item) => typeOfValue(item, keys)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const absent = [...keys].filter((key) => !Object.hasOwn(value, key)).map((key) => `${JSON.stringify(key)}?: never`);
  const present = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${typeOfValue(inner, keys)}`);
  return `{ ${[...present, ...absent].join("; ")} }`;
}

/** Every name of a property in schemas. */
function keysOf(schemas: unknown): ReadonlySet<string> {
  const keys = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      keys.add(key);
      visit(inner);
    }
    if (Array.isArray(value)) for (const item of value) if (typeof item === "string") keys.add(item);
  };
  visit(schemas);
  return keys;
}
