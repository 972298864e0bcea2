// Socket.IO as it comes: events, no validation.
import { createServer } from "node:http";
import { Server } from "socket.io";

export async function start() {
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"], pingInterval: 3_600_000 });
  io.on("connection", (socket) => {
    socket.on("chat", (message) => socket.emit("chat", message));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return { port: http.address().port };
}
