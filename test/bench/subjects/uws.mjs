// uWebSockets.js, parsing and validating what the others do. Messages for everyone go through its own `publish`.
import uWS from "@rjweb/uws";
import { ajvGuards, handleText } from "./by-hand.mjs";

export async function start({ behaviour, json, validate, deflate }) {
  const handle = json ? handleText({ behaviour, guards: validate ? await ajvGuards() : undefined }) : undefined;
  const app = uWS.App();
  app.ws("/*", {
    maxPayloadLength: 1024 * 1024,
    maxBackpressure: 64 * 1024 * 1024, // The default drops messages without a word.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    compression: deflate ? uWS.SHARED_COMPRESSOR : uWS.DISABLED,
    open(socket) {
      if (behaviour === "broadcast" || behaviour === "room") socket.subscribe("all");
      socket.peer = {
        send: (text) => socket.send(text, false, deflate === true),
        broadcast: (make) => app.publish("all", make(), false, deflate === true),
      };
    },
    message(socket, data, binary) {
      if (binary || handle === undefined) socket.send(data, binary, false);
      else handle(Buffer.from(data).toString(), socket.peer);
    },
  });
  return new Promise((resolve, reject) => {
    app.listen("127.0.0.1", 0, (listening) => {
      if (listening) resolve({ port: uWS.getSocketPort(listening) });
      else reject(new Error("cannot listen"));
    });
  });
}
