import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack } from "../tools/pack.mjs";

/** The two tarballs, installed in an empty folder outside the repository, as a stranger would. */
describe("the packed packages", () => {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-packed-"));
  const project = join(folder, "project");
  const app = join(project, "app");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    const tarballs = pack(folder);
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true }));
    succeed(
      "npm",
      ["install", "--no-audit", "--no-fund", tarballs.wsgen, tarballs.runtime, "typescript@7.0.2", "typebox@1.4.3", "@types/node@20"],
      project,
    );
  });

  it("are read by a compiler that knows ES2020 and checks every declaration", () => {
    const entries = ["", "/client", "/generated/server", "/generated/client", "/testing"];
    writeFileSync(
      join(project, "all.mts"),
      entries.map((entry, at) => `export type * as of${at} from "@wsgen/runtime${entry}";\n`).join(""),
    );
    succeed("npx", ["tsc", "--noEmit", "--strict", "--target", "es2020", "--module", "nodenext", "--types", "node", "all.mts"], project);
  });

  it("carry no package that runs code when it is installed", () => {
    const manifests = readdirSync(join(project, "node_modules"), { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith("package.json"),
    );
    const scripted = manifests.filter((path) => {
      const { scripts = {} } = JSON.parse(readFileSync(join(project, "node_modules", path), "utf8")) as {
        scripts?: Record<string, string>;
      };
      // A package.json below dist/ or test/ is not a package that npm installs.
      return (
        /(^|node_modules\/)(@[^/]+\/)?[^/]+\/package\.json$/.test(path) &&
        ["preinstall", "install", "postinstall"].some((name) => name in scripts)
      );
    });
    expect(scripted).toEqual([]);
  });

  it("scaffold a project whose test passes and whose dist/ runs alone", () => {
    succeed("npx", ["wsgen", "init", "app"], project);
    succeed("npx", ["wsgen", "generate", "--check", ...document()], app);
    expect(succeed("npm", ["test"], app)).toContain("# pass 1");

    // dist/ alone: nothing of the sources is left.
    for (const entry of readdirSync(app)) {
      if (!["dist", "package.json"].includes(entry)) rmSync(join(app, entry), { recursive: true });
    }
    const { stdout } = spawnSync(
      "sh",
      [
        "-c",
        "node dist/server.js & server=$!; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3; kill -0 $server || exit 1; done; kill -TERM $server; wait $server; echo stopped with $?",
      ],
      { cwd: app, encoding: "utf8", env: { ...process.env, PORT: "0" } },
    );
    expect(stdout).toMatch(/stopped with (0|143)/);
  });

  function document(): string[] {
    const name = readdirSync(app).find((file) => file.endsWith(".yaml"));
    const { scripts } = JSON.parse(readFileSync(join(app, "package.json"), "utf8")) as { scripts: { generate: string } };
    return name === undefined ? [] : scripts.generate.split(" ").slice(2);
  }
});

function succeed(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  expect(status, `${command} ${args.join(" ")}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}
