// What may stand as the value of an option: said once, as data, for the check with its messages and for the published JSON Schema.
import { nearest } from "./diagnostics.ts";
import { runsOf } from "./letters.ts";

export type Grammar =
  /** One of some words. */
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "flag"; readonly only?: boolean }
  /** Any text but the empty one. */
  | { readonly kind: "text"; readonly what: string }
  /** A whole number from here to there, both included. */
  | { readonly kind: "integer"; readonly from: number; readonly to: number }
  /** The name of a subprotocol (RFC 6455 section 4.1: a token). */
  | { readonly kind: "token" }
  /** Text with something in it that an identifier can be made of. */
  | { readonly kind: "name" }
  /** A JSON Pointer (RFC 6901) to a place that is not the whole; `into` says of what. */
  | { readonly kind: "pointer"; readonly into: string; readonly such: string }
  /** A string, number, boolean or null, or a list of them. */
  | { readonly kind: "constants" }
  /** One of them. */
  | { readonly kind: "constant" }
  /** An object with any keys; `keys` says what they are. */
  | { readonly kind: "map"; readonly keys: string; readonly of: Grammar }
  /** An object with these keys. */
  | {
      readonly kind: "fields";
      readonly fields: { readonly [name: string]: Field };
      readonly required?: readonly string[];
    }
  /** One or several of something, in a list. */
  | { readonly kind: "list"; readonly of: Grammar }
  | { readonly kind: "either"; readonly of: readonly Grammar[] };

/** A token of HTTP (RFC 9110 section 5.6.2): the name of a header, of a subprotocol, of an authentication scheme. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export interface Field {
  /** What it decides, in a sentence or two. */
  readonly about: string;
  readonly value: Grammar;
}

/** What is wrong with a value, where in it, and what to write instead. */
export interface Misuse {
  /** Keys and positions that lead to it. */
  readonly path: readonly string[];
  /** Whether it is about a key nobody knows, or about a value. */
  readonly at: "key" | "value";
  readonly message: string;
  readonly fix: string;
}

/** Everything wrong with the value of the option `name`; `owner` is what an unknown key inside it is no option of. */
export function misuses(value: unknown, grammar: Grammar, name: string, owner = `\`${name}\``): readonly Misuse[] {
  const wrong = (message: string, fix: string): readonly Misuse[] => [{ path: [], at: "value", message, fix }];
  const unfit = (fix = `Write ${says(grammar)}.`): readonly Misuse[] =>
    wrong(`\`${name}\` is ${shown(value)}, which is not ${says(grammar)}.`, fix);
  const below = (key: string, found: readonly Misuse[]): readonly Misuse[] => found.map((one) => ({ ...one, path: [key, ...one.path] }));
  switch (grammar.kind) {
    case "words":
      if (typeof value === "string" && grammar.words.includes(value)) return [];
      return unfit(suggestionOf(typeof value === "string" ? nearest(value, grammar.words) : undefined));
    case "flag":
      if (typeof value === "boolean" && value === (grammar.only ?? value)) return [];
      return unfit();
    case "text":
      if (typeof value === "string" && value.trim() !== "") return [];
      return unfit();
    case "integer":
      if (Number.isInteger(value) && Number(value) >= grammar.from && Number(value) <= grammar.to) return [];
      return unfit();
    case "token":
      if (typeof value === "string" && TOKEN.test(value)) return [];
      return unfit();
    case "name":
      if (typeof value === "string" && runsOf(value).length > 0) return [];
      return wrong(
        `\`${name}\` is ${shown(value)}, which has nothing that an identifier could be made of.`,
        "Write a name with letters in it.",
      );
    case "pointer":
      if (typeof value === "string" && value.startsWith("/")) return [];
      return wrong(
        `\`${name}\` is ${shown(value)}, which is no JSON Pointer into the ${grammar.into}.`,
        `Write it with a leading slash, such as \`${grammar.such}\`.`,
      );
    case "constants": {
      const all: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (all.length > 0 && all.every((one) => one === null || ["string", "number", "boolean"].includes(typeof one))) return [];
      return unfit();
    }
    case "constant":
      if (value === null || ["string", "number", "boolean"].includes(typeof value)) return [];
      return unfit();
    case "map":
      if (!isRecord(value)) return unfit();
      return Object.entries(value).flatMap(([key, inner]) => below(key, misuses(inner, grammar.of, key)));
    case "fields": {
      if (!isRecord(value)) return unfit();
      const known = Object.keys(grammar.fields);
      const missing = (grammar.required ?? []).filter((key) => !Object.hasOwn(value, key));
      return [
        ...missing.flatMap((key) => wrong(`${owner} has no \`${key}\`.`, `It needs ${listed(grammar.required ?? [], "and")}.`)),
        ...Object.entries(value).flatMap(([key, inner]): readonly Misuse[] => {
          const field = Object.hasOwn(grammar.fields, key) ? grammar.fields[key] : undefined;
          if (field !== undefined) return below(key, misuses(inner, field.value, key));
          const fix = suggestionOf(nearest(key, known)) ?? `It may have ${listed(known, "and")}.`;
          return [{ path: [key], at: "key", message: `\`${key}\` is no option of ${owner}.`, fix }];
        }),
      ];
    }
    case "list":
      if (!Array.isArray(value) || value.length === 0) return unfit();
      return value.flatMap((item: unknown, index) => below(String(index), misuses(item, grammar.of, name, owner)));
    case "either": {
      // The alternative of the value's own kind says best what is wrong with it.
      const alternatives = grammar.of.map((alternative) => ({ alternative, found: misuses(value, alternative, name, owner) }));
      if (alternatives.some(({ found }) => found.length === 0)) return [];
      const kinds: readonly Grammar["kind"][] = Array.isArray(value) ? ["list"] : isRecord(value) ? ["fields", "map"] : [];
      const own = alternatives.find(({ alternative }) => kinds.includes(alternative.kind));
      if (own !== undefined) return own.found;
      return unfit();
    }
  }
}

