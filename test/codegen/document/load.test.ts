import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FILES_KEY, type JsonObject } from "../../../codegen/src/document/document.ts";
import { load } from "../../../codegen/src/document/load.ts";
import { processorTime } from "../../processor-time.mjs";
import { asyncapi, folderOf, lines, loadFiles } from "./files.ts";

/** What load says of a text that it takes for a document. */
async function said(rest: string): Promise<string[]> {
  return lines((await loadFiles(asyncapi(rest))).diagnostics);
}

describe("a path that is no document", () => {
  it("gives one error each, with what to do", async () => {
    const folder = folderOf({
      "empty.yaml": "",
      "comment.yaml": "# nothing yet\n",
      "text.yaml": "hello\n",
      "list.yaml": "- a\n",
      "openapi.yaml": "info: {}\nopenapi: 3.0.0\n",
      "misspelt.yaml": "asyncAPI: 3.0.0\n",
      "other.yaml": "a: 1\n",
      "v1.yaml": "asyncapi: 1.2.0\n",
      "short.yaml": "asyncapi: 3.0\n",
      "future.yaml": "asyncapi: 4.0.0\n",
      "utf16.yaml": Buffer.from("\ufeffasyncapi: 3.0.0\n", "utf16le"),
      "latin1.yaml": Buffer.from("asyncapi: 3.1.0\ninfo: { title: caf\u00e9 }\n", "latin1"),
      "nul.yaml": "asyncapi: 3.1.0\nid: a\0b\n",
    });
    mkdirSync(join(folder, "folder"));
    execFileSync("mkfifo", [join(folder, "fifo")]);
    const found: string[] = [];
    for (const name of [
      "nowhere.yaml",
      "folder",
      "fifo",
      "empty.yaml",
      "comment.yaml",
      "text.yaml",
      "list.yaml",
      "openapi.yaml",
      "misspelt.yaml",
    ]) {
      found.push(...lines((await load(join(folder, name))).diagnostics));
    }
    for (const name of ["other.yaml", "v1.yaml", "short.yaml", "future.yaml", "utf16.yaml", "latin1.yaml", "nul.yaml"]) {
      found.push(...lines((await load(join(folder, name))).diagnostics));
    }
    expect(found.map((line) => line.replaceAll(folder, ""))).toEqual([
      "error file-not-found: There is no file /nowhere.yaml. | Check the path.",
      "error not-a-file: /folder is a folder. | Name the YAML or JSON file in it.",
      "error not-a-file: /fifo is not a regular file. | Save it as a YAML or JSON file.",
      "empty.yaml:1:1 error empty-file: This file is empty. | Begin it with `asyncapi: 3.1.0`, or run `wsgen init` for a document to start from.",
      "comment.yaml:1:1 error empty-file: This file is empty. | Begin it with `asyncapi: 3.1.0`, or run `wsgen init` for a document to start from.",
      expect.stringContaining("text.yaml:1:1 error not-asyncapi: This file is plain text, not an AsyncAPI document."),
      expect.stringContaining("list.yaml:1:1 error not-asyncapi: This file is a list, not an AsyncAPI document."),
      expect.stringContaining("openapi.yaml:2:1 error not-asyncapi: This is an OpenAPI document; wsgen reads AsyncAPI."),
      'misspelt.yaml:1:1 error not-asyncapi: This is not an AsyncAPI document: it has "asyncAPI" but no "asyncapi". | Did you mean "asyncapi"?',
      expect.stringContaining('other.yaml:1:1 error not-asyncapi: This is not an AsyncAPI document: it has no "asyncapi".'),
      expect.stringContaining(
        "v1.yaml:1:11 error asyncapi-version: AsyncAPI 1.2.0 is not supported; wsgen reads 2.0.0 to 2.6.0, 3.0.0 and 3.1.0.",
      ),
      expect.stringMatching(/^short.yaml:1:11 error asyncapi-version: .* \| Write `asyncapi: 3\.0\.0`\.$/),
      expect.stringContaining("future.yaml:1:11 error asyncapi-version: AsyncAPI 4.0.0 is not supported"),
      "utf16.yaml:1:1 error bad-encoding: This file is UTF-16. | Save the file as UTF-8.",
      "latin1.yaml:2:19 error bad-encoding: This byte is not UTF-8. | Save the file as UTF-8.",
      expect.stringContaining("nul.yaml:2:6 error control-character: The control character U+0000 cannot stand in YAML or JSON."),
    ]);
  });

  it("is not read when it is larger than 10 MiB", async () => {
    const { diagnostics } = await loadFiles(Buffer.alloc(10 * 2 ** 20 + 1, 32));
    expect(lines(diagnostics)).toEqual([expect.stringContaining("error file-too-large: ")]);
  });
});

