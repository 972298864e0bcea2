// What property tests draw: the same each time, so that a change is judged by what it changes. SEED draws other values (`SEED=$RANDOM npm run test:slow`).
import fc from "fast-check";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    readonly seed: number;
  }
}

fc.configureGlobal({ seed: inject("seed") });
