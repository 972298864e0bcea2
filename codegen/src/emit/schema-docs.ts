// What a schema says for people: its prose, and the facts that a type cannot show.
import type { JsonValue } from "../document/document.ts";
import type { Docs, TypeDefinition } from "../model/model.ts";
import { isObject } from "../model/tree.ts";

/** The annotations of a schema. */
export interface Annotated {
  readonly [keyword: string]: JsonValue;
}

/** The comment of a property. */
export function memberDocs(name: string, schema: Annotated): Docs {
  const { title, description, deprecated } = schema;
  // Many generators give each property its own name as its title.
  const titled = typeof title === "string" && letters(title) !== letters(name) ? title : undefined;
  const text = typeof description === "string" && description.trim() !== "" ? description : titled;
  return withFacts({ ...(text !== undefined && { description: text }), ...(deprecated === true && { deprecated }) }, factsOf(schema));
}

/** The comment of a named type. */
export function typeDocs({ docs, schema }: TypeDefinition): Docs {
  return withFacts(docs, isObject(schema) ? factsOf(schema) : []);
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
  return `${/[.!?:;,)]$/.test(prose) ? prose : `${prose}.`} ${sentence}`;
}

function factsOf(schema: Annotated): string[] {
  const facts: string[] = [];
  const { format, default: preset } = schema;
  if (typeof format === "string" && format.length <= 60) facts.push(`Format: ${format}.`);
  facts.push(...rangeOf(schema));
  if (Object.hasOwn(schema, "default")) {
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

const letters = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
