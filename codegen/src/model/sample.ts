// Draws a value from a schema, always the same one: for the examples in diagnostics and for proofs. What it draws is still to be judged by AJV.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { type Alternative, alternativesOf, type Resolve } from "./alternatives.ts";
import type { Schema } from "./keywords.ts";
import { isWhole, kindsOfAll, membersSchemas, requires, stepsOf } from "./shape.ts";

export interface SampleOptions {
  /** Whether optional properties are there. */
  readonly optional: boolean;
  /** Which of several alternatives is taken (modulo their number). */
  readonly pick: number;
}

/** Deeper than this only what is required is drawn, and from twice that nothing. */
const DEEP = 6;

/** A value that the schema most likely accepts; `undefined` when there seems to be none. */
export function sampleOf(schema: Schema, resolve: Resolve, options: SampleOptions): JsonValue | undefined {
  return draw([schema], resolve, options, 0);
}

function draw(schemas: readonly Schema[], resolve: Resolve, options: SampleOptions, depth: number): JsonValue | undefined {
  if (depth > 2 * DEEP) return undefined;
  const alternatives = alternativesOf(schemas, resolve).filter((alternative) => kindsOfAll(alternative).size > 0);
  const alternative = alternatives[options.pick % Math.max(alternatives.length, 1)];
  return alternative === undefined ? undefined : drawFrom(alternative, resolve, options, depth);
}

function drawFrom(alternative: Alternative, resolve: Resolve, options: SampleOptions, depth: number): JsonValue | undefined {
  for (const schema of alternative) if (schema["const"] !== undefined) return schema["const"];
  const lists = alternative.flatMap((schema) => (Array.isArray(schema["enum"]) ? [schema["enum"] as readonly JsonValue[]] : []));
  const [first, ...others] = lists;
  if (first !== undefined) {
    const allowed = first.filter((value) => others.every((other) => other.some((item) => JSON.stringify(item) === JSON.stringify(value))));
    return allowed[options.pick % Math.max(allowed.length, 1)];
  }
  const kinds = kindsOfAll(alternative);
  if (kinds.has("object")) return drawObject(alternative, resolve, options, depth);
  if (kinds.has("array")) return drawArray(alternative, resolve, options, depth);
  if (kinds.has("string")) return drawString(alternative);
  if (kinds.has("number")) return drawNumber(alternative);
  if (kinds.has("boolean")) return true;
  return null;
}

function drawObject(alternative: Alternative, resolve: Resolve, options: SampleOptions, depth: number): JsonObject | undefined {
  const found: Record<string, JsonValue> = {};
  for (const step of new Set(alternative.flatMap(stepsOf))) {
    if (typeof step !== "string") continue;
    const required = alternative.some((schema) => requires(schema, step));
    if (!required && (!options.optional || depth >= DEEP)) continue;
    const declared = membersSchemas(alternative, step);
    const value = draw(declared, resolve, options, depth + 1);
    if (value !== undefined) found[step] = value;
    else if (required) return undefined;
  }
  return found;
}

function drawArray(alternative: Alternative, resolve: Resolve, options: SampleOptions, depth: number): JsonValue[] | undefined {
  const least = Math.max(0, ...alternative.map((schema) => numberAt(schema, "minItems") ?? 0));
  const most = Math.min(...alternative.map((schema) => numberAt(schema, "maxItems") ?? Number.POSITIVE_INFINITY));
  const positions = Math.max(0, ...alternative.map(({ items }) => (Array.isArray(items) ? items.length : 0)));
  const wanted = Math.min(most, Math.max(least, options.optional && depth < DEEP ? Math.max(positions, 1) : 0));
  const found: JsonValue[] = [];
  for (let index = 0; index < Math.min(wanted, 100); index += 1) {
    const declared = alternative.flatMap((schema): Schema[] => {
      const item = itemSchema(schema, index);
      return item === undefined ? [] : [item];
    });
    const value = draw(declared, resolve, { ...options, pick: options.pick + index }, depth + 1);
    if (value === undefined) return found.length >= least ? found : undefined;
    found.push(value);
  }
  return found;
}

function itemSchema(schema: JsonObject, index: number): Schema | undefined {
  const { items } = schema;
  // Normalised schemas hold schemas there.
  if (Array.isArray(items)) return (items[index] ?? schema["additionalItems"]) as Schema | undefined;
  return items as Schema | undefined;
}

function drawString(alternative: Alternative): string {
  const format = alternative.map((schema) => schema["format"]).find((value) => typeof value === "string");
  const known = format === undefined ? undefined : FORMATS[format];
  if (known !== undefined) return known;
  const least = Math.max(0, ...alternative.map((schema) => numberAt(schema, "minLength") ?? 0));
  const most = Math.min(...alternative.map((schema) => numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY));
  const pattern = alternative.map((schema) => schema["pattern"]).find((value) => typeof value === "string");
  const text = pattern === undefined ? "text" : (fitting(pattern) ?? "text");
  return text.padEnd(Math.min(least, 10_000), "x").slice(0, most);
}

/** One of a few common texts that a pattern accepts. */
function fitting(pattern: string): string | undefined {
  try {
    const expression = new RegExp(pattern);
    return [
      "text",
      "a",
      "A",
      "1",
      "0",
      "12",
      "1234",
      "12.5",
      "a1",
      "abc-1",
      "ABC",
      "BTC-USD",
      "#000000",
      "/a",
      "0x00",
      "a@b.c",
      "00:00",
    ].find((text) => expression.test(text));
  } catch {
    // A pattern that is no regular expression is reported where validators are made.
    return undefined;
  }
}

function drawNumber(alternative: Alternative): number {
  const bound = (key: string): number[] => alternative.flatMap((schema) => numberAt(schema, key) ?? []);
  const whole = alternative.some(isWhole);
  const step = bound("multipleOf")[0] ?? (whole ? 1 : 0.5);
  const least = Math.max(Number.NEGATIVE_INFINITY, ...bound("minimum"), ...bound("exclusiveMinimum").map((value) => value + step));
  const most = Math.min(Number.POSITIVE_INFINITY, ...bound("maximum"), ...bound("exclusiveMaximum").map((value) => value - step));
  const wanted = Math.min(most, Math.max(least, bound("multipleOf").length > 0 ? 0 : 1));
  return whole || bound("multipleOf").length > 0 ? Math.ceil(wanted / step) * step : wanted;
}

function numberAt(schema: JsonObject, key: string): number | undefined {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
}

const FORMATS: Readonly<Record<string, string>> = {
  date: "2030-01-01",
  "date-time": "2030-01-01T00:00:00Z",
  duration: "PT1S",
  email: "a@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  "json-pointer": "/a",
  time: "00:00:00Z",
  uri: "https://example.com/",
  "uri-reference": "/a",
  url: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};
