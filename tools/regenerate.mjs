// Generates the code of every document in specs/ into generated/, and the published schemas of our options into codegen/schema/; or with --check
// says what is stale.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { publishedSchemas } from "../codegen/dist/options-schema.js";

mkdirSync("codegen/schema", { recursive: true });
for (const [name, schema] of Object.entries(publishedSchemas)) {
  const file = `codegen/schema/${name}`;
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`stale: ${file}`);
    process.exitCode = 1;
  }
}

for (const file of readdirSync("specs").filter((name) => name.endsWith(".yaml"))) {
  const args = [
    "codegen/bin/wsgen.js",
    "generate",
    `specs/${file}`,
    "--out",
    `generated/${basename(file, ".yaml")}`,
    ...process.argv.slice(2),
  ];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
