// ws as the judge of what bytes mean: its Receiver, which it exports and @types/ws does not know.

import { Buffer } from "node:buffer";
import * as ws from "ws";

/** What was read, in order; the last entry may be how it ended. */
export type Reading = readonly (readonly [what: string, ...details: (string | number)[]])[];

/** The largest message, in bytes. */
export const LIMIT = 2000;

const { Receiver } = ws as unknown as {
  readonly Receiver: new (
    options: object,
  ) => NodeJS.EventEmitter & {
    _write(chunk: Buffer, encoding: string, callback: (error?: object | null) => void): void;
  };
};

/** Reads what a client sends, until it ends. `read` calls back when a chunk has been read, at once where no extension was agreed on. */
export function createJudge(extensions: object = {}): { readonly reading: Reading; read(chunk: Buffer, done?: () => void): void } {
  const reading: [string, ...(string | number)[]][] = [];
  let over = false;
  const receiver = new Receiver({ isServer: true, maxPayload: LIMIT, maxFragments: 16_384, extensions });
  receiver.on("message", (data: Buffer, binary: boolean) => reading.push([binary ? "binary" : "text", data.toString("hex")]));
  receiver.on("ping", (data: Buffer) => reading.push(["ping", data.toString("hex")]));
  receiver.on("pong", (data: Buffer) => reading.push(["pong", data.toString("hex")]));
  receiver.on("conclude", (code: number, reason: Buffer) => {
    over = true;
    reading.push(["close", code, reason.toString()]);
  });
  receiver.on("error", () => {}); // Emitted on a later tick; the callback below has told by then.
  return {
    reading,
    read(chunk, done = () => {}) {
      if (over) return done();
      receiver._write(Buffer.from(chunk), "buffer", (error) => {
        if (error) {
          over = true;
          const [status] = Object.getOwnPropertySymbols(error); // "status-code" is the only one.
          reading.push(["violation", Number(status && Reflect.get(error, status))]);
        }
        done();
      });
    },
  };
}
