// What only some contracts need beside the core, and what the core asks of it. Types alone.
import type { Sent } from "../connection/outcome.ts";
import type { ChoiceNode, EndpointContract } from "../contract/contract.ts";
import type { ContractError } from "../errors.ts";
import type { Codec, Received } from "./codec.ts";
import type { ClientConnection } from "./connection.ts";
import type { Inbox } from "./inbox.ts";

/**
 * Something that only some contracts need: requests, answers, topics. Generated code names those of its document, so that no other is loaded. It is made
 * ready once for an endpoint, where it can put something into the codec, then attached to each of its connections.
 */
export type Feature = (endpoint: EndpointContract, codec: Codec) => (link: Link) => Part;

/** What a feature adds to one connection. */
export interface Part {
  /** Becomes part of the connection that its user sees. */
  readonly members?: object;
  /**
   * Before each attempt: checks what is given for it, writes the query into the address, and gives the path behind the server's. Throws what
   * refuses the attempt for good.
   */
  handshake?(address: URL, given: HandshakeValues): string;
  /** Sees the JSON of every text frame before the contract's tree does; true: it is dealt with. */
  claim?(payload: unknown): boolean;
  /** Says what a close code is called. */
  meaningOf?(code: number): string | undefined;
  /** Says which message it is where the contract's tree leaves a choice. */
  choose?(choice: ChoiceNode, payload: unknown): Received | undefined;
  /** Sees every message that the contract does not allow, before `onInvalid`; true: it is dealt with. */
  refuse?(payload: unknown, error: ContractError): boolean;
  /** Sees every valid message before listeners and the reader; true: it is dealt with. `size` in characters or bytes. */
  take?(name: string, payload: unknown, size: number): boolean;
  /** The connection is open: for the first time or again. What is sent here leaves before what waited. */
  opened?(): void;
  /** The connection was open and is not any more, or it is closed for good: what was asked through it will not be answered. */
  lost?(error: unknown): void;
}

/** What a user gives for one attempt. */
export interface HandshakeValues {
  readonly params: object | undefined;
  readonly query: object | undefined;
  readonly headers: object | undefined;
}

/** One connection as a feature sees it. */
export interface Link {
  readonly inbox: Inbox;
  /** What its user sees; its members are there when all features are attached. */
  readonly connection: ClientConnection<unknown>;
  /** Sends what the codec encoded. While the connection is away it is kept, and left out when it is `stale` by then. */
  transmit(data: string | Uint8Array, stale?: () => boolean): Sent;
  onError(error: unknown): void;
}

/** What a feature may have something to say about. */
type Hooks = Required<Omit<Part, "members">>;

/** Asks the features of a connection in turn, until one has an answer. */
export type Ask = <Hook extends keyof Hooks>(hook: Hook, ...given: Parameters<Hooks[Hook]>) => ReturnType<Hooks[Hook]> | undefined;
