// Follows the `$ref`s of a document through its files: where each one leads, and what is wrong with those that lead nowhere.
import { type Diagnostic, nearest } from "../diagnostics.ts";
import { type Files, type LoadedFile, nearestFile, type Refusal } from "./files.ts";
import { formatPointer, isIndex, parsePointer } from "./pointer.ts";
import type { Mapping, Node, Place, Scalar } from "./read.ts";
import { fieldOf, type Kind, kindOfPlace, unknownField } from "./vocabulary.ts";

/** A part of a file. */
export interface Target {
  readonly file: LoadedFile;
  /** From the file's root, all refs on the way followed. */
  readonly path: readonly string[];
  readonly node: Node;
}

export interface References {
  /** Where the `$ref` of an object leads; objects whose ref leads nowhere, or is plain data, are missing. */
  readonly targets: ReadonlyMap<Mapping, Target>;
  readonly diagnostics: readonly Diagnostic[];
}

/** The string of a `$ref`. */
type RefString = Scalar & { readonly value: string };

/** Keys whose values are data of the user: a `$ref` in them refers to nothing. */
const dataKeys = new Set(["const", "enum", "default", "examples", "example"]);

/** Keys whose values are maps from names to objects: a schema called `default` is no default. */
const nameKeys = new Set([
  ...["channels", "operations", "servers", "messages", "schemas", "parameters", "variables", "replies", "replyAddresses"],
  ...["securitySchemes", "serverVariables", "correlationIds", "operationTraits", "messageTraits"],
  ...["serverBindings", "channelBindings", "operationBindings", "messageBindings"],
  ...["properties", "patternProperties", "definitions", "$defs", "dependencies", "dependentSchemas"],
]);

/** How many refs may stand one behind the other on the way to something; in a circle there is no end of them. */
const maxHops = 100;

/** Refs that lead to refs: real documents have two or three in a row. */
const maxChain = 100;

/** Refs to nowhere that get a suggestion: to look for one takes time with the number of names. */
const maxSuggested = 100;

