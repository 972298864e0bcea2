// What goes on the wire around a payload and in it, by the options `envelope` and `discriminator`: worked into the schema, so that types,
// guards and the tree that tells messages apart have it from there.
import type { Constant, Path } from "@wsgen/runtime/generated/server";
import { nearest } from "../diagnostics.ts";
import type { JsonValue } from "../document/document.ts";
import type { Resolve } from "./alternatives.ts";
import { correctConstant, pinConstant } from "./constants.ts";
import type { DiscriminatorOption, EnvelopeOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import { emptyObject, type Schema } from "./keywords.ts";
import { type Evidence, evidenceAt, type Shape } from "./shape.ts";
import type { SourceChannel, SourceMessage } from "./source.ts";
import { joinPointer, wordsOfPath } from "./tree.ts";

/** What the options of its channels say about a message. */
export interface Framing {
  readonly envelope: EnvelopeOption | undefined;
  readonly discriminators: readonly DiscriminatorOption[];
}

/** The framing of every message that has any. */
export function readFramings(channels: readonly SourceChannel[], findings: Findings): ReadonlyMap<SourceMessage, Framing> {
  const framings = new Map<SourceMessage, Framing>();
  const heard = new Map<DiscriminatorOption, Set<string>>();
  for (const { extension, messages: declared, operations } of channels) {
    const used = operations.flatMap(({ messages, replies }) => [...messages, ...replies.flatMap((reply) => reply.messages)]);
    const { discriminator: own = [] } = extension;
    for (const message of new Set([...declared, ...used])) {
      const said = message.extension.envelope ?? extension.envelope ?? false;
      const envelope = said === false ? undefined : said;
      const met = framings.get(message);
      if (met !== undefined && JSON.stringify(met.envelope?.payload) !== JSON.stringify(envelope?.payload)) {
        findings.error({
          code: "envelope",
          message: `\`${message.name ?? "This message"}\` is in channels with different envelopes.`,
          fix: "Give the message itself an `envelope`, or `envelope: false`.",
          pointer: message.pointer,
          at: "key",
        });
      }
      const before = met?.discriminators ?? [];
      const added = own.filter(({ pointer }) => !before.some((other) => other.pointer === pointer));
      framings.set(message, { envelope, discriminators: [...before, ...added] });
      for (const option of own) heard.set(option, (heard.get(option) ?? new Set<string>()).add(message.name ?? ""));
    }
  }
  const byPointer = new Map<string, { readonly option: DiscriminatorOption; readonly names: ReadonlySet<string> }>();
  for (const [option, names] of heard) {
    const all = new Set([...(byPointer.get(option.pointer)?.names ?? []), ...names]);
    byPointer.set(option.pointer, { option, names: all });
  }
  for (const { option, names } of byPointer.values()) reportUnknownMessages(option, names, findings);
  return framings;
}

function reportUnknownMessages({ values, pointer }: DiscriminatorOption, names: ReadonlySet<string>, findings: Findings): void {
  for (const name of values?.keys() ?? []) {
    if (names.has(name)) continue;
    const near = nearest(name, names);
    findings.error({
      code: "discriminator",
      message: `\`values\` names \`${name}\`, which is no message here.`,
      fix: near === undefined ? `There are ${[...names].map((known) => `\`${known}\``).join(", ")}.` : `Did you mean \`${near}\`?`,
      pointer: joinPointer(pointer, "values", name),
    });
  }
}

/** What a message is called, and what there is of it. */
export interface Framed {
  readonly name: string;
  readonly payload: Schema;
  readonly headers: Schema | undefined;
  readonly shapeOf: (schema: Schema) => Shape;
  readonly resolve: Resolve;
  readonly findings: Findings;
}

/** The schema of what goes on the wire; the payload's own where nothing is said. */
export function frame({ envelope, discriminators }: Framing, framed: Framed): Schema {
  const { payload, headers } = framed;
  const parts: Part[] = [];
  if (envelope !== undefined) parts.push({ path: envelope.payload, schema: payload, required: true });
  if (envelope?.headers !== undefined && headers !== undefined)
    parts.push({ path: envelope.headers, schema: headers, required: needsSomething(headers) });
  let schema = envelope === undefined ? payload : assemble(parts);
  for (const option of discriminators) schema = tagged(schema, option, { ...framed, envelope });
  return schema;
}

