// `overrides` of a configuration: `x-wsgen` for documents one does not own. They are laid over the document, so that everything behind reads
// one document; what is wrong with them is said where they are written.
import { dirname, relative, sep } from "node:path";
import { type Diagnostic, nearest, type Position } from "../diagnostics.ts";
import { type Document, FILES_KEY, type JsonObject, type JsonValue } from "../document/document.ts";
import { formatPointer, parsePointer } from "../document/pointer.ts";
import { OPTIONS_KEY, type Options } from "../options.ts";
import { emptyObject } from "./keywords.ts";
import type { Source } from "./source.ts";
import { createTree, isObject, joinPointer, type Place, property, type Tree } from "./tree.ts";

/** One entry of `overrides`. */
export interface Override {
  /** As written: `api.yaml#/channels/chat`. */
  readonly target: string;
  /** Absolute path of the file; `undefined` for the document itself. */
  readonly file: string | undefined;
  readonly pointer: string;
  readonly value: Options;
  /** Where a part of the value was written, as far as that is known; nothing names the entry itself. */
  locate(path: readonly string[], at: "key" | "value"): Position | undefined;
}

/** A document with its overrides. */
export interface Overridden {
  readonly document: Document;
  readonly diagnostics: readonly Diagnostic[];
  /** What was overridden, by the pointer of the object it was laid on. */
  readonly places: ReadonlyMap<string, Override>;
}

/** Lays overrides over a document. One that matches nothing is an error. */
export function applyOverrides(document: Document, overrides: readonly Override[]): Overridden {
  if (overrides.length === 0) return { document, diagnostics: [], places: new Map() };
  const tree = createTree(document);
  const diagnostics: Diagnostic[] = [];
  const places = new Map<string, Override>();
  for (const override of overrides) {
    const place = find(tree, document, override);
    if (place === undefined || !isObject(place.value)) diagnostics.push(problem(override, suggest(tree, document, override)));
    else if (places.has(place.pointer))
      diagnostics.push(problem(override, `It leads to the same object as \`${places.get(place.pointer)?.target}\`; keep one of them.`));
    else places.set(place.pointer, override);
  }
  let value: JsonValue = document.value;
  for (const [pointer, override] of places) value = withOptions(value, parsePointer(pointer) ?? [], override.value);
  const patched = value as JsonObject; // The root stays an object.
  return {
    document: {
      ...document,
      value: patched,
      get: (pointer) => (parsePointer(pointer) ?? []).reduce<JsonValue | undefined>((here, key) => property(here, key), patched),
      locate: (pointer, at = "value") => locateOverride(pointer, at, places) ?? document.locate(pointer, at),
    },
    diagnostics,
    places,
  };
}

/** Overrides of what no message travels through: they would be ignored in silence. */
export function unusedOverrides(overridden: Overridden, source: Source): readonly Diagnostic[] {
  const messages = source.channels.flatMap((channel) => [
    ...channel.messages,
    ...channel.operations.flatMap(({ messages, replies }) => [...messages, ...replies.flatMap((reply) => reply.messages)]),
  ]);
  const used = new Set(["", ...source.channels.map(({ pointer }) => pointer), ...messages.map(({ pointer }) => pointer)]);
  return [...overridden.places].flatMap(([pointer, override]) =>
    // What has no options at all was said to have none.
    used.has(pointer) || !/(^\/(components\/)?channels\/[^/]*|\/messages?\/[^/]*|\/message)$|^\/x-wsgen-files/.test(pointer)
      ? []
      : [problem(override, "It is no channel or message that this document's operations use; name one that is, or remove the entry.")],
  );
}

function problem({ target, locate }: Override, fix: string): Diagnostic {
  const position = locate([], "key");
  return {
    severity: "error",
    code: "override",
    message: `The override \`${target}\` matches nothing.`,
    fix,
    ...(position !== undefined && { position }),
  };
}

/** The object that an override means, refs followed: options are read where they end. */
function find(tree: Tree, document: Document, override: Override): Place | undefined {
  const pointer = pointerOf(document, override);
  const place = pointer === undefined ? undefined : tree.at(pointer);
  return place === undefined ? undefined : tree.follow(place);
}

/** The place in the loaded document; `undefined` when the pointer is none. */
function pointerOf(document: Document, { file, pointer }: Override): string | undefined {
  // `#/` is meant as the whole, as `#` is.
  const inside = pointer === "/" ? "" : pointer;
  if (parsePointer(inside) === undefined) return undefined;
  if (file === undefined || file === document.file) return inside;
  return `${formatPointer([FILES_KEY, relative(dirname(document.file), file).split(sep).join("/")])}${inside}`;
}

function suggest(tree: Tree, document: Document, override: Override): string {
  const { file, pointer, target } = override;
  const path = parsePointer(pointer);
  if (path === undefined || !target.includes("#"))
    return "Write it as `file#/pointer`, such as `api.yaml#/channels/chat`, or `#/channels/chat`.";
  if (file !== undefined && file !== document.file && ![...document.sources.keys()].includes(file))
    return `The document reads no file \`${file}\`. For the document itself write \`#${pointer}\`.`;
  // The first step that leads nowhere, and what is there instead.
  const base = pointerOf(document, { ...override, pointer: "" }) ?? "";
  for (let length = 0; length < path.length; length += 1) {
    const before = formatPointer(path.slice(0, length));
    const here = tree.at(base + before);
    const followed = here === undefined ? undefined : tree.follow(here);
    const step = path[length] ?? "";
    if (followed === undefined || tree.at(joinPointer(base + before, step)) !== undefined) continue;
    const known = isObject(followed.value) ? Object.keys(followed.value) : [];
    const near = nearest(step, known);
    if (near !== undefined) return `Did you mean \`#${joinPointer(before, near, ...path.slice(length + 1))}\`?`;
    return known.length === 0 || known.length > 20
      ? `There is nothing called \`${step}\` in \`#${before}\`.`
      : `\`#${before || "/"}\` has ${known.map((name) => `\`${name}\``).join(", ")}.`;
  }
  return "Name an object: the document, a channel or a message.";
}

/** A copy of the value with options at a place; those of the configuration win over those of the document. */
function withOptions(value: JsonValue, path: readonly string[], options: Options): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) {
    const own = property(value, OPTIONS_KEY);
    const before = own !== undefined && isObject(own) ? own : {};
    // Options are JSON: their grammar was checked, or will be.
    return copyWith(value, OPTIONS_KEY, { ...before, ...(options as JsonObject) });
  }
  const inner = property(value, step);
  return inner === undefined ? value : copyWith(value, step, withOptions(inner, rest, options));
}

function copyWith(value: JsonValue, key: string, inner: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => (String(index) === key ? inner : item));
  return Object.assign(emptyObject(), value, { [key]: inner });
}

/** A place inside `x-wsgen` that comes from an override. */
function locateOverride(pointer: string, at: "key" | "value", places: ReadonlyMap<string, Override>): Position | undefined {
  const path = parsePointer(pointer) ?? [];
  const depth = path.lastIndexOf(OPTIONS_KEY);
  if (depth === -1) return undefined;
  const override = places.get(formatPointer(path.slice(0, depth)));
  const [key, ...inner] = path.slice(depth + 1);
  if (override === undefined || (key !== undefined && !Object.hasOwn(override.value, key))) return undefined;
  return key === undefined ? override.locate([], at) : override.locate([key, ...inner], at);
}
