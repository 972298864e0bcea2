// The user's handlers folder: which files to write there, and what to say about those that are there already.
import { lstat, readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { type CacheEntry, nameOf, nearestCache, openCacheEntry } from "./cache.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { mergeHandlers, printHandlers } from "./emit/handlers.ts";
import type { Endpoint } from "./model/model.ts";
import { version } from "./version.ts";
import { diskError, shown, type UserFile, WriteError } from "./write.ts";

export interface HandlerFiles {
  /** Files to write: new ones, and those that methods were added to. */
  readonly files: readonly UserFile[];
  /** Methods that were added, as `room.postMessage`; those of new files too. */
  readonly added: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Looks at the handler file of every endpoint: `<folder>/<endpoint>.ts`. Writes nothing there. */
export async function planHandlers(endpoints: readonly Endpoint[], folder: string, out: string): Promise<HandlerFiles> {
  const files: UserFile[] = [];
  const added: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const endpoint of endpoints) {
    const path = join(folder, `${endpoint.name}.ts`);
    const names = endpoint.clientToServer.deliveries.map(({ name }) => name);
    const before = await read(path);
    if (before === undefined) {
      files.push({ path, before, text: printHandlers(endpoint, serverModule(folder, out)) });
      // Where nothing comes in there is the connection itself to handle.
      added.push(...(names.length === 0 ? ["open"] : names).map((name) => `${endpoint.name}.${name}`));
      continue;
    }
    const known = lookedAt(path, before, endpoint);
    if (names.every((name) => name.split(".").every((word) => mentions(before, word))) && known.read() === true) continue;
    const merged = await mergeHandlers({ path, text: before }, endpoint);
    diagnostics.push(...merged.diagnostics);
    added.push(...merged.added.map((name) => `${endpoint.name}.${name}`));
    if (merged.text !== before) files.push({ path, before, text: merged.text });
    else if (merged.diagnostics.length === 0) known.write(true);
  }
  return { files, added, diagnostics };
}

/** How a handler file imports server.ts, in the way that TypeScript and Node both understand after compiling. */
function serverModule(folder: string, out: string): string {
  const path = relative(folder, join(out, "server.js")).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}

/** A cheap look: a file that does not even hold the word cannot have the method. */
function mentions(text: string, name: string): boolean {
  const escaped = name.replace(/[$\\^.*+?()[\]{}|]/g, "\\$&");
  return new RegExp(`(?<![\\p{ID_Continue}$])${escaped}(?![\\p{ID_Continue}$])`, "u").test(text);
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw diskError(error, path, "--handlers");
  }
  const link = await lstat(path).catch(() => undefined);
  if (link === undefined) return undefined;
  throw new WriteError("link", `${shown(path)} is a symbolic link to a file that does not exist.`, "Make that file, or remove the link.");
}

/**
 * Remembers in `node_modules/.cache/wsgen` that a closer look at a file, with a parser that takes 200 ms to load, found nothing to say about these
 * methods. It is a memory only: where it cannot be kept, the file is looked at again.
 */
function lookedAt(path: string, text: string, { name, typeName, clientToServer }: Endpoint): CacheEntry {
  const folder = nearestCache(dirname(path));
  const methods = clientToServer.deliveries.map((delivery) => delivery.name);
  return openCacheEntry(folder && join(folder, `handlers-${nameOf(path)}`), [
    version,
    name,
    typeName,
    String(methods.length),
    ...methods,
    text,
  ]);
}
