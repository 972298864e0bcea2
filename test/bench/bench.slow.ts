import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value?: number;
  readonly peer?: string;
  readonly ratio?: number;
  readonly target?: number;
  readonly met: boolean | null;
  readonly failed?: string;
}

/** Runs the benchmark with the peers that are installed, the repository's own `ws` at least. */
function bench(...args: string[]): { readonly output: string; readonly figures: readonly Figure[] } {
  const results = join(mkdtempSync(join(tmpdir(), "wsgen-bench-")), "results.json");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["test/bench/bench.mjs", ...args, "--no-install", "--out", results], {
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return { output: stdout, figures: JSON.parse(readFileSync(results, "utf8")) };
}

test("the benchmark measures an echo in rounds, beside ws, and leaves out who is not installed", () => {
  const { output, figures } = bench("echo", "--quick", "--only", "154 B, 1 in flight", "--subjects", "ws-json,wsgen,socket.io,uws-ajv");
  expect(output).toMatch(/of \d+ targets met/);
  for (const figure of figures) {
    expect(figure).toMatchObject({ name: expect.stringMatching(/^echo 154 B, 1 in flight/), unit: "µs CPU/message" });
    if (figure.failed === undefined) expect(figure.value).toBeGreaterThan(0);
  }
  const beside = figures.find(({ name, peer }) => name === "echo 154 B, 1 in flight: wsgen" && peer === "ws + JSON");
  expect(beside).toMatchObject({ ratio: expect.any(Number), target: 0.85, met: expect.any(Boolean) });
  expect(beside?.met).toBe((beside?.ratio ?? Number.NaN) <= 0.85);
});

test("a room and a loop without end are measured to their end", () => {
  const { figures } = bench("room", "pong", "--quick", "--rounds", "1", "--subjects", "wsgen");
  expect(figures.filter(({ failed }) => failed !== undefined)).toEqual([]);
  expect(figures.map(({ name }) => name)).toContain("room of 50 who all talk: wsgen");
});

test("an unknown scenario is refused with the list of those there are", () => {
  const { status, stderr } = spawnSync(process.execPath, ["test/bench/bench.mjs", "ecko"], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("unknown: ecko");
  expect(stderr).toContain("SCENARIO    echo");
});
