import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pack } from "../tools/pack.mjs";

interface Block {
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a Markdown file, in order: the language and the words behind it say what to do with each. */
function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: markdown.slice(0, match.index).split("\n").length,
    language: match[1] ?? "",
    words: (match[2] ?? "").trim().split(" "),
    text: match[3] ?? "",
  }));
}

describe("docs/tutorial.md", () => {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-tutorial-"));
  let place = folder;
  let output = "";
  let server: ChildProcess | undefined;

  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const tarballs = pack(folder);

  for (const block of blocks(readFileSync(new URL("../docs/tutorial.md", import.meta.url), "utf8"))) {
    const file = block.words.find((word) => word.startsWith("file="))?.slice("file=".length);
    if (file !== undefined) {
      it(`line ${block.line}: writes ${file}`, () => {
        mkdirSync(dirname(join(place, file)), { recursive: true });
        writeFileSync(join(place, file), block.text);
      });
    } else if (block.language === "sh" && block.words.includes("background")) {
      it(`line ${block.line}: ${block.text.trim()} keeps running`, async () => {
        server = spawn("sh", ["-c", `exec ${block.text}`], { cwd: place });
        await new Promise<void>((resolve, reject) => {
          let said = "";
          const hear = (chunk: Buffer): void => {
            said += chunk.toString();
            if (said.includes("listening")) resolve();
          };
          server?.stdout?.on("data", hear);
          server?.stderr?.on("data", hear);
          server?.on("exit", (code) => reject(new Error(`exited with ${code}: ${said}`)));
        });
      });
    } else if (block.language === "sh") {
      it(`line ${block.line}: ${block.text.trim().split("\n").join("; ")}${block.words.includes("fails") ? " fails" : ""}`, async () => {
        if (block.words.includes("stop")) await stop();
        output = "";
        for (const line of block.text.trim().split("\n")) {
          const status = run(line);
          if (!block.words.includes("fails")) expect(status, output).toBe(0);
          else expect(status, output).not.toBe(0);
        }
      });
    } else if (block.language === "text") {
      it(`line ${block.line}: says ${block.text.trim().split("\n").join(" … ")}`, () => {
        for (const line of block.text.trim().split("\n")) expect(output).toContain(line);
      });
    }
  }

  /** Runs one line in the reader's shell; `cd` moves the reader. The packages come from the tarballs. */
  function run(line: string): number | null {
    if (line.startsWith("cd ")) {
      place = join(place, line.slice("cd ".length));
      return 0;
    }
    const command = line.startsWith("npm install")
      ? line
          .replace("@wsgen/runtime", tarballs.runtime)
          .replace(/\bwsgen\b(?!-)/, (word, at: number) => (line[at - 1] === " " ? tarballs.wsgen : word))
      : line;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
      cwd: place,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    output += stdout + stderr;
    return status;
  }

  async function stop(): Promise<void> {
    if (server === undefined || server.exitCode !== null) return;
    const exited = new Promise((resolve) => server?.once("exit", resolve));
    server.kill("SIGTERM");
    await exited;
    server = undefined;
  }
});
