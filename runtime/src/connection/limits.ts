// What a connection may do and take, when nobody says otherwise, and what can be said.

import { WsgenError } from "../errors.ts";
import type { Limits } from "./connection.ts";

/** What a route gets that says nothing else. */
export const defaultLimits: Limits = Object.freeze({
  maxMessageSize: 1024 * 1024, // bytes: larger than any sane JSON message, small enough to hold 16 of them
  maxFrameSize: false,
  maxFragments: 16_384, // what ws allows
  inboundRate: false,
  concurrency: 1, // a handler sees the effects of the one before
  idleTimeout: false,
  maxLifetime: false,
  maxStall: false,
  heartbeat: Object.freeze({ interval: 30_000, timeout: 30_000 }), // ms: below the usual idle timeout of proxies, 60 s
  closeTimeout: 15_000, // ms: several round trips of a bad mobile network
  highWaterMark: 1024 * 1024, // bytes: what a healthy peer drains in well under a second
  overflow: "close", // a lost message is worse than a lost connection, which the client repairs
  fragmentSize: false,
});

const policies: readonly unknown[] = ["close", "drop-oldest", "drop-newest", "conflate"] satisfies readonly Limits["overflow"][];
/** Timers of Node hold no more, in ms: 24 days. */
const LONGEST = 2 ** 31 - 1;

/** Throws WSGEN_USAGE, naming the limit, when one cannot work. Gives them back. */
export function assertLimits(limits: Partial<Limits>): Partial<Limits> {
  const { heartbeat, inboundRate, overflow, ...numbers } = limits;
  for (const [name, value] of Object.entries(numbers)) {
    if (!Object.hasOwn(defaultLimits, name)) refuse(name, value, `one of ${Object.keys(defaultLimits).join(", ")}`);
    const mayBeOff = defaultLimits[name as keyof Limits] === false; // It is one of them, as just looked up.
    if (mayBeOff && value === false) continue;
    const time = /Timeout|Lifetime|Stall/.test(name);
    const works = typeof value === "number" && value >= 1 && (!time || value <= LONGEST);
    if (!works) refuse(name, value, `a number from 1${time ? ` to ${LONGEST} ms` : ""}${mayBeOff ? ", or false" : ""}`);
  }
  // `undefined` would take the place of the default, and a peer would be the first to notice.
  for (const [name, value] of Object.entries({ heartbeat, inboundRate, overflow })) {
    if (value === undefined && Object.hasOwn(limits, name)) refuse(name, value, "left out, or set to something");
  }
  if (overflow !== undefined && !policies.includes(overflow)) refuse("overflow", overflow, `one of ${policies.join(", ")}`);
  for (const [name, delay] of Object.entries(heartbeat || {})) {
    if (!(delay >= 1 && delay <= LONGEST)) refuse(`heartbeat.${name}`, delay, `a number from 1 to ${LONGEST} ms`);
  }
  for (const [name, rate] of Object.entries(inboundRate || {})) {
    if (!(rate > 0)) refuse(`inboundRate.${name}`, rate, "a number above 0");
  }
  return limits;
}

function refuse(name: string, value: unknown, wanted: string): never {
  throw new WsgenError("WSGEN_USAGE", `limits: ${name} is ${JSON.stringify(value)}; it must be ${wanted}.`);
}
