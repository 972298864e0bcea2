// Every error this package throws on purpose, and the table that names them. docs/errors.md is tested against it.

/** Every code an error of this package can carry, with one sentence on what it means. */
export const errorCodes = {
  WSGEN_CONTRACT: "A message does not match the contract.",
  WSGEN_CONTRACT_VERSION: "Generated code and runtime do not belong together.",
  WSGEN_CONNECTION_CLOSED: "The connection is closed, or closed while the call was waiting.",
  WSGEN_REQUEST_TIMEOUT: "No reply came in time.",
  WSGEN_REQUEST_FAILED: "The peer refused what it was asked for: a request or a subscription.",
  WSGEN_CONNECT: "There was no server to shake hands with: refused, unknown host, TLS.",
  WSGEN_UPGRADE_REJECTED: "The server did not accept the WebSocket handshake.",
  WSGEN_INBOUND_OVERFLOW: "More messages arrived than the buffer holds, and nobody read them.",
  WSGEN_OUTBOUND_OVERFLOW: "More was sent while there was no connection than is kept for the next.",
  WSGEN_USAGE: "The API was called in a way that cannot work.",
} as const;

/** The code of a {@link WsgenError}. */
export type ErrorCode = keyof typeof errorCodes;

/** The base of every error this package throws on purpose. `code` is stable; the message is for people. */
export class WsgenError extends Error {
  override readonly name: string = "WsgenError";
  declare readonly code: ErrorCode;

  /** `details` become properties of the error. */
  constructor(code: ErrorCode, message: string, details?: object) {
    super(message, details);
    Object.assign(this, details, { code });
  }
}

/** What led to an error: `ErrorOptions` of ES2022, which users' compilers may not know. */
interface Caused {
  readonly cause?: unknown;
}

/** A payload that the contract does not allow: thrown by `send`, given to `onInvalid`. */
export class ContractError extends WsgenError {
  override readonly name = "ContractError";
  /** The message's name in the contract; `undefined` when it could not be told. */
  declare readonly messageName: string | undefined;
  declare readonly direction: "inbound" | "outbound";
  /** JSON Pointer (RFC 6901) to the offending value; empty for the whole payload. */
  declare readonly path: string;

  constructor(message: string, details: Caused & Pick<ContractError, "messageName" | "direction" | "path">) {
    super("WSGEN_CONTRACT", message, details);
  }
}

/** The connection is closed, or closed while the call was waiting. Close codes: RFC 6455 section 7.4. */
export class ConnectionClosedError extends WsgenError {
  override readonly name = "ConnectionClosedError";
  /** The close code; 1006 when the TCP connection was lost without a close frame. */
  declare readonly closeCode: number;
  declare readonly reason: string;
  /** What the code is called, see `CloseOutcome`. */
  declare readonly meaning: string | undefined;

  constructor(closeCode: number, reason: string, meaning?: string) {
    const why = reason || meaning;
    super("WSGEN_CONNECTION_CLOSED", `The connection is closed (${closeCode}${why ? ` ${why}` : ""}).`, { closeCode, reason, meaning });
  }
}

/**
 * Whether an error says no more than that the connection is closed, which is no fault of a handler that was still busy: ConnectionClosedError, the
 * reason of `conn.signal`, or the AbortError that Node's own functions make of it.
 */
export function isFarewell(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return (
    error instanceof ConnectionClosedError ||
    error === signal.reason ||
    (error instanceof Error && error.name === "AbortError" && error.cause === signal.reason)
  );
}

/** No reply to a request came in time. */
export class RequestTimeoutError extends WsgenError {
  override readonly name = "RequestTimeoutError";

  constructor(messageName: string, timeout: number) {
    super("WSGEN_REQUEST_TIMEOUT", `No reply to "${messageName}" came within ${timeout} ms.`);
  }
}

/** The peer answered a request with the contract's error message, or refused a subscription; `payload` is what it said. */
export class RequestFailedError extends WsgenError {
  override readonly name = "RequestFailedError";
  /** Of the answer; of the subscribing message where a reply refused it. */
  declare readonly messageName: string;
  declare readonly payload: unknown;

  constructor(requestName: string, messageName: string, payload: unknown) {
    const answer = JSON.stringify(payload).slice(0, 200);
    super("WSGEN_REQUEST_FAILED", `"${requestName}" was answered with "${messageName}": ${answer}`, { messageName, payload });
  }
}

/** The server did not accept the WebSocket handshake. Browsers hide the answer; there all of this is `undefined`. */
export class UpgradeRejectedError extends WsgenError {
  override readonly name = "UpgradeRejectedError";
  declare readonly status: number | undefined;
  declare readonly body: string | undefined;
  declare readonly headers: Headers | undefined;
  /** For how long the server wants no further attempt (`Retry-After`), in ms. */
  declare readonly retryAfter: number | undefined;

  /** `cause`: what the platform says when there was no HTTP answer at all (connection refused, TLS). */
  constructor(
    url: string,
    why: string,
    details?: Caused & Partial<Pick<UpgradeRejectedError, "status" | "body" | "headers" | "retryAfter">>,
  ) {
    super("WSGEN_UPGRADE_REJECTED", `${url} did not accept the WebSocket handshake: ${why}`, details);
  }
}

/** There was no server to shake hands with; `cause` is what the system says. */
export class ConnectError extends WsgenError {
  override readonly name = "ConnectError";

  constructor(url: string, cause: Error) {
    super("WSGEN_CONNECT", `No connection to ${url}: ${cause.message || cause.name}`, { cause });
  }
}

/** More messages arrived than the buffer holds, and nobody read them. */
export class InboundOverflowError extends WsgenError {
  override readonly name = "InboundOverflowError";

  constructor(messages: number) {
    super("WSGEN_INBOUND_OVERFLOW", `${messages} messages dropped.`);
  }
}

/** More was sent while there was no connection than is kept for the next. */
export class OutboundOverflowError extends WsgenError {
  override readonly name = "OutboundOverflowError";

  constructor() {
    super("WSGEN_OUTBOUND_OVERFLOW", "1 MiB waits.");
  }
}
