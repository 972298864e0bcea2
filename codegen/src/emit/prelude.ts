// The functions that guards call, as text: printed into validators.ts, those that are used. AJV would import them.

/** A function of the prelude: its JavaScript, and which others it calls. */
interface Helper {
  readonly code: string;
  readonly needs?: readonly string[];
}

/** A format that is checked: the kind of value it speaks of, and the function that decides. */
interface CheckedFormat {
  readonly on: "string" | "number";
  readonly helper: string;
}

/** The text of the helpers named and of those they need, in a fixed order. */
export function printHelpers(used: ReadonlySet<string>): string {
  const wanted = new Set<string>();
  const want = (name: string): void => {
    wanted.add(name);
    for (const needed of HELPERS.get(name)?.needs ?? []) want(needed);
  };
  for (const name of used) want(name);
  return [...HELPERS].flatMap(([name, { code }]) => (wanted.has(name) ? [code.trim()] : [])).join("\n\n");
}

/** Formats that say nothing a validator could check, or nothing beyond `type`. */
export const UNCHECKED_FORMATS: ReadonlySet<string> = new Set(["password", "binary", "float", "double"]);

// RFC 3986, appendix A, case-insensitive. `iri` adds the characters of RFC 3987 (ucschar), and their private ones in queries.
const uriPattern = (kind: "absolute" | "reference", more: string): string => {
  const pchar = `(?:[a-z0-9\\-._~!$&'()*+,;=:@${more}]|%[0-9a-f]{2})`;
  const query = `(?:[a-z0-9\\-._~!$&'()*+,;=:@/?${more}]|%[0-9a-f]{2})*`;
  const name = `(?:[a-z0-9\\-._~!$&'()*+,;=${more}]|%[0-9a-f]{2})*`;
  const userinfo = `(?:[a-z0-9\\-._~!$&'()*+,;=:${more}]|%[0-9a-f]{2})*@`;
  const authority = `//(?:${userinfo})?(?:\\[(?<ip>[^\\]]*)\\]|${name})(?::\\d*)?(?:/${pchar}*)*`;
  const rootless = `/(?:${pchar}+(?:/${pchar}*)*)?|${pchar}+(?:/${pchar}*)*|`;
  // Without a scheme, a colon in the first segment would make one.
  const segment = pchar.replace(":@", "@");
  const relative = `/(?:${pchar}+(?:/${pchar}*)*)?|${segment}+(?:/${pchar}*)*|`;
  const hier = `[a-z][a-z0-9+\\-.]*:(?:${authority}|${rootless})`;
  const start = kind === "absolute" ? hier : `(?:${hier}|${authority.replace("<ip>", "<ip6>")}|${relative})`;
  return `^${start}(?:\\?${query})?(?:#${query})?$`;
};

const uriHelper = (name: string, kind: "absolute" | "reference", more: string): string => `
const ${name}Pattern = new RegExp(${JSON.stringify(uriPattern(kind, more)).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}, "iu");
function ${name}(text) {
  const match = ${name}Pattern.exec(text);
  const ip = match?.groups.ip ?? match?.groups.ip6;
  return match !== null && (ip === undefined || matchesIpv6(ip) || /^v[0-9a-f]+\\.[a-z0-9\\-._~!$&'()*+,;=:]+$/i.test(ip));
}`;

const international = "\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef";

