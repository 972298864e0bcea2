// AJV as the judge of what this model claims about values: examples in diagnostics and proofs are tried, not believed.
import { createRequire } from "node:module";
import type { Ajv, ValidateFunction } from "ajv";
import type { JsonValue } from "../document/document.ts";
import { type Schema, says } from "./keywords.ts";

// Loaded for the first judgement: most documents need none.
const require = createRequire(import.meta.url);
const loadAjv = () => require("ajv") as typeof import("ajv");
const loadFormats = () => require("ajv-formats") as typeof import("ajv-formats");

/** Judges values by the schemas of one document. */
export interface Judge {
  /** Why the definition refuses the value; empty when it accepts, `undefined` when AJV cannot compile it. */
  refusals(name: string, value: JsonValue): readonly string[] | undefined;
  /** Whether a schema that refers to the definitions allows the value; `true` when AJV cannot compile it. */
  allows(schema: Schema, value: JsonValue): boolean;
}

/** Compiles definitions, whose refs are `#/definitions/<name>`, when they are asked for. */
export function createJudge(definitions: ReadonlyMap<string, Schema>): Judge {
  let known: Ajv | undefined;
  const ajv = (): Ajv => {
    if (known !== undefined) return known;
    const { Ajv } = loadAjv();
    const { default: addFormats } = loadFormats();
    known = new Ajv({ strict: false, validateSchema: false, logger: false, allErrors: false, ownProperties: true });
    addFormats(known);
    return known.addSchema({ definitions: plain(Object.fromEntries(definitions)) }, "model");
  };
  const compiled = new Map<string, ValidateFunction | undefined>();
  const compile = (name: string): ValidateFunction | undefined => {
    try {
      return ajv().getSchema(`model#/definitions/${encodeURIComponent(name)}`);
    } catch {
      // What AJV cannot compile is reported where validators are made.
      return undefined;
    }
  };
  const inline = new Map<string, ValidateFunction | undefined>();
  const compileInline = (schema: Schema): ValidateFunction | undefined => {
    const text = JSON.stringify(schema).replaceAll('"#/definitions/', '"model#/definitions/');
    try {
      if (!inline.has(text)) inline.set(text, ajv().compile(JSON.parse(text) as Schema));
    } catch {
      // As above.
      inline.set(text, undefined);
    }
    return inline.get(text);
  };
  return {
    allows: (schema, value) => {
      const plainly = soleTypes.get(soleType(schema));
      if (plainly !== undefined) return plainly(value);
      try {
        return compileInline(schema)?.(plain(value)) !== false;
      } catch {
        // Endless recursion ends the stack; it is refused by name elsewhere.
        return true;
      }
    },
    refusals: (name, value) => {
      if (!compiled.has(name)) compiled.set(name, compile(name));
      const validate = compiled.get(name);
      if (validate === undefined) return undefined;
      try {
        if (validate(plain(value)) === true) return [];
      } catch (error) {
        // Endless recursion ends the stack; it is refused by name elsewhere.
        return [error instanceof Error ? error.message : String(error)];
      }
      return (validate.errors ?? []).map(
        ({ instancePath, message }) => `${instancePath === "" ? "the payload" : `\`${instancePath}\``} ${message ?? "is invalid"}`,
      );
    },
  };
}

/** Types that take no judge: to load AJV for them is a tenth of what a large document takes that was checked before. */
const soleTypes = new Map<JsonValue | undefined, (value: JsonValue) => boolean>([
  ["string", (value) => typeof value === "string"],
  ["integer", (value) => Number.isInteger(value)],
]);

/** The type of a schema that says nothing else about its values, or of the one that it consists of. */
function soleType(schema: Schema): JsonValue | undefined {
  if (typeof schema === "boolean") return undefined;
  const { anyOf, allOf = anyOf, ...others } = schema;
  if (Array.isArray(allOf) && allOf.length === 1 && (anyOf === undefined || anyOf === allOf) && Object.keys(others).length === 0)
    return soleType(allOf[0] as Schema);
  return says(schema).every((key) => key === "type") ? schema["type"] : undefined;
}

/** Objects of documents have no prototype, and AJV calls no two of them equal. */
const plain = <Value extends object | JsonValue>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
