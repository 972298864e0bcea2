// Every option there is: what it is called, where it may stand, what it decides. The one place that knows; the readers, the published JSON
// Schemas and docs/options.md follow it.
import type { Field, Grammar } from "./grammar.ts";

/** The extension that holds our options. */
export const OPTIONS_KEY = "x-wsgen";

/** What of a document may have it. */
export type Owner = "document" | "channel" | "message" | "security scheme";

export interface Option extends Field {
  readonly on: readonly Owner[];
}

/** A value that JSON Schema can hold in a `const`, as far as messages are told apart by it. */
type Constant = string | number | boolean | null;

/** Where messages say which one they are, and what some of them say there. */
export interface Discriminator {
  readonly at: string;
  readonly values?: { readonly [message: string]: Constant | readonly Constant[] };
}

/** What a message says at a place; without a value, anything but `null`. */
export interface Statement {
  readonly at: string;
  readonly value?: Constant;
}

/** Where the messages of a subscription say one part of its key. */
export interface KeyPlaces {
  readonly subscribe?: string;
  readonly unsubscribe?: string;
  readonly ack?: string;
  readonly messages?: string;
}

/** What `x-wsgen` may say, and the entries of `overrides`. JSON Pointers begin with a slash. */
export interface Options {
  readonly perspective?: "server" | "client";
  readonly name?: string;
  readonly multiplex?: "auto" | "channel" | "socket";
  readonly direction?: "send" | "receive" | "both";
  readonly contentType?: string;
  readonly envelope?: { readonly payload: string; readonly headers?: string } | false;
  readonly discriminator?: string | Discriminator | readonly Discriminator[];
  readonly onAmbiguous?: "union" | "error" | "first" | "classify";
  readonly correlation?: string;
  readonly onInvalid?: "reply" | "close" | "drop";
  readonly subscription?: {
    readonly subscribe: string;
    readonly unsubscribe: string | Required<Statement>;
    readonly ack?: string;
    readonly refused?: string | Statement;
    readonly key: readonly (string | KeyPlaces)[];
  };
  readonly error?: { readonly code?: string; readonly detail?: string; readonly correlation?: string; readonly toError?: true };
  readonly protocols?: readonly string[];
  readonly closeCodes?: { readonly [name: string]: number | { readonly code: number; readonly about?: string } };
  readonly carrier?: "header" | "query" | "protocol" | "message";
}

const word = (...words: readonly string[]): Grammar => ({ kind: "words", words });
const either = (...of: readonly Grammar[]): Grammar => ({ kind: "either", of });
const message: Grammar = { kind: "text", what: "the name of a message of the channel" };
const inPayload = (such: string): Grammar => ({ kind: "pointer", into: "payload", such });
const inFrame = (such: string): Grammar => ({ kind: "pointer", into: "message", such });

const statement = (such: string, what: "unsubscribe" | "refused"): { readonly [name: string]: Field } => ({
  at: { about: "Where it says so.", value: inPayload(such) },
  value: {
    about: what === "unsubscribe" ? "What it says there." : "What it says there; without one, anything but `null`.",
    value: { kind: "constant" },
  },
});

const keyPlaces: Grammar = {
  kind: "fields",
  fields: {
    subscribe: {
      about: "Where the subscribing message says it, `*` for each item of a list; without it, the ack says it first.",
      value: inPayload("/args/*/symbol"),
    },
    unsubscribe: {
      about: "Where the unsubscribing message says it; where the subscribing one does, if it has that place.",
      value: inPayload("/id"),
    },
    ack: { about: "Where the ack or the reply says it; where the other messages do, if nothing else is said.", value: inPayload("/id") },
    messages: { about: "Where the messages say it that come of the subscription.", value: inPayload("/symbol") },
  },
};

const discriminator: Grammar = {
  kind: "fields",
  required: ["at"],
  fields: {
    at: { about: "Where the value lies in what is sent.", value: inFrame("/type") },
    values: {
      about: "The value, or the values, of each message; messages that are not listed stay as their schemas are.",
      value: { kind: "map", keys: "names of messages", of: { kind: "constants" } },
    },
  },
};

/** What RFC 6455 section 7.4.2 leaves to applications. */
const closeCode: Grammar = { kind: "integer", from: 4000, to: 4999 };

