import fc from "fast-check";
import { ts } from "ts-morph";
import { describe, expect, it } from "vitest";
import { code, createGeneratedFile, type GeneratedFile, type Literal } from "../../../codegen/src/emit/file.ts";

const print = (body: (file: GeneratedFile) => void): string => {
  const file = createGeneratedFile("x.ts", "// header");
  body(file);
  return file.toString();
};

describe("a generated file", () => {
  it("prints header, sorted imports and body, each apart, and ends in one line break", () => {
    const text = print((file) => {
      file.import("isB", "./validators.js", "value");
      file.import("Z", "@wsgen/runtime/generated/server");
      file.import("run", "@wsgen/runtime/generated/server", "value");
      file.import("A", "./types.js");
      file.import("Unused", "./types.js");
      file.block("export interface X {", () => file.print("readonly a: A | Z;"), "}");
      file.print("run(isB);");
      file.print("");
    });
    expect(text).toBe(`// header

import { type Z, run } from "@wsgen/runtime/generated/server";
import type { A } from "./types.js";
import { isB } from "./validators.js";

export interface X {
  readonly a: A | Z;
}
run(isB);
`);
  });

  it("lets imports step aside for what the file declares and for what was imported before", () => {
    const text = print((file) => {
      file.declare("Chat");
      expect(file.import("Chat", "./types.js")).toBe("ChatType");
      expect(file.import("Sent", "./types.js")).toBe("Sent");
      expect(file.import("Sent", "@wsgen/runtime/generated/server")).toBe("WsgenSent");
      expect(file.import("Sent", "@wsgen/runtime/generated/server")).toBe("WsgenSent");
      file.print("export type X = ChatType | Sent | WsgenSent;");
    });
    expect(text).toContain('import type { Sent as WsgenSent } from "@wsgen/runtime/generated/server";');
    expect(text).toContain('import type { Chat as ChatType, Sent } from "./types.js";');
  });

  it("quotes keys of letters that are newer than the tools that read them", () => {
    print((file) => expect(["größe", "имя", "𓰓", "ⸯ"].map(file.key)).toEqual(["größe", "имя", '"𓰓"', '"ⸯ"']));
  });

  it("imports a name as a value when it is needed as both", () => {
    const text = print((file) => {
      file.import("X", "./x.js", "type");
      file.import("X", "./x.js", "value");
      file.print("X;");
    });
    expect(text).toContain('import { X } from "./x.js";');
  });

  it("opens up values that are longer than a line, from the outside in", () => {
    const short = Array.from({ length: 9 }, (_, index) => `value ${index}`);
    const text = print((file) => {
      file.print(`const x = ${file.value({ short, long: [short, short], guard: code("isX"), "not-bare": null }, "const x = ;".length)};`);
    });
    expect(text).toBe(`// header

const x = {
  short: ["value 0", "value 1", "value 2", "value 3", "value 4", "value 5", "value 6", "value 7", "value 8"],
  long: [
    ["value 0", "value 1", "value 2", "value 3", "value 4", "value 5", "value 6", "value 7", "value 8"],
    ["value 0", "value 1", "value 2", "value 3", "value 4", "value 5", "value 6", "value 7", "value 8"],
  ],
  guard: isX,
  "not-bare": null,
};
`);
  });

  it("keeps values as they are, whatever they hold", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, (value) => {
        const text = print((file) => file.print(`(${file.value(value as Literal)})`));
        // biome-ignore lint/security/noGlobalEval: the test is that the printed text means the value
        expect(globalThis.eval(text)).toEqual(value);
      }),
    );
  });

  it("owns a property that is called __proto__, and calls a method `new` by its name", () => {
    const value = JSON.parse('{"__proto__": {"polluted": 1}}') as Literal;
    const text = print((file) => file.print(`(${file.value(value)})`));
    // biome-ignore lint/security/noGlobalEval: the test is what the printed text means
    expect(Object.keys(globalThis.eval(text))).toEqual(["__proto__"]);
    expect(print((file) => file.print(`${file.key("new")}(): void;`))).toContain('"new"(): void;');
  });
});

describe("text of a document", () => {
  const hostile = [
    "*/ process.exit(1) /*",
    "line\u2028break\u2029",
    "</script><!--",
    "\u202etxt.exe",
    "lone \ud800 surrogate",
    "`$" + "{process.exit(1)}`",
    '" + process.exit(1) + "',
    "\\",
    "\0\u0007\u001b[31m",
    "@ts-nocheck",
    "\r\n//# sourceMappingURL=x",
  ];

  for (const text of hostile) {
    it(`is the same string and no code: ${JSON.stringify(text)}`, () => {
      const printed = print((file) => {
        file.doc(text);
        file.print(`export const x = ${file.string(text)};`);
      });
      const source = ts.createSourceFile("x.ts", printed, ts.ScriptTarget.Latest, true);
      const [statement, ...others] = source.statements;
      expect(others).toEqual([]);
      if (statement === undefined || !ts.isVariableStatement(statement)) throw new Error(printed);
      const initializer = statement.declarationList.declarations[0]?.initializer;
      expect(initializer !== undefined && ts.isStringLiteral(initializer) && initializer.text).toBe(text);
      expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2028\u2029]|<\/script|<!--/);
      expect(printed).not.toMatch(/\p{Surrogate}/u);
    });
  }

  it("never ends a comment, nor opens another statement, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const printed = print((file) => {
          file.doc({ summary: text, description: `${text}*/` });
          file.print("export {};");
        });
        expect(ts.createSourceFile("x.ts", printed, ts.ScriptTarget.Latest).statements).toHaveLength(1);
      }),
    );
  });
});

describe("a doc comment", () => {
  const doc = (docs: Parameters<GeneratedFile["doc"]>[0]): string =>
    print((file) => {
      file.doc(docs);
      file.print("x;");
    }).slice("// header\n\n".length, -"x;\n".length);

  it("takes one line where it fits", () => expect(doc("Says hello.")).toBe("/** Says hello. */\n"));

  it("is not printed when there is nothing to say", () => expect(doc({ description: " \n" })).toBe(""));

  it("has the summary, then the description, then whether it is deprecated; the title only where neither is there", () => {
    expect(doc({ title: "T", summary: "S.", description: "D.", deprecated: true })).toBe(
      "/**\n * S.\n *\n * D.\n *\n * @deprecated\n */\n",
    );
    expect(doc({ title: "T" })).toBe("/** T */\n");
  });

  it("wraps prose at the line width and leaves tables and code alone", () => {
    const word = "lorem ";
    const text = doc(`${word.repeat(30)}\n\n| ${"wide ".repeat(40)}|\n\n\`\`\`\n${"code ".repeat(40)}\n\`\`\``);
    const lines = text.split("\n");
    expect(lines[1]).toBe(` * ${word.repeat(19).trim()}`);
    expect(lines[2]).toBe(` * ${word.repeat(11).trim()}`);
    expect(lines).toContain(` * | ${"wide ".repeat(40)}|`);
    expect(lines).toContain(` * ${"code ".repeat(40).trim()}`);
  });

  it("breaks a line where the document has `<br>`, except in tables", () => {
    expect(doc("One.<br>Two.<br/>\n| a<br>b |")).toBe("/**\n * One.\n * Two.\n * | a<br>b |\n */\n");
  });

  it("keeps list items hanging, and never begins a line with what would be a tag", () => {
    const text = doc(`- ${"item ".repeat(20)} ${"word ".repeat(10)}@see @ts-ignore`);
    expect(text).toContain("\n *   word");
    expect(text).not.toMatch(/^ \* +@/m);
  });
});
