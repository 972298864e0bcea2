// Requests of the server, answered by functions of the user: `connection.answer.confirm(({ id }) => ({ ok: true }))`.
import { encodeReply } from "../contract/requests.ts";
import { WsgenError } from "../errors.ts";
import { table } from "./connection.ts";
import { encodersOf } from "./encoders.ts";
import type { Feature } from "./feature.ts";
import type { Arrival } from "./inbox.ts";

/** For contracts in which the server asks. */
export const answers: Feature = ({ receives }, codec) => {
  const encoders = encodersOf(codec);

  return ({ inbox, transmit, onError, connection }) => {
    /** Counts sockets: an answer is for the one that asked, and on another it would be taken for the answer to something else. */
    let turn = 0;
    /** What waits unanswered, and came on a socket that is lost. */
    const late = new WeakSet<Arrival>();
    /** The last answer to what is known by its order, whatever was asked. */
    let before: Promise<unknown> | undefined;
    const answerers = new Map<string, (payload: unknown) => void>();
    return {
      members: {
        answer: table(
          receives.messages,
          (name, { reply }) =>
            reply &&
            ((answerer: (payload: unknown) => unknown) => {
              if (answerers.has(name)) throw new WsgenError("WSGEN_USAGE", `"${name}" has an answerer already.`);
              const ordered = reply.id === "order";
              const answer = (payload: unknown): void => {
                const asked = turn;
                const stale = () => asked !== turn;
                // Where replies are known by their order, each waits for the one before it, and one that fails would shift all behind it.
                const sent = Promise.resolve(ordered ? before : undefined)
                  .then(() => stale() || answerer(payload))
                  .then((value) => {
                    if (!stale()) void transmit(encodeReply(reply, encoders, payload, value), stale);
                  })
                  .catch((error: unknown) => {
                    onError(error);
                    if (ordered && !stale()) void connection.close();
                  });
                if (ordered) before = sent;
              };
              answerers.set(name, answer);
              const waiting = inbox.extract((arrival) => arrival.name === name && !late.has(arrival));
              for (const [{ payload }] of waiting) answer(payload);
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
      lost() {
        turn++;
        before = undefined;
        // Readers may have it still.
        inbox.extract((arrival) => void late.add(arrival));
      },
    };
  };
};