describe("values", () => {
  it("are those of the YAML 1.2 core schema, in the order of the source", async () => {
    const document = await loadFiles(
      asyncapi("x-a:\n  z: 1\n  a: [0x10, 0o10, 012, -0, 1.5e3, .5, true, no, ~, 1:30, 2020-01-01, '5', \"\\u00e9\"]\n  m:\n"),
    );
    expect(document.get("/x-a/a")).toEqual([16, 8, 12, 0, 1500, 0.5, true, "no", null, "1:30", "2020-01-01", "5", "é"]);
    expect(Object.keys(document.get("/x-a") as JsonObject)).toEqual(["z", "a", "m"]);
    expect(document.get("/x-a/m")).toBeNull();
    expect(document.diagnostics).toEqual([]);
  });

  it("reads JSON, with a byte order mark and CRLF too", async () => {
    const document = await loadFiles('\ufeff{\r\n  "asyncapi": "3.1.0",\r\n  "x-a": { "b\\/c": "\\ud83d\\ude00\\n" }\r\n}\r\n');
    expect(document.get("/x-a/b~1c")).toBe("😀\n");
    expect(document.locate("/x-a", "key")).toMatchObject({ line: 3, column: 3, endLine: 3, endColumn: 8 });
    expect(document.diagnostics).toEqual([]);
  });

  it("keeps keys that name members of Object.prototype as plain data", async () => {
    const document = await loadFiles(asyncapi("x-a: { __proto__: { polluted: true }, constructor: { prototype: 1 }, toString: x }\n"));
    const value = document.get("/x-a") as JsonObject;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":"x"}');
    expect(document.get("/x-a/__proto__/polluted")).toBe(true);
    expect(document.get("/x-a/hasOwnProperty")).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("expands anchors and merge keys", async () => {
    const document = await loadFiles(asyncapi("x-a: &a { b: 1, c: 2 }\nx-d: *a\nx-e: { <<: *a, c: 3 }\n"));
    expect(JSON.stringify([document.get("/x-d"), document.get("/x-e")])).toBe('[{"b":1,"c":2},{"b":1,"c":3}]');
    expect(document.locate("/x-e/b")).toMatchObject({ line: 3, column: 14 });
  });

  it("reports what JSON cannot hold, at its place", async () => {
    expect(await said("x-a: [.nan, -.inf, 1e400, 9007199254740993]\n1: x\n? [b]\n: c\n")).toEqual([
      "3:7 error number-not-json: JSON has no number .nan. | Use a finite number, or quote it if it is a string.",
      "3:13 error number-not-json: JSON has no number -.inf. | Use a finite number, or quote it if it is a string.",
      "3:20 error number-not-json: JSON has no number 1e400. | Use a finite number, or quote it if it is a string.",
      expect.stringMatching(/^3:27 warning number-rounded: .*it is read as 9007199254740992\./),
      expect.stringContaining("4:1 warning key-not-string: The key 1 is not a string"),
      "5:3 error key-not-string: A key must be a string. | Write the key as one plain or quoted word.",
    ]);
  });

  it("reports a duplicate key with the line of the first, and a duplicate message name as such", async () => {
    expect(await said("channels:\n  a:\n    messages:\n      m: {}\n      m: {}\n    address: /a\n    address: /b\n")).toEqual([
      '7:7 error duplicate-key: The message name "m" is already used in line 6. | Rename or remove one of the two: only one of them can count.',
      '9:5 error duplicate-key: The key "address" is already used in line 8. | Rename or remove one of the two: only one of them can count.',
    ]);
  });
});

describe("text that is not YAML", () => {
  it.each([
    ["an unclosed quote", 'x-a: "b\nx-c: d\n', "3:6 error yaml-syntax: A quoted string is never closed."],
    ["an unclosed list", "x-a: [1, 2\nx-c: d\n", "4:1 error yaml-syntax: A `[` or `{` is not closed, or a comma is missing."],
    [
      "bad indentation",
      "x-a:\n   b: 1\n  c: 2\n",
      "5:3 error yaml-syntax: This does not fit the indentation or the `key: value` around it.",
    ],
    ["a colon too many", "x-a: b: c\n", "3:7 error yaml-syntax: This does not fit the indentation or the `key: value` around it."],
    ["an unknown alias", "x-a: *b\n", "3:8 error yaml-syntax: This alias has no anchor."],
    ["a second document", "---\na: 1\n", "3:1 error second-document: This file holds more than one YAML document."],
    ["a text that begins with @", "x-a: @b\n", "3:6 error yaml-syntax: The document ends here, but text follows."],
    ["a tag", "x-a: !!binary aGk=\n", '3:6 error unknown-tag: The YAML tag "binary" is not supported: JSON has nothing like it.'],
    ["an executable tag", "x-a: !!js/function 'function () {}'\n", '3:6 error unknown-tag: The YAML tag "js/function" is not supported'],
    ["an include", "x-a: !include b.yaml\n", "3:15 error unknown-tag: The tag !include is not part of YAML."],
    ["an alias inside its anchor", "x-a: &a { b: *a }\n", "3:14 error alias-cycle: The alias *a stands inside what it stands for."],
    [
      "an anchor that breaks the reader",
      "x-a: &hasOwnProperty 1\nx-b: *hasOwnProperty\n",
      "1:1 error yaml-syntax: This file cannot be read as YAML.",
    ],
  ])("is one located error: %s", async (_, rest, expected) => {
    const found = await said(rest);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it("does not expand billions of laughs", async () => {
    const levels = Array.from({ length: 9 }, (_, level) => `x-${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(", ")}]\n`);
    const started = processorTime();
    expect(await said(`x-0: &a0 lol\n${levels.join("")}`)).toEqual([expect.stringMatching(/^9:11 error too-many-aliases: /)]);
    expect(processorTime() - started).toBeLessThan(1000);
  });

  it.each([
    ["brackets", `x-a: ${"[".repeat(100_000)}`],
    ["maps", `x-a: ${"{a: ".repeat(5_000)}`],
    ["dashes", `x-a:\n  ${"- ".repeat(20_000)}x\n`],
    ["indentation", Array.from({ length: 300 }, (_, depth) => `${" ".repeat(depth)}x-a:\n`).join("")],
    ["aliases", `x-0: &a0 [x]\n${Array.from({ length: 250 }, (_, depth) => `x-${depth + 1}: &a${depth + 1} [*a${depth}]\n`).join("")}`],
  ])("refuses nesting beyond 200 levels: %s", async (_, rest) => {
    const found = await said(rest);
    expect(found).toEqual([expect.stringMatching(/^\d+:\d+ error too-deep: /)]);
    expect(found[0]).not.toMatch(/^1:1 /);
  });

  it("never throws or hangs, and every finding has a place in the text", async () => {
    const folder = folderOf({ "api.yaml": "" });
    const seed = asyncapi("channels: &c\n  a: { address: \"/a\", messages: { m: { $ref: '#/x/y' } } }\nx: *c\ny: |\n  text\n- z\n");
    const pieces = fc.constantFrom(
      "\n",
      "  ",
      "\t",
      ":",
      "- ",
      "&a",
      "*a",
      "!!x ",
      "{",
      "}",
      "[",
      "]",
      '"',
      "'",
      "|",
      ">",
      "#",
      "$ref: ",
      "<<: ",
      "%",
      "? ",
      "\\",
      "---\n",
      ",",
      "@",
      "é",
      "0x",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(seed.length), fc.nat(6), pieces), { maxLength: 6 }), async (edits) => {
        let text = seed;
        for (const [at, removed, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + removed);
        writeFileSync(join(folder, "api.yaml"), text);
        const started = processorTime();
        const document = await load(join(folder, "api.yaml"));
        expect(processorTime() - started).toBeLessThan(2000);
        const last = text.split(/\r\n|\r|\n/).length;
        for (const { position } of document.diagnostics) {
          expect(position!.line).toBeGreaterThan(0);
          expect(position!.line).toBeLessThanOrEqual(last);
          expect(position!.column).toBeGreaterThan(0);
        }
        JSON.stringify(document.value);
      }),
      { numRuns: Number(process.env["RUNS"] ?? 300) },
    );
  });
});

describe("locate", () => {
  it("points at the key or the value of any pointer, and at the nearest part that exists", async () => {
    const document = await loadFiles("asyncapi: 3.1.0\ninfo:\n  title: Test\n  'a/b': [x, {c: d}]\n");
    expect(document.locate("/info/title")).toMatchObject({ line: 3, column: 10, endLine: 3, endColumn: 14 });
    expect(document.locate("/info/title", "key")).toMatchObject({ line: 3, column: 3, endLine: 3, endColumn: 8 });
    expect(document.locate("/info/a~1b/1/c")).toMatchObject({ line: 4, column: 18 });
    expect(document.locate("/info/a~1b/1/e/f")).toMatchObject({ line: 4, column: 14 });
    expect(document.locate("/info/version")).toMatchObject({ line: 2, column: 1, endColumn: 5 });
    expect(document.locate("/nothing")).toMatchObject({ line: 1, column: 1 });
    expect(document.locate("")).toMatchObject({ line: 1, column: 1 });
  });
});

describe("files", () => {
  it("are bundled as far as they are reached, with places in their own text", async () => {
    const document = await loadFiles({
      "api.yaml": asyncapi(
        'components:\n  schemas:\n    A: { $ref: "common/types.yaml#/schemas/A" }\n    T: { $ref: "./tree.json" }\n    B: { $ref: "#/components/schemas/A" }\n',
      ),
      "common/types.yaml":
        'schemas:\n  A: { type: object, properties: { n: { $ref: "#/schemas/N" }, up: { $ref: "../api.yaml#/components/schemas/B" } } }\n  N: { type: number }\n  Unused: { $ref: "#/nowhere" }\n',
      "tree.json":
        '{ "type": "object", "properties": { "children": { "items": { "$ref": "#" } }, "leaf": { "$ref": "#/properties/children" } } }',
    });
    expect(document.diagnostics).toEqual([]);
    expect(JSON.parse(JSON.stringify(document.value))).toMatchObject({
      components: {
        schemas: {
          A: { $ref: "#/x-wsgen-files/common~1types.yaml/schemas/A" },
          T: { $ref: "#/x-wsgen-files/tree.json" },
          B: { $ref: "#/components/schemas/A" },
        },
      },
      [FILES_KEY]: {
        "common/types.yaml": {
          schemas: {
            A: {
              properties: { n: { $ref: "#/x-wsgen-files/common~1types.yaml/schemas/N" }, up: { $ref: "#/components/schemas/B" } },
            },
            N: { type: "number" },
          },
        },
        "tree.json": {
          properties: {
            children: { items: { $ref: "#/x-wsgen-files/tree.json" } },
            leaf: { $ref: "#/x-wsgen-files/tree.json/properties/children" },
          },
        },
      },
    });
    expect(document.get("/x-wsgen-files/common~1types.yaml/schemas/Unused")).toBeUndefined();
    const place = document.locate("/x-wsgen-files/common~1types.yaml/schemas/N/type");
    expect(place).toMatchObject({ line: 3, column: 14 });
    expect(place.file).toBe(document.file.replace("api.yaml", "common/types.yaml"));
    expect([...document.sources.keys()].map((path) => path.split("/").at(-1))).toEqual(["api.yaml", "types.yaml", "tree.json"]);
    expect(document.references.get("/components/schemas/A/$ref")).toBe("common/types.yaml#/schemas/A");
  });

  it("may be the same by two ways, and refer to each other in circles", async () => {
    const document = await loadFiles({
      "api.yaml": asyncapi('x:\n  a: { $ref: "b.yaml#/B" }\n  b: { $ref: "./sub/../b.yaml#/B" }\n'),
      "b.yaml": 'B: { properties: { c: { $ref: "c.yaml" } } }\n',
      "c.yaml": 'items: { $ref: "b.yaml#/B" }\n',
      "sub/x.yaml": "",
    });
    expect(document.diagnostics).toEqual([]);
    expect(Object.keys(document.get("/x-wsgen-files") as JsonObject)).toEqual(["b.yaml", "c.yaml"]);
    expect(document.get("/x-wsgen-files/c.yaml/items/$ref")).toBe("#/x-wsgen-files/b.yaml/B");
  });

  it("tell of mistakes in their own text", async () => {
    const document = await loadFiles({ "api.yaml": asyncapi('x: { $ref: "b.yaml#/B" }\n'), "b.yaml": "B:\n  a: 1\n  a: 2\n" });
    expect(lines(document.diagnostics)).toEqual([
      expect.stringContaining('b.yaml:3:3 error duplicate-key: The key "a" is already used in line 2.'),
    ]);
  });

  it("must lie below the document's folder, or the root", async () => {
    const files = {
      "outer/api.yaml": asyncapi(
        'x: { $ref: "../shared/a.yaml" }\ny: { $ref: "../../../../../../etc/hostname" }\nz: { $ref: "%2e%2e/shared/a.yaml" }\n',
      ),
      "shared/a.yaml": "type: string\n",
      "outer/api2.yaml": asyncapi('x: { $ref: "../shared/a.yaml" }\n'),
    };
    const folder = folderOf(files);
    const found = lines((await load(join(folder, "outer/api.yaml"))).diagnostics).map((line) => line.replaceAll(folder, ""));
    const fix = "Move the file, or allow a folder above both with --root <folder>.";
    expect(found).toEqual([
      `3:12 error ref-outside-root: "../shared/a.yaml" lies outside of /outer, where referenced files must be. | ${fix}`,
      `4:12 error ref-outside-root: "../../../../../../etc/hostname" lies outside of /outer, where referenced files must be. | ${fix}`,
      `5:12 error ref-outside-root: "../shared/a.yaml" lies outside of /outer, where referenced files must be. | ${fix}`,
    ]);
    const allowed = await load(join(folder, "outer/api2.yaml"), { root: folder });
    expect(allowed.diagnostics).toEqual([]);
    expect(allowed.get("/x/$ref")).toBe("#/x-wsgen-files/..~1shared~1a.yaml");
    // The working directory counts when the document lies in it: this repository holds ../generated for specs/.
    expect((await load("specs/chat.yaml")).diagnostics).toEqual([]);
  });

  it("are refused when they are links out, pipes, folders, devices, remote or absolute", async () => {
    const folder = folderOf({
      "in/api.yaml": asyncapi(
        [
          ...["link.yaml", "fifo", "folder", "missing.yaml", "comon.yaml", "note.md", "a\\\\b.yaml"],
          ...[
            "http://169.254.169.254/x",
            "https://example.com/a#/b",
            "//example.com/a",
            "ftp://a/b",
            "file:///etc/passwd",
            "/etc/passwd",
            "data:text/plain,a",
          ],
        ]
          .map((ref, index) => `x${index}: { $ref: "${ref}" }\n`)
          .join(""),
      ),
      "in/common.yaml": "type: string\n",
      "in/note.md": "# A: b: c\n\ttext: [\n",
      "secret.yaml": "type: string\n",
    });
    mkdirSync(join(folder, "in/folder"));
    symlinkSync("../secret.yaml", join(folder, "in/link.yaml"));
    execFileSync("mkfifo", [join(folder, "in/fifo")]);
    const found = lines((await load(join(folder, "in/api.yaml"))).diagnostics).map((line) => line.split(" | ")[0]?.replaceAll(folder, ""));
    expect(found).toEqual(
      [
        '3:13 error ref-outside-root: "link.yaml" lies outside of /in, where referenced files must be.',
        "4:13 error ref-not-a-file: fifo is not a regular file.",
        "5:13 error ref-not-a-file: folder is a folder.",
        "6:13 error ref-file-not-found: There is no file missing.yaml.",
        "7:13 error ref-file-not-found: There is no file comon.yaml.",
        '8:13 error ref-unreadable: "note.md" is not YAML or JSON.',
        "9:13 error ref-backslash: A $ref cannot contain a backslash.",
        '10:13 error ref-remote: "http://169.254.169.254/x" is a remote file.',
        '11:13 error ref-remote: "https://example.com/a" is a remote file.',
        '12:13 error ref-remote: "//example.com/a" is a remote file.',
        "13:14 error ref-scheme: A $ref cannot be a ftp: address.",
        "14:14 error ref-scheme: A $ref cannot be a file: address.",
        "15:14 error ref-absolute: A $ref cannot be an absolute path.",
        "16:14 error ref-scheme: A $ref cannot be a data: address.",
      ].map((line, index) => (index >= 10 ? line : line.replace(/^(\d+):13/, "$1:13"))),
    );
  });
});

describe("references", () => {
  it("to nowhere are reported where they stand, with the name that was probably meant", async () => {
    const found = await said(
      [
        "channels:",
        "  a:",
        "    messages:",
        '      m: { $ref: "#/components/messages/helo" }',
        '      n: { $ref: "#/components/message/hello" }',
        '      o: { $ref: "#/components/schemas/hello" }',
        '      p: { $ref: "#/components/schemas/Thing/type/x" }',
        '      q: { $ref: "#name" }',
        '      r: { $ref: "#/constructor/prototype" }',
        '      s: { $ref: "#/components/%zz" }',
        "      t: { $ref: 5 }",
        "components:",
        "  messages: { hello: { payload: { $defs: { X: {} }, items: { $ref: '#/$defs/X' } } } }",
        "  schemas: { Thing: { type: string } }",
        "",
      ].join("\n"),
    );
    expect(found).toEqual([
      '6:18 error ref-not-found: This $ref leads nowhere: there is no "helo" in #/components/messages. | Did you mean "#/components/messages/hello"?',
      '7:18 error ref-not-found: This $ref leads nowhere: there is no "message" in #/components. | Did you mean "#/components/messages/hello"?',
      '8:18 error ref-not-found: This $ref leads nowhere: there is no "hello" in #/components/schemas. | Did you mean "#/components/messages/hello"?',
      '9:18 error ref-not-found: This $ref leads nowhere: #/components/schemas/Thing/type is a plain value, so it has no "x". | Define it there, or correct the path.',
      '10:18 error ref-not-a-pointer: "#name" is not a JSON pointer. | Write the way from the file\'s root, like `#/components/schemas/Name`.',
      '11:18 error ref-not-found: This $ref leads nowhere: there is no "constructor" in the document. | Define it there, or correct the path.',
      '12:18 error ref-not-found: This $ref leads nowhere: there is no "%zz" in #/components. | Define it there, or correct the path.',
      '13:18 error ref-not-string: A $ref must be a string. | Write it as `$ref: "#/components/…"`.',
      '15:68 error ref-not-found: This $ref leads nowhere: there is no "$defs" in the document. | Did you mean "#/components/messages/hello/payload/$defs/X"?',
    ]);
  });

  it("in data are data, and in what only looks like data are references", async () => {
    const found = await said(
      [
        "channels:",
        "  default: { messages: { examples: { $ref: '#/nowhere/1' } } }",
        "components:",
        "  schemas:",
        "    A:",
        "      const: { $ref: http://a/b }",
        "      enum: [{ $ref: http://a/b }]",
        "      default: { $ref: http://a/b }",
        "      examples: [{ $ref: http://a/b }]",
        "      x-a: { $ref: http://a/b }",
        "      properties: { default: { $ref: '#/nowhere/2' }, x-b: { $ref: '#/nowhere/3' } }",
        "    const: { $ref: '#/nowhere/4' }",
        "",
      ].join("\n"),
    );
    expect(found.map((line) => line.split(" ")[0])).toEqual(["4:44", "13:38", "13:68", "14:20"]);
  });

  it("go through other references, and end at the final place", async () => {
    const document = await loadFiles(
      asyncapi(
        'channels: { a: { $ref: "#/components/channels/a" } }\noperations: { o: { messages: [{ $ref: "#/channels/a/messages/m" }] } }\ncomponents: { channels: { a: { messages: { m: {} } } } }\n',
      ),
    );
    expect(document.diagnostics).toEqual([]);
    expect(document.get("/operations/o/messages/0/$ref")).toBe("#/components/channels/a/messages/m");
    expect(document.references.get("/operations/o/messages/0/$ref")).toBe("#/channels/a/messages/m");
  });

  it("are understood with an unescaped slash when only one name fits, with a warning", async () => {
    const document = await loadFiles(
      asyncapi(
        'x:\n  - { $ref: "#/components/schemas/a/b/C" }\n  - { $ref: "#/components/schemas/D%20E" }\ncomponents: { schemas: { a/b/C: {}, D E: {} } }\n',
      ),
    );
    expect(document.get("/x/0/$ref")).toBe("#/components/schemas/a~1b~1C");
    expect(document.get("/x/1/$ref")).toBe("#/components/schemas/D E");
    expect(lines(document.diagnostics)).toEqual([
      '4:13 warning ref-unescaped-slash: A "/" inside a name must be written "~1" in a $ref; it was understood all the same. | Write "#/components/schemas/a~1b~1C".',
    ]);
    expect(await said('x: { $ref: "#/c/a/b" }\nc: { "a/b": {}, a: { "b": {} } }\n')).toEqual([]);
    expect(await said('x: { $ref: "#/c/a/b/d" }\nc: { "a/b": { d: {} }, a: { "b/d": {} } }\n')).toEqual([
      expect.stringContaining("ref-not-found"),
    ]);
  });

  it("may be recursive, but not lead to themselves alone", async () => {
    expect(await said('components: { schemas: { T: { items: { $ref: "#/components/schemas/T" } } } }\n')).toEqual([]);
    const found = await said(
      'components:\n  schemas:\n    A: { $ref: "#/components/schemas/B" }\n    B: { $ref: "#/components/schemas/A" }\n    C: { $ref: "#/components/schemas/C/x" }\n',
    );
    expect(found.map((line) => line.split(":").slice(0, 2).join(":"))).toEqual([
      "5:16 error ref-cycle",
      "6:16 error ref-cycle",
      "7:16 error ref-not-found",
    ]);
  });
});

it("a document of AsyncAPI 3 that says 2 is told so once", async () => {
  const { diagnostics } = await loadFiles(
    "asyncapi: 2.6.0\ninfo: { title: T, version: 1.0.0 }\nchannels: { a: { address: /a, messages: {} } }\n",
  );
  expect(lines(diagnostics)).toEqual([
    "1:11 error asyncapi-version: This document says AsyncAPI 2.6.0, but is written in AsyncAPI 3: it has channels with an `address` and `messages`. | Write `asyncapi: 3.0.0`.",
  ]);
  const old = await loadFiles(
    "asyncapi: 2.6.0\ninfo: { title: T, version: 1.0.0 }\nchannels: { a: { publish: { message: { payload: {} } } } }\n",
  );
  expect(old.diagnostics).toEqual([]);
});

it("a misspelt field of AsyncAPI is one error at its key, whatever refs go through it", async () => {
  const { diagnostics } = await loadFiles(
    asyncapi(
      'chanels: { a: {}, b: {} }\noperations:\n  o: { channel: { $ref: "#/channels/a" } }\n  p: { channel: { $ref: "#/channels/b" } }\n',
    ),
  );
  expect(lines(diagnostics)).toEqual(['3:1 error unknown-field: The document has no field "chanels". | Did you mean "channels"?']);
  const deeper = await loadFiles(
    asyncapi('channels: { a: { mesages: { m: {} } } }\noperations: { o: { messages: [{ $ref: "#/channels/a/messages/m" }] } }\n'),
  );
  expect(lines(deeper.diagnostics)).toEqual(['3:18 error unknown-field: A channel has no field "mesages". | Did you mean "messages"?']);
});
