// One connection of a contract's endpoint, from `open` to `close`: decode, dispatch, hand to the handler, answer.
import { type Closure, closures } from "../connection/close.ts";
import type { Awaitable, CloseOutcome, ConnectionCore, Sink } from "../connection/connection.ts";
import { attempt, isThenable } from "../connection/thenable.ts";
import { ignore } from "../connection/waiter.ts";
import { type ConnectionClosedError, ContractError, isFarewell, WsgenError } from "../errors.ts";
import { codes, hasWordsFor, isOrdered, MAX_DETAIL_LENGTH, putIntoWords, refusals } from "./complaint.ts";
import {
  EndpointConnection,
  type EndpointHandler,
  type HandshakeValues,
  type NamedMessage,
  type Party,
  ReadableEndpointConnection,
} from "./contract-connection.ts";
import { type Classify, type DecodeProblem, describe, inboundError } from "./dispatch.ts";
import { type ClassifyMessage, type Endpoint, outgoing, type Problem, type Receiver, type SessionHooks } from "./endpoint.ts";
import { dropped, filterReceived } from "./filters.ts";
import { Inlet } from "./inlet.ts";
import { encodeReply, type RequestOptions, type Requests } from "./requests.ts";
import { UnderWay } from "./under-way.ts";

/** So many invalid messages within this time, in ms, and the connection is closed with 1008. */
const INVALID = { messages: 20, window: 10_000 } as const;

const noHandler: EndpointHandler = Object.freeze({});
const nothing: Pick<UnderWay, "opening" | "running"> = { opening: undefined, running: false };

/** A function that reads its own messages, and where it reads them from. */
interface Primitive {
  readonly inlet: Inlet<NamedMessage>;
  run(): Promise<void>;
  /** From `start` on. */
  life: Promise<void> | undefined;
}

/** Nothing is allocated per message as long as handlers are synchronous. */
export class Session implements Sink, Party {
  readonly conn: EndpointConnection;
  readonly core: ConnectionCore;
  readonly endpoint: Endpoint;
  readonly #hooks: SessionHooks;
  readonly #place: { leave(core: ConnectionCore, outcome: CloseOutcome): void };
  /** Where the endpoint's handler is a function that reads its own messages. */
  readonly #primitive: Primitive | undefined;
  #underWay: UnderWay | undefined;
  #requests: Requests | undefined;
  readonly #classify: Classify | undefined;
  /** When invalid messages came, in ms, at most INVALID.messages of them. */
  #invalid: number[] | undefined;

  /** `place` is left when the connection is closed and no handler runs any more. */
  constructor(
    core: ConnectionCore,
    endpoint: Endpoint,
    values: HandshakeValues,
    hooks: SessionHooks,
    place: { leave(core: ConnectionCore, outcome: CloseOutcome): void },
  ) {
    this.core = core;
    this.endpoint = endpoint;
    this.#hooks = hooks;
    this.#place = place;
    const { handler } = endpoint;
    if (typeof handler === "function") {
      const inlet = new Inlet<NamedMessage>();
      const conn = new ReadableEndpointConnection(inlet, values, this);
      this.conn = conn;
      this.#primitive = { inlet, run: () => handler(conn), life: undefined };
    } else {
      this.conn = new EndpointConnection(values, this);
    }
    const { classify } = endpoint;
    this.#classify = classify && ((payload, among) => this.#classified(classify, payload, among));
  }

  /** Calls `open`, then lets messages in. They wait for an `open` that is not done yet. */
  start(): void {
    if (this.#primitive !== undefined) this.#primitive.life = this.#live(this.#primitive);
    try {
      const opening = this.#handler.open?.(this.conn);
      if (isThenable(opening)) {
        this.#begun().opening = Promise.resolve(opening).then(
          () => this.#opened(),
          (error: unknown) => this.#failedToOpen(error),
        );
      }
    } catch (error) {
      this.#failedToOpen(error);
    }
    this.core.start(this);
  }

