// Generates the code of every document in specs/ into generated/, or with --check says what is stale.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename } from "node:path";

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
