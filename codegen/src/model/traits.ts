// What operations and messages say together with their traits.
import type { JsonObject } from "../document/document.ts";
import { emptyObject } from "./keywords.ts";
import { isObject, joinPointer, type ObjectPlace, type Place, property, refOf, type Tree } from "./tree.ts";

/**
 * Whose fields win where an object and its traits have the same: the traits (2.x, JSON Merge Patch onto the object), or the object (3.x, "a property
 * on a trait MUST NOT override the same property on the target object"). Objects are merged either way.
 */
export type TraitRule = "override" | "complete";

/** Looks up fields of an object that may have traits. */
export function withTraits(tree: Tree, place: ObjectPlace, rule: TraitRule): (key: string) => Place | undefined {
  const traits = tree.items(place, "traits").flatMap((item) => {
    const trait = tree.follow(item);
    return trait !== undefined && isObject(trait.value) ? [{ pointer: trait.pointer, value: trait.value }] : [];
  });
  const layers = rule === "override" ? [...traits.reverse(), place] : [place, ...traits.reverse()];
  return (key) => {
    const said = layers.flatMap(({ pointer, value }): Place[] => {
      const found = property(value, key);
      // Nothing, where YAML has a key and no value.
      return found === undefined || found === null ? [] : [{ pointer: joinPointer(pointer, key), value: found }];
    });
    const [first, ...others] = said;
    if (first === undefined || others.length === 0) return first;
    return said.map((one) => tree.follow(one) ?? one).reduce(merge);
  };
}

/** The stronger place with what only the weaker has; refs below are followed by nobody yet, and stay whole. */
function merge(strong: Place, weak: Place): Place {
  const { pointer, value } = strong;
  return isObject(value) && isObject(weak.value) ? { pointer, value: mergeObjects(value, weak.value) } : strong;
}

function mergeObjects(strong: JsonObject, weak: JsonObject): JsonObject {
  const merged = Object.assign(emptyObject(), weak, strong);
  for (const [key, value] of Object.entries(strong)) {
    const other = property(weak, key);
    const isMerged = isObject(value) && isObject(other) && refOf(value) === undefined && refOf(other) === undefined;
    if (isMerged) merged[key] = mergeObjects(value, other);
  }
  return merged;
}
