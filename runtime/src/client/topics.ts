/// <reference lib="esnext.disposable" preserve="true" />
// Views of the topics of a socket that several channels share: `const ticker = await market.ticker({ pair })`. Beside the core, for contracts that have
// topics.
import type { EndpointContract, TopicContract } from "../contract/contract.ts";
import { valueAt } from "../contract/path.ts";
import { type ClientConnection, table } from "./connection.ts";
import type { Feature, Link, Part } from "./feature.ts";
import { filled } from "./filled.ts";
import { type Arrival, createInbox, type Inbox } from "./inbox.ts";

/**
 * One topic of a connection, for one set of parameters; generated code adds its typed `send`, `on`, `request` and `answer`.
 *
 * It has the messages of its topic that say its parameters, and those that say none; the connection itself has those that no open topic has. Several
 * may be open at a time, each with the same messages if it has the same parameters. Closing one, or leaving its `await using` block, ends its listeners
 * and its reader and never closes the socket. Iterating follows the rules of the connection.
 */
export interface ClientTopic<Event> extends AsyncIterable<Event>, AsyncDisposable {
  /** Hears nothing any more. The socket stays as it is. */
  close(): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined>;
}

type Members = Readonly<Record<string, unknown>>;
/** A connection with the members of other features, where the contract needs them. */
export type Connected = ClientConnection<unknown> & { readonly send: Members; readonly request?: Members; readonly answer?: Members };

/** How the topics of one connection are opened. */
export interface Views {
  /** Opens the view of some parameters. */
  open(topic: string, contract: TopicContract, params?: object): ClientTopic<unknown>;
  /** Opens a view of the messages whose names begin with `prefix`, as far as they are meant for it; `end` ends its readers, with an error if there is one. */
  view(
    prefix: string,
    isMeant: (payload: unknown, name: string) => boolean,
    more?: { readonly params?: object; onClose?(): void },
  ): readonly [topic: ClientTopic<unknown>, end: (error: unknown) => void];
  readonly take: NonNullable<Part["take"]>;
}

/** For contracts with topics. */
export const topics: Feature = (endpoint) => (link) => {
  const { open, take } = createViews(endpoint, link);
  return { members: table(endpoint.topics ?? {}, (topic, contract) => async (params?: object) => open(topic, contract, params)), take };
};

/** Whether what a message says is what is wanted, or one of several on either side; a message that says nothing is for everybody. */
export function says(said: unknown, wanted: unknown): boolean {
  return said === undefined || [said].flat().some((one) => [wanted].flat().some((other) => spell(one) === spell(other)));
}

/** Parameters are text, whatever messages make of them. */
const spell = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

export function createViews({ receives }: EndpointContract, { inbox, connection, onError }: Link): Views {
  /** Each takes the messages that are its own, and says whether one was; and how it ends. */
  const views = new Map<(arrival: Arrival, size: number) => boolean, readonly [finish: () => void, extract: Inbox["extract"]]>();
  /** Questions, by what a topic's readers are given for them: several topics may have the same one. */
  const questions = new WeakMap<Arrival, Arrival>();
  const { extract } = inbox;
  // Who answers a question later than it came finds it wherever it waits.
  inbox.extract = (isWanted = () => true) => {
    const found = new Map(extract(isWanted));
    const asked = (arrival: Arrival): unknown => questions.has(arrival) && isWanted(questions.get(arrival)!);
    for (const [, inView] of views.values()) for (const [arrival, size] of inView(asked)) found.set(questions.get(arrival)!, size);
    return [...found];
  };
  let watched = false;
  /** Once for all of them: a promise keeps whoever waits for it, and a connection may have had thousands. */
  const watch = (): void => {
    watched = true;
    void connection.closed.then(() => {
      for (const [finish] of views.values()) finish();
    });
  };

  const view: Views["view"] = (prefix, isMeant, { params = {}, onClose } = {}) => {
    const { send, request, answer, getSnapshot } = connection as Connected;
    /** What is the topic's, by the names that it has there. */
    const own = <Item>(items: Readonly<Record<string, Item>> = {}): Record<string, Item> =>
      Object.fromEntries(
        Object.entries(items).flatMap(([name, item]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), item]] : [])),
      );
    const isOwn = (name: string, payload: unknown): boolean => name.startsWith(prefix) && isMeant(payload, name);

    const { push, listen, read, end, extract: inView } = createInbox(onError);
    const take = (arrival: Arrival, size: number): boolean => {
      const { name, payload } = arrival;
      const mine = isOwn(name, payload);
      if (mine) {
        const own = { name: name.slice(prefix.length), payload };
        if (receives.messages[name]?.reply) questions.set(own, arrival);
        push(own, size);
      }
      return mine;
    };
    views.set(take, [() => end(getSnapshot().error), inView]);
    for (const [arrival, size] of extract(({ name, payload }) => isOwn(name, payload))) take(arrival, size);
    if (!watched || connection.signal.aborted) watch();
    const finish = (error: unknown): void => {
      if (views.delete(take)) onClose?.();
      end(error);
    };
    const close = async (): Promise<void> => finish(undefined);
    const topic = {
      params,
      send: own(send),
      request: own(request),
      answer: own(answer),
      on: table(own(receives.messages), (name) => (listener: (payload: unknown) => void) => listen(name, listener)),
      close,
      [Symbol.asyncIterator]: read,
      // Missing in older browsers, where nobody can ask for it.
      [Symbol.asyncDispose ?? "dispose"]: close,
    };
    // The computed key above is asyncDispose wherever the interface can be used.
    return [topic as unknown as ClientTopic<unknown>, finish];
  };

  return {
    view,
    open(topic, { at = {}, defaults }, given) {
      const params = filled(given, defaults);
      const wanted = new Map(Object.entries(params));
      const isMeant = (payload: unknown) => Object.entries(at).every(([name, path]) => says(valueAt(payload, path), wanted.get(name)));
      return view(`${topic}.`, isMeant, { params })[0];
    },
    // Every view is asked: several may want the same message.
    take(name, payload, size) {
      const arrival = { name, payload };
      return [...views.keys()].filter((take) => take(arrival, size)).length > 0;
    },
  };
}
