// The official parser's findings in our terms: what stops generation, what is a warning, what is noise, and what to do about each.
import type { Diagnostic, Severity } from "../diagnostics.ts";
import { nearest } from "../diagnostics.ts";
import type { Document, JsonValue } from "./document.ts";
import type { CheckReport } from "./official.ts";
import { formatPointer, parsePointer } from "./pointer.ts";
import type { Structure } from "./structure.ts";
import { fieldOf, speaksJsonSchema, unknownField } from "./vocabulary.ts";

/** Said by load (refs, the version) or about style. */
const dropped = new Set(["invalid-ref", "asyncapi-is-asyncapi", "asyncapi-latest-version", "asyncapi-unused-component", "parser"]);

/** Rules whose breach does not hinder generation: examples, parameters, names, security, servers, tags. */
const harmless =
  /examples|default|parameters|security|server|variables|tags|uniqueness|unambiguity|no-query-nor-fragment|from-referred-channel|document-unresolved|unused/;

/** Parts of a document that no code is generated from. */
const decoration = new Set([
  "bindings",
  "security",
  "securitySchemes",
  "tags",
  "externalDocs",
  "examples",
  "contact",
  "license",
  "info",
  "traits",
  "id",
  "correlationId",
]);

/** Names and prose: what is no text there is left out, and a channel's name may be empty. */
const wordings = new Set(["title", "summary", "description", "name", "messageId", "operationId"]);

type Said = CheckReport[number] & { readonly pointer: string };

/**
 * @param structure what our own checks found: what they said already is not said again
 * @param strict whether the parser's errors stay errors
 */
export function grade(report: CheckReport, document: Document, structure: Structure, strict: boolean): Diagnostic[] {
  const said = new Set(structure.findings.map((one) => one.pointer));
  const all = report
    .filter((one) => !dropped.has(one.code) && !isUnderstood(one))
    .map((one): Said => ({ ...one, pointer: formatPointer(one.path) }));
  const noise = all.filter((one) => isNoise(one, document, structure));
  const clear = all.filter((one) => !noise.includes(one) && !isEcho(one, all));
  // Noise that comes alone is still the only sign that something is wrong. Beside an error it may be about what refers to the place of the error.
  const told = [...said, ...clear.map((other) => other.pointer)];
  const alone = clear.some((one) => severityOf(one, document, strict) === "error")
    ? []
    : noise.filter((one) => !told.some((pointer) => isWithin(pointer, holderOf(one))));
  return [...clear, ...alone.slice(0, 1)]
    .filter((one) => !isSaid(one, said, document))
    .map((one) => ({
      severity: severityOf(one, document, strict),
      code: one.code,
      ...reword(one, document, structure),
      position: document.locate(one.pointer, pointsAtKey(one) ? "key" : "value"),
    }));
}

/** Of JSON Schema's dialects the parser reads one alone; ours reads OpenAPI's too. */
function isUnderstood({ message }: CheckReport[number]): boolean {
  const format = unreadFormat(message);
  return format !== undefined && speaksJsonSchema(format);
}

const unreadFormat = (message: string): string | undefined => /^No schema parser registered for "(.*)"$/.exec(message)?.[1];

/** What the parser says of a union (a message may be a ref, a `oneOf` or a message) when one of its members does not fit. */
function isNoise({ message, path, pointer }: Said, document: Document, structure: Structure): boolean {
  // A schema or a list of schemas: it is a schema, in which something else is wrong.
  if (/^"items" property type must be array$/.test(message)) return typeof document.get(pointer) === "object";
  if (
    /must match "(then|else|if)" schema|must have required property "(oneOf|\$ref)"|must match exactly one schema in oneOf|must NOT be valid/.test(
      message,
    )
  )
    return true;
  const unexpected = unexpectedField(message);
  // Of what lies behind a ref the parser tells the place of the ref's target.
  if (unexpected === undefined || path.at(-1) !== unexpected) return unexpected !== undefined;
  const kind = structure.kindAt(formatPointer(path.slice(0, -1)));
  return kind !== undefined && fieldOf(kind, unexpected) !== undefined;
}

const unexpectedField = (message: string): string | undefined => /^Property "(.*)" is not expected to be here$/.exec(message)?.[1];

/** What a finding is about: a field that does not fit says something of its object. */
function holderOf({ message, path, pointer }: Said): string {
  const unexpected = unexpectedField(message);
  if (unexpected === undefined) return pointer;
  return path.at(-1) === unexpected ? formatPointer(path.slice(0, -1)) : "";
}

/** Whether it is what one rule says less clearly of what another rule says too: without even a name. */
function isEcho(one: Said, all: readonly Said[]): boolean {
  return /^must /.test(one.message) && all.some((other) => other.pointer === one.pointer && !/^must /.test(other.message));
}

