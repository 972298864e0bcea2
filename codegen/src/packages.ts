// Whether the packages that generated code imports are installed where it lies: said when it is written, not when it fails to compile.
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Diagnostic } from "./diagnostics.ts";

/** Hints for those packages that no `node_modules` above the folder holds. */
export async function missingPackages(folder: string, { schemas }: { readonly schemas: boolean }): Promise<readonly Diagnostic[]> {
  const hints: Diagnostic[] = [];
  if (!(await isInstalled("@wsgen/runtime", folder))) {
    hints.push({
      severity: "hint",
      code: "runtime-missing",
      message: "The generated code runs on @wsgen/runtime, which is not installed here.",
      fix: "npm install @wsgen/runtime",
    });
  }
  if (schemas && !(await isInstalled("typebox", folder))) {
    hints.push({
      severity: "hint",
      code: "typebox-missing",
      message: "schemas.ts imports typebox, which is not installed here.",
      fix: "npm install --save-dev typebox, or write `schemas: false` in wsgen.config.json to leave the file out.",
    });
  }
  return hints;
}

async function isInstalled(name: string, folder: string): Promise<boolean> {
  const found = await stat(join(folder, "node_modules", name)).catch(() => undefined);
  if (found !== undefined) return true;
  return dirname(folder) === folder ? false : isInstalled(name, dirname(folder));
}