const HELPERS: ReadonlyMap<string, Helper> = new Map<string, Helper>([
  [
    "below",
    {
      code: `
/** What was refused in a value that stands at a place of another one. */
function below(place, errors) {
  return errors.map((error) => ({ ...error, instancePath: place + error.instancePath }));
}`,
    },
  ],
  [
    "characters",
    {
      code: `
/** Characters as JSON Schema counts them: a pair of surrogates is one. */
function characters(text) {
  let count = text.length;
  for (let index = 1; index < text.length; index += 1) {
    if ((text.charCodeAt(index) & 0xfc00) === 0xdc00 && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) count -= 1;
  }
  return count;
}`,
    },
  ],
  [
    "deepEqual",
    {
      code: `
/** Whether two JSON values are the same. */
function deepEqual(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]));
}`,
    },
  ],
  [
    "canonical",
    {
      code: `
/** The same text for the same JSON value, whatever the order of its keys. */
function canonical(value) {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return "[" + value.map(canonical).join() + "]";
  return "{" + Object.keys(value).sort().map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join() + "}";
}`,
    },
  ],
  [
    "duplicate",
    {
      needs: ["canonical"],
      code: `
/** The positions of two equal items, in time linear in the size of the list. */
function duplicate(items) {
  const scalars = new Map();
  const others = new Map();
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const composite = typeof item === "object" && item !== null;
    const seen = composite ? others : scalars;
    const key = composite ? canonical(item) : item;
    const first = seen.get(key);
    if (first !== undefined) return [first, index];
    seen.set(key, index);
  }
  return undefined;
}`,
    },
  ],
  [
    "isMultiple",
    {
      code: `
/** Whether a number is a multiple of a fraction, as far as binary fractions can tell: 19.99 is one of 0.01. */
function isMultiple(value, divisor) {
  const times = value / divisor;
  if (!Number.isFinite(times)) return value % divisor === 0;
  return Math.abs(times - Math.round(times)) <= Math.abs(times) * 4 * Number.EPSILON;
}`,
    },
  ],
  [
    "regularExpression",
    {
      code: `
/** A pattern with Unicode rules where it keeps them. */
function regularExpression(pattern, flags) {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return new RegExp(pattern);
  }
}`,
    },
  ],
  [
    "matchesDate",
    {
      code: String.raw`
/** RFC 3339 full-date. */
function matchesDate(text) {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return false;
  const [, year, month, day] = match.map(Number);
  // The calendar repeats every 400 years, and Date.UTC takes years below 100 for others.
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year + 400, month, 0)).getUTCDate();
}`,
    },
  ],
  [
    "timeOfDay",
    {
      code: String.raw`
/** RFC 3339 partial-time with an offset or, where that is allowed, without; a leap second is the last one of a day in UTC. */
function timeOfDay(text, offsetRequired) {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(z|([+-])(\d\d)(?::?(\d\d))?)?$/i.exec(text);
  if (match === null || (offsetRequired && match[4] === undefined)) return false;
  const [hour, minute, second] = match.slice(1, 4).map(Number);
  const [offsetHour, offsetMinute] = [Number(match[6] ?? 0), Number(match[7] ?? 0)];
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false;
  if (second < 60) return true;
  const offset = (offsetHour * 60 + offsetMinute) * (match[5] === "-" ? -1 : 1);
  return (hour * 60 + minute - offset + 2880) % 1440 === 1439;
}`,
    },
  ],
  ["matchesTime", { needs: ["timeOfDay"], code: "/** RFC 3339 full-time. */\nconst matchesTime = (text) => timeOfDay(text, true);" }],
  [
    "matchesDateTime",
    {
      needs: ["matchesDate", "matchesTime"],
      code: String.raw`
/** RFC 3339 date-time. */
function matchesDateTime(text) {
  return /^[t\s]$/i.test(text.charAt(10)) && matchesDate(text.slice(0, 10)) && matchesTime(text.slice(11));
}`,
    },
  ],
  [
    "matchesIsoTime",
    {
      needs: ["timeOfDay"],
      code: "/** A time of day, with or without offset. */\nconst matchesIsoTime = (text) => timeOfDay(text, false);",
    },
  ],
  [
    "matchesIsoDateTime",
    {
      needs: ["matchesDate", "matchesIsoTime"],
      code: String.raw`
/** Date and time, with or without offset. */
function matchesIsoDateTime(text) {
  return /^[t\s]$/i.test(text.charAt(10)) && matchesDate(text.slice(0, 10)) && matchesIsoTime(text.slice(11));
}`,
    },
  ],
  [
    "matchesDuration",
    {
      code: String.raw`
/** RFC 3339 appendix A duration. */
const matchesDuration = (text) =>
  /^P(?=[\dT])(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/.test(text);`,
    },
  ],
  [
    "matchesEmail",
    {
      code: String.raw`
/** A dot-atom at a domain of two labels or more (RFC 5321, without quoted local parts and address literals). */
const matchesEmail = (text) =>
  /^[\w!#$%&'*+/=?^${"`"}{|}~-]+(?:\.[\w!#$%&'*+/=?^${"`"}{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(text);`,
    },
  ],
  [
    "matchesHostname",
    {
      code: String.raw`
/** RFC 1123: labels of up to 63 letters, digits and inner hyphens, 253 characters in all. */
const matchesHostname = (text) =>
  text.length <= 254 && /^(?=.{1,253}\.?$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i.test(text);`,
    },
  ],
  [
    "matchesIpv4",
    {
      code: String.raw`
/** Four numbers up to 255, without leading zeros. */
const matchesIpv4 = (text) => /^(?:(?:25[0-5]|2[0-4]\d|1?\d\d|\d)(?:\.(?!$)|$)){4}$/.test(text) && !/(?:^|\.)0\d/.test(text);`,
    },
  ],
  [
    "matchesIpv6",
    {
      needs: ["matchesIpv4"],
      code: `
/** RFC 4291, section 2.2. */
function matchesIpv6(text) {
  const halves = text.split("::");
  const groups = halves.map((half, index) => {
    const parts = half === "" ? [] : half.split(":");
    const counts = parts.map((part, position) => {
      if (/^[0-9a-f]{1,4}$/i.test(part)) return 1;
      return index === halves.length - 1 && position === parts.length - 1 && matchesIpv4(part) ? 2 : Number.NaN;
    });
    return counts.reduce((sum, count) => sum + count, 0);
  });
  if (halves.length === 1) return groups[0] === 8;
  return halves.length === 2 && groups[0] + groups[1] <= 7;
}`,
    },
  ],
  [
    "matchesUuid",
    {
      code: `
/** RFC 9562, also as a URN. */
const matchesUuid = (text) => /^(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);`,
    },
  ],
  ["matchesUri", { needs: ["matchesIpv6"], code: `/** RFC 3986 URI. */${uriHelper("matchesUri", "absolute", "")}` }],
  [
    "matchesUriReference",
    { needs: ["matchesIpv6"], code: `/** RFC 3986 URI-reference. */${uriHelper("matchesUriReference", "reference", "")}` },
  ],
  ["matchesIri", { needs: ["matchesIpv6"], code: `/** RFC 3987 IRI. */${uriHelper("matchesIri", "absolute", international)}` }],
  [
    "matchesIriReference",
    { needs: ["matchesIpv6"], code: `/** RFC 3987 IRI-reference. */${uriHelper("matchesIriReference", "reference", international)}` },
  ],
  [
    "matchesUrl",
    {
      needs: ["matchesIri"],
      code: String.raw`
/** An absolute URL of http, https or ftp with a host. */
const matchesUrl = (text) => /^(?:https?|ftp):\/\/[^/?#]/i.test(text) && matchesIri(text);`,
    },
  ],
  [
    "matchesUriTemplate",
    {
      code: String.raw`
/** RFC 6570. */
const matchesUriTemplate = (text) =>
  /^(?:[^\u0000- "'<>%\\^${"`"}{|}]|%[0-9a-f]{2}|\{[+#./;?&=,!@|]?(?:\w|%[0-9a-f]{2})(?:\.?(?:\w|%[0-9a-f]{2}))*(?::[1-9]\d{0,3}|\*)?(?:,(?:\w|%[0-9a-f]{2})(?:\.?(?:\w|%[0-9a-f]{2}))*(?::[1-9]\d{0,3}|\*)?)*\})*$/i.test(
    text,
  );`,
    },
  ],
  [
    "matchesJsonPointer",
    {
      code: String.raw`
/** RFC 6901. */
const matchesJsonPointer = (text) => /^(?:\/(?:[^~/]|~[01])*)*$/.test(text);`,
    },
  ],
  [
    "matchesJsonPointerFragment",
    {
      code: String.raw`
/** RFC 6901, section 6. */
const matchesJsonPointerFragment = (text) => /^#(?:\/(?:[\w\-.!$&'()*+,;:=@]|%[0-9a-f]{2}|~[01])*)*$/i.test(text);`,
    },
  ],
  [
    "matchesRelativeJsonPointer",
    {
      code: String.raw`
/** draft-luff-relative-json-pointer. */
const matchesRelativeJsonPointer = (text) => /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/.test(text);`,
    },
  ],
  [
    "matchesRegex",
    {
      code: String.raw`
/** A regular expression of ECMA-262. */
function matchesRegex(text) {
  try {
    return !/(?:^|[^\\])\\Z/.test(text) && new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}`,
    },
  ],
  [
    "matchesByte",
    {
      code: `
/** Base64, padded (RFC 4648, section 4). */
const matchesByte = (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);`,
    },
  ],
  ["isInt32", { code: "/** A whole number of 32 bits. */\nconst isInt32 = (value) => value === (value | 0);" }],
  [
    "isInt64",
    { code: "/** A whole number: of 64 bits, JavaScript can tell no more. */\nconst isInt64 = (value) => Number.isInteger(value);" },
  ],
]);