/** Follows every ref that can be reached from the document. */
export function followReferences(document: LoadedFile, files: Files): References {
  const targets = new Map<Mapping, Target>();
  const diagnostics: Diagnostic[] = [];
  const visited = new Set<Node>();
  let suggested = 0;
  const passed = new Map<Mapping, Target | undefined>();
  const unescaped = new Map<LoadedFile, { readonly at: Place; readonly suggestion: string; count: number }>();

  const report = (at: Place, problem: { readonly code: string; readonly message: string; readonly fix: string }) => {
    diagnostics.push({ severity: "error", ...problem, position: at.source.position(at.start, at.end) });
  };

  /** Walks a part of a file; `names` says that its keys are names, not keywords. A stack of our own: each part of it may be 200 deep. */
  const walk = (start: Node, startFile: LoadedFile, startNames: boolean) => {
    const stack: { readonly node: Node; readonly file: LoadedFile; readonly names: boolean }[] = [
      { node: start, file: startFile, names: startNames },
    ];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { node, file, names } = next;
      if (node.kind === "scalar" || visited.has(node)) continue;
      visited.add(node);
      if (node.kind === "list") {
        for (const item of node.items) stack.push({ node: item, file, names: false });
        continue;
      }
      const ref = node.entries.get("$ref")?.node;
      if (ref && isString(ref)) {
        const target = follow(node, ref, file);
        if (target) stack.push({ node: target.node, file: target.file, names });
      } else if (ref && !names) {
        report(ref, { code: "ref-not-string", message: "A $ref must be a string.", fix: 'Write it as `$ref: "#/components/…"`.' });
      }
      for (const [key, entry] of node.entries) {
        if (!names && (dataKeys.has(key) || key.startsWith("x-"))) continue;
        stack.push({ node: entry.node, file, names: !names && nameKeys.has(key) });
      }
    }
  };

  /** Resolves one ref and all refs that it leads to, and remembers where it ends. */
  const follow = (holder: Mapping, ref: RefString, file: LoadedFile): Target | undefined => {
    const known = targets.get(holder);
    if (known) return known;
    const found = resolveReference(ref, file);
    if ("message" in found) {
      report(found.at ?? ref, found);
      return undefined;
    }
    if (found.suggestion !== undefined) {
      const seen = unescaped.get(file);
      if (seen) seen.count++;
      else unescaped.set(file, { at: ref, suggestion: found.suggestion, count: 1 });
    }
    targets.set(holder, found);
    return found;
  };

  /** One step: where a ref points, which may be another ref. */
  const resolveReference = (
    ref: RefString,
    file: LoadedFile,
  ): (Target & { readonly suggestion?: string }) | (Refusal & { readonly at?: Place }) => {
    const start = startOf(ref, file);
    if ("message" in start) return start;
    const { target, address, fragment } = start;
    const decoded = decodePercent(fragment);
    const path = parsePointer(decoded);
    if (path === undefined) {
      const fix = "Write the way from the file's root, like `#/components/schemas/Name`.";
      return { code: "ref-not-a-pointer", message: `"#${fragment}" is not a JSON pointer.`, fix };
    }
    const found = descendEither(target, fragment);
    if (found) return found;
    const joined = descendUnescaped(target, path);
    if (joined.length === 1) return { ...joined[0]!, suggestion: `${address}#${formatPointer(joined[0]!.path)}` };
    return notFound(ref, address, target, path);
  };

  /** The file that a ref leads into, and the way through it as written. */
  const startOf = (
    ref: RefString,
    file: LoadedFile,
  ): { readonly target: Target; readonly address: string; readonly fragment: string } | Refusal => {
    const hash = ref.value.indexOf("#");
    const address = hash < 0 ? ref.value : ref.value.slice(0, hash);
    const fragment = hash < 0 ? "" : ref.value.slice(hash + 1);
    let target = file;
    if (address !== "") {
      const refused = refuseAddress(address);
      if (refused) return refused;
      const opened = files.open(decodePercent(address), file);
      if ("code" in opened) {
        const meant = opened.code === "file-not-found" ? nearestFile(decodePercent(address), file) : undefined;
        const code = opened.code.startsWith("ref-") ? opened.code : `ref-${opened.code}`;
        return { ...opened, code, fix: meant === undefined ? opened.fix : `Did you mean "${meant}"?` };
      }
      target = opened;
    }
    if (target.root === undefined) {
      const fix = "Refer to a YAML or JSON file, and correct what is reported in it.";
      return { code: "ref-unreadable", message: `"${address}" is not YAML or JSON.`, fix };
    }
    return { target: { file: target, path: [], node: target.root }, address, fragment };
  };

  /** Percent escapes are read as such, or as they stand if that leads nowhere. */
  const descendEither = (start: Target, fragment: string): Target | undefined => {
    const decoded = decodePercent(fragment);
    const path = parsePointer(decoded);
    const literal = decoded === fragment ? undefined : parsePointer(fragment);
    return (path && descend(start, path)) ?? (literal && descend(start, literal));
  };

  /** Goes down one path, through refs on the way; `undefined` when it ends. */
  const descend = (start: Target, path: readonly string[]): Target | undefined => {
    let here: Target | undefined = start;
    for (const segment of path) {
      here = here && step(here, segment);
      if (here === undefined) return undefined;
    }
    return here;
  };

  const step = (from: Target, segment: string, hops = 0): Target | undefined => {
    const { node, file, path } = from;
    if (node.kind === "scalar") return undefined;
    const child = node.kind === "mapping" ? node.entries.get(segment)?.node : isIndex(segment) ? node.items[Number(segment)] : undefined;
    if (child) return { file, path: [...path, segment], node: child };
    const ref = node.kind === "mapping" ? node.entries.get("$ref")?.node : undefined;
    if (node.kind !== "mapping" || ref === undefined || !isString(ref)) return undefined;
    const behind = hops < maxHops ? through(node, ref, file) : undefined;
    return behind && step(behind, segment, hops + 1);
  };

  /** Where an object on the way to something else refers to. Remembered, so that refs through refs cost no more than they are. */
  const through = (holder: Mapping, ref: RefString, file: LoadedFile): Target | undefined => {
    if (passed.has(holder)) return passed.get(holder);
    passed.set(holder, undefined);
    const start = startOf(ref, file);
    const target = "message" in start ? undefined : descendEither(start.target, start.fragment);
    passed.set(holder, target);
    return target;
  };

  /** All places a path leads to when a `/` in it may belong to a name, as some generators write it. */
  const descendUnescaped = (start: Target, path: readonly string[]): Target[] => {
    let ends: { readonly at: Target; readonly rest: readonly string[] }[] = [{ at: start, rest: path }];
    const found: Target[] = [];
    // Each round takes at least one segment; real names hold a few slashes, so more than a handful of ways is nonsense.
    while (ends.length > 0 && ends.length <= 8) {
      const next: typeof ends = [];
      for (const { at, rest } of ends) {
        if (rest.length === 0) found.push(at);
        for (let taken = 1; taken <= rest.length; taken++) {
          const child = step(at, rest.slice(0, taken).join("/"));
          if (child) next.push({ at: child, rest: rest.slice(taken) });
        }
      }
      ends = next;
    }
    return found;
  };

  const written = document.root?.kind === "mapping" ? document.root.entries.get("asyncapi")?.node : undefined;
  const version = written !== undefined && isString(written) ? written.value : "";

  const notFound = (ref: RefString, address: string, start: Target, path: readonly string[]): Refusal & { readonly at?: Place } => {
    let at = start;
    let done = 0;
    for (; done < path.length; done++) {
      const child = step(at, path[done]!);
      if (child === undefined) break;
      at = child;
    }
    const missing = path[done] ?? "";
    const place = done === 0 ? (address === "" ? "the document" : address) : `${address}#${formatPointer(path.slice(0, done))}`;
    const message =
      at.node.kind === "scalar"
        ? `This $ref leads nowhere: ${place} is a plain value, so it has no "${missing}".`
        : `This $ref leads nowhere: there is no "${missing}" in ${place}.`;
    if (++suggested > maxSuggested) return { code: "ref-not-found", message, fix: "Define it there, or correct the path." };
    const meant = at.node.kind === "mapping" ? nearest(missing, at.node.entries.keys()) : undefined;
    // A field of AsyncAPI's own on the way that is misspelt: that one key is wrong, and none of the refs that go through it.
    const kind = address === "" ? kindOfPlace(version, path.slice(0, done)) : undefined;
    if (kind !== undefined && meant !== undefined && isMisspelt(kind, missing, meant) && at.node.kind === "mapping") {
      return { code: "unknown-field", ...unknownField(kind, meant, missing), at: at.node.entries.get(meant)?.key ?? ref };
    }
    const suggestion =
      meant !== undefined
        ? `${address}#${formatPointer([...path.slice(0, done), meant, ...path.slice(done + 1)])}`
        : address === ""
          ? elsewhere(ref, start.node, path)
          : undefined;
    const fix = suggestion === undefined ? "Define it there, or correct the path." : `Did you mean "${suggestion}"?`;
    return { code: "ref-not-found", message, fix };
  };

  walk(document.root ?? nothing(document), document, false);
  for (const { at, suggestion, count } of unescaped.values()) {
    diagnostics.push({
      severity: "warning",
      code: "ref-unescaped-slash",
      message: `A "/" inside a name must be written "~1" in a $ref; ${count > 1 ? `${count} of this file were` : "it was"} understood all the same.`,
      fix: `Write "${suggestion}".`,
      position: at.source.position(at.start, at.end),
    });
  }
  for (const [holder, length] of chainsOf(targets)) {
    const at = holder.entries.get("$ref")?.node ?? holder;
    if (length === Number.POSITIVE_INFINITY) {
      targets.delete(holder);
      const fix = "Let one of them hold the definition itself.";
      report(at, { code: "ref-cycle", message: "This $ref leads round in a circle of refs and never to a definition.", fix });
    } else if (length === maxChain + 1) {
      const message = `This $ref leads to a definition through more than ${maxChain} others.`;
      report(at, { code: "ref-chain", message, fix: "Refer to the definition itself." });
    }
  }
  return { targets, diagnostics };
}

