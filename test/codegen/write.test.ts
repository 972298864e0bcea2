import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { carryOut, marker, type Output, planWrite, readManifest, type WritePlan } from "../../codegen/src/write.ts";

const text = (body: string): string => `${marker}0.0.0 from api.yaml.\n\n${body}\n`;

let root = "";
let folder = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "wsgen-write-"));
  folder = join(root, "generated");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const output = (files: Readonly<Record<string, string>>, overrides: Partial<Output> = {}): Output => ({
  folder,
  files: Object.entries(files).map(([path, body]) => ({ path, text: text(body) })),
  userFiles: [],
  manifest: { document: "../api.yaml", perspective: { side: "server", because: "default" } },
  ...overrides,
});
const write = async (files: Readonly<Record<string, string>>, overrides: Partial<Output> = {}): Promise<WritePlan> => {
  const plan = await planWrite(output(files, overrides));
  await carryOut(plan);
  return plan;
};
/** Every file below the test's folder, with its text. */
const tree = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(root, path)).isFile())
      .sort()
      .map((path) => [path, readFileSync(join(root, path), "utf8")]),
  );

describe("writing", () => {
  it("makes the folder, the files and a manifest of them", async () => {
    await write({ "types.ts": "a", "deep/er.ts": "b" });
    expect(Object.keys(tree())).toEqual(["generated/.wsgen.json", "generated/deep/er.ts", "generated/types.ts"]);
    expect(await readManifest(folder)).toMatchObject({ document: "../api.yaml", perspective: { side: "server" } });
    expect(Object.keys((await readManifest(folder))?.files ?? {})).toEqual(["deep/er.ts", "types.ts"]);
  });

  it("touches only what changed", async () => {
    await write({ "a.ts": "a", "b.ts": "b" });
    const long = new Date("2020-01-01");
    for (const name of ["a.ts", "b.ts", ".wsgen.json"]) utimesSync(join(folder, name), long, long);
    const plan = await write({ "a.ts": "a", "b.ts": "changed" });
    expect(plan.changed).toEqual([join(folder, "b.ts"), join(folder, ".wsgen.json")]);
    expect(statSync(join(folder, "a.ts")).mtime).toEqual(long);
    expect((await write({ "a.ts": "a", "b.ts": "changed" })).changed).toEqual([]);
  });

  it("takes line breaks that git turned for no change", async () => {
    await write({ "a.ts": "a" });
    writeFileSync(join(folder, "a.ts"), text("a").replaceAll("\n", "\r\n"));
    expect((await planWrite(output({ "a.ts": "a" }))).changed).toEqual([]);
  });

  it("only plans until it is carried out", async () => {
    await planWrite(output({ "a.ts": "a" }));
    expect(tree()).toEqual({});
  });
});

describe("files that nothing prints any more", () => {
  it("are removed when wsgen wrote them", async () => {
    await write({ "a.ts": "a", "b.ts": "b" });
    const plan = await write({ "a.ts": "a" });
    expect(plan.stale).toEqual([join(folder, "b.ts")]);
    expect(Object.keys(tree())).toEqual(["generated/.wsgen.json", "generated/a.ts"]);
  });

  it("stay when they are somebody else's", async () => {
    await write({ "a.ts": "a", "b.ts": "b" });
    writeFileSync(join(folder, "b.ts"), "taken over\n");
    writeFileSync(join(folder, "notes.md"), "mine\n");
    await write({ "a.ts": "a" });
    expect(tree()).toMatchObject({ "generated/b.ts": "taken over\n", "generated/notes.md": "mine\n" });
  });

  it("are never looked for outside the folder, whatever a manifest says", async () => {
    writeFileSync(join(root, "victim.ts"), text("victim"));
    mkdirSync(folder);
    const manifest = {
      version: 1,
      document: "x",
      perspective: { side: "server", because: "default" },
      files: { "../victim.ts": "0", "/etc/hosts": "0" },
    };
    writeFileSync(join(folder, ".wsgen.json"), JSON.stringify(manifest));
    expect((await write({ "a.ts": "a" })).stale).toEqual([]);
    expect(existsSync(join(root, "victim.ts"))).toBe(true);
  });
});

