// What close codes are called on the client: `(await connection.closed).meaning`.
import { meaningOf } from "../connection/close-meaning.ts";
import type { Feature } from "./feature.ts";

/** For contracts with close codes of their own: outcomes and ConnectionClosedErrors say what theirs, and those of the standard, mean. */
export const closings: Feature =
  ({ closeCodes }) =>
  () => ({ meaningOf: (code) => meaningOf(code, closeCodes) });
