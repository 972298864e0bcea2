// A path → the document as one self-contained value, with the place of everything in it. What is wrong comes back as diagnostics.
import { resolve } from "node:path";
import { type Diagnostic, nearest, type Position, sortDiagnostics } from "../diagnostics.ts";
import { type Document, FILES_KEY, type JsonObject, type JsonValue } from "./document.ts";
import { createFiles, type LoadedFile, relativePath } from "./files.ts";
import { formatPointer, isIndex, parsePointer } from "./pointer.ts";
import type { Entry, Mapping, Node, Place } from "./read.ts";
import { followReferences, type Target } from "./references.ts";

export interface LoadOptions {
  /**
   * Folder that referenced files must lie in, symbolic links resolved. Default: the working directory when the document lies in it, else the
   * document's folder.
   */
  readonly root?: string;
}

/**
 * Loads an AsyncAPI document (YAML or JSON, 2.0–2.6, 3.0, 3.1) with the parts of other files that it refers to. Opens no connection. Never
 * rejects for what a document or a disk may hold: with an error among its diagnostics the value may be empty.
 *
 * @param path relative to the working directory, or absolute
 */
export async function load(path: string, options: LoadOptions = {}): Promise<Document> {
  const files = createFiles(path, options.root);
  if ("code" in files.main) {
    const { code, message, fix } = files.main;
    return emptyDocument(resolve(path), new Map(), [{ severity: "error", code, message, fix }]);
  }
  const main = files.main;
  const texts = () => new Map([...files.all.values()].map((file) => [file.path, file.source.text]));
  const problem = main.root && notAsyncApi(main, main.root);
  if (main.root?.kind !== "mapping" || problem) {
    return emptyDocument(main.path, texts(), [...files.diagnostics, ...(problem ? [problem] : [])]);
  }

  const { targets, diagnostics } = followReferences(main, files);
  const bundle = bundleFiles(main, main.root, targets);
  const found = sortDiagnostics([...files.diagnostics, ...diagnostics, ...reservedKey(main.root)]);
  return {
    file: main.path,
    value: bundle.value,
    references: bundle.references,
    sources: texts(),
    diagnostics: found,
    locate: (pointer, at = "value") => locate(bundle.tree, parsePointer(pointer) ?? [], at),
    get: (pointer) => get(bundle.value, parsePointer(pointer)),
  };
}

/** Why a file is not a document we read, in one diagnostic. */
function notAsyncApi(main: LoadedFile, root: Node): Diagnostic | undefined {
  const { source } = main;
  const error = (code: string, message: string, fix: string, at: Place = { source, start: 0, end: 0 }): Diagnostic => ({
    severity: "error",
    code,
    message,
    fix,
    position: source.position(at.start, at.end),
  });
  const start = "Begin it with `asyncapi: 3.1.0`, or run `wsgen init` for a document to start from.";
  if (root.kind === "scalar" && root.value === null) return error("empty-file", "This file is empty.", start);
  if (root.kind === "scalar") return error("not-asyncapi", "This file is plain text, not an AsyncAPI document.", start);
  if (root.kind === "list") return error("not-asyncapi", "This file is a list, not an AsyncAPI document.", start);

  const version = root.entries.get("asyncapi");
  if (version === undefined) {
    const other = ["openapi", "swagger"].find((key) => root.entries.has(key));
    if (other !== undefined) {
      const fix = "Describe the WebSocket API in an AsyncAPI document of its own; it can refer to the schemas of this one.";
      return error("not-asyncapi", "This is an OpenAPI document; wsgen reads AsyncAPI.", fix, root.entries.get(other)?.key);
    }
    const meant = [...root.entries.keys()].find((key) => nearest(key, ["asyncapi"]) !== undefined);
    if (meant !== undefined) {
      return error(
        "not-asyncapi",
        `This is not an AsyncAPI document: it has "${meant}" but no "asyncapi".`,
        'Did you mean "asyncapi"?',
        root.entries.get(meant)?.key,
      );
    }
    return error("not-asyncapi", 'This is not an AsyncAPI document: it has no "asyncapi".', start);
  }
  const written = version.node.kind === "scalar" ? version.node.value : undefined;
  if (typeof written === "string" && /^(2\.[0-6]|3\.[01])\.0(-[\w.]+)?$/.test(written)) {
    const sign = written.startsWith("2.") ? signOf3(root) : undefined;
    if (sign === undefined) return undefined;
    const message = `This document says AsyncAPI ${written}, but is written in AsyncAPI 3: it has ${sign}.`;
    return error("asyncapi-version", message, "Write `asyncapi: 3.0.0`.", version.node);
  }
  const shown = version.node.kind === "scalar" ? String(written) : "this";
  const full = typeof written === "number" || /^\d+(\.\d+)?$/.test(shown) ? /^(2(\.[0-6])?|3(\.[01])?)$/.exec(shown)?.[0] : undefined;
  const fix =
    full !== undefined
      ? `Write \`asyncapi: ${full.includes(".") ? full : `${full}.0`}.0\`.`
      : shown.startsWith("1.")
        ? "Convert it, for instance with `npx @asyncapi/cli convert`."
        : "Write the version that the document follows, for instance `asyncapi: 3.1.0`.";
  return error("asyncapi-version", `AsyncAPI ${shown} is not supported; wsgen reads 2.0.0 to 2.6.0, 3.0.0 and 3.1.0.`, fix, version.node);
}

