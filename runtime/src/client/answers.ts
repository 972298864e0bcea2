// Requests of the server, answered by functions of the user: `connection.answer.confirm(({ id }) => ({ ok: true }))`.
import { encodeReply } from "../contract/requests.ts";
import { WsgenError } from "../errors.ts";
import { type Feature, table } from "./connection.ts";
import { encodersOf } from "./encoders.ts";

/** For contracts in which the server asks. */
export const answers: Feature = ({ receives }, codec) => {
  const encoders = encodersOf(codec);

  return ({ inbox, transmit, onError }) => {
    const answerers = new Map<string, (payload: unknown) => void>();
    return {
      members: {
        answer: table(
          receives.messages,
          (name, { reply }) =>
            reply &&
            ((answerer: (payload: unknown) => unknown) => {
              if (answerers.has(name)) throw new WsgenError("WSGEN_USAGE", `"${name}" has an answerer already.`);
              let before: Promise<unknown> | undefined;
              const answer = (payload: unknown): void => {
                // Where replies are known by their order, each waits for the one before it.
                before = Promise.resolve(reply.id === "order" ? before : undefined)
                  .then(() => answerer(payload))
                  .then((value) => void transmit(encodeReply(reply, encoders, payload, value)))
                  .catch(onError);
              };
              answerers.set(name, answer);
              for (const [{ payload }] of inbox.extract((arrival) => arrival.name === name)) answer(payload);
              return () => {
                if (answerers.get(name) === answer) answerers.delete(name);
              };
            }),
        ),
      },
      take(name, payload) {
        const answer = answerers.get(name);
        answer?.(payload);
        return answer !== undefined;
      },
    };
  };
};
