// Where a text stops being JSON. `JSON.parse` says it in some engines, for some mistakes.

/** A string, another scalar, or a sign (RFC 8259), with the blanks before it. */
const token =
  /[ \t\n\r]*(?:("(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|([{}[\],:]))/uy;

/** Offset of the first character that cannot be there, the text's length where something is missing at its end; `undefined` for JSON. */
export function jsonSlip(text: string): number | undefined {
  let at = 0;
  /** The next token's kind: a sign itself, `string` or `scalar`; at what is none `undefined`, and nothing is taken. */
  const next = (wanted: (kind: string) => boolean): string | undefined => {
    token.lastIndex = at;
    const found = token.exec(text);
    const kind = found === null ? undefined : (found[2] ?? (found[1] === undefined ? "scalar" : "string"));
    if (kind === undefined || !wanted(kind)) return undefined;
    at = token.lastIndex;
    return kind;
  };
  const take = (kind: string): boolean => next((one) => one === kind) !== undefined;
  const members = (end: string, member: () => boolean): boolean => {
    if (take(end)) return true;
    while (member()) {
      if (take(end)) return true;
      if (!take(",")) return false;
    }
    return false;
  };
  const value = (): boolean => {
    const kind = next((one) => /^(string|scalar|[{[])$/.test(one));
    if (kind === "{") return members("}", () => take("string") && take(":") && value());
    return kind === "[" ? members("]", value) : kind !== undefined;
  };
  const whole = value();
  while (/[ \t\n\r]/.test(text.charAt(at))) at += 1;
  return whole && at === text.length ? undefined : at;
}
