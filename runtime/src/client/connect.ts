// The low level of a client in Node: one connection, for as long as a block lasts. Without a document, without reconnecting; built on ws.
import type { IncomingMessage } from "node:http";
import type { ConnectionOptions, SecureContextOptions } from "node:tls";
import type { ClientOptions, WebSocket } from "ws";
import { assertUserClose, closures } from "../connection/close.ts";
import { meaningOf } from "../connection/close-meaning.ts";
import type { Message } from "../connection/connection.ts";
import type { CloseOutcome, Sent } from "../connection/outcome.ts";
import { ConnectError, ConnectionClosedError, UpgradeRejectedError, WsgenError } from "../errors.ts";
import { violations } from "./violations.ts";

/** Reading stops when this many messages or bytes wait for a reader; what the socket has read by then still comes. */
const INBOX = { messages: 16, bytes: 256 * 1024 } as const;
/** Bytes that wait to be sent above which `send` gives a promise. */
const HIGH_WATER_MARK = 1024 * 1024;
/** The most of a refusal's body that is kept, in bytes. */
const MAX_BODY = 64 * 1024;

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** Headers of the upgrade request, those of the handshake itself excepted. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer, the preferred one first. The server must choose one of them. Default: none. */
  readonly protocols?: readonly string[];
  /** Options of the TLS connection of a wss URL: `ca`, `cert` and `key`, `servername`, … */
  readonly tls?: SecureContextOptions & Pick<ConnectionOptions, "servername" | "rejectUnauthorized">;
  /** Gives up the handshake, rejecting with the signal's reason; closes the connection with 1000 once it is open. */
  readonly signal?: AbortSignal;
  /** Time for the handshake, in ms. Default: 10 000. */
  readonly handshakeTimeout?: number;
  /** How long to wait for the server's close frame before TCP is dropped, in ms. Default: 15 000. */
  readonly closeTimeout?: number;
  /** Largest message, in bytes; a larger one closes with 1009. Default: 1 MiB. */
  readonly maxMessageSize?: number;
}

/** An open connection to a server. Leaving its `await using` block closes it with 1000. */
export interface ClientConnection extends AsyncDisposable {
  /** The negotiated subprotocol, "" when there is none. */
  readonly protocol: string;
  /** Headers of the 101 response. */
  readonly headers: Headers;
  /** Aborts, with a ConnectionClosedError, when the connection begins to close from this side, or has been closed. */
  readonly signal: AbortSignal;
  /** Settles, never rejects, once the connection is closed. */
  readonly closed: Promise<CloseOutcome>;
  /** Sends a text (string) or binary message. On a closed connection: a rejected promise, marked handled. */
  send(data: string | Uint8Array): Sent;
  /**
   * Every message in order, from the first, and ends when the connection closes. One reader at a time: another may follow once a loop was
   * left. While nobody reads, the server is held back by TCP; its pings and its close frame wait as well then.
   */
  messages(): AsyncIterable<Message>;
  /** Sends a ping of up to 125 bytes and gives the round-trip time in ms; rejects with ConnectionClosedError when the connection closes first. */
  ping(data?: Uint8Array): Promise<number>;
  /**
   * Closes behind everything sent so far; what has arrived and was not read is dropped; later calls change nothing. Code 1000 (default) or
   * 3000–4999, reason up to 123 bytes of UTF-8, else a WsgenError is thrown. Settles once the connection is closed.
   */
  close(code?: number, reason?: string): Promise<CloseOutcome>;
}

/** The class of ws, or one that leads elsewhere. Not in its own types, which users of this package need not have. */
export type WebSocketClass = new (
  address: string | URL,
  protocols: string[],
  options: { readonly headers: Record<string, string> },
) => object;

/**
 * Connects to a WebSocket server. Rejects with UpgradeRejectedError (`status`, `headers`, `body`) when the server answers with anything but
 * 101, with ConnectError when there is nobody to answer (refused, unknown host, TLS), with WSGEN_USAGE when URL, headers or protocols cannot be
 * right. Redirects are not followed: 307 is a refusal.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<ClientConnection> {
  const ws = await import("ws"); // A quarter of what a server would load, and it needs none of it.
  return connectThrough(ws.WebSocket, url, options);
}

/** {@link connect} with a class of the caller's. */
export async function connectThrough(Class: WebSocketClass, url: string | URL, options: ConnectOptions): Promise<ClientConnection> {
  const { headers = {}, protocols = [], tls = {}, signal, handshakeTimeout = 10_000, closeTimeout = 15_000 } = options;
  signal?.throwIfAborted();
  const details: ClientOptions & { readonly closeTimeout: number } = {
    ...tls,
    headers,
    handshakeTimeout,
    closeTimeout,
    maxPayload: options.maxMessageSize ?? 1024 * 1024,
    perMessageDeflate: false,
  };
  let socket: WebSocket;
  try {
    socket = new (Class as typeof WebSocket)(url, [...protocols], details);
  } catch (error) {
    throw new WsgenError("WSGEN_USAGE", `connect(${JSON.stringify(withoutQuery(url))}): ${messageOf(error)}.`, { cause: error });
  }
  const connection = new SocketClient(socket); // Listens from the first moment: messages may come with the handshake.
  const giveUp = (): void => socket.terminate();
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    connection.headers = headersOf(await handshake(socket, withoutQuery(url)));
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
  if (signal !== undefined) {
    const leave = (): void => void connection.close();
    signal.addEventListener("abort", leave, { once: true });
    void connection.closed.then(() => signal.removeEventListener("abort", leave));
  }
  return connection;
}

