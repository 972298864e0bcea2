// `ws`, as people write it by hand: bare, with JSON, and with AJV both ways.
import { WebSocketServer } from "ws";
import { ajvGuards, handleText } from "./by-hand.mjs";

export async function start({ behaviour, json, validate, deflate }) {
  const handle = json ? handleText({ behaviour, guards: validate ? await ajvGuards() : undefined }) : undefined;
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    perMessageDeflate: deflate ? { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 } : false,
  });
  server.on("connection", (socket) => {
    socket.broadcast = (make) => {
      for (const client of server.clients) client.send(make());
    };
    socket.on("error", (error) => console.error(error));
    socket.on("message", (data, binary) => {
      if (binary || handle === undefined) socket.send(data, { binary });
      else handle(data.toString(), socket);
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: server.address().port };
}
