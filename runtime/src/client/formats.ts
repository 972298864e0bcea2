// Messages that are no JSON: bytes, bare text, and texts that are a message by themselves (`PING`).
import { refuse } from "./check.ts";
import { parse } from "./codec.ts";
import { isEnd } from "./dispatch.ts";
import type { Feature } from "./feature.ts";

/** For contracts with messages of text or bytes. */
export const formats: Feature = ({ receives: { dispatch, messages }, sends }, codec) => {
  const { binary, text, json } = dispatch;
  const constants = new Map(dispatch.constants);
  const speaksJson = Object.values(messages).some(({ format }) => format === "json" || format === "any");
  const { decode, encode } = codec;

  codec.decode = (data, ask) => {
    // JSON Schema cannot speak of bytes, so no guard runs on them.
    if (typeof data !== "string") return codec.arrive(binary, data, ask);
    const constant = constants.get(data);
    if (constant || !speaksJson) return codec.arrive(constant ?? text, data, ask);
    const payload = parse(data);
    if (text && payload === undefined) return codec.arrive(text, data, ask);
    // `42` and `true` are JSON by accident when they come as bare text.
    if (!text || (json && (Object(payload) === payload || isEnd(codec.find(payload))))) return decode(data, ask, payload);
    if (ask("claim", payload)) return;
    // A choice among texts is of bare ones.
    return codec.arrive(text, json || messages[text as string]?.format !== "any" ? data : payload, ask);
  };

  codec.encode = (name, payload, asGiven) => {
    const { format } = sends[name]!;
    if (format === "binary") {
      if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
      if (payload instanceof Uint8Array) return payload;
      throw refuse([`"${name}" was not sent`, "outbound", name], "must be bytes");
    }
    const written = encode(name, payload, asGiven);
    return typeof payload === "string" && (format === "text" || (format === "any" && parse(payload) === undefined)) ? payload : written;
  };

  return () => ({});
};
