// What a schema proves about its values: kinds, fixed values and members, through refs, `allOf`, `anyOf` and `oneOf`.
import type { Constant, Path } from "@wsgen/runtime/generated/server";
import type { JsonObject, JsonValue } from "../document/document.ts";
import { type Alternative, alternativesOf, isConstant, isOpaque, MAX_ALTERNATIVES, type Resolve } from "./alternatives.ts";
import { type Schema, typesOf } from "./keywords.ts";
import { isObject, property } from "./tree.ts";

/** The kinds of JSON value. */
export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/** The values that a schema (or several together) allows, as far as messages can be told apart by it. */
export interface Shape {
  readonly kinds: ReadonlySet<JsonKind>;
  /** All values it can have, when they are listed; `undefined` when free. */
  readonly values: readonly Constant[] | undefined;
  /** Values that some alternative lists, also where another is free. */
  readonly named: readonly Constant[];
  /** The `format` that its strings have, when it is the same for all. */
  readonly format: string | undefined;
  /** Declared properties (by name) and tuple positions (by number). */
  readonly members: ReadonlyMap<string | number, Member>;
  /** A member, also where it is a position in a list whose items are all alike. */
  member(step: string | number): Member | undefined;
  /** Whether a value cannot have this member, because the schema is closed or never an object. */
  forbids(member: string | number): boolean;
}

export interface Member {
  readonly required: boolean;
  readonly shape: Shape;
}

/** What a shape says about one place in its values. */
export interface Evidence {
  readonly presence: "required" | "optional" | "absent";
  /** For an absent one: whether the schema rules it out, or only does not mention it. */
  readonly proven: boolean;
  readonly kinds: ReadonlySet<JsonKind>;
  readonly values: readonly Constant[] | undefined;
  readonly named: readonly Constant[];
}

const ALL_KINDS: ReadonlySet<JsonKind> = new Set<JsonKind>(["object", "array", "string", "number", "boolean", "null"]);

/** Looks at a schema. Members are looked at when they are asked for, so recursive schemas are fine. */
export function shapeOf(schema: Schema, resolve: Resolve): Shape {
  return shapeOfAlternatives(alternativesOf([schema], resolve), resolve);
}

function shapeOfAlternatives(all: readonly Alternative[], resolve: Resolve): Shape {
  const alternatives: Alternative[] = [];
  const values: (readonly Constant[] | undefined)[] = [];
  const kinds = new Set<JsonKind>();
  for (const alternative of all) {
    const allowed = valuesOfAll(alternative);
    const own = kindsOfAll(alternative);
    // An alternative that allows no value at all is none.
    if (own.size === 0 || allowed?.length === 0) continue;
    alternatives.push(alternative);
    values.push(allowed);
    for (const kind of own) kinds.add(kind);
  }
  const opaque = alternatives.some((alternative) => isOpaque(alternative));
  let members: ReadonlyMap<string | number, Member> | undefined;
  let mentioned: ReadonlySet<string | number> | undefined;
  let closed: boolean | undefined;
  return {
    kinds,
    values: opaque ? undefined : union(values),
    named: opaque ? [] : [...new Set(values.flatMap((some) => some ?? []))],
    format: formatOf(alternatives),
    get members() {
      members ??= membersOf(alternatives, opaque, resolve);
      return members;
    },
    member(step) {
      return this.members.get(step) ?? (typeof step === "number" ? memberOf(step, alternatives, opaque, resolve) : undefined);
    },
    forbids(member) {
      if (opaque) return false;
      // One answer for every name that nothing mentions: a thousand messages are asked about each other's properties.
      mentioned ??= new Set(alternatives.flatMap((alternative) => alternative.flatMap(stepsOf)));
      if (typeof member === "number" || mentioned.has(member)) return alternatives.every((alternative) => forbids(alternative, member));
      closed ??= alternatives.every((alternative) => forbids(alternative, member));
      return closed;
    },
  };
}

const unmentioned: Evidence = { presence: "absent", proven: false, kinds: new Set(), values: undefined, named: [] };
const forbidden: Evidence = { ...unmentioned, proven: true };

/** What a shape says about the place that a path leads to. */
export function evidenceAt(shape: Shape, path: Path): Evidence {
  let here = shape;
  let required = true;
  for (const step of path) {
    const member = here.member(step);
    if (member === undefined) return here.forbids(step) ? forbidden : unmentioned;
    required &&= member.required && !othersThan(here.kinds, typeof step === "string" ? "object" : "array");
    here = member.shape;
  }
  return { presence: required ? "required" : "optional", proven: false, kinds: here.kinds, values: here.values, named: here.named };
}

/** The shape of what is declared at a path; `undefined` where nothing is. */
export function shapeAt(shape: Shape, path: Path): Shape | undefined {
  return path.reduce<Shape | undefined>((here, step) => here?.members.get(step)?.shape, shape);
}

