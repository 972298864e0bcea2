import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("..", import.meta.url).pathname;

/** The house, from the top floor down: a file may import from its own floor and from those below. */
const houses = {
  "codegen/src": [
    ["cli.ts"],
    ["index.ts", "watch.ts"],
    ["init.ts"],
    ["generate.ts"],
    ["config.ts", "guard-cache.ts", "handler-files.ts", "package-file.ts", "packages.ts", "summary.ts"],
    ["emit/"],
    ["model/"],
    ["document/"],
    ["write.ts", "options-schema.ts"],
    ["options.ts"],
    ["grammar.ts"],
    ["diagnostics.ts", "json-slip.ts", "letters.ts", "version.ts", "cache.ts"],
  ],
  "runtime/src": [
    ["index.ts", "testing/"],
    ["contract/generated/"],
    ["client/"],
    ["contract/authentication.ts", "contract/register.ts"],
    ["upgrade/"],
    ["contract/"],
    ["connection/"],
    ["errors.ts"],
  ],
} as const;

for (const [house, floors] of Object.entries(houses)) {
  const files = sourceFiles(join(root, house)).map((file) => relative(join(root, house), file));

  describe(house, () => {
    it("has a floor for every file", () => {
      expect(files.filter((file) => floorOf(floors, file) === undefined)).toEqual([]);
    });

    it("imports nothing from a floor above", () => {
      const upward = files.flatMap((file) =>
        imports(join(root, house, file), { types: true })
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => join(dirname(file), specifier))
          .filter((target) => floorOf(floors, target)! < floorOf(floors, file)!)
          .map((target) => `${file} imports ${target}`),
      );
      expect(upward).toEqual([]);
    });
  });
}

describe("runtime/src", () => {
  const files = sourceFiles(join(root, "runtime/src"));

  it("depends on ws and Node alone", () => {
    const outside = new Set(
      files.flatMap((file) => imports(file)).filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:")),
    );
    expect([...outside]).toEqual(["ws"]);
    const manifest = JSON.parse(readFileSync(join(root, "runtime/package.json"), "utf8")) as { dependencies: object };
    expect(Object.keys(manifest.dependencies)).toEqual(["ws"]);
  });

  for (const entry of ["client/index.ts", "contract/generated/client.ts"]) {
    it(`reaches no ws, no node: module and no server file from ${entry}`, () => {
      const reached = reach(join(root, "runtime/src", entry));
      expect(reached.filter((module) => module === "ws" || module.startsWith("node:"))).toEqual([]);
      expect(reached.filter((module) => /\/(upgrade|testing)\/|\/contract\/(register|rooms)\.ts$/.test(module))).toEqual([]);
    });
  }
});

describe("generated/", () => {
  it("imports the two joins, typebox in schemas.ts, and itself", () => {
    const foreign = sourceFiles(join(root, "generated")).flatMap((file) =>
      imports(file, { types: true })
        .filter((specifier) => !specifier.startsWith("./") && !/^@wsgen\/runtime\/generated\/(server|client)$/.test(specifier))
        .filter((specifier) => !(specifier === "typebox" && file.endsWith("/schemas.ts")))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });
});

function floorOf(floors: readonly (readonly string[])[], file: string): number | undefined {
  // The longest matching prefix wins, so that a folder's exception can have a floor of its own.
  const matches = floors.flatMap((names, floor) =>
    names.filter((name) => (name.endsWith("/") ? file.startsWith(name) : file === name)).map((name) => ({ floor, length: name.length })),
  );
  return matches.sort((a, b) => b.length - a.length)[0]?.floor;
}

/** Every module reached at run time from one file, by absolute path or package name. */
function reach(entry: string): string[] {
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    if (!file.startsWith("/")) continue;
    for (const specifier of imports(file)) queue.push(specifier.startsWith(".") ? join(dirname(file), specifier) : specifier);
  }
  return [...seen];
}

/** Module names a file imports; those of types alone only on request, since they are gone at run time. */
function imports(file: string, options: { readonly types: boolean } = { types: false }): string[] {
  const text = readFileSync(file, "utf8");
  const statements = text.matchAll(/^(?:import|export)\s(?<clause>[^;"]*?from\s*)?"(?<name>[^"]+)"/gm);
  const dynamic = text.matchAll(/(?<!typeof )\bimport\("(?<name>[^"]+)"\)/g);
  const running = [...dynamic].filter(({ index }) => options.types || /await $|=> $/.test(text.slice(index - 6, index)));
  return [...[...statements].filter(({ groups }) => options.types || !groups?.["clause"]?.startsWith("type ")), ...running].map(
    ({ groups }) => groups?.["name"] ?? "",
  );
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}
