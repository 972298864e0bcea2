// The JSON text of a payload. JSON.stringify looks at every character of a string for something to escape, up to Node 22 at 2 ns each,
// which is most of what a long text costs; `includes` and a regular expression take a fifth of that.

/** Strings from this length on are worth the way around; none is where JSON.stringify has become fast, which is where RegExp.escape came. */
const LONG = "escape" in RegExp ? Number.POSITIVE_INFINITY : 1024;

/**
 * What a value is to JSON: `foreign` when anything in it arrives as something else (what has a `toJSON`, is no plain object, is left out or becomes
 * null: guards read what such an object inherits or holds, and JSON does not); else `wordy` when it holds a long text, or `plain`, as is `undefined`
 * itself, which stands for no payload. A cycle ends the stack. Loops: every message goes through here.
 */
export type Nature = "plain" | "wordy" | "foreign";

export function natureOf(value: unknown, long = LONG): Nature {
  return value === undefined ? "plain" : natureWithin(value, long);
}

function natureWithin(value: unknown, long: number): Nature {
  if (typeof value === "string") return value.length < long ? "plain" : "wordy";
  if (typeof value === "number") return Number.isFinite(value) ? "plain" : "foreign";
  if (typeof value === "boolean" || value === null) return "plain";
  if (typeof value !== "object") return "foreign";
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") return "foreign";
  let nature: Nature = "plain";
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const inner = natureWithin(value[index], long);
      if (inner === "foreign") return inner;
      if (inner === "wordy") nature = inner;
    }
    return nature;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return "foreign";
  for (const name in value) {
    const inner = natureWithin((value as Readonly<Record<string, unknown>>)[name], long);
    if (inner === "foreign") return inner;
    if (inner === "wordy") nature = inner;
  }
  return nature;
}

/** JSON.stringify, for values that are `wordy`. */
export function stringifyWordy(value: unknown, long = LONG): string | undefined {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return Number.isFinite(value) ? `${value}` : "null";
  if (typeof value !== "object" || value === null || natureOf(value, long) !== "wordy") return JSON.stringify(value);
  let text = ""; // It is not empty: it holds a text.
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "[" : ","}${stringifyWordy(item, long) ?? "null"}`;
    return `${text}]`;
  }
  for (const [name, member] of Object.entries(value)) {
    const inner = stringifyWordy(member, long);
    if (inner !== undefined) text += `${text === "" ? "{" : ","}${quote(name)}:${inner}`;
  }
  return `${text}}`;
}

function quote(text: string): string {
  return text.includes('"') || text.includes("\\") || escaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** What is left for JSON to escape: control characters, and surrogates, which may have lost their partner. */
const escaped = /[\u0000-\u001f\ud800-\udfff]/;
