// The guards of a contract, asked on both ways. A client that trusts its server loads none, and not this either.
import type { Guard } from "../contract/contract.ts";
import type { ContractError } from "../errors.ts";
import { refuse, type Subject } from "./check.ts";
import type { Feature } from "./feature.ts";

/** For contracts with guards. Without it, what has a guard is refused: nothing passes unchecked by mistake. */
export const guards: Feature = (_endpoint, codec) => {
  codec.refusalOf = refusalOf;
  return () => ({});
};

function refusalOf(guard: Guard<unknown> | undefined, value: unknown, subject: Subject): ContractError | undefined {
  try {
    if (!guard || guard(value)) return;
  } catch (error) {
    // Guards of recursive schemas are recursive functions: a very deep value ends their stack.
    return refuse(subject, String(error));
  }
  const { instancePath, keyword = "", message = keyword, params = {} } = guard.errors?.[0] ?? {};
  // Some of AJV's sentences leave out what they are about.
  const detail = /^(co|en|ad|un)/.test(keyword) ? `: ${JSON.stringify(Object.values(params)[0])}` : "";
  return refuse(subject, message + detail, instancePath);
}
