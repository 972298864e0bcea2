// Whether and when a lost connection is tried again: one table for close codes (RFC 6455 section 7.4) and HTTP statuses, and full jitter.
import { ConnectionClosedError, UpgradeRejectedError, WsgenError } from "../errors.ts";

/** When a client connects again. */
export interface ReconnectOptions {
  /** Failed attempts in a row after which it gives up. Default: none. */
  readonly maxAttempts?: number | undefined;
  /** The first attempt comes within this time, in ms, at random; each further one within twice the time. Default: 3 000. */
  readonly spread?: number | undefined;
  /** The longest of these times, in ms. Default: 30 000. */
  readonly maxSpread?: number | undefined;
  /**
   * Close codes and HTTP statuses that are to be decided otherwise than by default: `{ 4003: true, 1011: false }`.
   * Default: 1001, 1006, 1011 (five times), 1012, 1013, 1014, 408, 425, 429 and 500–599 are tried again, and so is a network that is not there.
   */
  readonly codes?: Readonly<Record<number, boolean>> | undefined;
}

/** Close codes and statuses after which a new attempt can succeed without anybody's doing. */
const passing = [1001, 1006, 1011, 1012, 1013, 1014, 408, 425, 429];

/** A Retry-After longer than this, in ms, is cut. */
const LONGEST = 3_600_000;

/** How long to wait, in ms, after `failures` failed attempts in a row; `undefined`: do not try again. */
export function retryDelay(
  error: unknown,
  failures: number,
  { maxAttempts = Infinity, spread = 3_000, maxSpread = 30_000, codes = {} }: ReconnectOptions,
): number | undefined {
  const refused = error instanceof UpgradeRejectedError;
  // Errors of the contract and of usage have no code, and stay. What is none of ours (a token could not be fetched) is the network's fault.
  const code = refused
    ? (error.status ?? 1006)
    : error instanceof ConnectionClosedError
      ? error.closeCode
      : error instanceof WsgenError
        ? 0
        : 1006;
  if (!(codes[code] ?? (passing.includes(code) || (code >= 500 && code < 600)))) return;
  if (failures >= (code === 1011 ? Math.min(5, maxAttempts) : maxAttempts)) return;
  const asked = (refused && error.headers?.get("retry-after")) || "";
  // RFC 9110 section 10.2.3: seconds, or a date.
  const floor = code === 1013 ? 5_000 : Number(asked) * 1_000 || Date.parse(asked) - Date.now() || 0;
  return Math.max(0, Math.min(floor, LONGEST)) + Math.random() * Math.min(maxSpread, spread * 2 ** failures);
}
