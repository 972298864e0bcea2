// handlers/*.ts: printed once into the user's folder, theirs from then on. Later only what is missing is added, and every other byte stays.
import type { ts } from "ts-morph";
import type { Diagnostic, Position } from "../diagnostics.ts";
import type { Delivery, Endpoint } from "../model/model.ts";
import { createGeneratedFile, type GeneratedFile } from "./file.ts";
import { allMemberNames, findHandlers, membersOf, type Section, sectionsOf, type TypeScript } from "./find-handlers.ts";

/** Prints a new handler file; `serverModule` is how it imports server.ts. */
export function printHandlers(endpoint: Endpoint, serverModule: string): string {
  const { name, typeName } = endpoint;
  const sections = sectionsOf(endpoint).filter(({ deliveries }) => deliveries.length > 0);
  const file = createGeneratedFile(`${name}.ts`, "");
  file.declare(name);
  const type = file.import(`${typeName}Handler`, serverModule);
  file.doc(endpoint.docs);
  file.block(
    `export const ${name}: ${type} = {`,
    () => {
      if (sections.length === 0) return printOpen(endpoint, file.print);
      sections.forEach(({ key, docs, deliveries }, index) => {
        if (index > 0) file.print("");
        file.doc(docs);
        file.block(`${key}: {`, () => printStubs(endpoint, deliveries, file), "},");
      });
    },
    "};",
  );
  return file.toString();
}

function printStubs(endpoint: Endpoint, deliveries: readonly Delivery[], file: GeneratedFile): void {
  deliveries.forEach((delivery, index) => {
    if (index > 0) file.print("");
    file.doc(delivery.docs);
    file.print(stub(endpoint, delivery).join("\n"));
  });
}

/** An endpoint that only sends has nothing to handle but the connection itself. It stays open meanwhile: a client would come back again and again. */
function printOpen({ serverToClient }: Endpoint, print: (line: string) => void): void {
  const [first] = serverToClient.deliveries;
  const send = first === undefined ? "" : `: conn.send.${first.name}(…)`;
  print(
    `open(_conn) {\n  // Not implemented yet: nothing is sent. Send what a client hears at once${send}; for later, let it join a room.\n},`,
  );
}

/** Lines of a method that says what it lacks when it is called. Names come from the model, which makes identifiers of them. */
function stub(endpoint: Endpoint, { name, method }: Delivery): readonly string[] {
  return [`${method}(_payload, _conn) {`, `  throw new Error("${endpoint.name}.${name} is not implemented yet");`, "},"];
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
  const source = parse(ts, file);
  const [broken] = syntaxErrors(source);
  if (broken !== undefined) {
    const diagnostic: Diagnostic = {
      severity: "warning",
      code: "handlers-syntax",
      message: `The handlers of \`${endpoint.name}\` cannot be read: ${broken.message}`,
      fix: "Correct the file and generate again; until then it is left as it is.",
      position: positionAt(source, broken.start, broken.start),
    };
    return { text: file.text, added: [], diagnostics: [diagnostic] };
  }

  let { text } = file;
  const added: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const section of sectionsOf(endpoint)) {
    const merged = mergeSection(ts, { ...file, text }, endpoint, section);
    ({ text } = merged);
    added.push(...merged.added);
    // Where the whole handler cannot be followed, that is said once.
    diagnostics.push(...merged.diagnostics.filter((one) => !diagnostics.some((other) => isSame(one, other))));
  }
  return { text, added, diagnostics };
}

const parse = (ts: TypeScript, { path, text }: HandlerFile): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);

function isSame(a: Diagnostic, b: Diagnostic): boolean {
  return a.code === b.code && a.position?.line === b.position?.line && a.position?.column === b.position?.column;
}

