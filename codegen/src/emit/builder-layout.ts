// What a TypeBox builder's expression is made of, and its text: on one line where it fits, else opened up from the outside in.
import { type GeneratedFile, lineWidth } from "./file.ts";
import { createOneLine } from "./one-line.ts";
import type { TypeNode } from "./type-layout.ts";

/** An expression, before it has its place on a line. */
export type Expression =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly callee: string; readonly items: readonly Expression[] }
  | { readonly kind: "unsafe"; readonly type: TypeNode; readonly schema: Expression }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "record"; readonly entries: readonly (readonly [key: string, value: Expression])[] };

/** A piece of code as it is. */
export const text = (code: string): Expression => ({ kind: "text", text: code });

/** The text of an expression that stands `indent` columns deep, behind `used` other characters of its first line. */
export type LayOut = (expression: Expression, indent: number, used: number) => string;

/** Lays out expressions for a file that calls TypeBox `typebox`. */
export function createLayOut(
  file: GeneratedFile,
  typebox: string,
  layOutType: (type: TypeNode, indent: number, used: number) => string,
): LayOut {
  const makeFlat = (expression: Expression): string | undefined => {
    if (expression.kind === "text") return expression.text;
    if (expression.kind === "record") {
      const inner = allFlat(expression.entries.map(([, item]) => item));
      if (inner === undefined) return undefined;
      const entries = expression.entries.map(([key], index) => entry(key, inner[index] ?? ""));
      return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
    }
    const items = expression.kind === "unsafe" ? [expression.schema] : expression.items;
    const inner = allFlat(items)?.join(", ");
    if (inner === undefined) return undefined;
    if (expression.kind === "list") return `[${inner}]`;
    return `${head(expression, 0)}(${inner})`;
  };
  const { flat, allFlat } = createOneLine<Expression>(({ kind }) => kind === "text", makeFlat);
  const entry = (key: string, inner: string): string => {
    const printed = file.key(key);
    return printed === inner ? printed : `${printed}: ${inner}`;
  };
  const head = (expression: Expression & { readonly kind: "call" | "unsafe" }, indent: number): string => {
    if (expression.kind === "call") return expression.callee;
    const type = layOutType(expression.type, indent, typebox.length + "export const .Unsafe<>".length);
    return `${typebox}.Unsafe<${type}${type.startsWith("\n") ? "\n" : ""}>`;
  };

  const layOut: LayOut = (expression, indent, used) => {
    const line = flat(expression);
    if (line !== undefined && !line.includes("\n") && indent + used + line.length <= lineWidth) return line;
    const inside = (item: Expression, before = 0): string => layOut(item, indent + 2, before + 1).replaceAll("\n", "\n  ");
    if (expression.kind === "text") return expression.text;
    if (expression.kind === "list") return `[\n${expression.items.map((item) => `  ${inside(item)},\n`).join("")}]`;
    if (expression.kind === "record") {
      if (expression.entries.length === 0) return "{}";
      return `{\n${expression.entries.map(([key, item]) => `  ${entry(key, inside(item, file.key(key).length + 2))},\n`).join("")}}`;
    }
    const items = expression.kind === "unsafe" ? [expression.schema] : expression.items;
    const [only] = items;
    const callee = head(expression, indent);
    if (items.length === 1 && only !== undefined && (only.kind === "record" || only.kind === "list")) {
      return `${callee}(${layOut(only, indent, used + callee.length + 2)})`;
    }
    return `${callee}(\n${items.map((item) => `  ${inside(item)},\n`).join("")})`;
  };

  return layOut;
}