  /** Lets nothing new begin; settles when what runs is done. */
  drain(): Awaitable<void> {
    if (this.#primitive !== undefined) return undefined; // It hears of the end by `signal`, as a hand-written route does.
    const underWay = this.#begun();
    underWay.draining = true;
    return underWay.running ? underWay.untilQuiet() : underWay.opening;
  }

  request(name: string, payload: unknown, options: RequestOptions | undefined): Promise<unknown> {
    this.#requests ??= this.#createRequests();
    const requests = this.#requests;
    if (requests === undefined) throw new WsgenError("WSGEN_USAGE", `"${name}" is no request of the contract.`);
    return requests.send(name, payload, options, (data) => this.#push(data));
  }

  /** They end when closing begins: the handler that waits for one may be what `closed` waits behind. */
  #createRequests(): Requests | undefined {
    const requests = this.endpoint.createRequests?.();
    const { signal } = this.core;
    const close = (): void => requests?.close(signal.reason as ConnectionClosedError); // As `Connection.signal` says.
    if (signal.aborted) close();
    else signal.addEventListener("abort", close, { once: true });
    return requests;
  }

  get peeking(): boolean {
    return (this.#requests?.waiting ?? 0) > 0;
  }

  /** Replies do not queue behind the message whose handler waits for them. */
  peek(data: string | Buffer): boolean {
    const requests = this.#requests;
    const { decoder } = this.endpoint;
    if (requests === undefined || (typeof data !== "string" && !decoder.decodes)) return false;
    // What has to be classified waits for its turn: then the user's function is asked, once.
    let asked = false;
    const classify = this.#classify && leaveForLater;
    function leaveForLater(): undefined {
      asked = true;
    }
    const decoded = decoder.decode(data, (payload) => requests.settle(payload), classify);
    if (decoded === undefined) return true;
    if (asked) return false;
    if (decoded.kind === "message" || !requests.refuse(decoded.payload, inboundError(decoded))) return false;
    this.#countInvalid(decoded);
    return true;
  }

  message(data: string | Buffer): Awaitable<void> {
    const opening = this.#underWay?.opening;
    return opening === undefined ? this.#handle(data) : opening.then(() => this.#handle(data));
  }

  closed(outcome: CloseOutcome): void {
    this.conn.leaveAll();
    this.#primitive?.inlet.end();
    const { opening, running } = this.#underWay ?? nothing;
    const rest = opening !== undefined || this.#primitive !== undefined || running || this.#handler.close !== undefined;
    if (rest) void this.#close(outcome);
    else this.#place.leave(this.core, outcome);
  }

  /** The life of a function that reads its own messages. */
  async #live({ inlet, run }: Primitive): Promise<void> {
    let end: Closure = closures.normal;
    try {
      await run();
    } catch (error) {
      if (!isFarewell(error, this.core.signal)) this.#report(error);
      end = closures.internalError;
    }
    inlet.discard();
    this.#shut(end);
  }

  #handle(data: string | Buffer): Awaitable<void> {
    if (this.#underWay?.draining === true) return new Promise(() => {}); // The connection is about to be closed, which lets go of this.
    const requests = this.#requests;
    const { decoder } = this.endpoint;
    // A reply may still come to a request that was given up.
    const late = requests !== undefined && requests.size > 0;
    const decoded = decoder.decode(data, late ? (payload) => requests.settle(payload) : undefined, this.#classify);
    if (decoded === undefined) return;
    if (decoded.kind !== "message") return this.#refuse(decoded);
    const { name, payload } = decoded;
    const { receive, receivers } = this.endpoint;
    const receiver = receivers.get(name)!; // The tree leads to messages of the contract alone.
    if (receiver.handle === undefined && this.#primitive === undefined) {
      this.core.log.debug({ message: name }, "a reply that nobody waits for");
      return;
    }
    try {
      const result =
        receive === undefined
          ? this.#call(receiver, name, payload)
          : filterReceived(receive, { name, payload }, this.conn, () => this.#call(receiver, name, payload));
      if (!isThenable(result)) return this.#answer(receiver, name, payload, result);
      this.#begun().begin();
      return this.#awaitAnswer(receiver, name, payload, result);
    } catch (error) {
      this.#failed(error, name, payload);
    }
  }

  async #awaitAnswer(receiver: Receiver, name: string, payload: unknown, answer: PromiseLike<unknown>): Promise<void> {
    try {
      this.#answer(receiver, name, payload, await answer);
    } catch (error) {
      this.#failed(error, name, payload);
    } finally {
      this.#underWay?.settle();
    }
  }

  #call({ handle }: Receiver, name: string, payload: unknown): unknown {
    return handle === undefined ? this.#primitive?.inlet.offer({ name, payload }) : handle(payload, this.conn);
  }

  #begun(): UnderWay {
    this.#underWay ??= new UnderWay();
    return this.#underWay;
  }

