// The constants of what a client sends, which need not be repeated by whoever sends it.
import type { Feature } from "./feature.ts";

/** For contracts whose messages have constants: fills in those that are not said, unless they say which message it is (`asGiven`). */
export const constants: Feature = ({ sends }, codec) => {
  const { encode } = codec;
  codec.encode = (name, payload, asGiven) => encode(name, asGiven ? payload : filled(payload, sends[name]?.constants), asGiven);
  return () => ({});
};

function filled(payload: unknown, constants: Readonly<Record<string, unknown>> | undefined): unknown {
  // A list or a number stays what it is, for the guard to refuse.
  if (!constants || (payload !== undefined && (Object(payload) !== payload || Array.isArray(payload)))) return payload;
  // An explicit `undefined` is left out, like a property that is not there.
  const whole: Record<string, unknown> = { ...constants, ...(payload as object) };
  for (const key in constants) if (whole[key] === undefined) whole[key] = constants[key];
  return whole;
}
