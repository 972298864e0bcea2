// Clients over raw sockets: nothing of ours or of ws stands between a fault and what the server makes of it.

/** A handshake as text. */
export function upgradeRequest(path = "/", headers = {}) {
  const all = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** Shakes hands on a socket that is connecting; rejects when the server does not switch. What comes behind the 101 is left to be read. */
export function handshake(socket, path, headers) {
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (error) => {
      socket.off("data", read);
      socket.off("error", settle);
      if (error === undefined) resolve(text);
      else reject(error);
    };
    const read = (chunk) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const rest = Buffer.from(text.slice(end + 4), "latin1");
      if (!text.startsWith("HTTP/1.1 101 ")) return settle(new Error(text.split("\r\n", 1)[0]));
      settle();
      if (rest.length > 0) process.nextTick(() => socket.emit("data", rest));
    };
    socket.on("data", read);
    socket.once("error", settle);
    socket.write(upgradeRequest(path, headers));
  });
}
