// AJV as we need it: guards as source text that imports nothing, with its slow and unsafe keywords replaced.
import { createRequire } from "node:module";
import type { Ajv, KeywordCxt, Name } from "ajv";
import type { JsonValue } from "../document/document.ts";
import { BYTES, NO_BYTES } from "../model/keywords.ts";
import type { GuardSchema } from "./guard-schema.ts";
import { FORMATS } from "./prelude.ts";

/** Compiled guards. */
export interface CompiledGuards {
  /** By id: the name of the function that is the guard. */
  readonly functions: ReadonlyMap<string, string>;
  /** Their JavaScript, without imports and exports. */
  readonly code: string;
  /** Names of the prelude's helpers that it calls. */
  readonly helpers: ReadonlySet<string>;
  /** By id: why there is no guard. */
  readonly failures: ReadonlyMap<string, string>;
}

/** What of a type decides about its guard. */
export type Compilable = Pick<GuardSchema, "id" | "schema">;

export type GuardCompiler = typeof compileGuards;

// Loaded by the first compilation: where all guards are remembered it would be a fifth of all the time.
const require = createRequire(import.meta.url);
const load = () => require("ajv") as typeof import("ajv");
const loadPrinter = () => require("ajv/dist/standalone/index.js") as typeof import("ajv/dist/standalone/index.js");

/**
 * Compiles a guard for every schema that wants one.
 *
 * @param legacyPatterns whether some pattern is valid only without the `u` flag
 */
export function compileGuards(schemas: readonly Compilable[], legacyPatterns: boolean): CompiledGuards {
  const helpers = new Set<string>();
  const { default: printed } = loadPrinter();
  const ajv = createAjv(helpers, legacyPatterns);
  const failures = new Map<string, string>();
  const code = createCode();
  for (const { id, schema } of schemas) {
    try {
      ajv.addSchema(schema, id).getSchema(id);
      // One by one: AJV takes quadratic time to print many at once.
      code.add(printed(ajv, { [id]: id }));
    } catch (error) {
      failures.set(id, error instanceof Error ? error.message : String(error));
    }
  }
  return { functions: code.functions, code: code.toString(), helpers, failures };
}

