export function run(options?: {
  /** Slugs; default: all. */
  readonly only?: readonly string[];
}): Promise<{
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly string[];
  readonly also?: string;
  readonly skipped?: string;
}>;
