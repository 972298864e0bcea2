// What a schema says for people: its prose, and the facts that a type cannot show.
import type { JsonValue } from "../document/document.ts";
import { BYTES } from "../model/keywords.ts";
import type { Docs, TypeDefinition } from "../model/model.ts";
import { isEcho, isObject, withoutEcho } from "../model/tree.ts";

/** The annotations of a schema. */
export interface Annotated {
  readonly [keyword: string]: JsonValue;
}

/** The comment of a property. */
export function memberDocs(name: string, schema: Annotated): Docs {
  const { title, description, deprecated } = schema;
  const titled = typeof title === "string" && !isEcho(title, name) ? title : undefined;
  const text = typeof description === "string" && description.trim() !== "" && !isEcho(bare(description), name) ? description : titled;
  return withFacts({ ...(text !== undefined && { description: text }), ...(deprecated === true && { deprecated }) }, factsOf(schema));
}

/** `price property` says no more than `price`. */
const bare = (description: string): string =>
  description
    .trim()
    .replace(/^the /i, "")
    .replace(/ (property|field)\.?$/i, "");

/** The comment of a named type. */
export function typeDocs({ name, docs, schema }: TypeDefinition): Docs {
  return withFacts(withoutEcho(docs, name), isObject(schema) ? factsOf(schema) : []);
}

function withFacts({ title, summary, description, deprecated }: Docs, facts: readonly string[]): Docs {
  const last = description ?? summary ?? title;
  const flag = deprecated === undefined ? {} : { deprecated };
  if (facts.length === 0) {
    return {
      ...flag,
      ...(title !== undefined && { title }),
      ...(summary !== undefined && { summary }),
      ...(description !== undefined && { description }),
    };
  }
  const sentence = facts.join(" ");
  if (last === undefined || last.trim() === "") return { ...flag, description: sentence };
  const before = description !== undefined && summary !== undefined ? { summary } : {};
  return { ...flag, ...before, description: joined(last.trim(), sentence) };
}

/** Behind a short sentence on its line, else in a paragraph of its own. */
function joined(prose: string, sentence: string): string {
  if (prose.includes("\n") || prose.length + sentence.length > 100) return `${prose}\n\n${sentence}`;
  return `${/[.!?:;,]\)?$/.test(prose) ? prose : `${prose}.`} ${sentence}`;
}

function factsOf(schema: Annotated): string[] {
  const facts: string[] = [];
  const { format, default: preset } = schema;
  if (typeof format === "string" && format.length <= 60) facts.push(`Format: ${format}.`);
  facts.push(...rangeOf(schema), ...countsOf(schema), ...patternOf(schema));
  // That of a constant is the constant.
  if (Object.hasOwn(schema, "default") && !isConstant(schema)) {
    const text = JSON.stringify(preset);
    if (text.length <= 80)
      facts.push(`Default: ${typeof preset === "number" || typeof preset === "boolean" || preset === null ? text : `\`${text}\``}.`);
  }
  return facts;
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Annotated): string[] {
  if (typeof minimum === "number" && typeof maximum === "number") return [`From ${minimum} to ${maximum}.`];
  return [
    ...(typeof minimum === "number" ? [`At least ${minimum}.`] : []),
    ...(typeof exclusiveMinimum === "number" ? [`More than ${exclusiveMinimum}.`] : []),
    ...(typeof maximum === "number" ? [`At most ${maximum}.`] : []),
    ...(typeof exclusiveMaximum === "number" ? [`Less than ${exclusiveMaximum}.`] : []),
  ];
}

/** How long a text is, how many items a list has; that of a tuple is its type's to say. */
function countsOf({ minLength, maxLength, minItems, maxItems, items, [BYTES]: bytes }: Annotated): string[] {
  if (bytes !== undefined && isObject(bytes)) return between(bytes["minLength"], bytes["maxLength"], "byte");
  return [...between(minLength, maxLength, "character"), ...(Array.isArray(items) ? [] : between(minItems, maxItems, "item"))];
}

function between(least: JsonValue | undefined, most: JsonValue | undefined, noun: string): string[] {
  const from = typeof least === "number" && least > 0 ? least : undefined;
  const to = typeof most === "number" ? most : undefined;
  const counted = (count: number): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
  if (from !== undefined && to !== undefined) return [from === to ? `Exactly ${counted(to)}.` : `${from} to ${counted(to)}.`];
  if (to !== undefined) return [`At most ${counted(to)}.`];
  return from === undefined ? [] : [`At least ${counted(from)}.`];
}

/** A long pattern is for machines. */
function patternOf({ pattern }: Annotated): string[] {
  return typeof pattern === "string" && pattern.length <= 60 && !/[`\n\r]/.test(pattern) ? [`Matches \`${pattern}\`.`] : [];
}

const isConstant = (schema: Annotated): boolean =>
  Object.hasOwn(schema, "const") || (Array.isArray(schema["enum"]) && schema["enum"].length === 1);
