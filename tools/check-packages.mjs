// publint and are-the-types-wrong on the packed tarballs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "./pack.mjs";

const folder = mkdtempSync(join(tmpdir(), "wsgen-pack-"));
let failed = false;
try {
  for (const tarball of Object.values(pack(folder))) {
    for (const args of [
      ["publint", "run", tarball, "--strict"],
      ["attw", tarball, "--profile", "esm-only", "--no-emoji"],
    ]) {
      const { status } = spawnSync("npx", args, { stdio: "inherit" });
      failed ||= status !== 0;
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(failed ? 1 : 0);
