// What close codes are called. A file of its own, because clients load it only where their document names codes too.

/** The codes of RFC 6455 section 7.4.1 and of the IANA registry, each with one word. Closures of one code (see close.ts) differ in their reason. */
export const closeMeanings = {
  1000: "normal",
  1001: "goingAway",
  1002: "protocolError",
  1003: "unsupportedData",
  1005: "noStatus",
  1006: "lost",
  1007: "invalidPayload",
  1008: "policyViolation",
  1009: "messageTooBig",
  1010: "mandatoryExtension",
  1011: "internalError",
  1012: "serviceRestart",
  1013: "tryAgainLater",
  1014: "badGateway",
} as const;

/** The word for a close code that the standard names. */
export type CloseMeaning = (typeof closeMeanings)[keyof typeof closeMeanings];

/** Names of close codes, as a document gives them (`closeCodes`). */
export type CloseCodes = Readonly<Record<string, number>>;

/** What a code is called: in the document, else in the standard; `undefined` where neither says. */
export function meaningOf(code: number, closeCodes: CloseCodes = {}): string | undefined {
  const standard: Readonly<Record<number, CloseMeaning>> = closeMeanings;
  return Object.keys(closeCodes).find((name) => closeCodes[name] === code) ?? standard[code];
}
