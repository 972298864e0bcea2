// What a client says when a value does not match the contract.
import type { Guard } from "../contract/contract.ts";
import { ContractError } from "../errors.ts";

/** What is checked: the beginning of the sentence (`"post" was not sent`), which way it goes, and which message it is, if it is one. */
export type Subject = readonly [what: string, direction: ContractError["direction"], messageName?: string | undefined];

/** Asks a guard; `undefined` when it has nothing to say, or is not there. */
export function refusalOf(guard: Guard<unknown> | undefined, value: unknown, subject: Subject): ContractError | undefined {
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

/** The error that says it. */
export const refuse = ([what, direction, messageName]: Subject, reason: string, path = ""): ContractError =>
  new ContractError({ message: `${what}: ${path || "it"} ${reason}.`, messageName, direction, path });
