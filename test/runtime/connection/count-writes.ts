import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

type Write = (this: unknown, chunk: Buffer, ...rest: unknown[]) => unknown;

/** Counts what reaches the socket itself: a writev of many is one. */
export function countWrites(socket: Duplex): { count: number; readonly chunks: Buffer[] } {
  const counted = { count: 0, chunks: [] as Buffer[] };
  const inner = socket as unknown as { _write: Write; _writev: Write }; // The two entries of a Duplex's implementation.
  const { _write, _writev } = inner;
  inner._write = function (chunk, ...rest) {
    counted.count++;
    counted.chunks.push(chunk);
    return _write.call(this, chunk, ...rest);
  };
  inner._writev = function (chunk, ...rest) {
    counted.count++;
    return _writev.call(this, chunk, ...rest);
  };
  return counted;
}
