// package.json of a client that is published: what wsgen knows of it is laid over what the user wrote there.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Diagnostic } from "./diagnostics.ts";
import type { Model } from "./model/model.ts";
import { version } from "./version.ts";
import { shown, type UserFile, WriteError } from "./write.ts";

export interface PackageOptions {
  /** The package's name. */
  readonly name: string;
  readonly schemas: boolean;
  readonly unchecked: boolean;
}

export interface PackageFile {
  readonly file: UserFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** What npm takes for a name, with or without a scope. */
export const isPackageName = (name: string): boolean =>
  name.length <= 214 &&
  /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name) &&
  name !== "node_modules" &&
  name !== "favicon.ico";

type Fields = { readonly [key: string]: unknown };

/**
 * Looks at the package.json of the output folder. Writes nothing there.
 *
 * @throws WriteError when it is another package's, or cannot be read
 */
export async function planPackage(model: Model, folder: string, options: PackageOptions): Promise<PackageFile> {
  const path = join(folder, "package.json");
  const before = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const there = before === undefined ? {} : parse(before, path);
  if (there["name"] !== undefined && there["name"] !== options.name) {
    throw new WriteError(
      "other-package",
      `${shown(path)} is of ${JSON.stringify(there["name"])}, not of "${options.name}".`,
      "Choose another folder with --out: a package has one of its own.",
    );
  }
  const documented = semanticVersion(model.version ?? "");
  const unversioned: Diagnostic = {
    severity: "hint",
    code: "package-version",
    message: `The document's version is ${JSON.stringify(model.version ?? "")}, of which npm's versions can have nothing; the package's is 0.0.0 until you change it.`,
    fix: "Write `version` in its package.json: it stays what you write.",
  };
  const text = `${JSON.stringify(lay(packageOf(model, options, documented ?? "0.0.0"), there), undefined, 2)}\n`;
  return { file: { path, before, text }, diagnostics: documented === undefined && there["version"] === undefined ? [unversioned] : [] };
}

/** A package as it begins. It runs no code where it is installed: `prepack` is the publisher's. */
function packageOf({ title }: Model, { name, schemas, unchecked }: PackageOptions, documented: string) {
  const entry = (file: string) => ({ types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` });
  return {
    name,
    version: documented,
    description: `A typed client of ${title}.`,
    type: "module",
    sideEffects: false,
    exports: {
      ".": entry("index"),
      ...(unchecked && { "./unchecked": entry("client.unchecked") }),
      ...(schemas && { "./schemas": entry("schemas") }),
    },
    files: ["dist"],
    engines: { node: ">=20.19" },
    scripts: { build: "tsc", prepack: "npm run build" },
    dependencies: { "@wsgen/runtime": `^${version}` },
    ...(schemas && { peerDependencies: { typebox: "^1.4.3" }, peerDependenciesMeta: { typebox: { optional: true } } }),
    devDependencies: { ...(schemas && { typebox: "^1.4.3" }), typescript: "^7.0.2" },
  };
}

/** Dependencies of theirs, and of ours those that are no range: files, workspaces, aliases. */
const kept = (there: Fields): Fields =>
  Object.fromEntries(Object.entries(there).filter(([name, wanted]) => name !== "@wsgen/runtime" || String(wanted).includes(":")));

/** What the code needs is ours; what people decide (scripts, texts, versions of tools) is theirs once it is there. */
function lay(ours: ReturnType<typeof packageOf>, there: Fields): Fields {
  const exports = Object.entries(fieldsOf(there["exports"])).filter(([entry]) => ![".", "./unchecked", "./schemas"].includes(entry));
  return {
    ...ours,
    ...there,
    version: higher(ours.version, there["version"]),
    type: ours.type,
    exports: { ...ours.exports, ...Object.fromEntries(exports) },
    scripts: { ...ours.scripts, ...fieldsOf(there["scripts"]) },
    dependencies: { ...ours.dependencies, ...kept(fieldsOf(there["dependencies"])) },
    devDependencies: { ...ours.devDependencies, ...fieldsOf(there["devDependencies"]) },
  };
}

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {});

function parse(text: string, path: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below, as for every other text that is no object.
  }
  throw new WriteError("other-package", `${shown(path)} cannot be read as JSON.`, "Mend it, or delete it: wsgen writes a new one.");
}

/** `1.2`, `v3` and `2024-01-15` as npm writes them; `undefined` of what has nothing of a version. */
export function semanticVersion(text: string): string | undefined {
  const found = /^\s*v?(\d{1,15})(?:[.-](\d{1,15}))?(?:[.-](\d{1,15}))?(-[\dA-Za-z.-]+)?(?:\+[\dA-Za-z.-]+)?\s*$/.exec(text);
  if (found === null) return undefined;
  const [, major = "0", minor = "0", patch = "0", label = ""] = found;
  return `${[major, minor, patch].map(Number).join(".")}${isLabel(label) ? label : ""}`;
}

/** The parts of a label are not empty, and numbers among them do not begin with 0. */
const isLabel = (label: string): boolean =>
  label
    .slice(1)
    .split(".")
    .every((part) => /^(0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)$/.test(part));

/** The document's version, unless the package has gone further: a client may need another release where the API does not. */
function higher(documented: string, there: unknown): string {
  if (typeof there !== "string") return documented;
  const numbers = (version: string): readonly number[] => version.split("-")[0]?.split(".").map(Number) ?? [];
  const [a, b] = [numbers(documented), numbers(there)];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0) ? documented : there;
}
