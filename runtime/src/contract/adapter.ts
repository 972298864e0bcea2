// What joins the rooms of several processes, and the adapter for routers of one.
import type { Awaitable } from "../connection/connection.ts";

/**
 * Carries what is sent to rooms to other processes: Redis, NATS, a cluster's primary. One adapter for one router (see `createRouter`). What it
 * throws or rejects with is logged and harms nobody: members in this process have got the message before it is asked.
 */
export interface RoomAdapter {
  /**
   * Brings a message to everyone who subscribed to the topic. Whether that includes this process makes no difference. Should keep the order
   * of calls.
   */
  publish(topic: string, message: Uint8Array): Awaitable<void>;
  /**
   * Calls `receive` with every message of the topic from now on. Called when the first member of a room joins, never twice for a topic without
   * `unsubscribe` in between, and again after a second when it failed.
   */
  subscribe(topic: string, receive: (message: Uint8Array) => void): Awaitable<void>;
  /** Called when the last member has left, and what was begun has settled. */
  unsubscribe(topic: string): Awaitable<void>;
  /** Called when the last server of the router has closed, nobody is in any room, and what was begun has settled (or a second has passed). */
  close(): Awaitable<void>;
}

/**
 * Joins the rooms of several routers of one process: each call of the function it gives makes the adapter of one router. For tests of what runs
 * over several processes in production.
 *
 * ```ts
 * const bus = createRoomBus();
 * const [here, there] = [createRouter({ adapter: bus() }), createRouter({ adapter: bus() })];
 * ```
 */
export function createRoomBus(): () => RoomAdapter {
  const subscribers = new Map<string, Map<object, (message: Uint8Array) => void>>();

  return () => {
    const topics = new Set<string>();
    const adapter: RoomAdapter = {
      publish(topic, message) {
        for (const [subscriber, receive] of subscribers.get(topic) ?? []) if (subscriber !== adapter) receive(message);
      },
      subscribe(topic, receive) {
        topics.add(topic);
        const others = subscribers.get(topic);
        if (others === undefined) subscribers.set(topic, new Map([[adapter, receive]]));
        else others.set(adapter, receive);
      },
      unsubscribe(topic) {
        topics.delete(topic);
        const others = subscribers.get(topic);
        others?.delete(adapter);
        if (others?.size === 0) subscribers.delete(topic);
      },
      close() {
        for (const topic of topics) adapter.unsubscribe(topic);
      },
    };
    return adapter;
  };
}
