// Remembers what the official parser said about a document: one file per document.
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { nameOf, nearestCache, openCacheEntry } from "../cache.ts";
import { version } from "../version.ts";
import type { Document } from "./document.ts";
import type { CheckReport } from "./official.ts";

export interface CheckCache {
  read(): CheckReport | undefined;
  /** That it cannot be written is no error: the next run checks again. */
  write(report: CheckReport): void;
}

/**
 * @param parser URL of the bundled parser
 * @param folder where to keep it; default: the nearest `node_modules` of the document's folder or of the working directory
 */
export function openCache(document: Document, parser: string, strict: boolean, folder: string | undefined): CheckCache {
  const home = dirname(document.file);
  const contents = [...document.sources].map(([path, text]) => [relative(home, path), text]).sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  const entry = openCacheEntry(fileOf(document.file, strict, folder), [version, firstLine(parser), ...contents.flat()]);
  // Under this key nobody else writes.
  return { read: () => entry.read() as CheckReport | undefined, write: (report) => entry.write(report) };
}

/** Whether a document was written since it was last checked, or never was. A guess, made before it is read: only `read` knows. */
export function seemsUnchecked(path: string, strict: boolean): boolean {
  try {
    const written = statSync(path).mtimeMs;
    const file = fileOf(realpathSync(path), strict, undefined);
    const remembered = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
    return remembered === undefined || remembered.mtimeMs < written;
  } catch {
    // Without a document there is nothing to check.
    return false;
  }
}

function fileOf(document: string, strict: boolean, folder: string | undefined): string | undefined {
  const place = folder ?? nearestCache(dirname(document)) ?? nearestCache(process.cwd());
  return place && join(place, `check-${nameOf(document, String(strict))}`);
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