/** Keys of `x-wsgen` and of the entries of `overrides`, in the order of docs/options.md. */
export const options = {
  perspective: {
    on: ["document"],
    about: "Which side the document describes, where wsgen reads it wrongly.",
    value: word("server", "client"),
  },
  name: {
    on: ["document", "channel", "message"],
    about: "What it is called in the generated code: the API, the endpoint, the message.",
    value: { kind: "name" },
  },
  multiplex: {
    on: ["document", "channel"],
    about:
      "Which channels share a socket: `auto` reads it from servers and addresses, `channel` gives each a connection of its own, `socket` puts all of a server on one.",
    value: word("auto", "channel", "socket"),
  },
  direction: {
    on: ["message"],
    about: "What the described application does with a message that no operation names.",
    value: word("send", "receive", "both"),
  },
  contentType: {
    on: ["document", "message"],
    about: "How messages travel, where the document does not say it or says it wrongly.",
    value: { kind: "text", what: "a content type, such as `application/json`, `application/cbor` or `text/plain`" },
  },
  envelope: {
    on: ["document", "channel", "message"],
    about:
      "What is on the wire around each payload: where the payload lies, and the message's headers. `false` on a message that has no envelope.",
    value: either(
      {
        kind: "fields",
        required: ["payload"],
        fields: {
          payload: { about: "Where the payload lies in what is sent.", value: inFrame("/data") },
          headers: { about: "Where the message's `headers` lie.", value: inFrame("/headers") },
        },
      },
      { kind: "flag", only: false },
    ),
  },
  discriminator: {
    on: ["document", "channel"],
    about:
      "Where messages say which one they are. Each has the constant of its schema there or, where that names none, its own name; `values` gives others.",
    value: either(inFrame("/type"), discriminator, { kind: "list", of: discriminator }),
  },
  onAmbiguous: {
    on: ["document", "channel"],
    about:
      "What becomes of messages that nothing tells apart: one handler with a `union` type, an `error` of generation, the `first` (as listed in the document) whose schema accepts, or what a `classify` function says at run time.",
    value: word("union", "error", "first", "classify"),
  },
  correlation: {
    on: ["document", "channel", "message"],
    about: "What ties a reply to its request: an id at this place of both, or their `order`. On a message: for what is asked with it.",
    value: either(inPayload("/id"), word("order")),
  },
  onInvalid: {
    on: ["document", "channel"],
    about:
      "What a server does with a message that the contract does not allow: `reply` with the mapped error message (the default where there is one), `close` the connection (the default where there is none), or `drop` the message.",
    value: word("reply", "close", "drop"),
  },
  subscription: {
    on: ["channel"],
    about:
      "Which messages subscribe to what comes on the channel: clients have subscriptions as objects, and subscribe again after a reconnect.",
    value: {
      kind: "fields",
      required: ["subscribe", "unsubscribe", "key"],
      fields: {
        subscribe: { about: "The message that asks for it.", value: message },
        unsubscribe: {
          about: "The message that asks for no more of it; or what the one that subscribed says instead.",
          value: either(message, { kind: "fields", required: ["at", "value"], fields: statement("/op", "unsubscribe") }),
        },
        ack: { about: "The message that says that it was heard; without one, a subscription is there once it is sent.", value: message },
        refused: {
          about: "What says that there will be none: a message, or what the ack or the reply says then.",
          value: either(message, { kind: "fields", required: ["at"], fields: statement("/success", "refused") }),
        },
        key: {
          about:
            "What tells one subscription from another: places that all these messages have, and those that come of it as far as they say it; or where each of them has it.",
          value: { kind: "list", of: either(inPayload("/pair"), keyPlaces) },
        },
      },
    },
  },
  error: {
    on: ["message"],
    about: "This message carries our own errors: where each part of them goes.",
    value: {
      kind: "fields",
      fields: {
        code: { about: "What is wrong, as one of five words.", value: inPayload("/code") },
        detail: { about: "The same as a sentence.", value: inPayload("/detail") },
        correlation: { about: "The id of the request that failed.", value: inPayload("/correlation") },
        toError: {
          about: "A function makes the message, where its parts cannot be said once for all: generated servers ask for it.",
          value: { kind: "flag", only: true },
        },
      },
    },
  },
  protocols: {
    on: ["document", "channel"],
    about: "Subprotocols that the server speaks and clients offer, best first.",
    value: { kind: "list", of: { kind: "token" } },
  },
  closeCodes: {
    on: ["document", "channel"],
    about: "Names of the close codes that the application uses; those of a channel stand beside the document's.",
    value: {
      kind: "map",
      keys: "names",
      of: either(closeCode, {
        kind: "fields",
        required: ["code"],
        fields: {
          code: { about: "The code.", value: closeCode },
          about: { about: "When a connection is closed with it.", value: { kind: "text", what: "a sentence" } },
        },
      }),
    },
  },
  carrier: {
    on: ["security scheme"],
    about:
      "Where the credentials travel, if not where the scheme says: in a `header`, in the `query`, as a subprotocol (`protocol`), or in a `message` of the contract, about which the handshake does not ask.",
    value: word("header", "query", "protocol", "message"),
  },
} as const satisfies { readonly [Name in keyof Required<Options>]: Option };

