// Reads Message Objects of every version: traits merged, refs of the payload kept.
import { FILES_KEY, type JsonValue } from "../document/document.ts";
import { readMessageExtension } from "./extensions.ts";
import type { Findings } from "./findings.ts";
import { emptyObject } from "./keywords.ts";
import type { SourceMessage } from "./source.ts";
import { type TraitRule, withTraits } from "./traits.ts";
import {
  docsOf,
  isObject,
  joinPointer,
  nameOfPointer,
  type ObjectPlace,
  type Place,
  property,
  splitPointer,
  stringAt,
  type Tree,
} from "./tree.ts";

/** Where a message was met, for those that are written there instead of under `components`. */
export interface MessageUse {
  /** Key of the channel. */
  readonly channel: string;
  /** Its key among the channel's messages (3.x). */
  readonly key?: string;
  /** The 2.x operation it is written in. */
  readonly operation?: "publish" | "subscribe";
}

export interface MessageReader {
  /** The message at a place, refs followed; `undefined` when there is none. */
  read(place: Place, use: MessageUse): SourceMessage | undefined;
}

/** Builds a reader of messages. */
export function createMessageReader(tree: Tree, findings: Findings, { traits }: { readonly traits: TraitRule }): MessageReader {
  const known = new Map<string, SourceMessage>();

  const readAt = (place: ObjectPlace, met: MessageUse): SourceMessage => {
    const use = writtenIn(place.pointer) ?? met;
    const field = withTraits(tree, place, traits);
    const text = (key: string): string | undefined => {
      const value = field(key)?.value;
      return typeof value === "string" && value !== "" ? value : undefined;
    };

    const segments = splitPointer(place.pointer);
    const component = segments.length === 3 && segments[0] === "components" && segments[1] === "messages";
    const inFile = segments[0] === FILES_KEY;
    const inline = !component && !inFile;
    const key = nameOfPointer(place.pointer);
    const ownName = inline
      ? (text("name") ?? text("messageId") ?? use.key ?? text("title"))
      : component && !COMPONENT_KEY.test(key)
        ? (text("name") ?? key)
        : key;

    const written = field("payload");
    const multiFormat =
      written !== undefined && isObject(written.value) && Object.hasOwn(written.value, "schemaFormat") ? written : undefined;
    const payload = multiFormat === undefined ? written : schemaOf(multiFormat);
    const format = multiFormat === undefined ? field("schemaFormat") : formatOf(multiFormat);
    const correlation = field("correlationId");
    const location = correlation === undefined ? undefined : tree.child(correlation, "location");
    const docs = docsOf(
      Object.fromEntries(["title", "summary", "description", "deprecated"].map((key) => [key, field(key)?.value ?? null])),
    );
    return {
      pointer: place.pointer,
      name: ownName,
      inlineIn: inline ? use.channel : undefined,
      inlineAs: inline ? use.operation : undefined,
      docs,
      payload,
      schemaFormat: format !== undefined && typeof format.value === "string" ? { value: format.value, pointer: format.pointer } : undefined,
      contentType: text("contentType"),
      correlation: typeof location?.value === "string" ? { location: location.value, pointer: location.pointer } : undefined,
      headers: field("headers"),
      examples: examplesOf(field("examples")?.value),
      extension: readMessageExtension(place, findings),
    };
  };

  return {
    read: (place, use) => {
      const here = tree.follow(place);
      if (here === undefined) return undefined;
      const found = known.get(here.pointer);
      if (found !== undefined) return found;
      if (here.value === null) {
        findings.warning({
          code: "message",
          message: "This message is empty, so that its payload may be anything.",
          fix: "Write its `payload`, or a `$ref` to a message.",
          pointer: place.pointer,
        });
      } else if (!isObject(here.value)) {
        findings.error({
          code: "message",
          message: `A message must be an object, this is ${kindName(here.value)}.`,
          fix: "Write the message here, or a `$ref` to one.",
          pointer: place.pointer,
        });
        return undefined;
      }
      const message = readAt({ pointer: here.pointer, value: here.value ?? emptyObject() }, use);
      known.set(here.pointer, message);
      return message;
    },
  };
}

/** What a message is written in, by its own pointer: it is called the same whoever refers to it, and whoever does so first. */
function writtenIn(pointer: string): MessageUse | undefined {
  const segments = splitPointer(pointer);
  const [holder, channel, field, key] = segments[0] === "components" ? segments.slice(1) : segments;
  if (channel === undefined) return undefined;
  // Alternatives under `oneOf` of a message have what that is called in common, as those of a channel have the channel's name.
  if (holder === "messages") return field === "oneOf" ? { channel } : undefined;
  if (holder !== "channels") return undefined;
  if (field === "messages" && key !== undefined) return { channel, key };
  return field === "publish" || field === "subscribe" ? { channel, operation: field } : { channel };
}

/** What AsyncAPI allows as a key under `components`: generators write paths there (`listen/v1.client-1-Finalize`), which name nothing. */
const COMPONENT_KEY = /^[\w.-]+$/;

/** Of a Message Example Object the payload; documents older than 2.1 write the payload itself, as do some newer ones. */
function examplesOf(list: JsonValue | undefined): readonly JsonValue[] {
  if (!Array.isArray(list)) return [];
  return list.map((example: JsonValue) => property(example, "payload") ?? example);
}

function schemaOf(payload: Place): Place | undefined {
  const value = property(payload.value, "schema");
  return value === undefined ? undefined : { pointer: joinPointer(payload.pointer, "schema"), value };
}

function formatOf(payload: Place): Place | undefined {
  const value = stringAt(payload.value, "schemaFormat");
  return value === undefined ? undefined : { pointer: joinPointer(payload.pointer, "schemaFormat"), value };
}

/** A JSON value's kind, for a sentence. */
export function kindName(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
