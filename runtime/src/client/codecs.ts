// Messages that travel in binary frames, made by a codec that the user gives: CBOR, MessagePack and their like.
import { codecReceived, decodeWith, prepareCodecs } from "../contract/codec.ts";
import type { DispatchNode } from "../contract/contract.ts";
import { createValueEncoder } from "../contract/encode.ts";
import { isEnd } from "./dispatch.ts";
import type { Feature } from "./feature.ts";

/** For contracts with messages of such content types; the options of the client have a codec for each. Named behind `dispatch` and `formats`. */
export function codecs(options: { readonly codecs?: object } = {}): Feature {
  return (endpoint, codec) => {
    const { address, receives, sends } = endpoint;
    const all = prepareCodecs(`The client of ${address}`, endpoint, options.codecs);
    const { decode, encode, find } = codec;

    const writers = new Map(
      Object.entries(sends).flatMap(([name, message]) => {
        const writer = all.get(message.contentType ?? "");
        return writer ? [[name, createValueEncoder(name, message, writer)]] : [];
      }),
    );
    codec.encode = (name, payload, asGiven) => writers.get(name)?.(payload, undefined, asGiven) ?? encode(name, payload, asGiven);

    const reader = codecReceived(receives.messages, all);
    if (reader) {
      const { json, encoded } = receives.dispatch;
      const speaksText = Object.values(receives.messages).some(({ format }) => format !== "encoded");
      /** Of the frame that is being read, or was read last: whoever asks for the name of a payload asks about that one. */
      let tree: DispatchNode | undefined;
      codec.find = (payload) => (!tree || isEnd(tree) ? tree : find(payload, tree));
      codec.decode = (data, ask) => {
        const isText = typeof data === "string";
        tree = isText ? json : encoded;
        if (isText) return speaksText ? decode(data, ask) : codec.check(undefined, data, "is text");
        const decoded = decodeWith(reader, data);
        if ("reason" in decoded) return codec.check(undefined, undefined, decoded.reason, decoded.path);
        return ask("claim", decoded.value) ? undefined : codec.arrive(codec.find(decoded.value), decoded.value, ask);
      };
    }

    return () => ({});
  };
}
