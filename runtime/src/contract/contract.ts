// The join between generated code and this runtime: plain data and the types that describe it. Imports nothing.

/** The join's version. A contract with another one is refused, and has to be generated again. */
export const CONTRACT_VERSION = 1;

/** Why a guard refused a value: an AJV error object, of which only the first is kept. */
export interface GuardError {
  /** JSON Pointer (RFC 6901) to the offending value; empty for the whole payload. */
  readonly instancePath: string;
  readonly schemaPath: string;
  /** The JSON Schema keyword that refused the value. */
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A validator compiled ahead of time. After it returned `false`, `errors` says why. */
export interface Guard<T> {
  (value: unknown): value is T;
  errors?: readonly GuardError[] | null;
}

/** A value that JSON Schema can hold in a `const`, as far as messages are told apart by it. */
export type Constant = string | number | boolean | null;

/** Where a value is: property names and array positions from the payload inwards. */
export type Path = readonly (string | number)[];

/**
 * How a message travels: `json` and `text` in text frames, `binary` in binary frames, as they are; `encoded` in binary frames, made by the codec of its
 * content type; `any` is a text frame that is JSON if it parses and bare text if not.
 */
export type Format = "json" | "text" | "binary" | "encoded" | "any";

/** The kinds of JSON value. */
export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/**
 * A node of the tree that tells messages apart. A string is a leaf: the name of the message (or of the union of those that
 * cannot be told apart). Every other node looks at one place of the payload and leads on.
 */
export type DispatchNode = DispatchEnd | ConstantNode | PresenceNode | KindNode;

/** Where the tree ends: the name of a message, or a choice among several that it cannot tell apart. */
export type DispatchEnd = string | ChoiceNode;

/** Messages that nothing in them tells apart, where the document's author chose not to have them as a union (`x-wsgen: { onAmbiguous }`). */
export interface ChoiceNode {
  readonly among: readonly string[];
  /** `order`: the first whose guard accepts. `classify`: the one that a function of the user's names. */
  readonly by: "order" | "classify";
}

/** Leads on by the value at `path`: typed equality, so `0` is not `"0"`. */
export interface ConstantNode {
  readonly path: Path;
  readonly cases: readonly (readonly [value: Constant, then: DispatchNode])[];
  /** Where to go when nothing is at `path`. */
  readonly absent?: DispatchNode;
  /** Where to go when the value at `path` is none of the cases. */
  readonly other?: DispatchNode;
}

/** Leads on by whether there is a value at `path`. */
export interface PresenceNode {
  readonly path: Path;
  readonly present: DispatchNode;
  readonly absent?: DispatchNode;
}

/** Leads on by the kind of JSON value at `path`. */
export interface KindNode {
  readonly path: Path;
  readonly kinds: { readonly [Kind in JsonKind]?: DispatchNode };
  readonly absent?: DispatchNode;
}

/** The whole tree of one direction: frame kind first, then raw text constants, then the payload. */
export interface DispatchTree {
  /** The message that binary frames carry. */
  readonly binary?: DispatchEnd;
  /** Binary frames that a codec reads; then there is no `binary`. */
  readonly encoded?: DispatchNode;
  /** Text frames equal to one of these are that message, before any JSON is parsed (`PING`). */
  readonly constants?: readonly (readonly [text: string, then: DispatchEnd])[];
  /** Text frames that hold JSON. */
  readonly json?: DispatchNode;
  /** The message that text frames carry which are not JSON, or all text frames when there is no `json`. */
  readonly text?: DispatchEnd;
}

/** How a reply finds its request (AsyncAPI 3: Operation Reply Object and Correlation ID Object). */
export interface ReplyContract {
  /** Names of the messages that answer, all of the opposite direction. */
  readonly messages: readonly string[];
  /** Where the correlation id is in the request. */
  readonly request: Path;
  /** Where it is in the reply. */
  readonly reply: Path;
  /**
   * What kind of id to make up when the caller gives none. `order`: there is no id, both paths are empty, and a reply answers the oldest open request
   * that it can answer.
   */
  readonly id: "string" | "integer" | "uuid" | "order";
}

/** One message of one direction. */
export interface MessageContract {
  readonly format: Format;
  /** Which codec reads and writes it, where it is `encoded`. All that one side receives have codecs that read each other's bytes. */
  readonly contentType?: string;
  /** Absent in unchecked clients only. */
  readonly guard?: Guard<unknown>;
  /**
   * Top-level properties with a fixed value, which the sender fills in when the caller leaves them out. In unchecked clients also of the replies that
   * arrive, to tell them from what is none.
   */
  readonly constants?: Readonly<Record<string, Constant>>;
  readonly reply?: ReplyContract;
  /** Set on a reply that the tree leads to, although nobody is given it but who asked. */
  readonly answersOnly?: true;
  /**
   * Places where other messages say what they are, and this one says nothing of its own. On a received reply: a payload that says it is no such reply, though
   * it has the id of a request. On what is sent: a payload that says it is not sent, for the peer would take it for the other message.
   */
  readonly unlike?: readonly Unlike[];
}

/** One of these values at a place; without values, anything there. */
export interface Unlike {
  readonly path: Path;
  readonly values?: readonly Constant[];
}

/** What one side of one endpoint receives. */
export interface ReceiveContract {
  readonly dispatch: DispatchTree;
  /** By the names of the tree's leaves, and of the replies that are matched by correlation only. */
  readonly messages: Readonly<Record<string, MessageContract>>;
}

/**
 * How strings of the handshake become the values that the schema speaks of; what does not look like one stays a string. Properties not named here
 * stay strings. The plurals always make a list, the others only of a parameter that is given several times.
 */
export type Coercion =
  | "integer"
  | "number"
  | "boolean"
  | "numberOrBoolean"
  | "strings"
  | "integers"
  | "numbers"
  | "booleans"
  | "numbersOrBooleans";

/** One part of the handshake: path parameters, query or headers (AsyncAPI `ws` binding 0.1.0). */
export interface HandshakeContract {
  readonly guard?: Guard<unknown>;
  readonly coerce?: Readonly<Record<string, Coercion>>;
  /** Of path parameters and the query, on the client: values of those that may be left out. */
  readonly defaults?: Readonly<Record<string, Constant>>;
  /** Of path parameters, on the server: those of their values that have slashes. No others may be sent with any. */
  readonly slashes?: Readonly<Record<string, readonly string[]>>;
  /** Of headers, on the server: those that the document names, in small letters. Every request has more. */
  readonly names?: readonly string[];
}

/** Where our own error goes in the contract's error message (`x-wsgen: { error: … }`). */
export interface ErrorContract {
  /** Name of the message, which the server sends. */
  readonly message: string;
  readonly code?: Path;
  readonly detail?: Path;
  /** Where the id of the request goes that the error answers. */
  readonly correlation?: Path;
  /** Set where a function of the user's makes the message. */
  readonly toError?: true;
}

/** How a security scheme's credentials travel in the handshake (AsyncAPI Security Scheme Object). */
export interface SchemeContract {
  /** A text; a user name and a password (RFC 7617), or only one of them; a TLS certificate. */
  readonly carries: "key" | "basic" | "username" | "password" | "certificate";
  /** `protocol`: beside the subprotocol of the scheme's name another one, `<scheme>.<base64url>`. */
  readonly in: "header" | "query" | "cookie" | "protocol" | "certificate";
  /** Of the header, query parameter or cookie; of the subprotocol, where the scheme's name is no token. */
  readonly name?: string;
  /** The authentication scheme in front of the credentials (RFC 9110 section 11.1): `Bearer`, `Basic`, … */
  readonly scheme?: string;
}

/** One WebSocket endpoint as one side sees it. */
export interface EndpointContract {
  /** Path template, for example `/rooms/{roomId}`. */
  readonly address: string;
  readonly parameters?: HandshakeContract;
  readonly query?: HandshakeContract;
  readonly headers?: HandshakeContract;
  /** Subprotocols that the server speaks and clients offer, best first. Absent: the document names none. */
  readonly protocols?: readonly string[];
  /** What the document calls its own close codes. */
  readonly closeCodes?: Readonly<Record<string, number>>;
  /** Who may connect: one of these lists of schemes has to be shown whole, an empty one by everybody. Absent: nothing is asked for. */
  readonly security?: readonly (readonly string[])[];
  readonly receives: ReceiveContract;
  readonly sends: Readonly<Record<string, MessageContract>>;
  readonly error?: ErrorContract;
  /** What a server does with what the contract does not allow, where it does not answer with the error message or else close. */
  readonly onInvalid?: "close" | "drop";
  /** The topics of a socket that several channels share, by their names; their messages are called `topic.method`. Clients have views of them. */
  readonly topics?: Readonly<Record<string, TopicContract>>;
}

/** One of several channels that share a socket. */
export interface TopicContract {
  /** Where in its messages each parameter of the topic is said (AsyncAPI Parameter Object, `location`), as far as the document tells. */
  readonly at?: Readonly<Record<string, Path>>;
  /** Values of parameters that a client may leave out. */
  readonly defaults?: Readonly<Record<string, Constant>>;
  /** Opening it subscribes, closing it unsubscribes; absent where nothing says how. */
  readonly subscription?: SubscriptionContract;
}

/** The messages that subscribe to what comes on a channel (`x-wsgen: { subscription: … }`). */
export interface SubscriptionContract {
  readonly subscribe: string;
  /** Another message; or the one that subscribed, with something else at one place. */
  readonly unsubscribe: string | Statement;
  /** The message that says that it was heard. Absent where there is none, and where subscribing is a request. */
  readonly ack?: string;
  /** What says that it was refused: another message, or something in the ack or the reply. */
  readonly refused?: string | Statement;
  /** What tells one subscription from another. */
  readonly key: readonly (Path | KeyPlaces)[];
}

/** A value at a place of a message; without one, anything there but `null`. */
export interface Statement {
  readonly at: Path;
  readonly value?: Constant;
}

/**
 * Where a part of a key is said, as far as it is: a single path is the same place in all of them. `*` in a path stands for every position of a list, of
 * which each has a key of its own. Without `subscribe` it is the server's ack that says it first: an id of the subscription.
 */
export interface KeyPlaces {
  readonly subscribe?: Path;
  readonly unsubscribe?: Path;
  readonly ack?: Path;
  readonly messages?: Path;
}

/** A document as one side sees it. Written by wsgen, read by the runtime. */
export interface Contract {
  readonly version: number;
  /** Version of wsgen that wrote it. */
  readonly generator: string;
  /** The document's title, for logs and errors. */
  readonly title: string;
  /** The security schemes that endpoints ask for, by their names. */
  readonly schemes?: Readonly<Record<string, SchemeContract>>;
  readonly endpoints: Readonly<Record<string, EndpointContract>>;
}