/** Whether a value may be one of the shape's: only kinds, constants and members are looked at, so that `false` is certain. */
export function mayBe(shape: Shape, value: JsonValue): boolean {
  if (!shape.kinds.has(kindOf(value))) return false;
  if (isConstant(value)) return shape.values?.includes(value) ?? true;
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return (
    steps.every((step) => {
      const member = shape.member(step);
      return member === undefined ? !shape.forbids(step) : mayBe(member.shape, property(value, String(step)) ?? null);
    }) && [...shape.members].every(([step, { required }]) => !required || property(value, String(step)) !== undefined)
  );
}

/** Paths of all declared members, outer ones first, no deeper than `depth` and no more than `limit`. */
export function pathsOf(shape: Shape, { depth, limit }: { readonly depth: number; readonly limit: number }): Path[] {
  const found: Path[] = [];
  let level: { readonly path: Path; readonly shape: Shape }[] = [{ path: [], shape }];
  for (let at = 0; at < depth && level.length > 0; at += 1) {
    const next: typeof level = [];
    for (const { path, shape: outer } of level) {
      for (const [step, member] of outer.members) {
        if (found.length >= limit) return found;
        const inner = [...path, step];
        found.push(inner);
        next.push({ path: inner, shape: member.shape });
      }
    }
    level = next;
  }
  return found;
}

/** Kinds of JSON value that all of the schemas allow. */
export function kindsOfAll(alternative: Alternative): ReadonlySet<JsonKind> {
  const [first, ...others] = alternative;
  let kinds = first === undefined ? ALL_KINDS : kindsOf(first);
  for (const schema of others) kinds = both(kinds, kindsOf(schema));
  return kinds;
}

/** In the order of the first. */
const both = (kinds: ReadonlySet<JsonKind>, others: ReadonlySet<JsonKind>): ReadonlySet<JsonKind> =>
  new Set([...kinds].filter((kind) => others.has(kind)));

/** One schema is part of many alternatives, and asked about in each. */
const knownKinds = new WeakMap<JsonObject, ReadonlySet<JsonKind>>();

function kindsOf(schema: JsonObject): ReadonlySet<JsonKind> {
  const kinds = knownKinds.get(schema) ?? both(ALL_KINDS, kindsWritten(schema));
  knownKinds.set(schema, kinds);
  return kinds;
}

function kindsWritten(schema: JsonObject): ReadonlySet<JsonKind> {
  let kinds: ReadonlySet<JsonKind> | undefined;
  // The normaliser lets only JSON Schema's type names through; integers are numbers on the wire.
  if (schema["type"] !== undefined) kinds = new Set(typesOf(schema).map((name) => (name === "integer" ? "number" : (name as JsonKind))));
  const values = listedValues(schema);
  if (values !== undefined) {
    const own = new Set(values.map(kindOf));
    return kinds === undefined ? own : new Set([...own].filter((kind) => kinds.has(kind)));
  }
  if (kinds !== undefined) return kinds;
  // Strictly these keywords let every other kind through; nobody who writes them means that.
  if (["properties", "required", "additionalProperties", "patternProperties"].some((key) => schema[key] !== undefined))
    return new Set(["object"]);
  if (schema["items"] !== undefined) return new Set(["array"]);
  return ALL_KINDS;
}

/** Whether a schema is of numbers, and of whole ones alone. */
export function isWhole(schema: JsonObject): boolean {
  const types = typesOf(schema);
  return types.includes("integer") && !types.includes("number");
}

/** The values that a schema lists by itself; `undefined` where it lists none. */
export function listedValues(schema: JsonObject): readonly JsonValue[] | undefined {
  const constant = property(schema, "const");
  if (constant !== undefined) return [constant];
  const { enum: values } = schema;
  return Array.isArray(values) ? values : undefined;
}

function valuesOfAll(alternative: Alternative): readonly Constant[] | undefined {
  let values: readonly JsonValue[] | undefined;
  for (const schema of alternative) {
    const own = listedValues(schema);
    if (own === undefined) continue;
    values = values === undefined ? own : values.filter((value) => own.some((other) => JSON.stringify(other) === JSON.stringify(value)));
  }
  if (values === undefined) return undefined;
  const kinds = kindsOfAll(alternative);
  const possible = values.filter((value) => kinds.has(kindOf(value)));
  return possible.every(isConstant) ? possible : undefined;
}

function formatOf(alternatives: readonly Alternative[]): string | undefined {
  const formats = alternatives.map((alternative) => alternative.map((schema) => schema["format"]).find((format) => format !== undefined));
  const [first] = formats;
  return typeof first === "string" && formats.every((format) => format === first) ? first : undefined;
}

function union(lists: readonly (readonly Constant[] | undefined)[]): readonly Constant[] | undefined {
  if (lists.length === 0) return undefined;
  const all: Constant[] = [];
  for (const list of lists) {
    if (list === undefined) return undefined;
    // One by one: arguments are on the stack, and a list may be longer than that.
    for (const value of list) all.push(value);
  }
  return [...new Set(all)];
}

