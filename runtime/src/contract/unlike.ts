// Messages that are known by what they are not: others say at a place what they are, and these say nothing of their own there.
import type { Constant, Unlike } from "./contract.ts";
import { pointer, valueAt } from "./path.ts";

/** Which of these places says that a payload is another message; `undefined` where none does. */
export function saidOfOther(unlike: readonly Unlike[] | undefined, payload: unknown): Unlike | undefined {
  return unlike?.find(({ path, values }) => {
    const value = valueAt(payload, path) as Constant | undefined;
    return values?.includes(value!) ?? value !== undefined;
  });
}

/** Why a payload is not sent as a message that it would not be taken for: `path` is a JSON Pointer, `reason` reads on behind it. */
export function refusalAsOther(
  unlike: readonly Unlike[] | undefined,
  payload: unknown,
): { readonly path: string; readonly reason: string } | undefined {
  const said = saidOfOther(unlike, payload);
  if (!said) return;
  const value = JSON.stringify(valueAt(payload, said.path));
  return { path: pointer(said.path), reason: `must not be ${value}, for it would be taken for another message` };
}
