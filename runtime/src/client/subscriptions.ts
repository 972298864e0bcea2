// Topics that are subscribed to: opening one asks for it, closing it asks for no more of it, and after a reconnect it is asked for again.
import type { SubscriptionContract } from "../contract/contract.ts";
import { valueAt, withValueAt } from "../contract/path.ts";
import { RequestTimeoutError } from "../errors.ts";
import { type Feature, table } from "./connection.ts";
import { type ClientTopic, type Connected, createViews, says } from "./topics.ts";

/** How long a subscription waits for its ack, in ms. */
const ACK_TIMEOUT = 10_000;

interface Subscribed extends SubscriptionContract {
  readonly payload: unknown;
  /** Settles who waits for the ack; absent once it came, and where there is none. */
  settle?: ((error?: unknown) => void) | undefined;
}

/** For contracts with subscriptions; opens their other topics too. */
export const subscriptions: Feature = (endpoint, codec) => (link) => {
  const { transmit, connection, signal, onError } = link;
  const { open, view, take } = createViews(endpoint, link);
  const active = new Set<Subscribed>();

  const isOf = ({ key, payload }: Subscribed, other: unknown): boolean =>
    key.every((path) => says(valueAt(other, path), valueAt(payload, path)));
  const isOpen = (): boolean => connection().getSnapshot().status === "open";

  /** What a socket that is closing does not take is not sent on the next one: that is asked for what is wanted then. */
  const stale = () => true;

  const ask = (one: Subscribed): void => {
    const request = (connection() as Connected).request?.[one.subscribe] as ((payload: unknown) => Promise<unknown>) | undefined;
    if (!request) void transmit(codec.encode(one.subscribe, one.payload), stale);
    else
      request(one.payload).then(
        () => one.settle?.(),
        (error: unknown) => (one.settle ?? onError)(error),
      );
  };

  const leave = (one: Subscribed): void => {
    active.delete(one);
    // Somebody else may want the same.
    if (!isOpen() || [...active].some((other) => other.unsubscribe === one.unsubscribe && isOf(other, one.payload))) return;
    let body: unknown;
    for (const path of one.key) body = withValueAt(body, path, valueAt(one.payload, path));
    try {
      void transmit(codec.encode(one.unsubscribe, body), stale);
    } catch (error) {
      onError(error);
    }
  };

  /** Waits for the ack, or for the reply where subscribing is a request. */
  const acked = (one: Subscribed): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => one.settle?.(new RequestTimeoutError(one.subscribe, ACK_TIMEOUT)), ACK_TIMEOUT);
      const lost = () => one.settle?.(signal.reason);
      signal.addEventListener("abort", lost);
      one.settle = (error) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", lost);
        one.settle = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
    });

  const subscribe = async (prefix: string, contract: SubscriptionContract, payload: unknown): Promise<ClientTopic<unknown>> => {
    if (signal.aborted) throw signal.reason;
    const isRequest = endpoint.sends[contract.subscribe]?.reply !== undefined;
    if (!isRequest) codec.encode(contract.subscribe, payload); // What the contract refuses is refused here, and is not tried again.
    // Constants that the codec fills in may be of the key.
    const one: Subscribed = { ...contract, payload: { ...endpoint.sends[contract.subscribe]?.constants, ...(payload as object) } };
    const topic = view(prefix, (other) => isOf(one, other), { onClose: () => leave(one) });
    active.add(one);
    const waiting = isRequest || contract.ack !== undefined ? acked(one) : undefined;
    // Otherwise all are asked for when the connection is open.
    if (isOpen()) ask(one);
    try {
      await waiting;
    } catch (error) {
      await topic.close();
      throw error;
    }
    return topic;
  };

  return {
    members: table(endpoint.topics ?? {}, (name, contract) => async (given?: object) => {
      const { subscription } = contract;
      if (!subscription) return open(name, contract, given);
      // A channel that has the socket to itself is not in the names of its messages.
      return subscribe(subscription.subscribe.includes(".") || name !== "subscription" ? `${name}.` : "", subscription, given);
    }),
    opened() {
      for (const one of active) ask(one);
    },
    take(name, payload, size) {
      // Where the ack does not say whom it is for, it is whoever waited longest.
      [...active].find((one) => one.settle && one.ack === name && isOf(one, payload))?.settle?.();
      return take(name, payload, size);
    },
  };
};
