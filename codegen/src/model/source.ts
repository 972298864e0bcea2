// What v2.ts and v3.ts read out of a document: the same nouns for every version, still with the document's own names and refs.

import type { JsonObject, JsonValue } from "../document/document.ts";
import type { ChannelExtension, MessageExtension } from "./extensions.ts";
import type { Docs, ServerVariable } from "./model.ts";
import type { ObjectPlace, Place } from "./tree.ts";

export interface Source {
  readonly servers: readonly SourceServer[];
  readonly channels: readonly SourceChannel[];
}

export interface SourceServer {
  readonly key: string;
  readonly pointer: string;
  readonly docs: Docs;
  readonly protocol: string;
  /** URL as written, which may lack its scheme: `{host}:{port}/path`. */
  readonly url: string;
  readonly variables: readonly ServerVariable[];
  readonly security: readonly SourceRequirement[];
}

/** Schemes that are to be shown together; of several such requirements one is enough. */
export type SourceRequirement = readonly SourceScheme[];

/** A security scheme, and what is asked of it here. */
export interface SourceScheme {
  /** Its key under `components/securitySchemes`; `undefined` when it is written where it is asked for. */
  readonly key: string | undefined;
  readonly pointer: string;
  readonly value: JsonObject;
  readonly scopes: readonly string[];
}

export interface SourceChannel {
  readonly key: string;
  readonly pointer: string;
  readonly docs: Docs;
  /** Words to name it by: its key (3.x), or its address, which is its key in 2.x. */
  readonly namedBy: "key" | "address";
  /** `undefined` when missing, null or empty. */
  readonly address: string | undefined;
  /** Keys of its servers; `undefined` means all of them. */
  readonly servers: readonly string[] | undefined;
  readonly parameters: readonly SourceParameter[];
  /** The channel's bindings object, all protocols. */
  readonly bindings: ObjectPlace | undefined;
  /** Its options, with those of the document where it has none of its own. */
  readonly extension: ChannelExtension;
  /** Every message the channel declares (3.x) or its operations name (2.x). */
  readonly messages: readonly SourceMessage[];
  readonly operations: readonly SourceOperation[];
}

export interface SourceParameter {
  readonly name: string;
  readonly pointer: string;
  /** A schema to normalise (2.x), or the schema that a 3.x parameter object amounts to. */
  readonly schema: Place;
  /** Runtime expression of where its value is said (`$message.payload#/pair`). */
  readonly location: { readonly value: string; readonly pointer: string } | undefined;
}

/** What the described application does with messages of a channel. */
export interface SourceOperation {
  /** From the application's side; 2.x `publish` is `receive`, because there a document says what others may do. */
  readonly action: "send" | "receive";
  readonly pointer: string;
  readonly messages: readonly SourceMessage[];
  readonly replies: readonly SourceReply[];
  readonly security: readonly SourceRequirement[];
}

/** The answer to some messages of an operation. */
export interface SourceReply {
  readonly requests: readonly SourceMessage[];
  readonly messages: readonly SourceMessage[];
  /** Key of the channel on which the answer comes. */
  readonly channel: string;
  readonly pointer: string;
}

export interface SourceMessage {
  /** Where it was defined, refs followed: two uses of one definition are the same object. */
  readonly pointer: string;
  /** The document's own name for it; `undefined` when it has none at all. */
  readonly name: string | undefined;
  /** Key of the channel it is written in, when it is. */
  readonly inlineIn: string | undefined;
  /** `publish` or `subscribe` of the 2.x channel it is written in: the last resort for a name. */
  readonly inlineAs: string | undefined;
  readonly docs: Docs;
  /** The payload's schema, refs not followed; `undefined` when the message has none. */
  readonly payload: Place | undefined;
  readonly schemaFormat: { readonly value: string; readonly pointer: string } | undefined;
  readonly contentType: string | undefined;
  /** Runtime expression of its correlation id (`$message.payload#/id`). */
  readonly correlation: { readonly location: string; readonly pointer: string } | undefined;
  readonly headers: Place | undefined;
  /** Payloads that the author gave as examples. */
  readonly examples: readonly JsonValue[];
  readonly extension: MessageExtension;
}
