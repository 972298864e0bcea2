// Printed once before the tests: what this machine lacks, and which tests are skipped for it.
import { existsSync } from "node:fs";
import { resolve } from "node:path";

export default function notices(): void {
  const shared = resolve(process.env["WSGEN_SHARED"] ?? "../shared");
  if (!existsSync(shared)) {
    console.log(`No ${shared}: the tests that read other people's documents are skipped. WSGEN_SHARED names another place.\n`);
  }
  const chromium = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (process.argv.includes("vitest.slow.config.ts") && !existsSync(chromium)) {
    console.log(`No ${chromium}: the test of the page in a browser is skipped. CHROMIUM names another place.\n`);
  }
}
