// Looks up what alternatives say about the property that a `discriminator` names.
import type { JsonValue } from "../document/document.ts";
import { isObject, nameOfPointer, type Place, property, refOf, type Tree } from "./tree.ts";

/** The values that stand for the schema at a pointer: those that `mapping` gives it, else its name. */
export function tagsOf(tree: Tree, discriminator: JsonValue | undefined, pointer: string): readonly string[] {
  const mapping = property(discriminator, "mapping");
  const called = nameOfPointer(pointer);
  // A mapping has names, or refs that nobody follows: those of another file are about that file.
  const leadsHere = (value: JsonValue): boolean =>
    typeof value === "string" && (value === called || value.endsWith(`/${called}`) || tree.target(value)?.pointer === pointer);
  const mapped = isObject(mapping) ? Object.entries(mapping) : [];
  const tags = mapped.flatMap(([tag, value]) => (leadsHere(value) ? [tag] : []));
  return tags.length === 0 ? [called] : tags;
}

/** Whether an alternative has the discriminating property, and with a value of its own or any string. */
export function memberOf(tree: Tree, member: Place, name: string): "constant" | "open" | "missing" {
  const ref = refOf(member.value);
  const here = tree.follow(member);
  if (here === undefined) return "missing";
  const own = tree.object(here, "properties");
  const found = own === undefined ? undefined : tree.child(own, name);
  if (found !== undefined && isObject(found.value)) {
    const fixed = Object.hasOwn(found.value, "const") || Object.hasOwn(found.value, "enum");
    const required = property(here.value, "required");
    if (fixed) return "constant";
    return ref !== undefined && Array.isArray(required) && required.includes(name) ? "open" : "missing";
  }
  const inherited = tree
    .items(here, "allOf")
    .map((part) => (refOf(part.value) === undefined ? memberOf(tree, part, name) : inheritedMember(tree, part, name)));
  if (inherited.includes("constant")) return "constant";
  return ref !== undefined && inherited.includes("open") ? "open" : "missing";
}

/** One level of inheritance is looked through, no more: the parent may list its children again. */
function inheritedMember(tree: Tree, part: Place, name: string): "constant" | "open" | "missing" {
  const properties = tree.object(part, "properties");
  const found = properties === undefined ? undefined : tree.child(properties, name);
  if (found === undefined || !isObject(found.value)) return "missing";
  return Object.hasOwn(found.value, "const") || Object.hasOwn(found.value, "enum") ? "constant" : "open";
}
