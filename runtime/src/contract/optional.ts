// What a sender may leave out of a payload. Each part has a name of its own, so that errors speak of `Optional<PostMessage, "type">` and not
// of everything that is in it: TypeScript forgets the name of a type that distributes over unions, but not the names of its results.

/** One payload without `K`, or with it. */
export type Optional<T, K extends PropertyKey> = Without<T, K> & MaybeWith<T, K>;

// `Omit` and `Pick` forget the named properties of a type that has an index signature.
type Without<T, K extends PropertyKey> = { [P in keyof T as P extends K ? never : P]: T[P] };
type MaybeWith<T, K extends PropertyKey> = { [P in keyof T as P extends K ? P : never]?: T[P] | undefined };
