// The text of one file, and where in it an offset lies.
import type { Position } from "../diagnostics.ts";

export interface Source {
  /** Absolute path. */
  readonly file: string;
  /** Without a byte order mark. */
  readonly text: string;
  /** The lines and columns from one offset (UTF-16 units) to another, which is not part of it. */
  position(start: number, end?: number): Position;
}

export function createSource(file: string, text: string): Source {
  let starts: number[] | undefined;
  const clamp = (offset: number) => Math.max(0, Math.min(offset, text.length));
  const place = (offset: number) => {
    starts ??= lineStarts(text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
  return {
    file,
    text,
    position(start, end) {
      const from = place(clamp(start));
      if (end === undefined || end <= start) return { file, ...from };
      const to = place(clamp(end));
      return { file, ...from, endLine: to.line, endColumn: to.column };
    },
  };
}

/** Offsets at which lines begin; a line ends as editors see it: at LF, CRLF or CR. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let offset = 0; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit === 10 || (unit === 13 && text.charCodeAt(offset + 1) !== 10)) starts.push(offset + 1);
  }
  return starts;
}