/** What only AsyncAPI 3 has, in words; `undefined` when there is none of it. */
function signOf3({ entries }: Mapping): string | undefined {
  if (entries.get("operations")?.node.kind === "mapping") return "`operations` at its root";
  const channels = entries.get("channels")?.node;
  const all = channels?.kind === "mapping" ? [...channels.entries.values()].map(({ node }) => node) : [];
  const has = (node: Node, ...keys: readonly string[]) => node.kind === "mapping" && keys.some((key) => node.entries.has(key));
  const signed =
    all.some((node) => has(node, "address") && has(node, "messages")) && !all.some((node) => has(node, "publish", "subscribe"));
  return signed ? "channels with an `address` and `messages`" : undefined;
}

function reservedKey(root: Mapping): Diagnostic[] {
  const key = root.entries.get(FILES_KEY)?.key;
  if (key === undefined) return [];
  const position = key.source.position(key.start, key.end);
  const message = `"${FILES_KEY}" is where wsgen puts the parts of other files.`;
  return [{ severity: "error", code: "reserved-key", message, fix: "Rename this extension.", position }];
}

/** The bundled document: plain values for the pipeline, and the tree with the same shape that knows the places. */
interface Bundle {
  readonly value: JsonObject;
  readonly tree: Mapping;
  readonly references: ReadonlyMap<string, string>;
}

/** Lays the reached parts of other files under `x-wsgen-files` and makes every ref that leads somewhere a local one. */
function bundleFiles(main: LoadedFile, root: Mapping, targets: ReadonlyMap<Mapping, Target>): Bundle {
  const references = new Map<string, string>();
  const wayTo = ({ file, path }: Target): readonly string[] => (file === main ? path : [FILES_KEY, relativePath(file, main), ...path]);

  const build = (node: Node, path: readonly string[]): JsonValue => {
    if (node.kind === "scalar") return node.value;
    if (node.kind === "list") return node.items.map((item, index) => build(item, [...path, String(index)]));
    const target = targets.get(node);
    const object: Record<string, JsonValue> = Object.create(null);
    for (const [key, entry] of node.entries) {
      if (key === "$ref" && target) {
        const written = entry.node.kind === "scalar" ? String(entry.node.value) : "";
        object[key] = `#${formatPointer(wayTo(target))}`;
        if (object[key] !== written) references.set(formatPointer([...path, key]), written);
      } else object[key] = build(entry.node, [...path, key]);
    }
    return object;
  };

  const parts = reachedParts(main, targets);
  const value = build(root, []) as Record<string, JsonValue>; // a mapping builds an object
  const entries = new Map(root.entries);
  if (parts.length > 0) {
    const filesNode: Mapping = { ...root, entries: new Map() };
    entries.set(FILES_KEY, { key: root, node: filesNode });
    const filesValue: Record<string, JsonValue> = Object.create(null);
    value[FILES_KEY] = filesValue;
    for (const part of parts) {
      const way = wayTo(part).slice(1);
      graft(filesNode, filesValue, way, part, build(part.node, wayTo(part)));
    }
  }
  return { value, tree: { ...root, entries }, references };
}

