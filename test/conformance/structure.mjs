// Reads generated files back with a TypeScript parser and says where their structure is not what the model says: text of a document that became code
// would show here as a statement, a call or a name that nobody planned.
import { isDeepStrictEqual } from "node:util";
import { ts } from "ts-morph";

const { SyntaxKind } = ts;

/** The statements each file may have at its top level; generated TypeScript has no control flow. */
const statements = {
  "types.ts": ["InterfaceDeclaration", "TypeAliasDeclaration"],
  "schemas.ts": ["ImportDeclaration", "VariableStatement", "TypeAliasDeclaration", "InterfaceDeclaration"],
  "validators.ts": ["ImportDeclaration", "VariableStatement", "FunctionDeclaration", "ExpressionStatement"],
  "contract.server.ts": ["ImportDeclaration", "VariableStatement"],
  "contract.client.ts": ["ImportDeclaration", "VariableStatement"],
  "server.ts": ["ImportDeclaration", "ExportDeclaration", "InterfaceDeclaration", "TypeAliasDeclaration", "FunctionDeclaration"],
  "client.ts": [
    "ImportDeclaration",
    "ExportDeclaration",
    "InterfaceDeclaration",
    "TypeAliasDeclaration",
    "FunctionDeclaration",
    "VariableStatement",
  ],
};

/** What a guard may use that is not in its own file. */
const globals = new Set(
  (
    "Array Date Infinity JSON Map Math NaN Number Object RegExp Set String Symbol URL decodeURIComponent encodeURIComponent undefined isFinite isNaN BigInt Boolean WeakSet WeakMap " +
    "Uint8Array ArrayBuffer"
  ).split(" "),
);

/**
 * What is wrong with the files of one output folder, as lines for people.
 *
 * @param {Record<string, string>} text of the files, by path
 * @param {import("../../codegen/src/model/model.ts").Model} model
 */
