import { defineConfig } from "vitest/config";
import quick from "./vitest.config.ts";

// What takes longer than a developer wants to wait each time: packed tarballs, the tutorial, a real browser.
export default defineConfig({
  ...quick,
  test: {
    ...quick.test,
    include: ["test/**/*.slow.ts"],
    provide: { seed: Number(process.env["SEED"] ?? 5) },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
