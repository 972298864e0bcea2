// What sending and closing come to, on servers and clients alike. Types alone, and none of Node's: browsers' type-checkers read this file.
import type { CloseMeaning } from "./close-meaning.ts";

/**
 * `undefined` when the message was taken below the limits (64 KiB this turn, 1 MiB on the socket), else a promise that settles when
 * there is room again and rejects with ConnectionClosedError when the connection closes first. Await it for back pressure; not awaiting
 * it is safe.
 */
export type Sent = undefined | Promise<void>;

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/**
 * How a connection ended (RFC 6455 section 7.1.5): the code of the peer's close frame (1005: it held none); if none came, of ours;
 * 1006 when TCP was lost without either. `wasClean`: both close frames were exchanged. `Name`: what the document calls its own codes.
 */
export interface CloseOutcome<Name extends string = string> {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /**
   * What the code is called: by the document (`closeCodes`), else by the standard (`normal`, `goingAway`, `lost`, …); `undefined` where neither says.
   * Clients know it where their document has `closeCodes`.
   */
  readonly meaning?: Name | CloseMeaning | undefined;
}
