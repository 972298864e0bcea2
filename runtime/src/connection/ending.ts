// How a connection ends: who said what, what came of it, and how long that may take.

import { closures } from "./close.ts";
import { type CloseCodes, meaningOf } from "./close-meaning.ts";
import type { CloseOutcome } from "./outcome.ts";

/** What a close frame says. */
interface Farewell {
  readonly code: number;
  readonly reason: string;
}

/** Of one connection, from the first sign of its end on. */
export class Ending {
  /** What our close frame said, and what the peer's said. */
  ours: Farewell | undefined;
  theirs: Farewell | undefined;
  /** Once TCP is gone. */
  outcome: CloseOutcome | undefined;
  /** What all sends give that come too late. */
  refusal: Promise<void> | undefined;
  /** When it has taken too long. */
  deadline: NodeJS.Timeout | undefined;

  /** What counts of all that was said so far. */
  get farewell(): Farewell {
    return this.theirs ?? this.ours ?? closures.lost;
  }

  /** TCP is gone. */
  conclude(closeCodes: CloseCodes | undefined): CloseOutcome {
    const { code, reason } = this.farewell;
    const wasClean = this.theirs !== undefined && this.ours !== undefined;
    this.outcome = { code, reason, wasClean, meaning: meaningOf(code, closeCodes) };
    return this.outcome;
  }
}