/** Whether our own checks have pointed at it: at the place itself, or at the misspelt neighbour of a field that is missing. */
function isSaid(one: Said, said: ReadonlySet<string>, document: Document): boolean {
  if (said.has(one.pointer)) return true;
  // Of what lies behind a ref the parser tells the place of the ref's target.
  const unexpected = unexpectedField(one.message);
  if (unexpected !== undefined && one.path.at(-1) !== unexpected) {
    return [...said].some((pointer) => pointer.endsWith(formatPointer([unexpected])));
  }
  const missing = /must have required property "(.*)"$/.exec(one.message)?.[1];
  const holder = missing === undefined ? undefined : document.get(one.pointer);
  if (missing === undefined || typeof holder !== "object" || holder === null) return false;
  return Object.keys(holder).some((key) => said.has(one.pointer + formatPointer([key])) && nearest(key, [missing]) !== undefined);
}

function isWithin(pointer: string, around: string): boolean {
  return pointer === around || pointer.startsWith(`${around}/`) || around.startsWith(`${pointer}/`);
}

function severityOf(one: Said, document: Document, strict: boolean): Severity {
  if (!one.isError) return "warning";
  if (strict) return "error";
  // Without a place the parser speaks of a part of another file that it lost track of.
  if (harmless.test(one.code) || one.path.length === 0) return "warning";
  if (/is not expected to be here$|must match format|must match "(then|else|if)" schema|must not have duplicate items/i.test(one.message))
    return "warning";
  if (one.path.some((segment) => decoration.has(segment))) return "warning";
  return isLeftOut(one, document) ? "warning" : "error";
}

/** What the model does without: nothing, where YAML has a key and no value; a boolean for a schema; a name that is no text, or is empty. */
function isLeftOut({ message, path, pointer }: Said, document: Document): boolean {
  if (/must not have fewer than 1 characters/.test(message)) return true;
  if (!/property type must be /.test(message)) return false;
  const value = document.get(pointer);
  const field = path.at(-1) ?? "";
  return value === null || (typeof value === "boolean" && /object/.test(message)) || (typeof value !== "object" && wordings.has(field));
}

/** Findings about a name, or about something that is not there, point at a key; those about a value at the value. */
function pointsAtKey({ code, message }: Said): boolean {
  return (
    /is not expected to be here$|must have required property|redundant|not defined|does not belong|schema in oneOf|" schema$/.test(
      message,
    ) || /parameters|servers/.test(code)
  );
}

function reword(one: Said, document: Document, structure: Structure): Pick<Diagnostic, "message" | "fix"> {
  const plain = rewordGeneral(one, document, structure);
  const data = /examples/.test(one.code) ? "example" : /schema-default/.test(one.code) ? "default" : undefined;
  if (data === undefined) return plain ?? rewordRule(one, document);
  const message = `${capital(article(data))} does not fit its schema: ${plain?.message ?? sentence(one.message)}`;
  return { message, fix: `Correct the ${data} or the schema.` };
}

/** What the parser's schema of the specification says: the same few sentences everywhere. */
function rewordGeneral(one: Said, document: Document, structure: Structure): Required<Pick<Diagnostic, "message" | "fix">> | undefined {
  const { message, path, pointer } = one;
  const holder = structure.kindAt(formatPointer(path.slice(0, -1)));
  const name = /^"(.*?)" property/.exec(message)?.[1] ?? path.at(-1) ?? "document";
  const unexpected = unexpectedField(message);
  if (unexpected !== undefined) {
    const owner = path.length === 0 ? undefined : holder;
    return unknownField(owner ?? { title: "this object" }, unexpected, undefined);
  }
  const missing = /must have required property "(.*)"$/.exec(message)?.[1];
  if (missing !== undefined) return { message: `"${name}" needs the field "${missing}".`, fix: `Add "${missing}".` };
  const allowed = /must be equal to one of the allowed values: (.*?)(?:\. Did you mean.*)?$/.exec(message)?.[1];
  if (allowed !== undefined) {
    const value = document.get(pointer);
    const meant = typeof value === "string" ? nearest(value, allowed.replaceAll('"', "").split(", ")) : undefined;
    return {
      message: `"${name}" is ${show(value)}, but must be one of: ${allowed}.`,
      fix: meant ? `Did you mean "${meant}"?` : "Write one of them.",
    };
  }
  const type = /property type must be (.*)$/.exec(message)?.[1];
  if (type !== undefined && document.get(pointer) === null && path.length > 0) {
    return { message: `"${name}" is empty, which counts as left out.`, fix: "Write what belongs there, or remove it." };
  }
  if (type !== undefined) {
    const found = path.length === 0 ? "" : `, not ${kindOf(document.get(pointer))}`;
    return { message: `"${name}" must be ${article(type)}${found}.`, fix: `Write ${article(type)}.` };
  }
  const item = /^Item at index (\d+) must be (\w+)$/.exec(message);
  if (item) {
    const [, index, wanted = ""] = item;
    return {
      message: `"${path.at(-2) ?? name}" has ${article(wanted)} as each of its items, but item ${index} is none.`,
      fix: `Write ${article(wanted)}.`,
    };
  }
  if (/must not have fewer than 1 characters/.test(message)) {
    return { message: `A name in "${name}" is empty.`, fix: "Give it a name." };
  }
  const format = /must match format "(.*)"$/.exec(message)?.[1];
  if (format === "uri-template") {
    return {
      message: `${show(path.at(-1))} is no URI template as RFC 6570 has it: in braces are letters, digits, "_" and ".".`,
      fix: "Rename what is in braces; the code is generated all the same.",
    };
  }
  if (format !== undefined) return { message: `"${name}" is no valid ${format}.`, fix: `Write it as ${article(format)}.` };
  if (/must match "|schema in oneOf/.test(message)) {
    return {
      message: `"${name}" is not what AsyncAPI allows here.`,
      fix: `Compare it with the specification${holder?.title ? ` of ${holder.title}` : ""}.`,
    };
  }
  return undefined;
}

