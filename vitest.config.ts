import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const source = (path: string) => new URL(`./runtime/src/${path}`, import.meta.url).pathname;

// Tests run on the sources, so that a stack trace names the line that was written; the packed tarballs have tests of their own.
export default defineConfig({
  resolve: {
    alias: {
      "@wsgen/runtime/generated/server": source("contract/generated/server.ts"),
      "@wsgen/runtime/generated/client": source("contract/generated/client.node.ts"),
      "@wsgen/runtime/client": source("client/node.ts"),
      "@wsgen/runtime/testing": source("testing/index.ts"),
      "@wsgen/runtime": source("index.ts"),
    },
  },
  test: {
    globalSetup: "test/notices.ts",
    setupFiles: "test/draws.ts",
    provide: { seed: Number(process.env["SEED"] ?? 1) },
    include: ["test/**/*.test.ts"],
    // Generous: a busy machine is no failure, and speed is asserted in benchmarks.
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    // By default one core is left idle; on two that is half of them.
    maxWorkers: availableParallelism(),
  },
});
