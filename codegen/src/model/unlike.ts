// Tells a reply from other messages that carry an id at the same place: a schema with few rules allows them as well.
import type { Path } from "@wsgen/runtime/generated/server";
import type { Unlike } from "./model.ts";
import { evidenceAt, pathsOf, type Shape } from "./shape.ts";

const DEPTH = 4;
const MAX_PATHS = 400;

/**
 * Places where one of the others says by a constant what it is, and the reply says nothing of the kind. A place that the reply does not declare has to be
 * empty, as it has for the tree: where the others have texts there (the `method` of JSON-RPC), a payload with any text is no reply, also with one that the
 * document does not list.
 *
 * @param ids Where the reply has the id of its request.
 */
export function unlikeOthers(reply: Shape, ids: readonly Path[], others: readonly Shape[]): readonly Unlike[] {
  const found = new Map<string, Unlike>();
  for (const other of others) {
    if (ids.every((path) => evidenceAt(other, path).presence === "absent")) continue;
    const places = pathsOf(other, { depth: DEPTH, limit: MAX_PATHS }).flatMap((path) => {
      const { values } = evidenceAt(other, path);
      return values === undefined ? [] : [{ path, values, said: evidenceAt(reply, path) }];
    });
    // Its own constant tells it already.
    if (places.some(({ values, said }) => said.values?.every((value) => !values.includes(value)))) continue;
    for (const { path, values, said } of places) {
      if (said.values !== undefined) continue;
      const key = JSON.stringify(path);
      const known = found.get(key);
      const anything = said.presence === "absent" && values.every((value) => typeof value === "string");
      if (anything) found.set(key, { path });
      else if (known === undefined || known.values !== undefined) {
        found.set(key, { path, values: [...new Set([...(known?.values ?? []), ...values])] });
      }
    }
  }
  return [...found.values()];
}
