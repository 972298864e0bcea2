// Bundles the official AsyncAPI parser into one file beside the generator, with the licences of all that is in it: so nobody who installs wsgen
// installs the parser's 170 packages and their install scripts. The repository and the packed tarball use the same file.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "codegen/dist/vendor");
const bundle = join(folder, "asyncapi-parser.mjs");
const licences = join(folder, "LICENSES.txt");

// What the bundle is made of: this script, and the versions that the lock pins.
const recipe = createHash("sha256")
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update(readFileSync(join(root, "package-lock.json")));
const { version } = JSON.parse(readFileSync(join(root, "node_modules/@asyncapi/parser/package.json"), "utf8"));
const banner = `// @asyncapi/parser ${version} and what it needs, bundled for wsgen (see LICENSES.txt). Recipe ${recipe.digest("hex").slice(0, 16)}`;

if (existsSync(licences) && existsSync(bundle) && readFileSync(bundle, "utf8").startsWith(`${banner}\n`)) process.exit(0);

const { build } = await import("esbuild");
const result = await build({
  stdin: { contents: 'export { Parser } from "@asyncapi/parser";', resolveDir: root },
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  minify: true,
  keepNames: false,
  // Without "module" first, jsonc-parser's UMD file hides its requires from the bundler.
  mainFields: ["module", "main"],
  legalComments: "none",
  banner: {
    js: `${banner}\nimport { createRequire as __createRequire } from "node:module";\nconst require = __createRequire(import.meta.url);`,
  },
  metafile: true,
  write: false,
  logLevel: "error",
  plugins: [withoutNetwork()],
});

const packages = [
  ...new Set(Object.keys(result.metafile.inputs).flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [])),
];
mkdirSync(folder, { recursive: true });
writeFileSync(
  licences,
  packages
    .sort()
    .map(licenceOf)
    .join(`\n${"-".repeat(80)}\n\n`),
);
// Last, because its first line says that all of this is up to date.
writeFileSync(bundle, result.outputFiles[0].contents);
console.log(
  `Bundled @asyncapi/parser ${version}: ${packages.length} packages, ${Math.round(result.outputFiles[0].contents.length / 1024)} kB`,
);

/** wsgen fetches nothing, so the parser's HTTP client is not even in the bundle. */
function withoutNetwork() {
  return {
    name: "without-network",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node-fetch$/ }, ({ path }) => ({ path, namespace: "absent" }));
      onLoad({ filter: /.*/, namespace: "absent" }, () => ({
        contents: 'export default function fetch() { return Promise.reject(new Error("wsgen fetches nothing from the network")); }',
      }));
    },
  };
}

function licenceOf(path) {
  const manifest = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
  const file = readdirSync(join(root, path)).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const licence = manifest.license ?? manifest.licenses?.map((one) => one.type).join(", ") ?? "see its repository";
  const home = manifest.repository?.url ?? manifest.repository ?? manifest.homepage ?? "";
  const text =
    file === undefined
      ? `(The package carries no licence file; licences of the same name stand in full with other packages here.) ${describeAuthor(manifest.author)}`
      : readFileSync(join(root, path, file), "utf8");
  return `${manifest.name} ${manifest.version}\nLicence: ${typeof licence === "string" ? licence : licence.type}\n${home}\n\n${text.trim()}\n`;
}

function describeAuthor(author) {
  return author === undefined ? "" : `Author: ${typeof author === "string" ? author : author.name}`;
}