/** The schema with what tells this message at the place of a discriminator. */
function tagged(schema: Schema, option: DiscriminatorOption, framed: Framed & Pick<Framing, "envelope">): Schema {
  const { name, envelope, shapeOf, resolve, findings } = framed;
  const { at } = option;
  const shape = shapeOf(schema);
  const values = valuesOf(option, name, shape, envelope);
  if (values === undefined) return schema;
  const refusal = refusalOf(values, evidenceAt(shape, at));
  if (refusal === undefined) return pinConstant(schema, at, values, resolve);
  // Documents are wrong about such lists; who says what really is sent knows better.
  const corrected = refusal.listed ? correctConstant(schema, at, values, resolve) : undefined;
  const said = {
    code: "discriminator",
    message: `\`${name}\` cannot have ${JSON.stringify(refusal.value)} at ${wordsOfPath(at)}: its schema wants ${refusal.wanted}.`,
    pointer: joinPointer(option.pointer, "values", name),
  };
  if (corrected !== undefined) {
    findings.hint({
      ...said,
      message: `${said.message} The option is taken to be right.`,
      fix: "Correct the document, or leave it out of `values`.",
    });
    return corrected;
  }
  const fix = refusal.listed
    ? `Write one of what it wants, or leave \`${name}\` out of \`values\`.`
    : "Write a value that it may have there.";
  findings.error({ ...said, fix });
  return schema;
}

/** The values that tell this message at the place of a discriminator; `undefined` where its schema is left as it is. */
function valuesOf(
  { at, values }: DiscriminatorOption,
  name: string,
  shape: Shape,
  envelope: EnvelopeOption | undefined,
): readonly Constant[] | undefined {
  if (values !== undefined) return values.get(name);
  const { presence, kinds, values: own } = evidenceAt(shape, at);
  if (presence === "absent") return envelope !== undefined && !startsWith(at, envelope.payload) ? [name] : undefined;
  if (own === undefined) return kinds.has("string") ? [name] : undefined;
  // A list that all messages share: the message's own name is in it.
  return own.length > 1 && own.includes(name) ? [name] : own;
}

interface Refusal {
  readonly value: Constant;
  readonly wanted: string;
  /** Whether the schema lists what it wants. */
  readonly listed: boolean;
}

/** Why a schema does not allow one of the values at a place. */
function refusalOf(values: readonly Constant[], { presence, proven, kinds, values: own }: Evidence): Refusal | undefined {
  if (presence === "absent") {
    const [value = null] = values;
    return proven ? { value, wanted: "nothing there", listed: false } : undefined;
  }
  const allowed: ReadonlySet<string> = kinds;
  const allows = (value: Constant): boolean =>
    own === undefined ? allowed.has(value === null ? "null" : typeof value) : own.includes(value);
  const value = values.find((one) => !allows(one));
  if (value === undefined) return undefined;
  const wanted = own === undefined ? [...kinds].join(" or ") : own.map((one) => JSON.stringify(one)).join(", ");
  return { value, wanted, listed: own !== undefined };
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, index) => path[index] === step);
}

function needsSomething(schema: Schema): boolean {
  return (
    typeof schema !== "boolean" && (Array.isArray(schema["required"]) || schema["$ref"] !== undefined || schema["allOf"] !== undefined)
  );
}

interface Part {
  readonly path: Path;
  readonly schema: Schema;
  readonly required: boolean;
}

/** One schema that has each part at its place. */
function assemble(parts: readonly Part[]): Schema {
  const [first] = parts;
  if (first === undefined) return true;
  if (first.path.length === 0) return first.schema;
  const steps = [...new Set(parts.map(({ path }) => path[0] ?? ""))];
  const inner = (step: string | number): Schema =>
    assemble(parts.filter(({ path }) => path[0] === step).map((part) => ({ ...part, path: part.path.slice(1) })));
  const needed = steps.filter((step) => parts.some(({ path, required }) => required && path[0] === step));
  if (steps.every((step) => typeof step === "number")) {
    const items = Array.from({ length: Math.max(...steps) + 1 }, (_, index) => (steps.includes(index) ? inner(index) : true));
    return { type: "array", minItems: Math.max(-1, ...needed.map(Number)) + 1, items: items as readonly JsonValue[] };
  }
  const properties = emptyObject();
  for (const step of steps) properties[step] = inner(step);
  return { type: "object", ...(needed.length > 0 && { required: needed.map(String) }), properties };
}
