// What would tell messages apart that their schemas do not: read from examples, defaults, lists of names and vendor extensions. Only ever proposed,
// never believed.
import type { Constant, Path } from "@wsgen/runtime/generated/server";
import { FILES_KEY, type JsonValue } from "../document/document.ts";
import { formatPointer } from "../document/pointer.ts";
import { alternativesOf } from "./alternatives.ts";
import type { Schema } from "./keywords.ts";
import type { Entry } from "./leaves.ts";
import { wordsOf } from "./names.ts";
import { DEFINITIONS } from "./schemas.ts";
import { evidenceAt, pathsOf, schemaAt } from "./shape.ts";
import type { SourceChannel } from "./source.ts";
import { property, splitPointer, type Tree, wordsOfPath } from "./tree.ts";

/** Where to look. */
export interface Sources {
  readonly tree: Tree;
  readonly channels: readonly SourceChannel[];
  readonly typeName: (entry: Entry) => string;
  readonly definitions: ReadonlyMap<string, Schema>;
}

/** Places that are looked at in each message, and how deep. */
const PLACES = { depth: 3, limit: 120 };

/** The option that tells some messages apart, ready to paste; `undefined` where nothing speaks for one. */
export function suggestDiscriminator(members: readonly Entry[], sources: Sources): string | undefined {
  const best = findTags(members, sources);
  if (best === undefined) return undefined;
  const { path, values } = best;
  const named = Object.fromEntries(
    members.flatMap((member) => {
      const [first, ...others] = values.get(member) ?? [];
      return first === undefined ? [] : [[member.draft.source.name ?? member.draft.base, others.length === 0 ? first : [first, ...others]]];
    }),
  );
  const option = JSON.stringify({ discriminator: { at: formatPointer(path.map(String)), values: named } });
  const carriers = sources.channels.filter((channel) =>
    members.some(
      ({ draft }) => channel.messages.includes(draft.source) || channel.operations.some(({ messages }) => messages.includes(draft.source)),
    ),
  );
  const [only, ...more] = carriers;
  const owner = only !== undefined && more.length === 0 ? only.pointer : "";
  const where = owner === "" ? "at the root of the document" : `on the channel \`${only?.key}\``;
  return `${wordsOfPath(path)} seems to say which (in ${best.because}): write \`"overrides": { ${JSON.stringify(placeOf(owner))}: ${option} }\` in wsgen.config.json, or the same as \`x-wsgen\` ${where}.`;
}

interface Tags {
  readonly path: Path;
  readonly values: ReadonlyMap<Entry, readonly string[]>;
  readonly because: string;
}

/** The place whose values are different for each message and look like names of messages. */
function findTags(members: readonly Entry[], sources: Sources): Tags | undefined {
  const places = new Map<string, { readonly path: Path; holders: number }>();
  let cut = 0;
  for (const { draft } of members) {
    const paths = pathsOf(draft.shape, PLACES);
    if (paths.length >= PLACES.limit) cut += 1;
    for (const path of paths) {
      const key = JSON.stringify(path);
      const place = places.get(key);
      if (place === undefined) places.set(key, { path, holders: 1 });
      else place.holders += 1;
    }
  }
  let best: { readonly tags: Tags; readonly score: number } | undefined;
  for (const { path, holders } of places.values()) {
    // Whoever has more places than are looked at may have this one too, and every list has every position.
    if (!path.some((step) => typeof step === "number") && (holders + cut) * 2 < members.length) continue;
    const found = members.map((member) => [member, textsAt(member, path, sources)] as const);
    const spoken = found.filter(([, { texts }]) => texts.length > 0);
    const times = new Map<string, number>();
    for (const [, { texts }] of spoken) for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
    // A value that two messages have leaves those two together; most have to have one of their own.
    const apart = spoken.filter(([, { texts }]) => texts.every((text) => times.get(text) === 1)).length;
    if (apart < 2 || apart * 2 < members.length) continue;
    const alike = spoken.filter(([member, { texts }]) => texts.some((text) => isAlike(text, member))).length;
    const isTag = TAGS.test(String(path.at(-1)));
    if (!isTag && alike * 2 < spoken.length) continue;
    const score = apart * 4 + spoken.length + alike * 2 + Number(isTag) - path.length;
    if (best !== undefined && best.score >= score) continue;
    const because = [...new Set(spoken.map(([, { because }]) => because))].join(" and ");
    best = { score, tags: { path, values: new Map(spoken.map(([member, { texts }]) => [member, texts])), because } };
  }
  return best?.tags;
}

