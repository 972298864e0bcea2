import { readFileSync } from "node:fs";
import { ts } from "ts-morph";
import { describe, expect, it } from "vitest";
import { emit } from "../../../codegen/src/emit/index.ts";
import type { Model, Reply } from "../../../codegen/src/model/model.ts";
import { chat, direction, endpoint, message, model } from "./chat-model.ts";

/** Names that a module lists in its export clauses. */
function exportedNames(file: string): ReadonlySet<string> {
  const source = ts.createSourceFile(file, readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8"), ts.ScriptTarget.Latest);
  return new Set(
    source.statements.flatMap((statement) =>
      ts.isExportDeclaration(statement) && statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause)
        ? statement.exportClause.elements.map(({ name }) => name.text)
        : [],
    ),
  );
}

const ask: Reply = { messages: ["pong"], request: ["id"], reply: ["id"], id: "string" };
const part = { type: "Part", optional: true, coerce: { n: "integer" } } as const;
/** Everything the emitters know how to say: requests in both directions, bytes, every part of the handshake, servers with variables. */
const everything: Model = {
  ...model("Everything", [
    endpoint("all", {
      parameters: { ...part, type: "P" },
      query: { ...part, type: "Q" },
      headers: { ...part, type: "H" },
      clientToServer: direction([
        message("ping", { reply: ask }),
        message("audio", { format: "binary" }),
        message("line", { format: "encoded", codec: "application/cbor" }),
        message("pong", { replyOnly: true }),
      ]),
      serverToClient: direction([
        message("ping", { reply: ask }),
        message("audio", { format: "binary" }),
        message("pong", { replyOnly: true }),
      ]),
    }),
    endpoint("none"),
  ]),
  servers: chat.servers,
};

describe("generated code", () => {
  const joins = {
    "@wsgen/runtime/generated/server": exportedNames("runtime/src/contract/generated/server.ts"),
    "@wsgen/runtime/generated/client": exportedNames("runtime/src/contract/generated/client.ts"),
  };

  it("imports from the runtime only what the joins list, and nothing else but its own files and typebox", () => {
    const missing: string[] = [];
    let seen = 0;
    for (const { path, text } of [chat, everything].flatMap((model) => emit(model, { side: "both", schemas: true }).files)) {
      for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
        if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
        const from = statement.moduleSpecifier.text;
        if (from.startsWith("./") || (from === "typebox" && path === "schemas.ts")) continue;
        const listed = joins[from as keyof typeof joins] ?? new Set();
        const bindings = statement.importClause?.namedBindings;
        if (bindings === undefined || !ts.isNamedImports(bindings)) throw new Error(`${path} imports ${from} as a whole`);
        for (const { name, propertyName } of bindings.elements) {
          seen += 1;
          if (!listed.has((propertyName ?? name).text)) missing.push(`${path}: ${name.text} from ${from}`);
        }
      }
    }
    expect(missing).toEqual([]);
    expect(seen).toBeGreaterThan(25);
  });

  it("exports the same names from the client's join on every platform", () => {
    expect(exportedNames("runtime/src/contract/generated/client.node.ts")).toEqual(joins["@wsgen/runtime/generated/client"]);
  });

  it("has no control flow outside validators.ts: data, types and one call", () => {
    for (const { path, text } of emit(everything, { side: "both", schemas: true }).files) {
      if (path === "validators.ts" || path === "schemas.ts") continue;
      expect(text, path).not.toMatch(/^\s*(if|for|while|switch|try|await|throw|let|var|class)\b/m);
    }
  });

  it("is the same text for the same model", () => {
    expect(emit(structuredClone(everything), { side: "both", schemas: true })).toEqual(emit(everything, { side: "both", schemas: true }));
  });

  it("is printed for the sides that are asked for", () => {
    const paths = (side: "both" | "server" | "client", schemas: boolean) => emit(chat, { side, schemas }).files.map(({ path }) => path);
    expect(paths("server", true)).toEqual(["types.ts", "schemas.ts", "validators.ts", "contract.server.ts", "server.ts"]);
    expect(paths("client", false)).toEqual(["types.ts", "validators.ts", "contract.client.ts", "client.ts"]);
  });
});