/** The options of one kind of object. */
export function optionsOn(owner: Owner): { readonly [name: string]: Option } {
  const all: readonly (readonly [string, Option])[] = Object.entries(options);
  return Object.fromEntries(all.filter(([, { on }]) => on.includes(owner)));
}

/** What a configuration file may say; options of the command line win over it. */
export interface Config {
  /** Path of the AsyncAPI document. */
  readonly document?: string;
  /** Folder for the generated code; `generated` by default. */
  readonly out?: string;
  /** Folder for handler files, which are yours after they were first written; none are written by default. */
  readonly handlers?: string;
  /** Whose code is generated; `both` by default. */
  readonly side?: "both" | "server" | "client";
  /** Which side the document is written from, where wsgen reads it wrongly. */
  readonly perspective?: "server" | "client";
  /** Folder that `$ref`s to files may not leave; the working directory, or the document's folder when it lies elsewhere. */
  readonly root?: string;
  /** `false` leaves out schemas.ts, the one file that needs `typebox`. */
  readonly schemas?: boolean;
  /** `true` writes a second client, client.unchecked.ts, which loads no guard and checks nothing. */
  readonly unchecked?: boolean;
  /** Name of a package to publish: beside the client a package.json, a README and what compiles it; `side` is `client` then. */
  readonly package?: string;
  /** Whether warnings of the official parser, and patterns that can take exponential time, stop generation. */
  readonly strict?: boolean;
  /** What `x-wsgen` would say in documents you do not own, by `file#/pointer`: `#/channels/chat` is a place of the document itself. */
  readonly overrides?: { readonly [place: string]: Options };
}

/** The keys of a configuration. */
export const configKeys = {
  document: { about: "Path of the AsyncAPI document.", value: { kind: "text", what: "a path" } },
  out: { about: "Folder for the generated code; `generated` by default.", value: { kind: "text", what: "a path" } },
  handlers: {
    about: "Folder for handler files, which are yours after they were first written; none are written by default.",
    value: { kind: "text", what: "a path" },
  },
  side: { about: "Whose code is generated; `both` by default.", value: word("both", "server", "client") },
  perspective: {
    about: "Which side the document is written from, where wsgen reads it wrongly.",
    value: word("server", "client"),
  },
  root: {
    about: "Folder that `$ref`s to files may not leave; the working directory, or the document's folder when it lies elsewhere.",
    value: { kind: "text", what: "a path" },
  },
  schemas: { about: "`false` leaves out schemas.ts, the one file that needs `typebox`.", value: { kind: "flag" } },
  unchecked: {
    about: "`true` writes a second client, client.unchecked.ts, which loads no guard and checks nothing.",
    value: { kind: "flag" },
  },
  package: {
    about: "Name of a package to publish: beside the client a package.json, a README and what compiles it; `side` is `client` then.",
    value: { kind: "text", what: "a name that npm takes" },
  },
  strict: {
    about: "Whether warnings of the official parser, and patterns that can take exponential time, stop generation.",
    value: { kind: "flag" },
  },
  overrides: {
    about:
      "Options for documents you do not own: what `x-wsgen` would say there, by `file#/pointer`. `#/channels/chat` is a place of the document itself; paths are relative to the configuration.",
    value: {
      kind: "map",
      keys: "places such as `api.yaml#/channels/chat`",
      // Which of them a place can have is known once it was looked up.
      of: { kind: "fields", fields: options },
    },
  },
} as const satisfies { readonly [Key in keyof Required<Config>]: Field };
