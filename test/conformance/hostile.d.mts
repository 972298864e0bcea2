export function run(options?: {
  readonly only?: readonly string[];
}): Promise<{ readonly passed: number; readonly total: number; readonly failures: readonly string[] }>;
