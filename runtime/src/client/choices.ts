// Messages that nothing in them tells apart, where the contract does not have them as a union: the first whose guard accepts, or what a function says.

import { valueAt } from "../contract/path.ts";
import { parse } from "./codec.ts";
import type { ClientConnection } from "./connection.ts";
import type { Feature } from "./feature.ts";

/** Says which of some messages a payload is; no guard has seen it yet. Another name, or `undefined`, refuses it. */
type Classify = (payload: unknown, among: readonly string[], conn: ClientConnection<unknown>) => string | undefined;

/** For contracts that leave a choice. `classify` has a function for each endpoint that is told so; generated code gives it its type. */
export function choices(contract: { readonly endpoints: object }, { classify }: { readonly classify?: object } = {}): Feature {
  return (endpoint, codec) => {
    const {
      dispatch: { constants },
      messages,
    } = endpoint.receives;
    const [name = ""] = Object.entries(contract.endpoints).find(([, other]) => other === endpoint) ?? [];
    // Their types are the generated code's.
    const own = valueAt(classify, [name]) as Classify | undefined;

    const { arrive } = codec;
    codec.arrive = (end, payload, ask) =>
      (typeof end === "object" && "among" in end && ask("choose", end, payload)) || arrive(end, payload, ask);

    return ({ connection, onError }) => {
      const named = (payload: unknown, among: readonly string[]): string | undefined => {
        try {
          return own?.(payload, among, connection);
        } catch (error) {
          onError(error);
          return undefined;
        }
      };
      return {
        choose(end, payload) {
          const { among, by } = end;
          // A bare text may be another message's JSON, letter for letter.
          const isBare = constants?.some(([, then]) => then === end);
          const check = (candidate: string) =>
            codec.check(candidate, isBare && messages[candidate]?.format !== "text" ? parse(payload as string) : payload);
          const said = by === "classify" ? named(payload, among) : undefined;
          const tried = (by === "classify" ? among.filter((candidate) => candidate === said) : among).map(check);
          const none = `was classified as none of ${among.map((candidate) => `"${candidate}"`).join(", ")}`;
          return tried.find(({ error }) => !error) ?? tried[0] ?? codec.check(undefined, payload, none);
        },
      };
    };
  };
}
