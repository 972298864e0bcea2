import { expect, it } from "vitest";
import { run } from "./handshake.mjs";

it("answers every request of the handshake corpus as docs/wire.md says, whole and byte by byte", async () => {
  const { failures, passed, total } = await run();
  console.log(`handshake: ${passed}/${total}`);
  expect(failures).toEqual([]);
});
