// What a client says when something does not match the contract.
import { ContractError } from "../errors.ts";

/** What is checked: the beginning of the sentence (`"post" was not sent`), which way it goes, and which message it is, if it is one. */
export type Subject = readonly [what: string, direction: ContractError["direction"], messageName?: string | undefined];

/** The error that says it. */
export const refuse = ([what, direction, messageName]: Subject, reason: string, path = ""): ContractError =>
  new ContractError(`${what}: ${path || "it"} ${reason}.`, { messageName, direction, path });
