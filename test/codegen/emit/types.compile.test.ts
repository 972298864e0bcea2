import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ref, type Schemas, schemasText, temporaryFolder, typesText, validatorsText } from "./emitted.ts";
import { definitions } from "./schema-arbitrary.ts";

const root = new URL("../../..", import.meta.url).pathname;

/** Schemas whose names and texts would like to be code. */
const hostile = JSON.stringify({
  Hostile: {
    type: "object",
    description: '*/ globalThis.pwned = 1 /* \u2028 // @ts-ignore\n/// <reference path="x" />\n@deprecated',
    required: ["toString", "*/", "plain"],
    properties: {
      "*/": { type: "string", description: "*/ throw 1; /*" },
      '"': { const: '"; globalThis.pwned = 1; "' },
      "\\": { enum: ["\\", "\u2028", "`$" + "{globalThis.pwned = 1}`", "</script>", "\ud800"] },
      "\n": { type: "string", pattern: "^[\\]\"'`/*\\n]*$", default: "$" + "{process.exit(7)}" },
      "": true,
      "\u2028": { type: "number" },
      toString: { type: "string" },
      constructor: { type: "object", required: ["valueOf"] },
      __PROTO__: { type: "number", description: "*/" },
      new: { type: "string" },
      plain: { const: { __PROTO__: { polluted: true } } },
    },
    patternProperties: { "^x\u2028'\"`\\*/$": { type: "string" } },
  },
}).replaceAll("__PROTO__", "__proto__");

const shapes: Schemas = {
  Tree: { type: "object", required: ["value"], properties: { value: {}, children: { type: "array", items: ref("Tree") } } },
  Left: { type: "object", properties: { right: ref("Right") } },
  Right: { type: "object", properties: { left: ref("Left"), name: { type: "string" } } },
  Json: {
    anyOf: [
      { type: ["string", "number", "boolean", "null"] },
      { type: "array", items: ref("Json") },
      { type: "object", additionalProperties: ref("Json") },
    ],
  },
  Animal: { type: "object", required: ["kind"], properties: { kind: { type: "string" }, name: { type: "string" } } },
  Cat: {
    allOf: [
      ref("Animal"),
      { type: "object", required: ["kind", "name"], properties: { kind: { const: "cat" }, lives: { type: "integer" } } },
    ],
  },
  Kitten: { allOf: [ref("Cat"), { type: "object", properties: { age: { type: "number" } } }] },
  Odd: { allOf: [ref("Animal"), { type: "object", properties: { kind: { type: "number" } } }] },
  Pet: { oneOf: [ref("Cat"), ref("Odd"), { type: "null" }] },
  Map: { type: "object", properties: { a: { type: "string" }, b: { type: "boolean" } }, additionalProperties: { type: "number" } },
  Pair: { type: "array", items: [{ type: "string" }, { type: "number" }], minItems: 2, maxItems: 2 },
  Row: { type: "array", items: [{ type: "string" }, { enum: ["a", null] }], minItems: 1, additionalItems: { type: "number" } },
  Type: { type: "object", properties: { Static: { type: "string" } } },
  Guard: { type: "object", properties: { is: { type: ["string", "null"] } } },
  Anything: true,
  Nothing: false,
  Empty: { type: "object", additionalProperties: false },
  Limits: {
    type: "object",
    description: "Either.",
    properties: { a: { type: "string" }, b: { type: "string" } },
    oneOf: [{ required: ["a"] }, { required: ["b"] }],
  },
};

describe("the three files", () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  it("compile under the strictest options, and builders have the types of types.ts", async () => {
    const drawn = fc.sample(definitions, { numRuns: 30, seed: 7 });
    const sets: (Schemas | string)[] = [shapes, hostile, ...drawn];
    for (const [index, set] of sets.entries()) {
      const into = join(folder, `set${index}`);
      mkdirSync(into);
      writeFileSync(join(into, "types.ts"), typesText(set));
      writeFileSync(join(into, "schemas.ts"), schemasText(set).text);
      writeFileSync(join(into, "validators.ts"), validatorsText(set).text);
      const names = Object.keys(typeof set === "string" ? (JSON.parse(set) as object) : set);
      const same = names.map((name) => `export const ${name}: Same<Static<typeof schemas.${name}>, types.${name}> = true;`);
      writeFileSync(join(into, "same.ts"), `${preamble}\n${same.join("\n")}\nexport * from "./validators.js";\n`);
    }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(strictest));
    const failure = await promisify(execFile)(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]).then(
      () => "",
      (error: { readonly stdout: string }) => error.stdout,
    );
    expect(failure).toBe("");
  }, 60_000);
});

const preamble = `import type { Static } from "typebox";
import * as schemas from "./schemas.js";
import type * as types from "./types.js";
type IsAny<T> = 0 extends 1 & T ? true : false;
type Same<A, B> = IsAny<A> extends true ? false : [A] extends [B] ? ([B] extends [A] ? true : false) : false;`;

const strictest = {
  extends: "../tsconfig.json",
  compilerOptions: {
    noEmit: true,
    composite: false,
    declaration: true,
    noPropertyAccessFromIndexSignature: true,
    allowUnreachableCode: false,
    paths: { "@wsgen/runtime/generated/client": [join(root, "runtime/src/contract/contract.ts")] },
  },
  include: ["**/*.ts"],
};
