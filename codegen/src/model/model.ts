// The model: one AsyncAPI document, of whatever version, as readonly data that every emitter prints from.
// JSON-serialisable, no methods. Where 2.x and 3.x differ ends here; identifiers in it are final (see names.ts).

import type {
  ChoiceNode,
  Coercion,
  Constant,
  DispatchTree,
  Format,
  KeyPlaces,
  Path,
  SchemeContract,
  Statement,
} from "@wsgen/runtime/generated/server";
import type { JsonObject } from "../document/document.ts";

/** Prose of the document that belongs in a comment. */
export interface Docs {
  readonly title?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
}

/** A whole document. */
export interface Model {
  /** `info.title` as written. */
  readonly title: string;
  /** `info.version` as written. */
  readonly version?: string;
  /** PascalCase base of `registerChat`, `createChatClient`, `ChatHandlers`. */
  readonly name: string;
  readonly docs: Docs;
  /** Value of `asyncapi`. */
  readonly asyncapi: string;
  /** Path of the document, as printed in headers: relative to the working directory, posix slashes. */
  readonly source: string;
  /** Which side the document is written from, and how we know. */
  readonly perspective: Perspective;
  readonly servers: readonly Server[];
  /** The security schemes that endpoints ask for at the handshake. */
  readonly schemes: readonly SecurityScheme[];
  /** The close codes of every endpoint. */
  readonly closeCodes: readonly CloseCode[];
  readonly endpoints: readonly Endpoint[];
  /** Every type the generated code has, in source order; schemas refer to each other as `#/definitions/<Name>`. */
  readonly types: readonly TypeDefinition[];
  /** What was left out, for the summary: channels of other protocols and the like. */
  readonly omitted: readonly { readonly pointer: string; readonly why: string }[];
}

export interface Perspective {
  readonly side: "server" | "client";
  /** An option or `x-wsgen` said so; read from the document's words; the version's standard meaning; nothing spoke. */
  readonly because: "option" | "words" | "standard" | "default";
  /** Which words, when it was read from them: "it receives postMessage, history". */
  readonly evidence?: string;
}

/** A server a client can connect to. */
export interface Server {
  /** Property name in `servers`, camelCase. */
  readonly name: string;
  readonly docs: Docs;
  /** URL template with scheme, without the endpoint's path: `wss://{region}.example.com`. */
  readonly url: string;
  readonly variables: readonly ServerVariable[];
  readonly pointer: string;
}
export interface ServerVariable {
  readonly name: string;
  readonly docs: Docs;
  readonly default?: string;
  readonly enum?: readonly string[];
}

/** A close code of the application's. */
export interface CloseCode {
  /** camelCase, final. */
  readonly name: string;
  /** 4000 to 4999. */
  readonly code: number;
  readonly docs: Docs;
}

/** A security scheme. */
export interface SecurityScheme {
  /** camelCase, final: name of its hook on the server, and of its credentials on the client. */
  readonly name: string;
  /** Same, PascalCase: prefix of what its hook adds to the context. */
  readonly typeName: string;
  readonly docs: Docs;
  /** How its credentials travel, in words for a comment: "the query parameter `key`". */
  readonly place: string;
  readonly scopes: readonly string[];
  readonly contract: SchemeContract;
  readonly pointer: string;
}

/** A named type: an interface, a TypeBox builder and, where something of it is validated, a guard. */
export interface TypeDefinition {
  /** PascalCase, final. */
  readonly name: string;
  readonly docs: Docs;
  /** JSON Schema draft-07, normalised (see schemas.ts): refs are `#/definitions/<Name>` only, `nullable` and other dialects translated. */
  readonly schema: JsonObject | boolean;
  /** Whether the runtime needs a guard for it: message payloads, union leaves, handshake parts. */
  readonly guard: boolean;
  /** Where it was written, in the loaded document's pointers. */
  readonly pointer: string;
}

/** A socket: one path of one set of servers. */
export interface Endpoint {
  /** camelCase, final: key of the handlers and method of the client. */
  readonly name: string;
  /** Same, PascalCase: prefix of the interfaces. */
  readonly typeName: string;
  readonly docs: Docs;
  /** Path template below the server, beginning with `/`. */
  readonly address: string;
  /** The channels that share this socket, more than one when they are topics. */
  readonly channels: readonly {
    readonly key: string;
    readonly address: string | undefined;
    readonly docs: Docs;
    readonly pointer: string;
  }[];
  /** The channels that are grouped in the API, none where a single channel has the socket. */
  readonly topics: readonly Topic[];
  /** How clients subscribe to what comes on its one channel. */
  readonly subscription?: Subscription;
  /** Names of the model's servers that carry it. */
  readonly servers: readonly string[];
  readonly parameters?: HandshakePart;
  readonly query?: HandshakePart;
  readonly headers?: HandshakePart;
  /** Subprotocols, best first; none where the document names none. */
  readonly protocols: readonly string[];
  /** Its close codes beside the model's. */
  readonly closeCodes: readonly CloseCode[];
  /** Names of the schemes that clients have to show, one of these lists whole; absent where nothing is asked for. */
  readonly security?: readonly (readonly string[])[];
  /** What clients send and the server receives. */
  readonly clientToServer: Direction;
  /** What the server sends and clients receive. */
  readonly serverToClient: Direction;
  readonly error?: ErrorMapping;
  /** What a server does with an invalid message, where it is not the default. */
  readonly onInvalid?: "close" | "drop";
  readonly pointer: string;
}

