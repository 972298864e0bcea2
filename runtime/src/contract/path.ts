// Reading and setting the value at a place of a payload. Properties are own properties only: the names come from the document
// and the values from the peer, so `constructor` and `__proto__` are names like any other.
import type { Path } from "./contract.ts";

/** The value at `path`, or `undefined` when there is none: a name needs an object, a number an array. JSON holds no `undefined`. */
export function valueAt(payload: unknown, path: Path): unknown {
  let value = payload;
  for (const step of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) !== (typeof step === "number") || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/**
 * The payload with `value` at `path`. The payload itself stays as it is: what lies on the way is copied, and made where it is missing.
 * Something else on the way (a string where an object should be) is left alone, for the guard to refuse.
 */
export function withValueAt(payload: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const isList = typeof step === "number";
  const base = payload ?? (isList ? [] : {});
  if (typeof base !== "object" || Array.isArray(base) !== isList) return payload;
  const inner = withValueAt(valueAt(base, [step]), rest, value);
  return isList ? Object.assign([...(base as readonly unknown[])], { [step]: inner }) : { ...base, [step]: inner };
}

/** A path as JSON Pointer (RFC 6901), for people. */
export function pointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
