// What stands between a contract's messages and its handlers: one function for what arrives, one for what is sent.
import type { Awaitable } from "../connection/connection.ts";
import { isThenable } from "../connection/thenable.ts";
import type { ContractConnection, NamedMessage } from "./contract-connection.ts";
import type { Encode } from "./encode.ts";

/** See `RegisterOptions.receive`. */
export type ReceiveFilter = (message: NamedMessage, conn: ContractConnection, next: () => Awaitable<unknown>) => Awaitable<unknown>;

/** See `RegisterOptions.send`. */
export type SendFilter = (message: NamedMessage) => unknown;

/** The answer of a filter that neither asked for one nor gave one. */
export const dropped: unique symbol = Symbol("dropped");

/** Asks a filter. Gives `dropped` for a message that goes no further. */
export function filterReceived(
  filter: ReceiveFilter,
  message: NamedMessage,
  conn: ContractConnection,
  handle: () => Awaitable<unknown>,
): Awaitable<unknown> {
  let called = false;
  const judge = (result: unknown): unknown => (result === undefined && !called ? dropped : result);
  const result = filter(message, conn, () => {
    called = true;
    return handle();
  });
  return isThenable(result) ? result.then(judge) : judge(result);
}

/** Puts a filter before the encoders of an endpoint. */
export function filterSent(filter: SendFilter, encoders: ReadonlyMap<string, Encode>): ReadonlyMap<string, Encode> {
  return new Map(
    [...encoders].map(([name, encode]): [string, Encode] => [
      name,
      (payload, correlation, asGiven) => {
        if (asGiven) encode(payload, correlation, asGiven); // Of several replies: a filter must not see another one's payload under this name.
        return encode(filter({ name, payload }), correlation, asGiven);
      },
    ]),
  );
}
