// Tells when one of some files changes, whichever way an editor writes them.
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** How long, in ms, after the last change it is told: editors write in several steps. */
const quiet = 80;

export interface Watching {
  /** Watches these files from now on, by absolute path. */
  files(paths: Iterable<string>): void;
  close(): void;
}

/** Starts to watch; `onChange` is called once for changes that come together. */
export function createWatching(onChange: () => void): Watching {
  const folders = new Map<string, FSWatcher>();
  let names = new Map<string, Set<string>>();
  let timer: NodeJS.Timeout | undefined;

  const changed = (folder: string, name: string | null): void => {
    if (name !== null && names.get(folder)?.has(name) !== true) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, quiet);
  };

  // Folders are watched and not files: many editors replace a file by another one of its name.
  const watchFolder = (folder: string): void => {
    try {
      const watcher = watch(folder, (_, name) => changed(folder, name));
      watcher.on("error", () => {
        watcher.close();
        folders.delete(folder);
      });
      folders.set(folder, watcher);
    } catch {
      // A folder that is not there (yet) cannot tell of changes; the next run looks again.
    }
  };

  return {
    files(paths) {
      names = new Map();
      for (const path of paths) {
        const folder = dirname(path);
        names.set(folder, (names.get(folder) ?? new Set()).add(basename(path)));
      }
      for (const [folder, watcher] of folders) {
        if (names.has(folder)) continue;
        watcher.close();
        folders.delete(folder);
      }
      for (const folder of names.keys()) if (!folders.has(folder)) watchFolder(folder);
    },
    close() {
      clearTimeout(timer);
      for (const watcher of folders.values()) watcher.close();
      folders.clear();
    },
  };
}
