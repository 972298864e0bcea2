// Topics that are subscribed to: opening one asks for it, closing it asks for no more of it, and after a reconnect it is asked for again.
import type { KeyPlaces, Statement, SubscriptionContract } from "../contract/contract.ts";
import { valueAt } from "../contract/path.ts";
import { DEFAULT_REQUEST_TIMEOUT, type RequestOptions } from "../contract/requests.ts";
import { ConnectionClosedError, RequestFailedError, RequestTimeoutError } from "../errors.ts";
import { table } from "./connection.ts";
import type { Feature } from "./feature.ts";
import { type Entry, entriesOf, isSaid, placesOf, unsubscribing, withGiven } from "./subscription-key.ts";
import { type ClientTopic, type Connected, createViews } from "./topics.ts";

/** What was asked for by one message, for whoever wants the same. */
interface Subscribed {
  readonly contract: SubscriptionContract;
  readonly places: readonly KeyPlaces[];
  readonly payload: unknown;
  /** What it asks for, as far as it was not refused … */
  entries: readonly Entry[];
  /** … and what of that the server has not confirmed yet. */
  readonly pending: Set<Entry>;
  /** Who waits for that. */
  readonly waiters: Set<(error?: unknown) => void>;
  /** How the topics that share it end. None are left when it waits for the id to unsubscribe with. */
  readonly topics: Set<(error: unknown) => void>;
  /** Gives up the request that asks for it, where it is one. */
  giveUp?: AbortController;
}

type Request = (payload: unknown, options: RequestOptions) => Promise<unknown>;