export function structureProblems(text, model) {
  const problems = [];
  for (const [path, code] of Object.entries(text)) {
    const source = ts.createSourceFile(path, code, ts.ScriptTarget.ESNext, true);
    const fail = (problem, node) =>
      problems.push(`${path}:${source.getLineAndCharacterOfPosition(node?.getStart() ?? 0).line + 1}: ${problem}`);
    for (const { messageText } of source.parseDiagnostics) fail(`does not parse: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
    const allowed = statements[path];
    if (allowed === undefined) {
      fail("nobody planned this file");
      continue;
    }
    for (const statement of source.statements)
      if (!allowed.some((kind) => SyntaxKind[kind] === statement.kind)) fail(`a ${SyntaxKind[statement.kind]} at the top level`, statement);
    for (const problem of path === "validators.ts" ? looseNames(source) : looseCalls(source)) fail(problem.text, problem.node);
    if (path === "types.ts")
      compareNames(
        exportedNames(source),
        model.types.map(({ name }) => name),
        fail,
      );
    if (path.startsWith("contract.")) compareContract(source, path.includes("server"), model, fail);
  }
  return problems;
}

/** Calls of anything but what was imported, and every statement that is not data. */
function looseCalls(source) {
  const found = [];
  const imported = new Set();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const { namedBindings, name } = statement.importClause ?? {};
    if (name !== undefined) imported.add(name.text);
    if (namedBindings !== undefined && ts.isNamedImports(namedBindings))
      for (const element of namedBindings.elements) imported.add(element.name.text);
  }
  visit(source, (node) => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      let callee = node.expression;
      while (ts.isPropertyAccessExpression(callee)) callee = callee.expression;
      const isPattern = callee.getText() === "RegExp" && node.arguments?.every(ts.isStringLiteral);
      if (!isPattern && (!ts.isIdentifier(callee) || !imported.has(callee.text)))
        found.push({ text: `calls ${node.expression.getText().slice(0, 60)}`, node });
    }
    if (ts.isTemplateExpression(node)) found.push({ text: "has a template that is evaluated", node });
    if (ts.isFunctionExpression(node) || ts.isArrowFunction(node) || ts.isIfStatement(node) || ts.isIterationStatement(node, false))
      found.push({ text: `has a ${SyntaxKind[node.kind]}`, node });
  });
  return found;
}

/** Names that a guard uses and its file does not declare. */
function looseNames(source) {
  const declared = new Set();
  visit(source, (node) => {
    if (
      (ts.isVariableDeclaration(node) ||
        ts.isParameter(node) ||
        ts.isBindingElement(node) ||
        ts.isFunctionDeclaration(node) ||
        ts.isFunctionExpression(node) ||
        ts.isImportSpecifier(node)) &&
      node.name !== undefined &&
      ts.isIdentifier(node.name)
    )
      declared.add(node.name.text);
    if (ts.isLabeledStatement(node)) declared.add(node.label.text);
  });
  const found = [];
  visit(source, (node) => {
    if (node.kind === SyntaxKind.ImportKeyword && ts.isCallExpression(node.parent)) found.push({ text: "imports at run time", node });
    if (!ts.isIdentifier(node) || declared.has(node.text) || globals.has(node.text)) return;
    const { parent } = node;
    if ((ts.isPropertyAccessExpression(parent) && parent.name === node) || (ts.isPropertyAssignment(parent) && parent.name === node))
      return;
    if (ts.isTypeReferenceNode(parent) || ts.isImportSpecifier(parent) || ts.isBindingElement(parent)) return;
    found.push({ text: `uses ${node.text}, which is neither its own nor harmless`, node });
  });
  return found;
}

function exportedNames(source) {
  return source.statements.flatMap((statement) =>
    statement.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword) && statement.name !== undefined ? [statement.name.text] : [],
  );
}

function compareNames(found, wanted, fail) {
  const [has, needs] = [new Set(found), new Set(wanted)];
  for (const name of needs) if (!has.has(name)) fail(`${name} is missing`);
  for (const name of has) if (!needs.has(name)) fail(`${name} is not in the model`);
}

/** The contract as data, against the model it was printed from. */
function compareContract(source, isServer, model, fail) {
  const statement = source.statements.find(ts.isVariableStatement);
  const contract = decode(statement.declarationList.declarations[0].initializer);
  const same = (found, wanted, what) => {
    if (!isDeepStrictEqual(found, wanted))
      fail(`${what} is ${JSON.stringify(found)?.slice(0, 200)}, and in the model ${JSON.stringify(wanted)?.slice(0, 200)}`);
  };
  same(contract.title, model.title, "the title");
  same(
    Object.keys(contract.endpoints),
    Object.keys(Object.fromEntries(model.endpoints.map(({ name }) => [name, 0]))),
    "the list of endpoints",
  );
  for (const endpoint of model.endpoints) {
    const found = contract.endpoints[endpoint.name];
    if (found === undefined) continue;
    const [sends, receives] = isServer
      ? [endpoint.serverToClient, endpoint.clientToServer]
      : [endpoint.clientToServer, endpoint.serverToClient];
    same(found.address, endpoint.address, `the address of ${endpoint.name}`);
    same(found.receives.dispatch, JSON.parse(JSON.stringify(receives.tree)), `the tree of ${endpoint.name}`);
    for (const { name } of receives.deliveries)
      if (found.receives.messages[name] === undefined) fail(`${endpoint.name} cannot receive ${name}`);
    same(Object.keys(found.sends).sort(), sends.messages.map(({ name }) => name).sort(), `what ${endpoint.name} sends`);
    for (const { name, constants } of sends.messages)
      same(found.sends[name]?.constants ?? {}, JSON.parse(JSON.stringify(constants)), `the constants of ${name}`);
  }
}

/** A printed literal as the value it stands for; identifiers are guards. */
function decode(node) {
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node)) return decode(node.expression);
  if (ts.isObjectLiteralExpression(node)) {
    const value = {};
    for (const property of node.properties) {
      const key = ts.isComputedPropertyName(property.name) ? decode(property.name.expression) : property.name.text;
      const given = ts.isShorthandPropertyAssignment(property) ? decode(property.name) : decode(property.initializer);
      Object.defineProperty(value, key, { value: given, enumerable: true, configurable: true, writable: true });
    }
    return value;
  }
  if (ts.isArrayLiteralExpression(node)) return node.elements.map(decode);
  if (ts.isStringLiteral(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isPrefixUnaryExpression(node)) return -decode(node.operand);
  if (node.kind === SyntaxKind.TrueKeyword) return true;
  if (node.kind === SyntaxKind.FalseKeyword) return false;
  if (node.kind === SyntaxKind.NullKeyword) return null;
  if (ts.isIdentifier(node)) return { guard: node.text };
  throw new Error(`A contract holds ${SyntaxKind[node.kind]}`);
}

function visit(node, see) {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}
