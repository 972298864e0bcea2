// What goes back on the raw socket of an upgrade: the 101, or a refusal that is a whole HTTP response. And the watch over whoever waits for it.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { acceptKey } from "./handshake.ts";

/** Time for a refused client to read its answer and go, in ms, before its socket is dropped. */
const LINGER = 2_000;

/** Drops the socket of a client that has been refused, unless it goes by itself soon. */
export function dropLater(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once("close", () => clearTimeout(timer));
}

/** A client that waits for a decision. */
export interface Watch {
  /** Aborts when the client leaves or the time is up. Made when first asked for. */
  readonly signal: AbortSignal;
  /** Settles when it does. */
  readonly aborted: Promise<"aborted">;
  /** Whether it has. */
  readonly isAborted: boolean;
  /** Ends the watch and gives the bytes that arrived meanwhile. */
  stop(): Buffer;
}

const NOTHING = Buffer.alloc(0);

/** Keeps an eye on a client that waits for a decision. A socket nobody reads would not even tell that its peer is gone. */
export function watchVisitor(socket: Duplex, timeout: number): Watch {
  let controller: AbortController | undefined;
  let reason: DOMException | undefined;
  let tell!: (aborted: "aborted") => void; // Assigned by the executor, which runs before the constructor returns.
  const aborted = new Promise<"aborted">((resolve) => {
    tell = resolve;
  });
  const abort = (text: string): void => {
    reason ??= new DOMException(text, "AbortError");
    controller?.abort(reason);
    tell("aborted");
  };
  const gone = (): void => abort("The client went away during the handshake.");
  // Reads into the socket's own buffer, up to its high-water mark and no further. The read of nothing makes an end without data show.
  const peek = (): void => void socket.read(0);
  let timer: NodeJS.Timeout | undefined;
  // Most decisions are there within this turn of the event loop, and need no watch.
  const beginning = setImmediate(() => {
    timer = setTimeout(abort, timeout, "The handshake took too long.");
    if (socket.destroyed || socket.readableEnded) gone();
    else socket.once("close", gone).once("end", gone).on("readable", peek);
  });
  return {
    get signal() {
      controller ??= new AbortController();
      if (reason !== undefined) controller.abort(reason);
      return controller.signal;
    },
    aborted,
    get isAborted() {
      return reason !== undefined;
    },
    stop() {
      clearImmediate(beginning);
      if (timer === undefined) return NOTHING;
      clearTimeout(timer);
      socket.off("close", gone).off("end", gone).off("readable", peek);
      const chunks: Buffer[] = [];
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk);
      return chunks.length === 0 ? NOTHING : Buffer.concat(chunks);
    },
  };
}

/** Writes the 101 (RFC 6455 section 4.2.2). */
export function switchProtocols(socket: Duplex, key: string, protocol: string, extensions: string, headers: Headers): void {
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
  ];
  if (protocol !== "") lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  if (extensions !== "") lines.push(`Sec-WebSocket-Extensions: ${extensions}`);
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** Sends a refusal as the HTTP response it is, then lets go of the socket: whatever was sent behind the request must not become another one. */
export async function answer(socket: Duplex, response: Response): Promise<void> {
  if (socket.destroyed) return;
  dropLater(socket);
  const status = response.status < 200 ? 500 : response.status; // Response.error() has status 0.
  const empty = status === 204 || status === 205 || status === 304;
  // Time runs for the body as well, which may be a stream that never ends.
  const body = empty ? Buffer.alloc(0) : Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
  const lines = [`HTTP/1.1 ${status} ${response.statusText || (STATUS_CODES[status] ?? "")}`];
  for (const [name, value] of response.headers) {
    if (!["connection", "content-length", "transfer-encoding", "keep-alive"].includes(name)) lines.push(`${name}: ${value}`);
  }
  lines.push(response.headers.has("upgrade") ? "Connection: close, Upgrade" : "Connection: close");
  if (!empty) lines.push(`Content-Length: ${body.length}`);
  socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]));
  // Bytes unread at the moment of closing would turn into a reset that overtakes the answer.
  socket.resume();
}
