// Every bound and every time of the client. In a file of their own, without imports, bundlers write the numbers where they are used.

/** How much is kept for a reader that is not there, or is slow: so many messages, or so many characters and bytes. */
export const INBOX_MESSAGES = 1_000;
export const INBOX_SIZE = 1_048_576;

/** Characters and bytes under way above which `send` gives a promise; so many are kept while there is no connection. */
export const HIGH_WATER_MARK = 1_048_576;
/** How often it is looked whether they have left, in ms. */
export const DRAIN_POLL = 20;

/** How long an attempt may take, in ms. */
export const ATTEMPT = 10_000;
/** A connection that was open for so long, in ms, has overcome what kept it away. */
export const STABLE = 5_000;
/** The first and the second attempt come within this time, each further one within twice the time of the one before, up to the longest, in ms. */
export const SPREAD = 3_000;
export const MAX_SPREAD = 30_000;
/** How long a server without room (1013) is left alone, in ms. */
export const OVERLOAD = 5_000;

/** A clock that jumps so far, in ms, has slept for longer than any peer waits. Browsers look at the clock of a hidden page once a minute. */
export const ASLEEP = 120_000;
export const TICK = 30_000;