/** What a grammar allows, in words that read on behind "write". */
export function says(grammar: Grammar): string {
  switch (grammar.kind) {
    case "words":
      return listed(grammar.words, "or");
    case "flag":
      return grammar.only === undefined ? "`true` or `false`" : `\`${String(grammar.only)}\``;
    case "text":
      return grammar.what;
    case "integer":
      return `a whole number from ${grammar.from} to ${grammar.to}`;
    case "token":
      return "the name of a subprotocol: letters, digits and hyphens, no spaces";
    case "name":
      return "a name with letters in it";
    case "pointer":
      return `a JSON Pointer into the ${grammar.into}, such as \`${grammar.such}\``;
    case "constants":
      return "a string, a number, `true`, `false`, `null`, or a list of these";
    case "constant":
      return "a string, a number, `true`, `false` or `null`";
    case "map":
      return `an object with ${grammar.keys} as keys`;
    case "fields":
      return `an object with ${listed(Object.keys(grammar.fields), "and")}`;
    case "list":
      return `a list of them`;
    case "either":
      return grammar.of.map(says).join(", or ");
  }
}

const constant = { type: ["string", "number", "boolean", "null"] };

/** The same as JSON Schema (draft-07, for editors). */
export function schemaOf(grammar: Grammar): object {
  switch (grammar.kind) {
    case "words":
      return { enum: grammar.words };
    case "flag":
      return grammar.only === undefined ? { type: "boolean" } : { const: grammar.only };
    case "text":
      return { type: "string", pattern: "\\S" };
    case "integer":
      return { type: "integer", minimum: grammar.from, maximum: grammar.to };
    case "token":
      return { type: "string", pattern: TOKEN.source };
    case "name":
      return { type: "string", minLength: 1 };
    case "pointer":
      return { type: "string", pattern: "^/" };
    case "constants":
      return { anyOf: [constant, { type: "array", minItems: 1, items: constant }] };
    case "constant":
      return constant;
    case "map":
      return { type: "object", additionalProperties: schemaOf(grammar.of) };
    case "fields":
      return {
        type: "object",
        ...(grammar.required !== undefined && { required: grammar.required }),
        properties: propertiesOf(grammar.fields),
        additionalProperties: false,
      };
    case "list":
      return { type: "array", minItems: 1, items: schemaOf(grammar.of) };
    case "either":
      return { anyOf: grammar.of.map(schemaOf) };
  }
}

/** Schemas of some fields, each with its description. */
export function propertiesOf(fields: { readonly [name: string]: Field }): object {
  return Object.fromEntries(Object.entries(fields).map(([name, { about, value }]) => [name, { description: about, ...schemaOf(value) }]));
}

/** `a`, `b` and `c`, each between back-ticks. */
export function listed(words: readonly string[], conjunction: "and" | "or"): string {
  const quoted = words.map((word) => `\`${word}\``);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} ${conjunction} ${quoted.at(-1)}`;
}

function suggestionOf(near: string | undefined): string | undefined {
  return near === undefined ? undefined : `Did you mean \`${near}\`?`;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As much of a value as a sentence bears. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
