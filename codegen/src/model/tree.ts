// Walking a loaded document: pointers, and `$ref`s followed one hop at a time, so that names and places survive.
import type { Path } from "@wsgen/runtime/generated/server";
import { type Document, FILES_KEY, type JsonObject, type JsonValue } from "../document/document.ts";
import { formatPointer, parsePointer } from "../document/pointer.ts";
import { inSmall, runsOf } from "../letters.ts";
import type { Docs } from "./model.ts";

/** A value of the document and where it was defined. */
export interface Place {
  /** JSON Pointer (RFC 6901) into the loaded document, without `#`. */
  readonly pointer: string;
  readonly value: JsonValue;
}

/** A {@link Place} that is known to hold an object. */
export interface ObjectPlace extends Place {
  readonly value: JsonObject;
}

/** The document's value, walked by place. What a broken `$ref` leads to is `undefined`: load has reported it. */
export interface Tree {
  readonly root: ObjectPlace;
  /** The place at a pointer, refs on the way followed. */
  at(pointer: string): Place | undefined;
  /** The place a `$ref` string means, not following the ref that may stand there. */
  target(ref: string): Place | undefined;
  /** Follows `$ref`s until something else stands there. */
  follow(place: Place): Place | undefined;
  /** The property `key` of an object (or an array's element), refs followed, or `undefined`. */
  child(place: Place, key: string): Place | undefined;
  /** The same, when it is an object. */
  object(place: Place, key: string): ObjectPlace | undefined;
  /** All properties of the object at `key`, refs not yet followed. */
  entries(place: Place, key: string): readonly (readonly [key: string, place: Place])[];
  /** Those properties that are objects once refs are followed. */
  objects(place: Place, key: string): readonly (readonly [key: string, place: ObjectPlace])[];
  /** All elements of the array at `key`, refs not yet followed. */
  items(place: Place, key: string): readonly Place[];
}

