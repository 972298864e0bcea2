import { expect, it } from "vitest";
import { run } from "./hostile.mjs";

it("gets no hostile document to run anything, to read or write elsewhere, to hang, or to print what is not in the model", async () => {
  const { failures, passed, total } = await run();
  console.log(`hostile: ${passed}/${total}`);
  expect(failures).toEqual([]);
  expect(total).toBe(55);
}, 900_000);
