// Remembers what the official parser said about a document, in node_modules/.cache/wsgen: one file per document.
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../version.ts";
import { makeFolders } from "../write.ts";
import type { Document } from "./document.ts";
import type { CheckReport } from "./official.ts";

export interface CheckCache {
  read(): CheckReport | undefined;
  /** That it cannot be written is no error: the next run checks again. */
  write(report: CheckReport): Promise<void>;
}

/**
 * @param parser URL of the bundled parser
 * @param folder where to keep it; default: the nearest `node_modules` of the document's folder or of the working directory
 */
export function openCache(document: Document, parser: string, strict: boolean, folder: string | undefined): CheckCache {
  const place = placeFor(document.file, folder);
  if (place === undefined) return { read: () => undefined, write: async () => {} };
  const file = fileIn(place, document.file, strict);
  const home = dirname(document.file);
  const contents = [...document.sources].map(([path, text]) => [relative(home, path), text]).sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  const key = hash([version, firstLine(parser), ...contents.flat()]);
  return {
    read() {
      try {
        const saved: unknown = JSON.parse(readFileSync(file, "utf8"));
        return isSaved(saved) && saved.key === key ? saved.report : undefined;
      } catch {
        // Not there, or not ours: check again.
        return undefined;
      }
    },
    async write(report) {
      try {
        await makeFolders(place);
        const draft = `${file}.${process.pid}`;
        writeFileSync(draft, JSON.stringify({ key, report }));
        renameSync(draft, file);
      } catch {
        // A read-only folder: every run checks anew.
      }
    },
  };
}

/** Whether a document was written since it was last checked, or never was. A guess, made before it is read: only `read` knows. */
export function seemsUnchecked(path: string, strict: boolean): boolean {
  try {
    const written = statSync(path).mtimeMs;
    const document = realpathSync(path);
    const place = placeFor(document, undefined);
    const remembered = place === undefined ? undefined : statSync(fileIn(place, document, strict), { throwIfNoEntry: false });
    return remembered === undefined || remembered.mtimeMs < written;
  } catch {
    // Without a document there is nothing to check.
    return false;
  }
}

const placeFor = (document: string, folder: string | undefined): string | undefined =>
  folder ?? nearestCache(dirname(document)) ?? nearestCache(process.cwd());

const fileIn = (place: string, document: string, strict: boolean): string =>
  join(place, `check-${hash([document, String(strict)]).slice(0, 16)}.json`);

/** Where wsgen may keep what it remembers for files of a folder: in the nearest `node_modules`; nowhere when there is none. */
export function nearestCache(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    const modules = join(here, "node_modules");
    if (existsSync(modules)) return join(modules, ".cache", "wsgen");
    if (dirname(here) === here) return undefined;
  }
}

/** Lengths are part of it, so that no text can pose as the end of another. */
function hash(parts: readonly string[]): string {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest("hex");
}

/** The bundle says in its first line which parser it is; to read all of it would cost more than the rest of a cached check. */
function firstLine(url: string): string {
  const buffer = Buffer.alloc(256);
  try {
    const handle = openSync(fileURLToPath(url), "r");
    try {
      readSync(handle, buffer, 0, buffer.length, 0);
    } finally {
      closeSync(handle);
    }
  } catch {
    // Without a bundle nothing is saved under this key either.
    return "";
  }
  return buffer.toString("utf8").split("\n", 1)[0] ?? "";
}

function isSaved(value: unknown): value is { readonly key: string; readonly report: CheckReport } {
  if (typeof value !== "object" || value === null || !("key" in value) || !("report" in value)) return false;
  return (
    Array.isArray(value.report) &&
    value.report.every(
      (one) =>
        typeof one === "object" &&
        typeof one.code === "string" &&
        typeof one.message === "string" &&
        Array.isArray(one.path) &&
        typeof one.isError === "boolean",
    )
  );
}
