// What other processes send to rooms is checked again before it leaves here: they may run another version of the contract, and what carries it may not
// keep bytes as they are.
import { Buffer, isUtf8 } from "node:buffer";
import { type Codecs, decodeWith } from "./codec.ts";
import type { MessageContract } from "./contract.ts";
import { contractError, refusalOf } from "./dispatch.ts";

/** Throws ContractError (outbound) for what the contract does not allow to be sent as the message of that name. */
export type Recheck = (name: string, data: Uint8Array, binary: boolean) => void;

export function createRecheck(sends: Readonly<Record<string, MessageContract>>, codecs: Codecs = new Map()): Recheck {
  return (name, data, binary) => {
    const message = Object.hasOwn(sends, name) ? sends[name] : undefined;
    const refusal = message === undefined ? { path: "", reason: "is no message of this contract" } : refuse(message, codecs, data, binary);
    if (refusal !== undefined) throw contractError(`"${name}" of another process was not sent on`, "outbound", name, refusal);
  };
}

function refuse(
  { format, guard, contentType }: MessageContract,
  codecs: Codecs,
  data: Uint8Array,
  binary: boolean,
): ReturnType<typeof refusalOf> {
  if (binary !== (format === "binary" || format === "encoded")) return { path: "", reason: `is ${binary ? "binary" : "text"}` };
  const codec = contentType === undefined ? undefined : codecs.get(contentType);
  if (codec !== undefined) {
    const decoded = decodeWith(codec, data);
    if (!("value" in decoded)) return decoded;
    return guard === undefined ? undefined : refusalOf(guard, decoded.value);
  }
  if (binary) return undefined;
  if (!isUtf8(data)) return { path: "", reason: "is not UTF-8" };
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  let payload: unknown = text;
  if (format !== "text") {
    try {
      payload = JSON.parse(text);
    } catch {
      if (format === "json") return { path: "", reason: "is not JSON" };
    }
  }
  return guard === undefined ? undefined : refusalOf(guard, payload);
}
