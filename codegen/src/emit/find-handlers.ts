// Where in a user's handler file the handlers of an endpoint stand. Surely or not at all: a method put into the wrong object is damage.
import type { ts } from "ts-morph";
import type { Delivery, Docs, Endpoint } from "../model/model.ts";
import { groupsOf } from "./signatures.ts";

export type TypeScript = typeof ts;

/**
 * What was found: the messages' methods, a handler that has no `messages` yet, parts that are put together elsewhere, a function that reads
 * the messages itself, or nothing sure.
 */
export type FoundHandlers =
  | { readonly kind: "messages" | "handler"; readonly literal: ts.ObjectLiteralExpression }
  | { readonly kind: "spread"; readonly at: ts.Node }
  | { readonly kind: "reader" }
  | { readonly kind: "unsure"; readonly at: ts.Node | undefined };

/** One object of a handler that holds methods: `messages`, or a topic's. */
export interface Section {
  readonly key: string;
  /** Name of the interface that says what is in it. */
  readonly type: string;
  readonly docs: Docs;
  readonly deliveries: readonly Delivery[];
}

/** The objects of an endpoint's handler; that of the socket's own messages comes first and may have none. */
export function sectionsOf(endpoint: Endpoint): readonly Section[] {
  const { socket, topics } = groupsOf(endpoint, "server");
  return [socket, ...topics.filter(({ receives }) => receives.deliveries.length > 0)].map(({ topic, typeName, receives }) => ({
    key: topic?.name ?? "messages",
    type: `${typeName}Messages`,
    docs: topic?.docs ?? {},
    deliveries: receives.deliveries,
  }));
}

/** What can hold handlers. */
type Holder = ts.ObjectLiteralExpression | ts.ClassLikeDeclaration;

/** A place that says it is of a handler's type. */
interface Candidate {
  /** The variable, function or class around it. */
  readonly name: string | undefined;
  readonly at: ts.Node;
  /** Absent when it is made in a way that nobody can follow from outside. */
  readonly holder: Holder | undefined;
}

/** Types around a handler's type that leave it complete: `Partial` or `Record` do not. */
const wrappers: ReadonlySet<string> = new Set(["Promise", "Readonly"]);
/** Functions that give back what they are given. */
const identities: ReadonlySet<string> = new Set(["Object.freeze", "Object.seal"]);
/** How far a value is followed through variables and calls. */
const maxDepth = 8;

