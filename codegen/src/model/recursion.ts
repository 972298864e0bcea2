// Finds schemas that recurse without ever looking at a smaller value: their validators would call themselves until the stack ends, on any message.

import { MAX_CHAIN } from "./alternatives.ts";
import type { Findings } from "./findings.ts";
import { forEachSubschema, type Schema } from "./keywords.ts";
import { refName, type TypeDraft } from "./schemas.ts";

/** Reports every cycle through in-place applicators (`$ref`, `allOf`, `anyOf`, `oneOf`, `not`, `if`…), once for each cycle, and chains of them too long to follow. */
export function reportEndlessRecursion(drafts: ReadonlyMap<string, TypeDraft>, findings: Findings): void {
  const state = new Map<string, "open" | "done">();
  for (const start of drafts.keys()) {
    // Depth first without recursion of our own: the document decides how long a chain is.
    const path: { readonly id: string; readonly next: string[] }[] = [];
    const enter = (id: string): void => {
      const draft = drafts.get(id);
      if (draft === undefined || state.get(id) === "done") return;
      if (state.get(id) === "open") {
        const cycle = path.slice(path.findIndex((step) => step.id === id)).flatMap((step) => drafts.get(step.id) ?? []);
        report(cycle, findings);
        return;
      }
      if (path.length === MAX_CHAIN) reportChain(draft, findings);
      state.set(id, "open");
      path.push({ id, next: inPlaceRefs(draft.schema) });
    };
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.pop();
      if (next !== undefined) enter(next);
      else {
        state.set(top.id, "done");
        path.pop();
      }
    }
  }
}

function report(cycle: readonly TypeDraft[], findings: Findings): void {
  // Reported at the first of its members in the document, wherever the walk came from.
  const [first] = [...cycle].sort((a, b) => (a.pointer < b.pointer ? -1 : 1));
  if (first === undefined) return;
  const names = cycle.map(({ base }) => `\`${base}\``);
  findings.error({
    code: "endless-schema",
    message:
      cycle.length === 1
        ? `The schema ${names[0]} is defined by itself, so no validator of it would ever end.`
        : `The schemas ${names.join(" → ")} → ${names[0]} are defined by each other without going into a property or item, so no validator of them would ever end.`,
    fix: "Break the circle: let a parent not list its children in `oneOf` while they have it in `allOf`.",
    pointer: first.pointer,
    at: "key",
  });
}

function reportChain({ base, pointer }: TypeDraft, findings: Findings): void {
  findings.error({
    code: "endless-schema",
    message: `The schema \`${base}\` is defined by more than ${MAX_CHAIN} others, each by the next one, without going into a property or item.`,
    fix: "Refer to the schema at the end of the chain.",
    pointer,
    at: "key",
  });
}

function inPlaceRefs(schema: Schema): string[] {
  if (typeof schema === "boolean") return [];
  const id = refName(schema);
  if (id !== undefined) return [id];
  const found: string[] = [];
  forEachSubschema(schema, (inner, inPlace) => {
    if (inPlace) found.push(...inPlaceRefs(inner));
  });
  return found.reverse();
}
