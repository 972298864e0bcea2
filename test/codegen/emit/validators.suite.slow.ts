import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { KEYWORDS, mapSubschemas } from "../../../codegen/src/model/keywords.ts";
import { importGuards, ref, temporaryFolder } from "./emitted.ts";

const root = new URL("../../..", import.meta.url).pathname;
const suite = join(root, process.env["WSGEN_SHARED"] ?? "../shared", "json-schema-test-suite");
const listPath = join(root, "test/conformance/json-schema.known-failing.json");

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}
type JsonSchema = boolean | { readonly [key: string]: never };

it("checks objects of many properties some at a time, and says what AJV says", async () => {
  const folder = temporaryFolder();
  const wide = (count: number) => ({
    type: "object",
    required: ["p0", `p${count - 1}`],
    properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: "integer", minimum: index }])),
    additionalProperties: false,
  });
  const whole = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, index]));
  const either = (count: number) => ({ anyOf: [wide(count), { type: "object", required: ["other"] }] });
  const tries = (count: number) =>
    [0, 1, 498, 499, 500, 501, count - 2, count - 1].flatMap((index) => [
      { ...whole(count), [`p${index}`]: "x" },
      { ...whole(count), [`p${index}`]: -1 },
      { p0: 0, [`p${count - 1}`]: count, [`p${index}`]: count },
      { ...whole(count), [`p${index}`]: 0.5, p499: "x" },
    ]);
  const more = (count: number) => [
    {},
    { p0: 0 },
    { ...whole(count), no: 1 },
    { other: 1, p3: "x" },
    [whole(count)],
    [{}],
    "x",
    whole(count),
  ];
  const schemas = { Wide: wide(600), Either: either(600) };
  const guards = await importGuards(folder, schemas);
  rmSync(folder, { recursive: true });
  const judge = new Ajv({ strict: false, strictNumbers: true, logger: false });
  const seen = { valid: 0, invalid: 0 };
  for (const name of ["Wide", "Either"] as const) {
    const [guard, verdict] = [guards(name), judge.compile(schemas[name])];
    for (const value of [...tries(600), ...more(600)]) {
      expect(guard(value)).toBe(verdict(value));
      seen[verdict(value) ? "valid" : "invalid"] += 1;
      const told = (errors: readonly object[] | null | undefined) =>
        errors?.map((error) => ({ ...error, schemaPath: undefined, params: { ...(error as { params: object }).params } }));
      if (!verdict(value)) expect(told(guard.errors)).toEqual(told(verdict.errors));
    }
  }
  expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(4);
});

it("an object of 10,000 properties has a guard", async () => {
  const folder = temporaryFolder();
  const names = Array.from({ length: 10_000 }, (_, index) => `p${index}`);
  const properties = Object.fromEntries(names.map((name, minimum) => [name, { type: "integer", minimum }]));
  const guard = (await importGuards(folder, { Huge: { type: "object", required: names, properties, additionalProperties: false } }))(
    "Huge",
  );
  rmSync(folder, { recursive: true });
  const whole = Object.fromEntries(names.map((name, index) => [name, index]));
  expect(guard(whole)).toBe(true);
  expect(guard({ ...whole, p9998: 0 })).toBe(false);
  expect(guard.errors).toMatchObject([{ instancePath: "/p9998", message: "must be >= 9998" }]);
  expect(guard({ ...whole, p10000: 0 })).toBe(false);
  expect(guard.errors).toMatchObject([{ instancePath: "", message: "must NOT have additional properties" }]);
});

describe.skipIf(!existsSync(suite))(`JSON-Schema-Test-Suite draft7 (${existsSync(suite) ? suite : "not there: set WSGEN_SHARED"})`, () => {
  const known = JSON.parse(readFileSync(listPath, "utf8")) as Readonly<Record<string, readonly string[]>>;
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const [part, minimum] of [
    ["required", 927],
    ["optional", 110],
    ["optional/format", 590],
  ] as const) {
    it(`passes ${part} but for the known failures, and at least what AJV passes`, async () => {
      const below = part === "required" ? "" : part;
      const files = readdirSync(join(suite, "tests/draft7", below)).filter((name) => name.endsWith(".json"));
      const failing: string[] = [];
      let total = 0;
      for (const file of files) {
        const groups = JSON.parse(readFileSync(join(suite, "tests/draft7", below, file), "utf8")) as readonly Group[];
        for (const group of groups) {
          const guard = await guardOf(folder, group.schema).catch(() => undefined);
          for (const { description, data, valid } of group.tests) {
            total += 1;
            if (guard?.(data) !== valid) failing.push(`${file}: ${group.description}: ${description}`);
          }
        }
      }
      console.log(`json-schema ${part}: ${total - failing.length}/${total}`);
      // A list that may only shrink: what passes now must be taken out of it.
      expect([...failing].sort()).toEqual([...(known[part] ?? [])].sort());
      expect(total - failing.length).toBeGreaterThanOrEqual(minimum);
    });
  }
});

