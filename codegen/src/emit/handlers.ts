// handlers/*.ts: printed once into the user's folder, theirs from then on. Later only what is missing is added, and every other byte stays.
import type { ts } from "ts-morph";
import type { Diagnostic, Position } from "../diagnostics.ts";
import type { Delivery, Endpoint } from "../model/model.ts";
import { createGeneratedFile } from "./file.ts";

/** Prints a new handler file; `serverModule` is how it imports server.ts. */
export function printHandlers(endpoint: Endpoint, serverModule: string): string {
  const { name, typeName } = endpoint;
  const { deliveries } = endpoint.clientToServer;
  const file = createGeneratedFile(`${name}.ts`, "");
  file.declare(name);
  const type = file.import(`${typeName}Handler`, serverModule);
  file.doc(endpoint.docs);
  file.block(
    `export const ${name}: ${type} = {`,
    () => {
      if (deliveries.length === 0) return printOpen(endpoint, file.print, file.string);
      file.block(
        "messages: {",
        () =>
          deliveries.forEach((delivery, index) => {
            if (index > 0) file.print("");
            file.doc(delivery.docs);
            file.print(stub(endpoint, delivery).join("\n"));
          }),
        "},",
      );
    },
    "};",
  );
  return file.toString();
}

/** An endpoint that only sends has nothing to handle but the connection itself. */
function printOpen({ name }: Endpoint, print: (line: string) => void, string: (value: string) => string): void {
  print(`open(_conn) {\n  throw new Error(${string(`${name}.open is not implemented yet`)});\n},`);
}

/** Lines of a method that says what it lacks when it is called. Names come from the model, which makes identifiers of them. */
function stub(endpoint: Endpoint, { name }: Delivery): readonly string[] {
  return [`${name}(_payload, _conn) {`, `  throw new Error("${endpoint.name}.${name} is not implemented yet");`, "},"];
}

/** A handler file of the user's. */
export interface HandlerFile {
  /** Absolute path. */
  readonly path: string;
  readonly text: string;
}

