// What users' functions give: TypeScript lets an async one pass for one that gives nothing.

/** Whether it settles later. Looks at the value, not at the type or the class: a query builder is a promise as well. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value instanceof Promise || (typeof value === "object" && value !== null && "then" in value && typeof value.then === "function");
}