function createAjv(helpers: Set<string>, legacyPatterns: boolean): Ajv {
  const { _, Ajv, Name, nil } = load();
  /** What AJV calls its findings in the code it prints. */
  const [vErrors, errors] = [new Name("vErrors"), new Name("errors")];
  const helper = (name: string): Name => {
    helpers.add(name);
    return new Name(name);
  };
  const compilePattern = (pattern: string, flags: string): RegExp => {
    try {
      return new RegExp(pattern, flags);
    } catch {
      return new RegExp(pattern);
    }
  };
  if (legacyPatterns) helpers.add("regularExpression");

  const ajv = new Ajv({
    // The model has normalised every schema and said what there is to say.
    strict: false,
    validateSchema: false,
    meta: false,
    logger: false,
    strictNumbers: true,
    loopEnum: Number.POSITIVE_INFINITY,
    code: {
      source: true,
      esm: true,
      lines: true,
      // What is printed is never run here.
      process: () => "return () => false",
      regExp: Object.assign(compilePattern, { code: legacyPatterns ? "regularExpression" : "new RegExp" }),
    },
  });

  const redefine = (keyword: string, code: (cxt: KeywordCxt, ruleType: string | undefined, original: () => void) => void): void => {
    for (const group of ajv.RULES.rules) {
      for (const rule of group.rules) {
        if (rule.keyword !== keyword || !("code" in rule.definition)) continue;
        const { definition } = rule;
        const before = definition.code;
        rule.definition = { ...definition, code: (cxt, ruleType) => code(cxt, ruleType, () => before(cxt, ruleType)) };
      }
    }
  };

  // AJV compiles what a ref leads to while it compiles the ref, as deep as the document's chains are long, and longer for each. Here every
  // schema is compiled by itself, and calls the others by name. They are not told where their value stands, which would cost a text and an object for
  // each item of a list: the caller adds the place to what they refuse.
  redefine("$ref", (cxt) => {
    const { gen, data, it } = cxt;
    const guard = new Name(functionName(cxt.schema));
    const found = (): void => {
      const refusals = it.errorPath.emptyStr() ? _`${guard}.errors` : _`${helper("below")}(${it.errorPath}, ${guard}.errors)`;
      // Where nothing else can make up for it, that is the verdict.
      if (!it.compositeRule) return void gen.assign(_`${it.validateName}.errors`, refusals).return(false);
      gen.assign(vErrors, _`${vErrors} === null ? ${refusals} : ${vErrors}.concat(${refusals})`);
      gen.assign(errors, _`${vErrors}.length`);
    };
    cxt.result(_`${guard}(${data})`, undefined, found);
  });

  // Counting characters walks the whole text; its length in UTF-16 units decides most cases.
  redefine("maxLength", (cxt) => {
    const { data } = cxt;
    const limit: number = cxt.schema;
    cxt.fail(_`${data}.length > ${limit} && ${helper("characters")}(${data}) > ${limit}`);
  });
  redefine("minLength", (cxt) => {
    const { data } = cxt;
    const limit: number = cxt.schema;
    const few = _`${data}.length < ${limit}`;
    cxt.fail(limit <= 1 ? few : _`${few} || (${data}.length < ${limit * 2} && ${helper("characters")}(${data}) < ${limit})`);
  });

  // AJV's fast path forgets duplicates of "__proto__", and without it the check is quadratic.
  redefine("uniqueItems", (cxt) => {
    if (cxt.schema !== true) return;
    const pair = cxt.gen.const("pair", _`${helper("duplicate")}(${cxt.data})`);
    cxt.setParams({ j: _`${pair}[0]`, i: _`${pair}[1]` });
    cxt.fail(_`${pair} !== undefined`);
  });

  // AJV remembers which property is missing, and takes "" for none.
  redefine("required", (cxt, _type, original) => {
    const names: readonly string[] = cxt.schema;
    if (!names.includes("")) return original();
    cxt.setParams({ missingProperty: "" });
    cxt.fail(_`${cxt.data}[""] === undefined`);
    Object.assign(cxt, { schema: names.filter((name) => name !== "") });
    original();
  });

  // For an empty list AJV goes by the verdict on the list before, and behind `items` that has no item to look at it skips what is left.
  redefine("contains", (cxt, _type, original) => {
    cxt.setParams({ min: 1 });
    cxt.fail(_`${cxt.data}.length === 0`);
    original();
  });
  const ofArrays = ajv.RULES.rules.find(({ type }) => type === "array");
  ofArrays?.rules.sort((a, b) => Number(looksAtItems.has(a.keyword)) - Number(looksAtItems.has(b.keyword)));

  redefine("const", (cxt, _type, original) => {
    if (!isComposite(cxt.schema)) return original();
    cxt.fail(_`!${helper("deepEqual")}(${cxt.data}, ${cxt.schemaCode})`);
  });
  redefine("enum", (cxt, _type, original) => {
    const { gen, data, schemaCode } = cxt;
    const values: readonly JsonValue[] = cxt.schema;
    if (values.some(isComposite)) return cxt.fail(_`!${schemaCode}.some((value) => ${helper("deepEqual")}(value, ${data}))`);
    if (values.length <= fewValues) return original();
    const allowed = gen.scopeValue("obj", { ref: values, key: values, code: _`new Set(${schemaCode})` });
    cxt.fail(_`!${allowed}.has(${data})`);
  });

  // 19.99 / 0.01 is 1998.9999999999998: AJV says that it is no multiple.
  redefine("multipleOf", (cxt) => {
    const divisor: number = cxt.schema;
    cxt.fail(Number.isInteger(divisor) ? _`${cxt.data} % ${divisor} !== 0` : _`!${helper("isMultiple")}(${cxt.data}, ${divisor})`);
  });

  // What codecs decode may hold bytes, of which JSON Schema knows nothing.
  ajv.addKeyword({
    keyword: BYTES,
    error: { message: ({ schema }) => `must be bytes${wordsOfLimits(schema)}` },
    code(cxt) {
      const { data, schema } = cxt;
      const { minLength, maxLength }: ByteLimits = schema;
      const few = minLength === undefined ? nil : _` || ${data}.length < ${minLength}`;
      const many = maxLength === undefined ? nil : _` || ${data}.length > ${maxLength}`;
      cxt.fail(_`!(${data} instanceof Uint8Array)${few}${many}`);
    },
  });
  ajv.addKeyword({
    keyword: NO_BYTES,
    type: "object",
    // Before anything goes through their numbers as through properties.
    before: "maxProperties",
    error: { message: "must be object" },
    code: (cxt) => cxt.fail(_`${cxt.data} instanceof Uint8Array`),
  });

  redefine("format", (cxt, ruleType) => {
    const format = FORMATS.get(cxt.schema);
    if (format !== undefined && format.on === ruleType) cxt.fail(_`!${helper(format.helper)}(${cxt.data})`);
  });

  // Every object inherits `toString` and the like. Looking for own properties costs up to five times as much, so it is done only there.
  for (const keyword of ["properties", "required", "dependencies"]) {
    redefine(keyword, (cxt, _type, original) => {
      const schema: readonly string[] | object = cxt.schema;
      const names = Array.isArray(schema)
        ? schema
        : Object.entries(schema).flatMap(([name, held]) => (Array.isArray(held) ? [name, ...held] : name));
      if (names.some((name) => name in Object.prototype))
        Object.assign(cxt, { it: { ...cxt.it, opts: { ...cxt.it.opts, ownProperties: true } } });
      original();
    });
  }

  // AJV nests a block for each property, and what is nested some thousands deep neither it nor JavaScript reads any more.
  redefine("properties", (cxt, _type, original) => {
    const { gen } = cxt;
    const properties = Object.entries(cxt.schema as object);
    if (properties.length <= manyProperties) return original();
    const before = gen.const("_errs", errors);
    for (let start = 0; start < properties.length; start += atATime) {
      Object.assign(cxt, { schema: Object.fromEntries(properties.slice(start, start + atATime)) });
      gen.if(_`${errors} === ${before}`, () => gen.block(original));
    }
    gen.if(_`${errors} === ${before}`);
  });
  return ajv;
}

