// Reading files: only regular ones, only below one root, only so large and so many.
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { type Diagnostic, nearest } from "../diagnostics.ts";
import { type Node, readText } from "./read.ts";
import { createSource, type Source } from "./source.ts";

/** 10 MiB a file, 50 MiB and 1,000 files in all: far beyond real documents (the largest known has 410 kB), and no threat to memory. */
const limits = Object.freeze({ file: 10 * 2 ** 20, total: 50 * 2 ** 20, files: 1000 });

/** One file that was read, once. */
export interface LoadedFile {
  /** Absolute, symbolic links resolved. */
  readonly path: string;
  readonly source: Source;
  /** Absent when it is not YAML. */
  readonly root: Node | undefined;
}

/** Why a file was not read; the caller adds the place that refers to it. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

export interface Files {
  /** The document itself, as it was asked for. */
  readonly main: LoadedFile | Refusal;
  /** Every file read, by real path. */
  readonly all: ReadonlyMap<string, LoadedFile>;
  /** What is wrong inside the files that were read. */
  readonly diagnostics: readonly Diagnostic[];
  /** Reads the file that a relative path (no URL, not escaped) in another file means. */
  open(path: string, from: LoadedFile): LoadedFile | Refusal;
}

/**
 * @param document path of the document, relative to the working directory or absolute
 * @param root folder that referenced files must lie in; default: the working directory when the document lies in it, else the document's folder
 */
export function createFiles(document: string, root: string | undefined): Files {
  const all = new Map<string, LoadedFile>();
  const diagnostics: Diagnostic[] = [];
  let total = 0;

  /** @param path real, so that two ways to one file are one file */
  const read = (path: string, shown: string): LoadedFile | Refusal => {
    const known = all.get(path);
    if (known) return known;
    const stats = statSync(path);
    if (stats.isDirectory()) {
      return { code: "not-a-file", message: `${shown} is a folder.`, fix: "Name the YAML or JSON file in it." };
    }
    if (!stats.isFile()) return { code: "not-a-file", message: `${shown} is not a regular file.`, fix: "Save it as a YAML or JSON file." };
    if (stats.size > limits.file) {
      const fix = "Split the document, or leave generated examples out of it.";
      return { code: "file-too-large", message: `${shown} has ${megabytes(stats.size)}; at most ${megabytes(limits.file)} are read.`, fix };
    }
    if (total + stats.size > limits.total || all.size >= limits.files) {
      const most = `${limits.files} files and ${megabytes(limits.total)}`;
      return { code: "too-many-files", message: `${shown} is not read: a document may consist of ${most}.`, fix: "Split the document." };
    }
    total += stats.size;
    const bytes = readFileSync(path);
    const { text, problem } = decode(bytes);
    const source = createSource(path, text);
    if (problem !== undefined) {
      const position = source.position(text.length);
      diagnostics.push({ severity: "error", code: "bad-encoding", message: problem, fix: "Save the file as UTF-8.", position });
    }
    const reading = problem === undefined ? readText(source) : { root: undefined, diagnostics: [] };
    // What is no YAML by its own name (a `.md`, a `.proto`) needs no explanation of its syntax: the ref to it is what is wrong.
    if (reading.root || all.size === 0 || /\.(ya?ml|json|avsc)$/i.test(path)) diagnostics.push(...reading.diagnostics);
    const file: LoadedFile = { path, source, root: reading.root };
    all.set(path, file);
    return file;
  };

  const near = relative(process.cwd(), resolve(document));
  const typed = near !== "" && near.length < document.length ? near.split(sep).join("/") : document;
  const found = guard(typed, () => read(realpathSync(document), typed));
  const meant = "code" in found && found.code === "file-not-found" ? nearestFile(typed, { path: resolve("wsgen.config.json") }) : undefined;
  const main = meant === undefined || "path" in found ? found : { ...found, fix: `Did you mean ${meant}?` };
  const folder = "path" in main ? dirname(main.path) : dirname(resolve(document));
  let top: string;
  if (root !== undefined) top = guardPath(root);
  else top = isBelow(folder, realpathSync(process.cwd())) ? realpathSync(process.cwd()) : folder;

  return {
    main,
    all,
    diagnostics,
    open(path, from) {
      const outside: Refusal = {
        code: "ref-outside-root",
        message: `"${path}" lies outside of ${top}, where referenced files must be.`,
        fix: "Move the file, or allow a folder above both with --root <folder>.",
      };
      const target = resolve(dirname(from.path), path);
      // Before the disk is asked: a document must not learn which files exist elsewhere.
      if (!isBelow(target, top)) return outside;
      return guard(path, () => {
        const real = realpathSync(target);
        return isBelow(real, top) ? read(real, path) : outside;
      });
    },
  };
}

/** Runs what touches the disk; its refusals become values. */
function guard(shown: string, action: () => LoadedFile | Refusal): LoadedFile | Refusal {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return { code: "file-not-found", message: `There is no file ${shown}.`, fix: "Check the path." };
    }
    if (code === undefined) throw error;
    return { code: "file-unreadable", message: `${shown} cannot be read (${code}).`, fix: "Check the path and its permissions." };
  }
}

/** The name of a neighbour that was probably meant by a path that does not exist. */
export function nearestFile(path: string, from: Pick<LoadedFile, "path">): string | undefined {
  const target = resolve(dirname(from.path), path);
  try {
    // By what stands before the ending: `.yaml` is no likeness.
    const stem = (file: string): string => file.slice(0, file.length - extname(file).length);
    const wanted = basename(target);
    const names = readdirSync(dirname(target));
    const meant = nearest(stem(wanted), names.map(stem));
    const name =
      names.find((other) => stem(other) === stem(wanted) && /\.(ya?ml|json)$/i.test(other)) ?? names.find((other) => stem(other) === meant);
    return name === undefined || name === wanted ? undefined : path.slice(0, path.length - basename(path).length) + name;
  } catch {
    // The folder does not exist either: there is nothing to suggest.
    return undefined;
  }
}

/** Path of a file as seen from the document's folder, with posix slashes. */
export function relativePath(file: LoadedFile, document: LoadedFile): string {
  return relative(dirname(document.path), file.path).split(sep).join("/");
}

function guardPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    // A root that does not exist holds nothing; each reference then says so.
    return resolve(folder);
  }
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(join("..", sep)) && !isAbsolute(way));
}

/** UTF-8 with or without a byte order mark; otherwise the text up to the first bad byte, and what is wrong. */
function decode(bytes: Buffer): { readonly text: string; readonly problem?: string } {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { text: "", problem: "This file is UTF-16." };
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    // U+FFFD marks the first bad byte; one that the file itself spells is three valid bytes and comes later or earlier alike.
    const text = new TextDecoder("utf-8").decode(bytes);
    let valid = 0;
    for (let at = text.indexOf("\ufffd"); at >= 0; at = text.indexOf("\ufffd", at + 1)) {
      valid = at;
      if (
        bytes
          .subarray(Buffer.byteLength(text.slice(0, at)))
          .subarray(0, 3)
          .toString("hex") !== "efbfbd"
      )
        break;
    }
    return { text: text.slice(0, valid), problem: "This byte is not UTF-8." };
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
