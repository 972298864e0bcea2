// Builds both packages: TypeScript to dist/, and the official parser into one file beside the generator.
import { spawnSync } from "node:child_process";

for (const script of [["node_modules/typescript/bin/tsc", "-b"], ["tools/bundle-parser.mjs"]]) {
  const { status } = spawnSync(process.execPath, script, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
