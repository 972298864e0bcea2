// Finds messages whose schemas contradict themselves: nothing can be sent as one, and whatever arrives as one is refused.
import type { JsonObject, JsonValue } from "../document/document.ts";
import { type Alternative, alternativesOf, isOpaque, type Resolve } from "./alternatives.ts";
import type { Findings } from "./findings.ts";
import type { Judge } from "./judge.ts";
import { type Schema, says } from "./keywords.ts";
import type { Message } from "./model.ts";
import { refName } from "./schemas.ts";
import { listedValues, requires, stepsOf } from "./shape.ts";
import { isObject, property } from "./tree.ts";

/** Where nothing is valid, and why. */
interface Contradiction {
  readonly path: readonly string[];
  /** What follows "because" and the place. */
  readonly why: string;
}

interface Known {
  /** The types by name. */
  readonly resolve: Resolve;
  readonly judge: Judge;
}

/** So much of a keyword's value is shown. */
const LONGEST = 60;

/** Contradictions in properties of properties, no deeper than this. */
const DEEPEST = 8;

/** Warns about every message that no value is valid for; only what is certain is said. */
export function reportImpossibleMessages(messages: readonly Message[], known: Known & { readonly findings: Findings }): void {
  const found = new Map<string, Contradiction | undefined>();
  for (const { name, type, pointer } of messages) {
    if (!found.has(type)) found.set(type, contradictionIn([known.resolve(type) ?? true], known, []));
    const contradiction = found.get(type);
    if (contradiction === undefined) continue;
    const { path, why } = contradiction;
    known.findings.warning({
      code: "impossible-message",
      message: `No value is a valid \`${name}\`, because ${path.length === 0 ? "it" : `\`${path.join(".")}\``} ${why}: it cannot be sent, and is refused when it arrives.`,
      fix: "Mend one of the schemas that contradict each other.",
      pointer,
      at: "key",
    });
  }
}

/** Why no value is valid for schemas that apply together; `undefined` where one may be. */
function contradictionIn(schemas: readonly Schema[], known: Known, path: readonly string[]): Contradiction | undefined {
  if (path.length > DEEPEST) return undefined;
  if (schemas.includes(false)) return { path, why: "is required and may not be there" };
  let first: Contradiction | undefined;
  for (const alternative of alternativesOf(schemas, known.resolve)) {
    const found = isOpaque(alternative) ? undefined : contradictionOf(alternative, known, path);
    if (found === undefined) return undefined;
    first ??= found;
  }
  return first;
}

function contradictionOf(alternative: Alternative, known: Known, path: readonly string[]): Contradiction | undefined {
  const types = alternative.flatMap(({ type }) => (type === undefined ? [] : [[type].flat() as readonly string[]]));
  if (types.length > 0 && commonTypes(types).length === 0)
    return { path, why: `must be ${[...new Set(types.map((names) => names.map(withArticle).join(" or ")))].join(" and ")} at once` };
  if (
    alternative.some(
      ({ oneOf }) => Array.isArray(oneOf) && oneOf.filter((schema: JsonValue) => allowsEverything(schema, known.resolve)).length > 1,
    )
  )
    return { path, why: "always matches two alternatives of its `oneOf` and may match only one" };
  const lists = alternative.flatMap((schema) => [listedValues(schema) ?? []].filter((list) => list.length > 0));
  if (lists.length > 0) return contradictionOfValues(lists.flat(), alternative, known, path);
  if (commonTypes(types).join() !== "object") return undefined;
  for (const name of new Set(alternative.flatMap(stepsOf))) {
    if (typeof name !== "string" || !alternative.some((schema) => requires(schema, name))) continue;
    const found = contradictionIn(
      alternative.flatMap((schema) => saidOf(schema, name)),
      known,
      [...path, name],
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a schema says about a property: by its name, else as one of those that it does not name. */
function saidOf(schema: JsonObject, name: string): readonly Schema[] {
  const own = property(schema["properties"], name);
  const extra = schema["patternProperties"] === undefined ? schema["additionalProperties"] : undefined;
  // Normalised schemas hold schemas there.
  return [own ?? extra ?? true] as readonly Schema[];
}

/** Listed values of which none is allowed by all that is said about them. */
function contradictionOfValues(
  values: readonly JsonValue[],
  alternative: Alternative,
  { judge }: Known,
  path: readonly string[],
): Contradiction | undefined {
  const limits = alternative.flatMap((schema) =>
    Object.entries(schema).flatMap(([key, held]): JsonObject[] => (LIMITS.has(key) ? [{ [key]: held }] : [])),
  );
  // A single list allows what it lists.
  if (limits.length < 2 || values.some((value) => limits.every((limit) => judge.allows(limit, value)))) return undefined;
  const listed = [...new Set(values.map((value) => JSON.stringify(value)))];
  const against = limits.filter((limit) => !values.some((value) => judge.allows(limit, value)));
  const said = against.flatMap((limit) =>
    Object.entries(limit).map(([key, held]) => `\`${key}: ${JSON.stringify(held).slice(0, LONGEST)}\``),
  );
  const shown = `\`${listed.slice(0, 3).join("`, `")}\`${listed.length > 3 ? " and so on" : ""}`;
  return {
    path,
    why: said.length === 0 ? `must be several constants at once (${shown})` : `must be ${shown}, which ${said.join(" and ")} forbids`,
  };
}

/** Types that all of the lists allow; an integer is a number. */
function commonTypes(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...others] = lists.map((names) => (names.includes("number") ? [...names, "integer"] : names));
  return first.filter((name) => others.every((names) => names.includes(name)));
}

const withArticle = (type: string): string => (type === "null" ? type : `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`);

function allowsEverything(schema: JsonValue, resolve: Resolve): boolean {
  if (!isObject(schema)) return schema === true;
  const ref = refName(schema);
  // One hop: chains of refs are rare, and may be endless.
  const target = ref === undefined ? schema : (resolve(ref) ?? false);
  return target === true || (isObject(target) && says(target).length === 0);
}

const LIMITS: ReadonlySet<string> = new Set([
  ...["type", "const", "enum", "minLength", "maxLength", "pattern", "format"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
]);
