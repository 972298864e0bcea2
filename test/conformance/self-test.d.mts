import type { Document } from "../../codegen/src/document/document.ts";
import type { Model } from "../../codegen/src/model/model.ts";

/** What came of the self-test of a document. The lists should be empty; each of their lines names a message and says what happened. */
export interface Found {
  /** Messages that reached their own handler, unchanged, and no other. */
  readonly delivered: number;
  readonly misdelivered: readonly string[];
  /** Frames sent that no schema of the document allows there … */
  readonly attempts: number;
  /** … that reached a handler all the same … */
  readonly leaked: readonly string[];
  /** … and that were not answered as docs/wire.md says. */
  readonly unanswered: readonly string[];
  /** Messages of which no valid value was found. */
  readonly unsampled: readonly string[];
}

export function selfTest(subject: {
  readonly model: Model;
  readonly document: Document;
  /** The generated modules. */
  readonly server: object;
  readonly client: object;
  /** `createRouter` and `serve`. */
  readonly runtime: object;
  /** Whether options say that other constants are sent than the document lists. */
  readonly redefined?: boolean;
}): Promise<Found>;