/** Builds the walker of a document. */
export function createTree(document: Document): Tree {
  const root: ObjectPlace = { pointer: "", value: document.value };

  const step = (place: Place, key: string): Place | undefined => {
    const value = property(place.value, key);
    return value === undefined ? undefined : { pointer: joinPointer(place.pointer, key), value };
  };

  const at = (pointer: string): Place | undefined => walk(root, splitPointer(pointer), 0);
  const target = (ref: string): Place | undefined => (ref.startsWith("#") ? at(decodeFragment(ref.slice(1))) : undefined);

  // A ref may lead through another one (`#/channels/chat/messages/x` where `channels/chat` is a ref itself), and real documents leave `/` in
  // names unescaped, so several segments may be one name.
  const walk = (from: Place, segments: readonly string[], depth: number): Place | undefined => {
    if (segments.length === 0) return from;
    if (depth > 100) return undefined;
    const here = follow(from);
    if (here === undefined) return undefined;
    for (let taken = 1; taken <= segments.length; taken += 1) {
      const next = step(here, segments.slice(0, taken).join("/"));
      const found = next === undefined ? undefined : walk(next, segments.slice(taken), depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const follow = (place: Place): Place | undefined => {
    const seen = new Set<string>();
    let here: Place | undefined = place;
    while (here !== undefined) {
      const ref = refOf(here.value);
      if (ref === undefined) return here;
      if (seen.has(ref)) return undefined;
      seen.add(ref);
      here = target(ref);
    }
    return undefined;
  };

  const child = (place: Place, key: string): Place | undefined => {
    const here = follow(place);
    const next = here === undefined ? undefined : step(here, key);
    return next === undefined ? undefined : follow(next);
  };

  const object = (place: Place, key: string): ObjectPlace | undefined => {
    const found = child(place, key);
    return found !== undefined && isObject(found.value) ? { pointer: found.pointer, value: found.value } : undefined;
  };

  const entries: Tree["entries"] = (place, key) => {
    const map = object(place, key);
    if (map === undefined) return [];
    return Object.entries(map.value).map(([name, value]) => [name, { pointer: joinPointer(map.pointer, name), value }]);
  };

  return {
    root,
    at,
    target,
    follow,
    child,
    object,
    entries,
    objects: (place, key) =>
      entries(place, key).flatMap(([name, entry]) => {
        const end = follow(entry);
        return end !== undefined && isObject(end.value) ? [[name, { pointer: end.pointer, value: end.value }] as const] : [];
      }),
    items: (place, key) => {
      const list = child(place, key);
      if (list === undefined || !Array.isArray(list.value)) return [];
      return list.value.map((value: JsonValue, index: number) => ({ pointer: joinPointer(list.pointer, String(index)), value }));
    },
  };
}

/** A JSON object, not `null` and not an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The `$ref` of a value that is a reference. */
export function refOf(value: JsonValue): string | undefined {
  const ref = isObject(value) ? property(value, "$ref") : undefined;
  return typeof ref === "string" ? ref : undefined;
}

/** The own property (or array element) `key` of a value. */
export function property(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
  return (value as JsonObject)[key];
}

/** The own property `key`, when it is a string. */
export function stringAt(value: JsonValue | undefined, key: string): string | undefined {
  const found = property(value, key);
  return typeof found === "string" ? found : undefined;
}

/** The strings of the list `key`; none where there is no list. */
export function stringsAt(value: JsonValue | undefined, key: string): readonly string[] {
  return stringsOf(property(value, key));
}

/** The strings of a list; none where there is no list. */
export function stringsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** Prose of an object that has `title`, `summary` and `description`. */
export function docsOf(value: JsonValue | undefined): Docs {
  const title = stringAt(value, "title");
  const summary = stringAt(value, "summary");
  const description = stringAt(value, "description");
  return {
    ...(title !== undefined && title !== "" && { title }),
    ...(summary !== undefined && summary !== "" && { summary }),
    ...(description !== undefined && description !== "" && { description }),
    ...(property(value, "deprecated") === true && { deprecated: true }),
  };
}

/** Prose without a title that only repeats the name of what it is about, as many generators of documents write. */
export function withoutEcho({ title, ...docs }: Docs, name: string): Docs {
  return title === undefined || isEcho(title, name) ? docs : { title, ...docs };
}

/** Whether a title says nothing but the name. */
export const isEcho = (title: string, name: string): boolean => letters(title) === letters(name);

const letters = (text: string): string => inSmall(runsOf(text).join(""));

/** The `location` of a parameter or a correlation id, a runtime expression. */
export function locationOf(place: Place): { readonly value: string; readonly pointer: string } | undefined {
  const value = stringAt(place.value, "location");
  return value === undefined ? undefined : { value, pointer: joinPointer(place.pointer, "location") };
}

/** A pointer with more segments behind it. */
export function joinPointer(pointer: string, ...segments: readonly string[]): string {
  return pointer + formatPointer(segments);
}

/** The segments of a pointer, unescaped. One without a leading slash is read as if it had it. */
export function splitPointer(pointer: string): string[] {
  return parsePointer(pointer) ?? splitPointer(`/${pointer}`);
}

/** The same for a place of a message, where whole numbers are positions of a list. */
export function pathOfPointer(pointer: string): (string | number)[] {
  return splitPointer(pointer).map((step) => (/^(0|[1-9]\d*)$/.test(step) ? Number(step) : step));
}

/** Characters of a path that a sentence can hold. */
const LONGEST_PATH = 80;

/** A path as people write it: `params.channel`, `[0]`. */
export function wordsOfPath(path: Path): string {
  if (path.length === 0) return "the value itself";
  const words = path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
  return `\`${words.length > LONGEST_PATH ? `${words.slice(0, LONGEST_PATH)}…` : words}\``;
}

/** The name a definition has by its own key: the pointer's last segment, or the file's base name when it is a whole file. */
export function nameOfPointer(pointer: string): string {
  const segments = splitPointer(pointer);
  const last = segments.at(-1) ?? "document";
  if (segments.length === 2 && segments[0] === FILES_KEY) {
    const base = last.split("/").at(-1) ?? last;
    return base.replace(/\.[^.]*$/, "").replace(/[.-]schema$/i, "");
  }
  // `payload`, `items` or `0` name nothing by themselves.
  if (segments.length > 2 && /^(payload|schema|items|additionalProperties|\d+)$/.test(last)) {
    const parent = nameOfPointer(pointer.slice(0, pointer.lastIndexOf("/")));
    return last === "payload" || last === "schema" ? parent : `${parent} ${last}`;
  }
  return last;
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    // A lone `%` is no escape: the pointer is meant as written.
    return fragment;
  }
}