/** What a single rule of the parser says. */
function rewordRule({ code, message, pointer }: Said, document: Document): Pick<Diagnostic, "message" | "fix"> {
  const redundant = /redundant defined "(.*)" (parameter|variable)/.exec(message);
  if (redundant) {
    const [, name, kind] = redundant;
    return {
      message: `The ${kind} "${name}" does not occur in the address.`,
      fix: `Put {${name}} into the address, or remove the ${kind}.`,
    };
  }
  const undescribed = /Not all (?:channel|server)'s (parameter|variable)s are described .*Missed: (.*?)\.?$/.exec(message);
  if (undescribed) {
    const [, kind, names] = undescribed;
    return { message: `The address has a ${kind} that is not described: ${names}.`, fix: `Describe it under \`${kind}s\`.` };
  }
  const unknownFormat = unreadFormat(message);
  if (unknownFormat !== undefined) {
    return { message: `Schemas of the format ${unknownFormat} are not understood.`, fix: "Write the payload as JSON Schema." };
  }
  const known = rewordings.find(([rule]) => rule.test(code))?.[1];
  if (known === undefined) return { message: sentence(message) };
  return {
    message: known.message?.(document.get(pointer)) ?? sentence(message),
    fix: typeof known.fix === "string" ? known.fix : known.fix(pointer, document),
  };
}

interface Rewording {
  /** Absent: the parser's own sentence is good. */
  readonly message?: (value: JsonValue | undefined) => string;
  readonly fix: string | ((pointer: string, document: Document) => string);
}

/** The name at the end of a reference. */
function lastOfRef(value: JsonValue | undefined): string | undefined {
  const ref: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "$ref") : undefined;
  return typeof ref === "string" ? parsePointer(ref.slice(ref.indexOf("#") + 1))?.at(-1) : undefined;
}

const rewordings: readonly (readonly [RegExp, Rewording])[] = [
  [
    /operationId-uniqueness/,
    { message: (value) => `The operationId ${show(value)} is used more than once.`, fix: "Rename one of the operations." },
  ],
  [
    /messageId-uniqueness/,
    { message: (value) => `The messageId ${show(value)} is used more than once.`, fix: "Rename one of the messages." },
  ],
  [
    /operation-messages-from-referred-channel/,
    {
      message: () => "This operation's message is not one of its channel's messages.",
      fix: (pointer, document) => {
        const [operations = "", operation = ""] = parsePointer(pointer) ?? [];
        const channel = lastOfRef(document.get(formatPointer([operations, operation, "channel"])));
        const message = lastOfRef(document.get(pointer));
        return `List it under \`messages\` of the channel, and refer to it there: "#${formatPointer(["channels", channel ?? "<channel>", "messages", message ?? "<message>"])}".`;
      },
    },
  ],
  [/channel-parameters/, { fix: "Make the braces in the address and the names under `parameters` the same." }],
  [/server-variables/, { fix: "Make the braces in the address and the names under `variables` the same." }],
  [/channel-servers$/, { fix: "Name a server that is defined under `servers`." }],
  [
    /operation-channel-unambiguity/,
    { message: () => "An operation's channel must be one of the document's channels.", fix: 'Refer to it: "#/channels/<name>".' },
  ],
  [
    /channel-servers-unambiguity/,
    { message: () => "A channel's servers must be some of the document's servers.", fix: 'Refer to them: "#/servers/<name>".' },
  ],
  [
    /no-query-nor-fragment/,
    { message: () => "An address cannot hold a query or a fragment.", fix: "Describe the query in the channel's ws binding." },
  ],
  [/security/, { fix: "Define the scheme under `components/securitySchemes`." }],
  [/document-unresolved/, { message: () => "A $ref is not allowed here.", fix: "Write the object itself." }],
  [/schemas/, { fix: "Correct the schema." }],
];

function sentence(message: string): string {
  const text = message.trim();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function article(word: string): string {
  const noun = word === "array" ? "list" : word;
  if (noun.includes(",")) return noun.split(",").map(article).join(" or ");
  return noun === "null" ? noun : `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function kindOf(value: JsonValue | undefined): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  return article(Array.isArray(value) ? "list" : typeof value);
}

function show(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
