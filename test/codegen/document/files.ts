// Small documents in a temporary folder, for the tests of this folder.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Diagnostic } from "../../../codegen/src/diagnostics.ts";
import { type LoadOptions, load } from "../../../codegen/src/document/load.ts";

/** Writes files below a new folder and returns its path; it is removed when the test ends. */
export function folderOf(files: { readonly [path: string]: string | Uint8Array }): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "wsgen-document-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Loads `api.yaml` of a folder with these files; a single text is that file. */
export async function loadFiles(files: string | Uint8Array | { readonly [path: string]: string | Uint8Array }, options: LoadOptions = {}) {
  const folder = folderOf(typeof files === "string" || files instanceof Uint8Array ? { "api.yaml": files } : files);
  return load(join(folder, "api.yaml"), options);
}

/** `3:7 error code: message | fix`, the file's name in front when it is not `api.yaml`. */
export function lines(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ position, severity, code, message, fix }) => {
    const name = position?.file.split("/").at(-1);
    const place = position === undefined ? "" : `${name === "api.yaml" ? "" : `${name}:`}${position.line}:${position.column} `;
    return `${place}${severity} ${code}: ${message}${fix === undefined ? "" : ` | ${fix}`}`;
  });
}

/** A valid 3.1 document with these lines after its head of two lines. */
export function asyncapi(rest: string): string {
  return `asyncapi: 3.1.0\ninfo: { title: Test, version: 1.0.0 }\n${rest}`;
}
