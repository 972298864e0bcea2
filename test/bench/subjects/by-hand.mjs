// What every hand-written subject does with a message, whatever socket it came from.
import { messages, schemas } from "../messages.mjs";

/** Messages of a connection that are answered with one `ack` where only their arrival is measured. */
export const FAN_IN = 16;

const passes = () => true;

/** AJV as it comes, with the schemas of the contract. */
export async function ajvGuards() {
  const { default: Ajv } = await import("ajv");
  const ajv = new Ajv.default({ strict: false });
  ajv.addSchema({ $id: "contract", components: { schemas } });
  const guard = (name) => ajv.compile({ $ref: `contract#/components/schemas/${name}` });
  return new Map(
    [
      ["chat", "Chat"],
      ["book", "Book"],
      ["ask", "Ask"],
      ["answer", "Answer"],
      ["publish", "Publish"],
      ["ack", "Ack"],
    ].map(([type, name]) => [type, guard(name)]),
  );
}

/**
 * A way to handle one text message: parse, check, act, check, stringify. `socket` has `send(text)` and `publish(text)`, which reaches everyone;
 * `broadcast(make)` has it made anew for every receiver, as the usual loop does.
 */
export function handleText({ behaviour, guards }) {
  const check = (message) => {
    const guard = guards?.get(message.type) ?? (guards === undefined ? passes : undefined);
    if (guard === undefined || !guard(message)) throw new Error(`not in the contract: ${JSON.stringify(message).slice(0, 100)}`);
    return message;
  };
  const encode = (message) => JSON.stringify(check(message));
  const answers = {
    echo: (message, socket) => socket.send(encode(message)),
    request: ({ requestId, question }, socket) => socket.send(encode({ type: "answer", requestId, answer: question })),
    broadcast({ times, what }, socket) {
      const message = messages[what === "chat" ? "154 B" : "2.7 kB text"];
      for (let count = 0; count < times; count++) socket.broadcast(() => encode(message));
    },
    room: (message, socket) => socket.broadcast(() => encode(message)),
    "fan-in"(_message, socket) {
      socket.count = (socket.count ?? 0) + 1;
      if (socket.count % FAN_IN === 0) socket.send(encode({ type: "ack", count: FAN_IN }));
    },
  };
  const act = answers[behaviour];
  return (text, socket) => act(check(JSON.parse(text)), socket);
}