/** What properties are called that say what a message is. */
const TAGS =
  /^(@?(message|msg|event|action|op|operation|method|kind|command|cmd|request|response)?[_-]?(type|name)|event|action|op|operation|method|kind|msg|message|cmd|command|channel|topic|feed|stream|e|t|c|ev)$/i;

/** A word, not a number, date, id or sentence. */
const WORD = /^(?!.*\s.*\s)[\p{L}_@$.#/:-][\p{L}\p{Nd}_$.#/: -]{0,39}$/u;

interface Texts {
  readonly texts: readonly string[];
  readonly because: string;
}

const nothing: Texts = { texts: [], because: "" };

/** The strings that are known of a place of a message, from the source that is the surest. */
function textsAt(entry: Entry, path: Path, sources: Sources): Texts {
  const { definitions, typeName } = sources;
  const resolve = (id: string): Schema | undefined => definitions.get(id);
  const evidence = evidenceAt(entry.draft.shape, path);
  if (evidence.presence === "absent" || !evidence.kinds.has("string")) return nothing;
  const whole: Schema = { $ref: DEFINITIONS + typeName(entry) };
  const here = schemaAt(whole, path, resolve);
  const parts = here === undefined ? [] : alternativesOf([here], resolve).flat();
  const examplesOf = (schemas: readonly Schema[]): JsonValue[] =>
    schemas.flatMap((schema) =>
      typeof schema !== "boolean" && Array.isArray(schema["examples"]) ? (schema["examples"] as JsonValue[]) : [],
    );
  const candidates: readonly (readonly [because: string, values: readonly (JsonValue | undefined)[]])[] = [
    ["its constant", (evidence.values ?? []).length === 1 ? (evidence.values ?? []) : []],
    ["the vendor's extensions", extensionsAt(entry, path, sources.tree)],
    ["defaults", parts.map((schema) => schema["default"])],
    ["examples", entry.draft.source.examples.map((example) => valueAt(example, path))],
    ["examples", examplesOf(alternativesOf([whole], resolve).flat()).map((example) => valueAt(example, path))],
    ["examples", examplesOf(parts)],
    ["a list that has its name", ownOf(evidence.values ?? [], entry)],
  ];
  for (const [because, values] of candidates) {
    const texts = [...new Set(values.filter((value): value is string => typeof value === "string" && WORD.test(value)))];
    // What the schema refuses is no value of it.
    const possible = texts.filter((text) => evidence.values === undefined || evidence.values.includes(text));
    if (possible.length > 0) return { texts: possible, because };
  }
  return { texts: [], because: "" };
}

/** Literals that vendors hide in extensions of a property: `x-fern-type: literal<"ping">`. */
function extensionsAt({ draft }: Entry, path: Path, tree: Tree): readonly string[] {
  let here = draft.source.payload === undefined ? undefined : tree.follow(draft.source.payload);
  for (const step of path) {
    const properties = here === undefined ? undefined : tree.child(here, "properties");
    here = properties === undefined ? undefined : tree.child(properties, String(step));
  }
  const { value } = here ?? {};
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, text]) => {
    const [, literal] =
      key.startsWith("x-") && typeof text === "string" ? (/^(?:literal|const)\w*\s*[<(:]?\s*["']([^"']+)["']/i.exec(text) ?? []) : [];
    return literal ?? [];
  });
}

function valueAt(value: JsonValue, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((here, step) => property(here, String(step)), value);
}

/** Whether a value is a message's name in other spelling, or has it in it. */
function isAlike(text: string, { draft }: Entry): boolean {
  const [value, name] = [plain(text), plain(draft.source.name ?? draft.base)];
  return value.length > 1 && (name.includes(value) || value.includes(name));
}

/** Of a list that messages share the value that a message's name ends with: the longest, as `ticker_lite` says more than `lite`. */
function ownOf(values: readonly Constant[], { draft }: Entry): readonly string[] {
  const name = plain(draft.source.name ?? draft.base);
  const bare = name.replace(/(message|event|request|response|payload|data)$/, "");
  const own = values
    .filter((value): value is string => typeof value === "string" && plain(value) !== "")
    .filter((value) => name.endsWith(plain(value)) || bare.endsWith(plain(value)))
    .sort((a, b) => plain(b).length - plain(a).length);
  return own.slice(0, 1);
}

const plain = (text: string): string => wordsOf(text).join("").toLowerCase();

/** A pointer of the loaded document as `overrides` name it. */
function placeOf(pointer: string): string {
  const [files, file, ...rest] = splitPointer(pointer);
  return pointer !== "" && files === FILES_KEY ? `${file}#${formatPointer(rest)}` : `#${pointer}`;
}
