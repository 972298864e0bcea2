export const groups: Readonly<Record<string, readonly object[]>>;
export function run(): Promise<{ readonly passed: number; readonly total: number; readonly failures: readonly string[] }>;
