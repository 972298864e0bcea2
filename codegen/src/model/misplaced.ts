// What a document says where nothing listens: `x-wsgen` on something that has no options, and names that no JavaScript object keeps.
import { FILES_KEY, type JsonValue } from "../document/document.ts";
import { OPTIONS_KEY } from "../options.ts";
import type { Findings } from "./findings.ts";
import { isObject, joinPointer, property, type Tree } from "./tree.ts";

/** Objects whose keys are names, so that one called like a keyword means nothing. */
const MAPS: ReadonlySet<string> = new Set(
  (
    "channels correlationIds definitions $defs dependencies dependentSchemas messages messageTraits messageBindings channelBindings " +
    "serverBindings operationBindings operationTraits operations parameters patternProperties properties replies replyAddresses schemas " +
    "securitySchemes servers serverVariables variables"
  ).split(" "),
);

/** Data of the author's, which may hold anything. */
const DATA: ReadonlySet<string> = new Set(["const", "default", "enum", "example", "examples"]);

/** Where `x-wsgen` is read. */
const PLACES = [
  /^$/,
  /^(\/components)?\/channels\/[^/]*$/,
  /^(\/components)?\/channels\/[^/]*\/messages\/[^/]*$/,
  /^(\/components)?\/channels\/[^/]*\/(publish|subscribe)\/message(\/oneOf\/\d+)*$/,
  /^\/components\/messages\/[^/]*(\/oneOf\/\d+)*$/,
  /^\/components\/securitySchemes\/[^/]*$/,
  /\/security\/\d+$/,
];

/** Says where `x-wsgen` is written in vain. What stands in other files may be meant for any place that refers to it. */
export function reportMisplaced(tree: Tree, findings: Findings): void {
  const walk = (value: JsonValue, pointer: string, names: boolean): void => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) walk(item as JsonValue, joinPointer(pointer, String(index)), false);
      return;
    }
    if (!isObject(value)) return;
    if (!names && Object.hasOwn(value, OPTIONS_KEY) && (Object.hasOwn(value, "$ref") || !PLACES.some((place) => place.test(pointer)))) {
      findings.error({
        code: "x-wsgen-place",
        message: `\`${OPTIONS_KEY}\` has no meaning in \`${pointer}\`${Object.hasOwn(value, "$ref") ? " beside a `$ref`" : ""}.`,
        fix: "It belongs at the root of the document, on a channel, a message or a security scheme.",
        pointer: joinPointer(pointer, OPTIONS_KEY),
        at: "key",
      });
    }
    for (const [key, inner] of Object.entries(value)) {
      if (!names && (DATA.has(key) || key === FILES_KEY || key.startsWith("x-"))) continue;
      walk(inner, joinPointer(pointer, key), !names && MAPS.has(key));
    }
  };
  walk(tree.root.value, "", false);
}

/** Says that a channel or message cannot be called `__proto__`: the official parser, among others, loses it. */
export function reportReservedNames(tree: Tree, findings: Findings): void {
  const report = (owner: string, what: string): void => {
    const place = tree.at(owner);
    if (place === undefined || !isObject(place.value) || property(place.value, "__proto__") === undefined) return;
    findings.error({
      code: "reserved-name",
      message: `\`__proto__\` is not supported as the name of a ${what}.`,
      fix: "Give it another name. As the name of a property in a payload it works.",
      pointer: joinPointer(owner, "__proto__"),
      at: "key",
    });
  };
  for (const owner of ["", "/components"]) {
    report(`${owner}/channels`, "channel");
    for (const [key] of tree.entries({ pointer: owner, value: tree.at(owner)?.value ?? null }, "channels"))
      report(`${joinPointer(`${owner}/channels`, key)}/messages`, "message");
  }
  report("/components/messages", "message");
}
