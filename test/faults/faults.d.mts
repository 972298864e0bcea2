/** What a fault's file says of one thing it measured, judged. Without `kind` it is a count or a code, which holds on every machine. */
export interface Figure {
  readonly id: string;
  readonly what: string;
  readonly measured: unknown;
  readonly target: string;
  readonly met: boolean | undefined;
  readonly kind?: "time" | "memory";
}

export const ids: readonly string[];
export function measure(id: string, options?: Readonly<Record<string, number>>): AsyncIterable<Figure>;
