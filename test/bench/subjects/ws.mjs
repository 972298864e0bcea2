// `ws`, as people write it by hand: bare, with JSON, and with AJV both ways.
import { WebSocketServer } from "ws";
import { ajvGuards, handleText } from "./by-hand.mjs";

/** `once`: a broadcast is made text once, and not for every receiver as in the usual loop. */
export async function start({ behaviour, json, validate, once, deflate }) {
  const handle = json ? handleText({ behaviour, guards: validate ? await ajvGuards() : undefined }) : undefined;
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    perMessageDeflate: deflate ? { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 } : false,
  });
  const broadcast = (make) => {
    const text = once ? make() : undefined;
    for (const client of server.clients) client.send(text ?? make());
  };
  // One function for all connections: what each of them keeps is what `ws` keeps.
  function onMessage(data, binary) {
    if (binary || handle === undefined) this.send(data, { binary });
    else handle(data.toString(), this);
  }
  server.on("connection", (socket) => {
    socket.broadcast = broadcast;
    socket.on("error", console.error);
    socket.on("message", onMessage);
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: server.address().port };
}
