// The code of a documentation page, as files: what readers copy is what the tests compile and run.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = new URL("..", import.meta.url).pathname;
const sources = join(root, "runtime/src");

/** The snippets of one page. */
export interface Snippets {
  /** Where they lie. */
  readonly folder: string;
  readonly names: readonly string[];
  /** Runs a snippet, as importing a module does, and gives what it exports. */
  run<Exports>(name: string): Promise<Exports>;
  /** What the strictest compiler says about them; "" when it is content. */
  typeCheck(): string;
  remove(): void;
}

/**
 * Writes every block that is marked with a file name (` ```ts file=echo.ts `) into a folder of this repository, where the packages they import are
 * found; with `chat`, the generated chat lies beside them. Blocks of TypeScript without a name are an error: nobody would test them.
 */
export function extractSnippets(page: string, { chat = false } = {}): Snippets {
  const markdown = readFileSync(join(root, page), "utf8");
  const folder = join(root, "test/.output", page.replaceAll(/\W/g, "-"));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(root, "generated"), join(folder, "generated"), "dir"); // What our own documents generate, as a reader's own would lie there.
  if (chat) cpSync(join(root, "generated/chat"), join(folder, "chat"), { recursive: true });
  const names: string[] = [];
  for (const [, language = "", name, code = ""] of markdown.matchAll(/^```(\w+)(?: file=(\S+))?\n(.*?)^```$/gms)) {
    if (name === undefined) {
      if (language === "ts" || language === "tsx")
        throw new Error(`${page} has a block of TypeScript without a file name: ${code.slice(0, 80)}`);
      continue;
    }
    names.push(name);
    writeFileSync(join(folder, name), code);
  }
  return {
    folder,
    names,
    run: (name) => import(/* @vite-ignore */ pathToFileURL(join(folder, name)).href),
    typeCheck: () => typeCheck(folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What the strictest compiler says about the TypeScript of a folder below test/.output; "" when it is content. */
export function typeCheck(folder: string): string {
  const config = {
    extends: join(root, "test/tsconfig.json"),
    compilerOptions: {
      jsx: "react-jsx",
      paths: {
        "@wsgen/runtime": [join(sources, "index.ts")],
        "@wsgen/runtime/generated/server": [join(sources, "contract/generated/server.ts")],
        "@wsgen/runtime/client": [join(sources, "client/index.ts")],
        "@wsgen/runtime/generated/client": [join(sources, "contract/generated/client.ts")],
        "@wsgen/runtime/testing": [join(sources, "testing/index.ts")],
      },
    },
    include: ["*.ts", "*.tsx"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  try {
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8", stdio: "pipe" });
    return "";
  } catch (error) {
    return String((error as { readonly stdout?: unknown }).stdout);
  }
}
