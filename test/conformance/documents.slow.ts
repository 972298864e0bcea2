import { expect, it } from "vitest";
import { run as runDocuments } from "./documents.mjs";
import { run as runKit } from "./tck.mjs";

it.each([
  [
    "makes code that compiles of every public WebSocket document, with the structure its model says, and refuses none without a place",
    runDocuments,
  ],
  ["refuses no valid document of the Technology Compatibility Kit, and accepts no more invalid ones than before", runKit],
] as const)("%s", async (_, run) => {
  const { failures, passed, total, skipped } = await run();
  console.log(skipped ?? `${passed}/${total}`);
  expect(failures).toEqual([]);
});
