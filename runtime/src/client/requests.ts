// Requests of the client, each settled by its reply: `connection.request.history({ … })`.
import { prepareRequests, type RequestOptions } from "../contract/requests.ts";
import { table } from "./connection.ts";
import { encodersOf } from "./encoders.ts";
import type { Feature } from "./feature.ts";

/** For contracts whose messages have replies. Requests made while the connection is away wait for it, and for no longer than their time. */
export const requests: Feature = (endpoint, codec) => {
  const create = prepareRequests(endpoint, encodersOf(codec), codec);

  return ({ transmit }) => {
    let pending = create();
    return {
      members: {
        request: table(
          endpoint.sends,
          (name, { reply }) =>
            reply &&
            (async (payload: unknown, options?: RequestOptions) => {
              let over = false;
              try {
                // A request that was given up meanwhile is not sent when the connection is back.
                return await pending.send(name, payload, options, (data) => transmit(data, () => over));
              } finally {
                over = true;
              }
            }),
        ),
      },
      claim: (payload) => pending.size > 0 && pending.settle(payload),
      refuse: (payload, error) => pending.size > 0 && pending.refuse(payload, error),
      // A reply that nobody waits for is for nobody else.
      take: (name) => endpoint.receives.messages[name]?.answersOnly === true,
      lost(error) {
        pending.close(error);
        pending = create();
      },
    };
  };
};