/** Waits for the answer to the handshake. */
function handshake(socket: WebSocket, url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    socket.once("upgrade", (response) => {
      answer = response;
    });
    socket.once("open", () => answer !== undefined && resolve(answer));
    socket.once("unexpected-response", (request, response) => {
      void readBody(response).then((body) => {
        const { statusCode: status } = response;
        reject(new UpgradeRejectedError(url, `${status} ${body}`, { status, body, headers: headersOf(response) }));
        request.destroy();
      });
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // Errors of the network have a code; those of the handshake are sentences of ws.
      reject(error.code === undefined ? new UpgradeRejectedError(url, error.message, { cause: error }) : new ConnectError(url, error));
    });
  });
}

/** A refusal's text, as far as it comes. */
async function readBody(response: IncomingMessage): Promise<string> {
  let body = "";
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      body += chunk as string;
      if (body.length >= MAX_BODY) break;
    }
  } catch {
    // The status is what counts; the server may leave in the middle of its explanation.
  }
  return body.slice(0, MAX_BODY);
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  return headers;
}

class SocketClient implements ClientConnection {
  headers = new Headers();
  readonly closed: Promise<CloseOutcome>;
  readonly #socket: WebSocket;
  readonly #abort = new AbortController();
  #queue: Message[] = [];
  #bytes = 0;
  #reading = false;
  #wake: (() => void) | undefined;
  /** What our close frame said, or says. */
  #ours: Pick<CloseOutcome, "code" | "reason"> | undefined;
  #over = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer, binary) => this.#receive(data, binary));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const code = violations.get(error.code);
      if (code) this.#ours ??= { code, reason: "" };
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        const lost = code === closures.lost.code;
        const { code: said, reason: why } = lost ? (this.#ours ?? closures.lost) : { code, reason: String(reason) };
        this.#over = true;
        const meaning = meaningOf(said);
        this.#abort.abort(new ConnectionClosedError(said, why, meaning));
        this.#wake?.();
        resolve({ code: said, reason: why, wasClean: !lost, meaning });
      });
    });
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  send(data: string | Uint8Array): Sent {
    const { signal } = this.#abort;
    if (signal.aborted) return handled(Promise.reject(signal.reason as Error));
    if (this.#socket.bufferedAmount < HIGH_WATER_MARK) {
      this.#socket.send(data, ignore);
      return undefined;
    }
    return handled(
      new Promise((resolve, reject) => {
        this.#socket.send(data, (error) => {
          if (error) void this.closed.then(() => reject(signal.reason as Error));
          else resolve();
        });
      }),
    );
  }

  async *messages(): AsyncGenerator<Message, void> {
    if (this.#reading) throw new WsgenError("WSGEN_USAGE", "messages(): somebody is reading this connection already; end that loop first.");
    this.#reading = true;
    try {
      for (;;) {
        const message = this.#queue.shift();
        if (message !== undefined) {
          this.#bytes -= message.data.length;
          if (!this.#full) this.#socket.resume();
          yield message;
        } else if (this.#over || this.#abort.signal.aborted) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#reading = false;
    }
  }

  ping(data: Uint8Array = Buffer.from(String(performance.now()))): Promise<number> {
    if (data.length > 125) {
      throw new WsgenError("WSGEN_USAGE", `ping(): ${data.length} bytes of data; a ping holds 125 (RFC 6455 section 5.5).`);
    }
    const sent = performance.now();
    const { signal } = this.#abort;
    const socket = this.#socket;
    return handled(
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const stop = (): void => {
          socket.off("pong", onPong);
          signal.removeEventListener("abort", onAbort);
        };
        const onPong = (payload: Buffer): void => {
          if (!payload.equals(data)) return;
          stop();
          resolve(performance.now() - sent);
        };
        const onAbort = (): void => {
          stop();
          reject(signal.reason as Error);
        };
        socket.on("pong", onPong);
        signal.addEventListener("abort", onAbort);
        socket.ping(data, undefined, ignore);
      }),
    );
  }

  close(code: number = closures.normal.code, reason = ""): Promise<CloseOutcome> {
    assertUserClose(code, reason);
    if (!this.#abort.signal.aborted) {
      this.#ours ??= { code, reason };
      this.#queue = [];
      this.#bytes = 0;
      this.#socket.close(code, reason);
      this.#socket.resume(); // The server's close frame may lie behind what nobody will read.
      this.#abort.abort(new ConnectionClosedError(code, reason, meaningOf(code)));
      this.#wake?.();
    }
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #full(): boolean {
    return this.#queue.length >= INBOX.messages || this.#bytes >= INBOX.bytes;
  }

  #receive(data: Buffer, binary: boolean): void {
    if (this.#abort.signal.aborted) return;
    const message: Message = binary ? { type: "binary", data } : { type: "text", data: data.toString() };
    this.#queue.push(message);
    this.#bytes += message.data.length;
    if (this.#full) this.#socket.pause();
    this.#wake?.();
  }
}

function ignore(): void {}

/** For errors, which are logged: a query may hold a token. */
function withoutQuery(url: string | URL): string {
  return String(url).replace(/[?#].*$/s, "");
}

/** A promise whose rejection nobody has to wait for. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}
