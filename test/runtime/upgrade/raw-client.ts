import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A valid handshake's headers; a test changes, removes (undefined) or repeats (array) what it is about. */
export function handshakeText(
  path: string,
  changes: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  { method = "GET", version = "HTTP/1.1" } = {},
): string {
  const headers: Record<string, string | readonly string[] | undefined> = {
    Host: "localhost",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : (typeof value === "string" ? [value] : value).map((one) => `${name}: ${one}`),
  );
  return `${method} ${path} ${version}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Sends bytes to a port and reads until the server closes, or, behind a 101, until its head is there. */
export async function knock(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  return knockOn(await open(port), bytes);
}

/** The same on a socket that is there. */
export async function knockOn(socket: Socket, bytes: string | Uint8Array): Promise<RawAnswer> {
  socket.write(bytes);
  let text = "";
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString("latin1");
    if (text.startsWith("HTTP/1.1 101") && text.includes("\r\n\r\n")) break;
  }
  socket.destroy();
  return parseAnswer(text);
}

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Headers(
    lines.map((header): [string, string] => [header.slice(0, header.indexOf(":")), header.slice(header.indexOf(":") + 1).trim()]),
  );
  return { status: Number(line.split(" ")[1]), headers, body: text.slice(end + 4) };
}