function isMisspelt(kind: Kind, meant: string, key: string): boolean {
  return fieldOf(kind, meant) !== undefined && fieldOf(kind, key) === undefined && !key.startsWith("x-");
}

/** How many refs it is from each ref to a definition; endless where they go round in a circle. Each is looked at once. */
function chainsOf(targets: ReadonlyMap<Mapping, Target>): ReadonlyMap<Mapping, number> {
  const lengths = new Map<Mapping, number>();
  for (const holder of targets.keys()) {
    const way = new Set<Mapping>();
    let here: Node | undefined = holder;
    while (here?.kind === "mapping" && targets.has(here) && !lengths.has(here) && !way.has(here)) {
      way.add(here);
      here = targets.get(here)?.node;
    }
    const isRound = here?.kind === "mapping" && way.has(here);
    let length = isRound ? Number.POSITIVE_INFINITY : ((here?.kind === "mapping" ? lengths.get(here) : undefined) ?? 0);
    for (const one of [...way].reverse()) {
      length += 1;
      lengths.set(one, length);
    }
  }
  return lengths;
}

/** Why an address is never opened, or `undefined` when it is a relative path. */
function refuseAddress(address: string): Refusal | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https" || address.startsWith("//")) {
    const fix = "wsgen fetches nothing from the network: save the file beside the document and refer to it by its relative path.";
    return { code: "ref-remote", message: `"${address}" is a remote file.`, fix };
  }
  const relative = "Write a relative path with forward slashes, like `./common.yaml#/components/schemas/Name`.";
  if (scheme !== undefined) return { code: "ref-scheme", message: `A $ref cannot be a ${scheme}: address.`, fix: relative };
  if (address.startsWith("/")) return { code: "ref-absolute", message: "A $ref cannot be an absolute path.", fix: relative };
  if (address.includes("\\")) return { code: "ref-backslash", message: "A $ref cannot contain a backslash.", fix: relative };
  if (decodePercent(address).includes("\0")) return { code: "ref-nul", message: "A $ref cannot contain a NUL.", fix: relative };
  return undefined;
}