const ofText = (helper: string): CheckedFormat => ({ on: "string", helper });

/** Formats that are checked: those of draft-07 and of OpenAPI that a function can decide. */
export const FORMATS: ReadonlyMap<string, CheckedFormat> = new Map<string, CheckedFormat>([
  ["date", ofText("matchesDate")],
  ["time", ofText("matchesTime")],
  ["date-time", ofText("matchesDateTime")],
  ["iso-time", ofText("matchesIsoTime")],
  ["iso-date-time", ofText("matchesIsoDateTime")],
  ["duration", ofText("matchesDuration")],
  ["email", ofText("matchesEmail")],
  ["hostname", ofText("matchesHostname")],
  ["ipv4", ofText("matchesIpv4")],
  ["ipv6", ofText("matchesIpv6")],
  ["uri", ofText("matchesUri")],
  ["uri-reference", ofText("matchesUriReference")],
  ["iri", ofText("matchesIri")],
  ["iri-reference", ofText("matchesIriReference")],
  ["url", ofText("matchesUrl")],
  ["uri-template", ofText("matchesUriTemplate")],
  ["uuid", ofText("matchesUuid")],
  ["json-pointer", ofText("matchesJsonPointer")],
  ["json-pointer-uri-fragment", ofText("matchesJsonPointerFragment")],
  ["relative-json-pointer", ofText("matchesRelativeJsonPointer")],
  ["regex", ofText("matchesRegex")],
  ["byte", ofText("matchesByte")],
  ["int32", { on: "number", helper: "isInt32" }],
  ["int64", { on: "number", helper: "isInt64" }],
]);
