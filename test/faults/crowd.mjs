// Many idle clients, as cheap as they can be: raw sockets that answer pings and read nothing else.
import { connect } from "node:net";
import { closing, frame } from "../conformance/protocol-peer.mjs";
import { upgradeRequest } from "./peers.mjs";

const PARALLEL = 200;
const pong = frame(10);

/** Opens `count` WebSockets and settles with their sockets when all are open; rejects when one is refused. */
export async function openCrowd({ port, path = "/", count }) {
  const request = upgradeRequest(path);
  const sockets = [];
  const openSome = async () => {
    while (sockets.length < count) {
      const socket = connect({ port, host: "127.0.0.1" });
      sockets.push(socket);
      await new Promise((resolve, reject) => {
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("a connection was closed")));
        socket.once("data", (chunk) => {
          if (!chunk.toString("latin1").startsWith("HTTP/1.1 101 ")) reject(new Error(chunk.toString("latin1")));
          socket.on("data", answerPing);
          resolve();
        });
        socket.write(request);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, count) }, openSome));
  return sockets;
}

/** All close with 1000; settles when TCP has ended everywhere. */
export async function leave(sockets) {
  const ended = sockets.map((socket) => (socket.destroyed ? undefined : new Promise((resolve) => socket.once("close", resolve))));
  for (const socket of sockets) socket.write(closing(1000));
  await Promise.all(ended);
}

function answerPing(chunk) {
  if (chunk[0] === 0x89) this.write(pong); // Nobody says anything else to an idle client.
}