/** Finds the handlers by their types (variable, `satisfies`, return type, `implements`), else by the variable that is named like the endpoint. */
export function findHandlers(ts: TypeScript, source: ts.SourceFile, endpoint: Endpoint, { key, type, deliveries }: Section): FoundHandlers {
  const { name, typeName } = endpoint;
  const nodes = [...descendants(source)];
  const messageNames: ReadonlySet<string> = new Set(deliveries.map(({ method }) => method));
  const objectKeys: ReadonlySet<string> = new Set(["messages", ...endpoint.topics.map((topic) => topic.name)]);
  const handlerKeys: ReadonlySet<string> = new Set(["open", ...objectKeys, "close"]);

  const typed = of(typedHandlers());
  const handler = typed ?? of(namedHandler());
  const several = handler === undefined && typedHandlers().length > 1;
  const messages = several ? undefined : onlyOne(typedMessages());
  if (handler === undefined) {
    if (messages !== undefined) return { kind: "messages", literal: messages };
    if (nodes.some((node) => isReference(node, localName(`${typeName}Reader`)))) return { kind: "reader" };
    return { kind: "unsure", at: typedHandlers()[0]?.at ?? namedHandler()[0]?.at };
  }

  const member = membersOf(ts, handler).find((member) => member.name === key)?.node;
  const value = member === undefined ? undefined : memberValue(member);
  const literal = value !== undefined && ts.isObjectLiteralExpression(value) ? value : messages;
  if (literal !== undefined) return { kind: "messages", literal };
  if (member !== undefined) return { kind: "unsure", at: member };
  if (ts.isObjectLiteralExpression(handler)) {
    return handler.properties.some(ts.isSpreadAssignment) ? { kind: "spread", at: handler } : { kind: "handler", literal: handler };
  }
  return { kind: "unsure", at: handler.name ?? handler };

  /** The one holder among candidates; those named like the endpoint come before all others. */
  function of(candidates: readonly Candidate[]): Holder | undefined {
    const named = candidates.filter((candidate) => candidate.name === name);
    return onlyOne((named.length > 0 ? named : candidates).flatMap(({ holder }) => holder ?? []));
  }

  function typedHandlers(): readonly Candidate[] {
    const local = localName(`${typeName}Handler`);
    return nodes.flatMap((node): readonly Candidate[] => {
      if (isReference(node, local)) return annotated(node, handlerKeys);
      const implemented = ts.isClassLike(node)
        ? node.heritageClauses?.some(
            ({ token, types }) =>
              token === ts.SyntaxKind.ImplementsKeyword && types.some(({ expression }) => expression.getText(source) === local),
          )
        : false;
      return implemented === true && ts.isClassLike(node) ? [{ name: node.name?.text, at: node.name ?? node, holder: node }] : [];
    });
  }

  /** Objects of type `RoomMessages` or `RoomHandler["messages"]` (of a topic: `RoomTickerMessages`, `RoomHandler["ticker"]`): by their type they have every method, whatever is made of them. */
  function typedMessages(): readonly ts.ObjectLiteralExpression[] {
    const direct = localName(type);
    const owner = localName(`${typeName}Handler`);
    return nodes.flatMap((node) => {
      const isDirect = isReference(node, direct);
      const isMember =
        ts.isIndexedAccessTypeNode(node) &&
        ts.isTypeReferenceNode(node.objectType) &&
        node.objectType.typeName.getText(source) === owner &&
        node.indexType.getText(source).slice(1, -1) === key;
      const found = isDirect || isMember ? annotated(node, messageNames) : [];
      return found.flatMap(({ holder }) => (holder !== undefined && ts.isObjectLiteralExpression(holder) ? [holder] : []));
    });
  }

  function namedHandler(): readonly Candidate[] {
    return nodes.flatMap((node): readonly Candidate[] => {
      if (!(ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node)) || scopeOf(node) !== source) return [];
      if (node.name === undefined || node.name.getText(source) !== name) return [];
      const values = ts.isFunctionDeclaration(node) ? returned(node) : node.initializer === undefined ? [] : [node.initializer];
      return [{ name, at: node.name, holder: onlyOne(values.flatMap((value) => follow(value, handlerKeys) ?? [])) }];
    });
  }

  function isReference(node: ts.Node, local: string): node is ts.TypeReferenceNode {
    return ts.isTypeReferenceNode(node) && node.typeName.getText(source) === local;
  }

  /** What an imported type is called in this file. */
  function localName(type: string): string {
    const specifier = nodes.find((node) => ts.isImportSpecifier(node) && node.propertyName?.text === type);
    return specifier !== undefined && ts.isImportSpecifier(specifier) ? specifier.name.text : type;
  }

  /** The value whose type an annotation says. */
  function annotated(annotation: ts.TypeNode, keys: ReadonlySet<string>): readonly Candidate[] {
    let type: ts.Node = annotation;
    while (
      ts.isParenthesizedTypeNode(type.parent) ||
      (ts.isTypeReferenceNode(type.parent) && wrappers.has(type.parent.typeName.getText(source)))
    ) {
      type = type.parent;
    }
    const owner = type.parent;
    const values =
      ts.isVariableDeclaration(owner) || ts.isPropertyDeclaration(owner)
        ? owner.initializer === undefined
          ? []
          : [owner.initializer]
        : ts.isSatisfiesExpression(owner) || ts.isAsExpression(owner)
          ? [owner.expression]
          : ts.isFunctionLike(owner) && owner.type === type
            ? returned(owner)
            : [];
    if (values.length === 0) return [];
    return [{ name: nameAround(owner), at: owner, holder: onlyOne(values.flatMap((value) => follow(value, keys) ?? [])) }];
  }

  function nameAround(owner: ts.Node): string | undefined {
    for (let node = owner; ; node = node.parent) {
      if (ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node)) return node.name?.getText(source);
      const passes = ts.isExpression(node) && !ts.isObjectLiteralExpression(node) && !ts.isIdentifier(node);
      if (!passes) return undefined;
    }
  }

  /** What a function gives back; what the functions inside it give back is none of it. */
  function returned(owner: ts.Node): readonly ts.Expression[] {
    if (ts.isArrowFunction(owner) && !ts.isBlock(owner.body)) return [owner.body];
    return nodes.flatMap((node) => {
      if (!ts.isReturnStatement(node) || node.expression === undefined) return [];
      let around: ts.Node = node.parent;
      while (!ts.isFunctionLike(around) && !ts.isSourceFile(around)) around = around.parent;
      return around === owner ? [node.expression] : [];
    });
  }

  /** The object or class behind an expression, as far as this file shows it; `keys` are what tells handlers from options of a call. */
  function follow(expression: ts.Expression, keys: ReadonlySet<string>, depth = 0): Holder | undefined {
    if (depth > maxDepth) return undefined;
    const next = (inner: ts.Expression): Holder | undefined => follow(inner, keys, depth + 1);
    if (ts.isObjectLiteralExpression(expression)) return expression;
    if (
      ts.isParenthesizedExpression(expression) ||
      ts.isAsExpression(expression) ||
      ts.isSatisfiesExpression(expression) ||
      ts.isAwaitExpression(expression)
    ) {
      return next(expression.expression);
    }
    if (ts.isIdentifier(expression)) {
      const declared = declarationOf(expression);
      return declared !== undefined && ts.isVariableDeclaration(declared) && declared.initializer !== undefined
        ? next(declared.initializer)
        : undefined;
    }
    if (ts.isNewExpression(expression) && ts.isIdentifier(expression.expression)) {
      const declared = declarationOf(expression.expression);
      return declared !== undefined && ts.isClassDeclaration(declared) ? declared : undefined;
    }
    if (ts.isArrowFunction(expression) || ts.isFunctionExpression(expression)) {
      return onlyOne(returned(expression).flatMap((value) => next(value) ?? []));
    }
    if (!ts.isCallExpression(expression)) return undefined;
    const [first] = expression.arguments;
    if (first !== undefined && identities.has(expression.expression.getText(source))) return next(first);
    const called = ts.isIdentifier(expression.expression) ? declarationOf(expression.expression) : undefined;
    const body = called !== undefined && ts.isVariableDeclaration(called) ? called.initializer : called;
    const made = body !== undefined && ts.isFunctionLike(body) ? returned(body) : [];
    return onlyOne([...expression.arguments, ...made].flatMap((value) => next(value) ?? []).filter((holder) => holdsOne(holder, keys)));
  }

  /** Whether an object has one of some handlers; `{ level: 1 }` has none, whatever it is called. */
  function holdsOne(holder: Holder, keys: ReadonlySet<string>): boolean {
    return membersOf(ts, holder).some(({ name, node }) => {
      if (!keys.has(name)) return false;
      const value = ts.isPropertyAssignment(node) || ts.isPropertyDeclaration(node) ? node.initializer : undefined;
      if (value === undefined) return true;
      if (ts.isObjectLiteralExpression(value)) return objectKeys.has(name);
      return !(ts.isLiteralExpression(value) || ts.isArrayLiteralExpression(value) || /^(true|false|null)$/.test(value.getText(source)));
    });
  }

  function memberValue(member: ts.Node): Holder | undefined {
    if (ts.isShorthandPropertyAssignment(member)) return follow(member.name, messageNames);
    if (!(ts.isPropertyAssignment(member) || ts.isPropertyDeclaration(member)) || member.initializer === undefined) return undefined;
    return follow(member.initializer, messageNames);
  }

  /** What a name means where it stands: the declaration of that name in the innermost block around it. */
  function declarationOf(reference: ts.Identifier): ts.Node | undefined {
    let found: { readonly node: ts.Node; readonly length: number } | undefined;
    for (const node of nodes) {
      if (!declares(node, reference.text)) continue;
      const scope = scopeOf(node);
      const length = scope.end - scope.pos;
      if (scope.pos <= reference.pos && reference.end <= scope.end && (found === undefined || length < found.length))
        found = { node, length };
    }
    return found?.node;
  }

  function declares(node: ts.Node, text: string): boolean {
    const declaration =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isNamespaceImport(node);
    return declaration && node.name?.getText(source) === text;
  }

  function scopeOf(declaration: ts.Node): ts.Node {
    let scope = declaration.parent;
    while (
      !(ts.isBlock(scope) || ts.isSourceFile(scope) || ts.isFunctionLike(scope) || ts.isModuleBlock(scope) || ts.isForOfStatement(scope))
    ) {
      scope = scope.parent;
    }
    return scope;
  }
}

