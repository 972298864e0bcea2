// How many connections there may be: in all, from one address, on one route.
import { isIP } from "node:net";
import { WsgenError } from "../errors.ts";
import { type Refusal, refuse } from "./handshake.ts";

/** The most connections at a time, those that still shake hands included. */
export interface ConnectionLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** What capacity needs to know of a route. */
interface Limited {
  readonly maxConnections: number;
}

/** The places of one server. */
export interface Capacity {
  /** Takes a place for somebody who shakes hands, or says why there is none: 429 where it is the client's own doing, else 503. */
  take(route: Limited, address: string): Refusal | undefined;
  /** Gives a place back. */
  leave(route: Limited, address: string): void;
}

/** Creates the places of a server, all of them free. */
export function createCapacity({ total, perAddress }: ConnectionLimits): Capacity {
  let taken = 0;
  const byAddress = new Map<string, number>();
  const byRoute = new Map<Limited, number>();
  return {
    take(route, address) {
      const here = byAddress.get(address) ?? 0;
      const there = byRoute.get(route) ?? 0;
      if (here >= perAddress) return full(429, "Too many connections from your address.", `maxConnectionsPerAddress (${perAddress})`);
      if (taken >= total) return full(503, "The server is full.", `maxConnections (${total})`);
      if (there >= route.maxConnections) return full(503, "The server is full.", `The route's maxConnections (${route.maxConnections})`);
      taken++;
      byAddress.set(address, here + 1);
      byRoute.set(route, there + 1);
      return undefined;
    },
    leave(route, address) {
      taken--;
      decrement(byAddress, address);
      decrement(byRoute, route);
    },
  };
}

function full(status: number, text: string, limit: string): Refusal {
  return { ...refuse(status, text, { "retry-after": "5" }), hint: `${limit} is reached.` };
}

function decrement<Key>(counts: Map<Key, number>, key: Key): void {
  const count = counts.get(key) ?? 0;
  if (count > 1) counts.set(key, count - 1);
  else counts.delete(key);
}

/** Throws unless a limit is a number of connections. */
export function assertLimit(option: string, limit: number): number {
  if (limit === Infinity || (Number.isInteger(limit) && limit > 0)) return limit;
  throw new WsgenError(
    "WSGEN_USAGE",
    `${option}: ${limit} is no number of connections. Write a positive integer, or Infinity for no limit.`,
  );
}

/** Throws unless it is a number of proxies. */
export function assertProxies(proxies: number): number {
  if (Number.isInteger(proxies) && proxies >= 0) return proxies;
  throw new WsgenError(
    "WSGEN_USAGE",
    `trustProxy: ${proxies} is no number of proxies. Write how many of yours stand in front of the server.`,
  );
}

/**
 * The address of a client behind `proxies` proxies of our own, each of which has appended its peer to X-Forwarded-For: counted from the right, for
 * what is further left was written by whoever connected to the first of them. `peer` is the other end of the socket.
 */
export function clientAddress(peer: string, forwarded: string, proxies: number): string {
  if (proxies === 0) return peer;
  const hops = forwarded.split(",").map((hop) => hop.trim());
  const address = withoutPort(hops.at(-Math.min(proxies, hops.length)) ?? "");
  return isIP(address) === 0 ? peer : address;
}

/** Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}
