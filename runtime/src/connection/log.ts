// Logging: silent unless the user brings a logger.
import type { Logger } from "./connection.ts";

/** Says nothing. */
export const silent: Logger = Object.freeze({ debug() {}, info() {}, warn() {}, error() {} });

/** A logger that adds the same fields to every line. Costs nothing when nobody listens. */
export function bindLogger(logger: Logger, bound: Readonly<Record<string, unknown>>): Logger {
  if (logger === silent) return silent;
  return {
    debug: (fields, message) => logger.debug({ ...bound, ...fields }, message),
    info: (fields, message) => logger.info({ ...bound, ...fields }, message),
    warn: (fields, message) => logger.warn({ ...bound, ...fields }, message),
    error: (fields, message) => logger.error({ ...bound, ...fields }, message),
  };
}
