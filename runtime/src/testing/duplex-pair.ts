// Two ends of a wire that is only memory.
import { Duplex } from "node:stream";

/** One end: what is written to it can be read from the other, with the same back pressure a socket has. */
class End extends Duplex {
  #peer: End | undefined;
  /** The write of the peer that waits until this end has been read. */
  #takeMore: (() => void) | undefined;

  connect(peer: End): void {
    this.#peer = peer;
  }

  override _read(): void {
    const takeMore = this.#takeMore;
    this.#takeMore = undefined;
    takeMore?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Later, as from a kernel: nobody expects an answer before the call that asked has returned. A copy, because readers unmask in place.
    setImmediate(() => {
      const peer = this.#peer;
      if (peer === undefined || peer.destroyed || peer.readableEnded) done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      else if (peer.push(Buffer.from(chunk))) done();
      else peer.#takeMore = done;
    });
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      if (this.#peer?.destroyed === false) this.#peer.push(null);
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const peer = this.#peer;
    this.#peer = undefined;
    setImmediate(() => {
      if (peer !== undefined && !peer.destroyed && !peer.readableEnded) peer.push(null);
      done(error);
    });
  }
}

/** Makes the two ends of an in-memory connection: as those of TCP, the client's ends when the server has ended, the server's when it likes. */
export function createDuplexPair(): readonly [client: Duplex, server: Duplex] {
  const [client, server] = [new End({ allowHalfOpen: false }), new End()];
  client.connect(server);
  server.connect(client);
  return [client, server];
}
