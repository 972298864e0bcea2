// Two proxies as they stand in offices: CONNECT (RFC 9110 section 9.3.6) and SOCKS 5 (RFC 1928), without authentication.
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Proxy {
  readonly url: string;
  /** Where it was asked to connect to, as `host:port`. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startHttpProxy(): Promise<Proxy> {
  const server = createHttpServer((_, response) => response.writeHead(405).end());
  const asked: string[] = [];
  server.on("connect", ({ url = "" }, socket: Socket) => {
    asked.push(url);
    const [host = "", port] = url.split(":");
    join(socket, host, Number(port), () => socket.write("HTTP/1.1 200 Connection Established\r\n\r\n"));
  });
  return listen(server, "http", asked);
}

export async function startSocksProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.from([5, 0])); // No authentication.
      socket.once("data", (request) => {
        // CONNECT to an IPv4 address (1) or a name (3).
        const end = request[3] === 1 ? 8 : 5 + request.readUInt8(4);
        const host = request[3] === 1 ? [...request.subarray(4, 8)].join(".") : request.toString("latin1", 5, end);
        const port = request.readUInt16BE(end);
        asked.push(`${host}:${port}`);
        join(socket, host, port, () => socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])));
      });
    });
  });
  return listen(server, "socks", asked);
}

/** Two sockets become one. */
function join(socket: Socket, host: string, port: number, established: () => void): void {
  const target = connect(port, host, () => {
    established();
    socket.pipe(target).pipe(socket);
  });
  for (const [one, other] of [
    [socket, target],
    [target, socket],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

async function listen(server: ReturnType<typeof createServer>, scheme: string, asked: string[]): Promise<Proxy> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
