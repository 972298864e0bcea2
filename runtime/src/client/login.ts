// What has to be said first on every connection, before anything else leaves: a login. Beside the core, for those who import it.
import type { Awaitable, CloseOutcome } from "../connection/outcome.ts";
import type { EndpointContract } from "../contract/contract.ts";
import { ConnectionClosedError, type ContractError, RequestTimeoutError } from "../errors.ts";
import { prepareConnection } from "./connection.ts";
import type { Feature } from "./feature.ts";
import { ATTEMPT } from "./limits.ts";
import type { Attempt, WebSocketLike } from "./socket.ts";

/** Makes of an attempt one that is not open before somebody is logged in. */
export type Login = (
  attempt: Attempt | Promise<Attempt>,
  endpoint: EndpointContract,
  features: readonly Feature[],
  onInvalid: (error: ContractError) => void,
  onError: (error: unknown) => void,
) => Promise<Attempt>;

/**
 * Makes the option `login` of an endpoint's method of a function: `market.socket({ login: login(async (socket: SocketClient) => { … }) })`.
 *
 * It is called on every socket, the first and each after a reconnect, and the connection is open when its promise is kept: subscriptions and what was sent
 * meanwhile leave then. The connection that it is given is open already, lasts as long as the function runs, and is its own: `send`, `request`, `on`,
 * `answer`, topics and the iterator work as ever. Replies to its requests are nobody else's; other messages that come meanwhile reach the listeners and the
 * reader of the real connection too, when that is open. To open subscriptions here is of no use.
 *
 * When it throws, the attempt has failed, and is tried again like a lost network or, where the error has a `status`, like that answer (`401`: once, `403`:
 * never); so it is, by its code, when the server closes meanwhile. Handshake and login have 10 s together.
 */
export function login<Connection>(hook: (connection: Connection) => Awaitable<unknown>): Login {
  return async (attempt, endpoint, features, onInvalid, onError) => {
    const { socket, verdict } = await attempt;
    /** The real socket is open: it is the hook's until it is over. */
    let up = socket.readyState === 1;
    let over = false;
    let ended: CloseOutcome | undefined;
    let failure: unknown;
    socket.addEventListener("open", () => {
      up = true;
    });
    socket.addEventListener("close", (event) => {
      ended = event;
    });

    /** What has arrived meanwhile and was no reply to the hook. */
    const kept: unknown[] = [];
    let current: unknown;
    const keep: Feature = () => () => ({
      take() {
        kept.push(current);
        return false;
      },
    });

    // The platform gives text and bytes to both alike.
    socket.binaryType = "arraybuffer";
    const early = createView(socket, () => !over);
    const late = createView(socket, () => over);
    const [connection, opening] = prepareConnection(endpoint, [...features, keep])(
      async () => ({ socket: early.socket }),
      false,
      onInvalid,
      onError,
    );
    early.watch("message", (event) => {
      current = event;
    });

    const finish = (): void => {
      over = true;
      early.socket.close = () => {}; // The end of the hook's connection is not that of the socket.
      early.tell("close", { code: 1000, reason: "", wasClean: true });
    };
    opening
      .then((open) => hook(open as Connection))
      .then(
        () => {
          if (connection.signal.aborted) return; // The socket is gone, which everybody heard of.
          finish();
          late.tell("open");
          for (const event of kept) late.tell("message", event);
        },
        (error: unknown) => {
          if (connection.signal.aborted) return;
          failure = error;
          finish();
          late.tell("close", { code: 1006, reason: "", wasClean: false });
        },
      );

    return {
      socket: late.socket,
      verdict: () =>
        failure ??
        verdict?.() ??
        (!up || over
          ? undefined
          : ended
            ? new ConnectionClosedError(ended.code || 1006, ended.reason)
            : new RequestTimeoutError("login", ATTEMPT)),
    };
  };
}

type Listener = (event?: unknown) => void;

/** What one of the two that share a socket, one after the other, sees of it. It hears messages while it is its turn. */
function createView(socket: WebSocketLike, isItsTurn: () => boolean) {
  const listeners: (readonly [type: string, listener: Listener])[] = [];
  const watch = (type: string, listener: Listener): void => {
    listeners.push([type, listener]);
  };
  const tell = (type: string, event?: unknown): void => {
    for (const [its, listener] of listeners) if (its === type) listener(event);
  };
  for (const type of ["open", "message"]) socket.addEventListener(type as "message", (event) => isItsTurn() && tell(type, event));
  for (const type of ["error", "close"]) socket.addEventListener(type as "close", (event) => tell(type, event));
  const view: WebSocketLike = {
    binaryType: "",
    get readyState() {
      return isItsTurn() ? socket.readyState : 0;
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    get protocol() {
      return socket.protocol;
    },
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    // Whose overloads are about the types of events.
    addEventListener: watch as WebSocketLike["addEventListener"],
  };
  return { socket: view, watch, tell };
}
