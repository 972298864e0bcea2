// What a message carries: its payload's type, how it travels, and what its schema proves about it.
import type { Format } from "@wsgen/runtime/generated/server";
import type { JsonValue } from "../document/document.ts";
import { speaksJsonSchema } from "../document/vocabulary.ts";
import { type Alternative, alternativesOf } from "./alternatives.ts";
import { baseBeside } from "./constants.ts";
import type { EnvelopeOption } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import { type Framing, frame } from "./framing.ts";
import type { Tag } from "./inheritance.ts";
import { ANNOTATIONS, emptyObject, mapSubschemas, type Schema } from "./keywords.ts";
import { wordsOf } from "./names.ts";
import { DEFINITIONS, type TypeDraft, type Types } from "./schemas.ts";
import { kindsOfAll, type Shape, shapeOf } from "./shape.ts";
import type { SourceMessage } from "./source.ts";
import { docsOf, joinPointer, nameOfPointer, type Place, property, splitPointer, type Tree } from "./tree.ts";

/** A message with its payload's type, before it has a name. */
export interface MessageDraft {
  readonly source: SourceMessage;
  /** Words to name it by. */
  readonly base: string;
  /** Id of its payload's type. */
  readonly type: string;
  readonly format: Format;
  readonly contentType: string | undefined;
  /** The media type whose codec reads and writes it, where it is encoded. */
  readonly codec: string | undefined;
  readonly shape: Shape;
  /** Where its payload is a schema that extends one with a `discriminator`. */
  readonly tag: Tag | undefined;
  readonly envelope: EnvelopeOption | undefined;
  /** Words of the channel it is written in, when it is. */
  readonly channel: string | undefined;
  /** Equal for messages with the same name, content type and payload, descriptions aside: they are one message. */
  readonly identity: string;
  /** What the digits of its name in a clash are taken of: where it is written, or, where that is a position of a list, what is written there. */
  readonly digested: string;
}

export interface Payloads {
  draft(message: SourceMessage): MessageDraft;
}

export interface PayloadOptions {
  readonly tree: Tree;
  readonly types: Types;
  readonly findings: Findings;
  readonly defaultContentType: string | undefined;
  /** What the options of their channels say about messages. */
  readonly framings: ReadonlyMap<SourceMessage, Framing>;
  /** Words that name a channel, by its key. */
  readonly channelWords: (key: string) => string;
}

/** Builds message drafts, each definition's once. */
export function createPayloads(options: PayloadOptions): Payloads {
  const { types, findings } = options;
  const known = new Map<SourceMessage, MessageDraft>();
  const canonical = new Map<string, string>();

  const canonicalOf = (type: string, schema: Schema): string => {
    const text = canonical.get(type) ?? canonicalText(schema);
    canonical.set(type, text);
    return text;
  };

  const draft = (source: SourceMessage): MessageDraft => {
    const channel = source.inlineIn === undefined ? undefined : options.channelWords(source.inlineIn);
    const written = payloadOf(source, findings);
    const framing = options.framings.get(source);
    if (framing?.envelope?.headers === undefined) reportHeaders(source, findings);
    const resolve = (id: string): Schema | undefined => types.drafts.get(id)?.schema;
    const lookAt = (schema: Schema): Shape => shapeOf(schema, resolve);
    const bare = types.named(written);
    const payload: Schema = bare === undefined ? types.normalise(written) : { $ref: DEFINITIONS + bare };
    const base = source.extension.name ?? nameOf(source, bare, lookAt(payload), channel);
    const headers = framing?.envelope?.headers === undefined || source.headers === undefined ? undefined : types.normalise(source.headers);
    const onWire =
      framing === undefined ? payload : frame(framing, { name: source.name ?? base, payload, headers, shapeOf: lookAt, resolve, findings });
    const contentType = source.extension.contentType ?? source.contentType ?? options.defaultContentType;
    const format = formatOf(source, contentType, framing?.envelope === undefined ? lookAt(onWire) : undefined, findings);
    if (format === "json" || format === "encoded") reportMeantKind(source, alternativesOf([payload], resolve), findings);
    const framed = format === "text" ? onlyText(onWire, lookAt(onWire)) : onWire;
    // A payload that goes out as it is has its schema's type.
    const named = framed === payload ? bare : undefined;
    const id = bare === undefined ? written.pointer : `${bare} as ${source.pointer}`;
    const schema = named === undefined ? framed : (types.drafts.get(named)?.schema ?? true);
    const shape = lookAt(schema);
    const type = named ?? id;
    const identity = [base, contentType ?? "", format, canonicalOf(type, schema)].join("\n");
    const digested = isInList(options.tree, source.pointer) ? identity : source.pointer;
    if (named === undefined) {
      const own: TypeDraft = {
        id,
        pointer: written.pointer,
        base: bare === undefined ? base : baseBeside(base, types.drafts.get(bare)?.base ?? ""),
        role: "message",
        channel,
        chosen: source.extension.name !== undefined,
        digested,
        docs: { ...source.docs, ...(typeof schema === "boolean" ? {} : docsOf(schema)) },
        schema,
      };
      types.add(own);
    }
    const envelope = framing?.envelope;
    const codec = format === "encoded" ? mediaOf(contentType) : undefined;
    return {
      source,
      base,
      type,
      format,
      contentType,
      codec,
      shape,
      tag: named === undefined ? undefined : types.tags.get(named),
      envelope,
      channel,
      identity,
      digested,
    };
  };

  return {
    draft: (source) => {
      const found = known.get(source) ?? draft(source);
      known.set(source, found);
      return found;
    },
  };
}

