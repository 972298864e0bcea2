// What a peer is told of a message that is not handled: the contract's error message, or a close code where it has none.
import { type Closure, closures } from "../connection/close.ts";
import { ContractError } from "../errors.ts";
import type { DecodeProblem } from "./dispatch.ts";
import type { Encode } from "./encode.ts";
import type { Endpoint, Problem } from "./endpoint.ts";
import { valueAt, withValueAt } from "./path.ts";

/** The longest `detail` we put into the contract's error message, in characters. */
export const MAX_DETAIL_LENGTH = 200;

/** What `code` says in the contract's error message. */
export const codes = {
  "frame-kind": "unsupported_data",
  "not-json": "invalid_json",
  "not-decodable": "invalid_message",
  "too-deep": "invalid_message",
  "unknown-message": "unknown_message",
  "invalid-message": "invalid_message",
} as const satisfies Readonly<Record<DecodeProblem["kind"], Problem["code"]>>;

/** How the connection ends where the contract has no error message. */
export const refusals = {
  "frame-kind": closures.unsupportedData,
  "not-json": closures.invalidPayload,
  "not-decodable": closures.invalidPayload,
  "too-deep": closures.invalidMessage,
  "unknown-message": closures.unknownMessage,
  "invalid-message": closures.invalidMessage,
} as const satisfies Readonly<Record<DecodeProblem["kind"], Closure>>;

/** Whether replies to the message are known by their order. */
export function isOrdered({ receivers }: Endpoint, name: string | undefined): boolean {
  return name !== undefined && receivers.get(name)?.reply?.id === "order";
}

/**
 * Whether the contract has an error message that may answer this message. Where replies are known by their order, it has to be one of them, and
 * for whoever counts it as one it must be nothing else.
 */
export function hasWordsFor(endpoint: Endpoint, name: string | undefined): boolean {
  const { contract, encoders, receivers } = endpoint;
  const message = contract.error?.message;
  if (message === undefined || !encoders.has(message)) return false;
  if (isOrdered(endpoint, name)) return receivers.get(name!)?.reply?.messages.includes(message) === true;
  const ordered = [...receivers.values()].flatMap(({ reply }) => (reply?.id === "order" ? [reply] : []));
  return !ordered.some(({ messages }) => messages.includes(message));
}

/** The contract's error message, encoded, or why it cannot say this. `body` is what there is of it. Only where it has words for the message. */
export function putIntoWords(
  { contract, encoders, receivers }: Endpoint,
  problem: Problem,
  body: unknown,
): string | Uint8Array | ContractError {
  const error = contract.error!; // As `hasWordsFor` found.
  const encode = encoders.get(error.message)!; // As above.
  const { code, detail, message, payload } = problem;
  const request = message === undefined ? undefined : receivers.get(message)?.reply?.request;
  const id = request === undefined ? undefined : valueAt(payload, request);
  let said = body;
  if (error.code !== undefined) said = withValueAt(said, error.code, code);
  if (error.detail !== undefined) said = withValueAt(said, error.detail, detail);
  // The id is the peer's and unchecked: where the error message does not allow it, it goes without.
  if (error.correlation !== undefined && (typeof id === "string" || typeof id === "number")) {
    const answer = encoded(encode, withValueAt(said, error.correlation, id));
    if (!(answer instanceof ContractError)) return answer;
  }
  return encoded(encode, said);
}

function encoded(encode: Encode, body: unknown): string | Uint8Array | ContractError {
  try {
    return encode(body);
  } catch (refusal) {
    if (refusal instanceof ContractError) return refusal;
    throw refusal;
  }
}
