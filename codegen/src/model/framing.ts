// What goes on the wire around a payload and in it, by the options `envelope` and `discriminator`: worked into the schema, so that types,
// guards and the tree that tells messages apart have it from there.
import type { Constant, Path } from "@wsgen/runtime/generated/server";
import { nearest } from "../diagnostics.ts";
import type { JsonObject, JsonValue } from "../document/document.ts";
import { pinConstant } from "./constants.ts";
import { wordsOfPath } from "./dispatch.ts";
import type { DiscriminatorOption, EnvelopeOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import type { Schema } from "./keywords.ts";
import { evidenceAt, type Shape } from "./shape.ts";
import type { SourceChannel, SourceMessage } from "./source.ts";
import { joinPointer } from "./tree.ts";

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
    const { discriminator } = extension;
    for (const message of new Set([...declared, ...used])) {
      const own = message.extension.envelope ?? extension.envelope ?? false;
      const envelope = own === false ? undefined : own;
      const before = framings.get(message);
      if (before !== undefined && JSON.stringify(before.envelope?.payload) !== JSON.stringify(envelope?.payload)) {
        findings.error({
          code: "envelope",
          message: `\`${message.name ?? "This message"}\` is in channels with different envelopes.`,
          fix: "Give the message itself an `envelope`, or `envelope: false`.",
          pointer: message.pointer,
          at: "key",
        });
      }
      const discriminators = before?.discriminators ?? [];
      const known = discriminators.some(({ pointer }) => pointer === discriminator?.pointer);
      framings.set(message, {
        envelope,
        discriminators: discriminator === undefined || known ? discriminators : [...discriminators, discriminator],
      });
      if (discriminator !== undefined) heard.set(discriminator, (heard.get(discriminator) ?? new Set<string>()).add(message.name ?? ""));
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
  readonly findings: Findings;
}

/** The schema of what goes on the wire; the payload's own where nothing is said. */
export function frame({ envelope, discriminators }: Framing, framed: Framed): Schema {
  const { name, payload, headers, shapeOf, findings } = framed;
  const parts: Part[] = [];
  if (envelope !== undefined) parts.push({ path: envelope.payload, schema: payload, required: true });
  if (envelope?.headers !== undefined && headers !== undefined)
    parts.push({ path: envelope.headers, schema: headers, required: needsSomething(headers) });
  let schema = envelope === undefined ? payload : assemble(parts);
  for (const option of discriminators) {
    const shape = shapeOf(schema);
    const values = valuesOf(option, name, shape, envelope);
    if (values !== undefined && isPossible(option, { name, values, shape }, findings)) schema = pinConstant(schema, option.at, values);
  }
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

/** Whether a message's schema allows the values that are said to be there. */
function isPossible(
  { at, pointer }: DiscriminatorOption,
  { name, values, shape }: { readonly name: string; readonly values: readonly Constant[]; readonly shape: Shape },
  findings: Findings,
): boolean {
  const { presence, proven, kinds, values: own } = evidenceAt(shape, at);
  const allows = (value: Constant): boolean =>
    presence === "absent"
      ? !proven
      : own === undefined
        ? kinds.has(value === null ? "null" : (typeof value as "string")) // JSON's scalars have no other types than these.
        : own.includes(value);
  const wrong = values.find((value) => !allows(value));
  if (wrong === undefined) return true;
  const wanted = own === undefined ? [...kinds].join(" or ") : own.map((value) => JSON.stringify(value)).join(", ");
  findings.error({
    code: "discriminator",
    message: `\`${name}\` cannot have ${JSON.stringify(wrong)} at ${wordsOfPath(at)}: its schema wants ${presence === "absent" ? "nothing there" : wanted}.`,
    fix:
      presence === "absent"
        ? "Point at a property that it may have."
        : `Write one of what it wants, or leave \`${name}\` out of \`values\`.`,
    pointer: joinPointer(pointer, "values", name),
  });
  return false;
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
  const properties: JsonObject = Object.assign(
    Object.create(null) as JsonObject,
    Object.fromEntries(steps.map((step) => [String(step), inner(step)])),
  );
  return { type: "object", ...(needed.length > 0 && { required: needed.map(String) }), properties };
}
