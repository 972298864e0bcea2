// The constants of what a client sends, which need not be repeated by whoever sends it.
import type { Feature } from "./feature.ts";
import { filled } from "./filled.ts";

/** For contracts whose messages have constants: fills in those that are not said, unless they say which message it is (`asGiven`). */
export const constants: Feature = ({ sends }, codec) => {
  const { encode } = codec;
  codec.encode = (name, payload, asGiven) => encode(name, asGiven ? payload : withConstants(payload, sends[name]?.constants), asGiven);
  return () => ({});
};

function withConstants(payload: unknown, constants: Readonly<Record<string, unknown>> | undefined): unknown {
  // A list or a number stays what it is, for the guard to refuse.
  if (!constants || (payload !== undefined && (Object(payload) !== payload || Array.isArray(payload)))) return payload;
  return filled(payload as object | undefined, constants);
}