function membersOf(alternatives: readonly Alternative[], opaque: boolean, resolve: Resolve): ReadonlyMap<string | number, Member> {
  const steps = new Set<string | number>();
  for (const alternative of alternatives) for (const schema of alternative) for (const step of stepsOf(schema)) steps.add(step);
  const members = new Map<string | number, Member>();
  for (const step of steps) {
    const member = memberOf(step, alternatives, opaque, resolve);
    if (member !== undefined) members.set(step, member);
  }
  return members;
}

/** What alternatives say about one member; `undefined` where none of them does. */
function memberOf(step: string | number, alternatives: readonly Alternative[], opaque: boolean, resolve: Resolve): Member | undefined {
  let required = !opaque;
  const inner: Alternative[] = [];
  for (const alternative of alternatives) {
    const declared = membersSchemas(alternative, step);
    const demanded = alternative.some((schema) => requires(schema, step));
    if (declared.length === 0 && !demanded) {
      required = false;
      continue;
    }
    required &&= demanded;
    inner.push(...alternativesOf(declared, resolve));
  }
  // A member that can have no value (`false`) is not there.
  if (inner.length === 0) return undefined;
  let shape: Shape | undefined;
  return {
    required,
    // Of most members nobody asks more than whether they are there.
    get shape() {
      shape ??= shapeOfAlternatives(inner.slice(0, MAX_ALTERNATIVES), resolve);
      return shape;
    },
  };
}

/** The one object or list that a schema allows: its parts are constants, all of them there and no others. */
function fixedValue(schema: JsonObject): JsonObject | readonly JsonValue[] | undefined {
  const constant = property(schema, "const");
  return constant !== undefined && !isConstant(constant) ? constant : undefined;
}

/** Names and positions that a schema declares or requires. */
export function stepsOf(schema: JsonObject): (string | number)[] {
  const { properties, required, items } = schema;
  const fixed = fixedValue(schema);
  return [
    ...(fixed === undefined ? [] : Array.isArray(fixed) ? fixed.keys() : Object.keys(fixed)),
    ...(isObject(properties) ? Object.keys(properties) : []),
    ...(Array.isArray(required) ? (required as readonly string[]) : []),
    ...(Array.isArray(items) ? items.keys() : []),
  ];
}

/** The schemas that are declared for a property or tuple position, all of which apply. */
export function membersSchemas(alternative: Alternative, step: string | number): readonly Schema[] {
  return alternative.flatMap((schema): Schema[] => {
    const found = memberSchema(schema, step);
    return found === undefined ? [] : [found];
  });
}

/** The schema that is declared for a property or tuple position. */
function memberSchema(schema: JsonObject, step: string | number): Schema | undefined {
  const { properties, items } = schema;
  const fixed = property(fixedValue(schema), String(step));
  if (fixed !== undefined) return { const: fixed };
  const ofItems = Array.isArray(items) ? property(items, String(step)) : items;
  const found = typeof step === "string" ? property(properties, step) : ofItems;
  // Normalised schemas hold schemas there.
  return found as Schema | undefined;
}

/** One schema that says what is allowed at a place in the values of another; `undefined` where nothing is declared. */
export function schemaAt(schema: Schema, path: Path, resolve: Resolve): Schema | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return schema;
  const declared = alternativesOf([schema], resolve)
    .map((alternative) => membersSchemas(alternative, step))
    .filter((schemas) => schemas.length > 0)
    // Schemas are JSON, and only read.
    .map((schemas): JsonObject => ({ allOf: schemas as readonly JsonValue[] }));
  return declared.length === 0 ? undefined : schemaAt({ anyOf: declared }, rest, resolve);
}

/** Whether a schema asks for a member. */
export function requires(schema: JsonObject, step: string | number): boolean {
  if (property(fixedValue(schema), String(step)) !== undefined) return true;
  if (typeof step === "number") return typeof schema["minItems"] === "number" && schema["minItems"] > step;
  return Array.isArray(schema["required"]) && schema["required"].includes(step);
}

function forbids(alternative: Alternative, step: string | number): boolean {
  const kinds = kindsOfAll(alternative);
  if (!kinds.has(typeof step === "string" ? "object" : "array")) return true;
  return alternative.some((schema) => {
    if (memberSchema(schema, step) !== undefined) return memberSchema(schema, step) === false;
    if (fixedValue(schema) !== undefined) return true;
    if (typeof step === "number") return Array.isArray(schema["items"]) && schema["additionalItems"] === false;
    return schema["additionalProperties"] === false && schema["patternProperties"] === undefined;
  });
}

function othersThan(kinds: ReadonlySet<JsonKind>, kind: JsonKind): boolean {
  return kinds.size > 1 || !kinds.has(kind);
}

function kindOf(value: JsonValue): JsonKind {
  if (value === null) return "null";
  // JSON has no other types than these.
  return Array.isArray(value) ? "array" : (typeof value as JsonKind);
}