/** The same for the methods of one object. */
function mergeSection(ts: TypeScript, file: HandlerFile, endpoint: Endpoint, section: Section): MergedHandlers {
  const source = parse(ts, file);
  const { name, typeName } = endpoint;
  const { key, deliveries } = section;
  const found = findHandlers(ts, source, endpoint, section);
  if (found.kind === "reader") return { text: file.text, added: [], diagnostics: [] }; // TypeScript knows what it may read.
  const handled = found.kind === "messages" ? membersOf(ts, found.literal) : [];
  const orphans = handled.filter((member) => !deliveries.some((delivery) => delivery.method === member.name));
  const place = key === "messages" ? "" : `${key}.`;
  const diagnostics = orphans.map(
    (member): Diagnostic => ({
      severity: "warning",
      code: "handlers-orphan",
      message: `\`${name}.${place}${member.name}\` handles a message that the document does not have any more.`,
      fix: "Remove the method, or rename it if its message was renamed.",
      position: positionAt(source, member.at.getStart(source), member.at.end),
    }),
  );
  const target = "literal" in found ? found.literal : undefined;
  const composed = target === undefined || target.properties.some(ts.isSpreadAssignment);
  const there = new Set(handled.map((member) => member.name));
  // What cannot be followed may well be complete: its methods stand somewhere in the file then.
  const known = composed ? allMemberNames(ts, source) : there;
  const missing = deliveries.filter((delivery) => !known.has(delivery.method));
  if (missing.length === 0) return { text: file.text, added: [], diagnostics };

  if (composed) {
    const names = missing.map((delivery) => `\`${delivery.method}(payload, conn)\``).join(", ");
    const node = target ?? ("at" in found ? found.at : undefined);
    const at = (node ?? source.statements[0] ?? source).getStart(source);
    const position = positionAt(source, at, at);
    const spread: Diagnostic = {
      severity: "hint",
      code: "handlers-spread",
      message: `The handlers of \`${name}\` are put together with \`...\`, so nothing was added: TypeScript will say what is missing of ${names}.`,
      position,
    };
    const lost: Diagnostic = {
      severity: "warning",
      code: "handlers-not-found",
      message:
        node === undefined
          ? `There is no object of type \`${typeName}Handler\` in this file, so nothing was added.`
          : `Which object has the methods for the messages of \`${name}\` is not plain here, so nothing was added.`,
      fix: `Add ${names} to the \`${key}\` of your \`${typeName}Handler\` by hand${node === undefined ? ", or annotate the object with that type" : ""}.`,
      position,
    };
    return { text: file.text, added: [], diagnostics: [...diagnostics, found.kind === "unsure" ? lost : spread] };
  }

  const crowded = outermostOneLiner(ts, source, target);
  if (crowded !== undefined) {
    // What is added takes several lines; what was on one line before gets lines of its own, from the outside in.
    const { text, added } = mergeSection(ts, { ...file, text: onOwnLines(source, crowded) }, endpoint, section);
    return { text, added, diagnostics };
  }
  const style = styleOf(source, target);
  const members = missing.map((delivery) => stub(endpoint, delivery));
  const spaced = members.flatMap((lines, index) => (index > 0 ? ["", ...lines] : lines));
  const lines = found.kind === "messages" ? members : [[`${key}: {`, ...spaced.map((line) => (line === "" ? "" : `  ${line}`)), "},"]];
  return { text: insertMembers(source, target, lines, style), added: missing.map((delivery) => delivery.name), diagnostics };
}

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

/** The outermost object literal around a place to add to that has members and is written on one line, together with all that lie between. */
function outermostOneLiner(
  ts: TypeScript,
  source: ts.SourceFile,
  target: ts.ObjectLiteralExpression,
): ts.ObjectLiteralExpression | undefined {
  let found: ts.ObjectLiteralExpression | undefined;
  for (let literal = target; ; ) {
    if (literal.properties.length > 0 && !literal.getText(source).includes("\n")) found = literal;
    const { parent } = literal;
    if (!ts.isPropertyAssignment(parent) || !ts.isObjectLiteralExpression(parent.parent)) return found;
    literal = parent.parent;
  }
}

/** The file's text with every member of an object literal on a line of its own. */
function onOwnLines(source: ts.SourceFile, literal: ts.ObjectLiteralExpression): string {
  const { text } = source;
  const { newline, member, closing } = styleOf(source, literal);
  const { properties } = literal;
  // A property begins right behind the comma before it.
  const last = properties.hasTrailingComma === true ? properties.end - 1 : (properties.at(-1)?.end ?? literal.end - 1);
  const lines = properties.map((property, index) => {
    const next = properties[index + 1];
    return newline + member + text.slice(property.pos, next === undefined ? last : next.pos - 1).trim();
  });
  const rest = text.slice(properties.hasTrailingComma === true ? properties.end : last, literal.end - 1).trim();
  const ending = `${rest === "" ? "" : ` ${rest}`}${newline}${closing}`;
  return `${text.slice(0, literal.getStart(source) + 1)}${lines.join(",")},${ending}${text.slice(literal.end - 1)}`;
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
  if (line === "") return "";
  const code = line.trimStart().replaceAll('"', quote).replace(/;$/, semicolon);
  return member + unit.repeat(depth / 2) + code;
}