  get #handler(): EndpointHandler {
    const { handler } = this.endpoint;
    return typeof handler === "function" ? noHandler : handler;
  }

  /** Sends what a handler returned, where the contract says that it returns something. */
  #answer({ reply }: Receiver, name: string, request: unknown, answer: unknown): void {
    if (reply === undefined) return;
    if (answer === dropped) {
      if (reply.id === "order") this.#unanswered(name, request);
      return;
    }
    // Who reads the requests himself sends the replies himself.
    if (this.#primitive !== undefined) return;
    this.#push(encodeReply(reply, this.endpoint.encoders, request, answer));
  }

  /** A filter dropped a request, and the next reply would be taken for its: it is answered with the contract's error, or it is the last. */
  #unanswered(name: string, request: unknown): void {
    this.core.log.warn({ message: name }, "a filter dropped a request whose reply is known by its order");
    if (!this.#tell("internal_error", "The message was not handled.", name, request)) this.#shut(closures.internalError);
  }

  /** Sends what is waited for: no handler of this connection starts while its client does not take the answers, and whoever asks awaits the reply. */
  #push(data: string | Uint8Array): void {
    this.core.push(outgoing(data))?.catch(ignore);
  }

  #refuse(problem: DecodeProblem): void {
    const error = inboundError(problem);
    if (this.#requests?.refuse(problem.payload, error)) return;
    if (this.#countInvalid(problem)) return;
    const { onInvalid } = this.endpoint.contract;
    // Where replies are known by their order, one that never comes would shift all that follow.
    if (onInvalid === "drop" && !isOrdered(this.endpoint, problem.name)) return;
    const told = onInvalid !== "close" && this.#tell(codes[problem.kind], describe(problem), problem.name, problem.payload);
    if (!told) this.#shut(refusals[problem.kind]);
  }

  /** True when it was one too many, and the connection is closing. */
  #countInvalid(problem: DecodeProblem): boolean {
    this.core.log.debug({ problem: problem.kind, message: problem.name, path: problem.path }, "an invalid message");
    this.#hook(() => this.#hooks.onInvalid(inboundError(problem), this.conn, this.core));
    const now = performance.now();
    this.#invalid = (this.#invalid ?? []).filter((time) => now - time < INVALID.window);
    this.#invalid.push(now);
    if (this.#invalid.length < INVALID.messages) return false;
    this.#shut(closures.invalidMessage);
    return true;
  }

  #failed(error: unknown, name: string, payload: unknown): void {
    // A handler that was still talking when its client left has done nothing wrong.
    if (isFarewell(error, this.core.signal)) return;
    this.#report(error);
    if (!this.#tell("internal_error", "The message could not be handled.", name, payload)) this.#shut(closures.internalError);
  }

  /** The user's function must not take the connection down; what it throws is reported, and the message is unknown. */
  #classified(classify: ClassifyMessage, payload: unknown, among: readonly string[]): string | undefined {
    try {
      return this.#atOnce("classify", classify(payload, among, this.conn));
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** What an `async` function gives is no answer, and its rejection would end the process. */
  #atOnce<Result>(name: string, result: Result): Result {
    if (!isThenable(result)) return result;
    result.then(undefined, (error: unknown) => this.#report(error));
    throw new WsgenError("WSGEN_USAGE", `${name} gave a promise, and is to answer at once.`);
  }

  #opened(): void {
    this.#begun().opening = undefined;
  }

  #failedToOpen(error: unknown): void {
    const underWay = this.#begun();
    underWay.opening = undefined;
    underWay.draining = true;
    if (!isFarewell(error, this.core.signal)) this.#report(error);
    this.#shut(closures.internalError);
  }

  async #close(outcome: CloseOutcome): Promise<void> {
    try {
      await this.#underWay?.opening;
      await this.#primitive?.life;
      await this.#underWay?.untilQuiet();
      await this.#handler.close?.(this.conn, outcome);
    } catch (error) {
      this.#report(error);
    }
    this.#place.leave(this.core, outcome);
  }

  /** Says what is wrong in the contract's own words; false when it has none for this. */
  #tell(code: Problem["code"], detail: string, name: string | undefined, payload: unknown): boolean {
    if (!hasWordsFor(this.endpoint, name)) return false;
    const problem: Problem = { code, detail: detail.slice(0, MAX_DETAIL_LENGTH), message: name, payload };
    let body: unknown = {};
    if (this.endpoint.contract.error?.toError) {
      try {
        body = this.#atOnce("toError", this.endpoint.toError?.(problem, this.conn));
      } catch (failure) {
        this.#report(failure);
        return false;
      }
    }
    const words = putIntoWords(this.endpoint, problem, body);
    if (!(words instanceof ContractError)) {
      this.#push(words);
      return true;
    }
    this.core.log.warn({ code, reason: words.message }, "the contract's error message cannot say this");
    return false;
  }

  #report(error: unknown): void {
    this.#hook(() => this.#hooks.onError(error, this.conn, this.core));
  }

  /** Hooks are the user's as well, and must not take the connection down. */
  #hook(call: () => unknown): void {
    attempt(call, (error) => this.core.log.error({ err: error }, "a hook failed"));
  }

  #shut({ code, reason }: Closure): void {
    void this.core.shut(code, reason);
  }
}