/** For contracts with subscriptions; opens their other topics too. */
export const subscriptions: Feature = (endpoint, codec) => (link) => {
  const { transmit, connection, onError } = link;
  const { signal } = connection;
  const { open, view, take } = createViews(endpoint, link);
  const active = new Set<Subscribed>();

  const isOpen = (): boolean => connection.getSnapshot().status === "open";
  /** Whether the server says that it heard. */
  const isConfirmed = ({ subscribe, ack }: SubscriptionContract) => ack !== undefined || endpoint.sends[subscribe]?.reply !== undefined;
  const requestOf = (name: string) => (connection as Connected).request?.[name] as Request | undefined;
  /** What a socket that is closing does not take is not sent on the next one: that is asked for what is wanted then. */
  const stale = () => true;
  const report = (error: unknown): void => {
    if (!(error instanceof ConnectionClosedError)) onError(error);
  };

  const ask = (one: Subscribed): void => {
    const { contract, places, payload, pending } = one;
    const { subscribe, refused } = contract;
    const request = requestOf(subscribe);
    one.entries = one.entries.map((entry) => withGiven(entry, places));
    pending.clear();
    if (isConfirmed(contract)) for (const entry of one.entries) pending.add(entry);
    if (!request) {
      void transmit(codec.encode(subscribe, payload), stale);
      return;
    }
    one.giveUp = new AbortController();
    request(payload, { timeout: 0, signal: one.giveUp.signal }).then(
      (reply) => {
        if (isStated(refused, reply)) refuse(one, [...pending], new RequestFailedError(subscribe, subscribe, reply));
        else confirm(one, [...pending], reply);
      },
      (error: unknown) => {
        // It is asked for again on the next socket, if there is one.
        if (one.topics.size && !(error instanceof ConnectionClosedError)) refuse(one, [...pending], error);
      },
    );
  };

  /** The server has heard of these entries. */
  const confirm = (one: Subscribed, heard: readonly Entry[], ack: unknown): void => {
    for (const entry of heard) one.pending.delete(entry);
    const known = new Map(heard.map((entry) => [entry, withGiven(entry, one.places, ack)]));
    one.entries = one.entries.map((entry) => known.get(entry) ?? entry);
    if (one.pending.size) return;
    for (const settle of one.waiters) settle();
    if (!one.topics.size) leave(one);
  };

  /** The server does not want to: who waits for it hears of it, and so do those who had it before the connection was lost. */
  const refuse = (one: Subscribed, refused: readonly Entry[], error: unknown): void => {
    one.entries = one.entries.filter((entry) => !refused.includes(entry));
    for (const entry of refused) one.pending.delete(entry);
    if (!one.waiters.size && one.topics.size) onError(error);
    for (const settle of one.waiters) settle(error);
    for (const end of one.topics) end(error);
    if (!one.topics.size && !one.pending.size) active.delete(one);
  };

  /** Asks for no more of what nobody wants any more. */
  const leave = (one: Subscribed): void => {
    const { contract, places, payload, pending, entries } = one;
    // What is unsubscribed from by an id that is not known yet has to wait for it.
    if (isOpen() && pending.size && places.some(({ subscribe, unsubscribe }) => unsubscribe && !subscribe)) return;
    active.delete(one);
    one.giveUp?.abort();
    if (!isOpen()) return;
    const others = [...active].filter((other) => isSame(other.contract, contract));
    const wanted = (entry: Entry) => others.some((other) => other.entries.some(({ key }) => isSame(key, entry.key)));
    const left = entries.filter((entry) => !wanted(entry));
    const name = typeof contract.unsubscribe === "string" ? contract.unsubscribe : contract.subscribe;
    const request = requestOf(name);
    for (const body of unsubscribing(contract, places, payload, left, left.length === entriesOf(places, payload).length)) {
      try {
        if (request) request(body, {}).catch(report);
        else void transmit(codec.encode(name, body), stale);
      } catch (error) {
        onError(error);
      }
    }
  };

  /** An ack or a refusal is for what it says or, where it does not say, for what has waited longest. */
  const hear = (name: string, payload: unknown): void => {
    for (const one of active) {
      const { contract, places, pending, entries } = one;
      const isRefusal = contract.refused === name;
      if (contract.ack !== name && !isRefusal) continue;
      // Where nothing is confirmed, an error that does not say what it is about may be about anything.
      const [asked, surely] = isConfirmed(contract) ? [[...pending], false] : [entries, true];
      const meant = asked.filter((entry) => isSaid(entry, places, "ack", payload, surely));
      if (!meant.length) continue;
      if (isRefusal || isStated(contract.refused, payload)) {
        refuse(one, meant, new RequestFailedError(contract.subscribe, name, payload));
      } else confirm(one, meant, payload);
      return;
    }
  };

  /** Waits for the ack, or for the reply where subscribing is a request. */
  const confirmed = (one: Subscribed, { timeout = DEFAULT_REQUEST_TIMEOUT, signal: given }: RequestOptions): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = () => settle(new RequestTimeoutError(one.contract.subscribe, timeout));
      const timer = timeout > 0 ? setTimeout(late, timeout) : undefined;
      const lost = () => settle(signal.reason);
      const abort = () => settle(given?.reason);
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", lost);
        given?.removeEventListener("abort", abort);
        one.waiters.delete(settle);
        if (error === undefined) resolve();
        else reject(error);
      };
      signal.addEventListener("abort", lost);
      given?.addEventListener("abort", abort);
      one.waiters.add(settle);
    });

  const create = (contract: SubscriptionContract, payload: unknown): Subscribed => {
    const places = placesOf(contract);
    const entries = entriesOf(places, payload);
    const pending = new Set(isConfirmed(contract) ? entries : []);
    return { contract, places, payload, entries, pending, waiters: new Set(), topics: new Set() };
  };

  const subscribe = async (
    prefix: string,
    contract: SubscriptionContract,
    given: unknown,
    options: RequestOptions = {},
  ): Promise<ClientTopic<unknown>> => {
    if (signal.aborted) throw signal.reason;
    options.signal?.throwIfAborted();
    const { constants, reply } = endpoint.sends[contract.subscribe]!; // Generated code names what there is.
    if (!reply) codec.encode(contract.subscribe, given); // What the contract refuses is refused here, and is not tried again.
    // Constants that the codec fills in may be of the key.
    const payload = { ...constants, ...(given as object) };
    const known = [...active].find((other) => other.topics.size && isSame([other.contract, other.payload], [contract, payload]));
    const shared = known ?? create(contract, payload);
    active.add(shared);
    const { places, pending, topics } = shared;
    // What a socket says of nobody in particular is for the connection, and so is what it says to the subscription itself.
    const surely = prefix === "";
    const isMeant = (other: unknown, name: string) =>
      !(surely && [contract.ack, contract.refused].includes(name)) &&
      shared.entries.some((entry) => isSaid(entry, places, "messages", other, surely));
    const [topic, end] = view(prefix, isMeant, {
      onClose() {
        if (topics.delete(end) && !topics.size) leave(shared);
      },
    });
    topics.add(end);
    const waiting = pending.size ? confirmed(shared, options) : undefined;
    // Otherwise all are asked for when the connection is open.
    if (!known && isOpen()) ask(shared);
    try {
      await waiting;
    } catch (error) {
      end(error);
      throw error;
    }
    return topic;
  };

  return {
    members: table(endpoint.topics ?? {}, (name, contract) => async (given?: object, options?: RequestOptions) => {
      const { subscription } = contract;
      if (!subscription) return open(name, contract, given);
      // One of the socket itself is not in the names of its messages.
      return subscribe(name === "subscription" ? "" : `${name}.`, subscription, given, options);
    }),
    opened() {
      for (const one of active) {
        if (one.topics.size) ask(one);
        else active.delete(one);
      }
    },
    take(name, payload, size) {
      hear(name, payload);
      return take(name, payload, size);
    },
  };
};

function isStated(statement: string | Statement | undefined, payload: unknown): boolean {
  if (typeof statement !== "object") return false;
  const value = valueAt(payload, statement.at);
  return statement.value === undefined ? value !== undefined && value !== null : value === statement.value;
}

/** Whatever the order of properties is. */
const isSame = (one: unknown, other: unknown): boolean => spell(one) === spell(other);
const spell = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, part: unknown) =>
    Object(part) === part && !Array.isArray(part) ? Object.fromEntries(Object.entries(part as object).sort()) : part,
  );
