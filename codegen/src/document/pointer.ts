// JSON pointers (RFC 6901): the addresses of a document's parts.

/** `["channels", "a/b"]` → `/channels/a~1b`; the document itself is "". */
export function formatPointer(segments: readonly string[]): string {
  return segments.map((segment) => `/${segment.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** `/channels/a~1b` → `["channels", "a/b"]`; `undefined` when it is no pointer: not empty and without a leading slash. */
export function parsePointer(pointer: string): string[] | undefined {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Whether a segment can be an index of a list: digits, no leading zero. */
export function isIndex(segment: string): boolean {
  return /^(0|[1-9][0-9]{0,9})$/.test(segment);
}
