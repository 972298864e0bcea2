// Our own located checks of a document's structure: fields that AsyncAPI does not know, fields that are missing, names used twice.
import { type Diagnostic, nearest, type Severity } from "../diagnostics.ts";
import { type Document, FILES_KEY, type JsonObject, type JsonValue } from "./document.ts";
import { formatPointer, parsePointer } from "./pointer.ts";
import { fieldOf, type Kind, schemaKeywords, unknownField, type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/** A finding, and the pointer it is about: what others say about the same place is then said already. */
export interface Finding extends Diagnostic {
  readonly pointer: string;
}

export interface Structure {
  readonly findings: readonly Finding[];
  /** What kind of object lies at a pointer, where that is known. */
  kindAt(pointer: string): Kind | undefined;
}

/** @param strict whether what the specification forbids is an error even where generation is possible */
export function checkStructure(document: Document, strict: boolean): Structure {
  const vocabulary = vocabularyOf(String(document.get("/asyncapi")));
  const kinds = new Map<string, Kind>();
  const findings: Finding[] = [];
  const report = (severity: Severity, code: string, pointer: string, message: string, fix: string, at: "key" | "value" = "key") =>
    findings.push({
      severity: strict && severity === "warning" ? "error" : severity,
      code,
      message,
      fix,
      position: document.locate(pointer, at),
      pointer,
    });

  const visit = (value: JsonValue | undefined, path: readonly string[], shape: string) => {
    if (shape === "" || typeof value !== "object" || value === null) return;
    const inner = shape.slice(1, -1);
    if (Array.isArray(value)) {
      const items = shape.startsWith("[") ? inner : shape === "schema" ? shape : "";
      (value as readonly JsonValue[]).forEach((item, index) => {
        visit(item, [...path, String(index)], items);
      });
      return;
    }
    const object = value as JsonObject; // neither null nor an array
    const behind = followToOtherFile(object);
    if (behind) return visit(document.get(formatPointer(behind)), behind, shape);
    if (typeof object["$ref"] === "string") return;
    if (shape.startsWith("{")) {
      for (const [name, child] of Object.entries(object)) visit(child, [...path, name], inner);
      return;
    }
    if (shape.startsWith("[")) return;
    const pointer = formatPointer(path);
    if (kinds.has(pointer)) return;
    if (shape === "schema") return visitSchema(object, path, pointer);
    const kind = vocabulary[shape];
    if (kind) visitObject(object, path, pointer, kind);
  };

  const visitObject = (object: JsonObject, path: readonly string[], pointer: string, kind: Kind) => {
    kinds.set(pointer, kind);
    // A table of bindings has a field per protocol, of which this knows one.
    const open = kind.title === "";
    const misspelt = new Set<string>();
    for (const [field, child] of Object.entries(object)) {
      const shape = fieldOf(kind, field);
      if (shape !== undefined) {
        if (shape !== "schema" || !isForeignSchema(object, child)) visit(child, [...path, field], shape);
      } else if (!open && !field.startsWith("x-")) {
        const meant = nearest(
          field,
          fieldNames(kind).filter((name) => !(name in object)),
        );
        if (meant !== undefined) {
          misspelt.add(meant);
          visit(child, [...path, field], fieldOf(kind, meant) ?? "");
        }
        const { message, fix } = unknownField(kind, field, meant);
        // What is meant may be what nothing can be generated without.
        const vital = meant !== undefined && isVital(kind, meant);
        report(vital ? "error" : "warning", "unknown-field", formatPointer([...path, field]), message, fix);
      }
    }
    for (const written of Object.keys(kind.fields)) {
      const field = written.slice(0, -1);
      const isThere = field in object && (object[field] !== null || !isVital(kind, field));
      if (!written.endsWith("!") || isThere || misspelt.has(field)) continue;
      const severity = isVital(kind, field) ? "error" : "warning";
      report(severity, "missing-field", pointer, `${capital(kind.title)} needs the field "${field}".`, fixOfMissing(kind, field));
    }
    const { action } = object;
    if (
      kind === vocabulary["operation"] &&
      "action!" in kind.fields &&
      action !== undefined &&
      action !== null &&
      action !== "send" &&
      action !== "receive"
    ) {
      const meant = typeof action === "string" ? nearest(action, ["send", "receive"]) : undefined;
      const fix = meant === undefined ? "`receive` is what the application is sent, `send` what it sends." : `Did you mean "${meant}"?`;
      report("error", "unknown-action", formatPointer([...path, "action"]), 'An action is "send" or "receive".', fix, "value");
    }
  };

  const visitSchema = (schema: JsonObject, path: readonly string[], pointer: string) => {
    kinds.set(pointer, schemaKind);
    if (isForeignSchema(schema, schema["schema"])) return;
    for (const [keyword, child] of Object.entries(schema)) {
      const shape = Object.hasOwn(schemaKeywords, keyword) ? schemaKeywords[keyword] : undefined;
      if (shape !== undefined) visit(child, [...path, keyword], shape);
      else if (!keyword.startsWith("x-") && keyword.length > 3) {
        // Any other word is allowed in a schema and means nothing; only a slip of the finger is worth a word.
        const meant = nearest(keyword, Object.keys(schemaKeywords));
        if (meant === undefined || meant in schema || Math.abs(meant.length - keyword.length) > 1 || meant[0] !== keyword[0]) continue;
        const message = `JSON Schema has no keyword "${keyword}"; it is ignored.`;
        findings.push({
          ...{ severity: "warning", code: "unknown-keyword", message, fix: `Did you mean "${meant}"?` },
          ...{ position: document.locate(formatPointer([...path, keyword]), "key"), pointer: formatPointer([...path, keyword]) },
        });
      }
    }
  };

  visit(document.value, [], "root");
  findings.push(...duplicateNames(document, vocabulary));
  return { findings, kindAt: (pointer) => kinds.get(pointer) };
}

const schemaKind: Kind = { title: "a schema", fields: schemaKeywords };

function fieldNames(kind: Kind): string[] {
  return Object.keys(kind.fields).map((field) => (field.endsWith("!") ? field.slice(0, -1) : field));
}

/** Where an object refers to a part of another file: nothing else visits that part. */
function followToOtherFile(object: JsonObject): readonly string[] | undefined {
  const ref = object["$ref"];
  if (typeof ref !== "string" || !ref.startsWith(`#/${FILES_KEY}/`)) return undefined;
  return parsePointer(ref.slice(1));
}

/** Avro, Protobuf and the like: their words are not ours to judge. */
function isForeignSchema(holder: JsonObject, schema: JsonValue | undefined): boolean {
  const inside =
    typeof schema === "object" && schema !== null && !Array.isArray(schema) ? (schema as JsonObject)["schemaFormat"] : undefined;
  const format = holder["schemaFormat"] ?? inside;
  return typeof format === "string" && !/aai\.asyncapi|schema\+(json|yaml)/.test(format);
}

/** What cannot be guessed: without it nothing is generated. The rest of what the specification requires is only a pity. */
function isVital(kind: Kind, field: string): boolean {
  if (kind.title === "the document") return field === "channels";
  return (kind.title === "an operation" || kind.title === "a server") && `${field}!` in kind.fields;
}

function fixOfMissing(kind: Kind, field: string): string {
  if (field === "action") return "Add `action: receive` for what the application is sent, `action: send` for what it sends.";
  if (field === "channel") return 'Add `channel: { $ref: "#/channels/<name>" }`.';
  if (field === "host") return "Add the host it listens on, for instance `host: localhost:3000`.";
  if (field === "url") return "Add its address, for instance `url: ws://localhost:3000`.";
  if (field === "protocol") return "Add `protocol: ws` or `protocol: wss`.";
  if (field === "version") return "Add the version of the API, for instance `version: 1.0.0`.";
  return `Add "${field}" to ${kind.title}.`;
}

/** Different messages of one name in one direction of one channel: what is generated for them must be told apart by something else. */
function duplicateNames(document: Document, vocabulary: Vocabulary): Finding[] {
  const findings: Finding[] = [];
  for (const group of "action!" in (vocabulary["operation"]?.fields ?? {}) ? groups3(document) : groups2(document)) {
    const named = new Map<string, { readonly pointer: string; readonly content: string }>();
    for (const start of group) {
      const pointer = resolved(document, start);
      const message = pointer === undefined ? undefined : document.get(pointer);
      if (pointer === undefined || typeof message !== "object" || message === null || Array.isArray(message)) continue;
      const { name, payload, contentType } = message as JsonObject;
      if (typeof name !== "string") continue;
      const content = JSON.stringify([payload, contentType], (key, value) =>
        key === "description" || key === "examples" ? undefined : value,
      );
      const first = named.get(name);
      if (first === undefined) named.set(name, { pointer, content });
      else if (first.pointer !== pointer && first.content !== content) {
        const at = document.locate(`${pointer}/name`);
        const other = document.locate(`${first.pointer}/name`);
        const where = other.file === at.file ? `in line ${other.line}` : `in ${other.file}:${other.line}`;
        findings.push({
          severity: "warning",
          code: "duplicate-message-name",
          message: `The message name "${name}" is already used ${where}, in the same direction of the same channel.`,
          fix: "Give one of them another name, or refer to one definition twice.",
          position: at,
          pointer: `${pointer}/name`,
        });
      }
    }
  }
  return findings;
}

/** Pointers of the messages that go the same way through the same channel, 3.x. */
function groups3(document: Document): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  const operations = objectAt(document, "/operations");
  for (const [key, operation] of Object.entries(operations)) {
    const path = formatPointer(["operations", key]);
    const at = resolved(document, path) ?? path;
    const channel = resolved(document, `${at}/channel`);
    if (channel === undefined || typeof operation !== "object") continue;
    const id = `${channel} ${String(document.get(`${at}/action`))}`;
    const own = document.get(`${at}/messages`);
    const members = Array.isArray(own)
      ? own.map((_, index) => `${at}/messages/${index}`)
      : Object.keys(objectAt(document, `${channel}/messages`)).map((name) => `${channel}/messages${formatPointer([name])}`);
    const group = groups.get(id) ?? [];
    for (const member of members) group.push(member);
    groups.set(id, group);
  }
  return [...groups.values()];
}

/** The same, 2.x. */
function groups2(document: Document): readonly (readonly string[])[] {
  return Object.keys(objectAt(document, "/channels")).flatMap((key) => {
    const start = formatPointer(["channels", key]);
    const channel = resolved(document, start) ?? start;
    return ["publish", "subscribe"].map((direction) => {
      const message = resolved(document, `${channel}/${direction}/message`);
      const members = message === undefined ? undefined : document.get(`${message}/oneOf`);
      return Array.isArray(members) ? members.map((_, index) => `${message}/oneOf/${index}`) : message === undefined ? [] : [message];
    });
  });
}

function objectAt(document: Document, pointer: string): JsonObject {
  const value = document.get(pointer);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Where the refs from a pointer end; `undefined` when there is nothing. Load has refused circles. */
function resolved(document: Document, pointer: string): string | undefined {
  let here = pointer;
  for (let steps = 0; steps < 100; steps++) {
    const value = document.get(here);
    if (value === undefined) return undefined;
    const ref = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject)["$ref"] : undefined;
    if (typeof ref !== "string") return here;
    here = ref.slice(1);
  }
  return undefined;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