describe("files in the way", () => {
  const refused = async (files: Readonly<Record<string, string>>, message: RegExp): Promise<void> => {
    const before = tree();
    await expect(planWrite(output(files))).rejects.toThrow(message);
    expect(tree()).toEqual(before);
  };

  it("are refused when wsgen did not write them", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "types.ts"), "export type Mine = 1;\n");
    await refused({ "a.ts": "a", "types.ts": "b" }, /types\.ts exists and was not written by wsgen/);
  });

  it("are overwritten when wsgen wrote them, with or without a manifest that can be read", async () => {
    await write({ "a.ts": "a" });
    writeFileSync(join(folder, ".wsgen.json"), "<<<<<<< HEAD\n");
    await write({ "a.ts": "b" });
    expect(tree()["generated/a.ts"]).toBe(text("b"));
  });

  it("are refused when a manifest is somebody else's, and overwritten when another version of wsgen wrote it", async () => {
    mkdirSync(folder);
    for (const foreign of ['{"hello":1}\n', "[1]\n", "notes\n"]) {
      writeFileSync(join(folder, ".wsgen.json"), foreign);
      await refused({ "a.ts": "a" }, /\.wsgen\.json exists and was not written by wsgen/);
    }
    writeFileSync(join(folder, ".wsgen.json"), '{"version":2,"files":{}}\n');
    await write({ "a.ts": "a" });
    expect(Object.keys((await readManifest(folder))?.files ?? {})).toEqual(["a.ts"]);
  });

  it("are refused when they are another document's, as long as that document is there", async () => {
    const other = { manifest: { document: "../b.yaml", perspective: { side: "server", because: "default" } } } as const;
    writeFileSync(join(root, "api.yaml"), "");
    writeFileSync(join(root, "b.yaml"), "");
    await write({ "a.ts": "a" });
    await expect(write({ "a.ts": "b" }, other)).rejects.toThrow(/generated holds the code of .*api\.yaml, not of .*b\.yaml/);
    // A document under two names is one document.
    rmSync(join(root, "b.yaml"));
    symlinkSync("api.yaml", join(root, "b.yaml"));
    await write({ "a.ts": "b" }, other);
    rmSync(join(root, "b.yaml"));
    await write({ "a.ts": "c" });
    expect(tree()["generated/a.ts"]).toBe(text("c"));
  });

  it("are refused when they are links, so that nothing is written elsewhere", async () => {
    mkdirSync(folder);
    writeFileSync(join(root, "target.ts"), text("target"));
    symlinkSync(join(root, "target.ts"), join(folder, "a.ts"));
    await refused({ "a.ts": "a" }, /a\.ts is a symbolic link/);
    rmSync(join(folder, "a.ts"));
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(folder, "deep"));
    await refused({ "deep/a.ts": "a" }, /deep is a symbolic link/);
  });

  it("are refused when they are folders, or a file is where a folder should be", async () => {
    mkdirSync(join(folder, "a.ts"), { recursive: true });
    await refused({ "a.ts": "a" }, /a\.ts is in the way/);
    writeFileSync(join(folder, "deep"), text("x"));
    await refused({ "deep/a.ts": "a" }, /deep is in the way/);
  });

  it("are refused when the output folder is a file", async () => {
    writeFileSync(folder, "x");
    await refused({ "a.ts": "a" }, /generated is a file, not a folder/);
  });
});

describe("a failure half-way", () => {
  it("leaves everything as it was: no new file, no folder, no draft", async () => {
    await write({ "a.ts": "a", "b.ts": "b", "old.ts": "old" });
    const before = tree();
    const plan = await planWrite(output({ "a.ts": "new", "b.ts": "new", "deep/c.ts": "new" }));
    // What was planned cannot be done any more: a folder came in the way of a rename.
    const broken = { ...plan, stale: [...plan.stale, join(folder, "not-there.ts")] };
    await expect(carryOut(broken)).rejects.toThrow(/cannot be/);
    expect(tree()).toEqual(before);
    expect(existsSync(join(folder, "deep"))).toBe(false);
  });

  it("says in one line what to do when the disk refuses", async () => {
    writeFileSync(join(root, "file"), "x");
    const plan = await planWrite(output({ "a.ts": "a" }, { folder: join(root, "file", "generated") })).catch((error: Error) => error);
    expect(plan).toMatchObject({ message: expect.stringContaining("a part of its path is a file"), fix: expect.stringContaining("--out") });
  });
});

describe("files of the user's", () => {
  it.skipIf(process.platform !== "linux")("says which option chooses another place for what cannot be written", async () => {
    const handlers = { userFiles: [{ path: "/proc/handlers/room.ts", before: undefined, text: "text\n" }] };
    await expect(write({ "a.ts": "a" }, handlers)).rejects.toMatchObject({ fix: "Choose another folder with --handlers." });
    await expect(write({ "a.ts": "a" }, { folder: "/proc/generated" })).rejects.toMatchObject({ fix: "Choose another folder with --out." });
  });

  it("are written with the rest, keep their mode, and are written through a link", async () => {
    const real = join(root, "real.ts");
    writeFileSync(real, "before\n", { mode: 0o640 });
    symlinkSync(real, join(root, "link.ts"));
    await write({ "a.ts": "a" }, { userFiles: [{ path: join(root, "link.ts"), before: "before\n", text: "after\n" }] });
    expect(readFileSync(real, "utf8")).toBe("after\n");
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(tree()["generated/.wsgen.json"]).not.toContain("link.ts");
  });
});