/** Whether a place is a position of a list, or below one. */
function isInList(tree: Tree, pointer: string): boolean {
  let value: JsonValue | undefined = tree.root.value;
  return splitPointer(pointer).some((step) => {
    const isList = Array.isArray(value);
    value = property(value, step);
    return isList;
  });
}

/** The payload's schema; any value where there is none, or where it is written in a language that we do not read. */
function payloadOf(source: SourceMessage, findings: Findings): Place {
  const { payload, schemaFormat } = source;
  const nothing: Place = { pointer: payload?.pointer ?? joinPointer(source.pointer, "payload"), value: true };
  if (payload === undefined) return nothing;
  if (schemaFormat === undefined || speaksJsonSchema(schemaFormat.value)) return payload;
  findings.warning({
    code: "schema-format",
    message: `Payloads in ${formatName(schemaFormat.value)} (\`${schemaFormat.value}\`) are not supported yet: this one has the type \`unknown\` and is not checked.`,
    fix: "Describe the payload in JSON Schema to have it typed and checked.",
    pointer: schemaFormat.pointer,
  });
  return nothing;
}

/** Bare text is a string, also where its schema allows more. */
function onlyText(schema: Schema, { kinds }: Shape): Schema {
  if (kinds.size === 1) return schema;
  if (typeof schema === "boolean") return { type: "string" };
  return schema["$ref"] === undefined ? { ...schema, type: "string" } : { allOf: [schema, { type: "string" }] };
}

function formatName(format: string): string {
  if (/avro/i.test(format)) return "Avro";
  if (/protobuf/i.test(format)) return "Protobuf";
  return /raml/i.test(format) ? "RAML" : "this language";
}

function reportHeaders({ headers, name }: SourceMessage, findings: Findings): void {
  if (headers === undefined) return;
  findings.warning({
    code: "message-headers",
    message: `The headers of the message${name === undefined ? "" : ` \`${name}\``} are left out: a WebSocket message carries none.`,
    fix: "Say where they lie on the wire (`x-wsgen: { envelope: { payload: /payload, headers: /headers } }`), put what they say into the payload, or into the `ws` binding of the channel when it is said once, at the handshake.",
    pointer: headers.pointer,
    at: "key",
  });
}

/** Types say which kind of value a payload means; JSON Schema lets every other kind through as long as none is named. */
function reportMeantKind({ name, payload }: SourceMessage, alternatives: readonly Alternative[], findings: Findings): void {
  const fixesKind = (alternative: Alternative): boolean =>
    alternative.some((schema) => ["type", "const", "enum"].some((key) => key in schema));
  const meant = alternatives.find((alternative) => kindsOfAll(alternative).size === 1 && !fixesKind(alternative));
  if (meant === undefined || payload === undefined) return;
  const [kind = "object"] = kindsOfAll(meant);
  findings.hint({
    code: "type-meant",
    message: `The payload${name === undefined ? "" : ` of \`${name}\``} means ${kind === "array" ? "a list" : "an object"} and does not say so: \`5\` and \`null\` are valid too, though its type has no room for them.`,
    fix: `Write \`type: ${kind}\`.`,
    pointer: payload.pointer,
  });
}

