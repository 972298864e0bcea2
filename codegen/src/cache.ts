// What wsgen remembers between runs, in node_modules/.cache/wsgen. Nothing depends on it but time: what is not there, is not whole or belongs to
// another input is worked out anew, and where nothing can be kept, every run does that.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One remembered value, in a file of its own. */
export interface CacheEntry {
  /** What was written for the same key; `undefined` when there is nothing. The caller knows its shape, since the key says who wrote it. */
  read(): unknown;
  /** @param value anything that JSON can hold */
  write(value: unknown): void;
}

/** Where wsgen may keep what it remembers for files of a folder: in the nearest `node_modules`; nowhere when there is none. */
export function nearestCache(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    const modules = join(here, "node_modules");
    if (existsSync(modules)) return join(modules, ".cache", "wsgen");
    if (dirname(here) === here) return undefined;
  }
}

/**
 * @param file where it is kept; nowhere when absent
 * @param key everything that the value depends on: text, options, versions of the programs that made it
 */
export function openCacheEntry(file: string | undefined, key: readonly string[]): CacheEntry {
  if (file === undefined) return { read: () => undefined, write: () => {} };
  // The first line seals the rest: it holds for one key and for every byte.
  const seal = (text: string): string => hash([...key, text]);
  return {
    read() {
      try {
        const saved = readFileSync(file, "utf8");
        const end = saved.indexOf("\n");
        const text = saved.slice(end + 1);
        return end >= 0 && saved.slice(0, end) === seal(text) ? JSON.parse(text) : undefined;
      } catch {
        // Not there, or not ours.
        return undefined;
      }
    },
    write(value) {
      const draft = `${file}.${process.pid}`;
      const text = JSON.stringify(value);
      try {
        // One by one: below /proc, where a link may lead, the recursive mkdir of Node never comes back.
        for (const folder of [dirname(dirname(file)), dirname(file)]) if (!existsSync(folder)) mkdirSync(folder);
        writeFileSync(draft, `${seal(text)}\n${text}`);
        renameSync(draft, file);
      } catch {
        // A read-only folder, a full disk.
      }
    },
  };
}

/** Names a file after anything. */
export const nameOf = (...parts: readonly string[]): string => hash(parts).slice(0, 16);

/** Lengths are part of it, so that no text can pose as the end of another. */
function hash(parts: readonly string[]): string {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest("hex");
}
