/// <reference lib="esnext.disposable" preserve="true" />
// Views of the topics of a socket that several channels share: `const ticker = await market.ticker({ pair })`. Beside the core, for contracts that have
// topics.
import type { Path } from "../contract/contract.ts";
import { valueAt } from "../contract/path.ts";
import { type ClientConnection, type Feature, table } from "./connection.ts";
import { createInbox } from "./inbox.ts";

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
type Connected = ClientConnection<unknown> & { readonly send: Members; readonly request?: Members; readonly answer?: Members };

/** For contracts with topics. */
export const topics: Feature =
  ({ topics: known = {}, receives }) =>
  ({ inbox, connection, onError }) => {
    /** The topics that are open. Each takes the messages that are its own, and says whether one was. */
    const views = new Set<(name: string, payload: unknown, size: number) => boolean>();

    const open = (topic: string, at: Readonly<Record<string, Path>>, params: Readonly<Record<string, unknown>>): object => {
      const { send, request, answer, closed, getSnapshot } = connection() as Connected;
      const prefix = `${topic}.`;
      /** What is the topic's, by the names that it has there. */
      const own = <Item>(items: Readonly<Record<string, Item>> = {}): Record<string, Item> =>
        Object.fromEntries(
          Object.entries(items).flatMap(([name, item]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), item]] : [])),
        );
      const isOwn = (name: string, payload: unknown): boolean =>
        name.startsWith(prefix) &&
        Object.entries(at).every(([parameter, path]) => {
          const said = valueAt(payload, path);
          return said === undefined || [said].flat().some((one) => String(one) === String(params[parameter]));
        });

      const { push, listen, read, end } = createInbox(onError);
      const view = (name: string, payload: unknown, size: number): boolean => {
        const mine = isOwn(name, payload);
        if (mine) push({ name: name.slice(prefix.length), payload }, size);
        return mine;
      };
      views.add(view);
      for (const [{ name, payload }, size] of inbox.extract((arrival) => isOwn(arrival.name, arrival.payload))) view(name, payload, size);
      void closed.then(() => end(getSnapshot().error));
      const close = async (): Promise<void> => {
        views.delete(view);
        end(undefined);
      };
      return {
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
    };

    return {
      members: table(
        known,
        (topic, { at = {} }) =>
          async (params: object = {}) =>
            open(topic, at, { ...params }),
      ),
      // Every view is asked: several may want the same message.
      take: (...message) => [...views].filter((view) => view(...message)).length > 0,
    };
  };