/** A member with a name that is known without running anything. */
export interface NamedMember {
  readonly name: string;
  readonly node: ts.ObjectLiteralElementLike | ts.ClassElement;
  /** Where the name stands. */
  readonly at: ts.Node;
}

/** The members of an object or a class by their names, however these are written: `a`, `"a"`, `["a"]`. */
export function membersOf(ts: TypeScript, holder: Holder): readonly NamedMember[] {
  const members: readonly (ts.ObjectLiteralElementLike | ts.ClassElement)[] = ts.isObjectLiteralExpression(holder)
    ? holder.properties
    : holder.members;
  return members.flatMap((node): readonly NamedMember[] => {
    const at = node.name;
    if (at === undefined) return [];
    if (ts.isComputedPropertyName(at)) return ts.isStringLiteralLike(at.expression) ? [{ name: at.expression.text, node, at }] : [];
    return ts.isPrivateIdentifier(at) || ts.isBigIntLiteral(at) ? [] : [{ name: at.text, node, at }];
  });
}

/** Names of all members of all objects and classes of a file. */
export function allMemberNames(ts: TypeScript, source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of descendants(source)) {
    if (ts.isObjectLiteralExpression(node) || ts.isClassLike(node)) for (const { name } of membersOf(ts, node)) names.add(name);
  }
  return names;
}

function* descendants(node: ts.Node): Generator<ts.Node> {
  for (const child of node.getChildren()) {
    yield child;
    yield* descendants(child);
  }
}

/** The one item of a list that may name it more than once. */
function onlyOne<T>(items: readonly T[]): T | undefined {
  const [first, second] = new Set(items);
  return second === undefined ? first : undefined;
}
