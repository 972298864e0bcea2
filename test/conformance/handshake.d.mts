export const corpus: Readonly<Record<"open" | "draining" | "full" | "crowded", readonly object[]>>;
export function run(): Promise<{ readonly passed: number; readonly total: number; readonly failures: readonly string[] }>;
