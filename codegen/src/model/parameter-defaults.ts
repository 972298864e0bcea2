// Parameters of an address that a client may leave out, because the document says what stands for them.
import type { JsonObject } from "../document/document.ts";
import type { Findings } from "./findings.ts";
import { emptyObject } from "./keywords.ts";
import type { SourceChannel } from "./source.ts";
import { property } from "./tree.ts";

/** The values of those that have one, by their names (AsyncAPI 3, Parameter Object, `default`). */
export function defaultsOf(
  channels: readonly SourceChannel[],
  properties: JsonObject,
  findings: Findings,
): { readonly [parameter: string]: string | number | boolean } {
  const defaults = emptyObject() as Record<string, string | number | boolean>;
  for (const [name, schema] of Object.entries(properties)) {
    const value = property(schema, "default");
    const allowed = property(schema, "enum");
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") continue;
    if (!Array.isArray(allowed) || allowed.includes(value)) {
      defaults[name] = value;
      continue;
    }
    const declared = channels.flatMap(({ parameters }) => parameters).find((parameter) => parameter.name === name);
    findings.warning({
      code: "parameter-default",
      message: `The default of \`${name}\` is none of the values that its \`enum\` allows; clients have to give it.`,
      fix: "Take one of them, or add it to them.",
      pointer: declared?.pointer ?? channels[0]?.pointer ?? "/channels",
      at: "key",
    });
  }
  return defaults;
}