interface ByteLimits {
  readonly minLength?: number;
  readonly maxLength?: number;
}

function wordsOfLimits({ minLength, maxLength }: ByteLimits): string {
  const words = [
    ...(minLength === undefined ? [] : [`at least ${minLength}`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength}`]),
  ];
  return words.length === 0 ? "" : `, ${words.join(" and ")}`;
}

const looksAtItems: ReadonlySet<string> = new Set(["items", "additionalItems"]);

/** Up to this many values are compared one by one, more are looked up. */
const fewValues = 8;

/** Up to this many properties are nested, more are checked some at a time. */
const manyProperties = 500;
const atATime = 50;

const isComposite = (value: JsonValue): boolean => typeof value === "object" && value !== null;

/** The name by which guards call the guard of a schema. */
const functionName = (id: string): string => `valid_${id}`;

/** What AJV's functions are told beside the value, which no caller here does: a default value for each call costs more than many a check. */
const parameters = /^(function \w+)\(data, \{instancePath="", parentData, parentDataProperty, rootData=data\}=\{\}\)\{$/m;
/** Every error begins with the place of the value it is about. */
const places = /^(validate\d+\.errors = \[|const err\d+ = )\{instancePath(,|:instancePath\+)/gm;

/**
 * Takes out of a function what only AJV's other uses need: where the value stands, which is "" for all guards; and the count of errors, where the
 * first one is the verdict. A guard that calls another for each item of a list takes 0.6 of the time without, and one that is seldom called 0.7.
 */
function withoutCounting(body: string): string {
  const placed = body
    .replace(parameters, "$1(data){")
    .replace(places, (_, start: string, next: string) => `${start}{instancePath:${next === "," ? '"",' : ""}`);
  if (/^(?:vErrors|errors)(?:\+\+| = )/m.test(placed)) return placed;
  return placed
    .replace(/^(?:let vErrors = null|let errors = 0|const _errs\d+ = errors);\n/gm, "")
    .replace(/^if\((?:errors === _errs\d+|_errs\d+ === errors|errors === 0)\)\{$/gm, "{")
    .replace(/^(var valid\d+) = _errs\d+ === errors;$/gm, "$1 = true;")
    .replace(/^validate\d+\.errors = vErrors;\nreturn errors === 0;$/m, "return true;");
}

/** Puts together what AJV prints: without exports, without the schemas that no function looks at, and what several functions use only once. */
function createCode() {
  const functions = new Map<string, string>();
  const printed = new Set<string>();
  const constants = new Map<string, string>();
  const bodies: string[] = [];
  return {
    functions,
    /** @param text what is exported, then the constants that its function uses, then the function */
    add(text: string): void {
      // Line breaks in texts of the document are escaped: what begins a line is AJV's.
      const start = text.search(/^function /m);
      for (const line of text.slice(0, start).split("\n")) {
        const [, id, name] = /^export const (\w+) = (\w+);$/.exec(line) ?? [];
        const [, constant, value] = /^const (\w+) = (.*);$/.exec(line) ?? [];
        if (id !== undefined && name !== undefined) functions.set(id, name);
        else if (constant !== undefined && value !== undefined) constants.set(constant, value);
      }
      const body = text.slice(start).trim();
      // Types that are `true` or `false` share one function.
      const [, name = ""] = /^function (\w+)\(/.exec(body) ?? [];
      if (!printed.has(name)) bodies.push(withoutCounting(body));
      printed.add(name);
    },
    toString(): string {
      const code = bodies.join("\n\n");
      const kept = [...constants].filter(([name]) => !name.startsWith("schema"));
      const used = new Set(`${code}${kept.map(([, value]) => value).join("\n")}`.match(/\b(?:schema\d+|valid_\w+)\b/g));
      const lines = [
        ...[...functions].filter(([id]) => used.has(functionName(id))).map(([id, name]) => `const ${functionName(id)} = ${name};`),
        ...[...constants]
          .filter(([name]) => !name.startsWith("schema") || used.has(name))
          .map(([name, value]) => `const ${name} = ${literal(value)};`),
      ];
      return ascii([lines.join("\n"), code].filter((part) => part !== "").join("\n\n"));
    },
  };
}

/** In a literal of JavaScript, a key `__proto__` sets the prototype. */
const literal = (value: string): string =>
  value.startsWith("{") && value.includes('"__proto__"') ? `JSON.parse(${JSON.stringify(value)})` : value;

/** Other characters stand only in texts of the document, where an escape means the same. */
const ascii = (code: string): string =>
  code.replace(/[^\n -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).replaceAll("</", "<\\/");
