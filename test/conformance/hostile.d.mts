export function run(options?: {
  readonly only?: readonly string[];
  /** So many documents with hostile strings drawn into them, instead of the recipes. */
  readonly drawn?: { readonly count: number; readonly seed: number };
}): Promise<{
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly string[];
  /** How many documents became code. */
  readonly generated: number;
}>;
