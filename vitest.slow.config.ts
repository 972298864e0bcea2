import { defineConfig } from "vitest/config";
import quick from "./vitest.config.ts";

const properties = ["test/**/*.agreement.test.ts", "test/**/*.property.test.ts", "test/**/differential.test.ts"];

// What takes longer than a developer wants to wait each time: packed tarballs, the tutorial, a real browser; and properties, of values that are drawn anew.
export default defineConfig({
  ...quick,
  test: {
    ...quick.test,
    include: ["test/**/*.slow.ts", ...properties],
    provide: { seed: Number(process.env["SEED"] ?? Date.now() % 2 ** 31) },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