/** The parts of other files that refs lead to, in the order they are met; those inside another reached part are left out. */
function reachedParts(main: LoadedFile, targets: ReadonlyMap<Mapping, Target>): Target[] {
  const reached = new Map<LoadedFile, Map<string, Target>>();
  for (const target of targets.values()) {
    if (target.file === main) continue;
    const parts = reached.get(target.file) ?? new Map<string, Target>();
    reached.set(target.file, parts);
    parts.set(formatPointer(target.path), target);
  }
  return [...reached.values()].flatMap((parts) =>
    [...parts.values()].filter(({ path }) => path.every((_, length) => !parts.has(formatPointer(path.slice(0, length))))),
  );
}

/** Puts a part where its path says, below objects that hold nothing but the way (list indexes are keys there). */
function graft(tree: Mapping, value: Record<string, JsonValue>, way: readonly string[], part: Target, built: JsonValue): void {
  let node = tree;
  let object = value;
  way.forEach((segment, depth) => {
    const children = node.entries as Map<string, Entry>; // made below or by the caller, for this bundle alone
    if (depth === way.length - 1) {
      children.set(segment, { key: part.node, node: part.node });
      object[segment] = built;
      return;
    }
    const known = children.get(segment)?.node;
    const next: Mapping =
      known?.kind === "mapping" ? known : { kind: "mapping", entries: new Map(), source: part.file.source, start: 0, end: 0 };
    children.set(segment, { key: next, node: next });
    object[segment] ??= Object.create(null) as Record<string, JsonValue>;
    node = next;
    object = object[segment] as Record<string, JsonValue>;
  });
}

/** The place of a pointer's key or value, or of the nearest part of the way that exists. */
function locate(tree: Mapping, path: readonly string[], at: "key" | "value"): Position {
  let node: Node = tree;
  let key: Place = tree;
  let complete = true;
  for (const segment of path) {
    const entry: Entry | undefined = node.kind === "mapping" ? node.entries.get(segment) : undefined;
    const item: Node | undefined = node.kind === "list" && isIndex(segment) ? node.items[Number(segment)] : undefined;
    if (entry === undefined && item === undefined) {
      complete = false;
      break;
    }
    node = (entry?.node ?? item) as Node; // one of the two is there
    key = entry?.key ?? node;
  }
  // Of something that is missing, the key of what lacks it says more than all the lines of its value.
  const place = at === "key" || !complete ? key : node;
  if (place === tree) return tree.source.position(0);
  const { line, column, ...rest } = place.source.position(place.start, place.end);
  return { ...rest, line, column };
}

function get(value: JsonValue, path: readonly string[] | undefined): JsonValue | undefined {
  if (path === undefined) return undefined;
  let here: JsonValue | undefined = value;
  for (const segment of path) {
    if (typeof here !== "object" || here === null) return undefined;
    if (Array.isArray(here)) here = isIndex(segment) ? (here as readonly JsonValue[])[Number(segment)] : undefined;
    else here = Object.hasOwn(here, segment) ? (here as JsonObject)[segment] : undefined;
  }
  return here;
}

function emptyDocument(file: string, sources: ReadonlyMap<string, string>, diagnostics: readonly Diagnostic[]): Document {
  const value: JsonObject = Object.create(null);
  const start: Position = { file, line: 1, column: 1 };
  return {
    file,
    value,
    references: new Map(),
    sources,
    diagnostics,
    locate: () => start,
    get: (pointer) => (pointer === "" ? value : undefined),
  };
}
