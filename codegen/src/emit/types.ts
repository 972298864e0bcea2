// Prints types.ts: every type of the document, spelled out as a person would write it.
import type { Model, TypeDefinition } from "../model/model.ts";
import type { GeneratedFile } from "./file.ts";
import { createInterfaces, type InterfaceNode } from "./interfaces.ts";
import { typeDocs } from "./schema-docs.ts";
import { createTypeBuilder, type TypeBuilder } from "./type-expression.ts";

/** Prints an interface or a type alias for every type of the model, in its order. */
export function emitTypes(model: Model, file: GeneratedFile): void {
  const types = createTypeBuilder(model, file);
  const interfaceOf = createInterfaces(model, types);
  for (const { name } of model.types) file.declare(name);
  for (const definition of model.types) {
    file.doc(typeDocs(definition));
    file.print(declaration(definition, interfaceOf(definition), types));
    file.print("");
  }
}

function declaration({ name, schema }: TypeDefinition, node: InterfaceNode | undefined, types: TypeBuilder): string {
  if (node !== undefined) {
    const heritage = node.extends.length === 0 ? "" : ` extends ${node.extends.join(", ")}`;
    return `export interface ${name}${heritage} ${types.layOutBody(node.body, 0)}`;
  }
  const head = `export type ${name} =`;
  const laid = types.layOut(types.typeOf(schema), 0, head.length + " ;".length);
  return `${head}${laid.startsWith("\n") ? "" : " "}${laid};`;
}
