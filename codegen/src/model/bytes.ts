// Bytes inside of a message: what `type: string, format: binary` means where a codec carries it. JSON has no bytes, so there it is text.
import type { JsonObject } from "../document/document.ts";
import type { Findings } from "./findings.ts";
import { ANNOTATIONS, BYTES, emptyObject, mapSubschemas, type Schema, typesOf } from "./keywords.ts";
import type { Types } from "./schemas.ts";
import { reachable } from "./types.ts";

/** Which types travel how, by their ids. */
export interface Carried {
  /** Types of messages that a codec reads and writes. */
  readonly encoded: ReadonlySet<string>;
  /** Types of everything else that is validated. */
  readonly others: ReadonlySet<string>;
}

/** Says in the schemas of encoded messages, and in those that they refer to, where bytes are. What JSON messages use as well may be either there. */
export function markBytes({ encoded, others }: Carried, types: Types, findings: Findings): void {
  if (encoded.size === 0) return;
  const shared = new Set(reachable(types, others).map(({ id }) => id));
  for (const draft of reachable(types, encoded)) {
    let found = 0;
    const mark = (schema: Schema): Schema => {
      if (typeof schema === "boolean") return schema;
      const marked = mapSubschemas(schema, mark);
      if (!isBinary(marked)) return marked;
      found += 1;
      return bytesIn(marked, shared.has(draft.id));
    };
    const schema = mark(draft.schema);
    if (found === 0) continue;
    types.add({ ...draft, schema });
    if (!shared.has(draft.id)) continue;
    findings.warning({
      code: "bytes-or-text",
      message:
        "This schema is used by JSON messages and by encoded ones: its `format: binary` is text in the first and bytes in the others, and may be either here.",
      fix: "Give the JSON messages a schema of their own, with `contentEncoding: base64` in place of `format: binary`.",
      pointer: draft.pointer,
      at: "key",
    });
  }
}

function isBinary(schema: JsonObject): boolean {
  return schema["format"] === "binary" && typesOf(schema).includes("string") && !("const" in schema || "enum" in schema);
}

/** The schema with bytes in the place of text; beside text where it stays text, too. */
function bytesIn(schema: JsonObject, staysText: boolean): JsonObject {
  const outer = emptyObject();
  const text = emptyObject();
  const limits = emptyObject();
  const rest = emptyObject();
  for (const [key, value] of Object.entries(schema)) {
    (ANNOTATIONS.has(key) ? outer : text)[key] = value;
    if (key === "minLength" || key === "maxLength") limits[key] = value;
    else if (!ANNOTATIONS.has(key) && !["type", "format", "pattern"].includes(key)) rest[key] = value;
  }
  const bytes = { ...rest, [BYTES]: limits };
  const otherTypes = typesOf(schema).filter((type) => type !== "string");
  if (staysText) return { ...outer, anyOf: [bytes, text] };
  return otherTypes.length === 0 ? { ...outer, ...bytes } : { ...outer, anyOf: [bytes, { ...rest, type: otherTypes }] };
}