/** A name for a message that has none: its payload's, else its one string constant, else where it stands. */
function nameOf(source: SourceMessage, payload: string | undefined, shape: Shape, channel: string | undefined): string {
  if (source.name !== undefined) return source.name;
  if (payload !== undefined) return nameOfPointer(payload);
  const constants = [...shape.members.values()].flatMap(({ shape: { values } }) =>
    values?.length === 1 && typeof values[0] === "string" ? [values[0]] : [],
  );
  const [only, ...others] = constants;
  if (only !== undefined && others.length === 0 && wordsOf(only).length > 0) return only;
  return `${channel ?? ""} ${source.inlineAs ?? "message"}`;
}

/** `Application/CBOR; q=1` is `application/cbor`. */
const mediaOf = (contentType: string | undefined): string => contentType?.split(";")[0]?.trim().toLowerCase() ?? "";

/** Content types whose bytes say by themselves what they hold. (Those of Avro and Protobuf do not: they need a schema to be read.) */
const selfDescribing = /^(?:[\w!#$&^.+-]+\/)?(?:[\w!#$&^.+-]*[+.-])?(cbor|msgpack|messagepack|bson)$/;

/** What media types have in common that one codec can read: `application/senml+cbor` is CBOR. */
export function encodingOf(media: string): string | undefined {
  return selfDescribing.exec(media)?.[1]?.replace("messagepack", "msgpack");
}

/** Content type first; without one, a payload that is only a string is bare text, and one that says nothing may be either. An envelope has no shape here. */
function formatOf(source: SourceMessage, contentType: string | undefined, shape: Shape | undefined, findings: Findings): Format {
  const media = mediaOf(contentType);
  if (shape === undefined) return encodingOf(media) === undefined ? "json" : "encoded";
  const onlyString = shape.kinds.size === 1 && shape.kinds.has("string");
  if (media === "") {
    if (onlyString) return shape.format === "binary" ? "binary" : "text";
    return shape.kinds.size === 6 && shape.values === undefined && shape.members.size === 0 ? "any" : "json";
  }
  if (/(^|[/+.-])json$/.test(media)) return "json";
  // Whoever describes the whole payload as bytes wants them as they are.
  if (encodingOf(media) !== undefined) return onlyString && shape.format === "binary" ? "binary" : "encoded";
  if (/^(audio|image|video|font)\//.test(media) || /(octet-stream|protobuf|msgpack|messagepack|cbor|avro|bson|zip|pdf)/.test(media))
    return "binary";
  if (media.startsWith("text/") || /(xml|yaml|javascript|graphql)/.test(media)) {
    if (shape.kinds.has("string")) return "text";
    findings.warning({
      code: "content-type",
      message: `The payload of \`${source.name ?? media}\` is never a string, as \`${media}\` would have it; it is read as JSON.`,
      fix: "Write `contentType: application/json`, or `payload: { type: string }`.",
      pointer: source.pointer,
      at: "key",
    });
    return "json";
  }
  findings.warning({
    code: "content-type",
    message: `The content type \`${media}\` is not known; messages of it are read as JSON.`,
    fix: "Write `application/json`, a `text/…` type, `application/cbor` or `application/msgpack`, or `application/octet-stream` for bytes.",
    pointer: source.contentType === undefined ? "/defaultContentType" : joinPointer(source.pointer, "contentType"),
  });
  return "json";
}

/** A schema without its prose, keys in order: equal texts mean equal schemas. */
function canonicalText(schema: Schema): string {
  const strip = (inner: Schema): Schema => {
    if (typeof inner === "boolean") return inner;
    const kept = emptyObject();
    for (const [key, value] of Object.entries(inner)) if (!ANNOTATIONS.has(key)) kept[key] = value;
    return mapSubschemas(kept, strip);
  };
  return JSON.stringify(strip(schema), (_key, value: JsonValue) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
