// The codec's encoders as requests and their replies want them: with the correlation id put in its place.
import type { Encode } from "../contract/encode.ts";
import { withValueAt } from "../contract/path.ts";
import type { Codec } from "./codec.ts";

/** Encoders by message name. */
export const encodersOf = (codec: Codec): { get(name: string): Encode } => ({
  get: (name) => (payload, correlation, asGiven) =>
    codec.encode(name, correlation ? withValueAt(payload, correlation.path, correlation.id) : payload, asGiven),
});
