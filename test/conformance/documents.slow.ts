import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

// In a process of their own, on what is built: here the runtime would be there twice, once from its sources.
it.each([
  ["makes code that compiles of every public WebSocket document, tells its messages apart, and refuses none without a place", "documents"],
  ["refuses no valid document of the Technology Compatibility Kit, and accepts no more invalid ones than before", "tck"],
])("%s", (_, suite) => {
  const script = `import { run } from "./test/conformance/${suite}.mjs"; console.log("\\n" + JSON.stringify(await run())); process.exit(0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", maxBuffer: 1 << 28 });
  const { failures, passed, total, skipped } = JSON.parse(stdout.trim().split("\n").at(-1) || `{"failures":[${JSON.stringify(stderr)}]}`);
  console.log(skipped ?? `${suite}: ${passed}/${total}`);
  expect(failures).toEqual([]);
});
