// Whether and when a lost connection is tried again: one table for close codes (RFC 6455 section 7.4) and HTTP statuses, and full jitter.
import type { ConnectionClosedError, UpgradeRejectedError, WsgenError } from "../errors.ts";
import { MAX_SPREAD, OVERLOAD, SPREAD } from "./limits.ts";

/** When a client connects again. */
export interface ReconnectOptions {
  /** Failed attempts in a row after which it gives up. Default: none. */
  readonly maxAttempts?: number | undefined;
  /** The first and the second attempt come within this time, in ms, at random; each further one within twice the time, up to 30 s. Default: 3 000. */
  readonly spread?: number | undefined;
  /**
   * Close codes and HTTP statuses that are to be decided otherwise than by default: `{ 4003: true, 1011: false }`.
   * Default: 1001, 1006, 1011 (five times), 1012, 1013, 1014, 408, 425, 429 and 500–599 are tried again, and so is a network that is not there.
   */
  readonly codes?: Readonly<Record<number, boolean>> | undefined;
}

/** Close codes and statuses after which a new attempt can succeed. 401 stands for the close reason "auth expired" too. */
const passing = /^(40[18]|42[59]|5..|10(01|06|1[1-4]))$/;
/** So many of them may come until a connection has lasted, whatever else fails between them: credentials are asked for anew once. */
export const newChances = (): Record<number, number> => ({ 401: 1, 1011: 5 });

/** How long to wait, in ms, after `failures` failed attempts in a row; `undefined`: do not try again. Takes one of the `chances` of its code. */
export function retryDelay(
  error: unknown,
  failures: number,
  { maxAttempts, spread = SPREAD, codes }: ReconnectOptions,
  chances: Record<number, number>,
): number | undefined {
  // What a function of the user's throws counts by its `status` too, or as a lost network.
  const {
    code: kind,
    status,
    retryAfter = 0,
    closeCode,
    reason,
  } = Object(error) as Partial<
    Pick<WsgenError, "code"> & Pick<UpgradeRejectedError, "status" | "retryAfter"> & Pick<ConnectionClosedError, "closeCode" | "reason">
  >;
  const code: number = reason === "auth expired" ? 401 : (status ?? closeCode ?? 1006);
  return (
    // What is wrong on this side stays wrong: 12 is the SyntaxError of a WebSocket that is given something it cannot open.
    !/_(CONTRACT|USAGE)|^12$/.test(`${kind}`) &&
      (codes?.[code] ?? passing.test(`${code}`)) &&
      // Nothing is less than `undefined`.
      !(failures >= maxAttempts! || chances[code]!-- <= 0)
      ? (code === 1013 ? OVERLOAD : retryAfter) + Math.random() * Math.min(MAX_SPREAD, spread * 2 ** (failures && failures - 1))
      : undefined
  );
}
