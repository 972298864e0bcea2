// Channels that share a socket are topics: their messages are called `topic.method` in the contract, and stand in an object of the topic's name.
import type { EndpointHandler } from "./contract-connection.ts";

/** The topic and the method of a message's name; no topic where it is the socket's own. */
export function splitName(name: string): readonly [topic: string | undefined, method: string] {
  const dot = name.indexOf(".");
  return dot === -1 ? [undefined, name] : [name.slice(0, dot), name.slice(dot + 1)];
}

/**
 * A handler whose methods are all in `messages`, by the names of the contract: `{ messages: { ping }, ticker: { subscribe } }` is asked for `ping` and
 * `ticker.subscribe` then. A handler for a contract without topics stays as it is.
 */
export function gatherTopics(handler: EndpointHandler, names: readonly string[]): EndpointHandler {
  if (!names.some((name) => name.includes("."))) return handler;
  const { open, close } = handler;
  const methods = names.flatMap((name) => {
    const [topic = "messages", method] = splitName(name);
    // Its own properties are open, messages, close, and objects like messages for the topics.
    const owner = (handler as Readonly<Record<string, EndpointHandler["messages"]>>)[topic];
    if (typeof owner?.[method] !== "function") return [];
    const call: NonNullable<EndpointHandler["messages"]>[string] = (payload, conn) => owner[method]?.(payload, conn);
    return [[name, call] as const];
  });
  return {
    ...(open && { open: (conn) => open.call(handler, conn) }),
    messages: Object.fromEntries(methods),
    ...(close && { close: (conn, outcome) => close.call(handler, conn, outcome) }),
  };
}
