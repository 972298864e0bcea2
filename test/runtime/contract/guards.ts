// Guards for hand-written contracts: the same AJV functions that validators.ts holds, compiled on the spot.
import { Ajv } from "ajv";
import type { Guard } from "../../../runtime/src/contract/contract.ts";

const ajv = new Ajv({ strictNumbers: true, ownProperties: true });

export function guardOf(schema: object): Guard<unknown> {
  // AJV's own type differs in its optional schema properties only.
  return ajv.compile(schema) as unknown as Guard<unknown>;
}

/** An object whose `type` is fixed, with these other properties, all required unless named in `optional`, and no more. */
export function tagged(type: string, properties: Readonly<Record<string, object>> = {}, optional: readonly string[] = []): Guard<unknown> {
  return guardOf({
    type: "object",
    additionalProperties: false,
    required: ["type", ...Object.keys(properties).filter((name) => !optional.includes(name))],
    properties: { type: { const: type }, ...properties },
  });
}
