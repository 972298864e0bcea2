export function run(): Promise<{
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly string[];
  readonly skipped?: string;
}>;