/** One of several channels that share a socket, with messages of its own. */
export interface Topic {
  /** camelCase, final: key of its handlers and its sends, method of the client's connection. */
  readonly name: string;
  /** PascalCase with the endpoint's in front: prefix of the interfaces. */
  readonly typeName: string;
  readonly docs: Docs;
  /** The channel's address, its key where it has none. */
  readonly address: string;
  readonly parameters?: {
    /** Name of a type whose schema is an object. */
    readonly type: string;
    /** Where in a payload of the topic each parameter is said, as far as the document tells. */
    readonly at: { readonly [parameter: string]: Path };
    /** Whether every one may be left out. */
    readonly optional: boolean;
    /** Values of those that may be left out. */
    readonly defaults?: { readonly [parameter: string]: string | number | boolean };
  };
  readonly subscription?: Subscription;
  readonly pointer: string;
}

/** The messages that subscribe to what comes on a channel, by their names in the model. */
export interface Subscription {
  readonly subscribe: string;
  /** Another message; or the same, with something else at one place. */
  readonly unsubscribe: string | Statement;
  readonly ack?: string;
  readonly refused?: string | Statement;
  /** What tells one subscription from another: places that all of its messages have, or where each has it. */
  readonly key: readonly (Path | KeyPlaces)[];
}

export interface HandshakePart {
  /** Name of a type whose schema is an object. */
  readonly type: string;
  /** Whether every property may be left out. */
  readonly optional: boolean;
  /** How the strings on the wire become what the schema says. */
  readonly coerce: { readonly [property: string]: Coercion };
  /** Of what an address says, path parameters and query: values of those that a client may leave out. */
  readonly defaults?: { readonly [property: string]: string | number | boolean };
  /** Of path parameters: by name, the values with slashes that their schemas list. */
  readonly slashes?: { readonly [property: string]: readonly string[] };
  /** Of headers: every one that the schema names. */
  readonly names?: readonly string[];
}

/** One direction of an endpoint. */
export interface Direction {
  /** What the sender may send, each under its own name. */
  readonly messages: readonly Message[];
  /** What the receiver is given: the same, but messages that cannot be told apart are one, and correlated replies are not in it. */
  readonly deliveries: readonly Delivery[];
  /** Leads from a frame to the name of a delivery. */
  readonly tree: DispatchTree;
  /** Messages among which is chosen at run time, by their order or by a function of the user's; absent where there are none. */
  readonly choice?: ChoiceNode;
  /** How they are told apart, in words for the summary: "`type`", "`method`, then `params.channel`", "JSON kind". */
  readonly by: string;
  /** Whether that holds only as long as messages carry no property that their schemas do not declare. */
  readonly assumed: boolean;
}

export interface Message {
  /** camelCase, final, unique in its endpoint and direction; of a topic's message `topic.method`. */
  readonly name: string;
  /** The name without the topic: of the method that sends or handles it. */
  readonly method: string;
  /** Name of the topic that it belongs to; absent when it is the socket's. */
  readonly topic?: string;
  /** The document's own name for it. */
  readonly wireName: string;
  readonly docs: Docs;
  /** Name of its payload's type. */
  readonly type: string;
  readonly format: Format;
  readonly contentType?: string;
  /** The media type whose codec reads and writes it, where its format is `encoded`. */
  readonly codec?: string;
  /** Top-level properties with a fixed value that every payload has: the sender may leave them out. */
  readonly constants: { readonly [property: string]: Constant };
  /** Present on a request. */
  readonly reply?: Reply;
  /** Whether it only ever comes as the correlated reply to a request: then it has no `send` method, listener or place in the tree. */
  readonly replyOnly: boolean;
  /** Of a reply that is known by an id: what tells that a payload is another message. */
  readonly unlike?: readonly Unlike[];
  /** Of one that takes what is no other message: what makes a payload another message to its receiver, though its schema may allow it. */
  readonly elsewhere?: readonly Unlike[];
  readonly pointer: string;
}

/** A place where a message does not have any of these values; without values it has nothing there. */
export interface Unlike {
  readonly path: Path;
  readonly values?: readonly Constant[];
}

export interface Reply {
  /** Names of messages of the opposite direction. */
  readonly messages: readonly string[];
  /** Where the correlation id is in the request, and in the reply; empty where replies come in the order of their requests. */
  readonly request: Path;
  readonly reply: Path;
  readonly id: "string" | "integer" | "uuid" | "order";
  /** Whether the caller has to give the id, because the request's schema refuses those that the runtime makes up. */
  readonly given?: true;
}

/** What one handler method is given. */
export interface Delivery {
  /** Name of the message, or of the union: camelCase, final; of a topic's `topic.method`. */
  readonly name: string;
  /** The name without the topic. */
  readonly method: string;
  /** Name of the topic that all it may be belongs to; absent when it is the socket's. */
  readonly topic?: string;
  readonly docs: Docs;
  /** Name of its type; for a union, of a type whose schema is the `anyOf` of its members. */
  readonly type: string;
  readonly format: Format;
  /** As its messages have it. */
  readonly codec?: string;
  /** Names of the messages it may be; more than one for a union. */
  readonly messages: readonly string[];
  /** Present on a request: what the handler returns. */
  readonly reply?: Reply;
  readonly pointer: string;
}

/** Where our own error goes in the contract's error message, which the server sends. */
export interface ErrorMapping {
  readonly message: string;
  readonly code?: Path;
  readonly detail?: Path;
  readonly correlation?: Path;
  /** Whether a function of the user's makes the message; then there is neither `code` nor `detail`. */
  readonly toError?: true;
}
