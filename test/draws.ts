// What property tests draw. `npm test` draws the same each time, so that a change is judged by what it changes; `npm run test:slow` draws anew, and
// prints the seed of what it finds. SEED repeats it.
import fc from "fast-check";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    readonly seed: number;
  }
}

fc.configureGlobal({ seed: inject("seed") });