/** What became of a handler file. */
export interface MergedHandlers {
  /** The text as it should be: the very same where nothing was missing. */
  readonly text: string;
  /** Names of the methods that were added. */
  readonly added: readonly string[];
  /** Methods whose message is gone; what could not be added. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Adds the methods that a handler file lacks, and finds those whose message is gone. Loads a TypeScript parser: some 200 ms. */
export async function mergeHandlers(file: HandlerFile, endpoint: Endpoint): Promise<MergedHandlers> {
  const { ts } = await import("ts-morph");
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const { name, typeName } = endpoint;
  const { deliveries } = endpoint.clientToServer;
  const untouched = (diagnostic: Diagnostic): MergedHandlers => ({ text: file.text, added: [], diagnostics: [diagnostic] });

  const [broken] = syntaxErrors(source);
  if (broken !== undefined) {
    return untouched({
      severity: "warning",
      code: "handlers-syntax",
      message: `The handlers of \`${name}\` cannot be read: ${broken.message}`,
      fix: "Correct the file and generate again; until then it is left as it is.",
      position: positionAt(source, broken.start, broken.start),
    });
  }

  const found = findHandlers(ts, source, endpoint);
  const handled = found.messages === undefined ? [] : propertyNames(ts, found.messages);
  const missing = deliveries.filter((delivery) => !handled.some((property) => property.name === delivery.name));
  const orphans = handled.filter((property) => !deliveries.some((delivery) => delivery.name === property.name));
  const diagnostics = orphans.map(
    (property): Diagnostic => ({
      severity: "warning",
      code: "handlers-orphan",
      message: `\`${name}.${property.name}\` handles a message that the document does not have any more.`,
      fix: "Remove the method, or rename it if its message was renamed.",
      position: positionAt(source, property.node.getStart(source), property.node.end),
    }),
  );
  if (missing.length === 0) return { text: file.text, added: [], diagnostics };

  const target = found.messages ?? found.handler;
  if (target === undefined || target.properties.some(ts.isSpreadAssignment)) {
    const names = missing.map((delivery) => `\`${delivery.name}(payload, conn)\``).join(", ");
    const at = target ?? source.statements[0] ?? source;
    const spread: Diagnostic = {
      severity: "hint",
      code: "handlers-spread",
      message: `The handlers of \`${name}\` are put together with \`...\`, so nothing was added: TypeScript will say what is missing of ${names}.`,
      position: positionAt(source, at.getStart(source), at.getStart(source)),
    };
    const lost: Diagnostic = {
      severity: "warning",
      code: "handlers-not-found",
      message: `There is no object of type \`${typeName}Handler\` in this file, so nothing was added.`,
      fix: `Add ${names} to the \`messages\` of your \`${typeName}Handler\` by hand, or annotate the object with that type.`,
      position: positionAt(source, at.getStart(source), at.getStart(source)),
    };
    return { text: file.text, added: [], diagnostics: [...diagnostics, target === undefined ? lost : spread] };
  }

  const style = styleOf(source, target);
  const members = missing.map((delivery) => stub(endpoint, delivery));
  const lines = found.messages === undefined ? [["messages: {", ...members.flat().map((line) => `  ${line}`), "},"]] : members;
  return { text: insertMembers(source, target, lines, style), added: missing.map((delivery) => delivery.name), diagnostics };
}

type TypeScript = typeof ts;

/** The parser keeps its complaints where its public types do not show them. */
function syntaxErrors(source: ts.SourceFile): readonly { readonly start: number; readonly message: string }[] {
  const { parseDiagnostics = [] } = source as ts.SourceFile & { readonly parseDiagnostics?: readonly ts.DiagnosticWithLocation[] };
  return parseDiagnostics.map(({ start, messageText }) => ({
    start,
    message: typeof messageText === "string" ? messageText : messageText.messageText,
  }));
}

function positionAt(source: ts.SourceFile, start: number, end: number): Position {
  const from = source.getLineAndCharacterOfPosition(start);
  const to = source.getLineAndCharacterOfPosition(end);
  return { file: source.fileName, line: from.line + 1, column: from.character + 1, endLine: to.line + 1, endColumn: to.character + 1 };
}

/** The user's handler object and its `messages`, each as far as it is an object literal of this file. */
interface FoundHandlers {
  readonly handler: ts.ObjectLiteralExpression | undefined;
  readonly messages: ts.ObjectLiteralExpression | undefined;
}

/** Finds them by their types, wherever they are annotated (variable, `satisfies`, a function's return type), else by the variable's name. */
function findHandlers(ts: TypeScript, source: ts.SourceFile, { name, typeName }: Endpoint): FoundHandlers {
  const annotated = (type: string): ts.ObjectLiteralExpression | undefined => {
    const local = localName(ts, source, type);
    return firstOf(descendants(source), (node) =>
      ts.isTypeReferenceNode(node) && node.typeName.getText(source) === local
        ? objectOf(ts, source, annotatedExpressions(ts, node))
        : undefined,
    );
  };
  const named = (): ts.ObjectLiteralExpression | undefined => objectOf(ts, source, variable(ts, source, name));
  const handler = annotated(`${typeName}Handler`) ?? named();
  const property = handler?.properties.find((property) => property.name?.getText(source) === "messages");
  const value =
    property === undefined
      ? []
      : ts.isPropertyAssignment(property)
        ? [property.initializer]
        : ts.isShorthandPropertyAssignment(property)
          ? variable(ts, source, "messages")
          : [];
  const messages = objectOf(ts, source, value) ?? annotated(`${typeName}Messages`);
  // `messages` made elsewhere: there is nothing here to add to.
  return property !== undefined && messages === undefined ? { handler: undefined, messages: undefined } : { handler, messages };
}

/** What an imported type is called in this file. */
function localName(ts: TypeScript, source: ts.SourceFile, type: string): string {
  const specifier = firstOf(descendants(source), (node) =>
    ts.isImportSpecifier(node) && node.propertyName?.text === type ? node : undefined,
  );
  return specifier?.name.text ?? type;
}

/** The expressions whose type a type reference says, also from inside another type (`Promise<RoomHandler>`). */
function annotatedExpressions(ts: TypeScript, reference: ts.TypeReferenceNode): readonly ts.Expression[] {
  let type: ts.Node = reference;
  while (ts.isTypeNode(type.parent)) type = type.parent;
  const owner = type.parent;
  if (ts.isVariableDeclaration(owner)) return owner.initializer === undefined ? [] : [owner.initializer];
  if (ts.isSatisfiesExpression(owner) || ts.isAsExpression(owner)) return [owner.expression];
  if (ts.isArrowFunction(owner) && owner.type === type && !ts.isBlock(owner.body)) return [owner.body];
  if (ts.isFunctionLike(owner) && owner.type === type) {
    return [...descendants(owner)].flatMap((node) =>
      ts.isReturnStatement(node) && node.expression !== undefined ? [node.expression] : [],
    );
  }
  return [];
}

function variable(ts: TypeScript, source: ts.SourceFile, name: string): readonly ts.Expression[] {
  const declaration = firstOf(descendants(source), (node) =>
    ts.isVariableDeclaration(node) && node.name.getText(source) === name ? node : undefined,
  );
  return declaration?.initializer === undefined ? [] : [declaration.initializer];
}

/** The object literal behind an expression: through parentheses, `as`, `satisfies`, one call (`Object.freeze({…})`) and a variable. */
function objectOf(
  ts: TypeScript,
  source: ts.SourceFile,
  expressions: readonly ts.Expression[],
  depth = 0,
): ts.ObjectLiteralExpression | undefined {
  if (depth > 8) return undefined;
  return firstOf(expressions, (expression) => {
    if (ts.isObjectLiteralExpression(expression)) return expression;
    if (ts.isParenthesizedExpression(expression) || ts.isAsExpression(expression) || ts.isSatisfiesExpression(expression)) {
      return objectOf(ts, source, [expression.expression], depth + 1);
    }
    if (ts.isCallExpression(expression)) return objectOf(ts, source, expression.arguments, depth + 1);
    if (ts.isArrowFunction(expression) && !ts.isBlock(expression.body)) return objectOf(ts, source, [expression.body], depth + 1);
    return ts.isIdentifier(expression) ? objectOf(ts, source, variable(ts, source, expression.text), depth + 1) : undefined;
  });
}

interface NamedProperty {
  readonly name: string;
  readonly node: ts.Node;
}

function propertyNames(ts: TypeScript, literal: ts.ObjectLiteralExpression): readonly NamedProperty[] {
  return literal.properties.flatMap((property): readonly NamedProperty[] => {
    const node = property.name;
    if (node === undefined) return [];
    if (ts.isComputedPropertyName(node)) return ts.isStringLiteralLike(node.expression) ? [{ name: node.expression.text, node }] : [];
    return ts.isPrivateIdentifier(node) || ts.isBigIntLiteral(node) ? [] : [{ name: node.text, node }];
  });
}

function* descendants(node: ts.Node): Generator<ts.Node> {
  for (const child of node.getChildren()) {
    yield child;
    yield* descendants(child);
  }
}

function firstOf<T, U>(items: Iterable<T>, pick: (item: T) => U | undefined): U | undefined {
  for (const item of items) {
    const picked = pick(item);
    if (picked !== undefined) return picked;
  }
  return undefined;
}

/** How the user writes. */
interface Style {
  readonly newline: string;
  /** Indentation of a member, and of the closing brace. */
  readonly member: string;
  readonly closing: string;
  readonly unit: string;
  readonly quote: string;
  readonly semicolon: string;
  /** Whether an empty line stands between two members. */
  readonly spaced: boolean;
}

function styleOf({ text }: ts.SourceFile, literal: ts.ObjectLiteralExpression): Style {
  const starts = literal.properties.map((property) => property.getFullStart() + property.getLeadingTriviaWidth());
  const last = starts.at(-1);
  const closing = indentationAt(text, literal.getStart());
  const own = last === undefined ? undefined : indentationAt(text, last);
  // A member that does not begin its line says nothing about indentation.
  const member = own !== undefined && own.length > closing.length ? own : closing + (/^( {2,}|\t)/m.exec(text)?.[1] ?? "  ");
  const previous = literal.properties.at(-2);
  const single = text.match(/\bfrom '/g)?.length ?? 0;
  const double = text.match(/\bfrom "/g)?.length ?? 0;
  return {
    newline: /\r?\n/.exec(text)?.[0] ?? "\n",
    member,
    closing,
    unit: member.startsWith(closing) ? member.slice(closing.length) : "  ",
    quote: single > double ? "'" : '"',
    semicolon: /^import\b.*['"][ \t]*\r?$/m.test(text) ? "" : ";",
    spaced: previous === undefined || last === undefined || /\n[ \t]*\r?\n/.test(text.slice(previous.end, last)),
  };
}

function indentationAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** Puts members behind the last one of an object literal; nothing else of the text changes. */
function insertMembers(
  { text }: ts.SourceFile,
  literal: ts.ObjectLiteralExpression,
  members: readonly (readonly string[])[],
  style: Style,
): string {
  const { newline } = style;
  const { properties } = literal;
  const last = properties.at(-1);
  const printed = members.map((lines) => lines.map((line) => inStyle(line, style)).join(newline));
  const trailing = last === undefined || properties.hasTrailingComma === true;
  const code = trailing ? printed : [...printed.slice(0, -1), (printed.at(-1) ?? "").replace(/,$/, "")];
  const between = style.spaced ? newline + newline : newline;

  const brace = literal.end - 1;
  if (last === undefined) {
    const inside = text.slice(literal.getStart() + 1, brace);
    const at = inside.trim() === "" ? literal.getStart() + 1 : brace - (inside.length - inside.trimEnd().length);
    const rest = inside.includes("\n") ? "" : newline + style.closing;
    const kept = inside.trim() === "" && !inside.includes("\n") ? brace : at;
    return text.slice(0, at) + newline + code.join(between) + rest + text.slice(kept);
  }
  const after = trailing ? properties.end : last.end;
  // A comment on the same line belongs to what stands before it.
  const comment = /^[ \t]*(\/\/[^\r\n]*|(\/\*[^\r\n]*\*\/[ \t]*)?(?=\r?\n))/.exec(text.slice(after));
  const at = comment === null ? after : after + comment[0].length;
  const end = comment === null ? newline + style.closing : "";
  return text.slice(0, last.end) + (trailing ? "" : ",") + text.slice(last.end, at) + between + code.join(between) + end + text.slice(at);
}

function inStyle(line: string, { member, unit, quote, semicolon }: Style): string {
  const depth = /^ */.exec(line)?.[0].length ?? 0;
  const code = line.trimStart().replaceAll('"', quote).replace(/;$/, semicolon);
  return member + unit.repeat(depth / 2) + code;
}