/** Compiles a schema of the suite: whatever its refs lead to becomes a type, as the model would have it. */
async function guardOf(folder: string, schema: unknown): Promise<(data: unknown) => boolean> {
  const { types, start } = asTypes(schema);
  const guards = await importGuards(folder, types);
  return guards(start);
}

function asTypes(schema: unknown): { readonly types: Readonly<Record<string, unknown>>; readonly start: string } {
  const resources = new Map<string, { readonly schema: unknown; readonly base: string }>();
  const register = (value: unknown, base: string): void => {
    if (typeof value !== "object" || value === null) return;
    const id = (value as { readonly $id?: unknown }).$id;
    const isRef = "$ref" in value;
    const own = typeof id === "string" && !isRef ? new URL(id, base).href.replace(/#$/, "") : base;
    if (own !== base || !resources.has(own)) resources.set(own, { schema: value, base: own });
    // Constants look like schemas, and are none.
    for (const [key, inner] of Object.entries(value)) if (key !== "const" && key !== "enum") register(inner, own);
  };
  const home = "http://localhost:1234/start.json";
  for (const path of readdirSync(join(suite, "remotes"), { recursive: true, encoding: "utf8" })) {
    if (path.endsWith(".json") && !/draft(?!7)/.test(path)) {
      register(JSON.parse(readFileSync(join(suite, "remotes", path), "utf8")), `http://localhost:1234/${path}`);
    }
  }
  register(createRequire(import.meta.url)("ajv/dist/refs/json-schema-draft-07.json"), "http://json-schema.org/draft-07/schema");
  resources.delete(home);
  register(schema, home);
  if (typeof schema === "boolean") resources.set(home, { schema, base: home });

  const names = new Map<unknown, string>();
  const types: Record<string, unknown> = {};
  const resolve = (reference: string, base: string): { readonly schema: unknown; readonly base: string } => {
    const url = new URL(reference, base);
    const exact = resources.get(url.href);
    if (exact !== undefined) return exact;
    const fragment = decodeURIComponent(url.hash.slice(1));
    url.hash = "";
    const resource = resources.get(url.href);
    if (resource === undefined) throw new Error(`no resource ${url.href}`);
    let place: unknown = resource.schema;
    let here = resource.base;
    for (const segment of fragment.split("/").slice(1)) {
      // The last one's own `$id` is seen to when it is normalised.
      const id = Object(place).$id as unknown;
      if (typeof id === "string" && place !== resource.schema) here = new URL(id, here).href;
      place = (place as Record<string, unknown>)[segment.replace(/~1/g, "/").replace(/~0/g, "~")];
    }
    if (place === undefined) throw new Error(`no ${reference}`);
    return { schema: place, base: here };
  };
  const add = (target: { readonly schema: unknown; readonly base: string }): string => {
    const key = typeof target.schema === "boolean" ? String(target.schema) : target.schema;
    const found = names.get(key);
    if (found !== undefined) return found;
    const name = `T${names.size}`;
    names.set(key, name);
    types[name] = normalised(target.schema as JsonSchema, target.base);
    return name;
  };
  const normalised = (value: JsonSchema, base: string): JsonSchema => {
    if (typeof value === "boolean") return value;
    const reference: unknown = value["$ref"];
    if (typeof reference === "string") return ref(add(resolve(reference, base))) as never;
    const id: unknown = value["$id"];
    const own = typeof id === "string" ? new URL(id, base).href : base;
    const known = Object.fromEntries(Object.entries(value).filter(([key]) => KEYWORDS.has(key)));
    return mapSubschemas(known, (inner) => normalised(inner as JsonSchema, own)) as JsonSchema;
  };
  const id = Object(schema).$id as unknown;
  const first = typeof id === "string" && !("$ref" in Object(schema)) ? new URL(id, home).href.replace(/#$/, "") : home;
  return { start: add(resources.get(first) ?? { schema, base: home }), types };
}