/** The same definition in another place: under `$defs` of a schema around the ref, or under another heading of the components. */
function elsewhere(ref: Node, root: Node, path: readonly string[]): string | undefined {
  const name = path.at(-1);
  if (root.kind !== "mapping" || name === undefined) return undefined;
  if (path[0] === "$defs" || path[0] === "definitions") {
    // Written relative to the schema that holds it.
    const around = enclosing(root, ref).reverse();
    const holder = around.find((one) => lookup(one.node, path) !== undefined);
    return holder && `#${formatPointer([...holder.path, ...path])}`;
  }
  const components = root.entries.get("components")?.node;
  if (components?.kind !== "mapping") return undefined;
  for (const [heading, { node }] of components.entries) {
    if (node.kind === "mapping" && node.entries.has(name)) return `#${formatPointer(["components", heading, name])}`;
  }
  return undefined;
}

/** The maps that a place lies in, outermost first, by offsets: nodes know no parents. */
function enclosing(root: Node, place: Place): { readonly node: Node; readonly path: readonly string[] }[] {
  const found: { readonly node: Node; readonly path: readonly string[] }[] = [];
  let next: { readonly node: Node; readonly path: readonly string[] } | undefined = { node: root, path: [] };
  while (next !== undefined) {
    found.push(next);
    const { node, path }: { readonly node: Node; readonly path: readonly string[] } = next;
    const children: readonly (readonly [string, Node])[] =
      node.kind === "mapping"
        ? [...node.entries].map(([key, entry]) => [key, entry.node] as const)
        : node.kind === "list"
          ? node.items.map((item, index) => [String(index), item] as const)
          : [];
    const inner = children.find(([, child]) => child.start <= place.start && place.start < child.end && child !== place);
    next = inner && { node: inner[1], path: [...path, inner[0]] };
  }
  return found;
}

function lookup(node: Node, path: readonly string[]): Node | undefined {
  let here: Node | undefined = node;
  for (const segment of path) here = here?.kind === "mapping" ? here.entries.get(segment)?.node : undefined;
  return here;
}

function isString(node: Node): node is RefString {
  return node.kind === "scalar" && typeof node.value === "string";
}

function nothing(file: LoadedFile): Scalar {
  return { kind: "scalar", value: null, source: file.source, start: 0, end: 0 };
}

/** Refs are URIs; what is no valid escape stands for itself. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
