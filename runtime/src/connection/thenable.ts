// What users' functions give: TypeScript lets an async one pass for one that gives nothing.

/** Whether it settles later. Looks at the value, not at the type or the class: a query builder is a promise as well. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise || (typeof value === "object" && value !== null && "then" in value && typeof value.then === "function");
}

/** Calls a function that must take nothing down: `failed` is told what it throws, or rejects with. */
export function attempt(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
