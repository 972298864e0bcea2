// The judge of the self-test: an AJV of its own over the schemas as the document has them, knowing nothing of the model, the emitters or their AJV.
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/** What holds data, not schemas. */
const data = new Set(["const", "enum", "default", "example", "examples"]);
/** Identifiers of schemas mean nothing inside an AsyncAPI document, and AJV would resolve refs against them. */
const identifiers = new Set(["id", "$id", "$schema", "$anchor"]);

/** Says whether the schema at a pointer of the document allows a value. */
export function createJudge(document) {
  const ajv = new Ajv({ strict: false, validateSchema: false, logger: false, unicodeRegExp: false, ownProperties: true });
  addFormats.default(ajv);
  ajv.addSchema(readable(document.value), "document");
  const compiled = new Map();
  const compile = (pointer) => {
    const known = compiled.get(pointer) ?? ajv.compile({ $ref: `document#${escaped(pointer)}` });
    compiled.set(pointer, known);
    return known;
  };
  return (pointer, value) => compile(pointer)(value) === true;
}

/** Where the schema of a message's payload is; `undefined` where it has none, and everything is allowed. */
export function payloadOf(document, message) {
  const pointer = `${message.pointer}/payload`;
  const payload = document.get(pointer);
  if (payload === undefined || payload === null) return undefined;
  // AsyncAPI 3.0, Multi Format Schema Object.
  return typeof payload === "object" && payload !== null && "schemaFormat" in payload && "schema" in payload
    ? `${pointer}/schema`
    : pointer;
}

const escaped = (pointer) => pointer.split("/").map(encodeURIComponent).join("/");

/** The document in the words of AJV. */
function readable(value) {
  // A key of YAML without a value says nothing.
  if (value === null) return true;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object") return value;
  // Draft-07: what stands beside a `$ref` says nothing.
  if (typeof value.$ref === "string") return { $ref: value.$ref.startsWith("#") ? `#${escaped(value.$ref.slice(1))}` : value.$ref };
  const entries = Object.entries(value).filter(([key, inner]) => !(identifiers.has(key) && typeof inner === "string"));
  const schema = Object.fromEntries(entries.map(([key, inner]) => [key, data.has(key) ? plain(inner) : readable(inner)]));
  return schema.nullable === true ? nullable(schema) : schema;
}

/** What the document holds has no prototype, which AJV wants of values. */
const plain = (value) => JSON.parse(JSON.stringify(value));

/** OpenAPI 3.0: a type and null. AJV wants the type beside it. */
function nullable({ nullable: _, ...schema }) {
  if (schema.type === undefined) return { anyOf: [schema, { type: "null" }] };
  return { ...schema, type: [schema.type, "null"].flat(), ...(Array.isArray(schema.enum) && { enum: [...schema.enum, null] }) };
}
